"""Tables with a row a step: series of numbers with a label or without, and events that are items."""

from __future__ import annotations

from seqline.data.column_facts import mostly
from seqline.data.csv_rows import listed
from seqline.data.kinds.base import shown
from seqline.data.look import Guess, Look, bare
from seqline.data.uses.labels import label_names, labelled
from seqline.data.uses.lists import next_items

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
_VALUE_NAMES = ("value", "sales", "y", "demand", "load", "amount", "price", "count")
_ITEM_NAMES = ("item", "product", "movie", "song", "track", "sku", "article", "page", "asin", "isbn", "book")
_OWNER_NAMES = ("user", "session", "customer", "visitor", "basket", "order", "invoice", "client", "playlist")
_FORETELLING = ("forecasting", "regression")
_MOST_STEPS = 0.95
_SENTENCE_WORDS = 3.0


def from_events(look: Look) -> Guess | None:
    """A row is one item that somebody took: the items of each become a list, in the order of their times."""
    given = look.given
    if given.target or given.task not in (None, "generation") or given.kind not in (None, "symbols"):
        return None
    item = given.inputs[0] if len(given.inputs) == 1 else look.named(*_with_ids(_ITEM_NAMES))
    owner = given.group or look.named(*_with_ids(_OWNER_NAMES))
    order = given.order or _order_column(look)
    spoken = given.task == "generation" and given.kind == "symbols"
    if item is None or owner is None or owner == item or (given.inputs and not spoken):
        return None
    found = look.columns[item]
    sentences = [c for c in look.texts(item, owner, order) if not c.is_time and c.words >= _SENTENCE_WORDS]
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
    order = given.order or _order_column(look)
    if order is None:
        return None
    group = given.group or _group_column(look, order)
    if group is None and given.order is None and _numbers_labelled_rows(look, order):
        return None
    if not _are_steps(look, group, order):
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
        return labelled(look, "series", values, look.columns[label], group=group, order=order, form="long")
    return _series_that_goes_on(look, group, order, values)


def _series_that_goes_on(look: Look, group: str | None, order: str, values: tuple[str, ...]) -> Guess | None:
    """Forecasting, unless the user wants something else of the file."""
    given = look.given
    if given.task not in (None, *_FORETELLING) or (given.target is not None and given.target not in values):
        return None
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
        form="long",
        reasons=tuple(look.reasons),
    )


def _are_steps(look: Look, group: str | None, order: str) -> bool:
    """Whether no two rows share group and order; where many do, the rows are something else."""
    groups = [shown(value) for value in look.columns[group].values] if group else [""] * look.rows
    steps = set(zip(groups, map(shown, look.columns[order].values), strict=True))
    # A step given twice is refused later with its line; a table of something else has few that differ.
    if len(steps) < _MOST_STEPS * look.rows and look.given.order is None:
        of = f" within one {group!r}" if group else ""
        look.doubt(
            f"{order!r} has {len(steps):,} values{of} in {look.rows:,} rows: steps that are there twice, or another column "
            "names the series (--group)"
        )
        return False
    return len(set(groups)) < look.rows


def _with_ids(names: tuple[str, ...]) -> list[str]:
    return [spelled for name in names for spelled in (name, f"{name}_id", f"{name}_code")]


def _order_column(look: Look) -> str | None:
    times = [name for name, column in look.columns.items() if column.is_time]
    named = look.named(*_ORDER_NAMES)
    if named is not None and (look.columns[named].is_number or look.columns[named].is_time):
        return named
    return times[0] if times else None


def _group_column(look: Look, order: str) -> str | None:
    """The column whose values the order begins anew for; a number that counts the rows of the file begins once."""
    usual = [
        name for name in (look.named(name) for name in _GROUP_NAMES) if name is not None and name != order
    ]
    texts = [
        name
        for name, column in look.columns.items()
        if column.is_text and not column.is_time and name != order
    ]
    if look.columns[order].counts_rows:
        texts = []
    return next((name for name in [*usual, *texts] if look.columns[name].distinct < look.rows), None)


def _numbers_labelled_rows(look: Look, order: str) -> bool:
    """Whether the order is only the number of the row in a table of rows with labels."""
    if not look.columns[order].counts_rows:
        return False
    by_name = look.named(*(name for name in label_names(look) if name != "y"))
    categories = [c for c in look.texts(order) if c.may_be_label]
    return by_name is not None or (bare(order) == "index" and bool(categories))


def _constant_label(look: Look, group: str) -> str | None:
    names = [look.given.target] if look.given.target else [look.named(*label_names(look))]
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
