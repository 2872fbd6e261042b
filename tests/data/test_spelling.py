"""What unknown tokens cost: the same for every vocabulary, counted over what is read of a text."""

from __future__ import annotations

import math
from typing import Any

import pytest

from seqline.data.inputs.symbols import SymbolEncoder
from seqline.data.spelling import spelling_nats
from seqline.data.targets.sequence import SequenceEncoder
from seqline.data.tokenization import TextTokenizer
from seqline.recipe import SequenceTarget, SymbolsInput, TextInput

SIGN = math.log(257)
TRAIN = ["the lamp is on the table", "the table is old"]


def text_input(**settings: Any) -> TextInput:
    return TextInput(column="text", min_count=1, **settings)


def test_a_token_is_spelled_in_bytes_and_an_end() -> None:
    assert spelling_nats("") == pytest.approx(SIGN)
    assert spelling_nats("été") == pytest.approx(6 * SIGN)


def test_known_texts_cost_nothing_and_count_all_their_characters() -> None:
    tokenizer = TextTokenizer.fit(TRAIN, text_input())
    assert tokenizer.spelling(["the  lamp!", "the old table "]).tolist() == [
        [pytest.approx(2 * SIGN), 10.0],
        [0.0, 14.0],
    ]


def test_unknown_words_are_spelled_as_they_stand_in_the_text() -> None:
    tokenizer = TextTokenizer.fit(TRAIN, text_input())
    spelled = tokenizer.spelling(["the CAFÉ is old", "a b", ""])
    assert spelled[0].tolist() == pytest.approx([6 * SIGN, 15.0])
    assert spelled[1].tolist() == pytest.approx([4 * SIGN, 3.0])
    assert spelled[2].tolist() == pytest.approx([SIGN, 0.0])


def test_what_is_not_read_neither_costs_nor_counts() -> None:
    tokenizer = TextTokenizer.fit(TRAIN, text_input(max_length=2, keep="head"))
    assert tokenizer.spelling(["the zebra and"], tokens=2)[0].tolist() == pytest.approx([6 * SIGN, 9.0])
    assert tokenizer.spelling(["the zebra and"])[0].tolist() == pytest.approx([10 * SIGN, 13.0])


def test_the_order_of_a_vocabulary_changes_nothing() -> None:
    section = SymbolsInput(column="items")
    one, other = (SymbolEncoder.fit([items], section) for items in (["a", "b", "b"], ["a", "a", "b"]))
    assert one.vocabulary != other.vocabulary and one.fingerprint == other.fingerprint
    pieces = [
        TextTokenizer.fit(texts, text_input(tokenizer="bpe", vocab_size=262))
        for texts in (["aaaa bbbb"] * 3, ["abab baba"] * 3)
    ]
    assert pieces[0].fingerprint != pieces[1].fingerprint


def test_a_smaller_vocabulary_costs_more_to_spell_and_counts_the_same_characters() -> None:
    small, large = (TextTokenizer.fit(TRAIN, text_input(vocab_size=size)) for size in (4, 100))
    few, many = small.spelling(TRAIN), large.spelling(TRAIN)
    assert (few[:, 0] > many[:, 0]).all() and (many[:, 0] == 0).all()
    assert few[:, 1].tolist() == many[:, 1].tolist() == [24.0, 16.0]
    assert small.fingerprint != large.fingerprint
    assert large.fingerprint == TextTokenizer.fit(list(TRAIN), text_input(vocab_size=100)).fingerprint


def test_byte_pieces_know_every_text() -> None:
    tokenizer = TextTokenizer.fit(TRAIN, text_input(tokenizer="bpe", vocab_size=300))
    assert tokenizer.spelling(["żółw 🐢 at noon"]).tolist() == [[0.0, 14.0]]


def test_items_of_a_list_are_spelled_with_a_space_between_them() -> None:
    encoder = SymbolEncoder.fit([["tent", "stove"]], SymbolsInput(column="items"))
    assert encoder.spelling([["tent", "rope", "stove"], "ab"]).tolist() == [
        [pytest.approx(5 * SIGN), 15.0],
        [pytest.approx(4 * SIGN), 2.0],
    ]
    assert encoder.fingerprint != SymbolEncoder.fit([["tent"]], SymbolsInput(column="items")).fingerprint


def test_a_target_is_cut_where_it_is_learnt() -> None:
    section = SequenceTarget(column="answer", min_count=1, max_length=3)
    encoder = SequenceEncoder.fit(TRAIN, section)
    assert encoder.spelling(["the old dog barks"]).tolist() == [[pytest.approx(4 * SIGN), 11.0]]
