"""Word-by-word translation: a dictionary learnt from sentence pairs, without any notion of order.

Which word translates which is hidden: a pair only says that each target word has a source word somewhere in its
sentence. Expectation-maximisation shares each target word among the source words in proportion to the current
dictionary, and makes the shares the next dictionary. What a translation network reaches above it is word order, agreement
and context.

Legend: L links, one for each target word of a pair and each source word of the same pair or the empty word.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqline.evaluation.ngrams import TOKEN_PATTERN

DEFAULT_ROUNDS = 5
# The source word of target words that translate nothing ("do", "of").
_EMPTY = 0

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class WordDictionary:
    """The likeliest translation of each source word.

    Attributes:
        translations: Lower-cased source word to target word.
    """

    translations: dict[str, str]

    def translate(self, text: str) -> str:
        """Translate word by word; a word it does not know stays as it is."""
        return " ".join(self.translations.get(word.lower(), word) for word in words_of(text))


def words_of(text: str) -> list[str]:
    """Words and signs of a text, the same as the baselines of classification read."""
    return TOKEN_PATTERN.findall(text)


def fit_dictionary(pairs: Iterable[tuple[str, str]], *, rounds: int = DEFAULT_ROUNDS) -> WordDictionary:
    """Learn a dictionary from sentence pairs.

    Args:
        pairs: Source and target texts.
        rounds: Of expectation-maximisation; 5 are enough to order the candidates.

    Source: Brown et al., "The mathematics of statistical machine translation", 1993, model 1.
    """
    sources: dict[str, int] = {"": _EMPTY}
    targets: dict[str, int] = {}
    numbered = []
    for source, target in pairs:
        ours = [_EMPTY, *(sources.setdefault(word.lower(), len(sources)) for word in words_of(source))]
        theirs = [targets.setdefault(word, len(targets)) for word in words_of(target)]
        numbered.append((np.asarray(ours, dtype=np.int64), np.asarray(theirs, dtype=np.int64)))
    if not targets:
        return WordDictionary({})
    best = _best_translations(numbered, len(sources), len(targets), rounds)
    spelled = list(targets)
    return WordDictionary(
        {
            word: spelled[best[place]]
            for word, place in sources.items()
            if place != _EMPTY and best[place] >= 0
        }
    )


def _best_translations(
    pairs: Sequence[tuple[Ints, Ints]], num_sources: int, num_targets: int, rounds: int
) -> Ints:
    """The likeliest target of each source word, int64; -1 for a word without any."""
    source = np.concatenate([np.tile(ours, len(theirs)) for ours, theirs in pairs])
    target = np.concatenate([np.repeat(theirs, len(ours)) for ours, theirs in pairs])
    link_counts = np.concatenate([np.full(len(theirs), len(ours)) for ours, theirs in pairs])
    word = np.repeat(np.arange(len(link_counts)), link_counts)  # which target word a link is of
    entries, entry = np.unique(source * num_targets + target, return_inverse=True)
    entry_source, entry_target = entries // num_targets, entries % num_targets
    table = np.full(len(entries), 1.0 / num_targets)
    for _ in range(rounds):
        link = table[entry]
        share = link / np.bincount(word, link)[word]
        counts = np.bincount(entry, share, minlength=len(entries))
        table = counts / np.bincount(entry_source, counts, minlength=num_sources)[entry_source]
    best = np.full(num_sources, -1, dtype=np.int64)
    # Likeliest last, so that it is what remains; of equal ones the word that was seen first.
    order = np.lexsort((-entry_target, table))
    best[entry_source[order]] = entry_target[order]
    return best
