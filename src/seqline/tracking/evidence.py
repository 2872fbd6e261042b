"""What the gate looks at: the challenger's evaluation, the champion on the same rows, latency, size.

Legend: N test rows, C classes.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import orjson

from seqline.data.kinds import kind_of
from seqline.data.rows import SplitRows, read_split
from seqline.errors import InputError, SeqlineError
from seqline.evaluation.comparison import Evidence
from seqline.evaluation.measures import Measures
from seqline.evaluation.metrics import measures_of
from seqline.evaluation.slices import make_slices
from seqline.files import MANIFEST_NAME, read_json, sha256_file, sha256_json, verify_manifest
from seqline.recipe import Recipe
from seqline.tasks import task_named
from seqline.tracking.packaging import model_folder_of
from seqline.tracking.registry import RegisteredVersion
from seqline.tracking.storage import package_folder
from seqline.tracking.store import Tracking

if TYPE_CHECKING:
    from seqline.serving.predictor import Predictor

Floats = npt.NDArray[np.float64]

_LATENCY_ROWS = 50
_WARM_UP_ROWS = 5
# predictions.jsonl may hold six decimals, and the evaluation may have run on another kind of processor.
_SAME_ANSWER = 1e-3
_MAY_TURN = 0.1
# What a model says of rows that were made for another: of another width, horizon, covariates, scheme or length.
_NOT_ITS_ROWS = (SeqlineError, ValueError, TypeError, LookupError, RuntimeError)


class UnreadableChampionError(Exception):
    """The champion's package is missing, altered, or answers another question."""


@dataclass(frozen=True)
class TestRows:
    """The test rows with the challenger's answers.

    Attributes:
        split: The rows.
        measures: What the task is measured by.
        values: float64 (N, K), the challenger's: class probabilities or row statistics.
        metrics: The evaluation's figures.
        slices: Name -> bool (N,).
        baseline_right: bool (N,) of the gate's baseline, where the evaluation has it row by row.
        baseline_values: float64 (N, K) of the gate's baseline, where the evaluation has them.
        digest: sha256 of the ids, inputs and targets: what "the same rows" means.
    """

    __test__ = False  # not a test, whatever pytest makes of the name

    split: SplitRows
    measures: Measures
    values: Floats
    metrics: Mapping[str, float]
    slices: Mapping[str, npt.NDArray[np.bool_]]
    baseline_right: npt.NDArray[np.bool_] | None = None
    baseline_values: Floats | None = None
    digest: str = ""

    @property
    def targets(self) -> npt.NDArray[np.int64]:
        """Class indices, int64 (N,); of no meaning beside row statistics."""
        return self.split.targets


def load_test_rows(
    prepare_folder: Path, evaluate_folder: Path, recipe: Recipe, evaluation_sha256: str, name: str
) -> TestRows:
    """Read the test rows and the challenger's answers to them.

    Args:
        prepare_folder: Holds the test rows.
        evaluate_folder: Holds metrics and predictions.
        recipe: Names classes, slices and the baseline.
        evaluation_sha256: Digest of the evaluation that was registered with the challenger.
        name: The model, for messages.

    Raises:
        InputError: A folder is not complete, the evaluation is of another model, or the rows differ.
    """
    verify_manifest(evaluate_folder)
    if sha256_file(evaluate_folder / MANIFEST_NAME) != evaluation_sha256:
        raise InputError(
            str(evaluate_folder),
            "an evaluation of another model than the challenger",
            "the evaluation that was registered with it",
            f"`seqline register {name}` registers what was trained and evaluated last",
        )
    rows = read_split(prepare_folder, "test")
    with (evaluate_folder / "predictions.jsonl").open("rb") as handle:
        answers = {str(record["id"]): record for record in map(orjson.loads, handle)}
    if len(answers) != len(rows) or any(identifier not in answers for identifier in rows.ids):
        raise InputError(
            str(evaluate_folder / "predictions.jsonl"),
            f"answers to {len(answers)} rows",
            f"one to each of the {len(rows)} test rows in {prepare_folder}",
            "run `seqline evaluate` again",
        )
    ordered = [answers[identifier] for identifier in rows.ids]
    task = task_named(recipe.task)
    measures = measures_of(task.metrics, task.columns)
    slices = make_slices(
        recipe.evaluation.slices,
        inputs=rows.inputs,
        kind=kind_of(recipe),
        column=recipe.input.column,
        columns=rows.columns,
        min_rows=recipe.gate.min_slice_rows,
    )
    right, values = _of_baseline(ordered, recipe.gate.baseline, rows, measures)
    return TestRows(
        split=rows,
        measures=measures,
        values=_values(ordered, recipe.classes, measures),
        metrics=_metrics(evaluate_folder),
        slices={f"{part.column} {part.name}": part.rows for part in slices},
        baseline_right=right,
        baseline_values=values,
        digest=sha256_json(list(zip(rows.ids, rows.inputs, rows.truths, strict=True))),
    )


def gather(
    tracking: Tracking,
    *,
    recipe: Recipe,
    challenger: RegisteredVersion,
    champion: RegisteredVersion | None,
    rows: TestRows,
    looks: int,
) -> Evidence:
    """Measure what the evaluation does not hold: the champion on the same rows, latency and size.

    Raises:
        UnreadableChampionError: The champion cannot be scored on these rows.
        InputError: The challenger does not give the answers its evaluation holds.
        SeqlineError: The challenger's package is damaged.
    """
    from seqline.serving.predictor import Predictor

    folder = model_folder_of(package_folder(tracking, challenger))
    predictor = Predictor.load(folder)
    latency = _latencies(predictor, rows)
    unit = predictor.unit(recipe.gate.metric)
    return Evidence(
        measures=rows.measures,
        metrics=rows.metrics,
        targets=rows.targets,
        values=rows.values,
        champion_values=None if champion is None else _score(tracking, champion, rows, recipe, unit),
        baseline_right=rows.baseline_right,
        baseline_values=rows.baseline_values,
        slices=rows.slices,
        latency_ms=latency,
        size_bytes=sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()),
        looks=looks,
    )


