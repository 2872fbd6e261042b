"""A first look at a file: its columns, what the user said about them, and what was found so far with its reasons."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from seqline.data.column_facts import ColumnFacts
from seqline.data.readers import Row
from seqline.data.shapes import Form

_SUBJECT_NAMES = ("subject", "speaker", "user", "patient", "person", "author", "customer", "movie", "film")
_ID_NAMES = frozenset({"id", "uuid", "guid", "rowid", "key", "unnamed0"})
_ID_ENDING = re.compile(r".*(?:[_\s-](?:id|uuid|guid|key)|[a-z](?:Id|ID))", re.ASCII | re.DOTALL)
_SPLIT_NAMES = frozenset({"split", "fold", "subset", "partition"})


@dataclass(frozen=True, kw_only=True)
class Guess:
    """What a file seems to be for.

    Attributes:
        task: Of the recipe.
        kind: Of the input.
        inputs: Columns that make the input; several numbers are put together.
        beside: Of a series to go on with, further numbers known up to now.
        target: Column of what is predicted; None where the input itself is.
        group: Of a long table, the column of the sequence's name.
        order: Of a long table, the column that sorts its steps.
        split_by: Column whose values should not straddle splits (a speaker, a film); None.
        alphabet: Of symbols in strings, the letters seen; None.
        form: How the rows become rows of a recipe; see `Shape`.
        lists: Columns of text that are lists of words.
        reasons: Why, one line each.
    """

    task: str
    kind: str
    inputs: tuple[str, ...]
    target: str | None
    beside: tuple[str, ...] = ()
    group: str | None = None
    order: str | None = None
    split_by: str | None = None
    alphabet: str | None = None
    form: Form = "rows"
    lists: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Given:
    """What the user said; None and empty where nothing was."""

    task: str | None = None
    kind: str | None = None
    inputs: tuple[str, ...] = ()
    target: str | None = None
    group: str | None = None
    order: str | None = None


class Look:
    """The columns of a file, with what the user said about them.

    Args:
        rows: The first rows, at least one.
        given: What the user said.
    """

    def __init__(self, rows: Sequence[Row], given: Given) -> None:
        self.source = rows[0].source
        self.given = given
        self.rows = len(rows)
        names = rows[0].values
        self.columns = {name: ColumnFacts(name, [row.values[name] for row in rows]) for name in names}
        self.reasons: list[str] = []
        self.doubts: list[str] = []

    def named(self, *names: str) -> str | None:
        """The first of some names that is a column, in any case and with any marks between its words."""
        by_name = {bare(name): name for name in self.columns}
        return next((by_name[bare(name)] for name in names if bare(name) in by_name), None)

    def say(self, reason: str) -> None:
        """Keep a reason."""
        self.reasons.append(reason)

    def doubt(self, reason: str) -> None:
        """Keep what speaks against a use that was nearly found; told where no other one is."""
        self.doubts.append(reason)

    @cached_property
    def idle(self) -> tuple[str, ...]:
        """Columns that tell nothing about a row: its number or id, its place among those of a group, its split.

        A column that the user named is none of them.
        """
        given = self.given
        spoken_for = {*given.inputs, given.target, given.group, given.order}
        found = []
        for name, column in self.columns.items():
            is_id = bare(name) in _ID_NAMES or (is_id_name(name) and column.is_unique)
            is_subject = name == self.subject() and column.is_unique
            numbering = column.counts_rows or name in self.numbered
            if name not in spoken_for and (is_id or is_subject or numbering or bare(name) in _SPLIT_NAMES):
                found.append(name)
        return tuple(found)

    @cached_property
    def numbered(self) -> dict[str, str]:
        """Columns of whole numbers that count up within another one, and begin anew where that changes.

        As of several captions of one picture, each with its number.
        """
        found = {name: self._numbered_within(name) for name in self.columns}
        return {name: within for name, within in found.items() if within is not None}

    def _numbered_within(self, name: str) -> str | None:
        numbers = self.columns[name].whole_numbers
        if numbers is None or self.columns[name].is_unique:
            return None
        goes_on = [later == before + 1 for before, later in pairwise(numbers)]
        if sum(goes_on) * 2 < len(goes_on):
            return None
        for other in self.texts(name):
            same = [a == b for a, b in pairwise(other.values)]
            if goes_on == same:
                return other.name
        return None

    def numbers(self, *without: str | None) -> tuple[str, ...]:
        """Columns of numbers."""
        return tuple(name for name, c in self.columns.items() if c.is_number and name not in without)

    def texts(self, *without: str | None) -> list[ColumnFacts]:
        """Columns of text, an `id` left out."""
        return [c for name, c in self.columns.items() if c.is_text and name not in (*without, "id")]

    def subject(self, *without: str | None) -> str | None:
        """The column that says whose a row is."""
        found = self.named(*_SUBJECT_NAMES, *(f"{name}_id" for name in _SUBJECT_NAMES))
        return found if found not in without else None


def is_id_name(name: str) -> bool:
    """Whether a column is called an id: `order_id`, `orderId`, `Order ID`."""
    return bare(name) in _ID_NAMES or _ID_ENDING.fullmatch(name) is not None or name.endswith("_ID")


def bare(name: str) -> str:
    """A column's name without what people spell differently: `User ID`, `user_id` and `userId` are one name."""
    return "".join(letter for letter in name.casefold() if letter.isalnum())
