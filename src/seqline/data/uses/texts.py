"""Texts: two of which one is written from the other, questions with their answers, a text with a label, a text alone."""

from __future__ import annotations

import re
from collections.abc import Sequence

from seqline.data.column_facts import ColumnFacts
from seqline.data.csv_rows import listed
from seqline.data.look import Guess, Look
from seqline.data.uses.labels import candidates, labelled, target_of

_TEXT_NAMES = ("text", "sentence", "message", "review", "content", "body", "sequence", "input")
_CONTEXT_NAMES = ("story", "context", "passage", "paragraph", "document", "article", "facts")
# Names of a text that is read and of one that is written, and the task they speak of.
_PAIR_NAMES = (
    ("source", "target", "translation"),
    ("src", "tgt", "translation"),
    ("prompt", "response", "dialogue"),
    ("message", "reply", "dialogue"),
    ("input", "output", "translation"),
    ("text", "summary", "translation"),
    ("article", "summary", "translation"),
)
_LANGUAGES = frozenset(
    (
        *("arabic", "chinese", "dutch", "english", "french", "german", "hindi", "italian", "japanese"),
        *("korean", "polish", "portuguese", "russian", "spanish", "turkish"),
    )
)
_LANGUAGE_CODE = re.compile(r"[a-z]{2}")
_PAIR_WORDS = 2.0
_WRITING = ("translation", "answering", "dialogue")
# So many answers that are the question of the next row make a conversation.
_CONVERSATION = 0.5


def from_pair(look: Look) -> Guess | None:
    """Texts: one or more to read, one to write."""
    texts = {c.name: c for c in look.texts() if not c.is_few_letters}
    given = look.given
    if given.inputs and given.target:
        fits = {*given.inputs, given.target} <= set(texts)
        wanted = given.task in _WRITING or (
            given.task is None and _are_long(texts, given.inputs[0], given.target)
        )
        return _pair(look, given.inputs, given.target, "translation") if fits and wanted else None
    question, answer = look.named("question", "query"), look.named("answer", "answers")
    if question in texts and answer in texts and given.task in (None, "answering"):
        context = look.named(*_CONTEXT_NAMES)
        read = (str(question), *((context,) if context is not None and context in texts else ()))
        return _pair(look, given.inputs or read, str(answer), "answering")
    pairs = [(look.named(first), look.named(second), task) for first, second, task in _PAIR_NAMES]
    codes = [name for name in texts if _is_language(name)]
    if len(codes) == 2:
        pairs.append((codes[0], codes[1], "translation"))
    pairs.append((question, answer, "answering"))
    for first, second, task in pairs:
        if first not in texts or second not in texts:
            continue
        if given.task in _WRITING or _are_long(texts, str(first), str(second)):
            return _pair(look, (str(first),), str(second), task)
    return None


def _pair(look: Look, inputs: tuple[str, ...], target: str, task: str) -> Guess:
    look.say(f"{listed(inputs)} and {target!r} are texts: the last is written from what stands before it")
    if len(inputs) > 1:
        look.say(f"{listed(inputs)} are read one after the other, as one text")
    if look.given.task is None and task == "translation" and _goes_on(look, inputs[0], target):
        task = "dialogue"
        look.say(f"a row's {target!r} is the next row's {inputs[0]!r}: a conversation")
    return Guess(
        task=look.given.task or task,
        kind="text",
        inputs=inputs,
        target=target,
        form="joined" if len(inputs) > 1 else "rows",
        reasons=tuple(look.reasons),
    )


def _are_long(texts: dict[str, ColumnFacts], first: str, second: str) -> bool:
    """Whether two texts have several words, and the second is no label."""
    long = all(name in texts and texts[name].words >= _PAIR_WORDS for name in (first, second))
    return long and not texts[second].may_be_label


def _goes_on(look: Look, first: str, second: str) -> bool:
    said, next_said = look.columns[second].values, look.columns[first].values[1:]
    same = [a == b for a, b in zip(said, next_said, strict=False)]
    return bool(same) and sum(same) >= _CONVERSATION * len(same)


def _is_language(name: str) -> bool:
    return name.casefold() in _LANGUAGES or _LANGUAGE_CODE.fullmatch(name.casefold()) is not None


def from_text(look: Look) -> Guess | None:
    """A text, or several that are read one after the other, and a label."""
    given = look.given
    if given.kind in ("vector", "series", "audio"):
        return None
    texts = [look.columns[name] for name in given.inputs] or [
        c for c in look.texts(given.target, *look.idle, look.subject()) if _is_read(c)
    ]
    return _labelled_text(look, texts, numbers=True) if all(c.is_text for c in texts) else None


