"""What a file is for, told from its columns: each use is found, what the user says is taken for true, and the rest is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from seqline.data.guess import guess
from seqline.data.look import Given, Guess
from seqline.data.readers import Row
from seqline.errors import InputError


def guessed(values: list[dict[str, Any]], **given: Any) -> Guess:
    return guess([Row(i, value, "mine.csv") for i, value in enumerate(values, 2)], Given(**given))


def table(rows: int, **columns: Callable[[int], Any]) -> list[dict[str, Any]]:
    return [{name: make(i) for name, make in columns.items()} for i in range(rows)]


REVIEWS = table(40, text=lambda i: f"a thing said {i} times", label=lambda i: "no" if i % 3 else "yes")
LONG = [
    {"id": f"s{g}", "label": "ab"[g % 2], "subject": f"p{g % 3}", "step": str(t), "x": str(t / 2), "y": "1"}
    for g in range(6)
    for t in range(5)
]
SALES = [
    {"timestamp": f"2026-0{m}-01", "series": shop, "value": str(m * 1.5)}
    for m in range(1, 8)
    for shop in ("a", "b")
]
VECTORS = table(
    60,
    a=lambda i: str(i * 0.37),
    b=lambda i: str(-i),
    kind=lambda i: ["red", "green", "blue"][i % 3],
)
USES: dict[str, tuple[list[dict[str, Any]], dict[str, Any]]] = {
    "text and label": (
        REVIEWS,
        {"task": "classification", "kind": "text", "inputs": ("text",), "target": "label"},
    ),
    "letters of a small alphabet": (
        table(20, dna=lambda i: "ACGT" * 4 + "ACGT"[i % 4] * (i % 5), label=lambda i: i % 2),
        {
            "task": "classification",
            "kind": "symbols",
            "inputs": ("dna",),
            "target": "label",
            "alphabet": "ACGT",
        },
    ),
    "a long table with labels": (
        LONG,
        {
            "task": "classification",
            "kind": "series",
            "inputs": ("x", "y"),
            "target": "label",
            "group": "id",
            "order": "step",
            "split_by": "subject",
            "long": True,
        },
    ),
    "a long table without": (
        SALES,
        {
            "task": "forecasting",
            "kind": "history",
            "inputs": ("value",),
            "target": None,
            "group": "series",
            "order": "timestamp",
            "long": True,
        },
    ),
    "one series in columns": (
        table(9, date=lambda i: f"2026-01-0{i + 1}", power=str, heat=lambda i: str(-i)),
        {"task": "forecasting", "inputs": ("power", "heat"), "group": None, "order": "date", "long": True},
    ),
    "columns of numbers and a label": (
        VECTORS,
        {"task": "classification", "kind": "vector", "inputs": ("a", "b"), "target": "kind", "long": False},
    ),
    "sales beside other numbers": (
        [{**row, "heat": "1.5"} for row in SALES],
        {"task": "forecasting", "inputs": ("value",), "beside": ("heat",), "group": "series"},
    ),
    "two texts": (
        table(20, source=lambda i: f"ein Satz {i} hier", target=lambda i: f"a sentence {i} here"),
        {"task": "translation", "kind": "text", "inputs": ("source",), "target": "target"},
    ),
    "two languages": (
        table(20, de=lambda i: f"ein Satz {i} hier", en=lambda i: f"a sentence {i} here"),
        {"task": "translation", "inputs": ("de",), "target": "en"},
    ),
    "tokens and tags": (
        table(20, tokens=lambda i: ["in", f"Rome{i}"], tags=lambda i: ["O", "LOC"]),
        {"task": "tagging", "kind": "symbols", "inputs": ("tokens",), "target": "tags"},
    ),
    "tokens and tags of a table": (
        table(20, tokens=lambda i: f"in Rome{i}", tags=lambda i: "O LOC"),
        {"task": "tagging", "kind": "symbols", "inputs": ("tokens",), "target": "tags"},
    ),
    "a text alone": (
        table(20, text=lambda i: f"line {i} of a play"),
        {"task": "generation", "kind": "text", "inputs": ("text",), "target": None},
    ),
    "lists of numbers, unequally long": (
        table(20, wave=lambda i: [0.5] * (i + 1), label=lambda i: "ab"[i % 2]),
        {"task": "classification", "kind": "series", "inputs": ("wave",), "target": "label"},
    ),
    "lists of numbers, equally long": (
        table(20, wave=lambda i: [0.5, i], label=lambda i: "ab"[i % 2]),
        {"task": "classification", "kind": "vector", "inputs": ("wave",), "target": "label"},
    ),
    "sound": (
        table(20, audio=lambda i: f"UklGR{i:04d}", digit=lambda i: str(i % 2), speaker=lambda i: f"v{i % 3}"),
        {
            "task": "classification",
            "kind": "audio",
            "inputs": ("audio",),
            "target": "digit",
            "split_by": "speaker",
        },
    ),
}


@pytest.mark.parametrize("use", USES)
def test_each_use_is_found_and_says_why(use: str) -> None:
    values, expected = USES[use]
    found = guessed(values)
    assert {name: getattr(found, name) for name in expected} == expected
    assert found.reasons
    assert all("\n" not in reason for reason in found.reasons)


def test_what_the_user_says_is_taken_for_true() -> None:
    assert guessed(REVIEWS, kind="symbols").kind == "symbols"
    assert guessed(VECTORS, target="b", task="classification").target == "b"
    assert guessed(VECTORS, inputs=("a",)).inputs == ("a",)
    walk = guessed(LONG, inputs=("y",), target="subject", group="id", order="step")
    assert (walk.inputs, walk.target) == (("y",), "subject")
    assert guessed(LONG, task="forecasting").task == "forecasting"
    equal = USES["lists of numbers, equally long"][0]
    assert guessed(equal, kind="series").kind == "series"


@pytest.mark.parametrize(
    ("values", "given", "message"),
    [
        (REVIEWS, {"target": "lable"}, "no column 'lable'; its columns are 'text', 'label'"),
        (REVIEWS, {"kind": "audio"}, "no use of its columns found for kind audio: 'text', 'label'"),
        (REVIEWS, {"task": "forecasting"}, "no use of its columns found for task forecasting"),
        (REVIEWS, {"target": "Label"}, "did you mean 'label'?"),
        (
            table(60, a=lambda i: i * 0.1, b=lambda i: -i, target=lambda i: i * 1.25),
            {},
            "60 different numbers as what is to be predicted",
        ),
        (table(5, a=lambda i: "same", b=lambda i: "same"), {}, "say what it is with --kind"),
    ],
)
def test_what_fits_no_use_is_refused(
    values: list[dict[str, Any]], given: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError) as caught:
        guessed(values, **given)
    assert message in str(caught.value)
    assert "mine.csv" in str(caught.value)
