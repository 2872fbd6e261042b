from __future__ import annotations

import pytest

from seqline.config import parse_recipe
from seqline.data.rows import SplitRows
from seqline.evaluation.baselines import Problem, answer_all
from seqline.evaluation.frequent_tags import FrequentTags

RECIPE = {
    "task": "tagging",
    "input": {"kind": "symbols", "column": "tokens"},
    "target": {"column": "tags", "scheme": "plain"},
    **{name: {} for name in ("validation", "split", "model", "training", "evaluation", "gate")},
}


def rows(*pairs: tuple[str, str]) -> SplitRows:
    return SplitRows(
        ids=[str(n) for n in range(len(pairs))],
        inputs=[tokens.split() for tokens, _ in pairs],
        truths=[tags.split() for _, tags in pairs],
        columns={},
    )


def test_each_token_gets_its_most_frequent_tag_and_others_the_most_frequent_of_all() -> None:
    known = FrequentTags.fit(
        [["run", "a", "run"], ["run", "fast", "fast"]], [["V", "D", "N"], ["N", "A", "B"]]
    )
    assert known.by_token == {"run": "N", "a": "D", "fast": "A"}
    assert known.overall == "N"
    assert known.answer(["a", "Run", "run"]) == ["D", "N", "N"]


def test_nothing_to_learn_from_is_refused() -> None:
    with pytest.raises(ValueError, match="no token"):
        FrequentTags.fit([], [])


def test_as_a_baseline_it_learns_from_train_and_valid_and_gives_row_statistics() -> None:
    problem = Problem(
        recipe=parse_recipe(RECIPE, "r.yaml"),
        train=rows(("a dog", "D N")),
        valid=rows(("a cat", "D N")),
        test=rows(("a cat barks", "D N V"), ("dog", "N")),
    )
    found = answer_all(["frequent_tag"], problem)["frequent_tag"]
    assert found.tolist() == [[2, 3, 2, 3, 3, 0], [1, 1, 1, 1, 1, 1]]
