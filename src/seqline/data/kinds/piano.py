"""Music: steps of MIDI notes, as a piano has them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from seqline.data.kinds.base import Demand, Finding, OneColumn, critical_sentences, named, shortened, shown
from seqline.data.midi import roll_of_notes
from seqline.errors import InputError

_EXCERPT_STEPS = 4


@dataclass(frozen=True)
class PianoKind(OneColumn):
    """A list of steps, each the list of the notes that sound."""

    singular: ClassVar[str] = "piece"
    plural: ClassVar[str] = "pieces"
    unit: ClassVar[str] = "steps"
    demands: ClassVar[tuple[Demand, ...]] = (
        Demand(
            fact="not notes",
            rule="inputs are lists of steps, each a list of MIDI notes from 21 to 108",
            severity="critical",
            note="The value says what was found, with its step.",
        ),
        Demand(
            fact="one step",
            rule="pieces have two steps or more",
            severity="critical",
            note="Nothing follows a single step, so nothing can be learnt from it.",
        ),
        Demand(
            fact="silent",
            rule="pieces have notes",
            severity="critical",
            share="max_blank_share",
            note="No note sounds at any step.",
        ),
    )

    def findings(self, value: Any) -> list[Finding]:
        """Every demand that the value breaks."""
        if value is None:
            return []
        if problem := _problem(value):
            return [Finding("not notes", problem, f"not notes: {problem}")]
        if len(value) == 1:
            return [Finding("one step", "1 step", "a single step: nothing follows it")]
        if not any(value):
            silent = f"{len(value)} steps, all silent"
            return [Finding("silent", silent, silent)]
        return []

    def faults(self, value: Any) -> list[str]:
        """Why the value cannot be used."""
        return ["no value"] if value is None else critical_sentences(self.demands, self.findings(value))

    def length(self, value: Any) -> int | None:
        """Steps."""
        return None if value is None or _problem(value) else len(value)

    def key(self, value: Any) -> str | None:
        """The notes of each step in order."""
        if value is None or _problem(value):
            return None
        return json.dumps([sorted(set(step)) for step in value])

    def facts(self, value: Any) -> Mapping[str, float]:
        """Its steps, and the notes that sound in all of them."""
        if value is None or _problem(value):
            return {}
        return {"steps": len(value), "notes": sum(map(len, value))}

    def excerpt(self, value: Any) -> str:
        """Its first steps."""
        if value is None or _problem(value):
            return "" if value is None else shown(shortened(str(value)))
        return (
            f"{len(value)} steps: {' | '.join(' '.join(map(str, step)) for step in value[:_EXCERPT_STEPS])}"
        )

    def settled(self, value: Any) -> PianoKind:
        """Itself: one piece says nothing about the others."""
        return self


def _problem(value: Any) -> str | None:
    """Why a value is no list of steps; None when it is one."""
    if not isinstance(value, list):
        return f"{named(value)} instead of a list"
    try:
        roll_of_notes(value, where="piece")
    except InputError as error:
        place = error.where.removeprefix("piece").removeprefix(", ")
        return f"{place} has {error.found}; expected {error.expected}" if place else error.found
    return None
