"""The parts of the report that only a classification has: where it is wrong, and whether it knows.

Legend: N test rows, C classes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from markupsafe import Markup

from seqline.evaluation import figures
from seqline.evaluation.calibration import roc_curve
from seqline.evaluation.summary import ClassFigures, Evaluation
from seqline.evaluation.wording import readable

_EXAMPLES = 6
_MAX_CLASSES_DRAWN = 14
_HISTOGRAM_BARS = 20
_MOST_CONFUSED = 8


def class_charts(evaluation: Evaluation, classes: ClassFigures) -> dict[str, Markup]:
    """Charts of calibration, confidence, ROC (two classes) and confusion (not too many)."""
    probs, labels = evaluation.values, classes.labels
    confidences = probs.max(axis=1)
    correct = evaluation.predictions == evaluation.targets
    low = 0.5 if len(labels) == 2 else 0.0
    edges = np.linspace(low, 1.0, _HISTOGRAM_BARS + 1)
    charts = {
        "calibration": figures.calibration_chart(classes.calibration, title="Accuracy by stated confidence"),
        "histogram": figures.histogram_chart(
            np.histogram(confidences[correct], edges)[0].tolist(),
            np.histogram(confidences[~correct], edges)[0].tolist(),
            low=low,
            title="Test rows by confidence, right and wrong",
            x_label="probability of the predicted class",
        ),
        "roc": Markup(""),
        "confusion": Markup(""),
    }
    if len(labels) == 2:
        charts["roc"] = figures.roc_chart(roc_curve(probs[:, 1], evaluation.targets == 1), title="ROC curve")
    if len(labels) <= _MAX_CLASSES_DRAWN:
        names = [readable(label, 40) for label in labels]
        charts["confusion"] = figures.confusion_chart(
            classes.confusion.tolist(), names, title="Confusion matrix"
        )
    return charts


def most_confused(classes: ClassFigures) -> list[tuple[str, str, int, float]]:
    """List the most frequent confusions: actual, predicted, rows, share of the actual class."""
    counts, labels = classes.confusion, classes.labels
    pairs = [
        (labels[a], labels[p], int(counts[a, p]), float(counts[a, p] / counts[a].sum()))
        for a in range(len(counts))
        for p in range(len(counts))
        if a != p and counts[a, p]
    ]
    return sorted(pairs, key=lambda pair: (-pair[2], pair[0], pair[1]))[:_MOST_CONFUSED]


def examples(evaluation: Evaluation, classes: ClassFigures) -> dict[str, list[dict[str, Any]]]:
    """Rows worth reading: the surest mistakes, and those between two classes."""
    probs, predictions = evaluation.values, evaluation.predictions
    ranked = np.sort(probs, axis=1)
    confidences, lead = ranked[:, -1], ranked[:, -1] - ranked[:, -2]
    wrong = np.flatnonzero(predictions != evaluation.targets)

    def row(index: int) -> dict[str, Any]:
        return {
            "id": evaluation.ids[index],
            "text": evaluation.inputs[index],
            "actual": classes.labels[evaluation.targets[index]],
            "predicted": classes.labels[predictions[index]],
            "confidence": float(confidences[index]),
            "right": bool(predictions[index] == evaluation.targets[index]),
        }

    sure = wrong[np.argsort(-confidences[wrong], kind="stable")][:_EXAMPLES]
    unsure = np.argsort(lead, kind="stable")[:_EXAMPLES]
    return {"mistakes": [row(index) for index in sure], "unsure": [row(index) for index in unsure]}
