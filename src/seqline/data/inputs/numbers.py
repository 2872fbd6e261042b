"""Series and vectors: numbers scaled by what train holds.

Legend: T steps, D features.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from seqline.data.kinds.numbers import readable_steps
from seqline.data.scaling import Scaler
from seqline.data.tokenization import cut
from seqline.recipe import SeriesInput, VectorInput

Features = npt.NDArray[np.float32]


@dataclass(frozen=True)
class NumberEncoder:
    """Turns series, or vectors as one step, into scaled features.

    Attributes:
        scaler: Fitted on train; knows D.
        section: The recipe's input.
    """

    scaler: Scaler
    section: SeriesInput | VectorInput

    @classmethod
    def fit(cls, values: Iterable[Any], section: SeriesInput | VectorInput) -> NumberEncoder:
        """Take the figures of train; D is that of its first value, and all others must have it."""
        checked = _one_width(values, section)
        if section.scaling == "standard":
            return cls(Scaler.fit(checked), section)
        widths = {steps.shape[1] for steps in checked}
        return cls(Scaler.identity(widths.pop()), section)

    @classmethod
    def load(cls, path: Path, section: SeriesInput | VectorInput) -> NumberEncoder:
        """Read a fitted scaler."""
        return cls(Scaler.load(path), section)

    def save(self, path: Path) -> None:
        """Write the scaler as JSON."""
        self.scaler.save(path)

    @property
    def sizes(self) -> dict[str, int]:
        """What a network must know: `features`."""
        return {"features": self.scaler.features}

    def encode_whole(self, values: Iterable[Any]) -> Iterator[Features]:
        """Scaled features of each value before any cut, float32 (T, D)."""
        for value in values:
            steps = _read(value, self.section, features=self.scaler.features)
            yield self.scaler.apply(steps, where=f"column {self.section.column!r}")

    def encode(self, values: Iterable[Any]) -> Iterator[Features]:
        """The same, with 1 <= T <= max_length."""
        for steps in self.encode_whole(values):
            yield cut(steps, max_length=self.section.max_length, keep=self.section.keep)


def _read(value: Any, section: SeriesInput | VectorInput, *, features: int | None) -> npt.NDArray[np.float64]:
    where = f"column {section.column!r}"
    return readable_steps(value, vector=section.kind == "vector", where=where, features=features)


def _one_width(
    values: Iterable[Any], section: SeriesInput | VectorInput
) -> Iterator[npt.NDArray[np.float64]]:
    features = None
    for value in values:
        steps = _read(value, section, features=features)
        features = steps.shape[1]
        yield steps
