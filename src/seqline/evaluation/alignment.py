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
# Pairs worked on at a time: a diagonal of 64 pairs of 1,000 frames of 40 bands is 20 MB.
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
    """By diagonals of the table of frames: its cells wait for those of the two before only, so no table is held."""
    left, right = (_padded([pair[side] for pair in pairs]) for side in (0, 1))
    width, height = left.shape[1], right.shape[1]
    found = np.zeros(len(pairs))
    # Totals at (i, diagonal - i) stand at place i + 1; the border is never a way in.
    before = last = np.full((len(pairs), width + 1), np.inf)
    for diagonal in range(width + height - 1):
        first, end = max(0, diagonal - height + 1), min(diagonal, width - 1) + 1
        frames = right[:, diagonal - end + 1 : diagonal - first + 1][:, ::-1]
        here = np.abs(left[:, first:end] - frames).mean(axis=2, dtype=np.float64)
        # The first cell is entered as by a step in both.
        both = np.zeros_like(here) if diagonal == 0 else before[:, first:end]
        straight = np.minimum(last[:, first:end], last[:, first + 1 : end + 1]) + here
        totals = np.full_like(last, np.inf)
        totals[:, first + 1 : end + 1] = np.minimum(straight, both + 2.0 * here)
        for place, (a, b) in enumerate(pairs):
            if len(a) + len(b) - 2 == diagonal:
                found[place] = totals[place, len(a)] / (len(a) + len(b))
        before, last = last, totals
    return found


def _padded(sequences: list[Floats]) -> NDArray[np.floating]:
    """Float (N, T, M), zeros after the end of each: no path to an earlier end passes there."""
    whole = np.zeros((len(sequences), max(map(len, sequences)), sequences[0].shape[1]), sequences[0].dtype)
    for row, frames in zip(whole, sequences, strict=True):
        row[: len(frames)] = frames
    return whole


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
