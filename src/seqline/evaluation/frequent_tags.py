"""The tagger to beat: each token gets the tag it most often has in train, one never seen the most frequent tag of all."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class FrequentTags:
    """Tags by token.

    Attributes:
        by_token: Most frequent tag of each token, of equally frequent ones the first in the alphabet.
        overall: Most frequent tag of all.
    """

    by_token: dict[str, str]
    overall: str

    @classmethod
    def fit(cls, tokens: Iterable[Sequence[str]], tags: Iterable[Sequence[str]]) -> FrequentTags:
        """Count tags.

        Args:
            tokens: Rows of tokens, read as they stand: "May" is not "may".
            tags: As many rows of as many tags.

        Raises:
            ValueError: There is no token.

        Example:
            >>> known = FrequentTags.fit([["a", "run"], ["we", "run"]], [["DET", "NOUN"], ["PRON", "NOUN"]])
            >>> known.answer(["we", "rest"])
            ['PRON', 'NOUN']
        """
        counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        every: Counter[str] = Counter()
        for row, row_tags in zip(tokens, tags, strict=True):
            every.update(row_tags)
            for token, tag in zip(row, row_tags, strict=True):
                counts[token][tag] += 1
        if not every:
            raise ValueError("no token to learn tags from")
        return cls({token: _first(found) for token, found in counts.items()}, _first(every))

    def answer(self, tokens: Sequence[str]) -> list[str]:
        """A tag for each token."""
        return [self.by_token.get(token, self.overall) for token in tokens]


def _first(counts: Counter[str]) -> str:
    return min(counts, key=lambda tag: (-counts[tag], tag))
