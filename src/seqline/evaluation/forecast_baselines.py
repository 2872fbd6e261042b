"""Simple forecasts beside the network, on the same windows and by the same row statistics.

A simple method has no intervals of its own: they are the quantiles of the errors it made on valid, step by step, in scales
of each window. So its coverage and pinball loss can stand beside the network's. Its errors are counted in the units that
prepare wrote beside each window, as those of the network are.

Legend: N windows, H horizon steps, C channels, Q quantiles.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from seqline.data.targets.future import levels_of, measured_interval, numbers_of
from seqline.data.windows import fill, window_scale
from seqline.evaluation.forecasting import (
    OF_A_SEASON,
    SIMPLE_FORECASTS,
    Floats,
    around_points,
    row_statistics,
)
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
        ValueError: The rows are no windows of series, or the test rows come without units.
    """
    section, target = cast(HistoryInput, problem.recipe.input), cast(FutureTarget, problem.recipe.target)
    levels = levels_of(target.intervals)
    if problem.test.units is None:
        raise ValueError("forecasts are measured in the units that prepare writes beside each window")
    units = list(problem.test.units)
    reach = section.context_length
    if method in OF_A_SEASON:
        reach = max(reach, section.season_length)
    valid, test = problem.once(
        ("known", reach), lambda: [_known(rows, reach) for rows in (problem.valid, problem.test)]
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


def _known(rows: SplitRows, reach: int) -> list[Floats]:
    """The last values before each window, float64 (T, C) with T at most `reach`, NaN = missing."""
    windows = rows.windows
    if windows is None:
        raise ValueError("forecasts are made of windows, which know the series they lie in")
    return [windows.known(place, reach) for place in range(len(windows))]


def _points(known: list[Floats], method: str, section: HistoryInput, horizon: int) -> tuple[Floats, Floats]:
    """Point forecasts (N, H, C), and the scale of each context (N, C)."""
    nothing = (np.zeros(0), np.zeros(0))
    points = np.zeros((len(known), horizon, known[0].shape[1]))
    lengths = np.asarray([len(values) for values in known])
    for length in np.unique(lengths):
        # A method works column by column, so windows of one length are asked at once.
        members = np.flatnonzero(lengths == length)
        filled = np.stack([fill(known[i], rule=section.missing) for i in members], axis=1)
        found = SIMPLE_FORECASTS[method](
            filled.reshape(length, -1), horizon=horizon, season_length=section.season_length
        )
        points[members] = found.reshape(horizon, len(members), -1).transpose(1, 0, 2)
    contexts = [values[-section.context_length :] for values in known]
    return points, np.stack([window_scale(context, "window", nothing)[1] for context in contexts])
