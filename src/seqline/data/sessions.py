"""From a table with a row an event (somebody took something) to one row a person: the items in the order of their times.

Unlike the steps of a series, events stand at no regular distance, and two may have one time: they then keep their order
in the file. Other columns are not read: what belongs to one event is no part of the list of items.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from seqline.data.calendar import parse_timestamp
from seqline.data.csv_rows import listed
from seqline.data.kinds.base import named, shown
from seqline.data.kinds.targets import number_of
from seqline.data.readers import Row
from seqline.errors import InputError


@dataclass(frozen=True, kw_only=True)
class EventTable:
    """How a table of events is to be read.

    Attributes:
        owner: Column that says whose an event is; it becomes the `id`.
        item: Column of the items; numbers count as names.
        order: Column of numbers or timestamps that sorts the events; None: the order of the file.
        column: Name of the column that holds the list.
        beside: Further columns of names, one an item: each becomes a list of its own.
    """

    owner: str
    item: str
    order: str | None
    column: str
    beside: tuple[str, ...] = ()


@dataclass
class _Events:
    """What has been read of one owner."""

    line: int
    source: str
    items: list[tuple[str, ...]] = field(default_factory=list)
    times: list[float] = field(default_factory=list)


def sessions_of(rows: Iterable[Row], table: EventTable) -> Iterator[Row]:
    """One row an owner, in the order in which the owners appear.

    All items are held in memory: an owner may come back in the last line.

    Args:
        rows: One an event.
        table: How to read them.

    Yields:
        Rows with `id` and the list of items; the line is that of the owner's first event.

    Raises:
        InputError: With file and line: a column that is not there, no owner, no item, a time that is none.
    """
    owners: dict[str, _Events] = {}
    kinds: set[bool] = set()
    for row in rows:
        where = f"{row.source} line {row.line}"
        for column in filter(None, (table.owner, table.item, table.order, *table.beside)):
            if column not in row.values:
                raise InputError(
                    where,
                    f"no column {column!r}; its columns are {listed(row.values)}",
                    f"a column {column!r}",
                )
        owner, *names = (
            _name(row.values[column], f"{where} column {column!r}")
            for column in (table.owner, table.item, *table.beside)
        )
        events = owners.setdefault(owner, _Events(row.line, row.source))
        events.items.append(tuple(names))
        if table.order is not None:
            time, is_stamp = _time(row.values[table.order], f"{where} column {table.order!r}")
            kinds.add(is_stamp)
            if len(kinds) > 1:
                raise InputError(
                    where, f"numbers and timestamps in column {table.order!r}", "one of them throughout"
                )
            events.times.append(time)
    for owner, events in owners.items():
        items = events.items
        if events.times:
            items = [
                item for _, item in sorted(zip(events.times, items, strict=True), key=lambda pair: pair[0])
            ]
        lists = zip((table.column, *table.beside), map(list, zip(*items, strict=True)), strict=True)
        yield Row(events.line, {"id": owner, **dict(lists)}, events.source)


def _name(value: Any, where: str) -> str:
    if value is None or isinstance(value, bool | list) or not shown(value).strip():
        raise InputError(where, named(value), "a name in every row")
    return shown(value).strip()


def _time(value: Any, where: str) -> tuple[float, bool]:
    """A time as a number that sorts, and whether it was a timestamp."""
    number = number_of(value)
    if isinstance(number, int | float) and not isinstance(number, bool):
        return float(number), False
    try:
        return parse_timestamp(str(value)).timestamp(), True
    except (InputError, OverflowError, ValueError):
        raise InputError(where, named(value), "a number, or a timestamp as 2026-05-01T13:00") from None
