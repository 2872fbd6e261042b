"""Days of a month by what people mean with a date: the 28th of every month, its last day, its last workday.

A date alone may mean several of them, and series that come once a month, a quarter or a year are dated by one.
"""

from __future__ import annotations

import calendar
from datetime import datetime

WORKDAYS, DAYS_A_WEEK = 5, 7
# Anchors: 1 to 30 are days, and in shorter months the last one; then the last day, and workdays (Monday to Friday).
_MONTH_END, _LAST_WORKDAY, _FIRST_WORKDAY = 31, 32, 33


def anchors_of(moment: datetime) -> list[int]:
    """What a date may mean, the likeliest first.

    >>> anchors_of(datetime(2026, 1, 28)), anchors_of(datetime(2026, 2, 28)), anchors_of(datetime(2026, 1, 30))
    ([28], [31, 28, 29, 30], [30, 32])
    """
    last = calendar.monthrange(moment.year, moment.month)[1]
    days = [moment.day] if moment.day < last else [_MONTH_END, *range(last, _MONTH_END)]
    workdays = (_LAST_WORKDAY, _FIRST_WORKDAY)
    return days + [anchor for anchor in workdays if day_of(anchor, moment.year, moment.month) == moment.day]


def day_of(anchor: int, year: int, month: int) -> int:
    """The day of a month that an anchor means.

    >>> [day_of(anchor, 2026, 2) for anchor in (15, 30, 31, 32, 33)]
    [15, 28, 28, 27, 2]
    """
    first_weekday, last = calendar.monthrange(year, month)
    if anchor == _FIRST_WORKDAY:
        return 1 if first_weekday < WORKDAYS else 1 + DAYS_A_WEEK - first_weekday
    if anchor == _LAST_WORKDAY:
        weekday = (first_weekday + last - 1) % DAYS_A_WEEK
        return last - max(0, weekday - WORKDAYS + 1)
    return min(anchor, last)
