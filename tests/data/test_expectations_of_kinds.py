"""What validation finds in rows of each kind: faults planted one a row, each found by its own check with its severity."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from seqline.config import parse_recipe
from seqline.data.audio import to_base64, to_wav
from seqline.data.checks import row_tables
from seqline.data.expectations import Verdict, check_rules
from seqline.data.readers import Row
from seqline.data.rules import rules_for

Values = dict[str, Any]


def wav(number: int, *, seconds: float = 0.3, rate: int = 8_000, loudness: float = 0.5) -> str:
    times = np.arange(int(seconds * rate)) / rate
    return to_base64(to_wav(loudness * np.sin((900 + 7 * number) * times), sample_rate=rate))


def judge(sections: Values, train: list[Values], test: list[Values]) -> Verdict:
    names = ("validation", "split", "model", "training", "evaluation", "gate")
    recipe = parse_recipe({**{name: {} for name in names}, **sections}, "recipe of the test")
    rows = {
        split: [
            Row(line, {"id": f"{split}-{line}", **value}, "rows.jsonl")
            for line, value in enumerate(values, 1)
        ]
        for split, values in (("train", train), ("test", test))
    }
    if recipe.task == "forecasting":
        for row in rows["test"]:
            row.values["id"] = row.values["id"].replace("test", "train")
    tables = row_tables(recipe, rows)
    return check_rules(rules_for(recipe, tables), tables)


def broken(verdict: Verdict) -> dict[str, tuple[str, int | None, str | None]]:
    """What failed, by fact: split and severity, how many rows, and what was found in the first."""
    found = {}
    for check in verdict.checks:
        if not check.success:
            fact = f"{(check.column or '').rpartition(': ')[2]} {check.split} {check.severity}"
            found[fact] = (check.unexpected, check.examples[0].found if check.examples else None)
    return found  # type: ignore[return-value]


def labelled(kind: str, column: str, **given: Any) -> Values:
    return {
        "task": "classification",
        "input": {"kind": kind, "column": column, **given},
        "target": {"column": "label", "classes": ["a", "b"]},
    }


def label(number: int) -> str:
    return "ab"[number % 2]


KINDS: dict[str, tuple[Values, Any, dict[str, Any], dict[str, tuple[int, str | None]]]] = {
    # Recipe, sound rows, planted inputs by fault, and what must be found in train.
    "series": (
        labelled("series", "wave"),
        lambda i: {"wave": [[i, t, t * t % 5] for t in range(6)], "label": label(i)},
        {
            "text": "1,2,3",
            "ragged": [[1, 2, 3], [4, 5]],
            "not finite": [[1, 2, math.inf]],
            "null": [[1, None, 3]],
            "width": [[1, 2]],
            "flat": [[7, 7, 7]] * 5,
        },
        {
            "not a series train critical": (3, "text '1,2,3' instead of a list"),
            "missing numbers train critical": (1, "1 of 3 numbers, the first at step 1"),
            "other features train critical": (1, "2 features, not 3"),
            "flat train warning": (1, "5 steps"),
        },
    ),
    "vector": (
        labelled("vector", "v"),
        lambda i: {"v": [i, i * 0.5], "label": label(i)},
        {"text": "3", "nested": [[1], [2]], "width": [1, 2, 3], "null": [1, None]},
        {
            "not a vector train critical": (2, "text '3' instead of a list"),
            "missing numbers train critical": (1, "1 of 2 numbers, the first is feature 2"),
            "other features train critical": (1, "3 features, not 2"),
        },
    ),
    "symbols": (
        labelled("symbols", "dna", alphabet="ACGT"),
        lambda i: {
            "dna": np.base_repr(i + 64, 4).translate(str.maketrans("0123", "ACGT")),
            "label": label(i),
        },
        {"number": 7, "blank": " ", "foreign": "ACXN"},
        {
            "not symbols train critical": (1, "number 7"),
            "blank train critical": (1, "1 symbols, none visible"),
            "foreign symbol train critical": (1, "'X' at position 3 and 1 more"),
        },
    ),
    "audio": (
        labelled("audio", "sound"),
        lambda i: {"sound": wav(i), "label": label(i)},
        {
            "no base64": "sound",
            "rate": wav(200, rate=16_000),
            "short": wav(201, seconds=0.01),
            "loud": wav(202, loudness=3.0),
            "silent": wav(203, loudness=0.0),
        },
        {
            "not a recording train critical": (1, "no base64: 'sound'; expected a WAV file in base64"),
            "other sample rate train critical": (1, "16000 samples a second, not 8000"),
            "length in seconds train critical": (1, "0.01 s"),
            "clipping train warning": (1, None),
            "flat train warning": (1, "every sample is 0"),
        },
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_faults_of_each_kind_are_found_by_their_own_check(kind: str) -> None:
    sections, sound, planted, expected = KINDS[kind]
    column = sections["input"]["column"]
    train = [sound(i) for i in range(60)]
    assert broken(judge(sections, train, [sound(i) for i in range(60, 80)])) == {}
    train += [{**sound(0), column: value} for value in planted.values()]
    found = broken(judge(sections, train, [sound(i) for i in range(60, 80)]))
    assert found.keys() == expected.keys()
    for fact, (rows, what) in expected.items():
        assert found[fact][0] == rows, fact
        assert what is None or found[fact][1] == what, fact


def test_twins_and_leaks_are_found_however_they_are_spelled() -> None:
    sections, sound, _, _ = KINDS["series"]
    train = [sound(i) for i in range(60)]
    as_floats = [[float(number) for number in step] for step in train[3]["wave"]]
    train.append({**train[3], "wave": as_floats, "label": "a"})
    found = broken(judge(sections, train, [{**train[5], "label": "b"}, *(sound(i) for i in range(60, 99))]))
    assert found == {
        "same series before train info": (1, "train-4"),
        "conflicting labels train critical": (2, "a, b"),
        "conflicting labels train warning": (2, "a, b"),
        "in train too test critical": (1, "train-6"),
        "in train too test warning": (1, "train-6"),
    }


def test_as_many_flat_lines_as_the_recipe_allows_are_a_warning() -> None:
    sections, sound, _, _ = KINDS["series"]
    flat = [{"wave": [[i, i, i]] * 6, "label": label(i)} for i in range(15)]
    rows = [*(sound(i) for i in range(60)), *flat]
    test = [sound(i) for i in range(60, 80)]
    assert list(broken(judge(sections, rows, test))) == ["flat train warning"]
    strict = {**sections, "validation": {"max_flat_share": 0.1}}
    assert list(broken(judge(strict, rows, test))) == ["flat train critical", "flat train warning"]


def test_tags_are_checked_beside_their_tokens() -> None:
    sections = {
        "task": "tagging",
        "input": {"kind": "symbols", "column": "tokens"},
        "target": {"column": "tags"},
    }

    def sound(i: int) -> Values:
        return {"tokens": ["to", f"Rome{i}"], "tags": ["O", "B-LOC"]}

    train, test = [sound(i) for i in range(60)], [sound(i) for i in range(60, 80)]
    assert broken(judge(sections, train, test)) == {}
    train += [{**sound(90), "tags": "O O"}, {**sound(91), "tags": ["O"]}, {**sound(92), "tags": None}]
    train.append({**sound(94), "tags": ["O", "I-LOC"]})
    test.append({**sound(93), "tags": ["O", "B-PER"]})
    assert broken(judge(sections, train, test)) == {
        "tags train critical": (1, None),
        "not tags train critical": (1, "text 'O O' instead of a list"),
        "other count train critical": (1, "1 tags for 2 symbols"),
        "broken scheme train critical": (
            1,
            "tag 'I-LOC' at position 2, after O: scheme iob2 forbids it",
        ),
        "unseen tag test warning": (1, "'B-PER' at position 2"),
    }


def test_target_texts_are_not_blank_and_several_right_ones_are_a_note() -> None:
    sections = {"task": "translation", "input": {"column": "de"}, "target": {"column": "en"}}

    def sound(i: int) -> Values:
        return {"de": f"Satz {i}", "en": f"sentence {i}"}

    train, test = [sound(i) for i in range(60)], [sound(i) for i in range(60, 80)]
    train += [
        {**sound(70), "de": "x", "en": " "},
        {**sound(3), "en": "the third"},
        {**sound(71), "de": "y", "en": 5},
    ]
    assert broken(judge(sections, train, test)) == {
        "not text train critical": (1, "int"),
        "blank train critical": (1, "1 characters, none visible"),
        "same text before train info": (1, "train-4"),
        "conflicting target texts train info": (2, "sentence 3, the third"),
    }


def test_calendars_of_histories_are_checked_and_their_ids_may_go_on() -> None:
    sections = {
        "task": "forecasting",
        "input": {"kind": "history", "column": "value", "context_length": 4, "past": ["heat"]},
        "target": {"column": "value", "horizon": 2},
        "validation": {"min_rows": 1},
    }

    def sound(i: int, month: int = 1) -> Values:
        days = [f"2026-{month:02d}-{day:02d}" for day in range(1, 9)]
        return {"value": [i + d for d in range(8)], "timestamps": days, "heat": [d * 0.5 for d in range(8)]}

    train, test = [sound(i) for i in range(10)], [sound(100 + i, 2) for i in range(10)]
    assert broken(judge(sections, train, test)) == {}
    days = train[0]["timestamps"]
    train += [
        {**sound(20), "timestamps": [*days[:7], "2026-01-12"]},
        {**sound(21), "timestamps": [*days[:7], days[6]], "frequency": "D"},
        {**sound(22), "heat": [1, 2]},
        {**sound(23), "value": [1, None, *range(6)]},
    ]
    found = broken(judge({**sections, "input": {**sections["input"], "frequency": "D"}}, train, test))
    assert found == {
        "gaps train critical": (1, "4 of frequency D"),
        "duplicate timestamps train critical": (1, "1 of frequency D"),
        "times or covariates train critical": (1, "2 numbers in 'heat'; expected 8, one a value"),
        "missing numbers train critical": (1, "1 of 8 numbers, the first at step 2"),
    }
