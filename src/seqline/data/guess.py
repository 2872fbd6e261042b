"""What a file seems to be for: kind of input, task and columns, told from the names and the first rows, with the reasons.

A guess is printed and may be overruled by naming kind, task or columns; it never changes a value.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

from seqline.data.column_facts import ColumnFacts, mostly
from seqline.data.csv_rows import listed
from seqline.data.kinds.base import shown
from seqline.data.look import Given, Guess, Look
from seqline.data.readers import Row
from seqline.errors import InputError

# So many rows tell what a file is.
ROWS = 5_000
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
)
_ORDER_NAMES = (
    "step",
    "timestamp",
    "time",
    "date",
    "t",
    "day",
    "week",
    "month",
    "year",
    "frame",
    "position",
    "index",
)
_GROUP_NAMES = ("id", "series", "sequence", "group", "sequence_id", "series_id", "store", "sensor", "name")
_TEXT_NAMES = ("text", "sentence", "message", "review", "content", "body", "sequence", "input")
_VALUE_NAMES = ("value", "sales", "y", "demand", "load", "amount", "price", "count")
_PAIR_NAMES = (
    ("source", "target"),
    ("src", "tgt"),
    ("question", "answer"),
    ("prompt", "response"),
    ("input", "output"),
)
# A target with more different numbers than this is a number, with fewer a label.
_MAX_NUMBER_CLASSES = 20
_MOST_STEPS = 0.95
_PAIR_WORDS = 2.0
_LANGUAGE_CODE = re.compile(r"[a-z]{2}")


def guess(rows: Sequence[Row], given: Given) -> Guess:
    """Tell what a file is for.

    Args:
        rows: Its first rows, at most `ROWS` of them.
        given: What the user said about it; that is taken for true.

    Raises:
        InputError: No use of the file fits, or a column that the user named is not there.
    """
    look = Look(rows, given)
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
    for attempt in (
        _from_lists,
        _from_sound,
        _from_steps,
        _from_pair,
        _from_text,
        _from_numbers,
        _from_text_alone,
    ):
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
        "a text and a label, steps of a series, columns of numbers and a label, a pair of texts, or tokens and tags",
        "say what it is with --kind, --task, --input, --target, --group and --order",
    )


def _target(look: Look, *without: str) -> ColumnFacts | None:
    """The column to predict: named by the user, or by a usual name, or the last one with few values."""
    if look.given.target:
        look.say(f"target {look.given.target!r}: you named it")
        return look.columns[look.given.target]
    usual = look.named(*(name for name in _label_names(look) if name not in {w.casefold() for w in without}))
    if usual is not None and not look.columns[usual].is_list:
        look.say(f"target {usual!r}: by its name, {look.columns[usual].distinct} different values")
        return look.columns[usual]
    left = [c for name, c in look.columns.items() if name not in (*without, "id") and c.may_be_label]
    left = [c for c in left if c.name != look.subject() and not (c.is_number and not c.is_whole)]
    if not left:
        return None
    look.say(f"target {left[-1].name!r}: {left[-1].distinct} different values in {look.rows:,} rows")
    return left[-1]


def _label_names(look: Look) -> list[str]:
    """Usual names of labels; beside an x, a y is a number."""
    return [name for name in _LABEL_NAMES if name != "y" or look.named("x") is None]


def _refuse_number(look: Look, target: ColumnFacts) -> None:
    """Refuse a target that is a number: rows get labels, only series that go on get numbers."""
    numeric = target.is_number and (not target.is_whole or target.distinct > _MAX_NUMBER_CLASSES)
    if numeric and look.given.task is None:
        raise InputError(
            f"{look.source} column {target.name!r}",
            f"{target.distinct} different numbers as what is to be predicted",
            "labels of rows, or a series whose next values are predicted",
            "name another --target, put the numbers into classes, say --task classification if they are labels, "
            "or name the column of times with --order",
        )


def _predict(look: Look, kind: str, inputs: tuple[str, ...], target: ColumnFacts, **more: Any) -> Guess:
    _refuse_number(look, target)
    subject = look.subject(*inputs, target.name)
    # The first rows of a long table may all be of one subject.
    if subject is not None and (look.columns[subject].distinct > 1 or more.get("long")):
        look.say(f"splits keep the rows of one {subject!r} together, so that valid and test hold others")
    else:
        subject = None
    return Guess(
        task="classification",
        kind=kind,
        inputs=inputs,
        target=target.name,
        split_by=subject,
        reasons=tuple(look.reasons),
        **more,
    )


def _from_lists(look: Look) -> Guess | None:
    lists = [look.columns[name] for name in look.given.inputs] or list(look.columns.values())
    lists = [column for column in lists if column.is_list]
    if not lists:
        return _from_spaced_tags(look)
    flat = {c.name: [item for value in c.known[:100] for item in value] for c in lists}
    words = [c for c in lists if flat[c.name] and all(isinstance(item, str) for item in flat[c.name])]
    if len(words) == 2 or (len(words) == 1 and look.given.target):
        inputs = next((c for c in words if c.name != look.given.target), words[0])
        tags = (
            look.columns[look.given.target]
            if look.given.target
            else next(c for c in words if c is not inputs)
        )
        if tags.is_list and mostly(len(a) == len(b) for a, b in zip(inputs.values, tags.values, strict=True)):
            look.say(
                f"{inputs.name!r} and {tags.name!r} are lists of texts, equally long in each row: tagging"
            )
            return Guess(
                task="tagging",
                kind="symbols",
                inputs=(inputs.name,),
                target=tags.name,
                reasons=tuple(look.reasons),
            )
    first = lists[0]
    items = flat[first.name]
    lengths = {len(value) for value in first.known}
    if first in words:
        kind = "symbols"
        look.say(f"{first.name!r} holds lists of texts: symbols")
    elif any(isinstance(item, list) for item in items) or len(lengths) > 1:
        kind = "series"
        look.say(f"{first.name!r} holds lists of numbers, a step each: a series")
    else:
        kind = look.given.kind or "vector"
        look.say(f"{first.name!r} holds {lengths.pop()} numbers in every row: a {kind} (--kind chooses)")
    target = _target(look, first.name)
    return None if target is None or target.is_list else _predict(look, kind, (first.name,), target)


def _from_spaced_tags(look: Look) -> Guess | None:
    """Tokens and tags in two texts of a table, as many words in one as in the other."""
    tokens, tags = look.named("tokens", "words"), look.named("tags", "slots")
    if look.given.task == "tagging" and look.given.inputs and look.given.target:
        tokens, tags = look.given.inputs[0], look.given.target
    if tokens is None or tags is None:
        return None
    counts = [[len(str(value).split()) for value in look.columns[name].values] for name in (tokens, tags)]
    if not mostly(a == b for a, b in zip(*counts, strict=True)):
        return None
    look.say(f"{tokens!r} and {tags!r} have equally many words in each row: tagging")
    return Guess(task="tagging", kind="symbols", inputs=(tokens,), target=tags, reasons=tuple(look.reasons))


def _from_sound(look: Look) -> Guess | None:
    sounds = [c.name for c in look.columns.values() if c.is_wav and look.given.inputs in ((), (c.name,))]
    if not sounds:
        return None
    look.say(f"{sounds[0]!r} holds WAV files in base64: audio")
    target = _target(look, sounds[0])
    return None if target is None else _predict(look, "audio", (sounds[0],), target)


def _from_steps(look: Look) -> Guess | None:
    """A long table: a row a step, told by a group and an order that no two rows share."""
    given = look.given
    order = given.order or _order_column(look)
    if order is None:
        return None
    group = given.group or _group_column(look, order)
    groups = [shown(value) for value in look.columns[group].values] if group else [""] * look.rows
    steps = set(zip(groups, map(shown, look.columns[order].values), strict=True))
    # A step given twice is refused later with its line; a table of something else has few that differ.
    if (len(steps) < _MOST_STEPS * look.rows and given.order is None) or len(set(groups)) == look.rows:
        return None
    look.say(
        f"a row is one step: {order!r} is different in each row" + (f" of one {group!r}" if group else "")
    )
    label = _constant_label(look, group) if group and given.task in (None, "classification") else None
    if given.kind == "history":
        label = None
    values = given.inputs or look.numbers(group, order, label, look.subject())
    if not values or not all(look.columns[name].is_number for name in values):
        return None
    if label is not None:
        look.say(
            f"{label!r} is the same in all steps of one {group!r}: a label for the series of {listed(values)}"
        )
        return _predict(look, "series", values, look.columns[label], group=group, order=order, long=True)
    usual = look.named(*_VALUE_NAMES)
    main = (usual,) if usual in values and not given.inputs else values
    look.say(f"no label beside {listed(main)}: the next values are what can be predicted")
    beside = tuple(name for name in look.numbers(group, order) if name not in main) if len(main) == 1 else ()
    if beside:
        look.say(
            f"{listed(beside)} are numbers known up to the time of a forecast; input.future if known ahead"
        )
    return Guess(
        task=given.task or "forecasting",
        kind="history",
        inputs=main,
        beside=beside,
        target=None,
        group=group,
        order=order,
        long=True,
        reasons=tuple(look.reasons),
    )


def _order_column(look: Look) -> str | None:
    times = [name for name, column in look.columns.items() if column.is_time]
    named = look.named(*_ORDER_NAMES)
    if named is not None and (look.columns[named].is_number or look.columns[named].is_time):
        return named
    return times[0] if times else None


def _group_column(look: Look, order: str) -> str | None:
    """The column whose values the order begins anew for."""
    usual = [
        name for name in (look.named(name) for name in _GROUP_NAMES) if name is not None and name != order
    ]
    texts = [
        name
        for name, column in look.columns.items()
        if column.is_text and not column.is_time and name != order
    ]
    return next((name for name in [*usual, *texts] if look.columns[name].distinct < look.rows), None)


def _constant_label(look: Look, group: str) -> str | None:
    names = [look.given.target] if look.given.target else [look.named(*_label_names(look))]
    names += [c.name for c in look.texts(group) if not c.is_time and c.name != look.subject()]
    groups = [shown(value) for value in look.columns[group].values]
    for name in filter(None, names):
        first: dict[str, str] = {}
        labels = map(shown, look.columns[name].values)
        same = mostly(
            first.setdefault(one, label) == label for one, label in zip(groups, labels, strict=True)
        )
        if name != group and same:
            return name
    return None


def _from_pair(look: Look) -> Guess | None:
    """Two texts: one to read, one to write."""
    texts = {c.name: c for c in look.texts() if not c.is_few_letters}
    pairs = [(look.named(first), look.named(second)) for first, second in _PAIR_NAMES]
    if len(look.given.inputs) == 1 and look.given.target:
        pairs = [(look.given.inputs[0], look.given.target)]
    elif codes := [name for name in texts if _LANGUAGE_CODE.fullmatch(name.casefold())]:
        pairs.append((codes[0], codes[1]) if len(codes) == 2 else (None, None))
    for first, second in pairs:
        if first not in texts or second not in texts:
            continue
        many = all(texts[name].words >= _PAIR_WORDS for name in (first, second) if name is not None)
        if look.given.task in ("translation", "answering", "dialogue") or (
            many and not texts[str(second)].may_be_label
        ):
            look.say(f"{first!r} and {second!r} are texts: the second is written from the first")
            return Guess(
                task=look.given.task or "translation",
                kind="text",
                inputs=(str(first),),
                target=second,
                reasons=tuple(look.reasons),
            )
    return None


def _from_text(look: Look) -> Guess | None:
    texts = look.texts(look.given.target)
    if look.given.inputs:
        texts = [c for c in texts if c.name in look.given.inputs]
    if not texts or look.given.kind in ("vector", "series", "audio"):
        return None
    usual = look.named(*_TEXT_NAMES)
    chosen = next((c for c in texts if c.name == usual), max(texts, key=lambda c: (c.distinct, c.words)))
    if chosen.distinct < 2 and not look.given.inputs:
        return None
    target = _target(look, chosen.name)
    if target is None or target.name == chosen.name or not (target.may_be_label or look.given.target):
        return None
    if look.given.kind == "symbols" or (chosen.is_few_letters and look.given.kind is None):
        look.say(
            f"{chosen.name!r} holds words of the {len(chosen.letters)} letters {chosen.letters}: symbols"
        )
        return _predict(look, "symbols", (chosen.name,), target, alphabet=chosen.letters)
    look.say(f"{chosen.name!r} holds text, {chosen.words:.0f} words in the mean")
    return _predict(look, "text", (chosen.name,), target)


def _from_numbers(look: Look) -> Guess | None:
    target = _target(look, *look.given.inputs)
    if target is None:
        return None
    inputs = look.given.inputs or look.numbers(target.name, "id", look.subject())
    if not inputs or not all(look.columns[name].is_number for name in inputs):
        return None
    look.say(f"{len(inputs)} columns of numbers beside it: a vector")
    return _predict(look, "vector", inputs, target)


def _from_text_alone(look: Look) -> Guess | None:
    texts = [c for c in look.texts() if look.given.inputs in ((), (c.name,)) and not c.is_time]
    usual = look.named(*_TEXT_NAMES)
    texts = [c for c in texts if c.name == usual] or texts
    if len(texts) != 1 or look.given.target:
        return None
    look.say(f"one column of text, {texts[0].name!r}, and no label: text to go on with")
    return Guess(
        task="generation", kind="text", inputs=(texts[0].name,), target=None, reasons=tuple(look.reasons)
    )
