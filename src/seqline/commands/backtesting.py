"""The command that asks a recipe as of past times: backtest."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from seqline.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seqline.backtesting import FoldResult
    from seqline.training.events import Event

_FOLDS = 4
_SHOWN = ("mase", "smape", "coverage", "width")


@click.command()
@click.argument("name")
@click.option("--folds", default=_FOLDS, show_default=True, help="How many past times to forecast from.")
@click.option(
    "--stride",
    type=int,
    help="Steps from one time to the next, by default the horizon; whole horizons are forecast.",
)
@click.option("--retrain", is_flag=True, help="Train at each of them; else once, before the first.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as one JSON object, nothing else.")
def backtest(name: str, folds: int, stride: int | None, retrain: bool, as_json: bool) -> None:
    """Forecast NAME as of several past times and measure what came then, before its test part.

    With --retrain it is trained at each time on what was known then, as a schedule would have done. Nothing is registered.

    Example: seqline backtest forecast --folds 3 --retrain
    """
    from seqline.backtesting import backtest as asked_as_of_then
    from seqline.commands.progress import TrainingDisplay

    workspace = Workspace.find()
    display = TrainingDisplay()

    def report(event: Event) -> None:
        if not as_json:
            display(event)

    try:
        results = asked_as_of_then(
            workspace, name, folds=folds, stride=stride, retrain=retrain, report=report
        )
    except KeyboardInterrupt:
        raise click.Abort("a backtest keeps nothing, the same command begins anew") from None
    if as_json:
        told = {"folds": [one.record() for one in results[:-1]], "all": results[-1].record()}
        click.echo(json.dumps(told, indent=2, allow_nan=False))
    else:
        click.echo(_table(results, baseline=workspace.recipe(name).gate.baseline))


def _table(results: Sequence[FoldResult], *, baseline: str) -> str:
    main = next(iter(results[0].metrics))
    shown = [metric for metric in _SHOWN if metric in results[0].metrics]
    lines = [f"{'from':<20} {'windows':>8}" + "".join(f" {metric:>9}" for metric in shown)]
    if results[0].baseline:
        lines[0] += f"  {main} of {baseline}"
    for one in results:
        line = f"{'all' if one.begins is None else one.begins!s:<20} {one.windows:>8,}"
        line += "".join(f" {one.metrics[metric]:>9.4f}" for metric in shown)
        lines.append(line + (f"  {one.baseline[main]:>9.4f}" if one.baseline else ""))
    return "\n".join(lines)


COMMANDS = [backtest]
