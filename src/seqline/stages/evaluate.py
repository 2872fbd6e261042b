"""The stage `evaluate`: measure a trained model on the test rows, for DVC, the gate and people."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqline.config import sections_of
from seqline.errors import InputError
from seqline.evaluation.baselines import Problem, answer_all
from seqline.evaluation.calibration import roc_curve
from seqline.evaluation.metrics import measures_of
from seqline.evaluation.report import render_report
from seqline.evaluation.summary import (
    Answers,
    ClassFigures,
    Evaluation,
    details,
    evaluate_model,
    flat_metrics,
    require_rows,
)
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

if TYPE_CHECKING:
    from seqline.data.rows import SplitRows
    from seqline.serving.predictor import Predictor

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
    from seqline.serving.model_folder import HISTORY_FILE, MODEL_FILE
    from seqline.serving.predictor import Predictor
    from seqline.training.seeding import set_determinism

    set_determinism(seed=recipe.training.seed, threads=recipe.training.threads)
    prepared, trained = verify_manifest(prepare_folder), verify_manifest(train_folder)
    predictor = Predictor.load(train_folder)
    if list(predictor.classes) != list(recipe.classes):
        raise InputError(
            str(train_folder),
            f"the model knows the classes {', '.join(predictor.classes)}",
            f"{', '.join(recipe.classes)}, as the recipe says",
            "train it again",
        )
    evaluation = _evaluated(recipe, predictor, prepare_folder)
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


def _evaluated(recipe: Recipe, predictor: Predictor, prepare_folder: Path) -> Evaluation:
    from seqline.data.rows import read_split

    task, model = predictor.task, predictor.model
    measures = measures_of(task.metrics, task.columns)
    train, valid, test = (read_split(prepare_folder, split) for split in ("train", "valid", "test"))
    require_rows(test)
    found = [] if measures.of_classes else predictor.answers(test.inputs)
    values = predictor.measure(test, found or None)

    def encode(rows: SplitRows) -> list[Any]:
        return task.encode(model.encoder, model.input, rows.inputs).sequences

    vocab_size = model.encoder.sizes.get("vocab_size")
    problem = Problem(recipe, train, valid, test, encode=encode, vocab_size=vocab_size)
    return evaluate_model(
        recipe,
        measures,
        test=test,
        values=values,
        baselines=answer_all(recipe.evaluation.baselines, problem),
        ask=predictor.probabilities if measures.of_classes else None,
        answers=None
        if measures.of_classes
        else Answers([answer.record() for answer in found], [answer.line() for answer in found]),
        sections=task.sections(recipe, test, found, values),
    )


def _prediction_lines(evaluation: Evaluation) -> Iterable[str]:
    """One JSON line for each test row, in row order; classes are indices."""
    classes = evaluation.predictions if evaluation.classes is not None else None
    for index, row_id in enumerate(evaluation.ids):
        values = [float(value) for value in evaluation.values[index]]
        row: dict[str, Any] = {"id": row_id}
        if classes is not None:
            row["target"] = int(evaluation.targets[index])
            row["prediction"] = int(classes[index])
            row["probabilities"] = values
            row["baselines"] = {name: int(b.predictions[index]) for name, b in evaluation.baselines.items()}
        else:
            row["answer"] = {} if evaluation.answers is None else evaluation.answers.records[index]
            row["values"] = values
            row["baselines"] = {
                name: [float(value) for value in b.values[index]] for name, b in evaluation.baselines.items()
            }
        yield json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n"


def _plots(evaluation: Evaluation, history: dict[str, Any]) -> dict[str, list[Sequence[Any]]]:
    """Rows of the data files that `dvc plots` draws, each with its header first; those of other tasks hold it alone."""
    plots = _plots_of_classes(evaluation, evaluation.classes)
    epochs = history.get("epochs", [])
    columns = list(dict.fromkeys(key for epoch in epochs for key in epoch)) or ["epoch"]
    plots["history"] = [columns, *([epoch.get(key, "") for key in columns] for epoch in epochs)]
    return plots


def _plots_of_classes(evaluation: Evaluation, classes: ClassFigures | None) -> dict[str, list[Sequence[Any]]]:
    plots: dict[str, list[Sequence[Any]]] = {
        "confusion": [("actual", "predicted")],
        "calibration": [("confidence", "accuracy", "rows")],
        "roc": [("class", "false_positive_rate", "true_positive_rate")],
    }
    if classes is None:
        return plots
    labels = classes.labels
    pairs = zip(evaluation.targets, evaluation.predictions, strict=True)
    plots["confusion"] += ((labels[a], labels[p]) for a, p in pairs)
    plots["calibration"] += ((round(b.confidence, 6), round(b.accuracy, 6), b.n) for b in classes.calibration)
    for index in range(1 if len(labels) == 2 else 0, len(labels)):
        curve = roc_curve(evaluation.values[:, index], evaluation.targets == index)
        plots["roc"] += (
            (labels[index], round(p.false_positive_rate, 6), round(p.true_positive_rate, 6)) for p in curve
        )
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
