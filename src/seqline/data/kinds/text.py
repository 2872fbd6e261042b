"""Text: what can be wrong with one, and when two count as the same."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from seqline.data.kinds.base import Demand, Finding, OneColumn, critical_sentences, shortened, shown
from seqline.data.splits import normalise

_EXCERPT_CHARACTERS = 80
_MAX_NAMED_CHARACTERS = 5
# C0, DEL and C1 without tab, line feed, carriage return and NUL, which has a check of its own.
_CONTROL = re.compile(r"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
# Replacement character, zero-width space, word joiner, byte order mark, direction marks, private use.
# U+200C and U+200D are left out: Persian, Hindi and emoji need them.
_ODD = re.compile("[\ufffd\u200b\u2060\ufeff\u200e\u200f\u202a-\u202e\u2066-\u2069\ue000-\uf8ff]")
UNUSABLE = re.compile("[\\x00\ud800-\udfff]")


def is_blank(text: str) -> bool:
    """Whether a text shows nothing: empty, white space, control and format characters only."""
    return not any(unicodedata.category(character)[0] not in "ZC" for character in text)


def characters_found(pattern: re.Pattern[str], text: str) -> str | None:
    """Name the distinct characters of a text that match, as `U+001B U+0085`; None when there are none."""
    found = sorted(set(pattern.findall(text)))
    if not found:
        return None
    names = " ".join(f"U+{ord(character):04X}" for character in found[:_MAX_NAMED_CHARACTERS])
    more = len(found) - _MAX_NAMED_CHARACTERS
    return names if more <= 0 else f"{names} and {more} more"


def text_excerpt(text: str) -> str:
    """How a text begins, white space collapsed."""
    # Four characters in the file for one in the excerpt leaves room for runs of white space.
    return shown(shortened(" ".join(text[: 4 * _EXCERPT_CHARACTERS].split())))


@dataclass(frozen=True)
class TextKind(OneColumn):
    """Text, as the tokenizers read it."""

    singular: ClassVar[str] = "text"
    plural: ClassVar[str] = "texts"
    unit: ClassVar[str] = "words"
    demands: ClassVar[tuple[Demand, ...]] = (
        Demand(
            fact="not text", rule="inputs are text", severity="critical", note="The value is the type found."
        ),
        Demand(
            fact="blank",
            rule="texts are not blank",
            severity="critical",
            share="max_blank_share",
            note="Nothing visible: empty, white space, control or format characters only.",
        ),
        Demand(fact="NUL or surrogate", rule="no NUL, no lone surrogate", severity="critical"),
        Demand(
            fact="control characters",
            rule="no control characters",
            severity="warning",
            note="Other than tab, line feed and carriage return. Often text in the wrong encoding.",
        ),
        Demand(
            fact="odd characters",
            rule="no odd characters",
            severity="warning",
            note="Replacement characters, invisible characters, direction marks, private use.",
        ),
    )

    def findings(self, value: Any) -> list[Finding]:
        """Every demand that the value breaks."""
        if value is None:
            return []
        if not isinstance(value, str):
            name = type(value).__name__
            return [Finding("not text", name, f"not text but {name} {shown(value)}")]
        found = []
        if unusable := characters_found(UNUSABLE, value):
            found.append(Finding("NUL or surrogate", unusable, f"NUL or surrogate {unusable}"))
        if is_blank(value):
            nothing = f"{len(value)} characters, none visible"
            found.append(Finding("blank", nothing, f"blank, {nothing}"))
        for fact, pattern in (("control characters", _CONTROL), ("odd characters", _ODD)):
            if characters := characters_found(pattern, value):
                found.append(Finding(fact, characters, f"{fact} {characters}"))
        return found

    def faults(self, value: Any) -> list[str]:
        """Why the value cannot be used; of several reasons the first."""
        return ["no value"] if value is None else critical_sentences(self.demands, self.findings(value))[:1]

    def length(self, value: Any) -> int | None:
        """Words, separated by white space."""
        return len(value.split()) if isinstance(value, str) else None

    def key(self, value: Any) -> str | None:
        """The text after NFKC, casefold and white space; None for a blank one."""
        return normalise(value) if isinstance(value, str) and not is_blank(value) else None

    def facts(self, value: Any) -> Mapping[str, float]:
        """Its characters and words."""
        return {"characters": len(value), "words": len(value.split())} if isinstance(value, str) else {}

    def excerpt(self, value: Any) -> str:
        """How it begins."""
        return "" if value is None else text_excerpt(value if isinstance(value, str) else str(value))

    def settled(self, value: Any) -> TextKind:
        """Itself: one text says nothing about the others."""
        return self
