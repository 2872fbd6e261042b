from __future__ import annotations

from pathlib import Path

import pytest

from seqline.batch import BEGIN_ID, END_ID, PADDING_ID, UNKNOWN_ID
from seqline.data.targets import TARGET_FILE, fit_target, load_target
from seqline.data.targets.sequence import SequenceEncoder, joined
from seqline.errors import InputError
from seqline.recipe import SequenceTarget

TEXTS = ["Ein Hund läuft, und (noch) ein Hund!", "Ein Haus steht hier.", "Der Hund läuft."]


def encoder(texts: list[str] = TEXTS, **settings: object) -> SequenceEncoder:
    section = SequenceTarget.model_validate({"column": "german", "min_count": 1, **settings})
    fitted = fit_target(texts, section)
    assert isinstance(fitted, SequenceEncoder)
    return fitted


def ids_of(fitted: SequenceEncoder, text: str) -> list[int]:
    return [int(i) for i in fitted.encode([text], [1])[0]]


@pytest.mark.parametrize("tokenizer", ["word", "char", "bpe"])
def test_what_is_encoded_is_written_back(tokenizer: str) -> None:
    fitted = encoder(tokenizer=tokenizer, vocab_size=400)
    for text in TEXTS:
        *ids, end = ids_of(fitted, text)
        assert end == END_ID
        assert not {PADDING_ID, UNKNOWN_ID, BEGIN_ID, END_ID} & set(ids)
        assert fitted.decode(ids, fitted.words(ids)) == text
    assert fitted.sizes["target_vocab_size"] > 4


def test_the_four_marks_have_their_ids_and_their_letters_are_plain_text() -> None:
    fitted = encoder()
    assert fitted.tokenizer.tokens([0, 1, 2, 3]) == ["[PAD]", "[UNK]", "[BEGIN]", "[END]"]
    assert END_ID not in ids_of(fitted, "Hund [END] Hund")[:-1]


def test_long_targets_are_cut_and_unknown_words_are_unknown() -> None:
    fitted = encoder(max_length=3)
    assert ids_of(fitted, TEXTS[1])[-1] == END_ID
    assert len(ids_of(fitted, TEXTS[1])) == 4
    assert ids_of(fitted, "Ein Pferd")[1] == UNKNOWN_ID


def test_a_saved_vocabulary_is_the_same_vocabulary(tmp_path: Path) -> None:
    fitted = encoder(tokenizer="bpe", vocab_size=300)
    fitted.save(tmp_path / TARGET_FILE)
    loaded = load_target(tmp_path, fitted.section)
    assert loaded.sizes == fitted.sizes
    assert [list(ids) for ids in loaded.encode(TEXTS, [])] == [list(ids) for ids in fitted.encode(TEXTS, [])]


@pytest.mark.parametrize("value", [None, 7, "", " \n", ["Hund"]])
def test_what_is_no_text_is_refused(value: object) -> None:
    fitted = encoder()
    for verb in (fitted.truth, lambda one: fitted.encode([one], [1]), lambda one: encoder([*TEXTS, one])):
        with pytest.raises(InputError, match="column 'german'"):
            verb(value)
    assert fitted.truth("Hund") == "Hund"


def test_signs_stand_where_people_put_them() -> None:
    words = ["«", "So", "?", "»", ",", "(", "a", ",", "b", ")", ":", "50", "%", "-", "x", "!", "!"]
    assert joined(words) == "«So?», (a, b): 50% - x!!"
    assert joined([]) == ""
