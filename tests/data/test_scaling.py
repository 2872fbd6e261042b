from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqline.data.inputs.numbers import NumberEncoder
from seqline.data.scaling import Scaler, flat_features, read_series, read_vector, series_fault, vector_fault
from seqline.errors import InputError
from seqline.recipe import SeriesInput


def ragged(seed: int = 0, *, shift: float = 0.0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [
        rng.normal(size=(int(rng.integers(1, 9)), 3)) * [1.0, 50.0, 1e-3] + [shift, -7.0, 0.0]
        for _ in range(40)
    ]


def test_one_pass_gives_the_figures_of_all_steps_together() -> None:
    sequences = ragged()
    together = np.concatenate(sequences)
    scaler = Scaler.fit(iter(sequences))
    np.testing.assert_allclose(scaler.means, together.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(scaler.deviations, together.std(axis=0), rtol=1e-12)


def test_features_far_from_zero_keep_their_digits() -> None:
    sequences = ragged(shift=1e8)
    scaler = Scaler.fit(sequences)
    assert scaler.deviations[0] == pytest.approx(np.concatenate(ragged()).std(axis=0)[0], rel=1e-6)


def test_scaled_train_has_mean_zero_and_deviation_one_and_undo_brings_it_back() -> None:
    sequences = ragged()
    scaler = Scaler.fit(sequences)
    scaled = np.concatenate([scaler.apply(sequence) for sequence in sequences])
    assert scaled.dtype == np.float32
    np.testing.assert_allclose(scaled.mean(axis=0), 0.0, atol=1e-6)
    np.testing.assert_allclose(scaled.std(axis=0), 1.0, atol=1e-5)
    np.testing.assert_allclose(scaler.undo(scaler.apply(sequences[0])), sequences[0], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("level", [0.0, 0.1, -3e7])
def test_a_feature_that_never_changes_is_moved_and_stays_finite(level: float) -> None:
    sequences = [np.full((steps, 1), level) for steps in (1, 7, 3, 11)]
    scaler = Scaler.fit(sequences)
    assert scaler.deviations == (1.0,)
    np.testing.assert_allclose(scaler.apply(np.full((2, 1), level + 2.5)), 2.5, rtol=1e-6)


def test_no_row_is_refused() -> None:
    with pytest.raises(InputError, match="no sequences"):
        Scaler.fit([])


@given(
    st.lists(st.floats(-1e12, 1e12), min_size=1, max_size=5),
    st.lists(st.floats(1e-9, 1e12), min_size=5, max_size=5),
)
@settings(max_examples=30, deadline=None)
def test_a_saved_scaler_comes_back_to_the_last_bit(
    tmp_path_factory: pytest.TempPathFactory, means: list[float], deviations: list[float]
) -> None:
    path = tmp_path_factory.mktemp("scaler") / "scaler.json"
    scaler = Scaler(tuple(means), tuple(deviations[: len(means)]))
    scaler.save(path)
    assert Scaler.load(path) == scaler


@pytest.mark.parametrize(
    "content",
    [
        "[]",
        "{}",
        '{"means": [], "deviations": []}',
        '{"means": [0], "deviations": [0]}',
        '{"means": [0], "deviations": [1, 1]}',
        '{"means": ["a"], "deviations": [1]}',
        '{"means": 3, "deviations": [1]}',
        '{"means": [NaN], "deviations": [1]}',
    ],
)
def test_a_file_that_holds_no_scaler_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "scaler.json"
    path.write_text(content)
    with pytest.raises(InputError, match="scaler"):
        Scaler.load(path)


def test_identity_changes_nothing() -> None:
    values = np.asarray([[1.5, -2.0]], dtype=np.float32)
    np.testing.assert_array_equal(Scaler.identity(2).apply(values), values)


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("1 2 3", "text instead of a list of numbers"),
        (None, "null instead of a list of numbers"),
        (True, "true instead of a list of numbers"),
        ({"a": 1}, "an object instead of a list of numbers"),
        ([], "an empty list: a series has at least one step"),
        ([[1, 2], []], "step 2 is an empty list"),
        ([[1, 2], [3]], "step 2 has 1 number, the steps before it 2"),
        ([1, [2]], "step 2 is a list, the steps before it numbers"),
        ([[1], 2], "step 2 is a number, the steps before it lists"),
        ([1, None], "step 2 is null: a missing value"),
        ([[1, 2], [3, None]], "step 2, number 2, is null: a missing value"),
        ([1.0, float("nan")], "step 2 is nan"),
        ([1.0, float("-inf")], "step 2 is -inf"),
        ([1, "2"], "step 2 is text instead of a number"),
        ([1, False], "step 2 is false instead of a number"),
        ([[1, [2]]], "step 1, number 2, is a list instead of a number"),
        ([10**400], "step 1 is too large a number"),
        ([1.0, -1e300], "step 2 is too large a number"),
    ],
)
def test_each_fault_of_a_series_has_a_sentence(value: object, sentence: str) -> None:
    assert series_fault(value) == sentence
    with pytest.raises(InputError, match="column 'trace'"):
        read_series(value, where="column 'trace'")


def test_a_series_of_another_width_than_the_model_is_refused() -> None:
    assert series_fault([[1, 2, 3]], features=3) is None
    assert series_fault([[1, 2]], features=3) == "2 numbers a step, while the model knows 3"
    assert series_fault([1, 2], features=3) == "1 number a step, while the model knows 3"


def test_good_series_and_vectors_become_steps() -> None:
    np.testing.assert_array_equal(read_series([1, 2.5], where="x"), [[1.0], [2.5]])
    np.testing.assert_array_equal(read_series([[1, 2], [3, 4]], where="x", features=2), [[1, 2], [3, 4]])
    np.testing.assert_array_equal(read_vector([1, 2, 3], where="x", features=3), [[1, 2, 3]])


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (3.0, "a number instead of a list of numbers"),
        ([], "an empty list: a vector has at least one number"),
        ([1, None], "number 2 is null: a missing value"),
        ([[1], 2], "number 1 is a list instead of a number"),
        ([1, 2], "2 numbers, while the model knows 3"),
    ],
)
def test_each_fault_of_a_vector_has_a_sentence(value: object, sentence: str) -> None:
    assert vector_fault(value, features=3) == sentence
    with pytest.raises(InputError, match="column 'v'"):
        read_vector(value, where="column 'v'", features=3)


def test_flat_features_are_found() -> None:
    assert flat_features(np.asarray([[1.0, 5.0], [2.0, 5.0]])) == [1]
    assert flat_features(np.asarray([[1.0, 5.0]])) == []


def test_a_scaler_file_is_json_a_person_can_read(tmp_path: Path) -> None:
    Scaler((0.1, 2.0), (1.0, 3.0)).save(tmp_path / "scaler.json")
    assert json.loads((tmp_path / "scaler.json").read_text()) == {
        "means": [0.1, 2.0],
        "deviations": [1.0, 3.0],
    }


def test_a_number_that_is_too_large_once_it_is_scaled_is_refused_by_place_and_column() -> None:
    scaler = Scaler.fit([np.asarray([[0.0, 1.0], [1e-20, 3.0]])])
    with pytest.raises(InputError, match="column 'trace': step 2, number 1, is too large a number once"):
        scaler.apply(np.asarray([[0.0, 1.0], [1e30, 1.0]]), where="column 'trace'")
    encoder = NumberEncoder(scaler, SeriesInput(column="trace"))
    with pytest.raises(InputError, match="column 'trace'"):
        list(encoder.encode([[[0.0, 1.0], [1e30, 1.0]]]))
