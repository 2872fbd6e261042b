"""Numbers: one for the whole sequence, learnt in deviations from the mean of train."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from seqline.batch import PADDING_ID
from seqline.data.arrays import Targets
from seqline.data.kinds.targets import NumberKind
from seqline.data.scaling import Scaler
from seqline.errors import InputError
from seqline.recipe import NumberTarget


@dataclass(frozen=True)
class AmountEncoder:
    """Turns numbers into what a network learns, and back.

    Attributes:
        scaler: Mean and deviation of train; of a number that never changes the deviation counts as 1.
        section: The recipe's target.
    """

    scaler: Scaler
    section: NumberTarget

    @classmethod
    def fit(cls, values: Iterable[Any], section: NumberTarget) -> AmountEncoder:
        """Take mean and deviation of train."""
        numbers = [_number(value, section) for value in values]
        return cls(Scaler.fit([np.asarray(numbers, dtype=np.float64).reshape(-1, 1)]), section)

    @classmethod
    def load(cls, path: Path, section: NumberTarget) -> AmountEncoder:
        """Read fitted figures."""
        return cls(Scaler.load(path), section)

    def save(self, path: Path) -> None:
        """Write the figures as JSON."""
        self.scaler.save(path)

    @property
    def sizes(self) -> dict[str, int]:
        """Nothing: one number is one number."""
        return {}

    @property
    def fill(self) -> int:
        """Of no use: a row has one number."""
        return PADDING_ID

    def truth(self, value: Any) -> float:
        """The number.

        Raises:
            InputError: It is none.
        """
        return _number(value, self.section)

    def encode(self, values: Sequence[Any], lengths: Sequence[int]) -> Targets:
        """Deviations from the mean of train, float32 (N,)."""
        numbers = np.asarray([self.truth(value) for value in values], dtype=np.float64)
        return self.scaler.apply(numbers.reshape(-1, 1), where=f"column {self.section.column!r}")[:, 0]

    def decode(
        self, scaled: np.ndarray[Any, np.dtype[np.floating[Any]]]
    ) -> np.ndarray[Any, np.dtype[np.float64]]:
        """The numbers of float (N,) deviations, float64 (N,)."""
        return self.scaler.undo(scaled.reshape(-1, 1))[:, 0]


def _number(value: Any, section: NumberTarget) -> float:
    faults = NumberKind().faults(value, None)
    if faults or not math.isfinite(float(value)):
        raise InputError(f"column {section.column!r}", "; ".join(faults) or str(value), "a finite number")
    return float(value)
