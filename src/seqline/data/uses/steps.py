"""Tables with a row a step: series of numbers with a label or without, and events that are items."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from seqline.data.column_facts import mostly
from seqline.data.csv_rows import listed
from seqline.data.kinds.base import shown
from seqline.data.look import Guess, Look, bare, is_id_name
from seqline.data.uses.labels import is_named_label, is_number_by_name, label_names, labelled
from seqline.data.uses.lists import next_items
from seqline.errors import InputError

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
_VALUE_NAMES = ("target", "value", "sales", "y", "demand", "load", "amount", "price", "count")
_ITEM_NAMES = ("item", "product", "movie", "song", "track", "sku", "article", "page", "asin", "isbn", "book")
_OWNER_NAMES = ("user", "session", "customer", "visitor", "basket", "order", "invoice", "client", "playlist")
_FORETELLING = ("forecasting", "regression")
_MOST_STEPS = 0.95
# Fewer steps of one name say nothing about its calendar.
_FEWEST_STEPS = 3
# Of the time between its first and its last step a series covers so much, in distances that are alike: all but weekends.
_COVERED = 0.7
_ALIKE = 0.75


def from_events(look: Look) -> Guess | None:
    """A row is one item that somebody took: the items of each become a list, in the order of their times."""
    given = look.given
    if given.target or given.task not in (None, "generation") or given.kind not in (None, "symbols"):
        return None
    item = given.inputs[0] if len(given.inputs) == 1 else look.named(*_with_ids(_ITEM_NAMES))
    owner = given.group or look.named(*_with_ids(_OWNER_NAMES))
    order = given.order or order_column(look)
    spoken = given.task == "generation" and given.kind == "symbols"
    if item is None or owner is None or owner == item or (given.inputs and not spoken):
        return None
    found = look.columns[item]
    sentences = [c for c in look.texts(item, owner, order) if not c.is_time and c.is_sentences]
    if not spoken and (sentences or look.named(*label_names(look)) is not None):
        return None
    several = look.columns[owner].distinct < look.rows
    if found.is_list or not several or (order is None and not spoken) or (found.is_text and found.words > 2):
        return None
    by = f"in the order of {order!r}" if order else "in the order of the file"
    look.say(f"a row is one {item!r} of one {owner!r}: the items of each are put in a list, {by}")
    rest = [name for name in look.columns if name not in (item, owner, order)]
    if rest:
        look.say(f"{listed(rest)} not read: a list holds the items alone")
    return next_items(look, item, form="events", group=owner, order=order)


def from_steps(look: Look) -> Guess | None:
    """A long table: a row a step, told by a group and an order that no two rows share."""
    given = look.given
    order = given.order or order_column(look)
    if order is None:
        return None
    group = given.group or _group_column(look, order)
    numbered = group is None and given.order is None and _numbers_labelled_rows(look, order)
    if numbered or not _are_steps(look, group, order):
        _refuse_a_label_that_names_series(look, group, order)
        return None
    look.say(
        f"a row is one step: {order!r} is different in each row" + (f" of one {group!r}" if group else "")
    )
    label = _constant_label(look, group) if group and given.task in (None, "classification") else None
    if given.kind == "history":
        label = None
    values = given.inputs or _amounts(look, group, order, label, look.subject())
    if label is None and _rows_are_labelled(look, group, order, values):
        return None
    if not values or not all(look.columns[name].is_number for name in values):
        return None
    if label is not None:
        look.say(
            f"{label!r} is the same in all steps of one {group!r}: a label for the series of {listed(values)}"
        )
        return labelled(look, "series", values, look.columns[label], group=group, order=order, form="long")
    return _series_that_goes_on(look, group, order, values)


def _series_that_goes_on(look: Look, group: str | None, order: str, values: tuple[str, ...]) -> Guess | None:
    """Forecasting, unless the user wants something else of the file."""
    given = look.given
    numbers = _amounts(look, group, order)
    # Inputs that were named are what a number is told from, unless it is foretold in so many words.
    known = numbers if given.task is not None else values
    if given.task not in (None, *_FORETELLING) or (given.target is not None and given.target not in known):
        return None
    if given.target is not None:
        main: tuple[str, ...] = (given.target,)
        look.say(f"target {given.target!r}: you named it; its next values are what is predicted")
        beside = tuple(name for name in given.inputs or numbers if name != given.target)
    else:
        usual = look.named(*_VALUE_NAMES)
        main = (usual,) if usual in values and not given.inputs else values
        look.say(f"no label beside {listed(main)}: the next values are what can be predicted")
        beside = tuple(name for name in numbers if name not in main) if len(main) == 1 else ()
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
        form="long",
        reasons=tuple(look.reasons),
    )


def _refuse_a_label_that_names_series(look: Look, group: str | None, order: str) -> None:
    """Refuse a table whose times stand once for each of its labels: they may name series, or be what is predicted.

    Raises:
        InputError: With the two options.
    """
    given = look.given
    if group is not None or given.target is not None or given.kind not in (None, "history"):
        return
    if given.task not in (None, *_FORETELLING):
        return
    texts = look.texts()
    named = [c.name for c in texts if is_named_label(look, c) and _tell_steps(look, c.name, order)]
    if named and not _tell_steps(look, None, order) and not any(c.is_sentences for c in texts):
        raise InputError(
            f"{look.source} column {named[0]!r}",
            f"a usual name of labels, and each {order!r} once for each of its values",
            "to be told whether it names series or is what is predicted",
            f"--group {named[0]} to foretell the numbers of each, --target {named[0]} to tell the rows apart",
        )


def _amounts(look: Look, *without: str | None) -> tuple[str, ...]:
    """Columns of numbers that are no ids."""
    return tuple(name for name in look.numbers(*without) if not is_id_name(name))


def _rows_are_labelled(look: Look, group: str | None, order: str, values: Sequence[str]) -> bool:
    """Whether each row has a label of its own, so that it is no step of a series to go on with.

    Raises:
        InputError: Words change from row to row, and nothing says whether they or the numbers are what is predicted.
    """
    given = look.given
    beside = [c for name, c in look.columns.items() if name not in (group, order)]
    wanted = [c for c in beside if given.target in (None, c.name)]
    if given.task is None and given.kind is None:
        named = [c for c in wanted if is_named_label(look, c) and not is_number_by_name(c)]
        if named:
            look.doubt(f"{named[0].name!r} is not the same in all steps: a label of a row, not of a series")
            return True
    wants_words = given.target is not None and not look.columns[given.target].is_number
    if given.task not in (None, *_FORETELLING) or given.kind not in (None, "history") or wants_words:
        return False
    words = [c for c in beside if c.is_text and not c.is_time and not _is_constant(look, c.name, group)]
    if not values or any(c.is_sentences for c in words):
        return False
    labels = [c.name for c in words if c.may_be_label]
    if labels:
        names_series = "" if group else f", --group {labels[-1]} if it names series"
        raise InputError(
            f"{look.source} column {labels[-1]!r}",
            f"words that change from step to step of {order!r}, beside the numbers {listed(values)}",
            "to be told what is predicted",
            f"--target {labels[-1]} if it is the label of each row{names_series}; to foretell numbers leave the column out of "
            "the file",
        )
    return False


def _is_constant(look: Look, name: str, group: str | None) -> bool:
    """Whether a column says the same in all steps of each series."""
    groups = [shown(value) for value in look.columns[group].values] if group else [""] * look.rows
    first: dict[str, str] = {}
    labels = map(shown, look.columns[name].values)
    return mostly(first.setdefault(one, label) == label for one, label in zip(groups, labels, strict=True))


def _are_steps(look: Look, group: str | None, order: str) -> bool:
    """Whether no two rows share group and order; where many do, the rows are something else."""
    # A step given twice is refused later with its line; a table of something else has few that differ.
    if not _tell_steps(look, group, order) and look.given.order is None:
        of = f" within one {group!r}" if group else ""
        steps = f"{order!r} has {_count_steps(look, group, order):,} values{of} in {look.rows:,} rows"
        look.doubt(f"{steps}: steps that are there twice, or another column names the series (--group)")
        return False
    return group is None or len(set(map(shown, look.columns[group].values))) < look.rows


def _tell_steps(look: Look, group: str | None, order: str) -> bool:
    return _count_steps(look, group, order) >= _MOST_STEPS * look.rows


def _count_steps(look: Look, group: str | None, order: str) -> int:
    """How many different steps a group and an order tell."""
    orders = map(shown, look.columns[order].values)
    return len(
        set(zip(map(shown, look.columns[group].values), orders, strict=True)) if group else set(orders)
    )


def _with_ids(names: tuple[str, ...]) -> list[str]:
    return [spelled for name in names for spelled in (name, f"{name}_id", f"{name}_code")]


def order_column(look: Look) -> str | None:
    """The column that says when a row was, by its name or because it holds timestamps."""
    times = [name for name, column in look.columns.items() if column.is_time]
    named = look.named(*_ORDER_NAMES)
    if named is not None and (look.columns[named].is_number or look.columns[named].is_time):
        return named
    return times[0] if times else None


def _group_column(look: Look, order: str) -> str | None:
    """The column whose values the order begins anew for; a number that counts the rows of the file begins once.

    A label is no name of a series. Where no time is there twice and all follow each other, there is one series, whose days
    may have names (`Monday`); where they leave gaps, a column names several if each of them keeps a calendar of its own.
    """
    usual = [
        name for name in (look.named(name) for name in _GROUP_NAMES) if name is not None and name != order
    ]
    texts = [
        name
        for name, column in look.columns.items()
        if column.is_text and not column.is_time and name != order and not is_named_label(look, column)
    ]
    if look.columns[order].counts_rows or look.columns[order].is_unique:
        times = look.columns[order].places
        one = look.columns[order].counts_rows or times is None or _follow(sorted(times))
        texts = [] if one or times is None else [n for n in texts if _keep_calendars(look, n, times)]
    found = [name for name in dict.fromkeys([*usual, *texts]) if look.columns[name].distinct < look.rows]
    return next((name for name in found if _tell_steps(look, name, order)), next(iter(found), None))


def _keep_calendars(look: Look, group: str, times: Sequence[float]) -> bool:
    """Whether the steps of each value of a column follow each other, with hardly one of the file's in between.

    So they do in recordings that were made one after the other, and in those of sensors that are read in turn, whose
    distances are all alike. They do not where the column says what kind of a day it was.
    """
    ranks = {time: rank for rank, time in enumerate(sorted(set(times)))}
    steps: dict[str, list[float]] = {}
    for name, time in zip(look.columns[group].values, times, strict=True):
        steps.setdefault(shown(name), []).append(time)
    return mostly(
        _follow(sorted(ranks[time] for time in found)) or _follow(sorted(found))
        for found in steps.values()
        if len(found) >= _FEWEST_STEPS
    )


def _follow(places: Sequence[float]) -> bool:
    """Whether sorted places are about as far apart as they usually are, and leave no long stretches out."""
    differences = [later - before for before, later in pairwise(places)]
    if not differences:
        return False
    usual = median(differences)
    alike = [abs(difference - usual) < usual / 2 for difference in differences]
    return sum(alike) >= _ALIKE * len(alike) and usual * len(differences) >= _COVERED * (
        places[-1] - places[0]
    )


def _numbers_labelled_rows(look: Look, order: str) -> bool:
    """Whether the order is only the number of the row in a table of rows with labels."""
    if not look.columns[order].counts_rows:
        return False
    by_name = look.named(*(name for name in label_names(look) if name != "y"))
    categories = [c for c in look.texts(order) if c.may_be_label]
    return by_name is not None or (bare(order) == "index" and bool(categories))


def _constant_label(look: Look, group: str) -> str | None:
    """The column that says the same in all steps of a series; one with a value for all series, or for each, is no label."""
    names = [look.given.target]
    if look.given.target is None:
        series = look.columns[group].distinct
        texts = [c for c in look.texts(group) if not c.is_time and c.name != look.subject()]
        names = [look.named(*label_names(look))]
        names += [c.name for c in texts if series == 1 or 1 < c.distinct < series]
    return next((n for n in names if n is not None and n != group and _is_constant(look, n, group)), None)
