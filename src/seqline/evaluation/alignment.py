"""How far two sequences of frames are apart when one may be said faster than the other.

Legend: N pairs, T and U frames, M bands.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
# Of a natural logarithm of energy.
DECIBELS = 10.0 / np.log(10.0)
# Pairs whose distances are held at a time: 64 pairs of 100 frames are 5 MB.
_CHUNK = 64


def aligned_distances(left: Sequence[Floats], right: Sequence[Floats]) -> NDArray[np.float64]:
    """Least mean distance of the frames of each pair along a path that never goes back in time.

    A path goes from both first frames to both last ones, a step ahead in one sequence or in both; a frame's distance is the
    mean absolute difference of its bands, and a step in both counts as two, so that paths of all shapes weigh the same.

    Args:
        left: N arrays float (T, M), T at least 1.
        right: N arrays float (U, M).

    Returns:
        float64 (N,), in the unit of the bands; 0 for equal sequences, however they are stretched.

    Source: Sakoe and Chiba, "Dynamic programming algorithm optimization for spoken word recognition", 1978 (the symmetric
        form and its normalisation by T + U).

    Example:
        >>> slow, fast = np.array([[0.0], [0.0], [4.0]]), np.array([[0.0], [5.0]])
        >>> aligned_distances([slow], [fast]).tolist()
        [0.4]
    """
    pairs = list(zip(left, right, strict=True))
    found = [_distances(pairs[start : start + _CHUNK]) for start in range(0, len(pairs), _CHUNK)]
    return np.concatenate(found) if found else np.zeros(0)


def _distances(pairs: list[tuple[Floats, Floats]]) -> NDArray[np.float64]:
    width, height = max(len(a) for a, _ in pairs), max(len(b) for _, b in pairs)
    cost = np.zeros((width, height, len(pairs)))
    for place, (a, b) in enumerate(pairs):
        cost[: len(a), : len(b), place] = np.abs(a[:, None, :] - b[None, :, :]).mean(axis=2, dtype=np.float64)
    # A border of infinities before both first frames; the first cell is entered as by a step in both.
    total = np.full((width + 1, height + 1, len(pairs)), np.inf)
    total[0, 0] = 0.0
    for i in range(width):
        for j in range(height):
            here = cost[i, j]
            straight = np.minimum(total[i, j + 1], total[i + 1, j]) + here
            total[i + 1, j + 1] = np.minimum(straight, total[i, j] + 2.0 * here)
    ends = [(len(a), len(b)) for a, b in pairs]
    return np.array([total[i, j, place] / (i + j) for place, (i, j) in enumerate(ends)])


def speech_statistics(
    spoken: Sequence[Floats], true: Sequence[Floats], *, hop_ms: float
) -> NDArray[np.float64]:
    """What each row adds to the figures of synthesis.

    Args:
        spoken: N arrays float (T, M) of log energies, natural logarithm.
        true: N arrays float (U, M), the recordings that were to be met.
        hop_ms: Milliseconds from one frame to the next.

    Returns:
        float64 (N, 2): aligned distance in dB, and difference of the lengths in seconds.
    """
    lengths = np.array([[len(a), len(b)] for a, b in zip(spoken, true, strict=True)], dtype=np.float64)
    off = np.abs(lengths[:, 0] - lengths[:, 1]) * hop_ms / 1000
    return np.stack([aligned_distances(spoken, true) * DECIBELS, off], axis=1)
