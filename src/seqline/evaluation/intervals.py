"""How sure a measured number is, and whether one model is better than another on the same rows.

Legend: N rows, K values of a row (class probabilities or row statistics). The draws and their fast forms are in
`resampling`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqline.evaluation.measures import Direction, Floats, Ints, Metric
from seqline.evaluation.metrics import DEFAULT_BINS
from seqline.evaluation.resampling import AnyMetric, draws, evaluate, metric_of, resampled

_TIE_TOLERANCE = 1e-12


@dataclass(frozen=True)
class Interval:
    """A measured value and the interval around it, in the metric's own unit."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class PairedResult:
    """Model a against model b on the same rows.

    Attributes:
        difference: Metric of a minus metric of b, in the metric's unit and with its own sign.
        low: Lower end of the bootstrap interval of the difference.
        high: Upper end.
        p_value: One-sided: the chance of an advantage of a this clear if a were not better than b (better in
            the metric's direction). Never 0: the smallest is 1 / (rounds + 1). Equal models give 1.
    """

    difference: float
    low: float
    high: float
    p_value: float


@dataclass(frozen=True)
class McNemarResult:
    """Exact McNemar test of two models on the same rows.

    Attributes:
        only_a: Rows that only a has right.
        only_b: Rows that only b has right.
        p_value: One-sided exact binomial: `P(X >= only_a)`, X ~ Binomial(only_a + only_b, 1/2). Small: a is
            better.
        p_two_sided: `min(1, 2 min(P(X <= only_a), P(X >= only_a)))`. Small: they differ.
    """

    only_a: int
    only_b: int
    p_value: float
    p_two_sided: float


def mcnemar(correct_a: NDArray[np.bool_], correct_b: NDArray[np.bool_]) -> McNemarResult:
    """Test by exact McNemar whether the rows on which two models disagree favour one of them.

    Args:
        correct_a: bool (N,): rows that model a has right.
        correct_b: bool (N,): the same rows under model b.

    Returns:
        Counts and p-values; with no disagreement (or no rows) both p-values are 1.

    Raises:
        ValueError: The shapes differ.

    Source: McNemar, 1947; exact form as in Fay, 2010.

    Example:
        >>> a, b = np.array([1, 1, 1, 1, 0], bool), np.array([0, 0, 0, 1, 1], bool)
        >>> mcnemar(a, b)
        McNemarResult(only_a=3, only_b=1, p_value=0.3125, p_two_sided=0.625)
    """
    from scipy.stats import binom

    right_a, right_b = np.asarray(correct_a, dtype=bool), np.asarray(correct_b, dtype=bool)
    if right_a.shape != right_b.shape or right_a.ndim != 1:
        raise ValueError(
            f"correct_a {right_a.shape} and correct_b {right_b.shape} must have the same shape (N,)"
        )
    only_a, only_b = int((right_a & ~right_b).sum()), int((~right_a & right_b).sum())
    total = only_a + only_b
    if not total:
        return McNemarResult(0, 0, 1.0, 1.0)
    upper = min(1.0, float(binom.sf(only_a - 1, total, 0.5)))
    lower = min(1.0, float(binom.cdf(only_a, total, 0.5)))
    return McNemarResult(only_a, only_b, upper, min(1.0, 2 * min(lower, upper)))


