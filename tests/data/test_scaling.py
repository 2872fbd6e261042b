from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqline.data.scaling import Scaler
from seqline.errors import InputError


def ragged(seed: int = 0, *, shift: float = 0.0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [
        rng.normal(size=(int(rng.integers(1, 9)), 3)) * [1.0, 50.0, 1e-3] + [shift, -7.0, 0.0]
        for _ in range(40)
    ]


def test_one_pass_gives_the_figures_of_all_steps_together() -> None:
    sequences = ragged()
    together = np.concatenate(sequences)
    scaler = Scaler.fit(iter(sequences))
    np.testing.assert_allclose(scaler.means, together.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(scaler.deviations, together.std(axis=0), rtol=1e-12)


def test_features_far_from_zero_keep_their_digits() -> None:
    sequences = ragged(shift=1e8)
    scaler = Scaler.fit(sequences)
    assert scaler.deviations[0] == pytest.approx(np.concatenate(ragged()).std(axis=0)[0], rel=1e-6)


def test_scaled_train_has_mean_zero_and_deviation_one_and_undo_brings_it_back() -> None:
    sequences = ragged()
    scaler = Scaler.fit(sequences)
    scaled = np.concatenate([scaler.apply(sequence) for sequence in sequences])
    assert scaled.dtype == np.float32
    np.testing.assert_allclose(scaled.mean(axis=0), 0.0, atol=1e-6)
    np.testing.assert_allclose(scaled.std(axis=0), 1.0, atol=1e-5)
    np.testing.assert_allclose(scaler.undo(scaler.apply(sequences[0])), sequences[0], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("level", [0.0, 0.1, -3e7])
def test_a_feature_that_never_changes_is_moved_and_stays_finite(level: float) -> None:
    sequences = [np.full((steps, 1), level) for steps in (1, 7, 3, 11)]
    scaler = Scaler.fit(sequences)
    assert scaler.deviations == (1.0,)
    np.testing.assert_allclose(scaler.apply(np.full((2, 1), level + 2.5)), 2.5, rtol=1e-6)


def test_no_row_is_refused() -> None:
    with pytest.raises(InputError, match="no sequences"):
        Scaler.fit([])


@given(
    st.lists(st.floats(-1e12, 1e12), min_size=1, max_size=5),
    st.lists(st.floats(1e-9, 1e12), min_size=5, max_size=5),
)
@settings(max_examples=30, deadline=None)
def test_a_saved_scaler_comes_back_to_the_last_bit(
    tmp_path_factory: pytest.TempPathFactory, means: list[float], deviations: list[float]
) -> None:
    path = tmp_path_factory.mktemp("scaler") / "scaler.json"
    scaler = Scaler(tuple(means), tuple(deviations[: len(means)]))
    scaler.save(path)
    assert Scaler.load(path) == scaler


@pytest.mark.parametrize(
    "content",
    [
        "[]",
        "{}",
        '{"means": [], "deviations": []}',
        '{"means": [0], "deviations": [0]}',
        '{"means": [0], "deviations": [1, 1]}',
        '{"means": ["a"], "deviations": [1]}',
        '{"means": 3, "deviations": [1]}',
        '{"means": [NaN], "deviations": [1]}',
    ],
)
def test_a_file_that_holds_no_scaler_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "scaler.json"
    path.write_text(content)
    with pytest.raises(InputError, match="scaler"):
        Scaler.load(path)


def test_identity_changes_nothing() -> None:
    values = np.asarray([[1.5, -2.0]], dtype=np.float32)
    np.testing.assert_array_equal(Scaler.identity(2).apply(values), values)
