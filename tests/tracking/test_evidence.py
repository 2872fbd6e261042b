"""What of an evaluation the gate may rely on, for any task."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from seqline.data.rows import SplitRows
from seqline.errors import InputError, SeqlineError
from seqline.evaluation.metrics import measures_of
from seqline.serving.predictor import Predictor
from seqline.tracking import evidence
from seqline.tracking.evidence import (
    TestRows,
    UnreadableChampionError,
    _of_baseline,
    _require_the_same,
    _score,
    _values,
)
from seqline.tracking.packaging import _difference

TAGS = measures_of(("token_accuracy", "exact_match"), ("correct", "tokens", "exact"))
CLASSES = measures_of(("accuracy",))
SPLIT = SplitRows([f"r{i}" for i in range(20)], ["x"] * 20, [0] * 20, {})


def rows(values: np.ndarray, measures=TAGS) -> TestRows:
    return TestRows(split=SPLIT, measures=measures, values=values, metrics={}, slices={})


def test_an_evaluation_of_another_model_is_noticed_but_a_near_tie_forgiven() -> None:
    recorded = np.tile([3.0, 4.0, 0.0], (20, 1))
    picked = list(range(20))
    _require_the_same(recorded * (1 + 1e-5), rows(recorded), picked)
    turned = recorded.copy()
    turned[:2, 0] = 4.0
    _require_the_same(turned, rows(recorded), picked)
    turned[:3, 0] = 4.0
    with pytest.raises(InputError, match=r"row r2: evaluation \[3.0, 4.0, 0.0\], challenger"):
        _require_the_same(turned, rows(recorded), picked)


def test_no_probability_may_differ() -> None:
    recorded = np.tile([0.25, 0.75], (20, 1))
    other = recorded.copy()
    other[7] = [0.26, 0.74]
    _require_the_same(recorded + 5e-4, rows(recorded, CLASSES), range(20))
    with pytest.raises(InputError, match="row r7"):
        _require_the_same(other, rows(recorded, CLASSES), range(20))


def test_values_and_baselines_are_read_as_they_were_written() -> None:
    answers = [
        {"values": [3.0, 4.0, 0.0], "baselines": {"frequent_tag": [4.0, 4.0, 1.0]}},
        {"values": [2.0, None, 1.0], "baselines": {"frequent_tag": [1.0, 2.0, 0.0]}},
    ]
    values = _values(answers, [], TAGS)
    assert values[0].tolist() == [3.0, 4.0, 0.0]
    assert math.isnan(values[1, 1])
    right, theirs = _of_baseline(answers, "frequent_tag", SPLIT.take([0, 1]), TAGS)
    assert right.tolist() == [True, False]
    assert theirs.tolist() == [[4.0, 4.0, 1.0], [1.0, 2.0, 0.0]]
    assert _of_baseline(answers, "unigram", SPLIT.take([0, 1]), TAGS) == (None, None)
    labels = [{"probabilities": {"b": 0.9, "a": 0.1}, "baselines": {"majority": 1}}]
    assert _values(labels, ["a", "b"], CLASSES).tolist() == [[0.1, 0.9]]
    assert _of_baseline(labels, "majority", SPLIT.take([0]), CLASSES)[0].tolist() == [False]


RECIPE = SimpleNamespace(classes=["a", "b"], gate=SimpleNamespace(metric="accuracy"))


@pytest.mark.parametrize("measures", [TAGS, CLASSES])
@pytest.mark.parametrize(
    "error",
    [
        InputError("series a", "2 numbers a step", "1, as in training"),
        SeqlineError("frames", "of another rate"),
        ValueError("operands could not be broadcast together"),
        RuntimeError("mat1 and mat2 shapes cannot be multiplied"),
        KeyError("holiday"),
        IndexError("index 9 is out of bounds"),
        TypeError("no list"),
    ],
)
def test_a_champion_that_cannot_be_measured_on_these_rows_answers_another_question(
    monkeypatch, measures, error
) -> None:
    def measure(split, answers=None):
        raise error

    champion = SimpleNamespace(
        task=SimpleNamespace(columns=measures.columns),
        classes=["a", "b"],
        measure=measure,
        unit=lambda metric: "",
    )
    monkeypatch.setattr(Predictor, "load", lambda folder: champion)
    monkeypatch.setattr(evidence, "package_folder", lambda tracking, version: None)
    monkeypatch.setattr(evidence, "model_folder_of", lambda folder: None)
    known = rows(np.zeros((20, len(measures.columns) or 2)), measures)
    with pytest.raises(UnreadableChampionError, match="version 3 answers another question"):
        _score(None, SimpleNamespace(version=3), known, RECIPE, "")


def test_a_champion_whose_figure_counts_other_things_is_not_compared(monkeypatch) -> None:
    champion = SimpleNamespace(
        task=SimpleNamespace(columns=TAGS.columns), unit=lambda metric: f"{metric} of 90 words"
    )
    monkeypatch.setattr(Predictor, "load", lambda folder: champion)
    monkeypatch.setattr(evidence, "package_folder", lambda tracking, version: None)
    monkeypatch.setattr(evidence, "model_folder_of", lambda folder: None)
    known = rows(np.zeros((20, len(TAGS.columns))), TAGS)
    with pytest.raises(
        UnreadableChampionError, match=r"accuracy of champion version 3 .* of 90 words; .* of 95 words"
    ):
        _score(None, SimpleNamespace(version=3), known, RECIPE, "accuracy of 95 words")


@pytest.mark.parametrize(
    ("one", "other", "difference"),
    [
        ({"label": "a", "probability": 0.5}, {"label": "a", "probability": 0.5 + 1e-7}, 1e-7),
        ({"label": "a"}, {"label": "b"}, math.inf),
        ({"label": "a"}, {"label": "a", "more": 1}, math.inf),
        ([[1.0, 2_000.0]], [[1.0, 2_002.0]], 1e-3),
        ([1.0], [1.0, 2.0], math.inf),
        ({"text": None}, {"text": None}, 0.0),
        ({}, {}, 0.0),
    ],
)
def test_answers_of_any_form_are_compared(one: object, other: object, difference: float) -> None:
    assert _difference(one, other) == pytest.approx(difference)


def test_a_number_that_is_none_is_no_equal() -> None:
    assert math.isnan(_difference({"p": [0.5, math.nan]}, {"p": [0.5, math.nan]}))
