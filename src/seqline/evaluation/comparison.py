"""Challenger against champion on the same rows: what the gate looks at, and what the comparison comes to.

Legend: N test rows, K values of a row (class probabilities or row statistics), L latencies.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from seqline.evaluation.intervals import McNemarResult, PairedResult, mcnemar, paired_bootstrap
from seqline.evaluation.measures import Bools, Floats, Ints, Measures, Metric
from seqline.recipe import GateSection

_MIN_ROUNDS = 2_000
# Some seconds on a few thousand rows; enough for 70 looks at alpha 0.05.
_MAX_ROUNDS = 100_000


@dataclass(frozen=True)
class Evidence:
    """All the numbers the gate looks at.

    Attributes:
        measures: What the task is measured by.
        metrics: The evaluation's figures by name, baselines among them (`baseline.NAME.METRIC`).
        targets: int64 (N,), class indices of the test rows; of no meaning beside row statistics.
        values: float (N, K), the challenger's on the test rows.
        champion_values: float (N, K), the champion's on the same rows; None without a champion.
        baseline_right: bool (N,), rows the named baseline has right; None when only its score is known.
        baseline_values: float (N, K), the named baseline's on the same rows; None when they are not known.
        slices: Name -> bool (N,), rows of the slice.
        latency_ms: float (L,), milliseconds of single answers.
        size_bytes: Size of the model folder.
        looks: How many other challengers met this champion on these rows before.
    """

    measures: Measures
    metrics: Mapping[str, float]
    targets: Ints
    values: Floats
    latency_ms: Floats
    size_bytes: int
    champion_values: Floats | None = None
    baseline_right: Bools | None = None
    baseline_values: Floats | None = None
    slices: Mapping[str, Bools] = field(default_factory=dict)
    looks: int = 0

    def right(self, values: Floats) -> Bools | None:
        """Which rows are answered right by these values; None where rows are not just right or wrong."""
        return self.measures.right(values, self.targets)


@dataclass(frozen=True)
class Comparison:
    """Challenger against champion on the same rows, for the ledger.

    Attributes:
        metric: The gate's, by name.
        rows: N.
        challenger: Its value.
        champion: Its value.
        bootstrap: Challenger minus champion, in the metric's own sign.
        mcnemar: The rows only one of them has right; None where rows are not just right or wrong.
    """

    metric: str
    rows: int
    challenger: float
    champion: float
    bootstrap: PairedResult
    mcnemar: McNemarResult | None

    def record(self) -> dict[str, Any]:
        """As JSON values."""
        values = asdict(self)
        values["bootstrap"] = {key: finite_or_none(value) for key, value in values["bootstrap"].items()}
        values["challenger"], values["champion"] = map(finite_or_none, (self.challenger, self.champion))
        return values


def compare(gate: GateSection, evidence: Evidence) -> Comparison | None:
    """Both models on the same rows; None without a champion or with numbers that cannot be compared."""
    champion = evidence.champion_values
    if champion is None or not comparable(evidence):
        return None
    metric = evidence.measures.metrics[gate.metric]
    bootstrap = paired_bootstrap(
        metric,
        evidence.values,
        champion,
        evidence.targets,
        rounds=rounds_of_look(gate.alpha, evidence.looks),
        # Both ends of the interval are one-sided bounds at alpha.
        level=1 - 2 * gate.alpha,
    )
    own, theirs = evidence.right(evidence.values), evidence.right(champion)
    return Comparison(
        metric=gate.metric,
        rows=len(evidence.targets),
        challenger=metric.function(evidence.values, evidence.targets),
        champion=metric.function(champion, evidence.targets),
        bootstrap=bootstrap,
        mcnemar=None if own is None or theirs is None else mcnemar(own, theirs),
    )


def lower_bound(metric: Metric, difference: PairedResult) -> float:
    """The end of the interval on which the first model is worst, signed so that positive means it is better."""
    return difference.low if metric.direction == "higher" else -difference.high


def alpha_of_look(alpha: float, looks: int) -> float:
    """Give look number k + 1 its share of alpha: alpha / ((k + 1)(k + 2)).

    Whoever tries often enough wins by luck. The shares of all looks add up to alpha, so the chance that an
    equal challenger ever displaces a champion on the same rows stays at most alpha, however many try.

    >>> [round(alpha_of_look(0.06, looks), 4) for looks in range(3)]
    [0.03, 0.01, 0.005]
    """
    return alpha / ((looks + 1) * (looks + 2))


def rounds_of_look(alpha: float, looks: int) -> int:
    """Resamples that can tell a p-value of this look's share of alpha: the smallest is 1 / (rounds + 1).

    >>> [rounds_of_look(0.05, looks) for looks in (0, 8, 9, 200)]
    [2000, 3600, 4400, 100000]
    """
    return min(_MAX_ROUNDS, max(_MIN_ROUNDS, math.ceil(2 / alpha_of_look(alpha, looks))))


def worn_out(alpha: float, looks: int) -> bool:
    """Whether no number of resamples that is taken could pass: the rows were looked at too often."""
    return 1 / (rounds_of_look(alpha, looks) + 1) > alpha_of_look(alpha, looks)


def comparable(evidence: Evidence) -> bool:
    """Whether both models' values are finite and of the same rows and columns."""
    arrays = [evidence.values]
    if evidence.champion_values is not None:
        arrays.append(evidence.champion_values)
    same_shape = all(array.shape == evidence.values.shape for array in arrays)
    return (
        same_shape
        and len(evidence.targets) == len(evidence.values) > 0
        and all(bool(np.isfinite(array).all()) for array in arrays)
    )


def finite_or_none(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None
