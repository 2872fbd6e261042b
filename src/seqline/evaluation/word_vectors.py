"""Vectors of words without a network: the factors of how often words stand near each other.

Legend: M training texts, N test texts, V words, D size of a vector.

Skip-gram with negative sampling (word2vec) factorises, without saying so, the matrix of shifted pointwise mutual
information of words and their neighbours. Its positive part, factorised outright, gives vectors of the same kind in
seconds, the same bits each time; nothing has to be trained.

Source: Mikolov et al., 2013; Levy and Goldberg, 2014; Levy, Goldberg and Dagan, 2015 (smoothed contexts, root of the
singular values).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from seqline.evaluation.ngrams import Words, fit_ngrams, numbered, words_of

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

_DIMENSIONS = 300
_WINDOW = 5
_MAX_WORDS = 20_000
_MIN_TEXTS = 2
_CONTEXT_POWER = 0.75
_POWER_ITERATIONS = 4


def mean_vectors(
    train: Sequence[Any], test: Sequence[Any], *, seed: int, split: Words = words_of
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Learn word vectors on the train texts and average them over the words of each text.

    Args:
        train: M texts.
        test: N texts.
        seed: Starts the search for the singular vectors.
        split: What takes a text apart.

    Returns:
        float64 (M, D) and (N, D); a text without a known word is the zero vector. D is 0 when no word occurs in two
        texts.
    """
    vocabulary, counted = fit_ngrams(train, max_order=1, min_texts=_MIN_TEXTS, split=split)
    counts = counted[0]
    totals = np.asarray(counts.sum(axis=0)).ravel()
    kept = np.sort(np.argsort(-totals, kind="stable")[:_MAX_WORDS])
    place = np.full(len(totals), -1, dtype=np.int64)
    place[kept] = np.arange(len(kept))
    words = {word: int(place[column]) for word, column in vocabulary.words.items() if place[column] >= 0}
    vectors = _vectors(_neighbours(*numbered(train, words, split), len(words)), seed)
    return tuple(_averaged(matrix[:, kept], vectors) for matrix in (counts, vocabulary.transform(test)[0]))  # type: ignore[return-value]


def _neighbours(rows: NDArray[np.int64], words: NDArray[np.int64], num_words: int) -> csr_matrix:
    """How often words stand near each other, float64 (V, V), nearer ones counting more."""
    from scipy.sparse import coo_matrix, csr_matrix

    known = words >= 0
    rows, words = rows[known], words[known]
    total = csr_matrix((num_words, num_words), dtype=np.float64)
    for distance in range(1, min(_WINDOW, len(words) - 1) + 1):
        together = rows[distance:] == rows[:-distance]
        pair = (words[:-distance][together], words[distance:][together])
        weights = np.full(len(pair[0]), (_WINDOW - distance + 1) / _WINDOW)
        total = total + coo_matrix((weights, pair), shape=total.shape).tocsr()
    return csr_matrix(total + total.T)


def _vectors(neighbours: csr_matrix, seed: int) -> NDArray[np.float64]:
    """float64 (V, D): left factors of the positive pointwise mutual information."""
    from sklearn.utils.extmath import randomized_svd
    from threadpoolctl import threadpool_limits

    size = min(_DIMENSIONS, neighbours.shape[0] - 1)
    if size < 1 or not neighbours.nnz:
        return np.zeros((neighbours.shape[0], 0))
    information = neighbours.tocoo()
    of_word = np.asarray(neighbours.sum(axis=1)).ravel()
    of_context = of_word**_CONTEXT_POWER
    of_context /= of_context.sum()
    chance = of_word[information.row] * of_context[information.col]
    information.data = np.maximum(np.log(information.data / chance), 0.0)
    # Matrix products of BLAS differ in the last bits between one thread and two.
    with threadpool_limits(limits=1, user_api="blas"):
        left, singular, _ = randomized_svd(
            information.tocsr(), size, n_iter=_POWER_ITERATIONS, random_state=seed
        )
    vectors: NDArray[np.float64] = left * np.sqrt(singular)
    return vectors


def _averaged(counts: csr_matrix, vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    lengths = np.maximum(np.asarray(counts.sum(axis=1)), 1)
    averaged: NDArray[np.float64] = counts.astype(np.float64) @ vectors / lengths
    return averaged
