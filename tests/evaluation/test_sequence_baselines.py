from __future__ import annotations

import math

import numpy as np
import pytest

from seqline.evaluation.retrieval import majority_answer, nearest_text_answers, nearest_vector_answers
from seqline.evaluation.word_chains import bigram_statistics, unigram_statistics
from seqline.evaluation.word_translation import fit_dictionary

PAIRS = [
    ("das Haus", "the house"),
    ("das Buch", "the book"),
    ("ein Buch", "a book"),
    ("ein Haus steht", "a house stands"),
    ("das Buch steht", "the book stands"),
]


def test_a_dictionary_is_learnt_from_sentences_alone() -> None:
    dictionary = fit_dictionary(PAIRS, rounds=20)
    expected = {"das": "the", "haus": "house", "buch": "book", "ein": "a", "steht": "stands"}
    assert dictionary.translations == expected
    assert dictionary.translate("Ein Buch, das Ada kennt") == "a book , the Ada kennt"


def test_one_round_is_the_first_step_of_model_1_by_hand() -> None:
    # Uniform start: each target word shares itself out evenly among "" and its sentence's words.
    dictionary = fit_dictionary([("x y", "p"), ("x", "p"), ("y", "q")], rounds=1)
    # y: p gets 1/3, q gets 1/2
    assert dictionary.translations == {"x": "p", "y": "q"}


def test_empty_training_texts_give_an_empty_dictionary() -> None:
    assert fit_dictionary([]).translate("as it is") == "as it is"
    assert fit_dictionary([("x", "")]).translations == {}
    assert fit_dictionary([("", "p"), ("x", "q")], rounds=2).translations == {"x": "q"}


def test_the_majority_answer_is_the_first_of_the_most_frequent() -> None:
    assert majority_answer(["b", "a", "a", "b", "c"]) == "b"
    with pytest.raises(ValueError, match="no answers"):
        majority_answer([])


def test_the_nearest_text_answers() -> None:
    texts, answers = ["how are you", "where do you live", "what is it"], ["fine", "in Ulm", "a pen"]
    asked = ["where does she live?", "how are they", "zzz"]
    assert nearest_text_answers(texts, answers, asked) == ["in Ulm", "fine", "fine"]


def test_the_nearest_vector_answers_in_scaled_features() -> None:
    train = np.array([[0.0, 1000.0, 5.0], [1.0, 1001.0, 5.0], [0.0, 1004.0, 5.0]])
    asked = np.array([[0.9, 1000.0, 5.0], [0.0, 1003.9, 5.0]])
    assert nearest_vector_answers(train, ["a", "b", "c"], asked) == ["b", "c"]


def test_unigram_surprise_is_that_of_add_one_frequencies() -> None:
    train = [np.array([4, 4, 3]), np.array([5, 3])]
    chances = {3: 3 / 11, 4: 3 / 11, 5: 2 / 11, 0: 1 / 11}
    rows = unigram_statistics(train, [np.array([4, 3]), np.array([0])], vocab_size=6)
    assert rows[:, 1].tolist() == [2, 1]
    assert rows[0, 0] == pytest.approx(-math.log(chances[4] * chances[3]))
    assert rows[1, 0] == pytest.approx(-math.log(chances[0]))


def test_bigram_chances_sum_to_one_and_follow_witten_and_bell() -> None:
    train = [np.array([4, 4, 3]), np.array([4, 5, 3])]
    for before in ([], [4], [5], [0]):
        every = [np.array([*before, word]) for word in range(6)]
        nats = bigram_statistics(train, every, vocab_size=6, begin=2)[:, 0]
        head = bigram_statistics(train, [np.array(before)], vocab_size=6, begin=2)[0, 0] if before else 0.0
        assert np.exp(head - nats).sum() == pytest.approx(1.0)
    unigram_of_5 = 2 / 12
    (nats, tokens), *_ = bigram_statistics(train, [np.array([4, 5])], vocab_size=6, begin=2)
    # After begin: 4 twice of 2, one follower. After 4: 4, 3 and 5 once each, three followers.
    first = (2 + 1 * 4 / 12) / (2 + 1)
    assert nats == pytest.approx(-math.log(first * (1 + 3 * unigram_of_5) / (3 + 3)))
    assert tokens == 2


def test_word_chains_learnt_from_nothing_are_uniform() -> None:
    for rows in (
        unigram_statistics([], [np.array([4, 3])], vocab_size=6),
        bigram_statistics([], [np.array([4, 3])], vocab_size=6, begin=2),
    ):
        assert rows[0, 0] == pytest.approx(2 * math.log(6))
