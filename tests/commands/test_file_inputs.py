"""Files that a model is asked about: tables of the shape that `new` and `ingest` take, and rows as recipes name them."""

from __future__ import annotations

from pathlib import Path

import pytest

from seqline.commands.answers import _from_file
from seqline.commands.file_inputs import shaped_rows
from seqline.commands.shadowing import _rows
from seqline.data.inputs.symbols import SymbolEncoder
from seqline.data.shapes import Shape
from seqline.errors import InputError
from seqline.recipe import RECIPES, HistoryInput, SymbolsInput, TextInput, VectorInput
from seqline.tasks import task_named

EVENTS = Shape(form="events", column="items", columns=("item",), group="user", order="time")
CLICKS = "user,time,item\nu1,2,stove\nu2,5,lamp\nu1,1,tent\n"
ITEMS = SymbolsInput(column="items")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


def asked(folder: Path, name: str, text: str, section, task: str, column: str | None = None):
    path = folder.parent / name
    path.write_text(text)
    return list(_from_file(path, column, section, task_named(task), folder))


def test_events_are_asked_as_the_lists_that_were_learnt(folder: Path) -> None:
    EVENTS.save(folder)
    lists = [("u1", ["tent", "stove"]), ("u2", ["lamp"])]
    assert asked(folder, "clicks.csv", CLICKS, ITEMS, "generation") == lists
    # An option that names the column of one event changes nothing: it is no list.
    assert asked(folder, "clicks.csv", CLICKS, ITEMS, "generation", column="item") == lists
    row = '{"id": "u1", "items": ["tent"]}\n'
    assert asked(folder, "made.jsonl", row, ITEMS, "generation") == [("u1", ["tent"])]
    other = '{"id": "u1", "basket": ["tent"]}\n'
    assert asked(folder, "other.jsonl", other, ITEMS, "generation", column="basket") == [("u1", ["tent"])]
    with pytest.raises(InputError, match="no column 'basket'"):
        asked(folder, "clicks.csv", CLICKS, ITEMS, "generation", column="basket")
    with pytest.raises(InputError, match="line 2: no column 'user'"):
        asked(folder, "bare.csv", "time,item\n1,tent\n", ITEMS, "generation")


def test_a_table_with_a_row_a_step_is_asked_as_series(folder: Path) -> None:
    Shape(
        form="long", column="sales", columns=("sales",), group="shop", order="date", order_column="timestamps"
    ).save(folder)
    table = "date,shop,sales\n2026-01-02,x,4\n2026-01-01,x,3\n2026-01-01,y,\n"
    section = HistoryInput(column="sales", context_length=2)
    (first, x), (second, y) = asked(folder, "fc.csv", table, section, "forecasting")
    assert (first, second) == ("x", "y")
    assert x == {"id": "x", "timestamps": ["2026-01-01", "2026-01-02"], "sales": [3, 4]}
    assert y["sales"] == [None]


def test_columns_of_a_vector_are_put_together_and_others_left(folder: Path) -> None:
    Shape(form="wide", column="features", columns=("a", "b")).save(folder)
    found = asked(
        folder, "wide.csv", "id,b,a,note\n7,2,1.5,x\n", VectorInput(column="features"), "classification"
    )
    assert found == [("7", [1.5, 2])]


def test_rows_without_a_shape_stay_as_they_are_and_nothing_is_the_empty_text(folder: Path) -> None:
    lines = '{"said": null}\n{"said": "yes"}\n'
    section = TextInput(column="text")
    assert asked(folder, "a.jsonl", lines, section, "classification", column="said") == [
        (None, ""),
        (None, "yes"),
    ]
    with pytest.raises(InputError, match=r"no column 'text'\n  expected: one of said\n .* --column"):
        list(shaped_rows(folder.parent / "a.jsonl", "text", folder))


def test_a_shadow_reads_the_same_shape_and_its_labels(folder: Path) -> None:
    Shape(form="wide", column="features", columns=("a", "b")).save(folder)
    recipe = RECIPES["classification"].model_validate(
        {
            "task": "classification",
            "input": {"kind": "vector", "column": "features"},
            "target": {"column": "label", "classes": ["n", "y"]},
            **{name: {} for name in ("validation", "split", "model", "training", "evaluation", "gate")},
        }
    )
    path = folder.parent / "batch.csv"
    path.write_text("a,b,label\n1,2,y\n3,4,\n")
    rows = list(_rows(path, recipe, folder))
    assert [(row.id, row.input, row.truth) for row in rows] == [
        ("line 2", [1, 2], "y"),
        ("line 3", [3, 4], None),
    ]


def test_a_text_is_no_list_of_items() -> None:
    of_items = SymbolEncoder.fit([["tent", "stove"]], ITEMS)
    assert of_items.reads_items
    with pytest.raises(
        InputError, match=r"the text 'tent'\n  expected: a list of items.*\n.*write \[\"tent\"\]"
    ):
        list(of_items.encode(["tent"]))
    assert [ids.tolist() for ids in of_items.encode([["tent"], [], ""])] == [
        [of_items.vocabulary.index("tent")],
        [1],
        [1],
    ]
    pairs = SymbolEncoder.fit([["a", "b", "c"]], SymbolsInput(column="items", kmer=2))
    with pytest.raises(InputError, match="the text 'ab'"):
        list(pairs.encode(["ab"]))


@pytest.mark.parametrize(
    ("values", "kmer"), [(["ACGT"], 1), (["ACGT"], 3), ([["A", "C"]], 1), (["İstanbul"], 1), ([], 1)]
)
def test_where_letters_were_learnt_a_text_is_its_letters(values, kmer: int) -> None:
    encoder = SymbolEncoder.fit(values, SymbolsInput(column="dna", kmer=kmer, lowercase=True))
    assert not encoder.reads_items
    assert [len(ids) for ids in encoder.encode(["acgt"])] == [4 - kmer + 1]
