"""Simple forecasts beside the network, on the same windows and by the same row statistics.

A simple method has no intervals of its own: they are the quantiles of the errors it made on valid, step by step, in scales
of each window. So its coverage and pinball loss can stand beside the network's. Its errors are counted in the units that
prepare wrote beside each window, as those of the network are.

Legend: N windows, H horizon steps, C channels, Q quantiles.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from seqline.data.history import read_history
from seqline.data.targets.future import levels_of, measured_interval, numbers_of
from seqline.data.windows import fill, window_scale
from seqline.evaluation.forecasting import SIMPLE_FORECASTS, Floats, around_points, row_statistics
from seqline.recipe import FutureTarget, HistoryInput

if TYPE_CHECKING:
    from seqline.data.rows import SplitRows
    from seqline.evaluation.baselines import Problem


def naive_statistics(problem: Problem) -> Floats:
    """The last value: row statistics of the N test windows."""
    return simple_statistics(problem, "naive")


def seasonal_naive_statistics(problem: Problem) -> Floats:
    """The last season: row statistics of the N test windows."""
    return simple_statistics(problem, "seasonal_naive")


def drift_statistics(problem: Problem) -> Floats:
    """The line through first and last value: row statistics of the N test windows."""
    return simple_statistics(problem, "drift")


def smoothing_statistics(problem: Problem) -> Floats:
    """Simple exponential smoothing: row statistics of the N test windows."""
    return simple_statistics(problem, "exponential_smoothing")


def simple_statistics(problem: Problem, method: str) -> Floats:
    """Row statistics of a method of `SIMPLE_FORECASTS`, float64 (N, K).

    Raises:
        ValueError: The test rows come without units.
    """
    section, target = cast(HistoryInput, problem.recipe.input), cast(FutureTarget, problem.recipe.target)
    levels = levels_of(target.intervals)
    if problem.test.units is None:
        raise ValueError("forecasts are measured in the units that prepare writes beside each window")
    units = list(problem.test.units)
    valid, test = problem.once(
        "contexts",
        lambda: [_contexts(rows, section, target.horizon) for rows in (problem.valid, problem.test)],
    )
    before, scale_before = _points(valid, method, section, target.horizon)
    errors = (numbers_of(problem.valid.truths) - before) / scale_before[:, None]
    points, scale = _points(test, method, section, target.horizon)
    return row_statistics(
        around_points(points, errors, scale, quantiles=levels),
        numbers_of(problem.test.truths),
        quantiles=levels,
        seasonal_error=np.asarray([one["seasonal_error"] for one in units]),
        deviation=np.asarray([one["deviation"] for one in units]),
        interval=measured_interval(target.intervals),
    )


def _contexts(rows: SplitRows, section: HistoryInput, horizon: int) -> list[Floats]:
    """What each window is foretold from, float64 (T, C), NaN = missing."""
    return [read_history(row, section, horizon=horizon).values for row in rows.inputs]


def _points(
    contexts: list[Floats], method: str, section: HistoryInput, horizon: int
) -> tuple[Floats, Floats]:
    """Point forecasts (N, H, C), and the scale of each window (N, C)."""
    nothing = (np.zeros(0), np.zeros(0))
    points = np.zeros((len(contexts), horizon, contexts[0].shape[1]))
    lengths = np.asarray([len(context) for context in contexts])
    for length in np.unique(lengths):
        # A method works column by column, so windows of one length are asked at once.
        members = np.flatnonzero(lengths == length)
        filled = np.stack([fill(contexts[i], rule=section.missing) for i in members], axis=1)
        found = SIMPLE_FORECASTS[method](
            filled.reshape(length, -1), horizon=horizon, season_length=section.season_length
        )
        points[members] = found.reshape(horizon, len(members), -1).transpose(1, 0, 2)
    return points, np.stack([window_scale(context, "window", nothing)[1] for context in contexts])
