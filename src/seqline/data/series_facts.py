"""What train says of series: how large they are and how much they move, and the labels of what never changes.

Legend: T steps, C channels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seqline.data.windows import Floats, Series, mean_and_deviation, seasonal_error


@dataclass(frozen=True)
class SeriesFacts:
    """What train says of one series, (C,) numbers each.

    Attributes:
        mean: Of its values.
        deviation: Of its values, positive: the unit of standardised errors.
        seasonal_error: Mean absolute seasonal difference, positive: the unit of MASE.
    """

    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    seasonal_error: tuple[float, ...]

    @classmethod
    def of(cls, values: Floats, *, season_length: int) -> SeriesFacts:
        """Take the facts of float64 (T, C), NaN = missing."""
        mean, deviation = mean_and_deviation(values)
        error = seasonal_error(values, season_length)
        usable = np.where(np.isfinite(error) & (error > 0), error, deviation)
        return cls(tuple(mean.tolist()), tuple(deviation.tolist()), tuple(usable.tolist()))


def united(parts: Mapping[int, Series]) -> Series:
    """The histories of one series laid over each other: each step once."""
    first = min(parts)
    end = max(start + len(part) for start, part in parts.items())
    ahead = max(start + len(part.future) for start, part in parts.items())
    sample = parts[first]
    values = np.full((end - first, sample.values.shape[1]), np.nan)
    past = np.full((end - first, sample.past.shape[1]), np.nan)
    future = np.full((max(ahead, end) - first, sample.future.shape[1]), np.nan)
    for start, part in parts.items():
        begin = start - first
        values[begin : begin + len(part)] = part.values
        past[begin : begin + len(part)] = part.past
        future[begin : begin + len(part.future)] = part.future
    # Covariates known ahead are known for train's targets too, but what lies after the contexts is left alone.
    return Series(
        id=sample.id,
        values=values,
        past=past,
        future=future[: len(values)],
        grid=sample.grid,
        static=sample.static,
    )


def static_facts(found: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> dict[str, list[Any]]:
    facts: dict[str, list[Any]] = {}
    for column in columns:
        values = [row[column] for row in found]
        if any(isinstance(value, str) for value in values):
            facts[column] = sorted({str(value) for value in values})
        else:
            mean, deviation = mean_and_deviation(np.asarray(values, dtype=np.float64)[:, None])
            facts[column] = [float(mean[0]), float(deviation[0])]
    return facts
