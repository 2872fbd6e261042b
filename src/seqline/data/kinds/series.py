"""Series: T numbers, or T steps of D numbers each.

Legend: T steps, D features.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from seqline.data.kinds.base import Demand, Finding, OneColumn, critical_sentences, shortened, shown
from seqline.data.kinds.numbers import (
    Floats,
    NotNumbersError,
    digest_of_numbers,
    numbers_excerpt,
    steps_of,
)

_EXCERPT_NUMBERS = 10
# A shorter one can be constant by chance.
_SHORTEST_FLAT_STEPS = 4


@dataclass(frozen=True, kw_only=True)
class SeriesKind(OneColumn):
    """A series of numbers.

    Attributes:
        features: D; None: the first usable series decides.
        max_missing_share: Share of its numbers that may be missing (null).
    """

    features: int | None = None
    max_missing_share: float = 0.0

    singular: ClassVar[str] = "series"
    plural: ClassVar[str] = "series"
    unit: ClassVar[str] = "steps"
    demands: ClassVar[tuple[Demand, ...]] = (
        Demand(
            fact="not a series",
            rule="inputs are lists of numbers, or lists of equally long lists of numbers",
            severity="critical",
            note="The value says what was found, with its step.",
        ),
        Demand(
            fact="missing numbers",
            rule="hardly any number of a series is missing",
            severity="critical",
            note="The recipe's validation.max_missing_share bounds the share of nulls in one series.",
        ),
        Demand(
            fact="other features",
            rule="all series have the same number of features",
            severity="critical",
            note="The first series of train decides.",
        ),
        Demand(
            fact="flat",
            rule="series are no flat lines",
            severity="critical",
            share="max_flat_share",
            warns_below=True,
            note="No feature changes: a sensor that was off, or an export that repeats one value.",
        ),
    )

    def findings(self, value: Any) -> list[Finding]:
        """Every demand that the value breaks."""
        if value is None:
            return []
        try:
            array = steps_of(value)
        except NotNumbersError as error:
            return [Finding("not a series", str(error), f"not a series: {error}")]
        found = []
        missing = int(np.isnan(array).sum())
        if missing > self.max_missing_share * array.size or missing == array.size:
            first = int(np.flatnonzero(np.isnan(array).any(axis=1))[0]) + 1
            told = f"{missing} of {array.size} numbers, the first at step {first}"
            found.append(Finding("missing numbers", told, f"missing numbers: {told}"))
        if self.features is not None and array.shape[1] != self.features:
            told = f"{array.shape[1]} features, not {self.features}"
            found.append(Finding("other features", told, told))
        if flat := _flat_line(array):
            found.append(Finding("flat", flat, f"a flat line, {flat}"))
        return found

    def faults(self, value: Any) -> list[str]:
        """Why the value cannot be used; a flat line can."""
        strict = tuple(demand for demand in self.demands if demand.share is None)
        return ["no value"] if value is None else critical_sentences(strict, self.findings(value))

    def length(self, value: Any) -> int | None:
        """Steps."""
        array = _usable(value)
        return None if array is None else len(array)

    def key(self, value: Any) -> str | None:
        """Digest of its numbers."""
        array = _usable(value)
        return None if array is None else digest_of_numbers(array)

    def facts(self, value: Any) -> Mapping[str, float]:
        """Its steps, features, missing numbers, and features that never change."""
        array = _usable(value)
        if array is None:
            return {}
        flat = int(_constant(array).sum()) if len(array) >= _SHORTEST_FLAT_STEPS else 0
        missing = int(np.isnan(array).sum())
        return {"steps": len(array), "features": array.shape[1], "missing": missing, "flat": flat}

    def excerpt(self, value: Any) -> str:
        """Its first numbers."""
        array = _usable(value)
        if array is None:
            return "" if value is None else shown(shortened(str(value)))
        return f"{array.shape[0]} × {array.shape[1]}: {numbers_excerpt(array, _EXCERPT_NUMBERS)}"

    def settled(self, value: Any) -> SeriesKind:
        """With the number of features of a usable value, where it was open."""
        array = _usable(value) if self.features is None else None
        return self if array is None else replace(self, features=array.shape[1])


def _usable(value: Any) -> Floats | None:
    try:
        return None if value is None else steps_of(value)
    except NotNumbersError:
        return None


def _constant(array: Floats) -> npt.NDArray[np.bool_]:
    """Which features hold one known number only, or none, (D,)."""
    missing = np.isnan(array)
    lowest = np.where(missing, np.inf, array).min(axis=0)
    highest = np.where(missing, -np.inf, array).max(axis=0)
    constant: npt.NDArray[np.bool_] = lowest >= highest
    return constant


def _flat_line(array: Floats) -> str | None:
    if len(array) < _SHORTEST_FLAT_STEPS or not _constant(array).all():
        return None
    known = array[0, 0]
    value = f" of {known:g}" if array.shape[1] == 1 and np.isfinite(known) else ""
    return f"{len(array)} steps{value}"
