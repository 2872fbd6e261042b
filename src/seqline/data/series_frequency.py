"""The frequency of series whose rows give timestamps and say none: told from all rows of a series, not from one stretch.

A stretch of a few steps tells little: one timestamp has no frequency, and Monday to Friday may be days or workdays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from seqline.data.calendar import Frequency, Stamp, infer_frequency, parse_frequency
from seqline.data.history import FREQUENCY, TIMESTAMPS, name_of
from seqline.errors import InputError
from seqline.recipe import HistoryInput

# From so many timestamps on a series tells its own frequency: a week of days has a weekend in it.
TELLING = 8


def frequencies_of(rows: Sequence[Mapping[str, Any]], section: HistoryInput) -> dict[str, Frequency]:
    """The frequency of each series by name, as far as its rows say or tell one.

    A series of fewer timestamps than tell a frequency has that of the others, where they have one and it fits.

    Args:
        rows: Of any number of series, in any order.
        section: The recipe's input; its frequency, where it says one, is that of all.

    Raises:
        InputError: The timestamps of a series fit no usual frequency.
    """
    if section.frequency is not None:
        return {}
    said: dict[str, Frequency] = {}
    stamps: dict[str, list[Stamp]] = {}
    for row in rows:
        name = name_of(row, section)
        given = row.get(FREQUENCY)
        if isinstance(given, str):
            with suppress(InputError):  # whoever reads the row says what is wrong with it
                said.setdefault(name, parse_frequency(given))
        elif isinstance(row.get(TIMESTAMPS), list):
            stamps.setdefault(name, []).extend(row[TIMESTAMPS])
    counts = {name: len(set(map(str, given))) for name, given in stamps.items() if name not in said}
    told = {name: _told(name, stamps[name]) for name, count in counts.items() if count >= TELLING}
    usual = set(said.values()) | set(told.values())
    for name, count in counts.items():
        if name in told:
            continue
        [shared] = usual if len(usual) == 1 else [None]
        if shared is not None and _fits(shared, stamps[name]):
            told[name] = shared
        elif count > 1:
            told[name] = _told(name, stamps[name])
    return said | told


def _told(name: str, stamps: Sequence[Stamp]) -> Frequency:
    try:
        return infer_frequency(stamps)
    except InputError as error:
        raise InputError(f"series {name}, {error.where}", error.found, error.expected, error.hint) from None


def _fits(frequency: Frequency, stamps: Sequence[Stamp]) -> bool:
    try:
        return frequency.common(frequency.period(stamp)[1] for stamp in stamps) is not None
    except InputError:
        return False
