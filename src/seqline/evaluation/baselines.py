"""What a recurrent network has to beat: simple models, each a row of `BASELINES`.

Legend: M training rows (train and valid), N test rows, C classes, K row statistics, D features.

Baselines of labels tune nothing, so they are fitted on the train and the valid rows together; their settings were chosen
once on training rows (docs/evaluation.md) and hold for every data set. The same input gives the same bits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from seqline.evaluation.linear import Weighting, nb_ratio, one_against_rest, softmax_regression, tfidf
from seqline.evaluation.ngrams import Words, fit_ngrams, numbered, symbols_of, words_of
from seqline.evaluation.writing import (
    key_frequency_statistics,
    key_persistence_statistics,
    kneser_ney_statistics,
    unigram_statistics,
)

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    from seqline.data.rows import SplitRows
    from seqline.evaluation.measures import Floats, Ints
    from seqline.recipe import Recipe

_MIN_TEXTS = 2
_MAX_CNN_WORDS = 20_000
_MAX_FLAT_FEATURES = 5_000
_PARTS = 4
_WORD_WIDTHS = (3, 4, 5)
_STEP_WIDTHS = (3, 5, 9)
# Inverse strengths of the L2 penalty, chosen on training rows: docs/evaluation.md.
_TFIDF_C = 10.0
_NB_C = 1.0
_KMER_C = 10.0
_DENSE_C = 1.0


@dataclass(frozen=True)
class Problem:
    """What a baseline learns from and what it answers.

    Attributes:
        recipe: Says what is predicted, and the seed.
        train: The rows a network learns from.
        valid: The rows it chooses its epoch by.
        test: The N rows to answer.
        features: Of numeric inputs, `rows -> (T, D) arrays`, as the network reads them.
        longest: Longest n-gram that any baseline asks for.
    """

    recipe: Recipe
    train: SplitRows
    valid: SplitRows
    test: SplitRows
    features: Callable[[SplitRows], Sequence[NDArray[Any]]] | None = None
    longest: int = 1
    _counted: dict[Any, Any] = field(default_factory=dict, compare=False)

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

    def counts(self, order: int, split: Words) -> tuple[csr_matrix, csr_matrix]:
        """Counts of n-grams up to an order: of the M rows and of the N, counted once for all baselines."""
        from scipy.sparse import hstack

        longest = max(order, self.longest)
        key = (longest, split)
        if key not in self._counted:
            for min_texts in (_MIN_TEXTS, 1):
                known, seen = fit_ngrams(self.inputs, max_order=longest, min_texts=min_texts, split=split)
                if known.words:
                    break
            self._counted[key] = seen, known.transform(self.test.inputs)
        seen, asked = self._counted[key]
        return hstack(seen[:order], format="csr"), hstack(asked[:order], format="csr")

    def arrays(self) -> tuple[list[NDArray[Any]], list[NDArray[Any]]]:
        """Features of the M rows and of the N, float32 (T, D) each.

        Raises:
            ValueError: The inputs are not numeric.
        """
        if self.features is None:
            raise ValueError("this baseline reads numbers, and the inputs are none")
        seen = [*self.features(self.train), *self.features(self.valid)]
        return seen, list(self.features(self.test))


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


def _linear(
    order: int,
    weighting: Weighting,
    inverse_penalty: float,
    *,
    per_class: bool = False,
    letters: bool = False,
) -> Callable[[Problem], NDArray[np.float64]]:
    def answer(problem: Problem) -> NDArray[np.float64]:
        if problem.one_class:
            return problem.by_share()
        seen, asked = problem.counts(order, symbols_of if letters else problem.split)
        if not seen.shape[1]:
            return problem.by_share()
        return one_against_rest(
            seen,
            problem.targets,
            asked,
            weighting=weighting,
            per_class=per_class,
            inverse_penalty=inverse_penalty,
            num_classes=problem.num_classes,
            seed=problem.seed,
        )

    return answer


def _word_vectors(problem: Problem) -> NDArray[np.float64]:
    from seqline.evaluation.word_vectors import mean_vectors

    seen, asked = mean_vectors(problem.inputs, problem.test.inputs, seed=problem.seed, split=problem.split)
    return _dense(problem, seen, asked)


def _flat(problem: Problem) -> NDArray[np.float64]:
    seen, asked = problem.arrays()
    shapes = {sequence.shape for sequence in [*seen, *asked]}
    whole = len(shapes) == 1 and int(np.prod(next(iter(shapes)))) <= _MAX_FLAT_FEATURES
    read = np.ravel if whole else summarised
    return _dense(problem, *(np.array([read(s) for s in part], dtype=np.float64) for part in (seen, asked)))


def summarised(sequence: Floats) -> NDArray[np.float64]:
    """Say a series of any length in ten numbers a feature.

    They are mean, deviation, least, largest, first and last value, and the means of its quarters.

    Args:
        sequence: float (T, D).

    Returns:
        float64 (10 D,).
    """
    steps = np.asarray(sequence, dtype=np.float64)
    edges = np.linspace(0, len(steps), _PARTS + 1).round().astype(int)
    parts = [
        steps[min(start, len(steps) - 1) : max(end, start + 1)].mean(axis=0) for start, end in pairwise(edges)
    ]
    whole = [steps.mean(axis=0), steps.std(axis=0), steps.min(axis=0), steps.max(axis=0), steps[0], steps[-1]]
    return np.concatenate([*whole, *parts])


def _dense(problem: Problem, seen: NDArray[np.float64], asked: NDArray[np.float64]) -> NDArray[np.float64]:
    if problem.one_class or not seen.shape[1]:
        return problem.by_share()
    return softmax_regression(
        seen, problem.targets, asked, inverse_penalty=_DENSE_C, num_classes=problem.num_classes
    )


def _convolutional(problem: Problem) -> NDArray[np.float64]:
    from seqline.evaluation.convolution import convolve

    numeric = problem.features is not None
    seen, asked, vocab_size = (*problem.arrays(), None) if numeric else _ids(problem)
    if problem.one_class or vocab_size == _FIRST_WORD:
        return problem.by_share()
    return convolve(
        seen,
        problem.targets,
        asked,
        vocab_size=vocab_size,
        widths=_WORD_WIDTHS if problem.recipe.input.kind == "text" else _STEP_WIDTHS,
        num_classes=problem.num_classes,
        seed=problem.seed,
    )


# 0 is padding, 1 a word that is not known.
_FIRST_WORD = 2


def _ids(problem: Problem) -> tuple[list[NDArray[Any]], list[NDArray[Any]], int]:
    """Ids of the words or symbols, int64 (T,) each, of the M rows and of the N, and the number of ids."""
    split = problem.split
    known, counted = fit_ngrams(problem.inputs, max_order=1, min_texts=_MIN_TEXTS, split=split)
    frequent = np.argsort(-np.asarray(counted[0].sum(axis=0)).ravel(), kind="stable")[:_MAX_CNN_WORDS]
    place = {column: _FIRST_WORD + rank for rank, column in enumerate(frequent.tolist())}
    words = {word: place[column] for word, column in known.words.items() if column in place}
    parts = []
    for inputs in (problem.inputs, problem.test.inputs):
        rows, ids = numbered(inputs, words, split)
        edges = np.searchsorted(rows, np.arange(1, len(inputs)))
        parts.append(np.split(np.where(ids < 0, 1, ids), edges))
    return parts[0], parts[1], _FIRST_WORD + len(words)


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

BASELINES: dict[str, Baseline] = {
    "majority": Baseline("Majority class", "", _ALL, _LABELS, Problem.by_share),
    "tfidf_unigram": Baseline(
        "TF-IDF words", "logistic regression on single words", _WORDS, _LABELS, _linear(1, tfidf, _TFIDF_C), 1
    ),
    "tfidf_bigram": Baseline(
        "TF-IDF bigrams",
        "logistic regression on words and pairs",
        _WORDS,
        _LABELS,
        _linear(2, tfidf, _TFIDF_C),
        2,
    ),
    "nb_lr": Baseline(
        "NB-LR",
        "logistic regression on naive Bayes ratios of 1 to 3 words",
        _WORDS,
        _LABELS,
        _linear(3, nb_ratio, _NB_C, per_class=True),
        3,
    ),
    "word2vec": Baseline(
        "Word vectors",
        "logistic regression on the mean of vectors factorised from neighbouring words",
        _WORDS,
        _LABELS,
        _word_vectors,
    ),
    "kmer": Baseline(
        "k-mers",
        "logistic regression on 1 to 6 neighbouring letters or symbols",
        _WORDS,
        _LABELS,
        _linear(6, tfidf, _KMER_C, letters=True),
    ),
    "flat": Baseline(
        "Logistic regression",
        "on all numbers, or on ten figures of each feature where lengths differ",
        ("series", "vector", "audio"),
        _LABELS,
        _flat,
    ),
    "cnn": Baseline(
        "CNN",
        "one-dimensional convolutions of three widths, largest response over time",
        _ALL,
        _LABELS,
        _convolutional,
    ),
    "frequent_tag": Baseline(
        "Most frequent tag",
        "the tag a token most often has in train",
        ("symbols",),
        ("tagging",),
        _frequent_tags,
    ),
    "unigram": Baseline(
        "Unigrams", "frequencies of tokens", _WORDS, ("generation",), unigram_statistics
    ),
    "kneser_ney": Baseline(
        "Kneser-Ney",
        "n-grams of up to 5 words or 7 characters, interpolated",
        _WORDS,
        ("generation",),
        kneser_ney_statistics,
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
}
