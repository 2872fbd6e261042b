"""Rows whose values are lists: items in their order, numbers; and recordings, which are one value too."""

from __future__ import annotations

from seqline.data.column_facts import ColumnFacts, mostly
from seqline.data.look import Guess, Look
from seqline.data.uses.labels import labelled, target_of

_ITEM_LISTS = ("items", "products", "basket", "session", "cart", "clicks", "playlist", "songs", "pages")
_FEWEST_ITEMS = 2.0
_CAPTION_WORDS = 2.0
_TRIED = 100
_PIANO = range(21, 109)


def from_lists(look: Look) -> Guess | None:
    """Lists: items to go on with, or numbers beside a label."""
    lists = [look.columns[name] for name in look.given.inputs] or list(look.columns.values())
    lists = [column for column in lists if column.is_list and any(column.known)]
    if not lists:
        return _spaced_items(look)
    # Odd values among the lists are refused later, each with its line.
    values = {c.name: [value for value in c.known if isinstance(value, list)] for c in lists}
    flat = {name: [item for value in found[:_TRIED] for item in value] for name, found in values.items()}
    words = [c for c in lists if flat[c.name] and all(isinstance(item, str) for item in flat[c.name])]
    first = next((c for c in lists if c.name != look.given.target), None)
    if first is None:
        return None
    items = flat[first.name]
    lengths = {len(value) for value in values[first.name]}
    if first in words:
        kind = "symbols"
        look.say(f"{first.name!r} holds lists of texts: symbols")
    elif any(isinstance(item, list) for item in items) or len(lengths) > 1:
        kind = "series"
        look.say(f"{first.name!r} holds lists of numbers, a step each: a series")
    else:
        kind = "series" if look.given.kind == "series" else "vector"
        look.say(f"{first.name!r} holds {lengths.pop()} numbers in every row: a {kind} (--kind chooses)")
    alone = look.given.task in ("generation", "music", "captioning", "synthesis")
    target = None if alone else target_of(look, first.name)
    if target is None:
        return _without_label(look, first, kind)
    return None if target.is_list else labelled(look, kind, (first.name,), target)


def _without_label(look: Look, first: ColumnFacts, kind: str) -> Guess | None:
    """Lists beside a text that describes them, beside a recording of them, or alone."""
    texts = [
        c for c in look.texts(*look.idle) if c.words >= _CAPTION_WORDS and look.given.target in (None, c.name)
    ]
    sounds = [c for c in look.columns.values() if c.is_wav]
    if kind == "symbols":
        if sounds:
            look.say(f"{sounds[0].name!r} holds WAV files in base64, a recording of each list: synthesis")
            return _described(look, "synthesis", kind, first.name, sounds[0].name)
        return next_items(look, first.name)
    if texts:
        look.say(f"{texts[0].name!r} is a text beside them: captioning")
        return _described(look, "captioning", kind, first.name, texts[0].name)
    if mostly(_are_notes(value) for value in first.known[:_TRIED]):
        look.say(
            f"the numbers of {first.name!r} are notes of a piano (21 to 108), and there is no label: music to go on with"
        )
        return _described(look, "music", "piano", first.name, None)
    return None


def _described(look: Look, task: str, kind: str, column: str, target: str | None) -> Guess:
    reasons = tuple(look.reasons)
    return Guess(task=task, kind=kind, inputs=(column,), target=target, reasons=reasons)


def _are_notes(value: object) -> bool:
    """Whether a value is a list of steps, each a list of MIDI notes of a piano."""
    if not isinstance(value, list) or not all(isinstance(step, list) for step in value):
        return False
    notes = [note for step in value for note in step]
    return bool(notes) and all(type(note) is int and note in _PIANO for note in notes)


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
    given = look.given
    sounds = [
        n for n, c in look.columns.items() if c.is_wav and given.inputs in ((), (n,)) and n != given.target
    ]
    if not sounds:
        return None
    look.say(f"{sounds[0]!r} holds WAV files in base64: audio")
    target = target_of(look, sounds[0])
    return None if target is None else labelled(look, "audio", (sounds[0],), target)


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
