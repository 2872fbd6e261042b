"""A batch against a champion's profile: drift is found, chance is not taken for it."""

from __future__ import annotations

import csv
import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest

from seqline.data.samples.reviews import reviews
from seqline.monitoring.drift import MAX_ROWS, MIN_ROWS, DriftReport, drift
from seqline.monitoring.profile import Profile
from seqline.serving.predictor import Predictor

SHARED = Path(__file__).parents[3] / "shared" / "data"


def judged(
    profile: Profile,
    predictor: Predictor,
    *,
    seed: int,
    level: float = 0.0,
    rows: int = 500,
    labelled: bool = True,
) -> DriftReport:
    batch = reviews(rows=rows, seed=seed, split="train", month="2026-06", drift=level)
    return drift(
        profile, [r["text"] for r in batch], [r["label"] for r in batch] if labelled else None, predictor
    )


def test_of_ten_undrifted_batches_at_most_one_alarms(profile: Profile, predictor: Predictor) -> None:
    found = [judged(profile, predictor, seed=seed).moved for seed in range(100, 110)]
    assert sum(bool(moved) for moved in found) <= 1, found


@pytest.mark.parametrize("level", [0.1, 0.25, 0.5, 1.0])
def test_the_generators_drift_is_found_at_500_rows(
    profile: Profile, predictor: Predictor, level: float
) -> None:
    report = judged(profile, predictor, seed=1, level=level)
    assert report.drifted
    assert "unknown" in report.moved


def test_full_drift_is_told_in_words(profile: Profile, predictor: Predictor) -> None:
    report = judged(profile, predictor, seed=2, level=1.0)
    readings = {reading.signal: reading for reading in report.readings}
    assert {"unknown", "length", "labels"} <= set(report.moved)
    assert (readings["unknown"].direction, readings["length"].direction) == ("more", "longer")
    assert readings["labels"].direction == "more negative"
    assert "of the labels are negative, 47% in the reference" in readings["labels"].what
    # Words that the generator brings with drift.
    assert {"bussin", "cringe"} <= {word for word, _ in report.new_words}
    assert report.new_words == sorted(report.new_words, key=lambda pair: (-pair[1], pair[0]))
    for reading in report.readings:
        assert reading.moved == (reading.value > reading.threshold)


def test_without_labels_the_label_prior_is_not_judged(profile: Profile, predictor: Predictor) -> None:
    report = judged(profile, predictor, seed=3, labelled=False)
    assert [reading.signal for reading in report.readings] == [
        "tokens",
        "unknown",
        "length",
        "score",
        "predicted",
    ]
    assert "labels" not in report.histograms


def test_too_few_labels_are_told_and_not_judged(profile: Profile, predictor: Predictor) -> None:
    texts = [row["text"] for row in reviews(rows=100, seed=4, split="train", month="2026-06")]
    labels = ["positive"] * (MIN_ROWS - 1) + [None] * (100 - MIN_ROWS + 1)
    report = drift(profile, texts, labels, predictor)
    assert "labels" not in {reading.signal for reading in report.readings}
    assert any("too few labels" in note for note in report.notes)
    report = drift(profile, texts, ["positive", *labels[:-1]], predictor)
    by_signal = {reading.signal: reading for reading in report.readings}
    assert (by_signal["labels"].rows, by_signal["labels"].moved) == (MIN_ROWS, True)


@pytest.mark.parametrize("rows", [0, 1, MIN_ROWS - 1])
def test_a_batch_of_few_rows_is_not_judged(profile: Profile, predictor: Predictor, rows: int) -> None:
    report = drift(profile, ["zqxv"] * rows, ["joy"] * rows, predictor)
    assert (report.judged, report.drifted, report.readings) == (False, False, [])
    assert any("too few rows to judge" in note for note in report.notes)


def test_of_a_large_batch_as_many_rows_as_have_a_threshold_are_drawn(
    profile: Profile, predictor: Predictor
) -> None:
    texts = ["good", "bad"] * (MAX_ROWS // 2 + 500)
    first, again = drift(profile, texts, None, predictor), drift(profile, texts, None, predictor)
    assert (first.rows, first.rows_in_batch) == (MAX_ROWS, MAX_ROWS + 1000)
    assert first == again
    assert any("drawn from" in note for note in first.notes)


def test_labels_and_texts_that_nobody_foresaw_are_judged(profile: Profile, predictor: Predictor) -> None:
    report = drift(profile, ["", " ", "🙂" * 50, "x" * 5000] * 20, ["maybe"] * 80, predictor)
    assert report.drifted
    assert any("does not know: maybe" in note for note in report.notes)
    assert max(len(word) for word, _ in report.new_words) <= 40


def test_a_profile_of_few_rows_is_told(profile: Profile, predictor: Predictor) -> None:
    report = judged(replace(profile, rows=120), predictor, seed=5, rows=50)
    assert any("120 held-out rows" in note for note in report.notes)


def test_a_report_survives_json(profile: Profile, predictor: Predictor) -> None:
    report = judged(profile, predictor, seed=6, level=0.5, rows=200)
    assert DriftReport.from_dict(json.loads(json.dumps(report.to_dict(), allow_nan=False))) == report


@pytest.mark.shared
def test_tweets_fed_to_a_model_of_reviews_are_found(profile: Profile, predictor: Predictor) -> None:
    path = SHARED / "emotion" / "emotion_test.csv.gz"
    if not path.exists():
        pytest.skip(f"{path} is not here")
    with gzip.open(path, "rt", encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))[:500]
    report = drift(profile, [row["text"] for row in rows], [row["label"] for row in rows], predictor)
    assert {"tokens", "unknown", "length", "score", "labels"} <= set(report.moved)
    unlabelled = drift(profile, [row["text"] for row in rows[:50]], None, predictor)
    assert {"tokens", "unknown", "length"} <= set(unlabelled.moved), "50 rows are enough"
