"""Functions of sums: what a metric of a task makes of what the rows add up to.

Legend: N rows, R rounds, k columns of a metric.

A task that is no classification says of each test row what it adds to a few sums (`correct`, `tokens`; `nll`, `tokens`).
A metric is a function of these sums, so any set of rows has one: all of them, a slice, or the rows a round of the
bootstrap drew. Here are the functions: float64 (R, k) sums, one row a round, to float64 (R,) values. Where the
denominator is 0 the value is NaN: nothing was there to measure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
OfSums = Callable[[NDArray[np.float64]], NDArray[np.float64]]

# A column that every row adds 1 to; no task has to give it.
ROWS = "rows"
# What a row adds where its answer is one number.
ERROR_COLUMNS = ("absolute", "squared", "count")


def ratio(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """First sum by second: a mean over tokens, steps or rows.

    Example:
        >>> ratio(np.array([[3.0, 4.0], [0.0, 0.0]]))
        array([0.75,  nan])
    """
    return _divided(sums[:, 0], sums[:, 1])


def joint_ratio(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """First and second sum together by the third: nats and what spelling costs, of characters.

    Example:
        >>> joint_ratio(np.array([[3.0, 1.0, 8.0]]))
        array([0.5])
    """
    return _divided(sums[:, 0] + sums[:, 1], sums[:, 2])


def exp_ratio(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """`exp(first / second)`: perplexity, of nats and tokens.

    Example:
        >>> exp_ratio(np.array([[0.0, 4.0]]))
        array([1.])
    """
    return np.exp(ratio(sums))


def root_ratio(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """`sqrt(first / second)`: root mean square, of squared errors and steps.

    Example:
        >>> root_ratio(np.array([[36.0, 4.0]]))
        array([3.])
    """
    return np.sqrt(ratio(sums))


def f1(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """`2 a / (b + c)`: F1, of true positives, predicted and true ones; NaN where nothing was predicted or there.

    Example:
        >>> f1(np.array([[2.0, 3.0, 5.0]]))
        array([0.5])
    """
    return _divided(2 * sums[:, 0], sums[:, 1] + sums[:, 2])


def gap(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """`|a - c| / b`: how far the share a / b lies from the share c / b it should be (coverage of intervals).

    Example:
        >>> gap(np.array([[70.0, 100.0, 80.0]]))
        array([0.1])
    """
    return _divided(np.abs(sums[:, 0] - sums[:, 2]), sums[:, 1])


def error_rows(answers: Sequence[float], truths: Sequence[float]) -> NDArray[np.float64]:
    """Errors of N numbers, float64 (N, 3) by `ERROR_COLUMNS`.

    Example:
        >>> error_rows([1.0, 5.0], [3.0, 5.0]).tolist()
        [[2.0, 4.0, 1.0], [0.0, 0.0, 1.0]]
    """
    errors = np.asarray(answers, dtype=np.float64) - np.asarray(truths, dtype=np.float64)
    return np.stack([np.abs(errors), errors**2, np.ones(len(errors))], axis=1)


def of_values(function: Callable[[NDArray[np.float64]], float]) -> OfSums:
    """Make a function of sums out of a function of row statistics that looks at nothing but their sums.

    Args:
        function: `float64 (N, k) -> float`; the sums stand in for the rows, as a single one.

    Example:
        >>> of_values(lambda values: values.sum(axis=0)[0] / 2)(np.array([[3.0], [4.0]]))
        array([1.5, 2. ])
    """
    return lambda sums: np.array([function(row[None]) for row in sums], dtype=np.float64)


def columns_of(values: Floats, wanted: tuple[str, ...], layout: tuple[str, ...]) -> NDArray[np.float64]:
    """Pick a metric's columns out of a task's row statistics.

    Args:
        values: float (N, K).
        wanted: k names; `rows` is 1 for each row.
        layout: The K names of `values`.

    Returns:
        float64 (N, k).

    Raises:
        ValueError: `values` has another shape, a number is not finite, or a column is not there.
    """
    matrix = np.asarray(values, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[1] != len(layout):
        raise ValueError(
            f"row statistics have shape {matrix.shape}, expected (N, {len(layout)}): {', '.join(layout)}"
        )
    missing = [name for name in wanted if name not in layout and name != ROWS]
    if missing:
        raise ValueError(f"no column {', '.join(missing)} among the row statistics {', '.join(layout)}")
    if not np.isfinite(matrix).all():
        row = int((~np.isfinite(matrix)).any(axis=1).argmax())
        raise ValueError(f"row statistics hold NaN or infinity, first in row {row}")
    ones = np.ones(len(matrix))
    return np.stack([matrix[:, layout.index(n)] if n in layout else ones for n in wanted], axis=1)


def _divided(above: NDArray[np.float64], below: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(above, below, out=np.full(len(above), np.nan), where=below != 0)
