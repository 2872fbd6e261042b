"""The bounds alarm as often as they say, whatever the rows look like."""

from __future__ import annotations

import numpy as np
import pytest

from seqline.monitoring.calibration import ALPHA, BATCH_ROWS, Thresholds, calibrate, joint_bounds
from seqline.monitoring.signals import (
    SIGNALS,
    Layout,
    divergence,
    first_share_shift,
    largest_gap,
    running_gap,
    total_variation,
)

LAYOUT = Layout(words=tuple("abcde"), classes=("no", "yes"))


def counts(*values: float) -> np.ndarray:
    return np.asarray(values, dtype=np.float64)


def make_rows(rng: np.random.Generator, rows: int, *, unknown: float = 0.05) -> np.ndarray:
    """Rows whose tokens depend on each other: each has a taste for one word."""
    parts = LAYOUT.parts()
    cells = np.zeros((rows, parts["labels"].stop))
    for row in cells:
        length = int(rng.integers(3, 40))
        share = np.full(6, 0.1)
        share[rng.integers(6)] += 0.4
        row[parts["tokens"]] = rng.multinomial(length, share)
        few = rng.binomial(length, unknown)
        row[parts["unknown"]] = few, length - few
        row[parts["length"].start + min(8, length // 5)] = 1
        row[parts["score"].start + int(rng.integers(5, 16))] = 1
        label = int(rng.integers(2))
        row[parts["predicted"].start + (label if rng.random() < 0.9 else 1 - label)] = 1
        row[parts["labels"].start + label] = 1
    return cells


def alarms(reference: np.ndarray, thresholds: Thresholds, batch: np.ndarray) -> list[str]:
    parts, rows = LAYOUT.parts(), len(batch)
    before, now = reference.sum(axis=0), batch.sum(axis=0)
    return [
        name
        for name, part in parts.items()
        if SIGNALS[name].distance(before[part], now[part]) > thresholds.bound(name, rows)
    ]


def test_distances_of_known_counts() -> None:
    assert divergence(counts(3, 1), counts(6, 2)) == pytest.approx(0.0, abs=1e-12)
    assert divergence(counts(5, 0), counts(0, 9)) == pytest.approx(1.0)
    assert divergence(counts(1, 1), counts(1, 0)) == pytest.approx(0.3112781)
    assert first_share_shift(counts(1, 9), counts(6, 14)) == pytest.approx(0.2)
    assert largest_gap(counts(5, 5, 0), counts(1, 5, 4)) == pytest.approx(0.4)
    assert running_gap(counts(5, 5, 0), counts(1, 5, 4)).max() == pytest.approx(0.4), (
        "positive: the batch lies higher"
    )
    assert total_variation(counts(2, 2, 0), counts(1, 1, 2)) == pytest.approx(0.5)


def test_distances_work_on_many_samples_at_once_and_on_none() -> None:
    many = np.stack([counts(3, 1), counts(0, 4), counts(0, 0)])
    for signal in (SIGNALS[name] for name in LAYOUT.parts()):
        got = signal.distance(many, many)
        assert got.shape == (3,)
        assert got == pytest.approx(0.0, abs=1e-12)


def test_joint_bounds_alarm_together_as_often_as_asked_and_share_it_evenly() -> None:
    rng = np.random.default_rng(0)
    null = rng.exponential(size=(4, 20_000)) * np.asarray([[1.0], [10.0], [0.1], [5.0]])
    bounds = joint_bounds(null, 0.05)
    over = null > bounds[:, None]
    assert 0.048 <= over.any(axis=0).mean() <= 0.05
    assert np.ptp(over.mean(axis=1)) == 0
    # Four independent statistics: each about 0.05 / 4.
    assert over.mean() == pytest.approx(0.0127, abs=0.001)


def test_statistics_that_say_the_same_cost_no_more_than_one() -> None:
    null = np.tile(np.random.default_rng(1).normal(size=5_000), (3, 1))
    assert (null > joint_bounds(null, 0.05)[:, None]).any(axis=0).mean() == pytest.approx(0.05, abs=0.0005)


def test_joint_bounds_of_constants_never_alarm() -> None:
    null = np.zeros((2, 100))
    assert not (null > joint_bounds(null, 0.05)[:, None]).any()


def test_bounds_shrink_with_the_batch_and_are_interpolated_between_sizes() -> None:
    cells = make_rows(np.random.default_rng(2), 400)
    thresholds = calibrate(cells, np.arange(400), layout=LAYOUT, seed=0, rounds=500)
    for name in LAYOUT.parts():
        bounds = thresholds.bounds[name]
        assert bounds[0] > bounds[2] > bounds[4] > bounds[7], name
        assert bounds[4] < thresholds.bound(name, 300) < bounds[3]
        assert thresholds.bound(name, BATCH_ROWS[2]) == pytest.approx(bounds[2])
        assert thresholds.bound(name, 10**9) == pytest.approx(bounds[-1])


def test_the_same_seed_gives_the_same_bounds() -> None:
    cells = make_rows(np.random.default_rng(3), 100)
    first, again, other = (
        calibrate(cells, np.arange(100), layout=LAYOUT, seed=s, rounds=200) for s in (0, 0, 1)
    )
    assert first == again
    assert first != other
    assert Thresholds.from_dict(first.to_dict()) == first


def test_undrifted_batches_alarm_as_often_as_calibrated() -> None:
    rng = np.random.default_rng(4)
    population = make_rows(rng, 6_000)
    found = []
    for seed in range(16):
        chosen = rng.permutation(len(population))
        reference = population[chosen[:400]]
        thresholds = calibrate(reference, np.arange(400), layout=LAYOUT, seed=seed, rounds=300)
        found += [
            bool(alarms(reference, thresholds, population[rng.choice(chosen[400:], 300)])) for _ in range(20)
        ]
    assert ALPHA == 0.05
    assert 0.02 <= np.mean(found) <= 0.08


def test_what_the_reference_never_showed_is_no_alarm_when_it_comes_once() -> None:
    rng = np.random.default_rng(5)
    reference = make_rows(rng, 500, unknown=0.0)
    thresholds = calibrate(reference, np.arange(500), layout=LAYOUT, seed=0, rounds=500)
    batch, part = make_rows(rng, 300, unknown=0.0), LAYOUT.parts()["unknown"]
    batch[0, part] += (1, -1)
    assert "unknown" not in alarms(reference, thresholds, batch)
    batch[1:60, part] += (1, -1)
    assert "unknown" in alarms(reference, thresholds, batch)


def test_repeated_texts_widen_the_bounds() -> None:
    cells = make_rows(np.random.default_rng(6), 60).repeat(10, axis=0)
    alone = calibrate(cells, np.arange(600), layout=LAYOUT, seed=0, rounds=500)
    repeated = calibrate(cells, np.arange(60).repeat(10), layout=LAYOUT, seed=0, rounds=500)
    for name in ("tokens", "length", "score"):
        assert repeated.bound(name, 1000) > 1.5 * alone.bound(name, 1000)
