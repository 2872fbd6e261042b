"""What comes next in the input itself: nothing of a row's own has to be kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from seqline.batch import PADDING_ID
from seqline.data.arrays import Targets
from seqline.recipe import NextKeysTarget, NextTokenTarget


@dataclass(frozen=True)
class NextStepEncoder:
    """Stands where other tasks encode a column; the task makes targets from the inputs.

    Attributes:
        section: The recipe's target.
    """

    section: NextTokenTarget | NextKeysTarget

    @classmethod
    def fit(cls, values: Iterable[Any], section: NextTokenTarget | NextKeysTarget) -> NextStepEncoder:
        """Nothing to learn."""
        return cls(section)

    @classmethod
    def load(cls, path: Path, section: NextTokenTarget | NextKeysTarget) -> NextStepEncoder:
        """Nothing to read."""
        return cls(section)

    def save(self, path: Path) -> None:
        """Nothing to write."""

    @property
    def sizes(self) -> dict[str, int]:
        """Nothing that the input does not say."""
        return {}

    @property
    def fill(self) -> int:
        """Id 0: no token is to be predicted there."""
        return PADDING_ID

    def truth(self, value: Any) -> None:
        """None: the row's input holds it all."""
        return

    def encode(self, values: Sequence[Any], lengths: Sequence[int]) -> Targets:
        """Zeros, int64 (N,): networks take the next step from the input."""
        return np.zeros(len(values), dtype=np.int64)
