"""Timestamps of a series: read, put on a regular grid, gaps and duplicates found.

A frequency turns a timestamp into the number of its period, so that a gap is a difference above 1 and a duplicate
one of 0, for minutes as for months. Times with an offset count in UTC; times without one are taken as they stand.

Legend: T steps as given, G periods from the first to the last.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt

from seqline.data.month_days import DAYS_A_WEEK, WORKDAYS, anchors_of, day_of
from seqline.errors import InputError

Stamp = str | int
GapRule = Literal["refuse", "fill"]
DuplicateRule = Literal["refuse", "first", "last", "mean", "sum"]

_MINUTES = {"min": 1, "h": 60, "D": 1_440, "W": 10_080}
_MONTHS = {"M": 1, "Q": 3, "Y": 12}
_SPELLING = re.compile(r"([1-9]\d{0,3})?(min|h|D|W|M|Q|Y|B|step)")
_YEAR_AND_MONTH = re.compile(r"\d{4}(-\d{2})?")
_EPOCH = datetime(1970, 1, 5)  # a Monday, so that weeks and business days count from it
_SHOWN = 3
# One mistyped year in a series of minutes would otherwise ask for gigabytes of gaps.
MAX_GRID_STEPS = 10_000_000
# Half of what 64 bits hold, so that no difference of two counters is beyond them.
_MAX_COUNTER = 2**62
# Where in the phase of a month, quarter or year its `anchors_of` begin.
_ANCHORS = 3
# Tried from the finest to the coarsest by `infer_frequency`.
_CANDIDATES = ("min", "5min", "10min", "15min", "30min", "h", "D", "B", "W", "M", "Q", "Y")


@dataclass(frozen=True)
class Frequency:
    """How far apart the steps of a series are.

    Attributes:
        unit: min, h, D (day), W (week), M (month), Q (quarter), Y (year), B (Monday to Friday) or step (a counter).
        count: So many units from one step to the next, at least 1.
    """

    unit: str
    count: int = 1

    def __str__(self) -> str:
        return f"{self.count if self.count > 1 else ''}{self.unit}"

    def period(self, stamp: Stamp) -> tuple[int, tuple[int, ...]]:
        """The number of a timestamp's period, and where in its period it stands.

        Returns:
            Timestamps lie on one grid when `common` of their second parts is one; they then lie as many steps apart as their
            first parts differ.

        Raises:
            InputError: It is no timestamp of this frequency.
        """
        if self.unit == "step":
            if isinstance(stamp, bool) or not isinstance(stamp, int):
                raise InputError("timestamps", f"{stamp!r}", "a whole number, as frequency step says")
            if abs(stamp) >= _MAX_COUNTER:
                raise InputError(
                    "timestamps", f"{_number(stamp)} is too large", "whole numbers below 2 to the 62nd"
                )
            return stamp // self.count, (stamp % self.count,)
        moment = parse_timestamp(stamp)
        if self.unit in _MONTHS:
            months = 12 * moment.year + moment.month - 1
            step = self.count * _MONTHS[self.unit]
            return months // step, (months % step, moment.hour, moment.minute, *anchors_of(moment))
        days, rest = divmod(moment - _EPOCH, timedelta(days=1))
        if self.unit == "B":
            week, weekday = divmod(days, DAYS_A_WEEK)
            if weekday >= WORKDAYS:
                raise InputError(
                    "timestamps", f"{stamp!r} is a weekend", "Monday to Friday, as frequency B says"
                )
            number, phase = divmod(week * WORKDAYS + weekday, self.count)
            return number, (phase, rest // timedelta(minutes=1))
        minutes, seconds = divmod(moment - _EPOCH, timedelta(minutes=1))
        number, phase = divmod(minutes, self.count * _MINUTES[self.unit])
        return number, (phase, seconds // timedelta(seconds=1))

    def common(self, phases: Iterable[tuple[int, ...]]) -> tuple[int, ...] | None:
        """The phase that all of some phases may be; None where they lie on different grids.

        A date near the end of a month may stand for several days: 28 February for the 28th of every month and for its last
        day. Dates that come together say which.
        """
        distinct = list(dict.fromkeys(phases))
        first = distinct[0]
        if self.unit not in _MONTHS:
            return first if len(distinct) == 1 else None
        if any(phase[:_ANCHORS] != first[:_ANCHORS] for phase in distinct):
            return None
        shared = set(first[_ANCHORS:]).intersection(*(phase[_ANCHORS:] for phase in distinct))
        return (
            (*first[:_ANCHORS], *(anchor for anchor in first[_ANCHORS:] if anchor in shared))
            if shared
            else None
        )

    def stamp(self, number: int, phase: tuple[int, ...]) -> Stamp:
        """The timestamp of a period: the inverse of `period`; dates where the time of day is 0 throughout."""
        if self.unit == "step":
            return number * self.count + phase[0]
        moment = self.moment(number, phase)
        if moment.hour == moment.minute == moment.second == 0:
            return moment.date().isoformat()
        return moment.isoformat(timespec="minutes" if moment.second == 0 else "seconds")

    def moment(self, number: int, phase: tuple[int, ...]) -> datetime:
        """The time of a period, for every unit but step.

        Raises:
            InputError: It lies outside the years 1 to 9999, which is all that a calendar of dates has.
        """
        try:
            return self._moment(number, phase)
        except (OverflowError, ValueError):
            raise InputError(
                "timestamps",
                f"step {number} of frequency {self} is no date",
                "times within the years 1 to 9999",
            ) from None

    def _moment(self, number: int, phase: tuple[int, ...]) -> datetime:
        if self.unit in _MONTHS:
            year, month = divmod(number * self.count * _MONTHS[self.unit] + phase[0], 12)
            return datetime(year, month + 1, day_of(phase[_ANCHORS], year, month + 1), phase[1], phase[2])
        if self.unit == "B":
            week, weekday = divmod(number * self.count + phase[0], WORKDAYS)
            return _EPOCH + timedelta(days=DAYS_A_WEEK * week + weekday, minutes=phase[1])
        minutes = number * self.count * _MINUTES[self.unit] + phase[0]
        return _EPOCH + timedelta(minutes=minutes, seconds=phase[1])


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
        told = self.frequency.period(start)[1]
        return told[: _ANCHORS + 1] == self.phase[: _ANCHORS + 1]

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


def parse_frequency(text: str) -> Frequency:
    """Read a frequency as `h`, `15min`, `D`, `W`, `M`, `Q`, `Y`, `B` or `step`.

    Raises:
        InputError: It is written otherwise.
    """
    match = _SPELLING.fullmatch(text)
    if match is None:
        raise InputError(
            "frequency", repr(text), "min, h, D, W, M, Q, Y, B (Monday to Friday) or step, as in h or 15min"
        )
    return Frequency(match[2], int(match[1] or 1))


def parse_timestamp(stamp: Stamp) -> datetime:
    """Read ISO 8601 (2026-05, 2026-05-01, 2026-05-01T13:00, with or without an offset); an offset is turned into UTC.

    Raises:
        InputError: It is written otherwise.
    """
    text = stamp if isinstance(stamp, str) else ""
    if _YEAR_AND_MONTH.fullmatch(text):
        text += "-01-01"[: 10 - len(text)]
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InputError("timestamps", _shown(stamp), "ISO 8601, as 2026-05-01 or 2026-05-01T13:00") from None
    try:
        return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    except OverflowError:
        raise InputError(
            "timestamps", f"{stamp!r} is no date in UTC", "times within the years 1 to 9999"
        ) from None


def infer_frequency(stamps: Sequence[Stamp]) -> Frequency:
    """The coarsest usual frequency on whose grid all timestamps lie, one a period; whole numbers count as steps.

    Raises:
        InputError: Fewer than two timestamps, or none of the usual frequencies fits.
    """
    if len(stamps) < 2:
        raise InputError(
            "timestamps", f"{len(stamps)} of them", "at least two to tell the frequency", "set the frequency"
        )
    if all(isinstance(stamp, int) and not isinstance(stamp, bool) for stamp in stamps):
        return Frequency("step")
    distinct = sorted({parse_timestamp(stamp).isoformat() for stamp in stamps})
    for text in reversed(_CANDIDATES):
        frequency = parse_frequency(text)
        try:
            periods = [frequency.period(stamp) for stamp in distinct]
        except InputError:
            continue
        together = frequency.common(phase for _, phase in periods) is not None
        if together and len({number for number, _ in periods}) == len(distinct):
            return frequency
    raise InputError(
        "timestamps",
        f"no regular frequency fits {', '.join(distinct[:_SHOWN])}, ...",
        f"one of {', '.join(_CANDIDATES)}",
        "set the frequency, or put the values on a regular calendar first",
    )


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


def _shown(stamp: object) -> str:
    return _number(stamp) if isinstance(stamp, int) else repr(stamp)


def _number(stamp: int) -> str:
    # Python refuses to spell out an integer of thousands of digits.
    return f"{stamp:,}" if abs(stamp) < _MAX_COUNTER else f"a whole number of {stamp.bit_length()} bits"


def _list(frequency: Frequency, start: int, phase: tuple[int, ...], steps: npt.NDArray[np.int64]) -> str:
    shown = ", ".join(str(frequency.stamp(start + int(step), phase)) for step in steps[:_SHOWN])
    return shown if len(steps) <= _SHOWN else f"{shown} and {len(steps) - _SHOWN} more"
