"""Target sequences: a text that is to be written, as token ids.

Legend: N rows, U tokens of a target, END included.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from seqline.batch import END_ID, PADDING_ID
from seqline.data.arrays import Targets
from seqline.data.tokenization import TextTokenizer
from seqline.errors import InputError
from seqline.recipe import SequenceTarget, TextInput

_MARKS = ("[BEGIN]", "[END]")
# Signs that stand close to the word before them, and those that do so with the word after.
_AFTER_WORD = frozenset(",.;:!?)]}%…»”")
_BEFORE_WORD = frozenset("([{«„¿¡")


def joined(words: Sequence[str]) -> str:
    """Words and signs as a line of text.

    >>> joined(["yes", ",", "(", "she", "said", ")", "!"])
    'yes, (she said)!'
    """
    text = ""
    is_open = True
    for word in words:
        text += word if is_open or word in _AFTER_WORD else f" {word}"
        is_open = word in _BEFORE_WORD
    return text


@dataclass(frozen=True)
class SequenceEncoder:
    """Turns texts into ids to write, and written ids into text.

    Attributes:
        tokenizer: Ids 0 padding, 1 unknown, 2 begin, 3 end, then the words of train.
        section: The recipe's target.
    """

    tokenizer: TextTokenizer
    section: SequenceTarget

    @classmethod
    def fit(cls, values: Iterable[Any], section: SequenceTarget) -> SequenceEncoder:
        """Learn the vocabulary from the texts of train."""
        texts = (_text(value, section) for value in values)
        return cls(TextTokenizer.fit(texts, _as_input(section), marks=_MARKS), section)

    @classmethod
    def load(cls, path: Path, section: SequenceTarget) -> SequenceEncoder:
        """Read a fitted vocabulary."""
        return cls(TextTokenizer.load(path, _as_input(section)), section)

    def save(self, path: Path) -> None:
        """Write the vocabulary as JSON."""
        self.tokenizer.save(path)

    @property
    def sizes(self) -> dict[str, Any]:
        """`target_vocab_size`."""
        return {"target_vocab_size": self.tokenizer.vocab_size}

    @property
    def fill(self) -> int:
        """What stands after the end of a shorter target."""
        return PADDING_ID

    def truth(self, value: Any) -> str:
        """The text itself.

        Raises:
            InputError: The value is no text.
        """
        return _text(value, self.section)

    def encode(self, values: Sequence[Any], lengths: Sequence[int]) -> Targets:
        """Ids of each text, cut to `max_length` tokens, and END: a list of int64 (U,)."""
        encoded = self.tokenizer.encode_whole([_text(value, self.section) for value in values])
        return [np.append(ids[: self.section.max_length], END_ID) for ids in encoded]

    @property
    def fingerprint(self) -> str:
        """Digest of what texts are cut into."""
        return self.tokenizer.fingerprint

    def spelling(self, values: Iterable[Any]) -> npt.NDArray[np.float64]:
        """What the unknown tokens of each text, as it is cut, cost to spell: float64 (N, 2), `SPELLING_COLUMNS`."""
        texts = (_text(value, self.section) for value in values)
        return self.tokenizer.spelling(texts, tokens=self.section.max_length)

    def words(self, ids: Sequence[int]) -> list[str]:
        """What each id stands for, for a reader."""
        if self.section.tokenizer == "bpe":
            return [self.tokenizer.tokenizer.decode([int(i)], skip_special_tokens=False) for i in ids]
        return self.tokenizer.tokens(ids)

    def decode(self, ids: Sequence[int], words: Sequence[str]) -> str:
        """The text of written ids.

        Args:
            ids: U ids, without begin and end.
            words: What `words` gave for them, some perhaps replaced; of no use to tokenizer bpe, which knows all texts.
        """
        if self.section.tokenizer == "bpe":
            return self.tokenizer.tokenizer.decode([int(i) for i in ids]).strip()
        return "".join(words) if self.section.tokenizer == "char" else joined(words)


def _as_input(section: SequenceTarget) -> TextInput:
    return TextInput(
        column=section.column,
        tokenizer=section.tokenizer,
        lowercase=section.lowercase,
        vocab_size=section.vocab_size,
        min_count=section.min_count,
        max_length=section.max_length,
        keep="head",
        strip_markup=False,
        padding="bucket",
    )


def _text(value: Any, section: SequenceTarget) -> str:
    if not isinstance(value, str) or not value.strip():
        found = "a blank text" if isinstance(value, str) else f"{value!r:.40}, which is no text"
        raise InputError(f"column {section.column!r}", found, "a text to write")
    return value
