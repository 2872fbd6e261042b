"""A tag for each token: two lists a row, two texts with equally many words, or a table with a row a token."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from seqline.data.column_facts import ColumnFacts, mostly
from seqline.data.csv_rows import listed
from seqline.data.kinds.base import shown
from seqline.data.look import Guess, Look, bare
from seqline.errors import InputError

_TOKEN_NAMES = ("tokens", "words", "token", "word")
_TAG_NAMES = ("tags", "tag", "slots", "slot", "ner_tags", "ner_tag", "ner", "labels", "label")
_SENTENCE_NAMES = ("sentence", "sentence_id", "sent_id", "sent", "sentence_idx", "document", "doc_id", "id")
_TRIED = 100
# Tokens are words; a place name may be two.
_TOKEN_WORDS = 1.2


def from_tags(look: Look) -> Guess | None:
    """Tokens and their tags."""
    if look.given.task not in (None, "tagging") or look.given.kind not in (None, "symbols"):
        return None
    return _listed_tags(look) or _spaced_tags(look) or _token_rows(look)


def _listed_tags(look: Look) -> Guess | None:
    """Lists of tokens and of as many tags; numbers are names of tags where the column is called so."""
    given = look.given
    lists = [c for c in look.columns.values() if c.is_list and any(c.known)]
    words = [c for c in lists if _holds(c, str) and c.name != given.target]
    named = [given.inputs[0]] if given.inputs else _named(_TOKEN_NAMES, words)
    tokens = next((c for c in words if c.name in named), words[0] if words and not given.inputs else None)
    if tokens is None:
        return None
    tags = [
        c
        for c in lists
        if c is not tokens
        and (_holds(c, str) or (_holds(c, int) and (_is_tag(c.name) or given.target == c.name)))
        and given.target in (None, c.name)
        and _equally_long(tokens, c)
    ]
    if len(tags) > 1:
        # Items may have several properties, none of which is called a tag.
        tags = [c for c in tags if _is_tag(c.name)]
    if len(tags) > 1:
        raise InputError(
            look.source,
            f"lists as long as {tokens.name!r}: {listed(c.name for c in tags)}",
            "one of them as the tags",
            f"say which: --target {tags[-1].name}",
        )
    if not tags:
        return None
    look.say(f"{tokens.name!r} and {tags[0].name!r} are lists, equally long in each row: tagging")
    coded = not _holds(tags[0], str)
    if coded:
        look.say(f"the numbers of {tags[0].name!r} are taken for names; names as B-LOC let spans be measured")
    return Guess(
        task="tagging",
        kind="symbols",
        inputs=(tokens.name,),
        target=tags[0].name,
        lists=(tags[0].name,) if coded else (),
        reasons=tuple(look.reasons),
    )


def _named(names: Sequence[str], columns: Sequence[ColumnFacts]) -> list[str]:
    usual = {bare(name) for name in names}
    return [column.name for column in columns if bare(column.name) in usual]


def _is_tag(name: str) -> bool:
    return bare(name).endswith(("tag", "tags", "labels", "slots"))


def _holds(column: ColumnFacts, kind: type) -> bool:
    items = [item for value in column.known[:_TRIED] if isinstance(value, list) for item in value]
    return bool(items) and all(type(item) is kind for item in items)


def _equally_long(one: ColumnFacts, other: ColumnFacts) -> bool:
    # Odd values among the lists are refused later, each with its line.
    return mostly(
        len(a) == len(b)
        for a, b in zip(one.values, other.values, strict=True)
        if isinstance(a, list) and isinstance(b, list)
    )


def _spaced_tags(look: Look) -> Guess | None:
    """Tokens and tags in two texts of a table, as many words in one as in the other."""
    tokens, tags = look.named("tokens", "words"), look.named("tags", "slots")
    if look.given.task == "tagging" and look.given.inputs and look.given.target:
        tokens, tags = look.given.inputs[0], look.given.target
    if tokens is None or tags is None:
        return None
    counts = [[len(str(value).split()) for value in look.columns[name].values] for name in (tokens, tags)]
    # One word a row is a row a token.
    if not mostly(a == b for a, b in zip(*counts, strict=True)) or max(counts[0]) < 2:
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


def _token_rows(look: Look) -> Guess | None:
    """A row a token, with the name of its sentence in each row or in the first one."""
    given = look.given
    token = given.inputs[0] if len(given.inputs) == 1 else look.named(*_TOKEN_NAMES)
    tag = given.target or look.named(*_TAG_NAMES)
    sentence = given.group or look.named(*_SENTENCE_NAMES)
    if token is None or tag is None or len({token, tag, sentence}) < 3 or len(given.inputs) > 1:
        return None
    words, tags = look.columns[token], look.columns[tag]
    are_tokens = words.is_text and words.words < _TOKEN_WORDS and tags.is_text and tags.may_be_label
    if not are_tokens or sentence is None or not _goes_on(look.columns[sentence]):
        return None
    look.say(f"a row is one {token!r} of one {sentence!r}, with its {tag!r}: tagging of sentences")
    rest = [name for name in look.columns if name not in (token, tag, sentence)]
    if rest:
        look.say(f"{listed(rest)} not read: --target chooses among columns of tags")
    return Guess(
        task="tagging",
        kind="symbols",
        inputs=(token,),
        target=tag,
        group=sentence,
        form="tokens",
        reasons=tuple(look.reasons),
    )


def _goes_on(sentence: ColumnFacts) -> bool:
    """Whether rows of one sentence stand together: the name is that of the row before, or is left out until the next one."""
    names = [None if value is None or value == "" else shown(value) for value in sentence.values]
    if names[0] is None:
        return False
    same = [later in (None, before) for before, later in pairwise(names)]
    begins = len(same) - sum(same) + 1
    return any(same) and sentence.distinct == begins
