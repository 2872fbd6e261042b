"""The kinds of input and target: what checks, ingestion and splits must know of each, and nothing of networks.

A new kind is a module here and a row in the table of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from seqline.data.kinds.audio import AudioKind
from seqline.data.kinds.base import Demand, Finding, Kind
from seqline.data.kinds.history import HistoryKind
from seqline.data.kinds.piano import PianoKind
from seqline.data.kinds.recording import RecordingKind
from seqline.data.kinds.series import SeriesKind
from seqline.data.kinds.symbols import SymbolsKind
from seqline.data.kinds.targets import LabelKind, NumberKind, SequenceKind, TagsKind, TargetKind
from seqline.data.kinds.text import TextKind
from seqline.data.kinds.vector import VectorKind
from seqline.recipe import (
    InputSection,
    LabelTarget,
    NumberTarget,
    Recipe,
    RecordingTarget,
    SequenceTarget,
    TagsTarget,
    TargetSection,
    ValidationSection,
)

__all__ = ["Demand", "Finding", "Kind", "TargetKind", "kind_for", "kind_of", "target_kind_of"]


def kind_of(recipe: Recipe) -> Kind:
    """The kind of a recipe's input, with the recipe's bounds."""
    return kind_for(recipe.input, recipe.validation)


def kind_for(section: InputSection, bounds: ValidationSection) -> Kind:
    """The kind of an input section, with bounds."""
    return _KINDS[section.kind](section, bounds)


def target_kind_of(recipe: Recipe) -> TargetKind | None:
    """The kind of a recipe's target; None where the input itself is what is predicted."""
    make = _TARGETS.get(type(recipe.target))
    return None if make is None else make(recipe.target)


_KINDS: Mapping[str, Callable[[Any, ValidationSection], Kind]] = {
    "text": lambda section, bounds: TextKind(),
    "symbols": lambda section, bounds: SymbolsKind(alphabet=section.alphabet, lowercase=section.lowercase),
    "series": lambda section, bounds: SeriesKind(max_missing_share=bounds.max_missing_share),
    "history": lambda section, bounds: HistoryKind(
        max_missing_share=bounds.max_missing_share, section=section
    ),
    "vector": lambda section, bounds: VectorKind(max_missing_share=bounds.max_missing_share),
    "piano": lambda section, bounds: PianoKind(),
    "audio": lambda section, bounds: AudioKind(
        sample_rate=section.sample_rate,
        hop_ms=section.hop_ms,
        min_seconds=bounds.min_seconds,
        max_seconds=bounds.max_seconds,
        max_clipping_share=bounds.max_clipping_share,
    ),
}
_TARGETS: Mapping[type[TargetSection], Callable[[Any], TargetKind]] = {
    LabelTarget: lambda section: LabelKind(tuple(section.classes)),
    NumberTarget: lambda section: NumberKind(),
    SequenceTarget: lambda section: SequenceKind(),
    TagsTarget: lambda section: TagsKind(
        None if section.tags is None else frozenset(section.tags), scheme=section.scheme
    ),
    RecordingTarget: lambda section: RecordingKind(
        AudioKind(sample_rate=section.sample_rate, hop_ms=section.hop_ms)
    ),
}
