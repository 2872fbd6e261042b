"""What a recurrent network has to beat: simple models, each a row of `BASELINES`.

Legend: M training rows (train and valid), N test rows, C classes, K row statistics, D features.

Baselines of labels tune nothing, so they are fitted on the train and the valid rows together; their settings were chosen
once on training rows (docs/evaluation.md) and hold for every data set. The same input gives the same bits.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from seqline.evaluation.forecast_baselines import (
    drift_statistics,
    naive_statistics,
    seasonal_naive_statistics,
    smoothing_statistics,
)
from seqline.evaluation.label_baselines import (
    convolutional,
    flat,
    kmers,
    naive_bayes_ratios,
    summarised,
    tfidf_bigrams,
    tfidf_unigrams,
    word_vectors,
)
from seqline.evaluation.ngrams import Words, fit_ngrams, symbols_of, words_of
from seqline.evaluation.number_baselines import mean_number, ridge
from seqline.evaluation.recordings import mean_frame, same_labels
from seqline.evaluation.writing import (
    key_frequency_statistics,
    key_persistence_statistics,
    kneser_ney_statistics,
    unigram_statistics,
)
from seqline.evaluation.written_baselines import (
    copied_source,
    most_frequent_answer,
    of_nearest_numbers,
    of_nearest_text,
    target_bigram,
    target_unigram,
    word_by_word,
)

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    from seqline.data.rows import SplitRows
    from seqline.evaluation.measures import Ints
    from seqline.recipe import Recipe

_MIN_TEXTS = 2

Made = TypeVar("Made")


@dataclass(frozen=True)
class Problem:
    """What a baseline learns from and what it answers.

    Attributes:
        recipe: Says what is predicted, and the seed.
        train: The rows a network learns from.
        valid: The rows it chooses its epoch by.
        test: The N rows to answer.
        encode: `rows -> arrays` as the network reads them: int64 (T,) ids, or float32 (T, D) features.
        vocab_size: Number of ids; None where inputs are features.
        longest: Longest n-gram that any baseline asks for.
    """

    recipe: Recipe
    train: SplitRows
    valid: SplitRows
    test: SplitRows
    encode: Callable[[SplitRows], Sequence[NDArray[Any]]] | None = None
    vocab_size: int | None = None
    longest: int = 1
    _made: dict[Any, Any] = field(default_factory=dict, compare=False)

    @cached_property
    def inputs(self) -> list[Any]:
        """The M inputs of train and valid."""
        return [*self.train.inputs, *self.valid.inputs]

    @cached_property
    def targets(self) -> Ints:
        """Their class indices, int64 (M,)."""
        return np.concatenate([self.train.targets, self.valid.targets])

    @property
    def num_classes(self) -> int:
        """C."""
        return len(self.recipe.classes)

    @property
    def seed(self) -> int:
        """Of everything that is drawn."""
        return self.recipe.evaluation.seed

    @property
    def split(self) -> Words:
        """What takes an input of words or symbols apart."""
        return words_of if self.recipe.input.kind == "text" else symbols_of

    @cached_property
    def shares(self) -> NDArray[np.float64]:
        """Share of each class among the M rows, float64 (C,)."""
        return np.bincount(self.targets, minlength=self.num_classes) / len(self.targets)

    @property
    def one_class(self) -> bool:
        """Whether there is nothing to tell apart."""
        return int(np.count_nonzero(self.shares)) < 2

    def by_share(self) -> NDArray[np.float64]:
        """The class shares as the answer to every test row, float64 (N, C)."""
        return np.tile(self.shares, (len(self.test), 1))

    def once(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """What several baselines need, made for the first that asks."""
        if key not in self._made:
            self._made[key] = make()
        made: Made = self._made[key]
        return made

    def counts(self, order: int, split: Words) -> tuple[csr_matrix, csr_matrix]:
        """Counts of n-grams up to an order: of the M rows and of the N, counted once for all baselines."""
        from scipy.sparse import hstack

        longest = max(order, self.longest)

        def count() -> tuple[list[csr_matrix], list[csr_matrix]]:
            for min_texts in (_MIN_TEXTS, 1):
                known, seen = fit_ngrams(self.inputs, max_order=longest, min_texts=min_texts, split=split)
                if known.words:
                    break
            return seen, known.transform(self.test.inputs)

        seen, asked = self.once((longest, split), count)
        return hstack(seen[:order], format="csr"), hstack(asked[:order], format="csr")

    def encoded(self) -> tuple[list[NDArray[Any]], list[NDArray[Any]]]:
        """The steps that the network reads, of the M rows and of the N.

        Raises:
            ValueError: Nobody said how the network reads them.
        """
        if self.encode is None:
            raise ValueError("this baseline reads what the network reads, and there is no encoder")
        return [*self.encode(self.train), *self.encode(self.valid)], list(self.encode(self.test))

    def arrays(self) -> tuple[list[NDArray[Any]], list[NDArray[Any]]]:
        """Features of the M rows and of the N, float32 (T, D) each.

        Raises:
            ValueError: The inputs are not numeric.
        """
        if self.vocab_size is not None:
            raise ValueError("this baseline reads numbers, and the inputs are none")
        return self.encoded()


@dataclass(frozen=True)
class Baseline:
    """A simple model and what to say about it.

    Attributes:
        title: A short name for tables.
        what: What it is, in a few words.
        kinds: Kinds of input it can read.
        tasks: Kinds of task it answers.
        answer: `problem -> float64 (N, K)`: class probabilities, rows sum to 1, or the task's row statistics.
        longest: Longest n-gram it reads; 0 when it reads none.
    """

    title: str
    what: str
    kinds: tuple[str, ...]
    tasks: tuple[str, ...]
    answer: Callable[[Problem], NDArray[np.float64]]
    longest: int = 0


def answer_all(names: Sequence[str], problem: Problem) -> dict[str, NDArray[np.float64]]:
    """Fit several baselines and answer the test rows.

    Args:
        names: Keys of `BASELINES`.
        problem: What there is to learn and to answer.

    Returns:
        Name -> float64 (N, K). A class without training rows gets probability 0. Where there is nothing to read, or only
        one class to learn, a baseline of labels answers with the class shares.

    Raises:
        ValueError: There is no training row.
    """
    if not len(problem.train) + len(problem.valid):
        raise ValueError("baselines need at least one training row")
    shared = replace(problem, longest=max([1, *(BASELINES[name].longest for name in names)]))
    return {name: BASELINES[name].answer(shared) for name in names}


def _frequent_tags(problem: Problem) -> NDArray[np.float64]:
    from seqline.evaluation.frequent_tags import FrequentTags
    from seqline.evaluation.spans import tag_statistics
    from seqline.recipe import TagsTarget

    target = problem.recipe.target
    if not isinstance(target, TagsTarget):
        raise ValueError("this baseline answers with tags, and the target is none")
    known = FrequentTags.fit(problem.inputs, [*problem.train.truths, *problem.valid.truths])
    answers = [known.answer(tokens) for tokens in problem.test.inputs]
    return tag_statistics(problem.test.truths, answers, target.scheme)


_LABELS = ("classification",)
_ALL = ("text", "symbols", "series", "vector", "audio")
_WORDS = ("text", "symbols")
_ONE_NUMBER = ("estimation",)
_HISTORY, _NUMBERS = ("history",), ("forecasting", "regression")

BASELINES: dict[str, Baseline] = {
    "majority": Baseline("Majority class", "", _ALL, _LABELS, Problem.by_share),
    "mean_number": Baseline("Mean", "of the training rows", _ALL, _ONE_NUMBER, mean_number),
    "ridge": Baseline(
        "Ridge regression",
        "on words and pairs, or on all numbers (ten figures of each feature where lengths differ)",
        _ALL,
        _ONE_NUMBER,
        ridge,
        2,
    ),
    "tfidf_unigram": Baseline(
        "TF-IDF words", "logistic regression on single words", _WORDS, _LABELS, tfidf_unigrams, 1
    ),
    "tfidf_bigram": Baseline(
        "TF-IDF bigrams",
        "logistic regression on words and pairs",
        _WORDS,
        _LABELS,
        tfidf_bigrams,
        2,
    ),
    "nb_lr": Baseline(
        "NB-LR",
        "logistic regression on naive Bayes ratios of 1 to 3 words",
        _WORDS,
        _LABELS,
        naive_bayes_ratios,
        3,
    ),
    "word2vec": Baseline(
        "Word vectors",
        "logistic regression on the mean of vectors factorised from neighbouring words",
        _WORDS,
        _LABELS,
        word_vectors,
    ),
    "kmer": Baseline(
        "k-mers",
        "logistic regression on 1 to 6 neighbouring letters or symbols",
        _WORDS,
        _LABELS,
        kmers,
    ),
    "flat": Baseline(
        "Logistic regression",
        "on all numbers, or on ten figures of each feature where lengths differ",
        ("series", "vector", "audio"),
        _LABELS,
        flat,
    ),
    "cnn": Baseline(
        "CNN",
        "one-dimensional convolutions of three widths over the same steps, largest response over time",
        _ALL,
        _LABELS,
        convolutional,
    ),
    "frequent_tag": Baseline(
        "Most frequent tag",
        "the tag a token most often has in train",
        ("symbols",),
        ("tagging",),
        _frequent_tags,
    ),
    "unigram": Baseline("Unigrams", "frequencies of tokens", _WORDS, ("generation",), unigram_statistics),
    "kneser_ney": Baseline(
        "Kneser-Ney",
        "n-grams of up to 5 words or 7 characters, interpolated",
        _WORDS,
        ("generation",),
        kneser_ney_statistics,
    ),
    "mean_frame": Baseline(
        "Mean frame",
        "the mean frame of all recordings for their mean length",
        ("symbols",),
        ("synthesis",),
        mean_frame,
    ),
    "same_labels": Baseline(
        "Another take",
        "the first known recording of the same labels",
        ("symbols",),
        ("synthesis",),
        same_labels,
    ),
    "naive": Baseline("Naive", "the last value", _HISTORY, _NUMBERS, naive_statistics),
    "seasonal_naive": Baseline(
        "Seasonal naive", "the values of the last season", _HISTORY, _NUMBERS, seasonal_naive_statistics
    ),
    "drift": Baseline(
        "Drift", "the line through the first and the last value", _HISTORY, _NUMBERS, drift_statistics
    ),
    "exponential_smoothing": Baseline(
        "Exponential smoothing",
        "a level, its weight chosen on each context",
        _HISTORY,
        _NUMBERS,
        smoothing_statistics,
    ),
    "key_frequency": Baseline(
        "Key frequencies", "one chance for each key", ("piano",), ("music",), key_frequency_statistics
    ),
    "key_persistence": Baseline(
        "Key persistence",
        "two chances for each key: after it sounded, and after it did not",
        ("piano",),
        ("music",),
        key_persistence_statistics,
    ),
    "copy": Baseline("Copy", "the source as it is", ("text",), ("translation",), copied_source),
    "word_by_word": Baseline(
        "Word by word",
        "each word's likeliest translation (IBM model 1), in the order of the source",
        ("text",),
        ("translation",),
        word_by_word,
    ),
    "majority_answer": Baseline(
        "Most frequent answer",
        "the same answer to everything",
        ("text", "vector", "series"),
        ("answering", "captioning"),
        most_frequent_answer,
    ),
    "nearest_text": Baseline(
        "Nearest text",
        "the answer of the most similar training text (TF-IDF)",
        ("text",),
        ("translation", "answering", "dialogue"),
        of_nearest_text,
    ),
    "nearest_numbers": Baseline(
        "Nearest neighbour",
        "the answer of the training row with the nearest numbers",
        ("vector", "series"),
        ("captioning",),
        lambda problem: of_nearest_numbers(problem, summarised),
    ),
    "target_unigram": Baseline(
        "Unigrams", "frequencies of the answers' tokens", ("text",), ("dialogue",), target_unigram
    ),
    "target_bigram": Baseline(
        "Bigrams", "pairs of the answers' tokens (Witten-Bell)", ("text",), ("dialogue",), target_bigram
    ),
}