def from_one_column(look: Look) -> Guess | None:
    """Where nothing else could be read: a column of single words, as names, or file names."""
    given = look.given
    texts = [c for c in look.texts(*look.idle, look.subject()) if not c.is_time]
    target = given.target or (
        texts[-1].name if len(texts) == 2 else next(reversed(look.numbers(*look.idle)), None)
    )
    left = [c for c in texts if c.name != target]
    alone = len(left) == 1 and not look.numbers(target, *look.idle)
    if given.inputs or given.kind in ("vector", "series", "audio") or not alone:
        return None
    # A number beside names may be that of the row; it is estimated where its name says so, or the user.
    return _labelled_text(look, left, numbers=False)


def _is_read(column: ColumnFacts) -> bool:
    return not (column.is_category or column.is_time or column.is_mixed or column.looks_like_name)


def _labelled_text(look: Look, texts: Sequence[ColumnFacts], *, numbers: bool) -> Guess | None:
    if not texts:
        return None
    usual = look.named(*_TEXT_NAMES)
    chosen = next((c for c in texts if c.name == usual), max(texts, key=lambda c: (c.distinct, c.words)))
    if chosen.distinct < 2 and not look.given.inputs:
        return None
    inputs = look.given.inputs or (chosen.name,)
    target = target_of(look, *inputs, numbers=numbers)
    if (
        target is None
        or target.name in inputs
        or not (target.may_be_label or target.is_number or look.given.target)
    ):
        return None
    if look.given.kind == "symbols" or (chosen.is_few_letters and look.given.kind is None):
        look.say(
            f"{chosen.name!r} holds words of the {len(chosen.letters)} letters {chosen.letters}: symbols"
        )
        return labelled(look, "symbols", (chosen.name,), target, alphabet=chosen.letters)
    if len(inputs) > 1:
        look.say(f"{listed(inputs)} are read one after the other, as one text")
        return labelled(look, "text", inputs, target, form="joined")
    look.say(f"{chosen.name!r} holds text, {chosen.words:.0f} words in the mean")
    others = [c.name for c in texts if c is not chosen and c.name != target.name]
    if others:
        look.say(f"{listed(others)} not read; --input {','.join((chosen.name, *others))} reads them too")
    unread = [c.name for c in candidates(look, *inputs, *others, target.name) if c.known]
    if unread:
        look.say(f"{listed(unread)} not read: a text is read alone (--target predicts one of them)")
    return labelled(look, "text", inputs, target)


def _that_go_on(look: Look, texts: Sequence[ColumnFacts]) -> list[ColumnFacts]:
    """Texts that somebody wrote: neither the same few again and again, nor names of rows beside their numbers."""
    found = [c for c in texts if not c.may_be_label]
    if look.numbers(*look.idle):
        for names in (c for c in found if c.looks_like_name):
            look.doubt(
                f"{names.name!r} holds names as {names.known[0]!r}; a time would be written as 2026-05"
            )
        found = [c for c in found if not c.looks_like_name]
    return found


def from_text_alone(look: Look) -> Guess | None:
    """One text, and nothing to predict but how it goes on."""
    texts = [c for c in look.texts(*look.idle) if look.given.inputs in ((), (c.name,)) and not c.is_time]
    texts = [c for c in texts if c.words >= _PAIR_WORDS or not c.is_category]
    if look.given.task is None:
        texts = _that_go_on(look, texts)
    texts = [c for c in texts if _is_read(c) and c.name not in look.numbered.values()] or texts
    usual = look.named(*_TEXT_NAMES)
    if usual is not None and not look.columns[usual].known:
        look.doubt(f"{usual!r} is empty in the first {look.rows:,} rows")
    texts = [c for c in texts if c.name == usual] or texts
    if len(texts) != 1 or look.given.target:
        return None
    text = texts[0].name
    look.say(f"one column of text, {text!r}, and no label: text to go on with")
    numbers = look.numbers(*look.idle)
    if numbers:
        look.say(f"{listed(numbers)} not used; --target {numbers[-1]} predicts it from the text")
    empty = [name for name, column in look.columns.items() if not column.known]
    if empty:
        look.say(f"{listed(empty)} not used: empty in the first {look.rows:,} rows")
    within = next((name for name in look.numbered.values() if name != text), None)
    if within is not None:
        look.say(f"splits keep the rows of one {within!r} together, so that valid and test hold others")
    return Guess(
        task="generation",
        kind="text",
        inputs=(text,),
        target=None,
        split_by=within,
        reasons=tuple(look.reasons),
    )
