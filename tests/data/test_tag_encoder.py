from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from seqline.batch import IGNORED
from seqline.data.targets import fit_target, load_target
from seqline.data.targets.tags import TagEncoder, row_faults, tags_of, tokens_of
from seqline.errors import InputError
from seqline.recipe import TagsTarget

IOB2 = TagsTarget(column="tags")
PLAIN = TagsTarget(column="pos", scheme="plain")


def test_tags_of_train_get_places_in_alphabetical_order_and_come_back(tmp_path: Path) -> None:
    encoder = fit_target([["B-to", "I-to", "O"], ["O", "B-by"]], IOB2)
    assert encoder.sizes == {"tags": ["B-by", "B-to", "I-to", "O"], "scheme": "iob2"}
    encoded = encoder.encode([["O", "B-to", "I-to"], ["B-by"]], [3, 1])
    assert [row.tolist() for row in encoded] == [[3, 1, 2], [0]]
    encoder.save(tmp_path / "target.json")
    loaded = load_target(tmp_path, IOB2)
    assert loaded.sizes == encoder.sizes
    assert loaded.truth("O B-to") == ["O", "B-to"]


def test_a_tag_that_train_never_had_is_nothing_to_learn_from() -> None:
    encoder = fit_target([["NOUN", "VERB"]], PLAIN)
    (row,) = encoder.encode([["VERB", "INTJ"]], [2])
    assert row.tolist() == [1, IGNORED]
    assert encoder.fill == IGNORED


def test_tags_of_the_recipe_are_the_only_ones() -> None:
    section = TagsTarget(column="pos", scheme="plain", tags=["X", "Y"])
    encoder = fit_target([["Y"]], section)
    assert isinstance(encoder, TagEncoder)
    assert encoder.tags == ("X", "Y")
    with pytest.raises(InputError, match="tag 'Z' at place 2"):
        encoder.encode([["X", "Z"]], [2])


@pytest.mark.parametrize(
    ("tokens", "tags", "message"),
    [
        (["a", "b"], ["O"], "1 tags in column 'tags' for 2 tokens"),
        (["a"], ["O", "O"], "2 tags in column 'tags' for 1 tokens"),
        (["a"], ["NP"], "tag 'NP' is not of scheme iob2"),
        (["a"], ["S-NP"], "expected O, B-KIND or I-KIND"),
        (["a", "b"], ["O", "I-NP"], "I-NP at place 2, after O"),
        (["a"], ["I-NP"], "I-NP at place 1, at the beginning"),
        ([], ["O"], "input: no token"),
        (["a"], [], "column 'tags': no token"),
        ("   ", ["O"], "input: no token"),
        (["a", " "], ["O", "O"], "token 2 is blank"),
        (["a", 3], ["O", "O"], "input: ['a', 3]"),
        (["a"], None, "column 'tags': None"),
        (["a"], [7], "column 'tags': [7]"),
    ],
)
def test_a_bad_row_is_told_in_one_sentence(tokens: Any, tags: Any, message: str) -> None:
    (sentence,) = row_faults(tokens, tags, IOB2)
    assert message in sentence
    assert "\n" not in sentence


def test_a_good_row_has_no_fault() -> None:
    assert row_faults("book a table", "O B-what I-what", IOB2) == []
    assert row_faults(["New York"], ["B-city"], IOB2) == []
    assert row_faults(["a", "b"], ["O", "I-NP"], TagsTarget(column="tags", scheme="iob1")) == []


def test_rows_of_unequal_lengths_are_refused_with_the_row() -> None:
    encoder = fit_target([["X", "Y"]], PLAIN)
    with pytest.raises(InputError, match=r"row 2 of its split.*\n?.*3 tags") as caught:
        encoder.encode([["X"], ["X", "Y", "X"]], [1, 2])
    assert caught.value.exit_code == 2


def test_one_tag_is_nothing_to_tell_apart() -> None:
    with pytest.raises(InputError, match="1 different tags"):
        fit_target([["X", "X"]], PLAIN)


def test_texts_are_split_at_spaces_and_lists_taken_as_they_are() -> None:
    assert tokens_of(" to  New York ") == ["to", "New", "York"]
    assert tokens_of(["New York"]) == ["New York"]
    assert tags_of("X Y", PLAIN) == ["X", "Y"]
