"""Curves behind two of the metrics: stated confidence against real accuracy, and the ROC curve.

Legend: N rows, C classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seqline.evaluation.metrics import Floats, Ints, check_inputs, confidence_bins

MAX_ROC_POINTS = 200


@dataclass(frozen=True)
class CalibrationBin:
    """Rows whose predicted class has a probability in (low, high].

    Attributes:
        low: Lower edge.
        high: Upper edge.
        n: Rows; empty bins are not made.
        confidence: Mean probability of the predicted class.
        accuracy: Share predicted right.
    """

    low: float
    high: float
    n: int
    confidence: float
    accuracy: float


@dataclass(frozen=True)
class RocPoint:
    """One threshold of a ROC curve: shares in [0, 1]."""

    false_positive_rate: float
    true_positive_rate: float


def calibration_curve(probabilities: Floats, targets: Ints, bins: int) -> list[CalibrationBin]:
    """Bin rows by confidence, with the equal-width bins of `metrics.ece`; empty bins are left out."""
    probs, classes = check_inputs(probabilities, targets)
    confidences, correct = probs.max(axis=1, initial=0.0), probs.argmax(axis=1) == classes
    place = confidence_bins(confidences, bins)
    curve = []
    for index in np.unique(place):
        rows = place == index
        curve.append(
            CalibrationBin(
                low=float(index / bins),
                high=float((index + 1) / bins),
                n=int(rows.sum()),
                confidence=float(confidences[rows].mean()),
                accuracy=float(correct[rows].mean()),
            )
        )
    return curve


def roc_curve(scores: Floats, positive: Ints, max_points: int = MAX_ROC_POINTS) -> list[RocPoint]:
    """Trace a ROC curve from (0, 0) to (1, 1), thinned evenly along its length.

    Args:
        scores: float (N,), larger = more likely of the class.
        positive: bool (N,), True = of the class.
        max_points: Points kept, both ends among them.

    Returns:
        Points; none when all rows, or no rows, are of the class.
    """
    truth = np.asarray(positive, dtype=bool)
    if not truth.any() or truth.all():
        return []
    order = np.argsort(-np.asarray(scores), kind="stable")
    sorted_scores = np.asarray(scores)[order]
    ends = np.r_[np.flatnonzero(np.diff(sorted_scores)), len(order) - 1]
    hits = np.r_[0, np.cumsum(truth[order])[ends]]
    misses = np.r_[0, np.cumsum(~truth[order])[ends]]
    way = hits / truth.sum() + misses / (~truth).sum()
    keep = np.unique(np.searchsorted(way, np.linspace(0, way[-1], max_points)).clip(0, len(way) - 1))
    return [
        RocPoint(float(misses[index] / (~truth).sum()), float(hits[index] / truth.sum())) for index in keep
    ]
