"""Challenger against champion on the same rows: what the gate looks at, and what the comparison comes to.

Legend: N test rows, C classes, L texts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from seqline.evaluation.intervals import McNemarResult, PairedResult, mcnemar, paired_bootstrap
from seqline.evaluation.metrics import METRICS
from seqline.recipe import GateSection

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_MIN_ROUNDS = 2_000
# Some seconds on a few thousand rows; enough for 70 looks at alpha 0.05.
_MAX_ROUNDS = 100_000


@dataclass(frozen=True)
class Evidence:
    """All the numbers the gate looks at.

    Attributes:
        metrics: The evaluation's figures by name, baselines among them (`baseline.NAME.METRIC`).
        targets: int64 (N,), class indices of the test rows.
        probabilities: float (N, C), the challenger's on the test rows.
        champion_probabilities: float (N, C), the champion's on the same rows; None without a champion.
        baseline_correct: bool (N,), rows the named baseline has right; None when only its score is known.
        slices: Name -> bool (N,), rows of the slice.
        latency_ms: float (L,), milliseconds of single answers.
        size_bytes: Size of the model folder.
        looks: How many other challengers met this champion on these rows before.
    """

    metrics: Mapping[str, float]
    targets: Ints
    probabilities: Floats
    latency_ms: Floats
    size_bytes: int
    champion_probabilities: Floats | None = None
    baseline_correct: Bools | None = None
    slices: Mapping[str, Bools] = field(default_factory=dict)
    looks: int = 0


@dataclass(frozen=True)
class Comparison:
    """Challenger against champion on the same rows, for the ledger."""

    metric: str
    rows: int
    challenger: float
    champion: float
    bootstrap: PairedResult
    mcnemar: McNemarResult

    def record(self) -> dict[str, Any]:
        """As JSON values."""
        values = asdict(self)
        values["bootstrap"] = {key: finite_or_none(value) for key, value in values["bootstrap"].items()}
        values["challenger"], values["champion"] = map(finite_or_none, (self.challenger, self.champion))
        return values


def compare(gate: GateSection, evidence: Evidence) -> Comparison | None:
    """Both models on the same rows; None without a champion or with numbers that cannot be compared."""
    champion = evidence.champion_probabilities
    if champion is None or not comparable(evidence):
        return None
    function = METRICS[gate.metric].function
    bootstrap = paired_bootstrap(
        gate.metric,
        evidence.probabilities,
        champion,
        evidence.targets,
        rounds=rounds_of_look(gate.alpha, evidence.looks),
        # Both ends of the interval are one-sided bounds at alpha.
        level=1 - 2 * gate.alpha,
    )
    return Comparison(
        metric=gate.metric,
        rows=len(evidence.targets),
        challenger=function(evidence.probabilities, evidence.targets),
        champion=function(champion, evidence.targets),
        bootstrap=bootstrap,
        mcnemar=mcnemar(correct(evidence.probabilities, evidence), correct(champion, evidence)),
    )


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
    arrays = [evidence.probabilities]
    if evidence.champion_probabilities is not None:
        arrays.append(evidence.champion_probabilities)
    same_shape = all(array.shape == evidence.probabilities.shape for array in arrays)
    return (
        same_shape
        and len(evidence.targets) == len(evidence.probabilities) > 0
        and all(bool(np.isfinite(array).all()) for array in arrays)
    )


def correct(probabilities: Floats, evidence: Evidence) -> Bools:
    right: Bools = probabilities.argmax(axis=1) == evidence.targets
    return right


def finite_or_none(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None
