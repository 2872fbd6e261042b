"""The kinds of target: one module each, one row in the table below."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from seqline.data.targets.base import TargetEncoder
from seqline.data.targets.future import FutureEncoder
from seqline.data.targets.label import LabelEncoder
from seqline.data.targets.next_step import NextStepEncoder
from seqline.data.targets.number import AmountEncoder
from seqline.data.targets.recording import RecordingEncoder
from seqline.data.targets.sequence import SequenceEncoder
from seqline.data.targets.tags import TagEncoder
from seqline.recipe import (
    FutureTarget,
    LabelTarget,
    NextKeysTarget,
    NextTokenTarget,
    NumberTarget,
    RecordingTarget,
    SequenceTarget,
    TagsTarget,
    TargetSection,
)

# Where a fitted target encoder is kept, in the folder of a stage and in the model folder.
TARGET_FILE = "target.json"
_ENCODERS: dict[type[TargetSection], Any] = {
    LabelTarget: LabelEncoder,
    NumberTarget: AmountEncoder,
    FutureTarget: FutureEncoder,
    NextTokenTarget: NextStepEncoder,
    NextKeysTarget: NextStepEncoder,
    TagsTarget: TagEncoder,
    SequenceTarget: SequenceEncoder,
    RecordingTarget: RecordingEncoder,
}


def fit_target(values: Iterable[Any], section: TargetSection) -> TargetEncoder:
    """Fit the encoder of a target kind on the values of train."""
    fitted: TargetEncoder = _ENCODERS[type(section)].fit(values, section)
    return fitted


def load_target(folder: Path, section: TargetSection) -> TargetEncoder:
    """Read the fitted encoder of a folder."""
    loaded: TargetEncoder = _ENCODERS[type(section)].load(folder / TARGET_FILE, section)
    return loaded
