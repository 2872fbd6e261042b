"""From a table with a row a time step to one row a sequence: nothing is reordered silently across groups, nothing filled.

All steps of a group become one row. They may stand in any order and among those of other groups; the order column sorts
them. A step given twice, a gap, a value that is no number and a label that changes inside a group are refused with
their line. An empty value is a missing number (null), which validation counts.

Legend: T steps of a group, D value columns.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from seqline.data.calendar import infer_frequency
from seqline.data.csv_rows import listed
from seqline.data.kinds.base import named, shown
from seqline.data.kinds.targets import number_of
from seqline.data.readers import Row
from seqline.errors import InputError

# A difference of so many usual ones is a gap; times measured in fractions of a second are not equally far apart to the bit.
_GAP = 1.5
_ONLY_GROUP = "series"
_FAR_APART = "as far from the step before as the others are"


@dataclass(frozen=True, kw_only=True)
class LongTable:
    """How a long table is to be read.

    Attributes:
        group: Column that says which sequence a row belongs to; it becomes the `id`. None: all rows are one sequence.
        order: Column of whole numbers, numbers or timestamps that sorts the steps.
        values: Columns of numbers.
        column: Name of the column that holds the sequence: T numbers for one value column, T lists of D for more.
        beside: Further columns of numbers that change with time; each becomes a list of its own.
        order_column: Keep the steps' own order values too, as a list of this name. Then gaps are left to whoever knows
            the calendar; without it they are refused, since nobody could see them later.
    """

    group: str | None
    order: str
    values: tuple[str, ...]
    column: str
    beside: tuple[str, ...] = ()
    order_column: str | None = None

    @property
    def numbers(self) -> tuple[str, ...]:
        """All columns of numbers."""
        return (*self.values, *self.beside)


@dataclass
class _Group:
    """What has been read of one sequence."""

    line: int
    source: str
    constants: dict[str, Any]
    lines: array[int] = field(default_factory=lambda: array("q"))
    order: list[Any] = field(default_factory=list)
    numbers: array[float] = field(default_factory=lambda: array("d"))


def sequences_of(rows: Iterable[Row], table: LongTable) -> Iterator[Row]:
    """One row a group, in the order in which the groups begin.

    All numbers are held in memory, 8 bytes each: a group may go on in the last line.

    Args:
        rows: One a step. Columns that are neither group, order nor values must not change within a group.
        table: How to read them.

    Yields:
        Rows with `id`, the sequence and the columns that do not change; the line is that of the group's first step.

    Raises:
        InputError: With file and line, for what cannot be read as it stands.
    """
    groups: dict[str, _Group] = {}
    for row in rows:
        if not groups:
            _require_columns(row, table)
        identifier = _ONLY_GROUP if table.group is None else row.values[table.group]
        where = f"{row.source} line {row.line}"
        if identifier is None or shown(identifier).strip() == "":
            raise InputError(
                where, f"no value in column {table.group!r}", "the name of a sequence in every row"
            )
        constants = {
            column: value
            for column, value in row.values.items()
            if column not in {table.group, table.order, *table.numbers}
        }
        group = groups.setdefault(shown(identifier), _Group(row.line, row.source, constants))
        if constants != group.constants:
            raise _changed(where, shown(identifier), constants, group)
        group.lines.append(row.line)
        group.order.append(_order_of(row, table, where))
        group.numbers.extend(_numbers_of(row, table, where))
    for identifier, group in groups.items():
        yield _row_of(identifier, group, table)


def _require_columns(row: Row, table: LongTable) -> None:
    for column in filter(None, (table.group, table.order, *table.numbers)):
        if column not in row.values:
            raise InputError(
                row.source,
                f"no column {column!r}; its columns are {listed(row.values)}",
                f"a column {column!r}",
            )
    if table.column in row.values and table.column not in (*table.values, table.group, table.order):
        raise InputError(
            row.source, f"a column {table.column!r} besides the values", "that name for the sequence alone"
        )
    if "id" in row.values and "id" not in (table.group, table.order, *table.numbers):
        raise InputError(
            row.source,
            f"a column 'id' that is not the group {table.group!r}",
            "the group's values become the id of a sequence",
            "rename or remove the column, or name it with --group",
        )


def _changed(where: str, identifier: str, found: dict[str, Any], group: _Group) -> InputError:
    column = next(name for name in found if found[name] != group.constants[name])
    return InputError(
        where,
        f"column {column!r} says {found[column]!r}, on line {group.line} of the same sequence {identifier!r} "
        f"it says {group.constants[column]!r}",
        "one value in all steps of a sequence",
        f"if {column!r} changes with time, name it among the inputs",
    )


def _order_of(row: Row, table: LongTable, where: str) -> Any:
    value = row.values[table.order]
    if value is None or isinstance(value, bool | list) or (isinstance(value, str) and not value.strip()):
        raise InputError(
            where, f"no step in column {table.order!r} but {named(value)}", "a number or a timestamp"
        )
    number = number_of(value)
    # A year and month such as 2026-05 is no number, a year is one: it counts as well as a date.
    return number if isinstance(number, int | float) else str(value)


def _numbers_of(row: Row, table: LongTable, where: str) -> Iterator[float]:
    for column in table.numbers:
        value = row.values[column]
        number = np.nan if value is None or value == "" else number_of(value)
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise InputError(
                where,
                f"column {column!r} holds {named(value)}, not a number",
                "a number, or nothing where it is missing",
                f"leave {column!r} out of the inputs, or mend the value",
            )
        yield float(number)


def _row_of(identifier: str, group: _Group, table: LongTable) -> Row:
    places = _places(identifier, group, table)
    order = np.argsort(places, kind="stable")
    if table.order_column is None:
        _check_steps(identifier, group, [places[i] for i in order], order.tolist())
    numbers = np.frombuffer(group.numbers, dtype=np.float64).reshape(-1, len(table.numbers))[order]
    steps = [[None if np.isnan(number) else number for number in step] for step in numbers.tolist()]
    width = len(table.values)
    values: dict[str, Any] = {"id": identifier}
    if table.order_column is not None:
        values[table.order_column] = [_plain(group.order[i]) for i in order]
    values[table.column] = [step[0] for step in steps] if width == 1 else [step[:width] for step in steps]
    values |= {name: [step[width + i] for step in steps] for i, name in enumerate(table.beside)}
    return Row(group.line, {**values, **group.constants}, group.source)


def _plain(value: Any) -> Any:
    """A step number without a fraction is a whole number: 3.0 was the text "3"."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _places(identifier: str, group: _Group, table: LongTable) -> list[float]:
    """Where each step stands in time, as numbers; those of timestamps count the steps of their frequency."""
    texts = [isinstance(value, str) for value in group.order]
    where = f"{group.source} line {group.line}, sequence {identifier!r}"
    stamps = [_plain(value) for value in group.order]
    # Times that are kept are judged where they are read: here they only sort the steps.
    is_judged_later = table.order_column is not None
    if not any(texts) and (is_judged_later or any(isinstance(stamp, float) for stamp in stamps)):
        return [float(stamp) for stamp in stamps]
    if any(texts) and not all(texts):
        number = group.lines[texts.index(not texts[0])]
        raise InputError(
            f"{group.source} line {number}",
            f"numbers and other text in column {table.order!r} of the sequence {identifier!r}",
            "numbers throughout, or timestamps throughout",
        )
    if len(group.order) == 1:
        return [0.0]
    try:
        frequency = infer_frequency(stamps)
        return [float(frequency.period(stamp)[0]) for stamp in stamps]
    except InputError as error:
        raise InputError(f"{where}, {error.where}", error.found, error.expected, error.hint) from None


def _check_steps(identifier: str, group: _Group, places: Sequence[float], order: Sequence[int]) -> None:
    """Refuse a step given twice and a gap, with the line of the later step."""
    differences = np.diff(places)
    positive = differences[differences > 0]
    usual = float(np.median(positive)) if len(positive) else 0.0
    for index, difference in enumerate(differences):
        here, before = (f"line {group.lines[order[i]]}" for i in (index + 1, index))
        step, last = (_plain(group.order[order[i]]) for i in (index + 1, index))
        if difference <= 0:
            raise InputError(
                f"{group.source} {here}",
                f"step {step!r} of the sequence {identifier!r} a second time; it is on {before} too",
                "each step of a sequence once",
            )
        if difference > _GAP * usual:
            raise InputError(
                f"{group.source} {here}",
                f"a gap in the sequence {identifier!r}: {step!r} follows {last!r} ({before})",
                f"a step {_FAR_APART}",
                "add the missing steps, with empty values where they are unknown",
            )
