"""Recordings: a WAV file in base64."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from seqline.data.audio import Recording, read_recording, recording_fault
from seqline.data.kinds.base import Demand, Finding, OneColumn, critical_sentences, shortened
from seqline.errors import InputError

_KEY_BYTES = 16
_EXCERPT_CHARACTERS = 24


@dataclass(frozen=True, kw_only=True)
class AudioKind(OneColumn):
    """A recording.

    Attributes:
        sample_rate: Samples a second; others are refused, since resampling changes what is heard.
        hop_ms: Milliseconds from one frame to the next: the unit of `length`.
        min_seconds: Shortest recording.
        max_seconds: Longest recording.
        max_clipping_share: Samples at full scale that are no warning.
    """

    sample_rate: int = 8_000
    hop_ms: float = 10.0
    min_seconds: float = 0.05
    max_seconds: float = 60.0
    max_clipping_share: float = 0.01

    singular: ClassVar[str] = "recording"
    plural: ClassVar[str] = "recordings"
    unit: ClassVar[str] = "frames"
    demands: ClassVar[tuple[Demand, ...]] = (
        Demand(
            fact="not a recording",
            rule="inputs are WAV files in base64",
            severity="critical",
            note="The value says what was found.",
        ),
        Demand(
            fact="other sample rate",
            rule="recordings have the recipe's sample rate",
            severity="critical",
            note="The recipe's input.sample_rate. Nothing is resampled silently.",
        ),
        Demand(
            fact="length in seconds",
            rule="recordings are neither too short nor too long",
            severity="critical",
            note="The recipe's validation.min_seconds and max_seconds.",
        ),
        Demand(
            fact="clipping",
            rule="recordings do not clip",
            severity="warning",
            note="More samples at full scale than validation.max_clipping_share: it was recorded too loud.",
        ),
        Demand(
            fact="flat",
            rule="recordings are not silent",
            severity="critical",
            share="max_flat_share",
            warns_below=True,
            note="All samples are the same: the microphone was off.",
        ),
    )

    def findings(self, value: Any) -> list[Finding]:
        """Every demand that the value breaks."""
        if value is None:
            return []
        recording = _usable(value)
        if recording is None:
            problem = recording_fault(value) or ""
            return [Finding("not a recording", problem, f"not a recording: {problem}")]
        found = []
        if recording.sample_rate != self.sample_rate:
            told = f"{recording.sample_rate} samples a second, not {self.sample_rate}"
            found.append(Finding("other sample rate", told, told))
        if not self.min_seconds <= recording.seconds <= self.max_seconds:
            told = f"{recording.seconds:.3g} s"
            sentence = f"{told} long, not {self.min_seconds:g} to {self.max_seconds:g} s"
            found.append(Finding("length in seconds", told, sentence))
        if recording.clipped_share > self.max_clipping_share and not recording.is_flat:
            told = f"{recording.clipped_share:.1%} of the samples at full scale"
            found.append(Finding("clipping", told, f"clipping, {told}"))
        if recording.is_flat:
            told = f"every sample is {recording.samples[0]:g}"
            found.append(Finding("flat", told, f"silent: {told}"))
        return found

    def faults(self, value: Any) -> list[str]:
        """Why the value cannot be used; a silent or a clipped recording can."""
        strict = tuple(demand for demand in self.demands if demand.share is None)
        return ["no value"] if value is None else critical_sentences(strict, self.findings(value))

    def length(self, value: Any) -> int | None:
        """Frames, at least 1."""
        recording = _usable(value)
        return None if recording is None else max(1, int(1_000 * recording.seconds / self.hop_ms))

    def key(self, value: Any) -> str | None:
        """Digest of its samples: the header may hold other things."""
        recording = _usable(value)
        if recording is None:
            return None
        content = f"{recording.sample_rate} ".encode() + recording.samples.astype("<f4").tobytes()
        return hashlib.blake2b(content, digest_size=_KEY_BYTES).hexdigest()

    def facts(self, value: Any) -> Mapping[str, float]:
        """Its sample rate, seconds, and share of samples at full scale."""
        recording = _usable(value)
        if recording is None:
            return {}
        return {
            "sample rate": recording.sample_rate,
            "seconds": recording.seconds,
            "clipping": recording.clipped_share,
        }

    def excerpt(self, value: Any) -> str:
        """How long it is; base64 tells people nothing."""
        recording = _usable(value)
        if recording is None:
            return "" if value is None else shortened(str(value), _EXCERPT_CHARACTERS)
        return f"{recording.seconds:.2f} s at {recording.sample_rate} Hz"

    def settled(self, value: Any) -> AudioKind:
        """Itself: the sample rate is the recipe's."""
        return self


def _usable(value: Any) -> Recording | None:
    try:
        return read_recording(value) if isinstance(value, str) else None
    except InputError:
        return None
