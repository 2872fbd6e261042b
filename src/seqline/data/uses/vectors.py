"""Columns of numbers, a row each: a vector and its label, or one more number that is estimated."""

from __future__ import annotations

from seqline.data.column_facts import ColumnFacts
from seqline.data.csv_rows import listed
from seqline.data.look import Guess, Look, is_id_name
from seqline.data.uses.labels import ask_for_target, candidates, labelled, named_target
from seqline.data.uses.steps import order_column


def from_numbers(look: Look) -> Guess | None:
    """Columns of numbers beside a label, or beside a number to estimate."""
    given = look.given
    target = named_target(look, *given.inputs) or _last(look)
    if target is None or (target.is_text and not target.may_be_label and not given.target):
        return None
    known = look.numbers(target.name, look.subject(), *look.idle)
    # Rows of one time or one owner are in train: they alone would tell the label.
    clock = order_column(look)
    telling = [
        name for name in known if is_id_name(name) or (name == clock and look.columns[name].never_decreases)
    ]
    rest = tuple(name for name in known if name not in telling)
    inputs = given.inputs or rest or known
    if not inputs or not all(look.columns[name].is_number for name in inputs):
        return None
    if not given.inputs and all(is_id_name(name) for name in inputs):
        look.doubt(
            f"beside {target.name!r} there are no numbers but {listed(inputs)}: an id tells nothing about a row"
        )
        return None
    used = {target.name, *inputs, *look.idle, look.subject()}
    left_out = [name for name, column in look.columns.items() if name not in used and column.known]
    look.say(f"{len(inputs)} columns of numbers beside it: a vector")
    if telling and rest and not given.inputs:
        look.say(
            f"{listed(telling)} left out: when or whose a row is tells its neighbours, not what it is (--input names it)"
        )
        left_out = [name for name in left_out if name not in telling]
    if left_out and not given.inputs:
        look.say(
            f"{listed(left_out)} left out: a vector holds numbers (a column of 0 and 1 for each word would be some)"
        )
    return labelled(look, "vector", inputs, target, form="wide")


def _last(look: Look) -> ColumnFacts | None:
    """The last column, where no other one of words could be what is predicted.

    Among columns of numbers one with few values may be anything: rooms of a house, children.

    Raises:
        InputError: There are such words.
    """
    left = candidates(look, *look.given.inputs)
    if not left:
        return None
    words = [c for c in left if c.is_text and c.may_be_label and not c.is_mixed]
    numbers = [c for c in left if c.is_number]
    if look.given.task == "estimation":
        words, left = [], numbers
    last = next((c for c in reversed(left) if c.is_number or c in words), None)
    if last is None:
        return None
    if words and words != [last]:
        if len(numbers) > (last in numbers):
            ask_for_target(look, [*(c for c in words if c is not last), last])
        return None
    look.say(f"target {last.name!r}: the last column")
    return last
