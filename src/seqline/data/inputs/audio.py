"""Sound: WAV files in base64, read as frames of log-mel energies scaled by what train holds.

Legend: T frames, M mel bands.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from seqline.data.recordings import RecordingReader
from seqline.data.scaling import Features, Scaler
from seqline.data.tokenization import cut
from seqline.recipe import AudioInput


@dataclass(frozen=True)
class AudioEncoder:
    """Turns recordings into scaled log-mel frames.

    Attributes:
        scaler: Fitted on train.
        section: The recipe's input.
    """

    scaler: Scaler
    section: AudioInput

    @classmethod
    def fit(cls, values: Iterable[Any], section: AudioInput) -> AudioEncoder:
        """Take the figures of train."""
        unscaled = cls(Scaler.identity(section.mels), section)
        if section.scaling == "none":
            return unscaled
        return cls(Scaler.fit(unscaled.encode_whole(values)), section)

    @classmethod
    def load(cls, path: Path, section: AudioInput) -> AudioEncoder:
        """Read a fitted scaler."""
        return cls(Scaler.load(path), section)

    def save(self, path: Path) -> None:
        """Write the scaler as JSON."""
        self.scaler.save(path)

    @property
    def sizes(self) -> dict[str, int]:
        """What a network must know: `features`."""
        return {"features": self.section.mels}

    def encode_whole(self, values: Iterable[Any]) -> Iterator[Features]:
        """Scaled frames of each recording before any cut, float32 (T, M)."""
        for value in values:
            yield self.scaler.apply(self._reader.frames(value))

    def encode(self, values: Iterable[Any]) -> Iterator[Features]:
        """The same, with 1 <= T <= max_length."""
        for steps in self.encode_whole(values):
            yield cut(steps, max_length=self.section.max_length, keep=self.section.keep)

    @cached_property
    def _reader(self) -> RecordingReader:
        return RecordingReader(self.section)
