"""The stage `evaluate`: measure a trained model on the test rows, for DVC, the gate and people."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from seqline.config import sections_of
from seqline.errors import InputError
from seqline.evaluation.calibration import roc_curve
from seqline.evaluation.report import render_report
from seqline.evaluation.summary import Evaluation, details, evaluate_model, flat_metrics
from seqline.files import (
    atomic_write,
    complete_folder,
    read_json,
    sha256_json,
    verify_manifest,
    write_json,
    write_manifest,
)
from seqline.recipe import Recipe

# `gate` is read later: changing it asks for no new report.
SECTIONS = ("task", "input", "target", "training", "evaluation")


def run(recipe: Recipe, *, prepare_folder: Path, train_folder: Path, output_folder: Path) -> dict[str, Any]:
    """Evaluate a trained model.

    Args:
        recipe: The recipe; its sections `SECTIONS` decide what is measured and shown.
        prepare_folder: Output of `prepare`: the rows and statistics.json.
        train_folder: Output of `train`: a model folder with history.json.
        output_folder: Gets metrics.json, details.json, predictions.jsonl, plots/*.csv, report.html.

    Returns:
        The metrics, as in metrics.json.

    Raises:
        InputError: A folder is not complete, or the model knows other classes than the recipe.
        SeqlineError: A file was altered, there are no test rows, or the model answers NaN.
    """
    from seqline.data.rows import read_split
    from seqline.serving.predictor import HISTORY_FILE, MODEL_FILE, Predictor
    from seqline.training.seeding import set_determinism

    set_determinism(seed=recipe.training.seed, threads=recipe.training.threads)
    prepared, trained = verify_manifest(prepare_folder), verify_manifest(train_folder)
    predictor = Predictor.load(train_folder)
    if list(predictor.classes) != list(recipe.target.classes):
        raise InputError(
            str(train_folder),
            f"the model knows the classes {', '.join(predictor.classes)}",
            f"{', '.join(recipe.target.classes)}, as the recipe says",
            "train it again",
        )
    train, valid = read_split(prepare_folder, "train"), read_split(prepare_folder, "valid")
    evaluation = evaluate_model(
        recipe,
        predict=predictor.probabilities,
        test=read_split(prepare_folder, "test"),
        fitting_texts=[*train.texts, *valid.texts],
        fitting_targets=np.concatenate([train.targets, valid.targets]),
    )
    history = read_json(train_folder / HISTORY_FILE)
    report = render_report(
        evaluation,
        title=output_folder.parent.name,
        history=history,
        statistics=read_json(prepare_folder / "statistics.json"),
        recipe={**sections_of(recipe, *SECTIONS), "model": read_json(train_folder / MODEL_FILE)["model"]},
    )
    metrics = flat_metrics(evaluation)
    with complete_folder(output_folder) as folder:
        write_json(folder / "metrics.json", metrics)
        write_json(folder / "details.json", details(evaluation))
        atomic_write(folder / "predictions.jsonl", "".join(_prediction_lines(evaluation)))
        for name, rows in _plots(evaluation, history).items():
            atomic_write(folder / "plots" / f"{name}.csv", _csv(rows))
        atomic_write(folder / "report.html", report)
        facts = {"model": sha256_json(trained["files"]), "data": sha256_json(prepared["files"])}
        write_manifest(folder, stage="evaluate", rows=len(evaluation.ids), **facts)
    return metrics


def _prediction_lines(evaluation: Evaluation) -> Iterable[str]:
    """One JSON line for each test row, in row order; classes are indices."""
    predictions = evaluation.predictions
    for index, row_id in enumerate(evaluation.ids):
        row = {
            "id": row_id,
            "target": int(evaluation.targets[index]),
            "prediction": int(predictions[index]),
            "probabilities": [float(p) for p in evaluation.probabilities[index]],
            "baselines": {name: int(b.predictions[index]) for name, b in evaluation.baselines.items()},
        }
        yield json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n"


def _plots(evaluation: Evaluation, history: dict[str, Any]) -> dict[str, list[Sequence[Any]]]:
    """Rows of the data files that `dvc plots` draws, each with its header first."""
    labels = evaluation.classes
    pairs = zip(evaluation.targets, evaluation.predictions, strict=True)
    plots: dict[str, list[Sequence[Any]]] = {
        "confusion": [("actual", "predicted"), *((labels[a], labels[p]) for a, p in pairs)],
        "calibration": [
            ("confidence", "accuracy", "rows"),
            *((round(b.confidence, 6), round(b.accuracy, 6), b.n) for b in evaluation.calibration),
        ],
        "roc": [("class", "false_positive_rate", "true_positive_rate")],
    }
    for index in range(1 if len(labels) == 2 else 0, len(labels)):
        curve = roc_curve(evaluation.probabilities[:, index], evaluation.targets == index)
        plots["roc"] += [
            (labels[index], round(p.false_positive_rate, 6), round(p.true_positive_rate, 6)) for p in curve
        ]
    epochs = history.get("epochs", [])
    columns = list(dict.fromkeys(key for epoch in epochs for key in epoch)) or ["epoch"]
    plots["history"] = [columns, *([epoch.get(key, "") for key in columns] for epoch in epochs)]
    return plots


def _csv(rows: Sequence[Sequence[Any]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows([[_cell(value) for value in row] for row in rows])
    return buffer.getvalue()


def _cell(value: Any) -> Any:
    # A spreadsheet would run a label such as "=1+1" as a formula.
    return (
        f"'{value}"
        if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r"))
        else value
    )
