import csv
import json
from pathlib import Path

import numpy as np
import pytest

from seqline.config import parse_recipe
from seqline.errors import InputError, SeqlineError
from seqline.evaluation.metrics import METRICS
from seqline.files import files_below, verify_manifest
from seqline.recipe import Recipe
from seqline.stages import evaluate, prepare, train

CLASSES = ["negative", "=positive"]


def make_recipe(classes: list[str] = CLASSES) -> Recipe:
    values = {
        "task": "classification",
        "input": {"column": "text", "min_count": 1},
        "target": {"column": "label", "classes": classes},
        "validation": {},
        "split": {"valid": 0.2},
        "model": {"embedding_dim": 8, "hidden_size": 8},
        "training": {"epochs": 2, "batch_size": 16, "learning_rate": 0.02, "precision": "fp32", "threads": 1},
        "evaluation": {"slices": ["length", "city"], "bootstrap_rounds": 100},
        "gate": {},
    }
    return parse_recipe(values, "test")


def write_rows(folder: Path, split: str, count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    lines = []
    for index in range(count):
        label = int(rng.integers(2))
        words = rng.permutation([*rng.choice(["the", "soup", "room", "was"], 4), ("bad", "good")[label]])
        text = f"{' '.join(words)} {split} {index}"
        row = {"id": f"{split}-{index}", "text": text, "label": CLASSES[label], "city": "ab"[index % 2]}
        lines.append(json.dumps(row))
    (folder / split).mkdir(parents=True)
    (folder / split / "rows.jsonl").write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("toy")
    write_rows(folder / "data", "train", 120, 0)
    write_rows(folder / "data", "test", 60, 1)
    recipe = make_recipe()
    prepare.run(recipe, data_folder=folder / "data", output_folder=folder / "prepare")
    train.run(
        recipe,
        prepare_folder=folder / "prepare",
        output_folder=folder / "train",
        checkpoint_folder=folder / "checkpoint",
        report=lambda event: None,
    )
    return folder


def run(stages: Path, output: Path, recipe: Recipe | None = None) -> dict:
    return evaluate.run(
        recipe or make_recipe(),
        prepare_folder=stages / "prepare",
        train_folder=stages / "train",
        output_folder=output,
    )


def test_every_number_follows_from_the_predictions(stages, tmp_path):
    metrics = run(stages, tmp_path / "toy" / "evaluate")
    folder = tmp_path / "toy" / "evaluate"
    verify_manifest(folder)
    assert metrics == json.loads((folder / "metrics.json").read_text())
    rows = [json.loads(line) for line in (folder / "predictions.jsonl").read_text().splitlines()]
    assert [row["id"] for row in rows] == [f"test-{index}" for index in range(60)]
    probs, targets = np.array([r["probabilities"] for r in rows]), np.array([r["target"] for r in rows])
    assert [row["prediction"] for row in rows] == probs.argmax(axis=1).tolist()
    for name, metric in METRICS.items():
        if "classification" not in metric.tasks:
            assert name not in metrics
            continue
        assert metrics[name] == pytest.approx(metric.function(probs, targets), abs=1e-6)
    for name in make_recipe().evaluation.baselines:
        share = np.mean([row["baselines"][name] == row["target"] for row in rows])
        assert metrics[f"baseline.{name}.accuracy"] == pytest.approx(share, abs=1e-6)
    assert "evaluation of <b>toy</b>" in (folder / "report.html").read_text()


def test_plot_files_hold_what_dvc_draws(stages, tmp_path):
    run(stages, tmp_path / "evaluate")
    plots = {
        path.stem: list(csv.DictReader(path.open()))
        for path in (tmp_path / "evaluate" / "plots").glob("*.csv")
    }
    assert sorted(plots) == ["calibration", "confusion", "history", "roc"]
    assert len(plots["confusion"]) == 60
    # A label that a spreadsheet would run as a formula is quoted.
    assert {row["actual"] for row in plots["confusion"]} == {"negative", "'=positive"}
    assert [row["epoch"] for row in plots["history"]] == ["1", "2"]
    assert sum(int(row["rows"]) for row in plots["calibration"]) == 60
    assert float(plots["roc"][-1]["true_positive_rate"]) == 1.0


def test_a_second_run_gives_the_same_bytes(stages, tmp_path):
    first, second = tmp_path / "one" / "toy" / "evaluate", tmp_path / "two" / "toy" / "evaluate"
    run(stages, first)
    run(stages, second)
    names = [path.relative_to(first) for path in files_below(first)]
    assert names == [path.relative_to(second) for path in files_below(second)]
    assert [name for name in names if (first / name).read_bytes() != (second / name).read_bytes()] == []


def test_other_classes_than_the_models_are_refused_and_nothing_is_written(stages, tmp_path):
    with pytest.raises(InputError, match="the model knows the classes negative, =positive"):
        run(stages, tmp_path / "evaluate", make_recipe(["a", "b"]))
    assert not (tmp_path / "evaluate").exists()


def test_an_altered_input_is_refused(stages, tmp_path):
    rows = stages / "prepare" / "test.rows.jsonl"
    whole = rows.read_bytes()
    try:
        rows.write_bytes(whole.replace(b"soup", b"sour", 1))
        with pytest.raises(SeqlineError, match=r"test\.rows\.jsonl was altered"):
            run(stages, tmp_path / "evaluate")
    finally:
        rows.write_bytes(whole)
    assert not (tmp_path / "evaluate").exists()