def paired_bootstrap(
    metric: AnyMetric,
    values_a: Floats,
    values_b: Floats,
    targets: Ints,
    *,
    rounds: int = 1_000,
    seed: int = 0,
    level: float = 0.95,
    margin: float = 0.0,
    direction: Direction = "higher",
) -> PairedResult:
    """Bootstrap the difference of two models: both are scored on the same drawn rows in every round.

    Args:
        metric: Name in `METRICS`, a metric laid over the columns of the values, or a function of (values, targets).
        values_a: float (N, K).
        values_b: float (N, K), of the same rows.
        targets: int64 (N,) class indices; ignored by metrics of row statistics.
        rounds: Number of resamples.
        seed: Seed of the draws; the same seed gives the same bits.
        level: Coverage of the interval.
        margin: For the p-value, a loss that does not matter, in the metric's unit: with margin m it answers
            "is a better than b, or worse by less than m" (non-inferiority).
        direction: Which values are better, for a function; a metric knows its own.

    Returns:
        The difference, its interval and the one-sided p-value `(1 + #{rounds where a is not better}) / (1 +
        rounds)`. NaN throughout when the metric is not defined on these rows; the p-value is then 1.

    Source: Efron and Tibshirani, 1993; Koehn, 2004 for the paired form.
    """
    targets = np.asarray(targets)
    found = metric_of(metric)
    forms = [resampled(found, values, targets) for values in (values_a, values_b)]
    sign = 1.0 if (found.direction if isinstance(found, Metric) else direction) == "higher" else -1.0
    value_a, value_b = (evaluate(found, values, targets) for values in (values_a, values_b))
    difference = value_a - value_b
    if not len(targets) or math.isnan(difference):
        return PairedResult(float("nan"), float("nan"), float("nan"), 1.0)
    drawn = np.concatenate(
        [forms[0](counts) - forms[1](counts) for counts in draws(len(targets), rounds=rounds, seed=seed)]
    )
    drawn = drawn[~np.isnan(drawn)]
    low, high = _percentiles(drawn, level)
    not_better = int((sign * drawn <= -margin + _TIE_TOLERANCE).sum())
    return PairedResult(difference, low, high, (1 + not_better) / (1 + len(drawn)))


def bootstrap_intervals(
    metrics: Mapping[str, AnyMetric] | Sequence[str],
    values: Floats,
    targets: Ints,
    *,
    rounds: int = 1_000,
    seed: int = 0,
    level: float = 0.95,
    bins: int = DEFAULT_BINS,
) -> dict[str, Interval]:
    """Percentile bootstrap intervals over rows; all metrics share the same draws.

    Args:
        metrics: Names in `METRICS`, or a mapping of names to metrics, or to functions of (values, targets).
        values: float (N, K).
        targets: int64 (N,) class indices; ignored by metrics of row statistics.
        rounds: Number of resamples.
        seed: Seed of the draws; the same seed gives the same bits.
        level: Coverage.
        bins: Bins of `ece`.

    Returns:
        Name -> value with its interval. A metric that is not defined on these rows has NaN for all three.

    Source: Efron and Tibshirani, 1993.
    """
    targets = np.asarray(targets)
    wanted: dict[str, AnyMetric] = (
        dict(metrics) if isinstance(metrics, Mapping) else {name: name for name in metrics}
    )
    measured = {name: evaluate(metric, values, targets, bins) for name, metric in wanted.items()}
    forms = {
        name: resampled(metric, values, targets, bins)
        for name, metric in wanted.items()
        if not math.isnan(measured[name])
    }
    drawn: dict[str, list[NDArray[np.float64]]] = {name: [] for name in forms}
    if forms:
        for counts in draws(len(targets), rounds=rounds, seed=seed):
            for name, form in forms.items():
                drawn[name].append(form(counts))
    intervals = {}
    for name, value in measured.items():
        rows = np.concatenate(drawn[name]) if name in forms else np.empty(0)
        intervals[name] = Interval(value, *_percentiles(rows[~np.isnan(rows)], level))
    return intervals


def wilson(hits: int, total: int, level: float = 0.95) -> tuple[float, float]:
    """Wilson score interval of a share; right even where the share is near 0 or 1 or the rows are few.

    Args:
        hits: Rows that count.
        total: Rows in all.
        level: Coverage.

    Returns:
        Lower and upper end, shares in [0, 1]; (0, 1) when there are no rows.

    Source: Wilson, 1927.

    Example:
        >>> [round(end, 4) for end in wilson(8, 10)]
        [0.4902, 0.9433]
    """
    from scipy.stats import norm

    if not total:
        return 0.0, 1.0
    z = float(norm.ppf(0.5 + level / 2))
    share = hits / total
    middle = share + z * z / (2 * total)
    spread = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    scale = 1 + z * z / total
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)


def _percentiles(values: NDArray[np.float64], level: float) -> tuple[float, float]:
    if not len(values):
        return float("nan"), float("nan")
    low, high = np.quantile(values, [0.5 - level / 2, 0.5 + level / 2])
    return float(low), float(high)
