"""What a file seems to be for: kind of input, task and columns, told from the names and the first rows, with the reasons.

A guess is printed and may be overruled by naming kind, task or columns; it never changes a value.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from difflib import get_close_matches

from seqline.data.csv_rows import listed
from seqline.data.look import Given, Guess, Look
from seqline.data.readers import Row
from seqline.data.uses.lists import from_lists, from_sound
from seqline.data.uses.steps import from_events, from_steps
from seqline.data.uses.texts import from_one_column, from_pair, from_text, from_text_alone
from seqline.data.uses.vectors import from_numbers
from seqline.errors import InputError

# So many rows tell what a file is.
ROWS = 5_000
_FEWEST_ROWS = 2


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
    _refuse_commas(look)
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
        f"no use of its columns found{f' for {wanted}' if wanted else ''}: {listed(look.columns)}",
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


def _refuse_commas(look: Look) -> None:
    """Refuse columns of numbers with commas: read as texts they would be labels, and nobody can say what a comma means."""
    for name, column in look.columns.items():
        if column.comma_number is not None:
            raise InputError(
                f"{look.source} column {name!r}",
                f"numbers with commas, as {column.comma_number!r}",
                "numbers with a decimal point and nothing between thousands, as 1234.5",
                "export the table once more with decimal points (in a spreadsheet: with an English locale)",
            )


# The first that fits is taken.
_ATTEMPTS: tuple[Callable[[Look], Guess | None], ...] = (
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
