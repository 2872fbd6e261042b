"""What the first rows of a file hold, column by column: enough to tell a label from a text, a time from a number."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
# A column is taken for what so many of its values are: the others are refused later, each with its line.
_MOST = 0.95


def mostly(answers: Iterable[bool]) -> bool:
    """Whether nearly all of some answers, at least one, are yes."""
    found = list(answers)
    return bool(found) and sum(found) >= _MOST * len(found)


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
        """Whether its values are numbers, or text that spells some."""
        return mostly(type(number_of(value)) in (int, float) for value in self.known)

    @cached_property
    def is_whole(self) -> bool:
        """Whether its values are whole numbers."""
        return self.is_number and mostly(isinstance(number_of(value), int) for value in self.known)

    @cached_property
    def is_list(self) -> bool:
        """Whether its values are lists."""
        return mostly(isinstance(value, list) for value in self.known)

    @cached_property
    def is_text(self) -> bool:
        """Whether its values are text that spells no numbers."""
        return mostly(isinstance(value, str) for value in self.known) and not self.is_number

    @cached_property
    def is_time(self) -> bool:
        """Whether its values are timestamps."""
        return self.is_text and mostly(_is_time(text) for text in self.known[:_TIMES_TRIED])

    @cached_property
    def is_wav(self) -> bool:
        """Whether its values are WAV files in base64."""
        return self.is_text and mostly(str(text).startswith(_WAV) for text in self.known)

    @cached_property
    def words(self) -> float:
        """Words of a value, in the mean."""
        return sum(len(str(value).split()) for value in self.known) / max(1, len(self.known))

    @cached_property
    def letters(self) -> str:
        """All different characters of its texts, sorted."""
        if not self.is_text or self.is_wav:
            return ""
        return "".join(sorted({letter for value in self.known for letter in str(value)}))

    @cached_property
    def may_be_label(self) -> bool:
        """Whether it has few enough values for classes."""
        few = self.distinct <= min(MAX_CLASSES, max(2, len(self.known) // 2))
        return not self.is_list and not self.is_time and self.distinct >= 2 and few

    @cached_property
    def is_few_letters(self) -> bool:
        """Whether its texts are words of a small alphabet: DNA, proteins, codes."""
        if (
            not self.is_text
            or self.words > 1
            or min(len(str(value)) for value in self.known) < _SHORTEST_LETTERS
        ):
            return False
        return len(self.letters) <= _FEW_LETTERS and self.letters.isalnum()


def _is_time(text: object) -> bool:
    try:
        parse_timestamp(str(text))
    except InputError:
        return False
    return True
