"""Rows whose values are lists: tokens with tags, items in their order, numbers; and recordings, which are one value too."""

from __future__ import annotations

from seqline.data.column_facts import ColumnFacts, mostly
from seqline.data.look import Guess, Look
from seqline.data.uses.labels import labelled, target_of

_ITEM_LISTS = ("items", "products", "basket", "session", "cart", "clicks", "playlist", "songs", "pages")
_FEWEST_ITEMS = 2.0


def from_lists(look: Look) -> Guess | None:
    """Lists: tokens and tags, items to go on with, or numbers beside a label."""
    lists = [look.columns[name] for name in look.given.inputs] or list(look.columns.values())
    lists = [column for column in lists if column.is_list]
    if not lists:
        return _spaced_tags(look) or _spaced_items(look)
    flat = {c.name: [item for value in c.known[:100] for item in value] for c in lists}
    words = [c for c in lists if flat[c.name] and all(isinstance(item, str) for item in flat[c.name])]
    if len(words) == 2 or (len(words) == 1 and look.given.target):
        found = _tagged(look, words)
        if found is not None:
            return found
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
    target = None if look.given.task == "generation" else target_of(look, first.name)
    if target is None and first in words:
        return next_items(look, first.name)
    return None if target is None or target.is_list else labelled(look, kind, (first.name,), target)


def next_items(look: Look, column: str, **more: object) -> Guess:
    """Which item comes next: generation of symbols, with the likeliest items as the answer."""
    look.say(f"no label beside the lists of {column!r}: which item comes next is what can be predicted")
    subject = look.subject(column) if more.get("form") is None else None
    repeated = subject is not None and 1 < look.columns[subject].distinct < look.rows
    return Guess(
        task="generation",
        kind="symbols",
        inputs=(column,),
        target=None,
        split_by=subject if repeated else None,
        reasons=tuple(look.reasons),
        **more,  # type: ignore[arg-type]
    )


def from_sound(look: Look) -> Guess | None:
    """WAV files and a label."""
    sounds = [c.name for c in look.columns.values() if c.is_wav and look.given.inputs in ((), (c.name,))]
    if not sounds:
        return None
    look.say(f"{sounds[0]!r} holds WAV files in base64: audio")
    target = target_of(look, sounds[0])
    return None if target is None else labelled(look, "audio", (sounds[0],), target)


def _tagged(look: Look, words: list[ColumnFacts]) -> Guess | None:
    inputs = next((c for c in words if c.name != look.given.target), words[0])
    named = look.columns[look.given.target] if look.given.target else None
    tags = named or next(c for c in words if c is not inputs)
    if not tags.is_list or not mostly(
        len(a) == len(b) for a, b in zip(inputs.values, tags.values, strict=True) if a and b
    ):
        return None
    look.say(f"{inputs.name!r} and {tags.name!r} are lists of texts, equally long in each row: tagging")
    return Guess(
        task="tagging",
        kind="symbols",
        inputs=(inputs.name,),
        target=tags.name,
        reasons=tuple(look.reasons),
    )


def _spaced_tags(look: Look) -> Guess | None:
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
    return Guess(
        task="tagging",
        kind="symbols",
        inputs=(tokens,),
        target=tags,
        lists=(tokens, tags),
        reasons=tuple(look.reasons),
    )


def _spaced_items(look: Look) -> Guess | None:
    """Items of a table in one text, with spaces between them."""
    name = look.named(*_ITEM_LISTS)
    if look.given.task == "generation" and look.given.kind == "symbols" and len(look.given.inputs) == 1:
        name = look.given.inputs[0]
    if name is None or look.given.inputs not in ((), (name,)) or look.given.target:
        return None
    if not look.columns[name].is_text or look.columns[name].words < _FEWEST_ITEMS:
        return None
    look.say(f"{name!r} holds items with spaces between them, {look.columns[name].words:.0f} in the mean")
    return next_items(look, name, lists=(name,))
