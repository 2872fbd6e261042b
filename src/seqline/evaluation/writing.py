"""Simple models beside those that write: n-grams of tokens, and how often each key sounds.

All give the row statistics of their task, fitted on train and valid rows, over the tokens that the network reads.

Legend: M training rows, N test rows, T steps, D keys, K row statistics.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from seqline.batch import UNKNOWN_ID
from seqline.evaluation.kneser_ney import NgramModel

if TYPE_CHECKING:
    from seqline.data.spelling import Speller
    from seqline.evaluation.baselines import Problem

# Longest n-gram: the best on held-out text of those tried, of words and of characters (docs/generation.md).
_WORD_ORDER = 5
_CHARACTER_ORDER = 7
_HITS = 5
# Added to both counts of a key, so that one never seen has a small chance.
_PSEUDO_COUNT = 0.5

Rolls = Sequence[NDArray[np.floating]]


def unigram_statistics(problem: Problem) -> NDArray[np.float64]:
    """Row statistics of token frequencies, float64 (N, 6)."""
    return _ngram_statistics(problem, order=1)


def kneser_ney_statistics(problem: Problem) -> NDArray[np.float64]:
    """Row statistics of interpolated Kneser-Ney, float64 (N, 6)."""
    characters = getattr(problem.recipe.input, "tokenizer", "word") == "char"
    return _ngram_statistics(problem, order=_CHARACTER_ORDER if characters else _WORD_ORDER)


def key_frequency_statistics(problem: Problem) -> NDArray[np.float64]:
    """Row statistics of one chance a key, whatever came before: float64 (N, 4)."""
    return key_statistics(_rolls(problem, problem.inputs), _rolls(problem, problem.test.inputs), given=False)


def key_persistence_statistics(problem: Problem) -> NDArray[np.float64]:
    """Row statistics of two chances a key, after it sounded and after it did not: float64 (N, 4)."""
    return key_statistics(_rolls(problem, problem.inputs), _rolls(problem, problem.test.inputs), given=True)


def key_statistics(seen: Rolls, asked: Rolls, *, given: bool) -> NDArray[np.float64]:
    """What each piece adds to the figures of music.

    Args:
        seen: M piano rolls (T, D) to count.
        asked: N piano rolls to answer; each step but the first.
        given: Whether a key's chance depends on its having sounded at the step before.

    Returns:
        float64 (N, 4): negative log-likelihood in nats, steps, keys that sound and were more likely than not, keys that
        sound or were.
    """
    counts = np.full((2, 2, seen[0].shape[1]), _PSEUDO_COUNT)  # before, now, key
    for roll in seen:
        keys = roll > 0
        before, now = keys[:-1], keys[1:]
        for was in (False, True):
            matches = before == was if given else np.full_like(before, fill_value=was)
            counts[int(was), 1] += (matches & now).sum(axis=0)
            counts[int(was), 0] += (matches & ~now).sum(axis=0)
    shares = counts[:, 1] / counts.sum(axis=1)
    rows = []
    for roll in asked:
        keys = roll > 0
        chances = (
            np.where(keys[:-1], shares[1], shares[0]) if given else np.broadcast_to(shares[1], keys[1:].shape)
        )
        now, guessed = keys[1:], chances > 0.5
        nll = -np.log(np.where(now, chances, 1 - chances)).sum()
        rows.append((nll, len(now), (now & guessed).sum(), (now | guessed).sum()))
    return np.asarray(rows, dtype=np.float64).reshape(-1, 4)


def _ngram_statistics(problem: Problem, *, order: int) -> NDArray[np.float64]:
    seen, asked, vocab_size, spelling = problem.once("tokens", lambda: _tokens(problem))
    model = NgramModel.fit(seen, order=order, vocab_size=vocab_size + 2, never=(0, vocab_size))
    return np.hstack([model.statistics(asked, best=_HITS, unknown=UNKNOWN_ID), spelling])


def _tokens(problem: Problem) -> tuple[list[Any], list[Any], int, NDArray[np.float64]]:
    """Ids of the M rows and of the N between their marks, the size of the vocabulary, and the spelling of the N."""
    from seqline.data.inputs import fit_input
    from seqline.tasks.generation import marked

    # The network's vocabulary comes from the train rows alone; another one would be another measure.
    encoder = fit_input(problem.train.inputs, problem.recipe.input)
    vocab_size = encoder.sizes["vocab_size"]
    # Learnt from what the network learns from, asked what it is asked: rows as they are cut, and whole ones.
    seen = marked(list(encoder.encode(problem.inputs)), vocab_size=vocab_size)
    asked = marked(list(encoder.encode_whole(problem.test.inputs)), vocab_size=vocab_size)
    return seen, asked, vocab_size, cast("Speller", encoder).spelling(problem.test.inputs)


def _rolls(problem: Problem, inputs: Sequence[Any]) -> list[NDArray[Any]]:
    from seqline.data.inputs import fit_input

    return list(fit_input(inputs, problem.recipe.input).encode(inputs))
