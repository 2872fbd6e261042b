"""The regular grid that the steps of a series lie on: gaps and duplicates found, values put in their places.

Legend: T steps as given, G periods from the first to the last.
"""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt

from seqline.data.calendar import Frequency, Stamp, infer_frequency
from seqline.errors import InputError

GapRule = Literal["refuse", "fill"]
DuplicateRule = Literal["refuse", "first", "last", "mean", "sum"]

_SHOWN = 3
# One mistyped year in a series of minutes would otherwise ask for gigabytes of gaps.
MAX_GRID_STEPS = 10_000_000


@dataclass(frozen=True)
class Grid:
    """Where the rows of a series lie on its regular calendar.

    Attributes:
        frequency: From step to step.
        start: Period of the first step.
        phase: Where in its period each step stands.
        places: int64 (T,): the grid step of each row as it was given, 0 to G - 1.
        length: G, gaps included.
        gaps: How many of the G steps no row gave.
        duplicates: How many rows gave a step that an earlier row had given.
    """

    frequency: Frequency
    start: int
    phase: tuple[int, ...]
    places: npt.NDArray[np.int64]
    length: int
    gaps: int
    duplicates: int

    @property
    def is_told_by_its_start(self) -> bool:
        """Whether the first timestamp and the frequency say all others: 28 February alone says the last day of each month."""
        start = self.frequency.stamp(self.start, self.phase)
        return self.frequency.stamps_alike(self.frequency.period(start)[1], self.phase)

    def stamps(self, first: int, count: int) -> list[Stamp]:
        """Timestamps of `count` grid steps from step `first` on, beyond the end too."""
        return [self.frequency.stamp(self.start + first + i, self.phase) for i in range(count)]

    def place(self, values: npt.NDArray[np.float64], *, duplicates: DuplicateRule) -> npt.NDArray[np.float64]:
        """Put the rows of float (T, D) on the grid: float64 (G, D), NaN where no row gave a step."""
        placed = np.full((self.length, values.shape[1]), np.nan)
        if duplicates in ("mean", "sum"):
            total = np.zeros_like(placed)
            np.add.at(total, self.places, values)
            counts = np.bincount(self.places, minlength=self.length)[:, None]
            placed = np.where(counts > 0, total, np.nan)
            return placed / np.maximum(counts, 1) if duplicates == "mean" else placed
        # numpy keeps the last of equal places.
        order = np.arange(len(values)) if duplicates != "first" else np.arange(len(values))[::-1]
        placed[self.places[order]] = values[order]
        return placed


def regular_grid(
    stamps: Sequence[Stamp],
    *,
    frequency: Frequency | None,
    gaps: GapRule,
    duplicates: DuplicateRule,
    where: str,
) -> Grid:
    """Find the grid of a series' timestamps, in whatever order they come.

    Args:
        stamps: T timestamps.
        frequency: None tells it from the timestamps.
        gaps: Whether steps that no row gives are refused, or left to be filled as missing values are.
        duplicates: Whether a step given twice is refused, or what it then counts as.
        where: What an error message calls the series.

    Raises:
        InputError: A gap or a duplicate that is refused, a timestamp that lies off the grid or cannot be read.
    """
    try:
        chosen = frequency or infer_frequency(stamps)
        periods = [chosen.period(stamp) for stamp in stamps]
    except InputError as error:
        raise InputError(f"{where}, {error.where}", error.found, error.expected, error.hint) from None
    if not periods:
        raise InputError(where, "no timestamps", "at least one")
    phase = shared_phase(chosen, stamps, [own for _, own in periods], where=where)
    numbers = np.asarray([number for number, _ in periods], dtype=np.int64)
    return grid_of_periods(numbers, chosen, phase, gaps=gaps, duplicates=duplicates, where=where)


def shared_phase(
    frequency: Frequency, stamps: Sequence[Stamp], phases: Sequence[tuple[int, ...]], *, where: str
) -> tuple[int, ...]:
    """The phase of all of some timestamps.

    Raises:
        InputError: With the first timestamp that lies on another grid than those before it.
    """
    shared = phases[0]
    for stamp, own in zip(stamps, phases, strict=True):
        together = frequency.common((shared, own))
        if together is None:
            raise InputError(
                where,
                f"timestamp {stamp!r} lies off the grid that {stamps[0]!r} begins",
                f"frequency {frequency}",
                "set the frequency of the recipe, or correct the timestamps",
            )
        shared = together
    return shared


def grid_of_periods(
    numbers: npt.NDArray[np.int64],
    frequency: Frequency,
    phase: tuple[int, ...],
    *,
    gaps: GapRule,
    duplicates: DuplicateRule,
    where: str,
) -> Grid:
    """Find the grid of rows whose periods are known: int64 (T,), T at least 1; see `regular_grid`."""
    start = int(numbers.min())
    places = numbers - start
    if places.max() >= MAX_GRID_STEPS:
        raise InputError(
            where,
            f"{int(places.max()) + 1:,} steps of frequency {frequency} from the first timestamp to the last",
            f"at most {MAX_GRID_STEPS:,}",
            "correct the timestamps, or set a coarser frequency",
        )
    counts = np.bincount(places)
    absent, twice = np.flatnonzero(counts == 0), np.flatnonzero(counts > 1)
    if len(twice) and duplicates == "refuse":
        raise InputError(
            where,
            f"duplicate timestamps {_list(frequency, start, phase, twice)}",
            "each timestamp once",
            "remove them, or set input.duplicates to first, last, mean or sum",
        )
    if len(absent) and gaps == "refuse":
        raise InputError(
            where,
            f"gaps at {_list(frequency, start, phase, absent)}",
            f"every step of frequency {frequency}",
            "add them (null where unknown), or set input.gaps to fill",
        )
    extra = len(places) - int((counts > 0).sum())
    return Grid(frequency, start, phase, places, len(counts), len(absent), extra)


def calendar_features(grid: Grid, first: int, count: int) -> npt.NDArray[np.float64]:
    """Where each step stands in its day, week and year, as sines and cosines.

    Args:
        grid: Of the series.
        first: The first step.
        count: How many steps.

    Returns:
        float64 (count, 6) in [-1, 1]: sine and cosine of the time of day, the day of the week, the day of the year; all 0
        for frequency step.
    """
    if grid.frequency.unit == "step":
        return np.zeros((count, 6))
    periods = range(grid.start + first, grid.start + first + count)
    turns = np.asarray([_turns(grid.frequency, grid.phase, period) for period in periods]).reshape(count, 3)
    return np.stack([np.sin(2 * np.pi * turns), np.cos(2 * np.pi * turns)], axis=2).reshape(count, 6)


# The windows of a series ask for the same days again and again.
@lru_cache(maxsize=65_536)
def _turns(frequency: Frequency, phase: tuple[int, ...], period: int) -> tuple[float, float, float]:
    """Shares of the day, the week and the year that have gone by."""
    moment = frequency.moment(period, phase)
    days = 366 if calendar.isleap(moment.year) else 365
    return (
        (moment.hour + moment.minute / 60) / 24,
        moment.weekday() / 7,
        (moment.timetuple().tm_yday - 1) / days,
    )


def _list(frequency: Frequency, start: int, phase: tuple[int, ...], steps: npt.NDArray[np.int64]) -> str:
    shown = ", ".join(str(frequency.stamp(start + int(step), phase)) for step in steps[:_SHOWN])
    return shown if len(steps) <= _SHOWN else f"{shown} and {len(steps) - _SHOWN} more"
