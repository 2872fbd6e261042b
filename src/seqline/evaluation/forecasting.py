"""Forecasts beside the truth: what each row adds to the sums of the metrics, the metrics of those sums, and baselines.

A row is one forecast: all steps of one window, in the unit of its series. Every metric is a ratio of two column sums, so
that resampling rows (bootstrap, slices, the gate) is resampling rows of this table. Missing targets add nothing.

Legend: N rows, H horizon steps, C channels, Q quantiles, T steps of a context, K columns of the table.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from seqline.evaluation.metrics import measures_of

Floats = npt.NDArray[np.float64]

COLUMNS = (
    "count",
    "relative",
    "scaled",
    "absolute",
    "squared",
    "standard_absolute",
    "standard_squared",
    "pinball",
    "covered",
    "promised",
    "width",
)
# Keys of `evaluation.metrics.METRICS`, the main one first.
METRIC_NAMES = (
    "mase",
    "smape",
    "mae",
    "mse",
    "rmse",
    "standard_mae",
    "standard_mse",
    "pinball",
    "coverage",
    "coverage_gap",
    "width",
)
_PER_CENT = 100.0
# Smoothing weights that `exponential_smoothing` tries on each context.
_WEIGHTS = tuple(round(0.1 * step, 1) for step in range(1, 10))


def row_statistics(
    forecasts: Floats,
    targets: Floats,
    *,
    quantiles: Sequence[float],
    seasonal_error: Floats,
    deviation: Floats,
    interval: tuple[int, int] | None = None,
) -> Floats:
    """What each forecast adds to the sums of the metrics.

    Args:
        forecasts: float64 (N, H, C, Q), in the unit of the series; the middle quantile is the point forecast.
        targets: float64 (N, H, C), NaN = missing.
        quantiles: Q levels, rising.
        seasonal_error: float64 (N, C), the unit of MASE.
        deviation: float64 (N, C), the unit of standardised errors.
        interval: Indices of the quantiles that bound the interval; by default the lowest and the highest.

    Returns:
        float64 (N, K) in the order of `COLUMNS`: targets that are there; 200 |e| / (|y| + |f|); |e| over the seasonal error;
        |e|; e squared; the same two over the deviation; twice the mean pinball loss over the seasonal error; targets inside
        the interval; how many it promises; its width over the seasonal error. Each is a sum over steps and channels.
    """
    present = np.isfinite(targets)
    truth = np.where(present, targets, 0.0)
    middle = middle_of(quantiles)
    error = np.where(present, truth - forecasts[..., middle], 0.0)
    size = np.abs(truth) + np.abs(forecasts[..., middle])
    # 0 foretold as 0 is no error.
    relative = np.divide(2 * _PER_CENT * np.abs(error), size, out=np.zeros_like(error), where=size > 0)
    seasonal, spread = seasonal_error[:, None, :], deviation[:, None, :]
    levels = np.asarray(quantiles)
    errors = truth[..., None] - forecasts
    pinball = 2 * np.maximum(levels * errors, (levels - 1) * errors).mean(axis=-1)
    lower, upper = interval or (0, len(levels) - 1)
    low, high = forecasts[..., lower], forecasts[..., upper]
    columns = [
        np.ones_like(truth),
        relative,
        np.abs(error) / seasonal,
        np.abs(error),
        error**2,
        np.abs(error) / spread,
        (error / spread) ** 2,
        pinball / seasonal,
        ((low <= truth) & (truth <= high)).astype(np.float64),
        np.full_like(truth, levels[upper] - levels[lower]),
        (high - low) / seasonal,
    ]
    return np.stack([np.where(present, column, 0.0).sum(axis=(1, 2)) for column in columns], axis=1)


def middle_of(quantiles: Sequence[float]) -> int:
    """Index of the level nearest to the median: the point forecast."""
    return min(range(len(quantiles)), key=lambda i: abs(quantiles[i] - 0.5))


def scores(values: Floats) -> dict[str, float]:
    """All metrics of a table of row statistics, float64 (N, K)."""
    ignored = np.zeros(len(values), dtype=np.int64)
    metrics = measures_of(METRIC_NAMES, COLUMNS).metrics
    return {name: metric.function(values, ignored) for name, metric in metrics.items()}


def by_step(
    forecasts: Floats,
    targets: Floats,
    *,
    quantiles: Sequence[float],
    seasonal_error: Floats,
    deviation: Floats,
) -> list[dict[str, float]]:
    """The metrics of each step of the horizon, H of them: how the error grows, and whether intervals keep up."""
    return [
        scores(
            row_statistics(
                forecasts[:, step : step + 1],
                targets[:, step : step + 1],
                quantiles=quantiles,
                seasonal_error=seasonal_error,
                deviation=deviation,
            )
        )
        for step in range(targets.shape[1])
    ]


def naive(context: Floats, *, horizon: int, season_length: int) -> Floats:
    """The last value, H times: context float64 (T, C) to (H, C)."""
    del season_length
    return np.repeat(context[-1:], horizon, axis=0)


def seasonal_naive(context: Floats, *, horizon: int, season_length: int) -> Floats:
    """The last season again and again: context float64 (T, C) to (H, C).

    With T < season_length the last value: the series itself has no whole season yet, for `forecast_baselines` looks as far
    back as a season reaches.
    """
    if len(context) < season_length:
        return naive(context, horizon=horizon, season_length=season_length)
    return context[len(context) - season_length + np.arange(horizon) % season_length]


def drift(context: Floats, *, horizon: int, season_length: int) -> Floats:
    """The straight line from the first value through the last: context float64 (T, C) to (H, C)."""
    del season_length
    slope = (context[-1] - context[0]) / max(1, len(context) - 1)
    return context[-1] + np.arange(1, horizon + 1)[:, None] * slope


def exponential_smoothing(context: Floats, *, horizon: int, season_length: int) -> Floats:
    """Simple exponential smoothing, its weight the one with the least squared one-step error in the context.

    Args:
        context: float64 (T, C).
        horizon: H.
        season_length: Not read.

    Returns:
        The last level H times, (H, C).

    Source: Brown, "Statistical forecasting for inventory control", 1959.
    """
    del season_length
    weights = np.asarray(_WEIGHTS)[:, None]
    level = np.repeat(context[:1], len(_WEIGHTS), axis=0)
    loss = np.zeros_like(level)
    for value in context[1:]:
        loss += (value - level) ** 2
        level = level + weights * (value - level)
    best = level[loss.argmin(axis=0), np.arange(context.shape[1])]
    return np.repeat(best[None], horizon, axis=0)


def around_points(points: Floats, residuals: Floats, scale: Floats, *, quantiles: Sequence[float]) -> Floats:
    """Quantiles around point forecasts, from the errors that the same method made on other windows.

    Args:
        points: float64 (N, H, C).
        residuals: float64 (M, H, C), truth minus forecast on the windows of valid, each over its own scale; NaN = missing.
        scale: float64 (N, C).
        quantiles: Q levels.

    Returns:
        float64 (N, H, C, Q): the middle one is the point forecast, unmoved, the others keep their order around it.
    """
    moves = np.moveaxis(np.nanquantile(residuals, np.asarray(quantiles), axis=0), 0, -1)
    middle = middle_of(quantiles)
    moves[..., middle] = 0.0
    moves[..., :middle] = np.minimum(moves[..., :middle], 0.0)
    moves[..., middle + 1 :] = np.maximum(moves[..., middle + 1 :], 0.0)
    return points[..., None] + scale[:, None, :, None] * moves


SIMPLE_FORECASTS: dict[str, Callable[..., Floats]] = {
    "naive": naive,
    "seasonal_naive": seasonal_naive,
    "drift": drift,
    "exponential_smoothing": exponential_smoothing,
}
# Those that read a whole season, however short the contexts of the network are.
OF_A_SEASON = frozenset({"seasonal_naive"})
