"""Numbers a network can read: scaled by what train holds.

A network learns badly from features of different sizes. So each feature is moved to mean 0 and deviation 1, by the figures
of the train rows alone: figures of valid and test would tell the network about rows it must not know.

Legend: T steps, D features.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from seqline.errors import InputError
from seqline.files import read_json, write_json

SCALER_FILE = "scaler.json"
# Below this share of its mean, a feature's deviation is the rounding of float64 sums and not the data's.
_ROUNDING_SHARE = 1e-12
# What float32, in which networks compute, can hold.
MAX_NUMBER = float(np.finfo(np.float32).max)
TOO_LARGE = "too large a number"

Values = npt.NDArray[np.float64]
Features = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Scaler:
    """Moves each feature to mean 0 and deviation 1 of train, and back.

    A feature that never changes in train is only moved: its deviation counts as 1, so that it stays finite.

    Attributes:
        means: D numbers, in the data's unit.
        deviations: D numbers above 0, population deviations over all steps of all rows.
    """

    means: tuple[float, ...]
    deviations: tuple[float, ...]

    @classmethod
    def fit(cls, sequences: Iterable[npt.NDArray[np.floating]]) -> Scaler:
        """Take means and deviations in one pass that holds one sequence at a time.

        Args:
            sequences: float (T, D) each, T at least 1, D the same for all; train only.

        Raises:
            InputError: There is no sequence.

        Source: Chan, Golub and LeVeque, "Algorithms for computing the sample variance", 1983 (joining the figures of parts).
        """
        steps, mean, squares = 0, np.zeros(0), np.zeros(0)
        for sequence in sequences:
            values = np.asarray(sequence, dtype=np.float64)
            if steps == 0:
                mean, squares = np.zeros(values.shape[1]), np.zeros(values.shape[1])
            # Not a sum of squares: for features far from 0 its digits cancel.
            own_mean = values.mean(axis=0)
            own_squares = ((values - own_mean) ** 2).sum(axis=0)
            total = steps + len(values)
            gap = own_mean - mean
            mean = mean + gap * (len(values) / total)
            squares = squares + own_squares + gap**2 * (steps * len(values) / total)
            steps = total
        if steps == 0:
            raise InputError("scaling", "no sequences to take means from", "at least one row of train")
        deviations = np.sqrt(squares / steps)
        constant = deviations <= _ROUNDING_SHARE * np.abs(mean)
        return cls(tuple(mean.tolist()), tuple(np.where(constant, 1.0, deviations).tolist()))

    @classmethod
    def identity(cls, features: int) -> Scaler:
        """The scaler that changes nothing, for `scaling: none`."""
        return cls((0.0,) * features, (1.0,) * features)

    @classmethod
    def load(cls, path: Path) -> Scaler:
        """Read a fitted scaler; its numbers are those that were saved, to the last bit.

        Raises:
            InputError: The file is missing, is no JSON or holds no scaler.
        """
        found = read_json(path)
        try:
            means, deviations = (tuple(map(float, found[name])) for name in ("means", "deviations"))
        except (TypeError, KeyError, ValueError):
            raise InputError(str(path), "no scaler", "the file that `seqline prepare` writes") from None
        usable = all(map(math.isfinite, means + deviations)) and all(d > 0 for d in deviations)
        if not means or len(means) != len(deviations) or not usable:
            raise InputError(str(path), "no scaler", "as many finite means as deviations above 0")
        return cls(means, deviations)

    @property
    def features(self) -> int:
        """D."""
        return len(self.means)

    def save(self, path: Path) -> None:
        """Write the numbers as JSON, each with as many digits as tell it from its neighbours."""
        write_json(path, {"means": list(self.means), "deviations": list(self.deviations)})

    def apply(self, sequence: npt.NDArray[np.floating], *, where: str = "input") -> Features:
        """Scale float (T, D) to float32 (T, D); computed in float64.

        Raises:
            InputError: A scaled number is beyond float32; `where` is named.
        """
        values = np.asarray(sequence, dtype=np.float64)
        with np.errstate(over="ignore", invalid="ignore"):
            scaled = ((values - np.asarray(self.means)) / np.asarray(self.deviations)).astype(np.float32)
        if not np.isfinite(scaled).all():
            step, feature = (int(place[0]) + 1 for place in np.nonzero(~np.isfinite(scaled)))
            raise InputError(
                where,
                f"step {step}, number {feature}, is {TOO_LARGE} once it is scaled",
                "numbers of the size that train has",
            )
        return scaled

    def undo(self, sequence: npt.NDArray[np.floating]) -> Values:
        """Bring scaled float (T, D) back to the data's unit, float64 (T, D)."""
        values = np.asarray(sequence, dtype=np.float64)
        return values * np.asarray(self.deviations) + np.asarray(self.means)
