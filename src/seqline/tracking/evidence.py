"""What the gate looks at: the challenger's evaluation, the champion on the same rows, latency, size.

Legend: N test rows, C classes.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import orjson

from seqline.data.rows import SplitRows, read_split
from seqline.errors import InputError, SeqlineError
from seqline.evaluation.comparison import Evidence
from seqline.evaluation.slices import make_slices
from seqline.files import MANIFEST_NAME, read_json, sha256_file, sha256_json, verify_manifest
from seqline.recipe import Recipe
from seqline.tracking.packaging import model_folder_of
from seqline.tracking.registry import RegisteredVersion
from seqline.tracking.storage import package_folder
from seqline.tracking.store import Tracking

if TYPE_CHECKING:
    from seqline.serving.predictor import Predictor

_LATENCY_TEXTS = 50
_WARM_UP_TEXTS = 5
# predictions.jsonl may hold six decimals, and the evaluation may have run on another kind of processor.
_SAME_ANSWER = 1e-3


class UnreadableChampionError(Exception):
    """The champion's package is missing, altered, or answers another question."""


@dataclass(frozen=True)
class TestRows:
    """The test rows with the challenger's answers.

    Attributes:
        ids: The `id` of each row.
        texts: The input of each row.
        targets: int64 (N,).
        probabilities: float64 (N, C), the challenger's.
        metrics: The evaluation's figures.
        slices: Name -> bool (N,).
        baseline_correct: bool (N,) of the gate's baseline, where the evaluation has it row by row.
        digest: sha256 of the ids and texts: what "the same rows" means.
    """

    __test__ = False  # not a test, whatever pytest makes of the name

    ids: list[str]
    texts: list[str]
    targets: npt.NDArray[np.int64]
    probabilities: npt.NDArray[np.float64]
    metrics: Mapping[str, float]
    slices: Mapping[str, npt.NDArray[np.bool_]]
    baseline_correct: npt.NDArray[np.bool_] | None
    digest: str = field(default="")


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
    slices = make_slices(
        recipe.evaluation.slices, texts=rows.texts, columns=rows.columns, min_rows=recipe.gate.min_slice_rows
    )
    return TestRows(
        ids=rows.ids,
        texts=rows.texts,
        targets=rows.targets,
        probabilities=_probabilities(ordered, recipe.target.classes),
        metrics=_metrics(evaluate_folder),
        slices={f"{part.column} {part.name}": part.rows for part in slices},
        baseline_correct=_baseline_correct(ordered, recipe, rows),
        digest=sha256_json(list(zip(rows.ids, rows.texts, rows.targets.tolist(), strict=True))),
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
    return Evidence(
        metrics=rows.metrics,
        targets=rows.targets,
        probabilities=rows.probabilities,
        champion_probabilities=None
        if champion is None
        else _score(tracking, champion, rows, recipe.target.classes),
        baseline_correct=rows.baseline_correct,
        slices=rows.slices,
        latency_ms=latency,
        size_bytes=sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()),
        looks=looks,
    )


def _score(
    tracking: Tracking, champion: RegisteredVersion, rows: TestRows, classes: Sequence[str]
) -> npt.NDArray[np.float64]:
    """Score the champion on the rows: float64 (N, C), columns in the recipe's order."""
    from seqline.serving.predictor import Predictor

    try:
        predictor = Predictor.load(model_folder_of(package_folder(tracking, champion)))
    except (SeqlineError, OSError, ValueError, KeyError, RuntimeError) as error:
        raise UnreadableChampionError(
            f"champion version {champion.version} cannot be loaded: {error}"
        ) from None
    unknown = [label for label in predictor.classes if label not in classes]
    if unknown:
        raise UnreadableChampionError(
            f"champion version {champion.version} answers with classes the recipe has no longer: "
            + ", ".join(unknown)
        )
    columns = [list(classes).index(label) for label in predictor.classes]
    # A class the champion does not know keeps probability 0: it is wrong on those rows, as in use.
    probabilities = np.zeros((len(rows.texts), len(classes)))
    probabilities[:, columns] = predictor.probabilities(rows.texts)
    return probabilities


def _latencies(predictor: Predictor, rows: TestRows) -> npt.NDArray[np.float64]:
    """Milliseconds of single answers, float64 (L,), on texts spread over the test rows.

    The answers must be those of the evaluation: or else it is an evaluation of another model.
    """
    if not rows.texts:
        return np.empty(0)
    picked = np.unique(np.linspace(0, len(rows.texts) - 1, _LATENCY_TEXTS).round().astype(int))
    for index in picked[:_WARM_UP_TEXTS]:
        predictor.probabilities([rows.texts[index]])
    milliseconds = []
    for index in picked:
        start = time.perf_counter()
        answer = predictor.probabilities([rows.texts[index]])[0]
        milliseconds.append((time.perf_counter() - start) * 1000)
        recorded = rows.probabilities[index]
        # NaN is for the gate to refuse.
        if np.isfinite(recorded).all() and np.abs(answer - recorded).max() > _SAME_ANSWER:
            raise InputError(
                f"row {rows.ids[index]}",
                f"evaluation {recorded.round(4).tolist()}, challenger {answer.round(4).tolist()}",
                "the same answer",
                "run `seqline evaluate` and `seqline register` again",
            )
    return np.asarray(milliseconds)


def _probabilities(answers: Sequence[Mapping[str, Any]], classes: Sequence[str]) -> npt.NDArray[np.float64]:
    def row(values: Any) -> list[float]:
        listed = [values[label] for label in classes] if isinstance(values, dict) else values
        return [float("nan") if value is None else float(value) for value in listed]

    return np.asarray([row(answer["probabilities"]) for answer in answers], dtype=np.float64)


def _metrics(evaluate_folder: Path) -> dict[str, float]:
    """Read the figures: one that is not defined is NaN if it is the model's, left out if a baseline's."""
    figures = read_json(evaluate_folder / "metrics.json")
    return {
        key: float("nan") if value is None else float(value)
        for key, value in figures.items()
        if value is not None or not key.startswith(("baseline.", "delta."))
    }


def _baseline_correct(
    answers: Sequence[Mapping[str, Any]], recipe: Recipe, rows: SplitRows
) -> npt.NDArray[np.bool_] | None:
    """Which rows the gate's baseline has right, where the evaluation holds its answers (class indices)."""
    name = recipe.gate.baseline
    if any(name not in answer.get("baselines", {}) for answer in answers):
        return None
    correct: npt.NDArray[np.bool_] = (
        np.asarray([answer["baselines"][name] for answer in answers]) == rows.targets
    )
    return correct
