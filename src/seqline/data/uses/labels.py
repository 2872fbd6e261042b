"""What is to be predicted of each row: the column of the labels, and the guess that is made of an input and a label."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from seqline.data.column_facts import ColumnFacts
from seqline.data.csv_rows import listed
from seqline.data.look import Guess, Look, bare, is_id_name
from seqline.errors import InputError

_LABEL_NAMES = (
    "label",
    "class",
    "category",
    "target",
    "y",
    "intent",
    "sentiment",
    "topic",
    "emotion",
    "language",
    "species",
    "churn",
    "activity",
    "genre",
    "outcome",
    "fraud",
    "is_fraud",
    "spam",
    "diagnosis",
)
# Names that tell what is predicted where no label is named, if one column alone has such a name.
_LIKELY_NAMES = frozenset(
    (
        *("rating", "stars", "overall", "score", "quality", "grade", "survived", "verdict", "result"),
        *("default", "fault", "failure", "price", "salary"),
    )
)
_TIMES = ("time", "date", "stamp", "day", "week", "month", "year")
# A label by name may be a number as well.
_NAMES_OF_EITHER = frozenset({"target", "y", "outcome"})
# A target with more different numbers than this is a number, with fewer a label, unless its name says that it is one.
_MAX_NUMBER_CLASSES = 20


def label_names(look: Look) -> list[str]:
    """Usual names of labels; beside an x, a y is a number."""
    return [name for name in _LABEL_NAMES if name != "y" or look.named("x") is None]


def is_named_label(look: Look, column: ColumnFacts) -> bool:
    """Whether a column bears a usual name of labels."""
    return bare(column.name) in {bare(name) for name in label_names(look)}


def is_number_by_name(column: ColumnFacts) -> bool:
    """Whether a column of numbers has a usual name of labels that numbers bear as well: `y`."""
    return column.is_number and bare(column.name) in _NAMES_OF_EITHER


def target_of(look: Look, *without: str, numbers: bool = False) -> ColumnFacts | None:
    """The column to predict: named by the user, or by a usual name, or the only one that could be.

    Args:
        look: At the file.
        without: Columns that are something else.
        numbers: Where no column has few values, the only one of numbers is what is estimated.

    Raises:
        InputError: Several could be.
    """
    known = named_target(look, *without)
    if known is not None:
        return known
    wanted = look.given.task
    left = [c for c in candidates(look, *without) if not c.is_mixed]
    labels = [c for c in left if c.may_be_label and not is_many_numbers(c)]
    amounts = [c for c in left if is_many_numbers(c) and c.distinct >= 2 and not _is_clock(c)]
    if wanted == "estimation":
        labels = [c for c in labels if c.is_number]
    found = labels or (amounts if numbers else [])
    if len(found) > 1:
        ask_for_target(look, [*labels, *amounts])
        return None
    if not found:
        return None
    look.say(f"target {found[0].name!r}: {found[0].distinct} different values in {look.rows:,} rows")
    return found[0]


def named_target(look: Look, *without: str) -> ColumnFacts | None:
    """The column to predict where the user named it, or where its name tells."""
    if look.given.target:
        look.say(f"target {look.given.target!r}: you named it")
        return look.columns[look.given.target]
    used = {bare(name) for name in without}
    usual = look.named(*(name for name in label_names(look) if name not in used))
    if usual is None or look.columns[usual].is_list:
        likely = [
            c.name for c in candidates(look, *without) if bare(c.name) in _LIKELY_NAMES and c.distinct >= 2
        ]
        usual = likely[0] if len(likely) == 1 else None
    if usual is None:
        return None
    look.say(f"target {usual!r}: by its name, {look.columns[usual].distinct} different values")
    return look.columns[usual]


def ask_for_target(look: Look, found: Sequence[ColumnFacts]) -> None:
    """Refuse to choose among columns, unless the user said that something else is wanted.

    Raises:
        InputError: With the columns and the option that chooses.
    """
    if look.given.task not in (None, "classification", "estimation"):
        return
    names = [column.name for column in found]
    raise InputError(
        look.source,
        f"several columns that could be what is predicted: {listed(names)}",
        "one of them, named by you; no name tells which",
        f"--target {names[-1]}, or another one; --task says if it is something else, as generation of a text",
    )


def is_many_numbers(column: ColumnFacts) -> bool:
    """Whether a column is a number to estimate rather than a label."""
    return column.is_number and (not column.is_whole or column.distinct > _MAX_NUMBER_CLASSES)


def _is_clock(column: ColumnFacts) -> bool:
    name = bare(column.name)
    return name in ("step", "t", "frame", "position", "index") or any(word in name for word in _TIMES)


def candidates(look: Look, *without: str) -> list[ColumnFacts]:
    """Columns that could be predicted: no id, no number of the row, no time, no list, not whose the row is."""
    left_out = {
        *without,
        *look.idle,
        *look.numbered.values(),
        look.subject(),
        look.given.group,
        look.given.order,
    }
    return [
        c
        for n, c in look.columns.items()
        if n not in left_out and not c.is_list and not c.is_time and not is_id_name(n)
    ]


def labelled(look: Look, kind: str, inputs: tuple[str, ...], target: ColumnFacts, **more: Any) -> Guess:
    """Classification of an input, or estimation where what is to be predicted is a number."""
    coded = is_named_label(look, target) and bare(target.name) not in _NAMES_OF_EITHER and target.may_be_label
    numeric = is_many_numbers(target) and not (coded and target.is_whole)
    wanted = look.given.task
    task = "estimation" if wanted == "estimation" or (numeric and wanted is None) else "classification"
    if task == "estimation" and look.given.task is None:
        look.say(
            f"{target.name!r} holds {target.distinct:,} different numbers: a number to estimate, no label (--task classification "
            "if it is one)"
        )
    left_out = [name for name in look.idle if name not in (*inputs, target.name)]
    if left_out and more.get("form") != "long":
        look.say(f"{listed(left_out)} left out: an id, a number of the row or a split tells nothing about it")
    subject = look.subject(*inputs, target.name)
    # The first rows of a long table may all be of one subject.
    if (
        subject is not None
        and subject not in left_out
        and (look.columns[subject].distinct > 1 or more.get("form") == "long")
    ):
        look.say(f"splits keep the rows of one {subject!r} together, so that valid and test hold others")
    else:
        subject = None
    return Guess(
        task=task,
        kind=kind,
        inputs=inputs,
        target=target.name,
        split_by=subject,
        reasons=tuple(look.reasons),
        **more,
    )
