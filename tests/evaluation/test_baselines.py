import os
import subprocess
import sys

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

from seqline.evaluation.baselines import BASELINES, fit_predict, fit_predict_all, tfidf
from seqline.evaluation.ngrams import TOKEN_PATTERN, fit_ngrams

GOOD, BAD, FILLER = (
    ("good", "fine", "lovely"),
    ("bad", "poor", "awful"),
    ("the", "food", "was", "room", "and"),
)


def _toy(num_rows, seed, num_classes=2):
    rng = np.random.default_rng(seed)
    cues = [GOOD, BAD, ("lost", "broken", "late")][:num_classes]
    targets = rng.integers(0, num_classes, num_rows)
    texts = [
        " ".join(rng.permutation([*rng.choice(FILLER, 4), *rng.choice(cues[target], 2)]))
        for target in targets
    ]
    return texts, targets


@pytest.mark.parametrize("name", [name for name in BASELINES if name != "majority"])
@pytest.mark.parametrize("num_classes", [2, 3])
def test_baselines_learn_what_words_say(name, num_classes):
    texts, targets = _toy(200, 0, num_classes)
    asked, truth = _toy(100, 1, num_classes)
    arguments = {
        "train_texts": texts,
        "train_targets": targets,
        "test_texts": asked,
        "num_classes": num_classes,
    }
    probs = fit_predict(name, **arguments, seed=0)
    assert (probs.argmax(axis=1) == truth).mean() > 0.95
    np.testing.assert_allclose(probs.sum(axis=1), 1)
    majority = fit_predict("majority", **arguments, seed=0)
    assert (majority.argmax(axis=1) == truth).mean() < 0.7
    assert probs.tobytes() == fit_predict(name, **arguments, seed=0).tobytes()


def test_sharing_the_counts_changes_no_baseline():
    texts, targets = _toy(120, 2)
    arguments = {"train_texts": texts, "train_targets": targets, "test_texts": texts[:20], "num_classes": 2}
    together = fit_predict_all(list(BASELINES), **arguments, seed=0)
    for name in BASELINES:
        np.testing.assert_array_equal(together[name], fit_predict(name, **arguments, seed=0))


_DIGEST_OF_ANSWERS = """
import hashlib
import numpy as np
from seqline.evaluation.baselines import fit_predict_all
rng = np.random.default_rng(0)
words = [f"w{i}" for i in range(20_000)]
targets = rng.integers(0, 2, 300)
texts = [" ".join([*rng.choice(words, 150), *rng.choice(words[t::2][:500], 5)]) for t in targets]
answers = fit_predict_all(
    ["tfidf_unigram"], train_texts=texts, train_targets=targets, test_texts=texts[:50], num_classes=2, seed=0
)
print(hashlib.sha256(b"".join(p.tobytes() for p in answers.values())).hexdigest())
"""


def test_answers_do_not_depend_on_threads_or_on_the_process():
    # BLAS uses a second thread for vectors of more than 10,000 numbers only, hence the size of the vocabulary.
    digests = set()
    for threads in ("1", "2"):
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": threads, "PYTHONHASHSEED": threads}
        done = subprocess.run(
            [sys.executable, "-c", _DIGEST_OF_ANSWERS],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        digests.add(done.stdout)
    assert len(digests) == 1


def test_majority_answers_with_the_class_shares():
    probs = fit_predict(
        "majority",
        train_texts=["a"] * 4,
        train_targets=np.array([0, 1, 1, 1]),
        test_texts=["x"],
        num_classes=3,
        seed=0,
    )
    assert probs.tolist() == [[0.25, 0.75, 0.0]]


@pytest.mark.parametrize("name", BASELINES)
@pytest.mark.parametrize(
    ("texts", "targets"),
    [
        (["", " ", ""], [0, 1, 1]),
        (["a b", "c d", "e f"], [0, 1, 1]),
        (["a b", "a b", "a b"], [1, 1, 1]),
        (["a b c", "a b c", "d e f", "d e f"], [0, 0, 2, 2]),
    ],
    ids=["no words", "every word once", "one class", "a class without rows"],
)
def test_baselines_answer_whatever_there_is_to_learn(name, texts, targets):
    probs = fit_predict(
        name,
        train_texts=texts,
        train_targets=np.array(targets),
        test_texts=["a b", "", "zzz"],
        num_classes=3,
        seed=0,
    )
    assert probs.shape == (3, 3)
    assert np.isfinite(probs).all()
    np.testing.assert_allclose(probs.sum(axis=1), 1)


def test_no_training_rows_are_refused():
    with pytest.raises(ValueError, match="at least one"):
        fit_predict(
            "majority", train_texts=[], train_targets=np.array([]), test_texts=["a"], num_classes=2, seed=0
        )


def _texts(num_rows, seed):
    rng = np.random.default_rng(seed)
    words = ["a", "Bb", "c!", "d", "é", "f-g", "H?"]
    return [" ".join(rng.choice(words, rng.integers(0, 12))) for _ in range(num_rows)]


def _columns(matrix):
    """A matrix as its sorted columns: two matrices with the same columns in another order are equal."""
    return sorted(tuple(column) for column in matrix.toarray().T)


@pytest.mark.parametrize("min_texts", [1, 2, 5])
def test_ngram_counts_equal_scikit_learns(min_texts):
    train, test = _texts(60, 0), _texts(30, 1)
    vocabulary, counted = fit_ngrams(train, max_order=3, min_texts=min_texts)
    transformed = vocabulary.transform(test)
    for order in (1, 2, 3):
        theirs = CountVectorizer(
            ngram_range=(order, order), min_df=min_texts, tokenizer=TOKEN_PATTERN.findall, token_pattern=None
        )
        seen, asked = theirs.fit_transform(train), theirs.transform(test)
        assert _columns(counted[order - 1]) == _columns(seen)
        assert _columns(transformed[order - 1]) == _columns(asked)


def test_tfidf_equals_scikit_learns():
    train, test = _texts(60, 0), _texts(30, 1)
    vocabulary, counted = fit_ngrams(train, max_order=1, min_texts=2)
    ours = tfidf(counted[0], vocabulary.transform(test)[0], np.zeros(60, dtype=bool))
    theirs = TfidfVectorizer(sublinear_tf=True, min_df=2, tokenizer=TOKEN_PATTERN.findall, token_pattern=None)
    expected = theirs.fit_transform(train).toarray(), theirs.transform(test).toarray()
    places = [theirs.vocabulary_[word] for word in vocabulary.words]
    for mine, their in zip(ours, expected, strict=True):
        np.testing.assert_allclose(mine.toarray(), their[:, places])
