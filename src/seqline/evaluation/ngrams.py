"""Counts of words and word n-grams as sparse matrices, one matrix an order, read from the texts once.

Legend: N texts, F_k features of order k (k words in a row). The words of symbols are the symbols.

Scikit-learn's `CountVectorizer` builds every n-gram as a string and walks the texts again for each baseline.
Here words become numbers once and an n-gram is one integer, (number of its first k - 1 words, number of its
last), so all orders of 25,000 long reviews are counted in seconds. The matrices are those of
`CountVectorizer` up to the order of the columns.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

# A word of any length, or one sign: "!", "?" and "..." carry sentiment, and single letters are words ("I").
TOKEN_PATTERN = re.compile(r"\w+|[^\w\s]")

Words = Callable[[Any], list[str]]


def words_of(text: str) -> list[str]:
    """The words and signs of a text, in lower case."""
    return TOKEN_PATTERN.findall(text.lower())


def symbols_of(sequence: str | Sequence[Any]) -> list[str]:
    """The letters of a string or the items of a list."""
    return list(sequence) if isinstance(sequence, str) else [str(item) for item in sequence]


@dataclass(frozen=True)
class NgramVocabulary:
    """What was seen in enough training texts.

    Attributes:
        words: Word -> its column among the words.
        tables: One sorted int64 array (F_k,) for each order from 2 on: `column of the first k - 1 words * F_1
            + column of the last word`. The position in the array is the column of the n-gram.
        split: What takes a text apart.
    """

    words: dict[str, int]
    tables: tuple[NDArray[np.int64], ...]
    split: Words = words_of

    def transform(self, texts: Sequence[Any]) -> list[csr_matrix]:
        """Count the known n-grams of each text: one int64 CSR matrix (N, F_k) for each order."""
        rows, columns = numbered(texts, self.words, self.split)
        matrices = [_count_matrix(rows, columns, (len(texts), len(self.words)))]
        grams = columns
        for order, table in enumerate(self.tables, start=2):
            starts, keys = _keys(rows, columns, grams, order, len(self.words))
            places = np.minimum(np.searchsorted(table, keys), max(len(table) - 1, 0))
            known = table[places] == keys if len(table) else np.zeros(len(keys), dtype=bool)
            grams = np.full(len(columns), -1, dtype=np.int64)
            grams[starts[known]] = places[known]
            matrices.append(_count_matrix(rows, grams, (len(texts), len(table))))
        return matrices


def fit_ngrams(
    texts: Sequence[Any], *, max_order: int, min_texts: int, split: Words = words_of
) -> tuple[NgramVocabulary, list[csr_matrix]]:
    """Learn the n-grams that occur in at least `min_texts` texts, and count them.

    Args:
        texts: N training texts.
        max_order: Longest n-gram.
        min_texts: Fewest texts an n-gram must occur in. Its parts occur in at least as many, so an n-gram
            with a rare part is dropped before it is counted, without changing the result.
        split: What takes a text apart.

    Returns:
        The vocabulary, and one int64 CSR matrix (N, F_k) for each order from 1 to `max_order`.
    """
    seen: dict[str, int] = {}
    for text in texts:
        for word in split(text):
            seen.setdefault(word, len(seen))
    rows, numbers = numbered(texts, seen, split)
    kept, columns = _frequent(rows, numbers, np.arange(len(seen)), len(texts), min_texts)
    spelled = list(seen)
    words = {spelled[number]: column for column, number in enumerate(kept)}
    matrices = [_count_matrix(rows, columns, (len(texts), len(words)))]
    tables = []
    grams = columns
    for order in range(2, max_order + 1):
        starts, keys = _keys(rows, columns, grams, order, len(words))
        table, inverse = np.unique(keys, return_inverse=True)
        table, places = _frequent(rows[starts], inverse, table, len(texts), min_texts)
        grams = np.full(len(columns), -1, dtype=np.int64)
        grams[starts] = places
        tables.append(table)
        matrices.append(_count_matrix(rows, grams, (len(texts), len(table))))
    return NgramVocabulary(words, tuple(tables), split), matrices


def numbered(
    texts: Sequence[Any], numbers: dict[str, int], split: Words
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the text each word of all texts is in, and its number or -1 for none; both int64 (words,)."""
    found = [[numbers.get(word, -1) for word in split(text)] for text in texts]
    lengths = np.array([len(row) for row in found], dtype=np.int64)
    flat = np.fromiter((number for row in found for number in row), dtype=np.int64, count=int(lengths.sum()))
    return np.repeat(np.arange(len(texts)), lengths), flat


def _keys(
    rows: NDArray[np.int64], columns: NDArray[np.int64], grams: NDArray[np.int64], order: int, num_words: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where an n-gram of known parts starts, and its key: both int64 (n-grams,)."""
    last = order - 1
    if len(columns) <= last:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    whole = (rows[last:] == rows[:-last]) & (grams[:-last] >= 0) & (columns[last:] >= 0)
    starts = np.flatnonzero(whole)
    return starts, grams[starts] * num_words + columns[starts + last]


def _frequent(
    rows: NDArray[np.int64],
    features: NDArray[np.int64],
    names: NDArray[np.int64],
    num_texts: int,
    min_texts: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the features in enough texts, and each occurrence's new column, -1 where its feature went."""
    counts = _count_matrix(rows, features, (num_texts, len(names)))
    keep = np.bincount(counts.indices, minlength=len(names)) >= min_texts
    return names[keep], np.where(keep, np.cumsum(keep) - 1, -1)[features]


def _count_matrix(rows: NDArray[np.int64], columns: NDArray[np.int64], shape: tuple[int, int]) -> csr_matrix:
    from scipy.sparse import csr_matrix

    known = columns >= 0
    starts = np.r_[0, np.cumsum(np.bincount(rows[known], minlength=shape[0]))]
    counts = csr_matrix((np.ones(int(known.sum()), dtype=np.int64), columns[known], starts), shape=shape)
    counts.sum_duplicates()
    return counts
