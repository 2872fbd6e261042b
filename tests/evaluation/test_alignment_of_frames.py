from __future__ import annotations

import numpy as np
import pytest

from seqline.evaluation.alignment import DECIBELS, aligned_distances, speech_statistics


def by_definition(left: np.ndarray, right: np.ndarray) -> float:
    """The same by recursion over all paths, with nothing vectorised."""
    costs: dict[tuple[int, int], float] = {}

    def least(i: int, j: int) -> float:
        if i < 0 or j < 0:
            return float("inf")
        if (i, j) not in costs:
            here = float(np.abs(left[i] - right[j]).mean())
            before = 0.0 if i == j == 0 else least(i - 1, j - 1)
            costs[i, j] = min(before + 2 * here, least(i - 1, j) + here, least(i, j - 1) + here)
        return costs[i, j]

    return least(len(left) - 1, len(right) - 1) / (len(left) + len(right))


def test_distances_equal_their_definition_on_ragged_pairs() -> None:
    rng = np.random.default_rng(0)
    sizes = [(1, 1), (1, 6), (5, 2), (7, 7), (3, 4)] * 20
    left = [rng.normal(size=(a, 3)) for a, _ in sizes]
    right = [rng.normal(size=(b, 3)) for _, b in sizes]
    expected = [by_definition(a, b) for a, b in zip(left, right, strict=True)]
    np.testing.assert_allclose(aligned_distances(left, right), expected, rtol=1e-12)


def test_the_same_word_said_more_slowly_is_no_distance() -> None:
    word = np.random.default_rng(1).normal(size=(6, 4))
    slow = np.repeat(word, [1, 3, 2, 1, 1, 4], axis=0)
    assert aligned_distances([word], [slow]) == pytest.approx([0.0])
    assert aligned_distances([word], [word[::-1]])[0] > 0.1


def test_distance_is_symmetric_and_no_pairs_give_none() -> None:
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=(4, 2)), rng.normal(size=(9, 2))
    np.testing.assert_allclose(aligned_distances([a], [b]), aligned_distances([b], [a]))
    assert aligned_distances([], []).shape == (0,)


def test_statistics_are_decibels_and_seconds() -> None:
    quiet = np.zeros((10, 3))
    loud = np.full((15, 3), np.log(100.0))
    found = speech_statistics([quiet], [loud], hop_ms=10.0)
    np.testing.assert_allclose(found, [[20.0, 0.05]])
    assert pytest.approx(4.342944819) == DECIBELS
