"""What a writing network has to beat, as row statistics: copying, a dictionary, similar training rows, word chains.

Legend: M training rows (train and valid), N test rows, K = `WRITTEN_COLUMNS`.

Those that write a text say nothing of probabilities, so their perplexity is not defined; the word chains know probabilities
only, so their BLEU is not. A figure that is not defined is shown as such and beats nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from seqline.batch import BEGIN_ID
from seqline.evaluation.retrieval import majority_answer, nearest_text_answers, nearest_vector_answers
from seqline.evaluation.translation import SURPRISE_COLUMNS, WRITTEN_COLUMNS, written_statistics
from seqline.evaluation.word_chains import bigram_statistics, unigram_statistics
from seqline.evaluation.word_translation import fit_dictionary

if TYPE_CHECKING:
    from seqline.data.spelling import Speller
    from seqline.evaluation.baselines import Problem

Floats = NDArray[np.float64]
Summary = Callable[[NDArray[Any]], NDArray[np.float64]]


def copied_source(problem: Problem) -> Floats:
    """The source as its own translation."""
    return _written(problem, [str(given) for given in problem.test.inputs])


def word_by_word(problem: Problem) -> Floats:
    """Each source word's likeliest translation, in the order of the source."""
    dictionary = fit_dictionary(zip(problem.inputs, _answers(problem), strict=True))
    return _written(problem, [dictionary.translate(text) for text in problem.test.inputs])


def most_frequent_answer(problem: Problem) -> Floats:
    """The same answer to everything."""
    return _written(problem, [majority_answer(_answers(problem))] * len(problem.test))


def of_nearest_text(problem: Problem) -> Floats:
    """The answer that the most similar training text has."""
    return _written(problem, nearest_text_answers(problem.inputs, _answers(problem), problem.test.inputs))


def of_nearest_numbers(problem: Problem, summary: Summary) -> Floats:
    """The answer that the nearest training vector has.

    Args:
        problem: With numeric inputs.
        summary: Makes one vector of a series, where lengths differ.
    """
    seen, asked = problem.arrays()
    is_whole = len({sequence.shape for sequence in [*seen, *asked]}) == 1
    flat: Summary = np.ravel if is_whole else summary
    train, test = (np.stack([flat(sequence) for sequence in part]) for part in (seen, asked))
    return _written(problem, nearest_vector_answers(train, _answers(problem), test))


def target_unigram(problem: Problem) -> Floats:
    """How likely word frequencies alone make the right answers."""
    train, test, vocab_size, spelling = problem.once("target ids", lambda: _target_ids(problem))
    return _chained(unigram_statistics(train, test, vocab_size=vocab_size), spelling)


def target_bigram(problem: Problem) -> Floats:
    """How likely word pairs make the right answers."""
    train, test, vocab_size, spelling = problem.once("target ids", lambda: _target_ids(problem))
    return _chained(bigram_statistics(train, test, vocab_size=vocab_size, begin=BEGIN_ID), spelling)


def _answers(problem: Problem) -> list[str]:
    return [*problem.train.truths, *problem.valid.truths]


def _written(problem: Problem, texts: Sequence[str]) -> Floats:
    return written_statistics(texts, problem.test.truths, None)


def _chained(surprise: Floats, spelling: Floats) -> Floats:
    values = np.zeros((len(surprise), len(WRITTEN_COLUMNS)))
    values[:, : len(SURPRISE_COLUMNS)] = np.hstack([surprise, spelling])
    return values


def _target_ids(problem: Problem) -> tuple[list[Any], list[Any], int, Floats]:
    """By the vocabulary that the network has too: ids of the M answers and of the N, END included, V, spelling of the N."""
    from seqline.data.targets import fit_target

    encoder = fit_target(problem.train.truths, problem.recipe.target)
    seen, asked = (list(encoder.encode(truths, [])) for truths in (_answers(problem), problem.test.truths))
    vocab_size, spelling = (
        int(encoder.sizes["target_vocab_size"]),
        cast("Speller", encoder).spelling(problem.test.truths),
    )
    return seen, asked, vocab_size, spelling
