"""Columns of numbers, a row each: a vector and its label, or one more number that is estimated."""

from __future__ import annotations

from seqline.data.csv_rows import listed
from seqline.data.look import Guess, Look
from seqline.data.uses.labels import candidates, is_named_label, labelled, target_of
from seqline.data.uses.steps import order_column


def from_numbers(look: Look) -> Guess | None:
    """Columns of numbers beside a label, or beside a number to estimate."""
    given = look.given
    target = target_of(look, *given.inputs)
    last = next(reversed(candidates(look, *given.inputs)), None)
    # Among columns of numbers one with few values may be anything: rooms of a house, children. The last is the one.
    if target is None or (
        target.is_number and target is not last and not given.target and not is_named_label(look, target)
    ):
        target = last
        if last is not None:
            look.reasons.clear()
            look.say(f"target {last.name!r}: the last column")
    if target is None or (target.is_text and not target.may_be_label and not given.target):
        return None
    known = look.numbers(target.name, look.subject(), *look.idle)
    # A row's neighbours in time are in train: the time alone would tell their label.
    clock = order_column(look)
    timeless = tuple(name for name in known if name != clock or not look.columns[name].never_decreases)
    inputs = given.inputs or timeless or known
    if not inputs or not all(look.columns[name].is_number for name in inputs):
        return None
    used = {target.name, *inputs, *look.idle, look.subject()}
    left_out = [name for name, column in look.columns.items() if name not in used and column.known]
    look.say(f"{len(inputs)} columns of numbers beside it: a vector")
    if clock in left_out and look.columns[str(clock)].is_number and not given.inputs:
        look.say(
            f"{clock!r} left out: when a row was tells its neighbours, not what it is (--input names it)"
        )
        left_out.remove(str(clock))
    if left_out and not given.inputs:
        look.say(
            f"{listed(left_out)} left out: a vector holds numbers (a column of 0 and 1 for each word would be some)"
        )
    return labelled(look, "vector", inputs, target, form="wide")
