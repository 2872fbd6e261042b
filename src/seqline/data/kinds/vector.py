"""Vectors: one step of D numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from seqline.data.kinds.base import Demand, Finding, OneColumn, critical_sentences, shortened, shown
from seqline.data.kinds.numbers import (
    Floats,
    NotNumbersError,
    digest_of_numbers,
    numbers_excerpt,
    vector_of,
)

_EXCERPT_NUMBERS = 10


@dataclass(frozen=True, kw_only=True)
class VectorKind(OneColumn):
    """A vector of numbers.

    Attributes:
        features: D; None: the first usable vector decides.
        max_missing_share: Share of its numbers that may be missing (null).
    """

    features: int | None = None
    max_missing_share: float = 0.0

    singular: ClassVar[str] = "vector"
    plural: ClassVar[str] = "vectors"
    unit: ClassVar[str] = "steps"
    demands: ClassVar[tuple[Demand, ...]] = (
        Demand(
            fact="not a vector",
            rule="inputs are lists of numbers",
            severity="critical",
            note="The value says what was found, with its place.",
        ),
        Demand(
            fact="missing numbers",
            rule="hardly any number of a vector is missing",
            severity="critical",
            note="The recipe's validation.max_missing_share bounds the share of nulls in one vector.",
        ),
        Demand(
            fact="other features",
            rule="all vectors have the same number of features",
            severity="critical",
            note="The first vector of train decides.",
        ),
    )

    def findings(self, value: Any) -> list[Finding]:
        """Every demand that the value breaks."""
        if value is None:
            return []
        try:
            array = vector_of(value)
        except NotNumbersError as error:
            return [Finding("not a vector", str(error), f"not a vector: {error}")]
        found = []
        missing = int(np.isnan(array).sum())
        if missing > self.max_missing_share * array.size or missing == array.size:
            first = int(np.flatnonzero(np.isnan(array))[0]) + 1
            told = f"{missing} of {array.size} numbers, the first is feature {first}"
            found.append(Finding("missing numbers", told, f"missing numbers: {told}"))
        if self.features is not None and array.size != self.features:
            told = f"{array.size} features, not {self.features}"
            found.append(Finding("other features", told, told))
        return found

    def faults(self, value: Any) -> list[str]:
        """Why the value cannot be used."""
        return ["no value"] if value is None else critical_sentences(self.demands, self.findings(value))

    def length(self, value: Any) -> int | None:
        """1: a vector is one step."""
        return None if _usable(value) is None else 1

    def key(self, value: Any) -> str | None:
        """Digest of its numbers."""
        array = _usable(value)
        return None if array is None else digest_of_numbers(array)

    def facts(self, value: Any) -> Mapping[str, float]:
        """Its features and how many of them are missing."""
        array = _usable(value)
        return {} if array is None else {"features": array.size, "missing": int(np.isnan(array).sum())}

    def excerpt(self, value: Any) -> str:
        """Its first numbers."""
        array = _usable(value)
        if array is None:
            return "" if value is None else shown(shortened(str(value)))
        return f"{array.size}: {numbers_excerpt(array, _EXCERPT_NUMBERS)}"

    def settled(self, value: Any) -> VectorKind:
        """With the number of features of a usable value, where it was open."""
        array = _usable(value) if self.features is None else None
        return self if array is None else replace(self, features=array.size)


def _usable(value: Any) -> Floats | None:
    try:
        return None if value is None else vector_of(value)
    except NotNumbersError:
        return None
