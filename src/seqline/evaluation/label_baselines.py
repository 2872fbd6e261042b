"""Baselines of labels: class shares, logistic regressions over counts, vectors and numbers, and a convolutional network.

Legend: M training rows (train and valid), N test rows, C classes, D features.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seqline.evaluation.linear import Weighting, nb_ratio, one_against_rest, softmax_regression, tfidf
from seqline.evaluation.ngrams import symbols_of

if TYPE_CHECKING:
    from seqline.evaluation.baselines import Problem
    from seqline.evaluation.measures import Floats

_MAX_FLAT_FEATURES = 5_000
_PARTS = 4
_WORD_WIDTHS = (3, 4, 5)
_STEP_WIDTHS = (3, 5, 9)
# Inverse strengths of the L2 penalty, chosen on training rows: docs/evaluation.md.
_TFIDF_C = 10.0
_NB_C = 1.0
_KMER_C = 10.0
_DENSE_C = 1.0


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


def word_vectors(problem: Problem) -> NDArray[np.float64]:
    from seqline.evaluation.word_vectors import mean_vectors

    seen, asked = mean_vectors(problem.inputs, problem.test.inputs, seed=problem.seed, split=problem.split)
    return _dense(problem, seen, asked)


def flat(problem: Problem) -> NDArray[np.float64]:
    return _dense(problem, *figures(problem))


def figures(problem: Problem) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """All numbers of the M rows and of the N where they are equally many, else ten figures of each feature."""
    seen, asked = problem.arrays()
    shapes = {sequence.shape for sequence in [*seen, *asked]}
    whole = len(shapes) == 1 and int(np.prod(next(iter(shapes)))) <= _MAX_FLAT_FEATURES
    read = np.ravel if whole else summarised
    first, second = (np.array([read(s) for s in part], dtype=np.float64) for part in (seen, asked))
    return first, second


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


def convolutional(problem: Problem) -> NDArray[np.float64]:
    """Convolutions over the very steps that the network reads."""
    from seqline.evaluation.convolution import convolve

    if problem.one_class:
        return problem.by_share()
    section = problem.recipe.input
    words = section.kind == "text" and section.tokenizer != "char"
    seen, asked = problem.encoded()
    return convolve(
        seen,
        problem.targets,
        asked,
        vocab_size=problem.vocab_size,
        widths=_WORD_WIDTHS if words else _STEP_WIDTHS,
        num_classes=problem.num_classes,
        seed=problem.seed,
    )


tfidf_unigrams = _linear(1, tfidf, _TFIDF_C)
tfidf_bigrams = _linear(2, tfidf, _TFIDF_C)
naive_bayes_ratios = _linear(3, nb_ratio, _NB_C, per_class=True)
kmers = _linear(6, tfidf, _KMER_C, letters=True)
