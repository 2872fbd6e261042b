"""What the first rows of a file hold, column by column: enough to tell a label from a text, a time from a number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from seqline.data.calendar import parse_timestamp
from seqline.data.kinds.base import shown
from seqline.data.kinds.targets import number_of
from seqline.errors import InputError

MAX_CLASSES = 200
_WAV = "UklGR"  # how a RIFF file begins in base64
_FEW_LETTERS = 26
_SHORTEST_LETTERS = 8
_TIMES_TRIED = 100


@dataclass(frozen=True)
class ColumnFacts:
    """One column.

    Attributes:
        name: Its name.
        values: Of the first rows.
    """

    name: str
    values: Sequence[Any]

    @cached_property
    def known(self) -> list[Any]:
        """Values that are there."""
        return [value for value in self.values if value is not None and value != ""]

    @cached_property
    def distinct(self) -> int:
        """How many different values it has."""
        return len({shown(value) for value in self.known})

    @cached_property
    def is_number(self) -> bool:
        """Whether every value is a number, or text that spells one."""
        return bool(self.known) and all(type(number_of(value)) in (int, float) for value in self.known)

    @cached_property
    def is_whole(self) -> bool:
        """Whether every value is a whole number."""
        return self.is_number and all(float(value).is_integer() for value in self.known)

    @cached_property
    def is_list(self) -> bool:
        """Whether every value is a list."""
        return bool(self.known) and all(isinstance(value, list) for value in self.known)

    @cached_property
    def is_text(self) -> bool:
        """Whether every value is text and not all of it spells numbers."""
        return bool(self.known) and all(isinstance(value, str) for value in self.known) and not self.is_number

    @cached_property
    def is_time(self) -> bool:
        """Whether its values are timestamps."""
        return self.is_text and all(_is_time(text) for text in self.known[:_TIMES_TRIED])

    @cached_property
    def is_wav(self) -> bool:
        """Whether its values are WAV files in base64."""
        return self.is_text and all(text.startswith(_WAV) for text in self.known)

    @cached_property
    def words(self) -> float:
        """Words of a value, in the mean."""
        return sum(len(str(value).split()) for value in self.known) / max(1, len(self.known))

    @cached_property
    def letters(self) -> str:
        """All different characters of its texts, sorted."""
        return "".join(sorted(set().union(*map(set, self.known)))) if self.is_text and not self.is_wav else ""

    @cached_property
    def may_be_label(self) -> bool:
        """Whether it has few enough values for classes."""
        few = self.distinct <= min(MAX_CLASSES, max(2, len(self.known) // 2))
        return not self.is_list and not self.is_time and self.distinct >= 2 and few

    @cached_property
    def is_few_letters(self) -> bool:
        """Whether its texts are words of a small alphabet: DNA, proteins, codes."""
        if not self.is_text or self.words > 1 or min(map(len, self.known)) < _SHORTEST_LETTERS:
            return False
        return len(self.letters) <= _FEW_LETTERS and self.letters.isalnum()


def _is_time(text: str) -> bool:
    try:
        parse_timestamp(text)
    except InputError:
        return False
    return True
