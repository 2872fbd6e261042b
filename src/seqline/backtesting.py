"""A rolling backtest: a recipe trained, calibrated and asked as of several past times, by the stages of the chain.

Nothing is registered, nothing under artifacts/ changes, and the test part is not read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from seqline.data.calendar import Stamp
from seqline.data.folds import Fold, folds_of
from seqline.data.readers import rows_in
from seqline.data.rows import read_split
from seqline.data.splits import SPLITS
from seqline.errors import InputError
from seqline.evaluation.baselines import Problem, answer_all
from seqline.evaluation.measures import Measures
from seqline.evaluation.metrics import measures_of
from seqline.files import atomic_write
from seqline.recipe import FutureTarget, HistoryInput, Recipe
from seqline.scratch import scratch_folder
from seqline.serving.predictor import Predictor
from seqline.stages import prepare, train
from seqline.training.events import Event
from seqline.workspace import Workspace

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class FoldResult:
    """One fold, or all of them.

    Attributes:
        begins: The first step that was foretold; None of all folds.
        windows: Forecasts that were measured.
        metrics: Of the model, by name.
        baseline: Of the gate's baseline on the same windows; empty where the recipe has none.
    """

    begins: Stamp | None
    windows: int
    metrics: Mapping[str, float]
    baseline: Mapping[str, float]

    def record(self) -> dict[str, Any]:
        """JSON values; a figure that is not defined is null."""

        def finite(figures: Mapping[str, float]) -> dict[str, float | None]:
            return {name: value if np.isfinite(value) else None for name, value in figures.items()}

        return {
            "begins": self.begins,
            "windows": self.windows,
            "metrics": finite(self.metrics),
            "baseline": finite(self.baseline),
        }


def backtest(
    workspace: Workspace,
    name: str,
    *,
    folds: int,
    stride: int | None,
    retrain: bool,
    report: Callable[[Event], None],
) -> list[FoldResult]:
    """Ask a recipe's model as of several past times.

    Args:
        workspace: The project folder.
        name: The model.
        folds: How many times.
        stride: Steps from one to the next; each foretells the whole horizons that fit into them. None: the horizon.
        retrain: Train at each time on what was known then; else once, before the first.
        report: Told of each epoch and of progress within it.

    Returns:
        One result a fold, in time, and at the end one of all windows together.

    Raises:
        InputError: The recipe forecasts nothing, or there are too few steps.
    """
    recipe = workspace.recipe(name)
    section, target = recipe.input, recipe.target
    if not isinstance(section, HistoryInput) or not isinstance(target, FutureTarget):
        raise InputError("backtest", f"{name} is of task {recipe.task}", "a recipe that forecasts series")
    data = workspace.data_folder(name)
    found = folds_of(
        [row.values for row in rows_in(data / "train", window=recipe.split.window)],
        [row.values for row in rows_in(data / "test")] if (data / "test").is_dir() else [],
        section,
        horizon=target.horizon,
        test=recipe.split.test,
        count=folds,
        stride=target.horizon if stride is None else stride,
    )
    with scratch_folder(workspace, "backtest") as scratch:
        return _results(_as_of_then(recipe), found, scratch, retrain=retrain, report=report)


def _as_of_then(recipe: Recipe) -> Recipe:
    """The recipe for the rows of a fold, which bring a test set of their own and are all that there is."""
    split = recipe.split.model_copy(update={"test": 0.0, "window": type(recipe.split.window)()})
    return recipe.model_copy(update={"split": split})


def _results(
    recipe: Recipe, folds: list[Fold], scratch: Path, *, retrain: bool, report: Callable[[Event], None]
) -> list[FoldResult]:
    results, all_values, all_simple = [], [], []
    predictor: Predictor | None = None
    for number, fold in enumerate(folds):
        folder = scratch / f"{number}"
        _write(folder / "data", fold)
        prepare.run(recipe, data_folder=folder / "data", output_folder=folder / "prepare")
        if predictor is None or retrain:
            train.run(
                recipe,
                prepare_folder=folder / "prepare",
                output_folder=folder / "train",
                checkpoint_folder=folder / "checkpoint",
                report=report,
            )
            predictor = Predictor.load(folder / "train")
        measures = measures_of(predictor.task.metrics, predictor.task.columns)
        known, valid, asked = (read_split(folder / "prepare", split) for split in SPLITS)
        values = predictor.measure(asked)
        names = [] if recipe.gate.baseline == "none" else [recipe.gate.baseline]
        simple = list(answer_all(names, Problem(recipe, known, valid, asked)).values())
        results.append(_result(measures, fold.begins, values, simple))
        all_values.append(values)
        all_simple += simple
    simple = [np.concatenate(all_simple)] if all_simple else []
    return [*results, _result(measures, None, np.concatenate(all_values), simple)]


def _result(measures: Measures, begins: Stamp | None, values: Floats, simple: list[Floats]) -> FoldResult:
    def figures(of: Floats) -> dict[str, float]:
        ignored = np.zeros(len(of), dtype=np.int64)
        return {name: metric.function(of, ignored) for name, metric in measures.metrics.items()}

    return FoldResult(
        begins=begins,
        windows=len(values),
        metrics=figures(values),
        baseline=figures(simple[0]) if simple else {},
    )


def _write(folder: Path, fold: Fold) -> None:
    for part, rows in (("train", fold.train), ("test", fold.test)):
        lines = (orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)
        atomic_write(folder / part / "rows.jsonl", b"".join(lines))
