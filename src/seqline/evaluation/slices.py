"""The same metrics on parts of the test rows: a good average can hide a part on which a model fails.

Legend: N rows, K values of a row.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqline.data.kinds.base import Kind
from seqline.evaluation.intervals import Interval, bootstrap_intervals, wilson
from seqline.evaluation.measures import Floats, Ints, Measures

LENGTH = "length"
OTHER = "(other)"
MISSING = "(missing)"
_QUARTERS = (0.25, 0.5, 0.75)
_MAX_NUMBERS_AS_VALUES = 12
_MAX_VALUES = 20
_MIN_ROWS = 20


@dataclass(frozen=True)
class Slice:
    """A part of the rows.

    Attributes:
        column: What it is cut by: `length` (words of a text, else steps) or a column's name.
        name: Its value or its range.
        rows: bool (N,), True = in the slice.
    """

    column: str
    name: str
    rows: NDArray[np.bool_]


@dataclass(frozen=True)
class SliceResult:
    """What was measured on one slice.

    Attributes:
        column: What it is cut by.
        name: Its value or its range.
        n: Rows in it.
        metrics: Values by metric name; NaN where not defined on these rows.
        interval: The main metric with its interval at 95 %: Wilson's of a share of right rows, else bootstrap.
    """

    column: str
    name: str
    n: int
    metrics: dict[str, float]
    interval: Interval


def cut_by_numbers(column: str, values: Sequence[float], unit: str = "") -> list[Slice]:
    """Cut rows into quarters by a number; the edges are in the names.

    Quarters that fall together (many equal values) become one. Rows without a finite number form `(missing)`.
    """
    numbers = np.array([value if isinstance(value, Real) else math.nan for value in values], dtype=np.float64)
    known = np.isfinite(numbers)
    slices = []
    if known.any():
        edges = np.unique(np.quantile(numbers[known], _QUARTERS, method="lower"))
        place = np.searchsorted(edges, numbers, side="left")
        for index in range(len(edges) + 1):
            rows = known & (place == index)
            if rows.any():
                low, high = numbers[rows].min(), numbers[rows].max()
                span = f"{low:g}" if low == high else f"{low:g} to {high:g}"
                slices.append(Slice(column, f"{span} {unit}".rstrip(), rows))
    return slices + ([Slice(column, MISSING, ~known)] if not known.all() else [])


def cut_by_values(column: str, values: Sequence[Any], min_rows: int = _MIN_ROWS) -> list[Slice]:
    """Cut rows by the values of a column, most frequent first, then in the order of the alphabet.

    Values with fewer than `min_rows` rows, and all beyond the 20 most frequent, are pooled into
    `(other)`; None and NaN form `(missing)`.
    """
    missing = np.array([_is_missing(value) for value in values], dtype=bool)
    spelled = np.array([str(value) for value in values], dtype=object)
    counts = Counter(spelled[~missing])
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    shown = [value for value, count in ranked[:_MAX_VALUES] if count >= min_rows]
    slices = [Slice(column, value, ~missing & (spelled == value)) for value in shown]
    pooled = ~missing & ~np.isin(spelled, shown)
    rest = [Slice(column, OTHER, pooled), Slice(column, MISSING, missing)]
    return slices + [part for part in rest if part.rows.any()]


def make_slices(
    names: Sequence[str],
    *,
    inputs: Sequence[Any],
    kind: Kind,
    column: str,
    columns: Mapping[str, Sequence[Any]],
    min_rows: int = _MIN_ROWS,
) -> list[Slice]:
    """Make the slices a recipe names.

    Args:
        names: `length` for quarters of the number of words or steps, or names of columns. Numbers with more than 12
            different values are cut into quarters, everything else by value.
        inputs: N inputs.
        kind: What they are: it knows their length.
        column: Where an input of several columns holds its sequence.
        columns: Column name -> N values.
        min_rows: Rarer values are pooled.

    Returns:
        Slices; those of one column hold every row exactly once.

    Raises:
        KeyError: A name is neither `length` nor a column.
    """
    slices: list[Slice] = []
    for name in names:
        if name == LENGTH and name not in columns:
            sequences = [value[column] if isinstance(value, Mapping) else value for value in inputs]
            lengths = [kind.length(value) for value in sequences]
            slices += cut_by_numbers(
                LENGTH, [math.nan if length is None else length for length in lengths], kind.unit
            )
        else:
            values = columns[name]
            cut_numbers = _are_many_numbers(values)
            slices += cut_by_numbers(name, values) if cut_numbers else cut_by_values(name, values, min_rows)
    return slices


def measure_slices(
    slices: Sequence[Slice],
    values: Floats,
    targets: Ints,
    measures: Measures,
    *,
    rounds: int = 1_000,
    seed: int = 0,
) -> list[SliceResult]:
    """Measure each slice by the metrics that the task compares.

    Args:
        slices: Parts of the rows.
        values: float (N, K).
        targets: int64 (N,) class indices; of no meaning beside row statistics.
        measures: What the task is measured by.
        rounds: Of the bootstrap, where the main metric is not a share of right rows.
        seed: Of the bootstrap.
    """
    values, targets = np.asarray(values), np.asarray(targets)
    main = measures.metrics[measures.main]
    right = main.right(values, targets) if main.right is not None and len(targets) else None
    results = []
    for part in slices:
        own, asked = values[part.rows], targets[part.rows]
        found = {name: measures.metrics[name].function(own, asked) for name in measures.compared}
        if main.right is None:
            drawn = bootstrap_intervals({"main": main}, own, asked, rounds=rounds, seed=seed)
            interval = drawn["main"]
        else:
            hits, total = int(right[part.rows].sum()) if right is not None else 0, len(own)
            interval = Interval(hits / total if total else math.nan, *wilson(hits, total))
        results.append(SliceResult(part.column, part.name, int(part.rows.sum()), found, interval))
    return results


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _are_many_numbers(values: Sequence[Any]) -> bool:
    known = [value for value in values if not _is_missing(value)]
    numbers = all(isinstance(value, Real) and not isinstance(value, bool) for value in known)
    return numbers and len(set(known)) > _MAX_NUMBERS_AS_VALUES
