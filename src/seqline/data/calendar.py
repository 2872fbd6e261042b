"""Timestamps and frequencies: a frequency turns a timestamp into the number of its period, for minutes as for months.

So a gap is a difference above 1 and a duplicate one of 0. Times with an offset count in UTC; times without one are taken as
they stand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import gcd

from seqline.data.month_days import DAYS_A_WEEK, WORKDAYS, anchors_of, day_of
from seqline.errors import InputError

Stamp = str | int

_MINUTES = {"min": 1, "h": 60, "D": 1_440, "W": 10_080}
_MONTHS = {"M": 1, "Q": 3, "Y": 12}
# Counters may be milliseconds or nanoseconds: a step of theirs is a long number.
_SPELLING = re.compile(r"([1-9]\d{0,3})?(min|h|D|W|M|Q|Y|B)|([1-9]\d{0,18})?(step)")
_YEAR_AND_MONTH = re.compile(r"\d{4}(-\d{2})?")
_EPOCH = datetime(1970, 1, 5)  # a Monday, so that weeks and business days count from it
_SHOWN, _FEW = 3, 50
# Half of what 64 bits hold, so that no difference of two counters is beyond them.
_MAX_COUNTER = 2**62
# Years in which a whole number is taken for a date.
_FIRST_YEAR, _LAST_YEAR = 1900, 2100
_DAY, _MONTH = "%Y%m%d", "%Y%m"
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

    def stamps_alike(self, one: tuple[int, ...], other: tuple[int, ...]) -> bool:
        """Whether two phases give the same timestamps: of days that a date may stand for, the likeliest counts."""
        return one[: _ANCHORS + 1] == other[: _ANCHORS + 1]

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
    return Frequency(match[2] or match[4], int(match[1] or match[3] or 1))


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
    """The coarsest usual frequency on whose grid all timestamps lie, one a period.

    Whole numbers are counters: their step is the largest that divides all differences, as 3600 of seconds an hour apart.

    Raises:
        InputError: Fewer than two timestamps, none of the usual frequencies fits, or whole numbers that read as dates.
    """
    if len(stamps) < 2:
        raise InputError(
            "timestamps", f"{len(stamps)} of them", "at least two to tell the frequency", "set the frequency"
        )
    if all(isinstance(stamp, int) and not isinstance(stamp, bool) for stamp in stamps):
        return _step_of(sorted({int(stamp) for stamp in stamps}))
    distinct = sorted({parse_timestamp(stamp).isoformat() for stamp in stamps})
    for text in reversed(_CANDIDATES):
        frequency = parse_frequency(text)
        # Where the first ones do not fit, the others need not be read.
        if _lie_on(frequency, distinct[:_FEW]) and _lie_on(frequency, distinct):
            return frequency
    raise InputError(
        "timestamps",
        f"no regular frequency fits {', '.join(distinct[:_SHOWN])}, ...",
        f"one of {', '.join(_CANDIDATES)}",
        "set the frequency, or put the values on a regular calendar first",
    )


def _step_of(numbers: Sequence[int]) -> Frequency:
    """The step of counters that differ and rise.

    Raises:
        InputError: They are too large, or dates without dashes: as counters the end of each month would be a gap.
    """
    plain = Frequency("step")
    for number in (numbers[0], numbers[-1]):
        plain.period(number)
    if (written := _first_as_date(numbers)) is not None:
        raise InputError(
            "timestamps",
            f"{numbers[0]} to {numbers[-1]}, whole numbers that all read as dates",
            f"ISO 8601, as {written} for {numbers[0]}",
            "write the dates with dashes; counters may begin at 1, or set input.frequency to step",
        )
    return Frequency("step", max(1, gcd(*(later - number for number, later in pairwise(numbers)))))


def _first_as_date(numbers: Sequence[int]) -> str | None:
    """The first of some whole numbers as ISO 8601, where all of them read as YYYYMMDD or YYYYMM; else None."""
    if all(_date_of(number, _DAY) is not None for number in numbers):
        return datetime.strptime(str(numbers[0]), _DAY).strftime("%Y-%m-%d")
    # Months of one year are counters as well as months: neither have gaps.
    in_one_year = numbers[0] // 100 == numbers[-1] // 100
    if not in_one_year and all(_date_of(number, _MONTH) is not None for number in numbers):
        return datetime.strptime(str(numbers[0]), _MONTH).strftime("%Y-%m")
    return None


def _date_of(number: int, pattern: str) -> datetime | None:
    """A whole number as the date that it reads as; None where it is none of the years that data are about."""
    try:
        date = datetime.strptime(str(number), pattern)
    except ValueError:
        return None
    # strptime takes 2026111 for a date too.
    same = date.strftime(pattern) == str(number)
    return date if same and _FIRST_YEAR <= date.year <= _LAST_YEAR else None


def _lie_on(frequency: Frequency, stamps: Sequence[Stamp]) -> bool:
    """Whether timestamps lie on the grid of a frequency, one a period."""
    try:
        periods = [frequency.period(stamp) for stamp in stamps]
    except InputError:
        return False
    together = frequency.common(phase for _, phase in periods) is not None
    return together and len({number for number, _ in periods}) == len(stamps)


def _shown(stamp: object) -> str:
    return _number(stamp) if isinstance(stamp, int) else repr(stamp)


def _number(stamp: int) -> str:
    # Python refuses to spell out an integer of thousands of digits.
    return f"{stamp:,}" if abs(stamp) < _MAX_COUNTER else f"a whole number of {stamp.bit_length()} bits"
