"""How good a model's answers are: every metric with its direction, unit, bounds and the tasks it is for.

Legend: N rows, C classes, K row statistics. A predicted class is that of the largest probability, the first one on a tie.
All metrics share one signature, `metric(values (N, K), targets (N,)) -> float`. Values are what the model says about the
rows: of classification the probabilities (N, C), of every other task row statistics, what each row adds to the sums that
its metrics are made of (`sums`; targets are then ignored). Metrics raise on NaN in the values and give NaN where they are
not defined (no rows, or a class needed for the answer is missing); NaN never passes a gate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqline.data.spelling import SPELLING_COLUMNS
from seqline.evaluation.measures import Bools, Floats, Ints, Measures, Metric, summed
from seqline.evaluation.sums import ROWS, exp_ratio, f1, gap, joint_ratio, ratio, root_ratio
from seqline.evaluation.translation import BLEU_COLUMNS, CHRF_COLUMNS, bleu_of_sums, chrf_of_sums

DEFAULT_BINS = 15
_SUM_TOLERANCE = 1e-3
_TINIEST = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class ClassScores:
    """Precision, recall and F1 of one class; all in [0, 1], best 1.

    Attributes:
        precision: Share of rows predicted as this class that are of it; 0 when none was predicted.
        recall: Share of rows of this class that were predicted so; 0 when the class has no rows.
        f1: Harmonic mean of the two; 0 when both are 0.
        support: Rows of this class.
        predicted: Rows predicted as this class.
    """

    precision: float
    recall: float
    f1: float
    support: int
    predicted: int


def check_inputs(probabilities: Floats, targets: Ints) -> tuple[NDArray[np.float64], Ints]:
    """Refuse what no metric can read; return float64 (N, C) probabilities and int64 (N,) targets.

    Raises:
        ValueError: Shapes do not fit, a probability is NaN or outside [0, 1], a row does not sum to 1 (within
            1e-3), or a target is no class index.
    """
    probs = np.asarray(probabilities, dtype=np.float64)
    classes = np.asarray(targets)
    if probs.ndim != 2 or probs.shape[1] < 2:
        raise ValueError(f"probabilities have shape {probs.shape}, expected (N, C) with C at least 2")
    if classes.shape != probs.shape[:1]:
        raise ValueError(f"targets have shape {classes.shape}, expected ({len(probs)},)")
    if not len(probs):
        return probs, classes.astype(np.int64)
    if classes.dtype.kind not in "iu":
        raise ValueError(f"targets are {classes.dtype}, expected class indices (int64)")
    if np.isnan(probs).any():
        raise ValueError(f"probabilities hold NaN, first in row {int(np.isnan(probs).any(axis=1).argmax())}")
    if probs.min() < 0 or probs.max() > 1 + _SUM_TOLERANCE:
        raise ValueError(f"probabilities range from {probs.min()} to {probs.max()}, expected 0 to 1")
    if np.abs(probs.sum(axis=1) - 1).max() > _SUM_TOLERANCE:
        worst = int(np.abs(probs.sum(axis=1) - 1).argmax())
        raise ValueError(f"probabilities of row {worst} sum to {probs[worst].sum()}, expected 1")
    if classes.min() < 0 or classes.max() >= probs.shape[1]:
        raise ValueError(
            f"targets range from {classes.min()} to {classes.max()}, expected 0 to {probs.shape[1] - 1}"
        )
    return probs, classes.astype(np.int64)


def confusion_matrix(probabilities: Floats, targets: Ints) -> Ints:
    """Count rows by actual and predicted class.

    Args:
        probabilities: float (N, C).
        targets: int64 (N,) class indices.

    Returns:
        int64 (C, C): row = actual class, column = predicted class. All zero for an empty input.

    Example:
        >>> confusion_matrix(np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]]), np.array([0, 1, 1]))
        array([[1, 0],
               [1, 1]])
    """
    probs, classes = check_inputs(probabilities, targets)
    size = probs.shape[1]
    pairs = classes * size + probs.argmax(axis=1)
    return np.bincount(pairs, minlength=size * size).reshape(size, size).astype(np.int64)


def per_class(probabilities: Floats, targets: Ints) -> list[ClassScores]:
    """Precision, recall and F1 of each class, in the order of the class indices.

    `precision = TP / (TP + FP)`, `recall = TP / (TP + FN)`, `F1 = 2 TP / (2 TP + FP + FN)`; in [0, 1], best
    1, no unit; 0 / 0 is 0, so an empty input gives zeros.

    Example:
        >>> scores = per_class(np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]]), np.array([0, 1, 1]))
        >>> scores[1]
        ClassScores(precision=1.0, recall=0.5, f1=0.6666666666666666, support=2, predicted=1)
    """
    counts = confusion_matrix(probabilities, targets)
    scores = []
    for index in range(len(counts)):
        hits, support, predicted = counts[index, index], counts[index].sum(), counts[:, index].sum()
        scores.append(
            ClassScores(
                precision=float(hits / predicted) if predicted else 0.0,
                recall=float(hits / support) if support else 0.0,
                f1=float(2 * hits / (support + predicted)) if support + predicted else 0.0,
                support=int(support),
                predicted=int(predicted),
            )
        )
    return scores


def is_right(probabilities: Floats, targets: Ints) -> Bools:
    """Whether each row's predicted class is its target: bool (N,); unlike a metric it takes NaN, as a wrong answer."""
    right: Bools = np.asarray(probabilities).argmax(axis=1) == targets
    return right


