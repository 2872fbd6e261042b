"""Schemes of tags: what a tag says, and which may follow which.

`iob2` (also called BIO; B begins every span), `iob1` (B only where a span touches one of its kind before it), `iobes` (E ends
a span, S is one of a single step), `plain` (a tag has no prefix; every step with a tag other than O is a span of its own).

Legend: C tags.

Source: Tjong Kim Sang and Buchholz, "Introduction to the CoNLL-2000 shared task: chunking", 2000; Ramshaw and Marcus, "Text
chunking using transformation-based learning", 1995 (IOB).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

OUTSIDE = "O"
PLAIN = "plain"
# What may stand before the hyphen of a tag.
PREFIXES: dict[str, str] = {"iob1": "BI", "iob2": "BI", "iobes": "BIES", PLAIN: ""}

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Allowed:
    """Which tags a scheme lets follow each other.

    Attributes:
        start: bool (C,), tags that a sequence may begin with.
        end: bool (C,), tags that it may end with.
        transitions: bool (C, C), [before, after].
    """

    start: Bools
    end: Bools
    transitions: Bools


def split_tag(tag: str, scheme: str) -> tuple[str, str]:
    """A tag's prefix and kind; prefix O is outside of every span.

    Args:
        tag: As `B-NP`; of `plain` as `NOUN`, which is read as S.
        scheme: A key of `PREFIXES`.

    Raises:
        ValueError: The scheme knows no such tag.

    Example:
        >>> split_tag("B-fromloc.city_name", "iob2")
        ('B', 'fromloc.city_name')
    """
    if tag == OUTSIDE:
        return OUTSIDE, ""
    if scheme == PLAIN:
        return "S", tag
    prefix, hyphen, kind = tag.partition("-")
    if not hyphen or not kind or len(prefix) != 1 or prefix not in PREFIXES[scheme]:
        prefixes = " or ".join(f"{letter}-KIND" for letter in PREFIXES[scheme])
        raise ValueError(f"tag {tag!r} is not of scheme {scheme}: expected O, {prefixes}")
    return prefix, kind


def allowed(tags: Sequence[str], scheme: str) -> Allowed:
    """Which tags may begin, follow and end.

    `iob2`: I-X follows B-X or I-X only. `iobes`: B-X and I-X go on with I-X or E-X and nothing else does. `iob1` and
    `plain`: anything goes; a B that `iob1` does not ask for begins a span all the same.

    Args:
        tags: C tags.
        scheme: A key of `PREFIXES`.

    Raises:
        ValueError: The scheme knows no such tag.
    """
    count = len(tags)
    parts = [split_tag(tag, scheme) for tag in tags]
    if scheme in ("iob1", PLAIN):
        return Allowed(np.ones(count, bool), np.ones(count, bool), np.ones((count, count), bool))
    goes_on = "I" if scheme == "iob2" else "IE"
    start = np.array([prefix not in goes_on for prefix, _ in parts], dtype=bool)
    end = np.array([scheme == "iob2" or prefix not in "BI" for prefix, _ in parts], dtype=bool)
    transitions = np.zeros((count, count), dtype=bool)
    for i, (before, before_kind) in enumerate(parts):
        for j, (after, after_kind) in enumerate(parts):
            same_span = before in "BI" and after in goes_on and before_kind == after_kind
            transitions[i, j] = same_span or (start[j] and end[i])
    return Allowed(start, end, transitions)


def first_breach(tags: Sequence[str], scheme: str) -> int | None:
    """The first step whose tag may not stand there; None where the sequence keeps to its scheme.

    A span that is not ended (`iobes`) is told of at the step that follows, or at the last step.

    Example:
        >>> first_breach(["O", "I-NP"], "iob2")
        1
    """
    if not tags:
        return None
    names = sorted(set(tags))
    rules, places = allowed(names, scheme), [names.index(tag) for tag in tags]
    if not rules.start[places[0]]:
        return 0
    for step in range(1, len(places)):
        if not rules.transitions[places[step - 1], places[step]]:
            return step
    return None if rules.end[places[-1]] else len(tags) - 1
