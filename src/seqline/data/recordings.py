"""From a recording in a row to frames of log-mel energies, as a recipe's section asks for them.

Legend: T frames, M mel bands.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from seqline.data.audio import read_recording
from seqline.data.spectrogram import Frames, Spectrogram
from seqline.recipe import AudioInput, RecordingTarget


@dataclass(frozen=True)
class RecordingReader:
    """Reads the recordings of a column, to be recognised or to be synthesised.

    Attributes:
        section: Names the column, the sample rate and the frames.
    """

    section: AudioInput | RecordingTarget

    def frames(self, value: Any) -> Frames:
        """Log-mel energies of a recording, float32 (T, M), neither cut nor scaled.

        Raises:
            InputError: It is no recording of the section's sample rate.
        """
        section = self.section
        recording = read_recording(value, where=f"column {section.column!r}", sample_rate=section.sample_rate)
        return self.spectrogram.frames(recording.samples)

    @cached_property
    def spectrogram(self) -> Spectrogram:
        """The way from samples to frames and back; its filters are made once."""
        section = self.section
        return Spectrogram(
            sample_rate=section.sample_rate,
            window_ms=section.window_ms,
            hop_ms=section.hop_ms,
            mels=section.mels,
        )
