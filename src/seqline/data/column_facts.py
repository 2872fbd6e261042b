"""What the first rows of a file hold, column by column: enough to tell a label from a text, a time from a number."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
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
_FEWEST_COUNTED = 3
_CATEGORY_WORDS = 1.5
_SENTENCE_WORDS = 3.0
# A column is taken for what so many of its values are: the others are refused later, each with its line.
_MOST = 0.95
# How programs spell a number that is not there; a network takes none of them for a number.
_NO_NUMBER = frozenset({"na", "n/a", "nan", "null", "none", "nil", "-", "?"})
# With a decimal comma, marks between thousands, a currency or a percent sign.
_DRESSED_NUMBER = re.compile(
    r"[+-]?[$€£¥]?\s?[+-]?(?:\d{1,3}(?:[,.' ]\d{3})+(?:[.,]\d+)?|\d+(?:[.,]\d+)?)\s?[%$€£¥]?", re.ASCII
)
_OTHER_DATE = re.compile(
    r"\d{1,4}([./-])\d{1,2}\1\d{1,4}(?:[ T]\d{1,2}:\d{2}(?::\d{2})?(?:\s?[AaPp][Mm])?)?", re.ASCII
)
_MIXED_SHARE = 0.05


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
    def is_unique(self) -> bool:
        """Whether hardly any value is there twice."""
        return bool(self.known) and self.distinct >= _MOST * len(self.known)

    @cached_property
    def is_number(self) -> bool:
        """Whether its values are numbers, or text that spells some; words such as NA stand for none."""
        return mostly(type(number_of(value)) in (int, float) for value in self._spelled)

    @cached_property
    def is_whole(self) -> bool:
        """Whether its values are whole numbers; 1.0 is one, as programs write a whole number where others are missing."""
        return self.is_number and mostly(_is_whole(number_of(value)) for value in self._spelled)

    @cached_property
    def _spelled(self) -> list[Any]:
        """Values that are there and are no word for a missing number."""
        return [value for value in self.known if shown(value).strip().casefold() not in _NO_NUMBER]

    @cached_property
    def whole_numbers(self) -> list[int] | None:
        """Its values, where each is a whole number and none is missing; None elsewhere."""
        numbers = [number_of(value) for value in self.values]
        return numbers if all(type(number) is int for number in numbers) else None

    @cached_property
    def dressed_number(self) -> str | None:
        """A number with a comma, a currency or a percent sign, where all values are plain numbers or such; None elsewhere."""
        others = [value for value in self.known if type(number_of(value)) not in (int, float)]
        dressed = all(isinstance(v, str) and _DRESSED_NUMBER.fullmatch(v.strip()) for v in others)
        return others[0] if others and dressed else None

    @cached_property
    def other_date(self) -> str | None:
        """A date that is none as timestamps are read, where most values are such; None elsewhere."""
        if not self.is_text or self.is_time:
            return None
        dates = [
            v for v in self.known[:_TIMES_TRIED] if isinstance(v, str) and _OTHER_DATE.fullmatch(v.strip())
        ]
        return dates[0] if len(dates) >= _MOST * min(len(self.known), _TIMES_TRIED) else None

    @cached_property
    def is_mixed(self) -> bool:
        """Whether it holds numbers and words, and many of both."""
        numbers = sum(type(number_of(value)) in (int, float) for value in self.known)
        return self.is_text and numbers > _MIXED_SHARE * len(self.known)

    @cached_property
    def counts_rows(self) -> bool:
        """Whether it numbers the rows: each value is one more than the one before."""
        numbers = self.whole_numbers
        if numbers is None or len(numbers) < _FEWEST_COUNTED:
            return False
        return all(later == before + 1 for before, later in pairwise(numbers))

    @cached_property
    def never_decreases(self) -> bool:
        """Whether each value is at least the one before, as of a clock."""
        return self.places is not None and all(later >= before for before, later in pairwise(self.places))

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
    def places(self) -> list[float] | None:
        """Its values as numbers that sort: seconds where they are timestamps; None where one is neither."""
        try:
            return [_place(value) for value in self.values]
        except (InputError, OverflowError, ValueError):
            return None

    @cached_property
    def is_wav(self) -> bool:
        """Whether its values are WAV files in base64."""
        return self.is_text and mostly(str(text).startswith(_WAV) for text in self.known)

    @cached_property
    def words(self) -> float:
        """Words of a value, in the mean."""
        return sum(len(str(value).split()) for value in self.known) / max(1, len(self.known))

    @property
    def is_sentences(self) -> bool:
        """Whether its values are more than names: several words in the mean."""
        return self.words >= _SENTENCE_WORDS

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
    def is_category(self) -> bool:
        """Whether it is one word out of few: a country, a kind of contract. A sentence is none, however often it is said."""
        return self.is_text and self.may_be_label and self.words < _CATEGORY_WORDS

    @cached_property
    def looks_like_name(self) -> bool:
        """Whether each value is another word with a digit in it: file names, numbers of customers."""
        if not self.is_text or not self.is_unique or self.words > 1 or self.is_few_letters:
            return False
        return mostly(any(letter.isdigit() for letter in str(value)) for value in self.known)

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


def _is_whole(number: object) -> bool:
    return type(number) is int or (type(number) is float and number.is_integer())


def _place(value: object) -> float:
    number = number_of(value)
    if isinstance(number, int | float) and not isinstance(number, bool):
        return float(number)
    return parse_timestamp(str(value)).timestamp()


def _is_time(text: object) -> bool:
    try:
        parse_timestamp(str(text))
    except InputError:
        return False
    return True
