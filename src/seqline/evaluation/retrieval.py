"""Answers without a network: the most frequent one, and the one that the most similar training input had.

Legend: M training rows, N test rows, D features.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from seqline.evaluation.ngrams import TOKEN_PATTERN

# Similarities of one chunk of test rows against all training rows: 16 million float64 are 128 MB.
_CHUNK_CELLS = 16_000_000
_TINIEST = 1e-12


def majority_answer(answers: Sequence[str]) -> str:
    """The most frequent training answer; of equally frequent ones the first seen.

    Raises:
        ValueError: There is none.
    """
    if not answers:
        raise ValueError("no answers to choose from")
    return Counter(answers).most_common(1)[0][0]


def nearest_text_answers(
    train_texts: Sequence[str], train_answers: Sequence[str], test_texts: Sequence[str]
) -> list[str]:
    """For each test text the answer of the training text most similar to it.

    Similarity is the cosine of TF-IDF vectors over words; of equally similar texts the first counts, also where no word is
    shared.

    Args:
        train_texts: M texts.
        train_answers: M answers.
        test_texts: N texts.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(token_pattern=TOKEN_PATTERN.pattern, dtype=np.float64)
    train = vectorizer.fit_transform(train_texts)
    test = vectorizer.transform(test_texts)
    rows = max(1, _CHUNK_CELLS // max(1, train.shape[0]))
    answers: list[str] = []
    for start in range(0, test.shape[0], rows):
        similarity = (test[start : start + rows] @ train.T).toarray()
        answers += [train_answers[int(place)] for place in similarity.argmax(axis=1)]
    return answers


def nearest_vector_answers(
    train_vectors: NDArray[np.floating], train_answers: Sequence[str], test_vectors: NDArray[np.floating]
) -> list[str]:
    """For each test vector the answer of the training vector nearest to it.

    Distance is Euclid's after each feature is brought to mean 0 and variance 1 of train; of equally near ones the first.

    Args:
        train_vectors: float (M, D).
        train_answers: M answers.
        test_vectors: float (N, D).
    """
    train = np.asarray(train_vectors, dtype=np.float64)
    mean, spread = train.mean(axis=0), train.std(axis=0)
    spread = np.where(spread > _TINIEST, spread, 1.0)
    train = (train - mean) / spread
    test = (np.asarray(test_vectors, dtype=np.float64) - mean) / spread
    squares = (train**2).sum(axis=1)
    rows = max(1, _CHUNK_CELLS // max(1, len(train)))
    answers: list[str] = []
    for start in range(0, len(test), rows):
        # The test vector's own square is the same for all neighbours.
        distance = squares - 2 * test[start : start + rows] @ train.T
        answers += [train_answers[int(place)] for place in distance.argmin(axis=1)]
    return answers
