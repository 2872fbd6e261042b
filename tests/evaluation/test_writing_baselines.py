"""Baselines of what is written: the row statistics of their task, over the tokens the network reads."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from seqline.config import parse_recipe
from seqline.data.rows import SplitRows
from seqline.evaluation.baselines import Problem, answer_all
from seqline.evaluation.writing import key_statistics

SECTIONS: dict[str, Any] = {
    "validation": {},
    "split": {},
    "training": {},
    "evaluation": {},
    "gate": {},
    "model": {},
}


def rows_of(inputs: list[Any]) -> SplitRows:
    return SplitRows([str(i) for i in range(len(inputs))], inputs, [None] * len(inputs), {})


def problem_of(task: str, section: dict[str, Any], train: list[Any], test: list[Any]) -> Problem:
    recipe = parse_recipe(
        {
            **SECTIONS,
            "task": task,
            "input": {**section, "keep": "head"},
            "target": {"column": section["column"]},
        },
        "test",
    )
    return Problem(recipe, rows_of(train), rows_of(train[:2]), rows_of(test))


def test_n_grams_count_words_and_the_end_of_each_line() -> None:
    train = ["a b a b", "a b", "b a", "a b a"] * 3
    problem = problem_of("generation", {"column": "text", "min_count": 1}, train, ["a b a", "b", "a zz"])
    found = answer_all(["unigram", "kneser_ney"], problem)
    for values in found.values():
        assert values.shape == (3, 6)
        assert values[:, 4].tolist() == pytest.approx([0, 0, 3 * math.log(257)])
        assert values[:, 5].tolist() == [5, 1, 4]
        assert values[:, 1].tolist() == [4, 2, 3]
        assert (values[:, 2] <= values[:, 3]).all() and (values[:, 3] <= values[:, 1]).all()
    assert found["kneser_ney"][0, 0] < found["unigram"][0, 0]
    # Of 4 lines: a 6 times, b 5, end 4, and the two valid lines again: a 3, b 3, end 2.
    total = 3 * 15 + 8
    assert found["unigram"][1, 0] == pytest.approx(-math.log(18 / total) - math.log(14 / total), rel=0.1)


def test_letters_are_counted_as_letters() -> None:
    section = {"column": "text", "tokenizer": "char", "min_count": 1}
    problem = problem_of("generation", section, ["abab", "baba", "abba"], ["ab"])
    assert answer_all(["kneser_ney"], problem)["kneser_ney"][0, 1] == 3


def test_key_chances_by_hand() -> None:
    seen = [np.array([[1, 0], [1, 0], [0, 1], [1, 0]], dtype=np.float32)]
    asked = [np.array([[1, 0], [1, 1], [0, 0]], dtype=np.float32)]
    # Key 0 sounds at 2 of the 3 steps after the first, key 1 at 1; half a count more on either side.
    p0, p1 = 2.5 / 4, 1.5 / 4
    nll = -math.log(p0 * p1 * (1 - p0) * (1 - p1))
    assert key_statistics(seen, asked, given=False)[0].tolist() == pytest.approx([nll, 2, 1, 3])
    # After sounding, key 0 went on once and stopped once; from silence it came once. Key 1: went 0 of 1, came 1 of 2.
    on0, off0, on1, off1 = 1.5 / 3, 1.5 / 2, 0.5 / 2, 1.5 / 3
    nll = -math.log(on0 * off1 * (1 - on0) * (1 - on1))
    found = key_statistics(seen, asked, given=True)[0]
    assert found.tolist() == pytest.approx([nll, 2, 0, 2])
    assert off0 > 0.5


def test_music_has_both_of_its_baselines() -> None:
    pieces = [[[60], [62], [60]], [[60], [60], [62]]] * 4
    found = answer_all(
        ["key_frequency", "key_persistence"],
        problem_of("music", {"kind": "piano", "column": "notes"}, pieces, pieces[:2]),
    )
    assert all(values.shape == (2, 4) and values[:, 1].tolist() == [2, 2] for values in found.values())
