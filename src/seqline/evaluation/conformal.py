"""Split-conformal calibration: quantile intervals moved so that they cover as often as they say.

A network's 80 % interval covers 80 % of what it was trained on. The windows of valid, which it was not trained on, say how
far beyond (or within) the interval the truth lies; the interval is moved by the quantile of these distances that
guarantees the coverage, whatever the network and the noise, as long as valid and test are alike.

Distances are counted in the window's own scale, so that all series count alike.

Legend: N windows, H horizon steps, C channels, Q quantiles, I intervals (pairs of quantiles, outermost first).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Calibration:
    """How far each interval is moved outwards, in scales of the window.

    Attributes:
        quantiles: Q levels, rising.
        pairs: Indices of the two ends of each interval, outermost first.
        offsets: float64 (I, H): one a step, all equal when they were fitted together. Negative: the interval shrinks.
    """

    quantiles: tuple[float, ...]
    pairs: tuple[tuple[int, int], ...]
    offsets: Floats

    def apply(self, forecasts: Floats) -> Floats:
        """Move the ends of the intervals.

        Args:
            forecasts: float (N, H, C, Q), in scales of the window, never crossing.

        Returns:
            float64 (N, H, C, Q). The point forecast stays, and no end crosses it or an interval further in.
        """
        moved = np.asarray(forecasts, dtype=np.float64).copy()
        inner = len(self.quantiles) // 2
        below = above = inner if len(self.quantiles) % 2 else None
        for (low, high), offset in reversed(list(zip(self.pairs, self.offsets, strict=True))):
            shift = offset[None, :, None]
            lower, upper = moved[..., low] - shift, moved[..., high] + shift
            if below is None or above is None:
                centre = (lower + upper) / 2
                moved[..., low], moved[..., high] = np.minimum(lower, centre), np.maximum(upper, centre)
            else:
                moved[..., low] = np.minimum(lower, moved[..., below])
                moved[..., high] = np.maximum(upper, moved[..., above])
            below, above = low, high
        return moved

    def described(self) -> dict[str, Any]:
        """The calibration as JSON values."""
        return {
            "quantiles": list(self.quantiles),
            "offsets": [[float(value) for value in row] for row in self.offsets],
        }

    @classmethod
    def from_description(cls, described: dict[str, Any]) -> Calibration:
        """Read what `described` gave."""
        quantiles = tuple(float(level) for level in described["quantiles"])
        return cls(quantiles, intervals(quantiles), np.asarray(described["offsets"], dtype=np.float64))


def intervals(quantiles: Sequence[float]) -> tuple[tuple[int, int], ...]:
    """The pairs of levels q and 1 - q, outermost first.

    Raises:
        ValueError: A level has no partner.

    >>> intervals([0.1, 0.5, 0.9])
    ((0, 2),)
    """
    count = len(quantiles)
    pairs = tuple((i, count - 1 - i) for i in range(count // 2))
    if any(not math.isclose(quantiles[low] + quantiles[high], 1.0, abs_tol=1e-9) for low, high in pairs):
        raise ValueError(f"quantiles {list(quantiles)} are not symmetric around 0.5")
    if count % 2 and not math.isclose(quantiles[count // 2], 0.5, abs_tol=1e-9):
        raise ValueError(f"quantiles {list(quantiles)} are not symmetric around 0.5")
    return pairs


def calibrate(
    forecasts: Floats, targets: Floats, *, quantiles: Sequence[float], per_step: bool
) -> Calibration:
    """Fit the offsets on windows that the network was not trained on.

    For an interval of coverage 1 - a the offset is the ceil((n + 1) (1 - a))-th smallest of the n distances max(low - y,
    y - high), the largest where there are fewer.

    Args:
        forecasts: float (N, H, C, Q), in scales of the window.
        targets: float (N, H, C), in the same unit, NaN = missing.
        quantiles: Q levels, symmetric around 0.5.
        per_step: One offset a step of the horizon, or one for all steps. The former needs many windows.

    Raises:
        ValueError: Levels that are not symmetric.

    Source: Romano, Patterson and Candes, "Conformalized quantile regression", 2019.
    """
    pairs = intervals(quantiles)
    horizon = targets.shape[1]
    offsets = np.zeros((len(pairs), horizon))
    for row, (low, high) in enumerate(pairs):
        distance = np.maximum(forecasts[..., low] - targets, targets - forecasts[..., high])
        share = quantiles[high] - quantiles[low]
        if per_step:
            offsets[row] = [_rank(distance[:, step], share) for step in range(horizon)]
        else:
            offsets[row] = _rank(distance, share)
    return Calibration(tuple(quantiles), pairs, offsets)


def _rank(distances: Floats, share: float) -> float:
    """The distance that the share does not exceed, with the correction for a finite sample; 0 where there is none."""
    known = np.sort(distances[np.isfinite(distances)])
    if not len(known):
        return 0.0
    # (n + 1) * 0.8 may come out a hair above a whole number.
    rank = math.ceil((len(known) + 1) * share - 1e-9)
    return float(known[min(rank, len(known)) - 1])
