"""What an input kind does: it turns the values of a column into arrays of steps, the same in training and in serving.

Legend: T steps, D features.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from seqline.data.arrays import Array


class InputEncoder(Protocol):
    """A fitted encoder of one input kind."""

    @property
    def sizes(self) -> dict[str, int]:
        """What a network must know: `vocab_size` of ids, or `features` of numbers."""
        ...

    def encode_whole(self, values: Iterable[Any]) -> Iterator[Array]:
        """Steps of each value before any cut, at least one: int64 (T,) ids or float32 (T, D).

        Raises:
            InputError: A value is none of this kind.
        """
        ...

    def encode(self, values: Iterable[Any]) -> Iterator[Array]:
        """The same, cut to the recipe's `max_length`."""
        ...

    def save(self, path: Path) -> None:
        """Write what was fitted."""
        ...


@runtime_checkable
class Vocabulary(Protocol):
    """An encoder of tokens: what it does not know can be counted."""

    def unknown_share(self, values: Iterable[Any]) -> float:
        """Share of tokens that are unknown, over all values uncut; in [0, 1], 0 for no value."""
        ...
