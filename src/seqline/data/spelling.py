"""What it costs to spell the tokens that a vocabulary lacks, so that models of different vocabularies share a measure.

A model that knows few words finds text easy: most of it is one token, "unknown". It says nothing of which word that is. Here
every unknown token is charged its spelling, byte by byte with an end, each of the 257 signs equally likely. A model is then a
distribution over texts whatever its vocabulary, and its nats are divided by characters, of which all count the same.

Legend: N rows.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

SPELLING_COLUMNS = ("spelling", "characters")
_SIGNS = 257


class Speller(Protocol):
    """An encoder of tokens: two of them can be told apart, and what one does not know can be spelled."""

    @property
    def fingerprint(self) -> str:
        """Digest of what texts are cut into: the same one, the same tokens."""
        ...

    def spelling(self, values: Iterable[Any]) -> NDArray[np.float64]:
        """What the unknown tokens of each value cost to spell: float64 (N, 2), `SPELLING_COLUMNS`."""
        ...


def spelling_nats(token: str) -> float:
    """Nats that spelling a token costs: one sign a byte and one for the end, each `ln 257`.

    >>> round(spelling_nats("ab"), 4)
    16.6472
    """
    return (len(token.encode("utf-8")) + 1) * math.log(_SIGNS)


def spelling_rows(rows: Iterable[tuple[Iterable[str], int]]) -> NDArray[np.float64]:
    """Row statistics of spelling.

    Args:
        rows: N pairs: the unknown tokens of a row, and the characters of what was read of it.

    Returns:
        float64 (N, 2), the columns `SPELLING_COLUMNS`: nats, characters.
    """
    told = [(sum(map(spelling_nats, unknown)), characters) for unknown, characters in rows]
    return np.asarray(told, dtype=np.float64).reshape(-1, 2)
