from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from seqline.batch import IGNORED
from seqline.data.targets import fit_target, load_target
from seqline.data.targets.tags import TagEncoder, tags_of, tokens_of
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
    with pytest.raises(InputError, match="unknown tag 'Z' at position 2"):
        encoder.encode([["X", "Z"]], [2])


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        (["NP"], "tag 'NP' is not of scheme iob2"),
        (["S-NP"], "expected O, B-KIND or I-KIND"),
        (["O", "I-NP"], "tag 'I-NP' at position 2, after O: scheme iob2 forbids it"),
        (["I-NP"], "tag 'I-NP' at position 1, at the beginning"),
        ([], "no token"),
        ("   ", "no token"),
        (["O", " "], "token 2 is blank"),
        (None, "None"),
        ([7], "[7]"),
    ],
)
def test_bad_tags_are_refused_in_one_sentence(tags: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        tags_of(tags, IOB2)
    assert caught.value.where == "column 'tags'"
    assert message in caught.value.found
    assert "\n" not in caught.value.found


def test_good_tags_are_a_list_or_a_text() -> None:
    assert tags_of("O B-what I-what", IOB2) == ["O", "B-what", "I-what"]
    assert tags_of(["B-city"], IOB2) == ["B-city"]
    assert tags_of(["O", "I-NP"], TagsTarget(column="tags", scheme="iob1")) == ["O", "I-NP"]


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
