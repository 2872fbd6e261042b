"""Tags: one for each token."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from seqline.batch import IGNORED
from seqline.data.arrays import Targets
from seqline.errors import InputError
from seqline.evaluation.spans import first_breach, split_tag
from seqline.files import read_json, write_json
from seqline.recipe import TagsTarget

_SHOWN_TAGS = 12


def tokens_of(value: Any, *, where: str = "input") -> list[str]:
    """The tokens of an input: a list as it is, a text split at its spaces.

    Args:
        value: A list of texts, or a text.
        where: For the message.

    Raises:
        InputError: It is neither, or there is no token, or one shows nothing.
    """
    tokens = value.split() if isinstance(value, str) else value
    if not isinstance(tokens, list) or not all(isinstance(token, str) for token in tokens):
        raise InputError(where, f"{value!r:.60}", "a list of tokens, or a text that is split at its spaces")
    if not tokens:
        raise InputError(where, "no token", "at least one")
    blank = [place for place, token in enumerate(tokens, 1) if not token.strip()]
    if blank:
        raise InputError(where, f"token {blank[0]} is blank", "tokens that show something")
    return tokens


def tags_of(value: Any, section: TagsTarget) -> list[str]:
    """The tags of a row, checked.

    Raises:
        InputError: They are no tags, one is not of the recipe, or they break its scheme.
    """
    where = f"column {section.column!r}"
    tags = tokens_of(value, where=where)
    try:
        for tag in tags:
            split_tag(tag, section.scheme)
    except ValueError as error:
        raise InputError(where, str(error), f"tags of scheme {section.scheme}", "set target.scheme") from None
    foreign = [tag for tag in tags if section.tags is not None and tag not in section.tags]
    if foreign and section.tags is not None:
        more = ", ..." if len(section.tags) > _SHOWN_TAGS else ""
        expected = f"one of {', '.join(section.tags[:_SHOWN_TAGS])}{more}"
        raise InputError(where, f"tag {foreign[0]!r} at place {tags.index(foreign[0]) + 1}", expected)
    breach = first_breach(tags, section.scheme)
    if breach is not None:
        before = f" after {tags[breach - 1]}" if breach else " at the beginning"
        raise InputError(
            where,
            f"{tags[breach]} at place {breach + 1},{before} of {' '.join(tags)!r:.80}",
            f"what scheme {section.scheme} allows",
            "mend the row, or set target.scheme to iob1, which takes any order",
        )
    return tags


def row_faults(tokens: Any, tags: Any, section: TagsTarget) -> list[str]:
    """Why a row cannot be used, one sentence each; empty for a good one."""
    try:
        found, count = tags_of(tags, section), len(tokens_of(tokens))
    except InputError as error:
        return [f"{error.where}: {error.found}"]
    return [] if len(found) == count else [_unequal(len(found), count, section.column)]


def _unequal(tags: int, tokens: int, column: str) -> str:
    return f"{tags} tags in column {column!r} for {tokens} tokens"


@dataclass(frozen=True)
class TagEncoder:
    """Turns tags into their indices.

    Attributes:
        tags: All tags, in the order of their indices.
        section: The recipe's target.
    """

    tags: tuple[str, ...]
    section: TagsTarget

    @classmethod
    def fit(cls, values: Iterable[Any], section: TagsTarget) -> TagEncoder:
        """The recipe's tags, or those of train in alphabetical order."""
        found = {tag for value in values for tag in tags_of(value, section)}
        if section.tags is None and len(found) < 2:
            raise InputError(
                f"column {section.column!r}", f"{len(found)} different tags in train", "at least 2"
            )
        return cls(tuple(section.tags or sorted(found)), section)

    @classmethod
    def load(cls, path: Path, section: TagsTarget) -> TagEncoder:
        """Read fitted tags."""
        return cls(tuple(read_json(path)["tags"]), section)

    def save(self, path: Path) -> None:
        """Write the tags as JSON."""
        write_json(path, {"tags": list(self.tags)})

    @property
    def sizes(self) -> dict[str, Any]:
        """`tags` and their `scheme`."""
        return {"tags": list(self.tags), "scheme": self.section.scheme}

    @property
    def fill(self) -> int:
        """What stands in the padding of tags, and for a tag that train never had."""
        return IGNORED

    @cached_property
    def places(self) -> dict[str, int]:
        """Index of each tag."""
        return {tag: place for place, tag in enumerate(self.tags)}

    def truth(self, value: Any) -> list[str]:
        """The tags of a row."""
        return tags_of(value, self.section)

    def encode(self, values: Sequence[Any], lengths: Sequence[int]) -> Targets:
        """Indices of each row's tags, int64 (T,); `IGNORED` for a tag that train never had.

        Raises:
            InputError: A row has more tags than tokens, or fewer; or its tags are none of the recipe.
        """
        encoded = []
        for row, (value, length) in enumerate(zip(values, lengths, strict=True), 1):
            tags = tags_of(value, self.section)
            if len(tags) != length:
                raise InputError(
                    f"row {row} of its split, {' '.join(tags)!r:.60}",
                    _unequal(len(tags), length, self.section.column),
                    "as many tags as tokens",
                )
            encoded.append(np.array([self.places.get(tag, IGNORED) for tag in tags], dtype=np.int64))
        return encoded
