"""Tables of other shapes become rows; the shape is kept, and rows of the right shape stay as they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from seqline.data.readers import Row
from seqline.data.shapes import Shape, shaped
from seqline.errors import InputError

WIDE = Shape(form="wide", column="features", columns=("a", "b"))
LONG = Shape(form="long", column="series", columns=("v",), group="g", order="t")


def turned(shape: Shape, *values: dict[str, Any]) -> list[dict[str, Any]]:
    return [row.values for row in shaped((Row(i, v, "t.csv") for i, v in enumerate(values, 2)), shape)]


def test_columns_of_numbers_become_one_vector() -> None:
    found = turned(
        WIDE, {"a": "1", "label": "x", "b": "-0.5", "id": "r1"}, {"a": 2, "label": "y", "b": "", "id": "r2"}
    )
    assert found == [
        {"id": "r1", "features": [1.0, -0.5], "label": "x"},
        {"id": "r2", "features": [2, None], "label": "y"},
    ]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"a": "1", "b": "two"}, r"t\.csv line 2 column 'b': text 'two'"),
        ({"a": True, "b": "2"}, r"t\.csv line 2 column 'a': truth value True"),
        ({"a": "1"}, r"t\.csv line 2: no column 'b'"),
        ({"a": "1", "b": "2", "features": "3"}, r"t\.csv line 2: a column 'features' besides"),
    ],
)
def test_what_is_no_vector_is_refused_with_its_place(values: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        turned(WIDE, values)


def test_rows_that_have_the_input_column_stay_as_they_are() -> None:
    row = {"id": "a", "series": [1, 2], "label": "x"}
    assert turned(LONG, row) == [row]
    assert turned(LONG, {"g": "a", "t": "0", "v": "1"}, {"g": "a", "t": "1", "v": "2"}) == [
        {"id": "a", "series": [1.0, 2.0]}
    ]
    assert turned(Shape(), row) == [row]
    assert turned(LONG) == []


def test_numbers_to_predict_and_lists_of_tokens_are_read_from_text() -> None:
    shape = Shape(numbers=("price",), lists=("tokens", "tags"))
    assert turned(shape, {"tokens": " in  Rome", "tags": ["O", "B"], "price": "1.5"}) == [
        {"tokens": ["in", "Rome"], "tags": ["O", "B"], "price": 1.5}
    ]
    assert turned(shape, {"price": "1,5"}, {"price": ""}, {"price": "7"}) == [
        {"price": "1,5"},
        {"price": None},
        {"price": 7},
    ]


def test_numbers_in_lists_of_names_become_names() -> None:
    shape = Shape(lists=("tags",))
    assert turned(shape, {"tags": [0, 12, 0], "n": [1]}, {"tags": ["O", 1.5, None]}) == [
        {"tags": ["0", "12", "0"], "n": [1]},
        {"tags": ["O", 1.5, None]},
    ]


def test_rows_of_tokens_become_sentences_with_their_tags() -> None:
    shape = Shape(form="tokens", column="word", columns=("word",), group="sentence", beside=("tag",))
    rows = [("one", "in", "O"), ("", "Rome", "B"), (None, "1990", "O"), ("two", "Ann", "B")]
    names = ("sentence", "word", "tag")
    assert turned(shape, *(dict(zip(names, row, strict=True)) for row in rows)) == [
        {"id": "one", "word": ["in", "Rome", "1990"], "tag": ["O", "B", "O"]},
        {"id": "two", "word": ["Ann"], "tag": ["B"]},
    ]
    made = {"id": "one", "word": ["in"], "tag": ["O"]}
    assert turned(shape, made) == [made]
    for odd, message in (
        (("", "in", "O"), "column 'sentence'"),
        (("one", "", "O"), "column 'word': text ''"),
        (("one", "in", ""), "column 'tag': text ''"),
    ):
        with pytest.raises(InputError, match=message):
            turned(shape, dict(zip(names, odd, strict=True)))
    with pytest.raises(InputError, match="no column 'tag'"):
        turned(shape, {"sentence": "one", "word": "in"})
    with pytest.raises(InputError, match="no column 'sentence'"):
        turned(shape, {"word": "in", "tag": "O"})


def test_a_shape_is_kept_and_read_again(tmp_path: Path) -> None:
    assert Shape.load(tmp_path) == Shape()
    assert Shape().changes_nothing
    assert not LONG.changes_nothing
    for shape in (WIDE, LONG, Shape(numbers=("n",))):
        shape.save(tmp_path)
        assert Shape.load(tmp_path) == shape
    (tmp_path / "shape.json").write_text("[]")
    with pytest.raises(InputError, match="not a shape"):
        Shape.load(tmp_path)