def _score(
    tracking: Tracking, champion: RegisteredVersion, rows: TestRows, recipe: Recipe, unit: str
) -> Floats:
    """Score the champion on the rows: float64 (N, K), columns of classes in the recipe's order."""
    from seqline.serving.predictor import Predictor

    try:
        predictor = Predictor.load(model_folder_of(package_folder(tracking, champion)))
    except (SeqlineError, OSError, ValueError, KeyError, RuntimeError) as error:
        raise UnreadableChampionError(
            f"champion version {champion.version} cannot be loaded: {error}"
        ) from None
    if predictor.task.columns != rows.measures.columns:
        raise UnreadableChampionError(f"champion version {champion.version} answers another question")
    _require_the_unit(predictor, champion, recipe.gate.metric, unit)
    classes = recipe.classes
    if not rows.measures.of_classes:
        return _measured(predictor, rows, champion)
    unknown = [label for label in predictor.classes if label not in classes]
    if unknown:
        raise UnreadableChampionError(
            f"champion version {champion.version} answers with classes the recipe has no longer: "
            + ", ".join(unknown)
        )
    columns = [list(classes).index(label) for label in predictor.classes]
    # A class the champion does not know keeps probability 0: it is wrong on those rows, as in use.
    probabilities = np.zeros((len(rows.split), len(classes)))
    probabilities[:, columns] = _measured(predictor, rows, champion)
    return probabilities


def _require_the_unit(predictor: Predictor, champion: RegisteredVersion, metric: str, unit: str) -> None:
    theirs = predictor.unit(metric)
    if theirs != unit:
        raise UnreadableChampionError(
            f"{metric} of champion version {champion.version} is no measure for this challenger: it counts {theirs}; "
            f"the challenger's counts {unit}; name a gate.metric that means the same for both, or give the recipe another "
            "name: what reads or answers otherwise is another model"
        )


def _measured(predictor: Predictor, rows: TestRows, champion: RegisteredVersion) -> Floats:
    try:
        return predictor.measure(rows.split)
    except _NOT_ITS_ROWS as error:
        raise UnreadableChampionError(
            f"champion version {champion.version} answers another question, so it cannot be measured on these rows: "
            f"{error}"
        ) from error


def _latencies(predictor: Predictor, rows: TestRows) -> Floats:
    """Milliseconds of single answers, float64 (L,), on inputs spread over the test rows.

    What is measured must be what the evaluation holds: or else it is an evaluation of another model.
    """
    if not len(rows.split):
        return np.empty(0)
    picked = np.unique(np.linspace(0, len(rows.split) - 1, _LATENCY_ROWS).round().astype(int)).tolist()
    for index in picked[:_WARM_UP_ROWS]:
        predictor.answers([rows.split.inputs[index]])
    milliseconds = []
    for index in picked:
        start = time.perf_counter()
        predictor.answers([rows.split.inputs[index]])
        milliseconds.append((time.perf_counter() - start) * 1000)
    _require_the_same(predictor.measure(rows.split.take(picked)), rows, picked)
    return np.asarray(milliseconds)


def _require_the_same(measured: Floats, rows: TestRows, picked: Sequence[int]) -> None:
    # A written sequence may turn elsewhere at a near tie, on another processor or in other company; a few rows may.
    forgiven = 0 if rows.measures.of_classes else int(_MAY_TURN * len(picked))
    for index, values in zip(picked, measured, strict=True):
        recorded = rows.values[index]
        # A probability is at most 1, a row statistic may be anything. NaN is for the gate to refuse.
        allowed = _SAME_ANSWER * np.maximum(1.0, np.abs(recorded))
        if np.isfinite(recorded).all() and (np.abs(values - recorded) > allowed).any():
            forgiven -= 1
        if forgiven < 0:
            raise InputError(
                f"row {rows.split.ids[index]}",
                f"evaluation {recorded.round(4).tolist()}, challenger {values.round(4).tolist()}",
                "the same answer",
                "run `seqline evaluate` and `seqline register` again",
            )


def _values(answers: Sequence[Mapping[str, Any]], classes: Sequence[str], measures: Measures) -> Floats:
    def row(values: Any) -> list[float]:
        listed = [values[label] for label in classes] if isinstance(values, dict) else values
        return [float("nan") if value is None else float(value) for value in listed]

    key = "probabilities" if measures.of_classes else "values"
    return np.asarray([row(answer[key]) for answer in answers], dtype=np.float64)


def _metrics(evaluate_folder: Path) -> dict[str, float]:
    """Read the figures: one that is not defined is NaN if it is the model's, left out if a baseline's."""
    figures = read_json(evaluate_folder / "metrics.json")
    return {
        key: float("nan") if value is None else float(value)
        for key, value in figures.items()
        if value is not None or not key.startswith(("baseline.", "delta."))
    }


def _of_baseline(
    answers: Sequence[Mapping[str, Any]], name: str, rows: SplitRows, measures: Measures
) -> tuple[npt.NDArray[np.bool_] | None, Floats | None]:
    """Which rows a baseline has right, and its values, as far as the evaluation holds them (class indices, or values)."""
    if any(name not in answer.get("baselines", {}) for answer in answers):
        return None, None
    found = np.asarray([answer["baselines"][name] for answer in answers])
    if measures.of_classes:
        return found == rows.targets, None
    values = found.astype(np.float64)
    return measures.right(values, rows.targets), values