def accuracy(probabilities: Floats, targets: Ints) -> float:
    """Share of rows whose predicted class is the target.

    Formula `mean(argmax(p) == y)`; in [0, 1], best 1; unit: share of rows. Empty input: NaN.

    Example:
        >>> accuracy(np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.3, 0.7]]), np.array([0, 1, 1, 1]))
        0.75
    """
    probs, classes = check_inputs(probabilities, targets)
    return float((probs.argmax(axis=1) == classes).mean()) if len(probs) else float("nan")


def macro_f1(probabilities: Floats, targets: Ints) -> float:
    """Unweighted mean of the classes' F1.

    Formula `mean_c 2 TP_c / (2 TP_c + FP_c + FN_c)` over the classes that occur among targets or predictions
    (as scikit-learn does without `labels`): a class that is neither there nor predicted says nothing and is
    left out; a class that is predicted but never there counts as 0. In [0, 1], best 1, no unit. Empty input:
    NaN.

    Example:
        >>> round(macro_f1(np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]]), np.array([0, 1, 1])), 4)
        0.6667
    """
    scores = [s.f1 for s in per_class(probabilities, targets) if s.support + s.predicted]
    return float(np.mean(scores)) if scores else float("nan")


def _auroc_one(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> float:
    # Half a second that only an evaluation needs: `predict` reads this module too.
    from scipy.stats import rankdata

    num_positive = int(positive.sum())
    num_negative = len(positive) - num_positive
    if not num_positive or not num_negative:
        return float("nan")
    rank_sum = rankdata(scores)[positive].sum()
    return float((rank_sum - num_positive * (num_positive + 1) / 2) / (num_positive * num_negative))


def auroc(probabilities: Floats, targets: Ints) -> float:
    """Area under the receiver operating characteristic curve.

    The chance that a row of the class scores higher than a row of another (ties count half):
    `(R - P (P + 1) / 2) / (P Q)`, R the rank sum of the class's P rows among all, Q the number of other rows.
    Two classes: of class 1. More: mean over the classes, each against the rest; a class that no target has is
    left out. In [0, 1], best 1, 0.5 is chance; no unit. Empty input, or only one class among the targets:
    NaN.

    Source: Hanley and McNeil, 1982.

    Example:
        >>> auroc(np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.5, 0.5]]), np.array([0, 1, 1, 0]))
        0.75
    """
    probs, classes = check_inputs(probabilities, targets)
    indices = [1] if probs.shape[1] == 2 else range(probs.shape[1])
    values = [_auroc_one(probs[:, index], classes == index) for index in indices]
    defined = [value for value in values if not np.isnan(value)]
    return float(np.mean(defined)) if defined else float("nan")


def log_loss(probabilities: Floats, targets: Ints) -> float:
    """Mean surprise at the true class.

    Formula `mean(-ln p[y])`, p cut below at 2.2e-16 so that one sure mistake costs 36 nats and not infinity;
    in [0, 36.05], best 0; unit: nats. A uniform guess costs `ln C`. Empty input: NaN.

    Example:
        >>> round(log_loss(np.array([[0.5, 0.5], [0.2, 0.8]]), np.array([0, 1])), 4)
        0.4581
    """
    return float(surprise(probabilities, targets).mean()) if len(targets) else float("nan")


def surprise(probabilities: Floats, targets: Ints) -> NDArray[np.float64]:
    """Return `-ln p[y]` of each row: float64 (N,), nats; see `log_loss`."""
    probs, classes = check_inputs(probabilities, targets)
    return -np.log(np.clip(probs[np.arange(len(classes)), classes], _TINIEST, 1.0))


def confidence_bins(confidences: Floats, bins: int) -> Ints:
    """Return the equal-width bin of each confidence: int64 (N,), bin b holds (b / bins, (b + 1) / bins]."""
    return np.clip(np.ceil(np.asarray(confidences) * bins).astype(np.int64) - 1, 0, bins - 1)


def ece(probabilities: Floats, targets: Ints, bins: int = DEFAULT_BINS) -> float:
    """Return the expected calibration error: how far stated confidence and real accuracy lie apart.

    Formula `sum_b n_b / N * |accuracy_b - confidence_b|` over equal-width bins of the predicted class's
    probability; in [0, 1], best 0; unit: share. Empty input: NaN.

    Source: Naeini, Cooper and Hauskrecht, 2015; Guo et al., 2017.

    Example:
        >>> round(ece(np.array([[0.9, 0.1], [0.9, 0.1]]), np.array([0, 1])), 4)
        0.4
    """
    probs, classes = check_inputs(probabilities, targets)
    if not len(probs):
        return float("nan")
    confidences = probs.max(axis=1)
    gaps = confidences - (probs.argmax(axis=1) == classes)
    sums = np.bincount(confidence_bins(confidences, bins), weights=gaps, minlength=bins)
    return float(np.abs(sums).sum() / len(probs))


def measures_of(names: Sequence[str], columns: Sequence[str] = ()) -> Measures:
    """What a task is measured by.

    Args:
        names: Keys of `METRICS`, the main one first.
        columns: Names of the row statistics; none where values are class probabilities.

    Raises:
        KeyError: There is no metric of that name.
        ValueError: A metric needs a column that is not there.
    """
    return Measures({name: METRICS[name].over(columns) for name in names}, tuple(columns))


_CLASSES = ("classification",)
_TAGS = ("tagging",)
_TEXTS = ("translation", "captioning", "answering", "dialogue", "generation")
_TOKENS = _TEXTS
_NUMBERS = ("regression", "forecasting")
_ERRORS = (*_NUMBERS, "estimation")
_INF = float("inf")

METRICS: dict[str, Metric] = {
    "accuracy": Metric(accuracy, "higher", "share of rows", (0.0, 1.0), _CLASSES, right=is_right),
    "macro_f1": Metric(macro_f1, "higher", "", (0.0, 1.0), _CLASSES),
    "auroc": Metric(auroc, "higher", "", (0.0, 1.0), _CLASSES),
    "log_loss": Metric(log_loss, "lower", "nats", (0.0, float(-np.log(_TINIEST))), _CLASSES),
    "ece": Metric(ece, "lower", "share", (0.0, 1.0), _CLASSES),
    "token_accuracy": summed(ratio, ("correct", "tokens"), "higher", "share of tokens", (0.0, 1.0), (*_TAGS, "generation")),
    "span_f1": summed(f1, ("true_positives", "predicted_spans", "true_spans"), "higher", "", (0.0, 1.0), _TAGS),
    "exact_match": summed(ratio, ("exact", ROWS), "higher", "share of rows", (0.0, 1.0), _TAGS + _TOKENS, right=True),
    "perplexity": summed(exp_ratio, ("nll", "tokens"), "lower", "", (1.0, _INF), _TOKENS),
    "nats_per_token": summed(ratio, ("nll", "tokens"), "lower", "nats", (0.0, _INF), _TOKENS),
    "nats_per_character": summed(
        joint_ratio, ("nll", *SPELLING_COLUMNS), "lower", "nats", (0.0, _INF), _TOKENS
    ),
    "hit_at_5": summed(ratio, ("hits_at_5", "tokens"), "higher", "share of tokens", (0.0, 1.0), _TOKENS),
    "bleu": summed(bleu_of_sums, BLEU_COLUMNS, "higher", "", (0.0, 100.0), _TEXTS),
    "chrf": summed(chrf_of_sums, CHRF_COLUMNS, "higher", "", (0.0, 100.0), _TEXTS),
    "mase": summed(ratio, ("scaled", "count"), "lower", "seasonal naive errors", (0.0, _INF), _NUMBERS),
    "nll_per_step": summed(ratio, ("nll", "steps"), "lower", "nats", (0.0, _INF), ("music",)),
    "key_accuracy": summed(ratio, ("key_hits", "key_union"), "higher", "share of keys", (0.0, 1.0), ("music",)),
    "smape": summed(ratio, ("relative", "count"), "lower", "per cent", (0.0, 200.0), _NUMBERS),
    "mae": summed(ratio, ("absolute", "count"), "lower", "target's unit", (0.0, _INF), _ERRORS),
    "mse": summed(ratio, ("squared", "count"), "lower", "", (0.0, _INF), _ERRORS),
    "rmse": summed(root_ratio, ("squared", "count"), "lower", "target's unit", (0.0, _INF), _ERRORS),
    "standard_mae": summed(ratio, ("standard_absolute", "count"), "lower", "deviations", (0.0, _INF), _NUMBERS),
    "standard_mse": summed(ratio, ("standard_squared", "count"), "lower", "", (0.0, _INF), _NUMBERS),
    "pinball": summed(ratio, ("pinball", "count"), "lower", "", (0.0, _INF), _NUMBERS),
    # More is not better beyond what was promised; `coverage_gap` says how far off it is.
    "coverage": summed(ratio, ("covered", "count"), "higher", "share of steps", (0.0, 1.0), _NUMBERS),
    "coverage_gap": summed(gap, ("covered", "count", "promised"), "lower", "share of steps", (0.0, 1.0), _NUMBERS),
    "mel_error": summed(ratio, ("mel_distance", ROWS), "lower", "dB", (0.0, _INF), ("synthesis",)),
    "seconds_error": summed(ratio, ("seconds_off", ROWS), "lower", "seconds", (0.0, _INF), ("synthesis",)),
    "width": summed(ratio, ("width", "count"), "lower", "seasonal naive errors", (0.0, _INF), _NUMBERS),
}  # fmt: skip
