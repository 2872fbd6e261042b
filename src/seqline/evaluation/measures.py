"""What a task is measured by: metrics over class probabilities or over row statistics.

Legend: N rows, K values of a row, k columns of a metric, R rounds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from seqline.evaluation.sums import ROWS, Floats, OfSums, columns_of

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

Function = Callable[[Floats, Ints], float]
Right = Callable[[Floats, Ints], Bools]
Direction = Literal["higher", "lower"]

# How many of a task's metrics are compared with each baseline's, with an interval of the difference. Not the gate's: a
# change of the recipe's gate must not ask for a new evaluation.
_COMPARED = 2
_HALF = 0.5


@dataclass(frozen=True)
class Metric:
    """A metric and what one must know to read it.

    Attributes:
        function: `(values (N, K), targets (N,)) -> float`. Of a metric of sums, K are its own `columns` until it is laid
            `over` a task's.
        direction: Whether "higher" or "lower" values are better. Logged values are never flipped.
        unit: What the number counts.
        bounds: Smallest and largest possible value.
        tasks: Kinds of task it is defined for.
        columns: Names of the row statistics whose sums it is made of; none where values are probabilities.
        of_sums: Of a metric of sums: float64 (R, k) sums of `columns`, in their order, to float64 (R,).
        right: `(values, targets) -> bool (N,)`, the rows answered right; None where rows are not just right or wrong.
        layout: Of a metric of sums: the columns that values hold.
    """

    function: Function
    direction: Direction
    unit: str
    bounds: tuple[float, float]
    tasks: tuple[str, ...]
    columns: tuple[str, ...] = ()
    of_sums: OfSums | None = None
    right: Right | None = None
    layout: tuple[str, ...] = ()

    def better(self, difference: float) -> float:
        """Sign a difference of two values of this metric so that positive means the first is better."""
        return difference if self.direction == "higher" else -difference

    @property
    def is_share(self) -> bool:
        """Whether it runs from 0 to 1, so that a difference of 0.01 means a point."""
        return self.bounds == (0.0, 1.0)

    def allowance(self, share: float, value: float) -> float:
        """How much `share` is in this metric's unit: as it is for shares, for any other that share of a value of it."""
        return share if self.is_share else share * abs(value)

    def over(self, layout: Sequence[str]) -> Metric:
        """The metric on values whose columns are these; one that reads probabilities stays as it is.

        Raises:
            ValueError: A column it needs is not there.
        """
        if self.of_sums is None:
            return self
        names = tuple(layout)
        columns_of(np.empty((0, len(names))), self.columns, names)
        function, right = _on_rows(self.of_sums, self.columns, names)
        return replace(self, function=function, right=right if self.right else None, layout=names)

    def picked(self, values: Floats) -> NDArray[np.float64]:
        """The columns of a metric of sums, float64 (N, k)."""
        return columns_of(values, self.columns, self.layout)


@dataclass(frozen=True)
class Measures:
    """The metrics of a task and the values they read.

    Attributes:
        metrics: Name -> metric, laid over `columns`; the first is the main one.
        columns: Names of the row statistics; none where values are class probabilities.
    """

    metrics: Mapping[str, Metric]
    columns: tuple[str, ...] = ()

    @property
    def main(self) -> str:
        """The metric that answers are ranked and told by."""
        return next(iter(self.metrics))

    @property
    def compared(self) -> tuple[str, ...]:
        """The metrics whose difference from a baseline gets an interval."""
        return tuple(self.metrics)[:_COMPARED]

    @property
    def of_classes(self) -> bool:
        """Whether values are class probabilities."""
        return not self.columns

    def right(self, values: Floats, targets: Ints) -> Bools | None:
        """Which rows are answered right, bool (N,); None where no metric calls a row right or wrong."""
        knows = next((metric.right for metric in self.metrics.values() if metric.right), None)
        return None if knows is None else knows(values, targets)


def summed(
    of_sums: OfSums,
    columns: tuple[str, ...],
    direction: Direction,
    unit: str,
    bounds: tuple[float, float],
    tasks: tuple[str, ...],
    *,
    right: bool = False,
) -> Metric:
    """Make a metric of sums of row statistics.

    Args:
        of_sums: float64 (R, k) sums to float64 (R,) values.
        columns: Names of the k row statistics; `rows` counts the rows.
        direction: As in `Metric`.
        unit: As in `Metric`.
        bounds: As in `Metric`.
        tasks: As in `Metric`.
        right: Whether the first column is 1 for rows answered right and 0 for the others.

    Example:
        >>> from seqline.evaluation.sums import ratio
        >>> errors = summed(ratio, ("errors", "tokens"), "lower", "share of tokens", (0.0, 1.0), ("made-up",))
        >>> errors.function(np.array([[1.0, 4.0], [2.0, 8.0]]), np.zeros(2, dtype=np.int64))
        0.25
    """
    layout = tuple(name for name in columns if name != ROWS)
    function, rows_right = _on_rows(of_sums, columns, layout)
    return Metric(
        function, direction, unit, bounds, tasks, columns, of_sums, rows_right if right else None, layout
    )


def _on_rows(of_sums: OfSums, columns: tuple[str, ...], layout: tuple[str, ...]) -> tuple[Function, Right]:
    def function(values: Floats, _: Ints) -> float:
        if not len(values):
            return float("nan")
        return float(of_sums(columns_of(values, columns, layout).sum(axis=0)[None])[0])

    def right(values: Floats, _: Ints) -> Bools:
        rows: Bools = columns_of(values, columns, layout)[:, 0] > _HALF
        return rows

    return function, right
