"""Models of series and of symbols: their batches are judged by what the models read, and by labels where they answer labels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_model import write_rows

from seqline.config import parse_recipe
from seqline.monitoring.drift import DriftReport, drift
from seqline.monitoring.judgements import Judgement
from seqline.monitoring.page import render_page
from seqline.monitoring.profile import PROFILE_FILE, Profile
from seqline.serving.predictor import Predictor
from seqline.stages import prepare, train


def waves(rows: int, *, seed: int, lift: float = 0.0) -> list[dict[str, Any]]:
    """Two features: a sine of one of two speeds, and noise; `lift` moves the noise."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(rows):
        steps = int(rng.integers(6, 14))
        speed = (0.3, 1.1)[number % 2]
        pairs = [[float(np.sin(speed * t)), float(rng.normal() + lift)] for t in range(steps)]
        found.append({"id": f"{seed}-{number}", "wave": pairs, "label": ("slow", "fast")[number % 2]})
    return found


def words(rows: int, *, seed: int, letters: str = "abcd") -> list[dict[str, Any]]:
    rng = np.random.default_rng(seed)
    texts = ["".join(rng.choice(list(letters), int(rng.integers(5, 12)))) for _ in range(rows)]
    return [
        {"id": f"{seed}-{i}", "word": text, "label": ("no", "yes")["a" in text]}
        for i, text in enumerate(texts)
    ]


def made(
    root: Path, column: str, rows: list[dict[str, Any]], **given: Any
) -> tuple[Profile, Predictor, Path]:
    """A small trained model with its profile."""
    data = root / "data"
    write_rows(data / "train" / "2026-01.jsonl", rows)
    write_rows(data / "test" / "test.jsonl", rows[:2])
    recipe = parse_recipe(
        {
            "task": "classification",
            "input": {"column": column, **given},
            "target": {"column": "label", "classes": sorted({row["label"] for row in rows})},
            "split": {"valid": 0.4},
            "model": {"hidden_size": 6, "embedding_dim": 6, "pooling": "max", "dropout": 0.0},
            "training": {"epochs": 1, "learning_rate": 0.02, "precision": "fp32", "threads": 1},
            "gate": {"baseline": "none"},
            **{name: {} for name in ("validation", "evaluation")},
        },
        "tests",
    )
    prepare.run(recipe, data_folder=data, output_folder=root / "prepare")
    train.run(
        recipe,
        prepare_folder=root / "prepare",
        output_folder=root / "train",
        checkpoint_folder=root / "checkpoint",
        report=lambda event: None,
    )
    return Profile.load(root / "train"), Predictor.load(root / "train"), root / "train"


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> tuple[Profile, Predictor, Path]:
    return made(tmp_path_factory.mktemp("series"), "wave", waves(600, seed=1), kind="series")


@pytest.fixture(scope="module")
def symbols(tmp_path_factory: pytest.TempPathFactory) -> tuple[Profile, Predictor, Path]:
    return made(tmp_path_factory.mktemp("symbols"), "word", words(600, seed=1), kind="symbols")


def judged(model: tuple[Profile, Predictor, Path], rows: list[dict[str, Any]], column: str) -> DriftReport:
    return drift(model[0], [row[column] for row in rows], [row["label"] for row in rows], model[1])


def test_a_profile_of_numbers_is_small_and_says_what_it_watches(
    series: tuple[Profile, Predictor, Path],
) -> None:
    path = series[2] / PROFILE_FILE
    told = json.loads(path.read_text())
    assert path.stat().st_size < 10_000
    assert [len(feature["edges"]) for feature in told["features"]] == [9, 9]
    assert list(series[0].layout.parts()) == ["features", "length", "score", "predicted", "labels"]


def test_a_feature_that_moved_is_named_with_its_direction(series: tuple[Profile, Predictor, Path]) -> None:
    assert judged(series, waves(150, seed=2), "wave").moved == []
    report = judged(series, waves(150, seed=3, lift=1.5), "wave")
    assert "features" in report.moved
    (reading,) = [reading for reading in report.readings if reading.signal == "features"]
    assert reading.direction == "higher"
    assert "feature 2 at" in reading.what
    assert list(report.histograms)[:2] == ["feature 2", "feature 1"]
    assert (report.words, report.new_words) == ([], [])
    assert DriftReport.from_dict(json.loads(json.dumps(report.to_dict()))) == report


def test_the_page_shows_features_instead_of_words(series: tuple[Profile, Predictor, Path]) -> None:
    report = judged(series, waves(150, seed=3, lift=1.5), "wave")
    judgement = Judgement("waves", 1, "key", "2026-02.jsonl", "0" * 64, report)
    page = render_page(judgement, [judgement], series[0])
    assert "Feature 2" in page
    assert "<h2>Words</h2>" not in page


def test_rows_that_the_model_cannot_read_are_left_out_and_told(
    series: tuple[Profile, Predictor, Path],
) -> None:
    rows = [*waves(60, seed=4), *({"wave": [1, 2, 3], "label": "slow"} for _ in range(5))]
    report = judged(series, rows, "wave")
    assert (report.rows, report.rows_in_batch, report.judged) == (60, 65, True)
    assert any(
        "5 rows were left out, the model cannot read them: column 'wave'" in note for note in report.notes
    )
    unreadable = drift(series[0], ["text"] * 40, None, series[1])
    assert (unreadable.judged, unreadable.rows) == (False, 0)


def test_new_symbols_are_found_and_named(symbols: tuple[Profile, Predictor, Path]) -> None:
    assert judged(symbols, words(150, seed=5), "word").moved == []
    report = judged(symbols, words(150, seed=6, letters="abcz"), "word")
    assert {"tokens", "unknown"} <= set(report.moved)
    assert [word for word, _ in report.new_words] == ["z"]
