"""Everything the evaluation measured: what metrics.json, details.json and the report are made from.

Legend: N test rows, K values of a row (class probabilities or row statistics), C classes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from seqline.data.kinds import kind_of
from seqline.errors import SeqlineError
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
from seqline.evaluation.measures import Floats, Ints, Measures
from seqline.evaluation.metrics import ClassScores, confusion_matrix, per_class
from seqline.evaluation.sections import Section
from seqline.evaluation.slices import SliceResult, make_slices, measure_slices
from seqline.recipe import Recipe

if TYPE_CHECKING:
    from seqline.data.rows import SplitRows

PROBABILITY_DIGITS = 7
# Of row statistics, which have no common size.
STATISTIC_DIGITS = 9
_METRIC_DIGITS = 6


@dataclass(frozen=True)
class BaselineResult:
    """A baseline beside the model, on the same rows.

    Attributes:
        intervals: Its metrics by name.
        values: float64 (N, K), what it says of each row.
        paired: The model minus the baseline, for each metric that the task compares.
        test: McNemar: `only_a` is the model alone right, `only_b` the baseline alone; None where rows are not just right
            or wrong.
    """

    intervals: dict[str, Interval]
    values: Floats
    paired: dict[str, PairedResult]
    test: McNemarResult | None

    @property
    def predictions(self) -> Ints:
        """Its classes, int64 (N,), where values are class probabilities."""
        return self.values.argmax(axis=1)


@dataclass(frozen=True)
class ClassFigures:
    """What is told of a classification only.

    Attributes:
        labels: C labels.
        scores: Precision, recall and F1 of each class.
        confusion: int64 (C, C), row = actual, column = predicted.
        calibration: Stated confidence against accuracy.
        behaviours: Results of the behaviours.
    """

    labels: list[str]
    scores: list[ClassScores]
    confusion: Ints
    calibration: list[CalibrationBin]
    behaviours: list[BehaviourResult]


@dataclass(frozen=True)
class Answers:
    """What the model answered to the test rows in the user's words; where a task has probabilities they say it all.

    Attributes:
        records: N JSON records.
        lines: The same as N lines for a reader.
    """

    records: list[dict[str, Any]]
    lines: list[str]


@dataclass(frozen=True)
class Evaluation:
    """What was measured on the test split.

    Attributes:
        measures: What the task is measured by; its main metric ranks model and baselines.
        ids: N row ids.
        inputs: N inputs as the user gave them.
        truths: N targets: class indices, else as the user gave them.
        targets: int64 (N,) class indices; zeros beside row statistics.
        values: float64 (N, K), rounded (probabilities to 7 digits, row statistics to 9 significant ones): all numbers
            follow from predictions.jsonl.
        intervals: Metric name -> value with its bootstrap interval at 95 %.
        baselines: Name -> result.
        slices: Results on parts of the rows.
        classes: Of a classification.
        answers: Of every other task.
        sections: What the task adds to the report.
    """

    measures: Measures
    ids: list[str]
    inputs: list[Any]
    truths: list[Any]
    targets: Ints
    values: NDArray[np.float64]
    intervals: dict[str, Interval]
    baselines: dict[str, BaselineResult]
    slices: list[SliceResult]
    classes: ClassFigures | None = None
    answers: Answers | None = None
    sections: list[Section] = field(default_factory=list)

    @property
    def metric(self) -> str:
        """By which model and baselines are ranked."""
        return self.measures.main

    @property
    def predictions(self) -> Ints:
        """Predicted class indices, int64 (N,), where values are class probabilities."""
        return self.values.argmax(axis=1)

    @property
    def best_baseline(self) -> str | None:
        """Name of the baseline with the best value of `metric`; None when none was measured."""
        sign = self.measures.metrics[self.metric].better(1.0)
        scores = {name: sign * result.intervals[self.metric].value for name, result in self.baselines.items()}
        known = {name: score for name, score in scores.items() if not math.isnan(score)}
        return max(known, key=lambda name: known[name]) if known else None


def require_rows(test: SplitRows) -> None:
    """Refuse a test split that says nothing.

    Raises:
        SeqlineError: It has no rows.
    """
    if not len(test):
        raise SeqlineError(
            "test split", "it has no rows", "rows to measure on", "give --test or set split.test"
        )


def evaluate_model(
    recipe: Recipe,
    measures: Measures,
    *,
    test: SplitRows,
    values: Floats,
    baselines: Mapping[str, Floats],
    ask: Predict | None = None,
    answers: Answers | None = None,
    sections: Sequence[Section] = (),
) -> Evaluation:
    """Measure a model on the test rows, beside baselines.

    Args:
        recipe: Section `evaluation`, and the labels of a classification, are used.
        measures: What the task is measured by.
        test: The test rows.
        values: float (N, K), what the model says of them.
        baselines: Name -> float (N, K), what each baseline says of them.
        ask: `inputs -> float (N, C)` probabilities of the model, for the behaviours.
        answers: The model's answers, where values are row statistics.
        sections: What the task adds to the report.

    Raises:
        SeqlineError: The model answers NaN or infinity.
    """
    section = recipe.evaluation
    own = _rounded(_finite(values, test.ids), measures)
    targets = np.asarray(test.targets, dtype=np.int64)
    parts = make_slices(
        section.slices,
        inputs=test.inputs,
        kind=kind_of(recipe),
        column=recipe.input.column,
        columns=test.columns,
    )
    return Evaluation(
        measures=measures,
        ids=list(test.ids),
        inputs=list(test.inputs),
        truths=list(test.truths),
        targets=targets,
        values=own,
        intervals=_intervals(recipe, measures, own, targets),
        baselines={name: _beside(recipe, measures, own, other, targets) for name, other in baselines.items()},
        slices=measure_slices(
            parts, own, targets, measures, rounds=section.bootstrap_rounds, seed=section.seed
        ),
        classes=_class_figures(recipe, own, targets, ask, test.inputs) if measures.of_classes else None,
        answers=answers,
        sections=list(sections),
    )


def flat_metrics(evaluation: Evaluation) -> dict[str, float | int | None]:
    """Lay the figures out flat, rounded to 6 digits; a figure that is not defined is None.

    Keys: `rows`, `METRIC`, `METRIC.low`, `METRIC.high`, `baseline.NAME.METRIC`, and `delta.NAME.METRIC` (the
    model minus the baseline, in the metric's own sign), with `.low` and `.high` for the metrics that the task compares.
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
    """Lay everything else out as JSON values: classes, confusion, baselines, slices, behaviours, the task's sections."""
    told: dict[str, Any] = {
        "metric": evaluation.metric,
        "baselines": {
            name: {
                "intervals": {metric: asdict(value) for metric, value in result.intervals.items()},
                "paired": {metric: asdict(value) for metric, value in result.paired.items()},
                **({} if result.test is None else {"mcnemar": asdict(result.test)}),
            }
            for name, result in evaluation.baselines.items()
        },
        "slices": [
            {
                "column": part.column,
                "name": part.name,
                "n": part.n,
                "metrics": part.metrics,
                evaluation.metric: asdict(part.interval),
            }
            for part in evaluation.slices
        ],
    }
    classes = evaluation.classes
    if classes is not None:
        told |= {
            "classes": classes.labels,
            "confusion": classes.confusion.tolist(),
            "per_class": {
                label: asdict(scores) for label, scores in zip(classes.labels, classes.scores, strict=True)
            },
            "calibration": [asdict(part) for part in classes.calibration],
            "behaviours": [{**asdict(result), "share": result.share} for result in classes.behaviours],
        }
    else:
        told["columns"] = list(evaluation.measures.columns)
    if evaluation.sections:
        told["sections"] = [section.record() for section in evaluation.sections]
    return _jsonable(told)


def _finite(values: Floats, ids: Sequence[str]) -> NDArray[np.float64]:
    matrix = np.asarray(values, dtype=np.float64)
    if not np.isfinite(matrix).all():
        row = int((~np.isfinite(matrix)).any(axis=1).argmax())
        raise SeqlineError(
            f"test row {ids[row]}",
            "the model answers NaN or infinity",
            "finite numbers",
            "the training diverged: lower training.learning_rate and train again",
        )
    return matrix


def _rounded(values: NDArray[np.float64], measures: Measures) -> NDArray[np.float64]:
    if measures.of_classes:
        return np.round(values, PROBABILITY_DIGITS)
    spelled = [float(f"{value:.{STATISTIC_DIGITS}g}") for value in values.ravel().tolist()]
    return np.array(spelled, dtype=np.float64).reshape(values.shape)


def _intervals(recipe: Recipe, measures: Measures, values: Floats, targets: Ints) -> dict[str, Interval]:
    section = recipe.evaluation
    return bootstrap_intervals(
        measures.metrics,
        values,
        targets,
        rounds=section.bootstrap_rounds,
        seed=section.seed,
        bins=section.calibration_bins,
    )


def _beside(
    recipe: Recipe, measures: Measures, values: Floats, theirs: Floats, targets: Ints
) -> BaselineResult:
    section = recipe.evaluation
    # What a baseline of labels says is not written down row by row, so there is nothing to round it for.
    other = theirs if measures.of_classes else _rounded(np.asarray(theirs, dtype=np.float64), measures)
    right, their_right = measures.right(values, targets), measures.right(other, targets)
    return BaselineResult(
        intervals=_intervals(recipe, measures, other, targets),
        values=other,
        paired={
            name: paired_bootstrap(
                measures.metrics[name],
                values,
                other,
                targets,
                rounds=section.bootstrap_rounds,
                seed=section.seed,
            )
            for name in measures.compared
        },
        test=None if right is None or their_right is None else mcnemar(right, their_right),
    )


def _class_figures(
    recipe: Recipe, probs: Floats, targets: Ints, ask: Predict | None, inputs: Sequence[Any]
) -> ClassFigures:
    section = recipe.evaluation
    behaviours = section.behaviours if ask is not None else []
    return ClassFigures(
        labels=list(recipe.classes),
        scores=per_class(probs, targets),
        confusion=confusion_matrix(probs, targets),
        calibration=calibration_curve(probs, targets, section.calibration_bins),
        behaviours=[run_behaviour(name, ask, inputs, seed=section.seed) for name in behaviours if ask],
    )


def _figure(value: float) -> float | None:
    return round(value, _METRIC_DIGITS) + 0.0 if math.isfinite(value) else None


def _jsonable(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _jsonable(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_jsonable(part) for part in value]
    if isinstance(value, np.generic):
        return _jsonable(value.item())
    # p-values keep their digits: 5e-58 is not 0.
    return (float(f"{value:.6g}") if math.isfinite(value) else None) if isinstance(value, float) else value
