"""A recording that is to be synthesised: what is wrong with one, and when two are the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from seqline.data.kinds.audio import AudioKind
from seqline.data.kinds.base import Demand, Finding, Severity, critical_sentences


@dataclass(frozen=True)
class RecordingKind:
    """A recording as a target.

    Attributes:
        audio: What every recording must keep.
    """

    audio: AudioKind

    noun: ClassVar[str] = "recording"
    allowed: ClassVar[Sequence[str] | None] = None
    # Nobody says a word twice in the same way: that is what there is to learn.
    conflict: ClassVar[Severity] = "info"

    @property
    def demands(self) -> tuple[Demand, ...]:
        """Those of recordings."""
        return self.audio.demands

    def findings(self, value: Any, given: Any) -> list[Finding]:
        """Every demand that a recording breaks."""
        return self.audio.findings(value)

    def faults(self, value: Any, given: Any) -> list[str]:
        """Why a row with this recording cannot be learnt from."""
        return (
            ["no value"] if value is None else critical_sentences(self.demands, self.findings(value, given))
        )

    def meaning(self, value: Any) -> str | None:
        """Digest of its samples."""
        return self.audio.key(value)

    def reading(self, value: Any) -> RecordingKind:
        """Itself: train decides nothing."""
        return self

    def after_train(self) -> RecordingKind:
        """Itself."""
        return self
