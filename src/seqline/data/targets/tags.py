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
from seqline.data.kinds.targets import TagsKind
from seqline.errors import InputError
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
    known = None if section.tags is None else frozenset(section.tags)
    found = TagsKind(known, scheme=section.scheme).findings(tags, None)
    if found:
        listed = ", ".join((section.tags or [])[:_SHOWN_TAGS])
        expected = f"tags of scheme {section.scheme}{f', of the recipe: {listed}' if listed else ''}"
        hint = "mend the row, or set target.scheme (iob1 takes any order of tags) and target.tags"
        raise InputError(where, found[0].sentence, expected, hint)
    return tags


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
                    f"{len(tags)} tags in column {self.section.column!r} for {length} tokens",
                    "as many tags as tokens",
                )
            encoded.append(np.array([self.places.get(tag, IGNORED) for tag in tags], dtype=np.int64))
        return encoded
