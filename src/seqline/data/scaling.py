"""Numbers into sequences a network can read: refusing what is none, and scaling by what train holds.

A network learns badly from features of different sizes. So each feature is moved to mean 0 and deviation 1, by the figures
of the train rows alone: figures of valid and test would tell the network about rows it must not know.

Legend: T steps, D features.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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


def read_series(value: Any, *, where: str, features: int | None = None) -> Values:
    """Turn a row's series into numbers.

    Args:
        value: T numbers (one feature), or T lists of D numbers.
        where: Named in the message of a refusal.
        features: D that the model knows; None takes any.

    Returns:
        float64 (T, D), all finite.

    Raises:
        InputError: With the first fault found.
    """
    fault = series_fault(value, features=features)
    if fault is not None:
        expected = (
            "numbers, or lists of as many numbers" if features is None else f"{features} numbers a step"
        )
        raise InputError(where, fault, f"a list of T steps: {expected}")
    return np.asarray(value, dtype=np.float64).reshape(len(value), -1)


def read_vector(value: Any, *, where: str, features: int | None = None) -> Values:
    """Turn a row's vector, D numbers, into one step: float64 (1, D); see `read_series`."""
    fault = vector_fault(value, features=features)
    if fault is not None:
        raise InputError(
            where, fault, "a list of numbers" if features is None else f"a list of {features} numbers"
        )
    return np.asarray(value, dtype=np.float64).reshape(1, -1)


def series_fault(value: Any, *, features: int | None = None) -> str | None:
    """Say what makes a value no series, or None where it is one.

    >>> series_fault([[1, 2], [3]])
    'step 2 has 1 number, the steps before it 2'
    >>> series_fault([0.5, None])
    'step 2 is null: a missing value'
    >>> series_fault([[1, 2], [3, 4]])
    """
    if not isinstance(value, list | tuple):
        return f"{_kind(value)} instead of a list of numbers"
    if not value:
        return "an empty list: a series has at least one step"
    first = value[0]
    for place, step in enumerate(value, start=1):
        fault = _step_fault(step, first)
        if fault is not None:
            return f"step {place}{fault}"
    width = _width(first)
    if features is not None and width != features:
        return f"{_count(width)} a step, while the model knows {features}"
    return None


def vector_fault(value: Any, *, features: int | None = None) -> str | None:
    """Say what makes a value no vector, or None where it is one.

    >>> vector_fault([1, 2, 3], features=4)
    '3 numbers, while the model knows 4'
    """
    if not isinstance(value, list | tuple):
        return f"{_kind(value)} instead of a list of numbers"
    if not value:
        return "an empty list: a vector has at least one number"
    fault = _number_fault(value)
    if fault is not None:
        return f"number {fault[0]} {fault[1]}"
    if features is not None and len(value) != features:
        return f"{_count(len(value))}, while the model knows {features}"
    return None


def flat_features(sequence: npt.NDArray[np.floating]) -> list[int]:
    """Features, from 0, that never change: a dead sensor, or a line that was filled. None where there is one step.

    Args:
        sequence: float (T, D).

    >>> flat_features(np.asarray([[1.0, 5.0], [2.0, 5.0]]))
    [1]
    """
    if len(sequence) < 2:
        return []
    still: list[int] = np.flatnonzero(sequence.max(axis=0) == sequence.min(axis=0)).tolist()
    return still


def _step_fault(step: Any, first: Any) -> str | None:
    """Continue the sentence "step 3 ..." with what makes it none; `first` is the first step."""
    is_list = isinstance(step, list | tuple)
    if is_list != isinstance(first, list | tuple):
        others = "numbers" if is_list else "lists"
        return f" is {_kind(step)}, the steps before it {others}"
    if _width(step) == 0:
        return " is an empty list"
    if _width(step) != _width(first):
        return f" has {_count(_width(step))}, the steps before it {_width(first)}"
    fault = _number_fault(step if is_list else [step])
    if fault is None:
        return None
    return f", number {fault[0]}, {fault[1]}" if is_list else f" {fault[1]}"


def _width(step: Any) -> int:
    return len(step) if isinstance(step, list | tuple) else 1


def _number_fault(numbers: list[Any] | tuple[Any, ...]) -> tuple[int, str] | None:
    """Place, from 1, and fault of the first number that is none."""
    for place, number in enumerate(numbers, start=1):
        if number is None:
            return place, "is null: a missing value"
        if isinstance(number, bool) or not isinstance(number, int | float | np.integer | np.floating):
            return place, f"is {_kind(number)} instead of a number"
        try:
            finite = math.isfinite(number)
        except OverflowError:  # an integer beyond float64
            finite = False
        if not finite and isinstance(number, float):
            return place, f"is {number}"
        if not finite or abs(float(number)) > MAX_NUMBER:
            return place, f"is {TOO_LARGE}"
    return None


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    names = {
        str: "text",
        dict: "an object",
        list: "a list",
        tuple: "a list",
        int: "a number",
        float: "a number",
    }
    return names.get(type(value), type(value).__name__)


def _count(numbers: int) -> str:
    return f"{numbers} number" if numbers == 1 else f"{numbers} numbers"
