"""Recordings to be synthesised: frames of log-mel energies, scaled by what train holds, and back to sound.

Legend: U frames, M mel bands.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from seqline.batch import IGNORED
from seqline.data.arrays import Targets
from seqline.data.recordings import RecordingReader
from seqline.data.scaling import Features, Scaler
from seqline.recipe import RecordingTarget


@dataclass(frozen=True)
class RecordingEncoder:
    """Turns recordings into scaled frames, and frames into samples.

    Attributes:
        scaler: Fitted on train.
        section: The recipe's target.
    """

    scaler: Scaler
    section: RecordingTarget

    @classmethod
    def fit(cls, values: Iterable[Any], section: RecordingTarget) -> RecordingEncoder:
        """Take the figures of train."""
        unscaled = cls(Scaler.identity(section.mels), section)
        return cls(Scaler.fit(unscaled.frames(value) for value in values), section)

    @classmethod
    def load(cls, path: Path, section: RecordingTarget) -> RecordingEncoder:
        """Read a fitted scaler."""
        return cls(Scaler.load(path), section)

    def save(self, path: Path) -> None:
        """Write the scaler as JSON."""
        self.scaler.save(path)

    @property
    def sizes(self) -> dict[str, int]:
        """`bands`."""
        return {"bands": self.section.mels}

    @property
    def fill(self) -> int:
        """No scaled energy comes near it, so that a batch knows its own lengths."""
        return IGNORED

    def truth(self, value: Any) -> Any:
        """The recording itself."""
        return value

    def encode(self, values: Sequence[Any], lengths: Sequence[int]) -> Targets:
        """Scaled frames of each recording, float32 (U, M) with 1 <= U <= max_frames; `lengths` says nothing here."""
        return [self.scaler.apply(self.frames(value)) for value in values]

    def frames(self, value: Any) -> Features:
        """Log-mel energies of a recording, float32 (U, M), cut but not scaled.

        Raises:
            InputError: It is no recording of the recipe's sample rate.
        """
        return self._reader.frames(value)[: self.section.max_frames]

    def sound(self, frames: npt.NDArray[np.floating[Any]]) -> Features:
        """Samples float32 (S,) of frames float (U, M) in their own unit."""
        return self._reader.spectrogram.samples(frames, rounds=self.section.rounds)

    @cached_property
    def _reader(self) -> RecordingReader:
        return RecordingReader(self.section)
