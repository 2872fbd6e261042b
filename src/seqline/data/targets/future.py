"""Future values: the numbers that come after a history, and how far intervals were moved to cover them.

Legend: N rows, H horizon steps, C channels.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from seqline.batch import PADDING_ID
from seqline.data.arrays import Targets
from seqline.files import read_json, write_json
from seqline.recipe import FutureTarget

# Under the column of the values, a window holds both what is read and what is to be foretold.
HISTORY, FUTURE = "history", "future"


@dataclass(frozen=True)
class FutureEncoder:
    """Turns future values into arrays, in the unit of the series.

    Attributes:
        section: The recipe's target.
        calibration: How the ends of the intervals are moved, as `evaluation.conformal` describes it; None before training
            and where the recipe wants none.
    """

    section: FutureTarget
    calibration: Mapping[str, Any] | None = None

    @classmethod
    def fit(cls, values: Iterable[Any], section: FutureTarget) -> FutureEncoder:
        """Nothing to learn from train; the calibration comes from valid, after training."""
        return cls(section)

    @classmethod
    def load(cls, path: Path, section: FutureTarget) -> FutureEncoder:
        """Read the calibration, where there is one."""
        return cls(section, read_json(path)["calibration"] if path.is_file() else None)

    def save(self, path: Path) -> None:
        """Write the calibration, where there is one."""
        if self.calibration is not None:
            write_json(path, {"calibration": self.calibration})

    @property
    def sizes(self) -> dict[str, int]:
        """`horizon`, and `interval_P` for every interval of P per cent."""
        return {"horizon": self.section.horizon, **{f"interval_{p}": p for p in self.section.intervals}}

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
