"""What a network reads of series and vectors: numbers, all of them there, as many as the model knows."""

from __future__ import annotations

import numpy as np
import pytest

from seqline.data.kinds.numbers import readable_steps
from seqline.errors import InputError


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("1 2 3", "text '1 2 3' instead of a list"),
        (None, "null instead of a list"),
        (True, "truth value True instead of a list"),
        ({"a": 1}, "instead of a list"),
        ([], "no steps"),
        ([[], []], "steps without numbers"),
        ([[1, 2], []], "step 2 has 0 numbers, step 1 has 2"),
        ([[1, 2], [3]], "step 2 has 1 number, step 1 has 2"),
        ([1, [2]], "step 2 is list [2] among numbers"),
        ([[1], 2], "step 2 is number 2 among lists of numbers"),
        ([1, None], "step 2 is missing (null)"),
        ([[1, 2], [3, None]], "step 2 is missing (null)"),
        ([1.0, float("nan")], "step 2 is nan, not a finite number"),
        ([[1.0], [float("-inf")]], "step 2 feature 1 is -inf, not a finite number"),
        ([1, "2"], "step 2 is text '2', not a number"),
        ([1, False], "step 2 is truth value False, not a number"),
        ([[1, [2]]], "step 1 feature 2 is list [2], not a number"),
        ([10**400], "an integer beyond a 64-bit float"),
        ([1.0, -1e300], "step 2 is -1e+300, too large a number"),
    ],
)
def test_each_fault_of_a_series_has_a_sentence(value: object, sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        readable_steps(value, vector=False, where="column 'trace'")
    assert sentence in caught.value.found
    assert caught.value.where == "column 'trace'"


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (3.0, "number 3.0 instead of a list"),
        ([], "no numbers"),
        ([1, None, 2], "feature 2 is missing (null)"),
        ([[1], 2], "feature 1 is list [1], not a number"),
        ([1, 2], "2 numbers, while the model knows 3"),
    ],
)
def test_each_fault_of_a_vector_has_a_sentence(value: object, sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        readable_steps(value, vector=True, where="column 'v'", features=3)
    assert sentence in caught.value.found
    assert "3 numbers" in caught.value.expected


def test_a_series_of_another_width_than_the_model_is_refused() -> None:
    for value, sentence in (([[1, 2]], "2 numbers a step, while"), ([1, 2], "1 number a step, while")):
        with pytest.raises(InputError, match=f"{sentence} the model knows 3"):
            readable_steps(value, vector=False, where="x", features=3)


def test_good_series_and_vectors_become_steps_whatever_holds_the_numbers() -> None:
    def series(value: object) -> np.ndarray:
        return readable_steps(value, vector=False, where="x")

    np.testing.assert_array_equal(series([1, 2.5]), [[1.0], [2.5]])
    np.testing.assert_array_equal(series([[1, 2], [3, 4]]), [[1, 2], [3, 4]])
    np.testing.assert_array_equal(series(((1, 2), (3, 4))), [[1, 2], [3, 4]])
    np.testing.assert_array_equal(series([np.float32(0.5), np.int64(2)]), [[0.5], [2.0]])
    np.testing.assert_array_equal(readable_steps([1, 2, 3], vector=True, where="x", features=3), [[1, 2, 3]])
