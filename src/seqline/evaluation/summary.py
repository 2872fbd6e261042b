"""Everything the evaluation measured: what metrics.json, details.json and the report are made from.

Legend: N test rows, C classes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from seqline.errors import SeqlineError
from seqline.evaluation.baselines import fit_predict_all
from seqline.evaluation.behaviours import BehaviourResult, Predict, run_behaviour
from seqline.evaluation.calibration import CalibrationBin, calibration_curve
from seqline.evaluation.intervals import (
    Interval,
    McNemarResult,
    PairedResult,
    bootstrap_intervals,
    mcnemar,
    paired_bootstrap,
)
from seqline.evaluation.metrics import METRICS, ClassScores, Floats, Ints, confusion_matrix, per_class
from seqline.evaluation.slices import SliceResult, make_slices, measure_slices
from seqline.recipe import Recipe

if TYPE_CHECKING:
    from seqline.data.rows import SplitRows

PROBABILITY_DIGITS = 7
_METRIC_DIGITS = 6
# Not the gate's metric: a change of the recipe's gate must not ask for a new evaluation.
PAIRED_METRICS = ("accuracy", "macro_f1")


@dataclass(frozen=True)
class BaselineResult:
    """A baseline beside the model, on the same rows.

    Attributes:
        intervals: Its metrics by name.
        predictions: int64 (N,), its predicted classes.
        paired: The model minus the baseline, for each of `PAIRED_METRICS`.
        test: McNemar: `only_a` is the model alone right, `only_b` the baseline alone.
    """

    intervals: dict[str, Interval]
    predictions: Ints
    paired: dict[str, PairedResult]
    test: McNemarResult


@dataclass(frozen=True)
class Evaluation:
    """What was measured on the test split.

    Attributes:
        classes: C labels.
        metric: By which model and baselines are compared, the first of `PAIRED_METRICS`.
        ids: N row ids.
        texts: N texts.
        targets: int64 (N,) class indices.
        probabilities: float64 (N, C), rounded to 7 digits: all numbers follow from predictions.jsonl.
        intervals: Metric name -> value with its bootstrap interval at 95 %.
        baselines: Name -> result.
        class_scores: Precision, recall and F1 of each class.
        confusion: int64 (C, C), row = actual, column = predicted.
        calibration: Stated confidence against accuracy.
        slices: Results on parts of the rows.
        behaviours: Results of the behaviours.
    """

    classes: list[str]
    metric: str
    ids: list[str]
    texts: list[str]
    targets: Ints
    probabilities: NDArray[np.float64]
    intervals: dict[str, Interval]
    baselines: dict[str, BaselineResult]
    class_scores: list[ClassScores]
    confusion: Ints
    calibration: list[CalibrationBin]
    slices: list[SliceResult]
    behaviours: list[BehaviourResult]

    @property
    def predictions(self) -> Ints:
        """Predicted class indices, int64 (N,)."""
        return self.probabilities.argmax(axis=1)

    @property
    def best_baseline(self) -> str | None:
        """Name of the baseline with the best value of `metric`; None when none was measured."""
        sign = METRICS[self.metric].better(1.0)
        scores = {name: sign * result.intervals[self.metric].value for name, result in self.baselines.items()}
        known = {name: score for name, score in scores.items() if not math.isnan(score)}
        return max(known, key=lambda name: known[name]) if known else None


def evaluate_model(
    recipe: Recipe,
    *,
    predict: Predict,
    test: SplitRows,
    fitting_texts: Sequence[str],
    fitting_targets: Ints,
) -> Evaluation:
    """Measure a model on the test rows, beside the recipe's baselines.

    Args:
        recipe: Sections `task`, `target` and `evaluation` are used.
        predict: `texts -> float (N, C)` probabilities of the model.
        test: The test rows.
        fitting_texts: Train and valid texts, for the baselines.
        fitting_targets: int64, their class indices.

    Raises:
        SeqlineError: There are no test rows, or the model answers NaN or infinity.
    """
    if not test.texts:
        raise SeqlineError(
            "test split", "it has no rows", "rows to measure on", "give --test or set split.test"
        )
    section = recipe.evaluation
    answers = np.asarray(predict(test.texts), dtype=np.float64)
    if not np.isfinite(answers).all():
        row = int((~np.isfinite(answers)).any(axis=1).argmax())
        raise SeqlineError(
            f"test row {test.ids[row]}",
            "the model answers NaN or infinity",
            "probabilities",
            "the training diverged: lower training.learning_rate and train again",
        )
    probs = np.round(answers, PROBABILITY_DIGITS)
    targets = np.asarray(test.targets, dtype=np.int64)
    answered = fit_predict_all(
        section.baselines,
        train_texts=fitting_texts,
        train_targets=fitting_targets,
        test_texts=test.texts,
        num_classes=len(recipe.target.classes),
        seed=section.seed,
    )
    parts = make_slices(section.slices, texts=test.texts, columns=test.columns)
    return Evaluation(
        classes=list(recipe.target.classes),
        metric=PAIRED_METRICS[0],
        ids=list(test.ids),
        texts=list(test.texts),
        targets=targets,
        probabilities=probs,
        intervals=_intervals(recipe, probs, targets),
        baselines={name: _beside(recipe, probs, other, targets) for name, other in answered.items()},
        class_scores=per_class(probs, targets),
        confusion=confusion_matrix(probs, targets),
        calibration=calibration_curve(probs, targets, section.calibration_bins),
        slices=measure_slices(parts, probs, targets),
        behaviours=[
            run_behaviour(name, predict, test.texts, seed=section.seed) for name in section.behaviours
        ],
    )


def flat_metrics(evaluation: Evaluation) -> dict[str, float | int | None]:
    """Lay the figures out flat, rounded to 6 digits; a figure that is not defined is None.

    Keys: `rows`, `METRIC`, `METRIC.low`, `METRIC.high`, `baseline.NAME.METRIC`, and `delta.NAME.METRIC` (the
    model minus the baseline, in the metric's own sign), with `.low` and `.high` for `PAIRED_METRICS`.
    """
    flat: dict[str, float | int | None] = {"rows": len(evaluation.ids)}
    for metric, interval in evaluation.intervals.items():
        flat[metric] = _figure(interval.value)
        flat[f"{metric}.low"], flat[f"{metric}.high"] = _figure(interval.low), _figure(interval.high)
    for name, result in evaluation.baselines.items():
        for metric, interval in result.intervals.items():
            flat[f"baseline.{name}.{metric}"] = _figure(interval.value)
            flat[f"delta.{name}.{metric}"] = _figure(evaluation.intervals[metric].value - interval.value)
        for metric, paired in result.paired.items():
            flat[f"delta.{name}.{metric}.low"] = _figure(paired.low)
            flat[f"delta.{name}.{metric}.high"] = _figure(paired.high)
    return flat


def details(evaluation: Evaluation) -> dict[str, Any]:
    """Lay everything else out as JSON values: classes, confusion, baselines, slices, behaviours."""
    return _jsonable(
        {
            "classes": evaluation.classes,
            "metric": evaluation.metric,
            "confusion": evaluation.confusion.tolist(),
            "per_class": {
                label: asdict(scores)
                for label, scores in zip(evaluation.classes, evaluation.class_scores, strict=True)
            },
            "baselines": {
                name: {
                    "intervals": {metric: asdict(value) for metric, value in result.intervals.items()},
                    "paired": {metric: asdict(value) for metric, value in result.paired.items()},
                    "mcnemar": asdict(result.test),
                }
                for name, result in evaluation.baselines.items()
            },
            "calibration": [asdict(part) for part in evaluation.calibration],
            "slices": [asdict(part) for part in evaluation.slices],
            "behaviours": [{**asdict(result), "share": result.share} for result in evaluation.behaviours],
        }
    )


def _intervals(recipe: Recipe, probs: Floats, targets: Ints) -> dict[str, Interval]:
    names = [name for name, metric in METRICS.items() if recipe.task in metric.tasks]
    section = recipe.evaluation
    return bootstrap_intervals(
        names,
        probs,
        targets,
        rounds=section.bootstrap_rounds,
        seed=section.seed,
        bins=section.calibration_bins,
    )


def _beside(recipe: Recipe, probs: Floats, other: Floats, targets: Ints) -> BaselineResult:
    section = recipe.evaluation
    return BaselineResult(
        intervals=_intervals(recipe, other, targets),
        predictions=other.argmax(axis=1),
        paired={
            metric: paired_bootstrap(
                metric, probs, other, targets, rounds=section.bootstrap_rounds, seed=section.seed
            )
            for metric in PAIRED_METRICS
        },
        test=mcnemar(probs.argmax(axis=1) == targets, other.argmax(axis=1) == targets),
    )


def _figure(value: float) -> float | None:
    return round(value, _METRIC_DIGITS) + 0.0 if math.isfinite(value) else None


def _jsonable(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _jsonable(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_jsonable(part) for part in value]
    # p-values keep their digits: 5e-58 is not 0.
    return (float(f"{value:.6g}") if math.isfinite(value) else None) if isinstance(value, float) else value
