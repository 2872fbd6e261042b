"""What a file seems to be for: kind of input, task and columns, told from the names and the first rows, with the reasons.

A guess is printed and may be overruled by naming kind, task or columns; it never changes a value.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from difflib import get_close_matches

from seqline.data.column_facts import ColumnFacts
from seqline.data.csv_rows import listed
from seqline.data.kinds.base import shown
from seqline.data.kinds.targets import number_of
from seqline.data.look import Given, Guess, Look
from seqline.data.readers import Row
from seqline.data.uses.lists import from_lists, from_sound
from seqline.data.uses.steps import from_events, from_steps
from seqline.data.uses.tags import from_tags
from seqline.data.uses.texts import from_one_column, from_pair, from_text, from_text_alone
from seqline.data.uses.vectors import from_numbers
from seqline.errors import InputError

# So many rows tell what a file is.
ROWS = 5_000
_FEWEST_ROWS = 2
_MOST_NAME_WORDS = 3


def guess(rows: Sequence[Row], given: Given) -> Guess:
    """Tell what a file is for.

    Args:
        rows: Its first rows, at most `ROWS` of them.
        given: What the user said about it; that is taken for true.

    Raises:
        InputError: No use of the file fits, or a column that the user named is not there.
    """
    look = Look(rows, given)
    _require_columns(look)
    if look.rows < _FEWEST_ROWS:
        raise InputError(
            look.source, f"{look.rows} row", "enough rows to learn from: hundreds, better thousands"
        )
    for refuse in (_refuse_two_roles, _refuse_names, _refuse_dressed_numbers, _refuse_other_dates):
        refuse(look)
    for attempt in _ATTEMPTS:
        found = attempt(look)
        if found is not None and given.kind in (None, found.kind) and given.task in (None, found.task):
            return found
        look.reasons.clear()
    wanted = " ".join(
        filter(None, (given.task and f"task {given.task}", given.kind and f"kind {given.kind}"))
    )
    raise InputError(
        look.source,
        f"no use of its columns found{f' for {wanted}' if wanted else ''}: {listed(look.columns)}"
        + "".join(f"\n  {doubt}" for doubt in look.doubts),
        "a text and a label, steps of a series, columns of numbers and a label, a pair of texts, tokens and tags, or "
        "items in their order",
        "say what it is with --kind, --task, --input, --target, --group and --order",
    )


def _require_columns(look: Look) -> None:
    given = look.given
    for name in filter(None, (*given.inputs, given.target, given.group, given.order)):
        if name not in look.columns:
            near = get_close_matches(name, look.columns, n=1) or get_close_matches(
                name.casefold(), look.columns, n=1
            )
            raise InputError(
                look.source,
                f"no column {name!r}; its columns are {listed(look.columns)}",
                f"a column {name!r}",
                f"did you mean {near[0]!r}?" if near else "name one of its columns",
            )


def _refuse_two_roles(look: Look) -> None:
    """Refuse a target that is an input, or that sorts or names sequences: it would be known beforehand."""
    given = look.given
    roles = {"--input": given.inputs, "--group": (given.group,), "--order": (given.order,)}
    for option, columns in roles.items():
        if given.target is not None and given.target in columns:
            raise InputError(
                f"{look.source} column {given.target!r}",
                f"it is --target and {option} at once",
                "another column for one of them",
            )


def _refuse_names(look: Look) -> None:
    """Refuse names of columns that are none: with spaces around them, or the values of a first row without a header."""
    no_names = [name for name in look.columns if _is_no_name(name)]
    for name, column in look.columns.items():
        if name != name.strip():
            raise InputError(
                look.source,
                f"the column name {name!r}, with spaces around it",
                "names and values without them",
                "leave out the spaces beside the separators; they would be part of every value",
            )
        # A column `spam` may well hold the word; beside a name that is a sentence or a number it is a row.
        is_value = column.is_text and column.may_be_label and name in {shown(value) for value in column.known}
        if (is_value and no_names) or type(number_of(name)) is float:
            raise InputError(
                look.source,
                f"the column name {name!r}, which "
                + ("is one of the column's values" if is_value else "is a number with a fraction"),
                "a header with the names of the columns",
                "add a first line with names, as text,label",
            )


def _is_no_name(name: str) -> bool:
    """Whether nobody would call a column so: a sentence, a number."""
    return len(name.split()) > _MOST_NAME_WORDS or type(number_of(name)) in (int, float)


def _refuse_dressed_numbers(look: Look) -> None:
    """Refuse numbers with commas and signs: as texts they would be labels, and nobody can say what a comma means."""
    for name, column in _beside_no_sentences(look).items():
        if column.dressed_number is not None:
            raise InputError(
                f"{look.source} column {name!r}",
                f"numbers that are not plain, as {column.dressed_number!r}",
                "digits with a decimal point and nothing else, as 1234.5",
                "export the table once more with plain numbers (in a spreadsheet: an English locale, no number format)",
            )


def _refuse_other_dates(look: Look) -> None:
    """Refuse a table of times that cannot be read: without them it would be taken for something else."""
    for name, column in _beside_no_sentences(look).items():
        if column.other_date is not None:
            raise InputError(
                f"{look.source} column {name!r}",
                f"dates as {column.other_date!r}",
                "ISO 8601, as 2026-05-31 or 2026-05-31T13:00: nobody can say which number is the month",
                "write the dates anew, or leave the column out",
            )


def _beside_no_sentences(look: Look) -> dict[str, ColumnFacts]:
    """The columns, where they are all there is; beside a text they are not read, nor are those that the user left out."""
    if any(column.is_sentences for column in look.texts()):
        return {}
    given = {*look.given.inputs, look.given.target, look.given.order, look.given.group}
    return {name: c for name, c in look.columns.items() if not look.given.inputs or name in given}


# The first that fits is taken.
_ATTEMPTS: tuple[Callable[[Look], Guess | None], ...] = (
    from_tags,
    from_lists,
    from_sound,
    from_events,
    from_steps,
    from_pair,
    from_text,
    from_numbers,
    from_one_column,
    from_text_alone,
)
