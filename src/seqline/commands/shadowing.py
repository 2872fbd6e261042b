"""The command that lets a challenger answer beside the champion: shadow."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from seqline.commands.file_inputs import shaped_rows
from seqline.workspace import Workspace

if TYPE_CHECKING:
    from seqline.recipe import Recipe
    from seqline.tracking.shadow import ShadowReport
    from seqline.tracking.tally import ShadowRow

_SHOWN_EXCERPT = 60


def _rows(path: Path, recipe: Recipe, data_folder: Path) -> Iterator[ShadowRow]:
    """The rows of a batch, turned as `seqline ingest` turns them; truths where the target column is there and filled."""
    from seqline.recipe import LabelTarget
    from seqline.tasks import task_named
    from seqline.tracking.tally import ShadowRow

    task, column = task_named(recipe.task), recipe.input.column
    for row in shaped_rows(path, column, data_folder):
        identifier, truth = row.values.get("id"), row.values.get(recipe.target.column)
        if recipe.target.column == column:
            # What follows the input is not in the row: the future of a history, the rest of a text.
            truth = None
        known = truth is not None and truth != ""
        yield ShadowRow(
            id=f"line {row.line}" if identifier is None else str(identifier),
            input=task.input_of(row.values, recipe.input),
            truth=(str(truth) if isinstance(recipe.target, LabelTarget) else truth) if known else None,
        )


def table(report: ShadowReport) -> str:
    """What a person reads: agreement, what would change, and the rows furthest apart."""
    low, high = report.agreement_interval
    lines = [
        f"{report.name}: challenger version {report.challenger} beside champion version {report.champion}, {report.rows:,} rows",
        f"same answer   {report.agreement:.2%}  (95 % interval {low:.2%} to {high:.2%})",
    ]
    if report.shift:
        lines.append(
            "shift         " + ", ".join(f"{label} {value:+.4f}" for label, value in report.shift.items())
        )
    if report.quality is not None:
        quality = report.quality
        test = quality.mcnemar
        counts = (
            ""
            if test is None
            else f"; alone right on {test.only_a} against {test.only_b}, two-sided p = {test.p_two_sided:.2g}"
        )
        lines.append(
            f"{quality.metric:<13} challenger {quality.challenger:.4f}, champion {quality.champion:.4f} on"
            f" {quality.rows:,} labelled rows{counts}"
        )
    if report.pairs:
        lines += ["", f"{'champion':<16} {'challenger':<16} {'rows':>8}"]
        lines += [f"{first:<16} {second:<16} {count:>8,}" for first, second, count in report.pairs]
    if report.examples:
        lines += ["", f"{'row':<16} {'champion':<22} {'challenger':<22} input"]
    for shown in report.examples:
        first, second = (
            answer if sure is None else f"{answer} {sure:.2f}"
            for answer, sure in (
                (shown.champion, shown.champion_probability),
                (shown.challenger, shown.challenger_probability),
            )
        )
        lines.append(f"{shown.id:<16.16} {first:<22.40} {second:<22.40} {shown.excerpt[:_SHOWN_EXCERPT]}")
    return "\n".join(lines)


@click.command()
@click.argument("name")
@click.option(
    "--batch",
    required=True,
    type=click.Path(path_type=Path),
    help="Rows to answer: CSV, TSV, JSON lines, Parquet; labels are used where they are.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as one JSON object, nothing else.")
def shadow(name: str, batch: Path, as_json: bool) -> None:
    """Let the challenger of NAME answer a live batch beside the champion and show where they differ.

    Example: seqline shadow sentiment --batch incoming/sentiment/today.csv
    """
    from seqline.tracking.runs import connect
    from seqline.tracking.shadow import shadow as compare
    from seqline.tracking.shadow import write_report

    workspace = Workspace.find()
    recipe = workspace.recipe(name)
    report = compare(connect(workspace.root), name, _rows(batch, recipe, workspace.data_folder(name)))
    path = write_report(workspace.state / "shadow", report)
    if as_json:
        click.echo(json.dumps(report.record(), indent=2, allow_nan=False))
        return
    click.echo(table(report))
    click.echo(f"look at  {path.relative_to(workspace.root)}")
