"""Bad targets of every kind get a clear sentence."""

from __future__ import annotations

import math
from typing import Any

import pytest

from seqline.data.kinds.targets import LabelKind, NumberKind, SequenceKind, TagsKind, TargetKind, number_of

KINDS: dict[str, TargetKind] = {
    "label": LabelKind(("no", "yes")),
    "number": NumberKind(),
    "tags": TagsKind(frozenset({"O", "B-LOC"})),
    "learnt": TagsKind(),
    "spans": TagsKind(scheme="iob2"),
    "whole spans": TagsKind(scheme="iobes"),
    "sequence": SequenceKind(),
}
TOKENS = ["in", "Rome"]
BAD = [
    ("label", None, ["no value"]),
    ("label", "", ["no value"]),
    ("label", "maybe", ["'maybe' is none of no, yes"]),
    ("number", None, ["no value"]),
    ("number", math.nan, ["not a finite number but number nan"]),
    ("number", "12", ["not a finite number but text '12'"]),
    ("number", 1e300, ["not a finite number but number 1e+300"]),
    ("number", True, ["not a finite number but truth value True"]),
    ("tags", None, ["no value"]),
    ("tags", "O O", ["not tags: text 'O O' instead of a list"]),
    ("tags", ["O"], ["1 tags for 2 symbols"]),
    ("tags", [], ["not tags: no tags"]),
    ("tags", ["O", ""], ["not tags: tag 2 is text ''"]),
    ("tags", ["O", 3], ["not tags: tag 2 is number 3"]),
    ("tags", ["O", "B-PER"], ["unknown tag 'B-PER' at position 2"]),
    ("tags", ["X", "B-PER", "O"], ["3 tags for 2 symbols", "unknown tag 'X' at position 1 and 1 more"]),
    ("learnt", ["X"], ["1 tags for 2 symbols"]),
    ("spans", ["B-LOC", "I-PER"], ["tag 'I-PER' at position 2, after B-LOC: scheme iob2 forbids it"]),
    ("spans", ["I-LOC", "O"], ["tag 'I-LOC' at position 1, at the beginning: scheme iob2 forbids it"]),
    ("spans", ["O", "LOC"], ["tag 'LOC' is not of scheme iob2: expected O, B-KIND or I-KIND"]),
    ("whole spans", ["O", "B-LOC"], ["tag 'B-LOC' at position 2, after O: scheme iobes forbids it"]),
    ("sequence", None, ["no value"]),
    ("sequence", 5, ["not text but number 5"]),
    ("sequence", " \u200b", ["blank, 2 characters, none visible"]),
    ("sequence", "a\0", ["NUL or surrogate U+0000"]),
]


@pytest.mark.parametrize(("kind", "value", "sentences"), BAD)
def test_a_bad_target_gets_clear_sentences(kind: str, value: Any, sentences: list[str]) -> None:
    assert KINDS[kind].faults(value, TOKENS) == sentences


def test_good_targets_have_no_faults() -> None:
    good = {
        "label": "yes",
        "number": -3,
        "tags": ["O", "B-LOC"],
        "learnt": ["x", "y"],
        "spans": ["B-LOC", "I-LOC"],
        "sequence": "à Rome",
    }
    for kind, value in good.items():
        assert KINDS[kind].faults(value, TOKENS) == []
        assert KINDS[kind].findings(value, TOKENS) == []
    assert KINDS["tags"].faults(["O", "O"], "in Rome") == [], "tags of a text are one a word"


def test_a_tag_that_train_lacks_is_a_warning() -> None:
    kind = TagsKind(seen=frozenset({"O"}))
    assert [f.sentence for f in kind.findings(["O", "B-LOC"], TOKENS)] == ["unseen tag 'B-LOC' at position 2"]
    assert kind.faults(["O", "B-LOC"], TOKENS) == []


def test_values_that_say_the_same_have_one_meaning() -> None:
    assert KINDS["label"].meaning(1) == KINDS["label"].meaning("1")
    assert KINDS["number"].meaning(2) == KINDS["number"].meaning(2.0) != KINDS["number"].meaning(2.5)
    assert KINDS["sequence"].meaning("A  b") == KINDS["sequence"].meaning("a B")
    assert KINDS["tags"].meaning(["O", "O"]) == "O O"
    assert [kind.meaning(None) for kind in KINDS.values()] == [None] * len(KINDS)


@pytest.mark.parametrize(
    ("text", "number"), [("12", 12.0), ("-0.5", -0.5), (".5", 0.5), ("1e3", 1000.0), ("5.", 5.0)]
)
def test_plain_numbers_in_text_are_read(text: str, number: float) -> None:
    assert number_of(text) == number


@pytest.mark.parametrize("value", ["", "1,5", "1 000", "nan", "0x10", "1e999", "٣", None, True, 7])
def test_anything_else_stays_as_it_is(value: Any) -> None:
    assert number_of(value) is value
