"""Folds of a rolling backtest: series cut off at one forecast time after the other, and the steps that come next.

The test part is left alone: a backtest helps to choose a recipe, and what was chosen by the test part says nothing of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seqline.data.calendar import Stamp
from seqline.data.history import row_of
from seqline.data.window_rows import series_of
from seqline.data.windows import Series, cut_points
from seqline.errors import InputError
from seqline.recipe import HistoryInput

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Fold:
    """What was known at a time, and what came then.

    Attributes:
        begins: The first step that is foretold.
        train: Rows of the series up to there, with what was known ahead.
        test: Rows of the steps after it.
    """

    begins: Stamp
    train: list[Row]
    test: list[Row]


def folds_of(
    train_rows: Sequence[Row],
    test_rows: Sequence[Row],
    section: HistoryInput,
    *,
    horizon: int,
    test: float,
    count: int,
    stride: int,
) -> list[Fold]:
    """Cut the steps before the test part into folds, the last one ending where the test part begins.

    Args:
        train_rows: Rows of series, see `read_stretch`.
        test_rows: Those of a test set of its own; none of its steps is in a fold.
        section: The recipe's input.
        horizon: H.
        test: Share of the steps that is the test part where there are no test rows.
        count: Folds.
        stride: Steps from one fold to the next, at least H; each foretells the whole horizons that fit into them.

    Raises:
        InputError: Fewer steps than asked for, or a row that is no series.
    """
    if count < 1 or stride < horizon:
        raise InputError(
            "backtest",
            f"{count} folds of {stride} steps",
            f"at least 1 fold, and {horizon} steps, the horizon",
        )
    series = series_of(train_rows, test_rows, section)
    cuts = cut_points(series, valid=0.0, test=test, horizon=horizon, together=section.together)
    known = [one.part(0, cut.test, ahead=horizon) for one, cut in zip(series, cuts, strict=True) if cut.test]
    # Series are cut at the same times, or each so far from its own end.
    ends = [one.grid.start + len(one) for one in known]
    ends = [max(ends)] * len(ends) if section.together else ends
    steps = max(end - one.grid.start for one, end in zip(known, ends, strict=True))
    # One horizon to learn from and one to calibrate on, at least.
    before, needed = steps - count * stride, section.least + 2 * horizon
    if before < needed:
        raise InputError(
            "backtest",
            f"{count} folds of {stride} steps leave {before} of the {steps} steps before the test part",
            f"at least {needed} to learn from",
            "ask for fewer folds or a smaller stride",
        )
    return [
        _fold(known, [end - back * stride for end in ends], section, horizon=horizon, stride=stride)
        for back in range(count, 0, -1)
    ]


def _fold(
    series: Sequence[Series], times: Sequence[int], section: HistoryInput, *, horizon: int, stride: int
) -> Fold:
    """The rows of the steps before a time, one a series, and of the steps from then on."""
    train, test = [], []
    for one, time in zip(series, times, strict=True):
        here, end = (min(max(step - one.grid.start, 0), len(one)) for step in (time, time + stride))
        if here:
            train.append(_row(one.part(0, here, ahead=horizon), "train", section))
        if end > here:
            test.append(_row(one.part(here, end, ahead=horizon), "test", section))
    begins = series[0].stamps(times[0] - series[0].grid.start, 1)[0]
    return Fold(begins, train, test)


def _row(one: Series, part: str, section: HistoryInput) -> Row:
    return {"id": f"{one.id}/{part}", **row_of(one, section)}
