"""Models that read numbers: their features are counted in cells that train decides, and what moved is found."""

from __future__ import annotations

import numpy as np
import pytest

from seqline.monitoring.calibration import Thresholds, calibrate
from seqline.monitoring.profile import Profile
from seqline.monitoring.signals import (
    FEATURE_CELLS,
    MAX_FEATURES,
    SIGNALS,
    Feature,
    Layout,
    count_features,
    feature_gaps,
    features_of,
    largest_feature_gap,
)


def make_series(rng: np.random.Generator, rows: int, *, moved: float = 0.0) -> list[np.ndarray]:
    """Series of three features whose steps depend on each other; `moved` lifts the second."""
    found = []
    for _ in range(rows):
        steps = rng.normal(size=(int(rng.integers(5, 30)), 3)) + rng.normal(size=3)
        steps[:, 1] += moved
        found.append(steps.astype(np.float32))
    return found


def counted(series: list[np.ndarray], layout: Layout) -> np.ndarray:
    cells, lengths = np.zeros((len(series), layout.cells)), np.zeros(len(series), dtype=np.int64)
    count_features(series, layout.features, cells=cells[:, layout.parts()["features"]], lengths=lengths)
    assert lengths.tolist() == [len(steps) for steps in series]
    return cells


def test_steps_are_counted_between_the_quantiles_of_train() -> None:
    features = features_of(np.arange(100.0)[:, None])
    assert features == (Feature(0, tuple(round(9.9 * share, 6) for share in range(1, 10))),)
    cells, lengths = np.zeros((2, FEATURE_CELLS)), np.zeros(2, dtype=np.int64)
    count_features(
        [np.array([[-5.0], [9.9], [1e9]]), np.array([[50.0]])], features, cells=cells, lengths=lengths
    )
    assert cells[0].tolist() == [1, 1, 0, 0, 0, 0, 0, 0, 0, 1]
    assert cells[1].tolist() == [0, 0, 0, 0, 0, 1, 0, 0, 0, 0]
    assert lengths.tolist() == [3, 1]


def test_of_many_features_some_are_watched_evenly_and_constant_ones_do_no_harm() -> None:
    features = features_of(np.random.default_rng(0).normal(size=(50, 40)))
    assert len(features) == MAX_FEATURES
    assert (features[0].place, features[-1].place, features[1].name) == (0, 39, "feature 4")
    (constant,) = features_of(np.zeros((20, 1)))
    cells = np.zeros((1, FEATURE_CELLS))
    count_features([np.zeros((4, 1))], [constant], cells=cells, lengths=np.zeros(1, dtype=np.int64))
    assert cells.sum() == 4


def test_the_distance_is_that_of_the_feature_that_moved_most() -> None:
    before = np.tile(np.eye(FEATURE_CELLS)[0] * 4, 2)
    now = before.copy()
    now[FEATURE_CELLS] = 1
    now[2 * FEATURE_CELLS - 1] = 3
    assert feature_gaps(before, now).tolist() == [0, 0.75]
    assert largest_feature_gap(before, now) == 0.75
    many = np.stack([now, before])
    assert largest_feature_gap(np.stack([before, before]), many).tolist() == [0.75, 0]


def test_undrifted_series_rarely_alarm_and_one_moved_feature_does() -> None:
    rng = np.random.default_rng(1)
    layout = Layout(features=features_of(np.concatenate(make_series(rng, 300))), has_lengths=False)
    assert list(layout.parts()) == ["features"]
    reference = counted(make_series(rng, 400), layout)
    thresholds = calibrate(reference, np.arange(400), layout=layout, seed=0, rounds=300)
    part, distance = layout.parts()["features"], SIGNALS["features"].distance

    def alarms(moved: float) -> bool:
        batch = counted(make_series(rng, 200, moved=moved), layout).sum(axis=0)
        return bool(distance(reference.sum(axis=0)[part], batch[part]) > thresholds.bound("features", 200))

    assert sum(alarms(0.0) for _ in range(40)) <= 6
    assert all(alarms(0.8) for _ in range(5))


@pytest.mark.parametrize(
    ("layout", "signals"),
    [
        (Layout(features=(Feature(0, (0.0,) * 9),)), ["features", "length"]),
        (Layout(features=(Feature(0, (0.0,) * 9),), has_lengths=False), ["features"]),
        (Layout(words=("a",)), ["tokens", "unknown", "length"]),
        (
            Layout(features=(Feature(0, (0.0,) * 9), Feature(3, (1.0,) * 9)), classes=("no", "yes")),
            ["features", "length", "score", "predicted", "labels"],
        ),
    ],
)
def test_profiles_of_all_layouts_are_read_as_they_were_written(layout: Layout, signals: list[str]) -> None:
    assert list(layout.parts()) == signals
    counts = np.random.default_rng(0).integers(0, 50, layout.cells).astype(np.float64)
    if "labels" in signals:
        counts[-1] = 0  # no row of the reference has a label that the model does not know
    if "tokens" in signals:
        counts[layout.parts()["unknown"]] = 3, counts[layout.parts()["tokens"]].sum() - 3
    profile = Profile(
        rows=60,
        layout=layout,
        counts=counts,
        median_length=7.0 if layout.has_lengths else 1.0,
        mean_score=0.5 if layout.classes else 0.0,
        batches={"a.jsonl": "0"},
        thresholds=Thresholds((30, 50), dict.fromkeys(signals, (0.5, 0.25))),
    )
    again = Profile.from_dict(profile.to_dict())
    assert np.array_equal(again.counts, counts)
    assert again.to_dict() == profile.to_dict()
    assert (again.layout, again.thresholds) == (layout, profile.thresholds)
