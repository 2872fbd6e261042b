"""Sequences whose items are made when they are asked for, and kept by nobody: rows that overlap are too many to hold."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, SupportsIndex


@dataclass(frozen=True, eq=False)
class OnDemand(Sequence[Any]):
    """The items that a function gives for 0 to `length` - 1.

    Attributes:
        length: How many there are.
        make: Place to item; the same place gives an equal item again.

    Example:
        >>> squares = OnDemand(4, lambda place: place**2)
        >>> len(squares), squares[-1], squares[1:3], list(squares)
        (4, 9, [1, 4], [0, 1, 4, 9])
    """

    length: int
    make: Callable[[int], Any]

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, place: SupportsIndex | slice) -> Any:
        """One item, or a list of those of a slice."""
        if isinstance(place, slice):
            return [self.make(i) for i in range(self.length)[place]]
        return self.make(range(self.length)[operator.index(place)])
