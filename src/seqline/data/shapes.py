"""The shape of a user's table, kept beside the rows made of it: later files of that shape are turned the same way.

`data/NAME/shape.json` says how. A file that has the columns of the rows already (JSON lines with lists) is taken as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, Literal

from seqline.data.csv_rows import listed
from seqline.data.kinds.base import named
from seqline.data.kinds.targets import number_of
from seqline.data.long_tables import LongTable, sequences_of
from seqline.data.readers import Row
from seqline.data.sessions import EventTable, sessions_of
from seqline.errors import InputError
from seqline.files import read_json, write_json

SHAPE_FILE = "shape.json"
Form = Literal["rows", "long", "wide", "joined", "events", "tokens"]


@dataclass(frozen=True, kw_only=True)
class Shape:
    """How the rows of a file become rows as recipes name them.

    Attributes:
        form: rows: one row is one sequence already; long: a row a time step; wide: the numbers of a vector stand in columns
            of their own; joined: so do the parts of a text; events: a row is one item of somebody's list; tokens: a row is
            one token of a sentence.
        column: Name of the input column that is made.
        columns: Columns of numbers, texts or items that go into it; none for rows.
        group: Of a long table, events or tokens, column of the sequence's name; None: it is one sequence.
        order: Of a long table or events, column that sorts the steps.
        beside: Of a long table, further columns of numbers that change with time; of tokens, the column of their tags.
        order_column: Of a long table, the name of the column that keeps the steps' own times; None: they are not kept.
        numbers: Columns whose text is read as a number where it spells one, as a number to predict.
        lists: Columns whose text is split at white space, as tokens and tags; numbers in their lists become names.
    """

    form: Form = "rows"
    column: str = ""
    columns: tuple[str, ...] = ()
    group: str | None = None
    order: str | None = None
    beside: tuple[str, ...] = ()
    order_column: str | None = None
    numbers: tuple[str, ...] = ()
    lists: tuple[str, ...] = field(default=())

    @property
    def changes_nothing(self) -> bool:
        """Whether rows stay as they are."""
        return self.form == "rows" and not self.numbers and not self.lists

    def save(self, folder: Path) -> None:
        """Write `shape.json`."""
        write_json(folder / SHAPE_FILE, asdict(self))

    @classmethod
    def load(cls, folder: Path) -> Shape:
        """Read what `save` wrote; where there is none, rows stay as they are."""
        path = folder / SHAPE_FILE
        if not path.is_file():
            return cls()
        try:
            values: dict[str, Any] = read_json(path)
            plain: dict[str, Any] = {n: tuple(v) if isinstance(v, list) else v for n, v in values.items()}
            return cls(**plain)
        except (TypeError, AttributeError):
            raise InputError(str(path), "not a shape", "the file that `seqline new` wrote") from None


def shaped(rows: Iterable[Row], shape: Shape) -> Iterator[Row]:
    """Rows as recipes name them.

    Raises:
        InputError: A row that cannot be turned, with file, line and reason.
    """
    iterator = iter(rows)
    first = next(iterator, None)
    if first is None:
        return
    every = chain([first], iterator)
    # Canonical rows may come in beside tables: they have the input column, and nothing is left to be made of them.
    value = first.values.get(shape.column)
    parted = any(name in first.values for name in shape.columns)
    made = isinstance(value, list) or (shape.form == "joined" and value is not None and not parted)
    turned = every if made and shape.form != "rows" else _FORMS[shape.form](every, shape)
    for row in turned:
        yield _read_columns(row, shape) if shape.numbers or shape.lists else row


def _as_they_are(rows: Iterable[Row], shape: Shape) -> Iterable[Row]:
    return rows


def _long(rows: Iterable[Row], shape: Shape) -> Iterable[Row]:
    table = LongTable(
        group=shape.group,
        order=shape.order or "step",
        values=shape.columns,
        column=shape.column,
        beside=shape.beside,
        order_column=shape.order_column,
    )
    return sequences_of(rows, table)


def vectors_of(rows: Iterable[Row], columns: tuple[str, ...], column: str) -> Iterator[Row]:
    """Put columns of numbers into one list column.

    Args:
        rows: With the columns.
        columns: Those of the vector, in its order.
        column: Its name.

    Raises:
        InputError: A column is missing, or a value is no number.
    """
    for row in rows:
        where = f"{row.source} line {row.line}"
        _require(row, columns, where)
        if column in row.values and column not in columns:
            raise InputError(
                where, f"a column {column!r} besides the numbers", "that name for the vector alone"
            )
        numbers = [_number(row.values[name], f"{where} column {name!r}") for name in columns]
        yield _in_place_of(row, columns, column, numbers)


def _in_place_of(row: Row, columns: tuple[str, ...], column: str, made: Any) -> Row:
    """The row with one column instead of several, behind its id."""
    others: dict[str, Any] = {name: value for name, value in row.values.items() if name not in columns}
    values: dict[str, Any] = {"id": others.pop("id")} if "id" in others else {}
    return Row(row.line, {**values, column: made, **others}, row.source)


def _joined(rows: Iterable[Row], shape: Shape) -> Iterator[Row]:
    """Put the parts of a text one after the other, with a space between them."""
    for row in rows:
        where = f"{row.source} line {row.line}"
        _require(row, shape.columns, where)
        if shape.column in row.values:
            raise InputError(
                where, f"a column {shape.column!r} besides its parts", "that name for the whole alone"
            )
        parts = [row.values[name] for name in shape.columns]
        wrong = [
            name for name, part in zip(shape.columns, parts, strict=True) if not isinstance(part, str | None)
        ]
        if wrong:
            raise InputError(f"{where} column {wrong[0]!r}", named(row.values[wrong[0]]), "a text")
        text = " ".join(part.strip() for part in parts if isinstance(part, str) and part.strip())
        yield _in_place_of(row, shape.columns, shape.column, text)


def _events(rows: Iterable[Row], shape: Shape) -> Iterable[Row]:
    table = EventTable(
        owner=shape.group or "user", item=shape.columns[0], order=shape.order, column=shape.column
    )
    return sessions_of(rows, table)


def _tokens(rows: Iterable[Row], shape: Shape) -> Iterable[Row]:
    """Sentences whose name may be left out in all rows but the first, as spreadsheets have it."""
    sentence = shape.group or "sentence"

    def named_throughout() -> Iterator[Row]:
        name: Any = None
        for row in rows:
            given = row.values.get(sentence)
            name = name if given is None or given == "" else given
            yield Row(row.line, {**row.values, sentence: name}, row.source) if sentence in row.values else row

    table = EventTable(
        owner=sentence, item=shape.columns[0], order=None, column=shape.column, beside=shape.beside
    )
    return sessions_of(named_throughout(), table)


def _require(row: Row, columns: tuple[str, ...], where: str) -> None:
    missing = [name for name in columns if name not in row.values]
    if missing:
        raise InputError(where, f"no column {listed(missing)}", f"the columns {listed(columns)}")


def _wide(rows: Iterable[Row], shape: Shape) -> Iterable[Row]:
    return vectors_of(rows, shape.columns, shape.column)


def _read_columns(row: Row, shape: Shape) -> Row:
    values: dict[str, Any] = dict(row.values)
    for name in shape.numbers:
        # What spells no number stays: whoever checks rows one by one says so, and takes the others.
        if name in values:
            values[name] = None if values[name] == "" else number_of(values[name])
    for name in shape.lists:
        given = values.get(name)
        if isinstance(given, str):
            values[name] = given.split()
        elif isinstance(given, list):
            values[name] = [str(item) if type(item) is int else item for item in given]
    return Row(row.line, values, row.source)


def _number(value: Any, where: str) -> Any:
    """A number, or None where it is missing; whole ones that a table spelled as text stay whole."""
    if value is None or value == "":
        return None
    number = number_of(value)
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise InputError(
            where,
            named(value),
            "a number, or nothing where it is missing",
            "leave the value empty where there is none, mend it, or name the columns of the vector with --input",
        )
    return number


_FORMS: Mapping[Form, Callable[[Iterable[Row], Shape], Iterable[Row]]] = {
    "rows": _as_they_are,
    "long": _long,
    "wide": _wide,
    "joined": _joined,
    "events": _events,
    "tokens": _tokens,
}
