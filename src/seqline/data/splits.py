"""Dealing rows to train, valid and test by a stable hash, so that equal texts and equal groups stay together."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Sequence
from typing import Literal

Split = Literal["train", "valid", "test"]
SPLITS: tuple[Split, ...] = ("train", "valid", "test")
_HASH_BYTES = 8


def normalise(text: str) -> str:
    r"""The form under which two texts count as the same: NFKC, casefold, white space collapsed.

    >>> normalise("  Ｇood\\n FOOD ") == normalise("good food")
    True
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    # casefold can undo NFKC (U+0345 and a few ligatures), so compose once more.
    return " ".join(unicodedata.normalize("NFKC", folded).split())


def stable_fraction(key: str, *, seed: int) -> float:
    """A number in [0, 1) that depends on the key and the seed alone, not on row order, process or machine."""
    digest = hashlib.sha256(f"{seed}\x00{key}".encode("utf-8", errors="surrogatepass")).digest()
    return int.from_bytes(digest[:_HASH_BYTES], "big") / 2 ** (8 * _HASH_BYTES)


def assign(key: str, *, valid: float, test: float, seed: int) -> Split:
    """The split of a normalised key. A row keeps its split when other rows come or go."""
    fraction = stable_fraction(key, seed=seed)
    if fraction < test:
        return "test"
    return "valid" if fraction < test + valid else "train"


def leaks(splits: Sequence[Split], keys: Sequence[str]) -> list[bool]:
    """Which rows share a key with a row of a split that must stay unseen.

    A train row may share its key with no valid or test row, a valid row with no test row. The held-out split keeps
    the row; the other loses it.

    Args:
        splits: Split of each row.
        keys: Normalised text (or group) of each row.

    Returns:
        True for each row to leave out.
    """
    rank = {name: position for position, name in enumerate(SPLITS)}
    highest: dict[str, int] = {}
    for split, key in zip(splits, keys, strict=True):
        highest[key] = max(highest.get(key, 0), rank[split])
    return [rank[split] < highest[key] for split, key in zip(splits, keys, strict=True)]
