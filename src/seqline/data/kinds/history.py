"""Histories: the values of a series, and beside them their times and covariates in other columns of the row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from seqline.data.calendar import Frequency
from seqline.data.history import TIMESTAMPS, read_stretch
from seqline.data.kinds.base import Demand, Finding
from seqline.data.kinds.series import SeriesKind
from seqline.errors import InputError
from seqline.recipe import HistoryInput


@dataclass(frozen=True, kw_only=True)
class HistoryKind(SeriesKind):
    """A series with a calendar.

    Attributes:
        section: The recipe's input, which names the other columns and says what gaps and duplicates are.
    """

    section: HistoryInput

    # Several rows may be stretches of one series, those of test go on where train ends.
    rows_continue: ClassVar[bool] = True
    demands: ClassVar[tuple[Demand, ...]] = (
        *SeriesKind.demands,
        Demand(
            fact="times or covariates",
            rule="times and covariates fit the values",
            severity="critical",
            note="Timestamps, start and frequency, and the columns that the recipe's input names as past, future and static.",
        ),
        Demand(
            fact="duplicate timestamps",
            rule="no timestamp twice in a row",
            severity="critical",
            note="The recipe's input.duplicates says what else they may count as.",
        ),
        Demand(
            fact="gaps",
            rule="no gaps in the calendar of a row",
            severity="critical",
            note="The recipe's input.gaps says whether they are filled.",
        ),
    )

    def moments(self, values: Mapping[str, Any]) -> tuple[str, list[int | str]] | None:
        """The series of a row and its timestamps; None where the recipe says what a timestamp that comes twice is.

        None for a row that cannot be read too: `findings` and `beside` say why.
        """
        if self.section.duplicates != "refuse":
            return None
        try:
            stretch = read_stretch(values, self.section, told=_of_one(values.get(TIMESTAMPS)))
        except InputError:
            return None
        frequency, phase = stretch.frequency, stretch.phase
        return stretch.name, [frequency.stamp(period, phase) for period in stretch.periods.tolist()]

    def observations(self, values: Mapping[str, Any]) -> int:
        """Steps of the series: a stretch of a month says more than one of a day."""
        return self.length(values.get(self.section.column)) or 0

    def beside(self, values: Mapping[str, Any]) -> list[Finding]:
        """What the times and covariates of a row break."""
        if self.faults(values.get(self.section.column)):
            return []
        try:
            stretch = read_stretch(values, self.section, told=_of_one(values.get(TIMESTAMPS)))
        except InputError as error:
            told = f"{error.found}; expected {error.expected}" if error.expected else error.found
            return [Finding("times or covariates", told, f"times or covariates: {told}")]
        steps = np.diff(np.sort(stretch.periods))
        found = []
        for fact, count, allowed in (
            ("duplicate timestamps", int((steps == 0).sum()), self.section.duplicates != "refuse"),
            ("gaps", int((steps[steps > 1] - 1).sum()), self.section.gaps != "refuse"),
        ):
            if count and not allowed:
                told = f"{count} of frequency {stretch.frequency}"
                found.append(Finding(fact, told, f"{fact}: {told}"))
        absent = int((steps[steps > 1] - 1).sum())
        if absent and self.section.gaps == "fill":
            channels = stretch.values.shape[1]
            missing = int(np.isnan(stretch.values).sum()) + absent * channels
            total = (len(stretch.values) + absent) * channels
            if missing > self.max_missing_share * total:
                told = f"{missing} of {total} numbers, {absent} steps of frequency {stretch.frequency} that no row gives"
                found.append(Finding("missing numbers", told, f"missing numbers: {told}"))
        return found


def _of_one(stamps: Any) -> Frequency | None:
    """A frequency for a single timestamp, which tells none and may be the next step of a series that has one."""
    if not isinstance(stamps, list) or len(stamps) != 1:
        return None
    return Frequency("min" if isinstance(stamps[0], str) else "step")
