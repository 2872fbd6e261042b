"""Commands that watch a champion: monitor."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from seqline.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seqline.monitoring.judgements import Judgement

_SHOWN_NEW_WORDS = 8


def _line(judgement: Judgement) -> str:
    """One batch in a line: the verdict first."""
    from seqline.monitoring.signals import SIGNALS

    report = judgement.report
    moved = ", ".join(SIGNALS[name].title for name in report.moved)
    return f"{judgement.verdict:<12} {judgement.batch}: {report.rows_in_batch:,} rows{f'; {moved}' if moved else ''}"


def _table(judgement: Judgement) -> Iterator[str]:
    """Every signal of one batch, and what limits the judgement."""
    from seqline.monitoring.signals import SIGNALS

    report = judgement.report
    if report.readings:
        yield f"  {'signal':<17} {'value':>9} {'threshold':>9}  {'moved':<6}what"
    for reading in report.readings:
        moved = "moved" if reading.moved else "-"
        figures = f"{reading.value:>9.5f} {reading.threshold:>9.5f}"
        yield f"  {SIGNALS[reading.signal].title:<17} {figures}  {moved:<6}{reading.what}"
    if report.new_words:
        told = ", ".join(f"{word!r} {count}" for word, count in report.new_words[:_SHOWN_NEW_WORDS])
        yield f"  words the model does not know: {told}"
    for note in report.notes:
        yield f"  note: {note}"


@click.command()
@click.argument("name")
@click.option(
    "--batch",
    type=click.Path(path_type=Path),
    help="File to judge; by default every batch that the champion was not fitted on.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object with every number, nothing else.")
def monitor(name: str, batch: Path | None, as_json: bool) -> None:
    """Tell whether batches drifted from what the champion of NAME was made from; exit code 0 either way.

    Example: seqline monitor sentiment --batch reviews.csv
    """
    workspace = Workspace.find()
    workspace.recipe(name)
    from seqline.surveillance import monitor as judge
    from seqline.surveillance import page_path

    judgements = judge(workspace, name, batch)
    page = page_path(workspace, name)
    if as_json:
        shown = str(page.relative_to(workspace.root)) if judgements else None
        told = {"name": name, "batches": [one.to_dict() for one in judgements], "page": shown}
        click.echo(json.dumps(told, ensure_ascii=False, allow_nan=False))
        return
    if not judgements:
        click.echo(f"nothing to judge: the champion of {name} was fitted on every batch of data/{name}/train")
        click.echo("give a file with --batch")
        return
    *older, newest = judgements
    if older:
        drifted = sum(one.drifted for one in judgements)
        head = "DRIFTED" if drifted else newest.verdict
        click.echo(f"{head:<12} {drifted} of {len(judgements)} batches of {name}")
    for judgement in older:
        click.echo(_line(judgement))
    click.echo(_line(newest))
    for line in _table(newest):
        click.echo(line)
    reference = f"{newest.report.reference_rows:,} held-out rows"
    click.echo(f"against  version {newest.version} of {name} and its profile of {reference}")
    click.echo(f"look at  {page.relative_to(workspace.root)}  (it shows words of the data)")


COMMANDS = [monitor]
