"""Future values: the numbers that come after a history.

Legend: N rows, H horizon steps, C channels.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from seqline.batch import PADDING_ID
from seqline.data.arrays import Targets
from seqline.recipe import FutureTarget

# Under the column of the values, a window holds both what is read and what is to be foretold.
HISTORY, FUTURE = "history", "future"


@dataclass(frozen=True)
class FutureEncoder:
    """Turns future values into arrays, in the unit of the series.

    Attributes:
        section: The recipe's target; nothing is learnt from the rows.
    """

    section: FutureTarget

    @classmethod
    def fit(cls, values: Iterable[Any], section: FutureTarget) -> FutureEncoder:
        """Nothing to learn."""
        return cls(section)

    @classmethod
    def load(cls, path: Path, section: FutureTarget) -> FutureEncoder:
        """Nothing to read."""
        return cls(section)

    def save(self, path: Path) -> None:
        """Nothing to write."""

    @property
    def sizes(self) -> dict[str, Any]:
        """`horizon`, and the levels that are foretold, `quantiles`."""
        return {"horizon": self.section.horizon, "quantiles": list(levels_of(self.section.intervals))}

    @property
    def fill(self) -> int:
        """Of no use: every row has H steps."""
        return PADDING_ID

    def truth(self, value: Any) -> Any:
        """The values as they are kept: a list of H numbers, or of H lists; null where missing."""
        return value[FUTURE]

    def encode(self, values: Sequence[Any], lengths: Sequence[int]) -> Targets:
        """Float32 (N, H, C), NaN = missing."""
        return numbers_of([self.truth(value) for value in values]).astype(np.float32)


def numbers_of(truths: Sequence[Any]) -> npt.NDArray[np.float64]:
    """Kept truths as float64 (N, H, C), NaN = missing."""
    values = np.asarray(truths, dtype=np.float64)
    return values[..., None] if values.ndim == 2 else values


def levels_of(intervals: Iterable[int]) -> tuple[float, ...]:
    """The quantiles that bound intervals of some per cents, and the median, rising.

    >>> levels_of([80, 50])
    (0.1, 0.25, 0.5, 0.75, 0.9)
    """
    tails = sorted((100 - per_cent) / 200 for per_cent in intervals)
    return (*tails, 0.5, *(1 - tail for tail in reversed(tails)))


def measured_interval(intervals: Sequence[int]) -> tuple[int, int]:
    """Indices of the quantiles that bound the first of some intervals."""
    levels = levels_of(intervals)
    low = levels.index((100 - intervals[0]) / 200)
    return low, len(levels) - 1 - low
