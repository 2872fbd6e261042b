"""Commands about rows that come in: ingest, label."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seqline.errors import InputError
from seqline.workspace import Workspace

if TYPE_CHECKING:
    from seqline.labels import LabelledQuality

FILE = click.Path(path_type=Path)


@click.command()
@click.argument("name")
@click.option(
    "--from", "source", type=FILE, help="File or folder to take rows from; by default incoming/NAME."
)
@click.option(
    "--accept-bad", is_flag=True, help="Take the good rows of a file even if more than half are at fault."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object, nothing else.")
def ingest(name: str, source: Path | None, accept_bad: bool, as_json: bool) -> None:
    """Take new rows into data/NAME/train: known ones dropped, bad ones to quarantine, data.dvc moved forward.

    Example: seqline ingest sentiment
    """
    from seqline.ingestion import ingest as take_in
    from seqline.owner import own_workspace

    workspace = Workspace.find()
    with own_workspace(workspace, f"seqline ingest {name}"):
        report = take_in(workspace, name, source, accept_bad=accept_bad)
    if as_json:
        click.echo(json.dumps(report.to_dict(), ensure_ascii=False))
    else:
        click.echo("\n".join(report.lines()))
        if report.batch:
            click.echo(f"next     git add data.dvc; seqline retrain {name}")
    if report.refused:
        click.get_current_context().exit(InputError.exit_code)


@click.command()
@click.argument("name")
@click.option("--from", "source", type=FILE, required=True, help="Rows with an id and a true label.")
@click.option("--id", "id_column", default="id", show_default=True, help="Column of the id.")
@click.option("--target", "target_column", help="Column of the label; by default the recipe's.")
@click.option("--correct", is_flag=True, help="Labels that contradict those joined before take their place.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, nothing else.")
def label(
    name: str, source: Path, id_column: str, target_column: str | None, correct: bool, as_json: bool
) -> None:
    """Join true labels to the answers that `seqline predict --log` kept, and tell how right they were.

    Example: seqline label sentiment --from labels.csv
    """
    from seqline.labels import join_labels, labelled_versions

    workspace = Workspace.find()
    report = join_labels(
        workspace, name, source, id_column=id_column, target_column=target_column, correct=correct
    )
    measured = [_measured(workspace, name, quality) for quality in labelled_versions(workspace, name)]
    if as_json:
        click.echo(
            json.dumps({**report.to_dict(), "versions": measured}, ensure_ascii=False, allow_nan=False)
        )
    else:
        click.echo(f"joined   {report.joined:,} labels to logged answers; {report.known:,} were known")
        if report.set_aside:
            click.echo(f"aside    {report.set_aside:,} rows: {report.quarantine}")
            for reason in report.reasons:
                click.echo(f"         {reason}")
        for facts in measured:
            test = "" if facts["test"] is None else f", on test {facts['test']:.4f}"
            click.echo(
                f"accuracy {facts['accuracy']:.4f} of version {facts['version']}  "
                f"(95 % interval {facts['low']:.4f} to {facts['high']:.4f}, {facts['rows']:,} answers){test}"
            )
    if report.set_aside and not report.joined and not report.known:
        click.get_current_context().exit(InputError.exit_code)


def _measured(workspace: Workspace, name: str, quality: LabelledQuality) -> dict[str, Any]:
    """Accuracy with its interval, beside what the version reached on test where the registry still knows it."""
    from seqline.evaluation.intervals import wilson
    from seqline.tracking.registry import get_version
    from seqline.tracking.store import connect

    low, high = wilson(quality.correct, quality.rows)
    try:
        tags = (
            {}
            if quality.version is None
            else get_version(connect(workspace.root), name, quality.version).tags
        )
    except InputError:
        tags = {}
    test = tags.get("metric.accuracy")
    return {
        "version": quality.version,
        "rows": quality.rows,
        "correct": quality.correct,
        "accuracy": quality.accuracy,
        "low": low,
        "high": high,
        "test": None if test is None else float(test),
    }


COMMANDS: list[click.Command] = [ingest, label]
