"""The command that lets a challenger answer beside the champion: shadow."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from seqline.errors import InputError
from seqline.workspace import Workspace

if TYPE_CHECKING:
    from seqline.recipe import Recipe
    from seqline.tracking.shadow import ShadowReport, ShadowRow

_SHOWN_EXCERPT = 60


def _rows(path: Path, recipe: Recipe) -> Iterator[ShadowRow]:
    """The rows of a batch; labels where the recipe's target column is there and filled."""
    from seqline.data.readers import read_rows
    from seqline.tracking.shadow import ShadowRow

    column = recipe.input.column
    for row in read_rows(path):
        if column not in row.values:
            raise InputError(str(path), f"no column {column!r}", f"one of {', '.join(row.values)}")
        text, label = row.values[column], row.values.get(recipe.target.column)
        identifier = row.values.get("id")
        yield ShadowRow(
            id=f"line {row.line}" if identifier is None else str(identifier),
            text="" if text is None else str(text),
            label=None if label is None or label == "" else str(label),
        )


def table(report: ShadowReport) -> str:
    """What a person reads: agreement, what would change, and the rows furthest apart."""
    low, high = report.agreement_interval
    lines = [
        f"{report.name}: challenger version {report.challenger} beside champion version {report.champion}, {report.rows:,} rows",
        f"same answer   {report.agreement:.2%}  (95 % interval {low:.2%} to {high:.2%})",
        "shift         " + ", ".join(f"{label} {value:+.4f}" for label, value in report.shift.items()),
    ]
    if report.quality is not None:
        quality = report.quality
        test = quality.mcnemar
        lines.append(
            f"accuracy      challenger {quality.challenger_accuracy:.4f}, champion {quality.champion_accuracy:.4f} on"
            f" {quality.rows:,} labelled rows; alone right on {test.only_a} against {test.only_b},"
            f" two-sided p = {test.p_two_sided:.2g}"
        )
    if report.pairs:
        lines += ["", f"{'champion':<16} {'challenger':<16} {'rows':>8}"]
        lines += [f"{first:<16} {second:<16} {count:>8,}" for first, second, count in report.pairs]
        lines += ["", f"{'row':<16} {'champion':<22} {'challenger':<22} text"]
        for shown in report.examples:
            first = f"{shown.champion} {shown.champion_probability:.2f}"
            second = f"{shown.challenger} {shown.challenger_probability:.2f}"
            lines.append(f"{shown.id:<16.16} {first:<22} {second:<22} {shown.excerpt[:_SHOWN_EXCERPT]}")
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
    report = compare(connect(workspace.root), name, _rows(batch, recipe))
    path = write_report(workspace.state / "shadow", report)
    if as_json:
        click.echo(json.dumps(report.record(), indent=2, allow_nan=False))
        return
    click.echo(table(report))
    click.echo(f"look at  {path.relative_to(workspace.root)}")
