"""Music: lists of MIDI notes to piano rolls.

Legend: T steps, D keys (88).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqline.data.midi import NUM_KEYS, Roll, roll_of_notes
from seqline.data.tokenization import cut
from seqline.recipe import PianoInput


@dataclass(frozen=True)
class PianoEncoder:
    """Turns notes into which keys sound at each step.

    Attributes:
        section: The recipe's input; nothing is learnt from the rows.
    """

    section: PianoInput

    @classmethod
    def fit(cls, values: Iterable[Any], section: PianoInput) -> PianoEncoder:
        """Nothing to learn: a piano has 88 keys."""
        return cls(section)

    @classmethod
    def load(cls, path: Path, section: PianoInput) -> PianoEncoder:
        """Nothing to read."""
        return cls(section)

    def save(self, path: Path) -> None:
        """Nothing to write."""

    @property
    def sizes(self) -> dict[str, int]:
        """`features`."""
        return {"features": NUM_KEYS}

    def encode_whole(self, values: Iterable[Any]) -> Iterator[Roll]:
        """Piano roll of each value before any cut, float32 (T, 88)."""
        for value in values:
            yield roll_of_notes(value, where=f"column {self.section.column!r}")

    def encode(self, values: Iterable[Any]) -> Iterator[Roll]:
        """The same, with 1 <= T <= max_length."""
        for roll in self.encode_whole(values):
            yield cut(roll, max_length=self.section.max_length, keep=self.section.keep)
