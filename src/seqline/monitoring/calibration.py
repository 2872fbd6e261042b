"""From which value on a signal counts as moved: found by bootstrap on the reference itself, never set by hand.

Legend: N reference rows, G groups of rows with one text, B rounds, M cells.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from seqline.monitoring.signals import FEATURE_CELLS, SIGNALS, Floats, Layout

ROUNDS = 2000
ALPHA = 0.05
# Batch sizes that thresholds are computed for; between them they are interpolated, on logarithmic scales.
BATCH_ROWS = (30, 50, 100, 200, 500, 1000, 2000, 5000)
_DIGITS = 6


@dataclass(frozen=True)
class Thresholds:
    """Bounds that an undrifted batch exceeds anywhere with a chance of `ALPHA`.

    Attributes:
        rows: Batch sizes.
        bounds: Bound of each signal at each batch size.
    """

    rows: tuple[int, ...]
    bounds: dict[str, tuple[float, ...]]

    def bound(self, signal: str, rows: int) -> float:
        """Bound of a signal for a batch of so many rows."""
        # A bound of exactly 0 (a signal that cannot vary) has no logarithm.
        logs = np.log(np.maximum(self.bounds[signal], np.finfo(np.float64).tiny))
        return float(np.exp(np.interp(np.log(max(rows, 1)), np.log(self.rows), logs)))

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {"rows": list(self.rows), **{name: list(values) for name, values in self.bounds.items()}}

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> Thresholds:
        """Read what `to_dict` gave."""
        return cls(tuple(value["rows"]), {name: tuple(value[name]) for name in SIGNALS if name in value})


def calibrate(
    cells: Floats, groups: npt.NDArray[np.int64], *, layout: Layout, seed: int, rounds: int = ROUNDS
) -> Thresholds:
    """Find the bounds by a two-sample bootstrap.

    Each round draws a reference of its own and a batch from the reference rows, so the distances hold the chance of both.
    Rows are drawn whole, since the tokens of a row depend on each other. The reference is drawn by distinct text, because
    the split deals all rows of one text together; a batch is drawn by row. All signals are taken from the same rounds, and
    the bounds lie where their family, not each of them, alarms with a chance of `ALPHA`.

    Source: Efron, Bootstrap methods (1979); Westfall and Young, Resampling-based multiple testing (1993): minimal p.

    Args:
        cells: float64 (N, M), counts of the reference rows.
        groups: int64 (N,), the same number for rows with the same text.
        layout: Which cells are which.
        seed: Of the draws.
        rounds: B.
    """
    rng = np.random.default_rng(seed)
    parts = layout.parts()
    rare = _rare_row(cells, layout)
    population = np.concatenate([cells, rare])
    by_group = np.zeros((int(groups.max()) + 1, cells.shape[1]))
    np.add.at(by_group, groups, cells)
    by_group = np.concatenate([by_group, rare])
    references = _draw(rng, by_group, len(by_group), rounds)
    found: dict[str, list[float]] = {name: [] for name in parts}
    for size in BATCH_ROWS:
        batches = _draw(rng, population, size, rounds)
        null = [SIGNALS[name].distance(references[:, part], batches[:, part]) for name, part in parts.items()]
        for name, bound in zip(parts, joint_bounds(np.stack(null), ALPHA), strict=True):
            found[name].append(float(f"{bound:.{_DIGITS}g}"))
    return Thresholds(BATCH_ROWS, {name: tuple(values) for name, values in found.items()})


def joint_bounds(null: Floats, alpha: float) -> Floats:
    """One bound a statistic, each equally rarely exceeded, that in all rounds together alarm with a share of at most `alpha`.

    Args:
        null: float64 (statistics, rounds).
        alpha: Share of rounds in which any statistic may exceed its bound.

    Returns:
        float64 (statistics,); a value strictly above it is an alarm.
    """
    descending = -np.sort(-null, axis=1)
    # How many rounds reach at least this value: the p-value, times the number of rounds.
    reached = np.stack(
        [
            np.searchsorted(-ordered, -values, side="right")
            for ordered, values in zip(descending, null, strict=True)
        ]
    )
    smallest = np.sort(reached.min(axis=0))
    # With `level`, a round alarms where some statistic is reached by at most `level` rounds.
    allowed = int(alpha * null.shape[1])
    level = int(smallest[allowed]) - 1
    return descending[:, max(0, min(level, null.shape[1] - 1))]


def _draw(rng: np.random.Generator, lines: Floats, size: int, rounds: int) -> Floats:
    """Sums of `size` lines drawn with replacement, float64 (B, M); whole numbers, so the order of adding is no matter."""
    weights = rng.multinomial(size, np.full(len(lines), 1 / len(lines)), size=rounds)
    return weights.astype(np.float64) @ lines


def _rare_row(cells: Floats, layout: Layout) -> Floats:
    """One made-up row, float64 (1, M), that holds what the reference did not show.

    A reference without a single unknown word does not prove that there are none: without this row the bound would be 0
    and the first unknown word an alarm. The row is one of typical length with one unknown token, in every other signal in
    the cell that the reference has least of.
    """
    parts = layout.parts()
    counted = parts["features"] if layout.features else parts["unknown"]
    lengths = cells[:, counted].sum(axis=1)
    row = cells[np.argsort(lengths, kind="stable")[len(lengths) // 2]].copy()
    if layout.features:
        rarest = cells[:, counted].sum(axis=0).reshape(-1, FEATURE_CELLS).argmin(axis=1)
        histograms = row[counted].reshape(-1, FEATURE_CELLS)
        steps = histograms.sum(axis=1)
        histograms[:] = 0
        histograms[np.arange(len(rarest)), rarest] = steps
    else:
        unknown = row[counted]
        unknown += (1, -1) if unknown[0] == 0 and unknown[1] > 1 else (0, 0)
    for name in ("length", "score", "predicted", "labels"):
        if name in parts:
            counts = cells[:, parts[name]].sum(axis=0)
            row[parts[name]] = 0
            row[parts[name].start + int(counts.argmin())] = 1
    return row[None, :]
