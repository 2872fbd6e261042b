"""Text to ids: what is a token, what is unknown, what a cut keeps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import pre_tokenizers

from seqline.batch import PADDING_ID, UNKNOWN_ID
from seqline.data.tokenization import TOKENIZER_FILE, TextTokenizer, cut
from seqline.errors import InputError
from seqline.recipe import TextInput

TEXTS = ["The food isn't good!", "the FOOD is good", "good food, good <br /> mood", "ｗide good"] * 2


def section(**changes: object) -> TextInput:
    return TextInput(column="text", **{"min_count": 1, **changes})


def words(tokenizer: TextTokenizer, text: str) -> list[str]:
    (ids,) = tokenizer.encode([text])
    return tokenizer.tokens(ids)


def test_words_keep_their_apostrophes_and_signs_are_tokens() -> None:
    tokenizer = TextTokenizer.fit(TEXTS, section())
    assert words(tokenizer, "The food ISN'T good!!") == ["the", "food", "isn't", "good", "!", "!"]


def test_compatible_characters_are_one() -> None:
    assert words(TextTokenizer.fit(TEXTS, section()), "wide ｇood") == ["wide", "good"]


def test_markup_is_dropped_when_the_recipe_says_so() -> None:
    assert "br" in TextTokenizer.fit(TEXTS, section()).tokenizer.get_vocab()
    assert words(TextTokenizer.fit(TEXTS, section(strip_markup=True)), "good<br />food") == ["good", "food"]


def test_ids_0_and_1_are_padding_and_unknown_and_frequent_words_come_first() -> None:
    tokenizer = TextTokenizer.fit(TEXTS, section())
    assert tokenizer.tokens([PADDING_ID, UNKNOWN_ID, 2]) == ["[PAD]", "[UNK]", "good"]


def test_rare_words_are_unknown_and_counted() -> None:
    tokenizer = TextTokenizer.fit(["good good bad"], section(min_count=2))
    assert [ids.tolist() for ids in tokenizer.encode(["good bad", ""])] == [[2, UNKNOWN_ID], [UNKNOWN_ID]]
    assert tokenizer.unknown_share(["good good bad good"]) == pytest.approx(1 / 4)
    assert tokenizer.unknown_share([]) == 0.0


@pytest.mark.parametrize("kind", ["word", "char", "bpe"])
def test_a_saved_tokenizer_answers_as_before_and_fitting_is_deterministic(tmp_path: Path, kind: str) -> None:
    first, second = (TextTokenizer.fit(TEXTS, section(tokenizer=kind, vocab_size=300)) for _ in range(2))
    first.save(tmp_path / TOKENIZER_FILE)
    loaded = TextTokenizer.load(tmp_path / TOKENIZER_FILE, section(tokenizer=kind))
    text = "The good food, unseen words"
    assert first.tokenizer.to_str() == second.tokenizer.to_str()
    assert words(loaded, text) == words(first, text)
    assert loaded.vocab_size == first.vocab_size <= 300


def test_characters_are_tokens() -> None:
    assert words(TextTokenizer.fit(TEXTS, section(tokenizer="char")), "go od") == ["g", "o", " ", "o", "d"]


def test_bpe_knows_every_text() -> None:
    tokenizer = TextTokenizer.fit(TEXTS, section(tokenizer="bpe", vocab_size=300))
    assert tokenizer.unknown_share(["quite unseen: żółć 漢字 🙂"]) == 0.0


def test_byte_pairs_learn_a_word_with_its_vowel_signs() -> None:
    word = "किताब"
    tokenizer = TextTokenizer.fit([f"{word} यह {word}"] * 9, section(tokenizer="bpe", vocab_size=400))
    whole, *others = tokenizer.encode([word, f"यह {word}"])
    assert len(whole) == 1
    assert others[0].tolist()[1:] == whole.tolist()


@pytest.mark.parametrize(
    "text", ["It's the 2nd  one, isn't it?\n\tYes.", " led by a space", "żółć 漢字 🙂", "  two"]
)
def test_text_without_marks_is_cut_as_gpt_2_cuts_it(text: str) -> None:
    fitted = TextTokenizer.fit(TEXTS, section(tokenizer="bpe", vocab_size=300, lowercase=False)).tokenizer
    found = fitted.pre_tokenizer.pre_tokenize_str(fitted.normalizer.normalize_str(text))
    expected = pre_tokenizers.ByteLevel(add_prefix_space=True).pre_tokenize_str(text)
    assert [piece for piece, _ in found] == [piece for piece, _ in expected]


@pytest.mark.parametrize(
    ("keep", "expected"),
    [("head", [0, 1, 2, 3, 4]), ("tail", [5, 6, 7, 8, 9]), ("head_tail", [0, 1, 7, 8, 9])],
)
def test_a_cut_keeps_what_the_recipe_says(keep: str, expected: list[int]) -> None:
    assert cut(np.arange(10), max_length=5, keep=keep).tolist() == expected


@given(st.integers(1, 60), st.integers(1, 40), st.sampled_from(["head", "tail", "head_tail"]))
def test_a_cut_is_never_longer_than_allowed_and_never_empty(length: int, max_length: int, keep: str) -> None:
    assert len(cut(np.arange(length), max_length=max_length, keep=keep)) == min(length, max_length)


@given(st.text(max_size=80), st.sampled_from(["word", "bpe"]))
def test_any_text_of_unicode_is_encoded_or_refused(text: str, kind: str) -> None:
    tokenizer = TextTokenizer.fit(TEXTS, section(tokenizer=kind, vocab_size=300))
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        with pytest.raises(InputError, match="lone surrogate"):
            list(tokenizer.encode([text]))
    else:
        (ids,) = tokenizer.encode([text])
        assert len(ids) >= 1
        assert PADDING_ID not in ids


def test_the_names_of_special_tokens_are_ordinary_text() -> None:
    tokenizer = TextTokenizer.fit(["[pad] food"], section())
    assert words(tokenizer, "[PAD] food") == ["[", "pad", "]", "food"]
    assert PADDING_ID not in next(tokenizer.encode(["[PAD]"]))


def test_a_lone_surrogate_is_refused_with_its_place() -> None:
    with pytest.raises(InputError, match=r"U\+D800\) at character 3"):
        list(TextTokenizer.fit(TEXTS, section()).encode(["ok\ud800"]))
