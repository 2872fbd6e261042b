"""Metrics on resampled rows, many rounds at once.

Legend: N rows, C classes, k row statistics of a metric, R rounds of the bootstrap.

A round draws N of the N rows with replacement; only how often each row was drawn matters, so a round is a
vector of counts. A metric of sums needs the sums of each round only: counts (R, N) times statistics (N, k). Each
metric of classes has a form that takes many such vectors at once (`RESAMPLED`); any other function of
(probabilities, targets) is evaluated on the drawn rows, one round after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from seqline.evaluation.measures import Floats, Function, Ints, Metric
from seqline.evaluation.metrics import (
    DEFAULT_BINS,
    METRICS,
    check_inputs,
    confidence_bins,
    ece,
    is_right,
    surprise,
)

Resampled = Callable[[NDArray[np.float64]], NDArray[np.float64]]
# A name in `METRICS`, a metric laid over the columns of the values, or a function of (values, targets).
AnyMetric = str | Metric | Function

# Counts of one chunk of rounds: 4 million float64 are 32 MB.
_CHUNK_CELLS = 4_000_000


def draws(num_rows: int, *, rounds: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """Yield chunks of rounds: float64 (r, N), how often each row was drawn; one seed, the same bits."""
    generator = np.random.default_rng(seed)
    per_chunk = max(1, min(rounds, _CHUNK_CELLS // max(1, num_rows)))
    for start in range(0, rounds, per_chunk):
        size = min(per_chunk, rounds - start)
        counts = np.empty((size, num_rows))
        for row in range(size):
            counts[row] = np.bincount(generator.integers(0, num_rows, num_rows), minlength=num_rows)
        yield counts


def metric_of(metric: AnyMetric) -> Metric | Function:
    """The metric of a name; anything else is what it is.

    Raises:
        ValueError: There is no metric of that name.
    """
    if isinstance(metric, str):
        if metric not in METRICS:
            raise ValueError(f"no metric {metric!r}; there are {', '.join(METRICS)}")
        return METRICS[metric]
    return metric


def evaluate(metric: AnyMetric, values: Floats, targets: Ints, bins: int = DEFAULT_BINS) -> float:
    """Value of a metric on all rows; `bins` acts on `ece` only.

    Raises:
        ValueError: There is no metric of that name.
    """
    found = metric_of(metric)
    if found is METRICS["ece"]:
        return ece(values, targets, bins)
    return (found.function if isinstance(found, Metric) else found)(values, targets)


def resampled(metric: AnyMetric, values: Floats, targets: Ints, bins: int = DEFAULT_BINS) -> Resampled:
    """Return the form of a metric that takes counts, float64 (R, N), and gives its values, float64 (R,)."""
    found = metric_of(metric)
    if isinstance(found, Metric):
        if found.of_sums is not None:
            return _resampled_sums(found, values)
        for name, form in RESAMPLED.items():
            if found is METRICS[name]:
                return form(*check_inputs(values, targets), bins)
    function = found.function if isinstance(found, Metric) else found
    probs, targets = check_inputs(values, targets)

    def by_rows(counts: NDArray[np.float64]) -> NDArray[np.float64]:
        rows = np.arange(len(targets))
        drawn = (np.repeat(rows, row.astype(np.int64)) for row in counts)
        return np.array([function(probs[picked], targets[picked]) for picked in drawn])

    return by_rows


def _resampled_sums(metric: Metric, values: Floats) -> Resampled:
    from threadpoolctl import threadpool_limits

    picked, of_sums = metric.picked(values), metric.of_sums
    if of_sums is None:
        raise ValueError("the metric is not one of sums")

    def form(counts: NDArray[np.float64]) -> NDArray[np.float64]:
        # The sums of a matrix product differ in the last bits between one thread and two.
        with threadpool_limits(limits=1, user_api="blas"):
            return of_sums(counts @ picked)

    return form


def _resampled_mean(values: NDArray[np.float64]) -> Resampled:
    return lambda counts: (counts * values).sum(axis=1) / counts.sum(axis=1)


def _resampled_macro_f1(probs: Floats, targets: Ints) -> Resampled:
    predictions = probs.argmax(axis=1)
    classes = range(probs.shape[1])

    def form(counts: NDArray[np.float64]) -> NDArray[np.float64]:
        total, seen = np.zeros(len(counts)), np.zeros(len(counts))
        for index in classes:
            actual, predicted = targets == index, predictions == index
            size = counts[:, actual].sum(axis=1) + counts[:, predicted].sum(axis=1)
            hits = counts[:, actual & predicted].sum(axis=1)
            total += np.divide(2 * hits, size, out=np.zeros(len(counts)), where=size > 0)
            seen += size > 0
        return total / seen

    return form


def _resampled_auroc(probs: Floats, targets: Ints) -> Resampled:
    indices = [1] if probs.shape[1] == 2 else [i for i in range(probs.shape[1]) if (targets == i).any()]
    orders = {index: np.argsort(probs[:, index], kind="stable") for index in indices}

    def one(counts: NDArray[np.float64], index: int) -> NDArray[np.float64]:
        order = orders[index]
        scores = probs[order, index]
        starts = np.flatnonzero(np.r_[True, scores[1:] != scores[:-1]])
        weights = counts[:, order]
        above = np.add.reduceat(weights * (targets[order] == index), starts, axis=1)
        below = np.add.reduceat(weights, starts, axis=1) - above
        wins = (above * (np.cumsum(below, axis=1) - below / 2)).sum(axis=1)
        pairs = above.sum(axis=1) * below.sum(axis=1)
        return np.divide(wins, pairs, out=np.full(len(counts), np.nan), where=pairs > 0)

    def form(counts: NDArray[np.float64]) -> NDArray[np.float64]:
        values = np.stack([one(counts, index) for index in indices])
        defined = ~np.isnan(values)
        sums = np.where(defined, values, 0.0).sum(axis=0)
        return np.divide(
            sums, defined.sum(axis=0), out=np.full(len(counts), np.nan), where=defined.any(axis=0)
        )

    return form


def _resampled_ece(probs: Floats, targets: Ints, bins: int) -> Resampled:
    confidences = probs.max(axis=1)
    gaps = confidences - (probs.argmax(axis=1) == targets)
    place = confidence_bins(confidences, bins)
    order = np.argsort(place, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(place[order]) > 0])

    def form(counts: NDArray[np.float64]) -> NDArray[np.float64]:
        sums = np.add.reduceat((counts * gaps)[:, order], starts, axis=1)
        return np.abs(sums).sum(axis=1) / counts.sum(axis=1)

    return form


RESAMPLED: dict[str, Callable[[Floats, Ints, int], Resampled]] = {
    "accuracy": lambda probs, targets, _: _resampled_mean(is_right(probs, targets).astype(np.float64)),
    "macro_f1": lambda probs, targets, _: _resampled_macro_f1(probs, targets),
    "auroc": lambda probs, targets, _: _resampled_auroc(probs, targets),
    "log_loss": lambda probs, targets, _: _resampled_mean(surprise(probs, targets)),
    "ece": _resampled_ece,
}
