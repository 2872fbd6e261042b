"""A first look at a file: its columns, what the user said about them, and what was found so far with its reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from seqline.data.column_facts import ColumnFacts
from seqline.data.readers import Row

_SUBJECT_NAMES = ("subject", "speaker", "user", "patient", "person", "author", "customer", "movie", "film")


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
        long: Whether a row is one step.
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
    long: bool = False
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

    def named(self, *names: str) -> str | None:
        """The first of some names that is a column, in any case."""
        by_name = {name.casefold(): name for name in self.columns}
        return next((by_name[name] for name in names if name in by_name), None)

    def say(self, reason: str) -> None:
        """Keep a reason."""
        self.reasons.append(reason)

    def numbers(self, *without: str | None) -> tuple[str, ...]:
        """Columns of numbers."""
        return tuple(name for name, c in self.columns.items() if c.is_number and name not in without)

    def texts(self, *without: str | None) -> list[ColumnFacts]:
        """Columns of text, an `id` left out."""
        return [c for name, c in self.columns.items() if c.is_text and name not in (*without, "id")]

    def subject(self, *without: str | None) -> str | None:
        """The column that says whose a row is."""
        found = self.named(*_SUBJECT_NAMES)
        return found if found not in without else None
