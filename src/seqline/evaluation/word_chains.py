"""How surprised simple models of word order are: unigrams and bigrams over the ids a network predicts.

A dialogue network that knows nothing of the question is a language model of answers; a bigram model is the simplest one
worth the name. Both give the row statistics of perplexity, over the same ids and with END counted, so their figures
stand beside the network's.

Legend: N rows, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.integer]
Floats = NDArray[np.float64]


def unigram_statistics(train: Sequence[Ints], test: Sequence[Ints], *, vocab_size: int) -> Floats:
    """Surprise at each test sequence of a model that knows word frequencies only, counted with one added to each.

    Args:
        train: Sequences of ids, END included.
        test: N such sequences.
        vocab_size: V.

    Returns:
        float64 (N, 2): nats, and tokens.
    """
    surprise = -np.log(_unigram(train, vocab_size))
    return np.array([[surprise[ids].sum(), len(ids)] for ids in test], dtype=np.float64).reshape(-1, 2)


def bigram_statistics(train: Sequence[Ints], test: Sequence[Ints], *, vocab_size: int, begin: int) -> Floats:
    """Surprise at each test sequence of a model that knows the word before.

    `P(w | v) = (c(v w) + t(v) P(w)) / (c(v) + t(v))`, c counts in train, t(v) the number of different words after v: a word
    with many different followers leaves more to the unigram model.

    Args:
        train: Sequences of ids, END included.
        test: N such sequences.
        vocab_size: V.
        begin: Id that stands before the first word.

    Returns:
        float64 (N, 2): nats, and tokens.

    Source: Witten and Bell, "The zero-frequency problem", 1991, method C.
    """
    unigram = _unigram(train, vocab_size)
    pairs = np.concatenate([_pairs(ids, vocab_size, begin) for ids in train] or [np.zeros(0, dtype=np.int64)])
    seen, counts = np.unique(pairs, return_counts=True)
    before_total = np.bincount(seen // vocab_size, counts, minlength=vocab_size)
    followers = np.bincount(seen // vocab_size, minlength=vocab_size)
    rows = []
    for ids in test:
        wanted = _pairs(ids, vocab_size, begin)
        before = wanted // vocab_size
        place = np.minimum(np.searchsorted(seen, wanted), max(len(seen) - 1, 0))
        count = np.where(seen[place] == wanted, counts[place], 0) if len(seen) else np.zeros(len(wanted))
        # A word never seen before any other says nothing: the unigram alone.
        weight = np.where(before_total[before] > 0, followers[before], 1)
        chance = (count + weight * unigram[ids]) / (before_total[before] + weight)
        rows.append([-np.log(chance).sum(), len(ids)])
    return np.array(rows, dtype=np.float64).reshape(-1, 2)


def _unigram(train: Sequence[Ints], vocab_size: int) -> Floats:
    flat = np.concatenate([np.asarray(ids, dtype=np.int64) for ids in train] or [np.zeros(0, dtype=np.int64)])
    counts = np.bincount(flat, minlength=vocab_size) + 1.0
    return counts / counts.sum()


def _pairs(ids: Ints, vocab_size: int, begin: int) -> NDArray[np.int64]:
    words = np.asarray(ids, dtype=np.int64)
    return np.concatenate([[begin], words[:-1]]).astype(np.int64) * vocab_size + words
