"""Conformal intervals: the finite-sample rank, the coverage they promise, never crossing."""

from __future__ import annotations

import numpy as np
import pytest

from seqline.evaluation.conformal import Calibration, calibrate, intervals

LEVELS = (0.1, 0.5, 0.9)


def noisy(rows, *, seed, spread=(1.0, 1.0, 1.0), claimed=1.0):
    """Truth of N(0, spread) at each step, beside intervals that claim another spread."""
    rng = np.random.default_rng(seed)
    targets = rng.normal(size=(rows, len(spread), 1)) * np.asarray(spread)[None, :, None]
    ends = np.asarray([-1.2816, 0.0, 1.2816]) * claimed
    return np.broadcast_to(ends, (rows, len(spread), 1, 3)), targets


def coverage(forecasts, targets):
    return ((forecasts[..., 0] <= targets) & (targets <= forecasts[..., -1])).mean()


def test_the_rank_is_that_of_a_finite_sample() -> None:
    forecasts = np.zeros((9, 1, 1, 3))
    targets = np.arange(1.0, 10.0)[:, None, None]
    # ceil(10 * 0.8) = 8: the eighth distance of nine
    assert calibrate(forecasts, targets, quantiles=LEVELS, per_step=False).offsets == 8.0
    # ceil(4 * 0.8) = 4 is beyond three: the largest
    assert calibrate(forecasts[:3], targets[:3], quantiles=LEVELS, per_step=False).offsets == 3.0
    nothing = calibrate(forecasts, np.full_like(targets, np.nan), quantiles=LEVELS, per_step=True)
    assert not nothing.offsets.any()


@pytest.mark.parametrize("claimed", [0.3, 1.0, 3.0])
def test_intervals_cover_what_they_promise_on_windows_they_have_not_seen(claimed) -> None:
    calibration = calibrate(*noisy(2000, seed=0, claimed=claimed), quantiles=LEVELS, per_step=False)
    forecasts, targets = noisy(4000, seed=1, claimed=claimed)
    assert coverage(calibration.apply(forecasts), targets) == pytest.approx(0.8, abs=0.02)
    assert (calibration.offsets.mean() > 0) == (claimed < 1) or claimed == 1.0


def test_each_step_gets_its_own_offset_where_asked() -> None:
    spread = (0.5, 1.0, 4.0)
    fitted = noisy(4000, seed=0, spread=spread)
    forecasts, targets = noisy(4000, seed=1, spread=spread)
    together = calibrate(*fitted, quantiles=LEVELS, per_step=False).apply(forecasts)
    apart = calibrate(*fitted, quantiles=LEVELS, per_step=True).apply(forecasts)
    by_step = [coverage(apart[:, i], targets[:, i]) for i in range(3)]
    assert by_step == pytest.approx([0.8] * 3, abs=0.025)
    assert coverage(together[:, 0], targets[:, 0]) > 0.95 > 0.7 > coverage(together[:, 2], targets[:, 2])


def test_quantiles_never_cross_and_the_point_forecast_stays() -> None:
    rng = np.random.default_rng(0)
    levels = (0.05, 0.25, 0.5, 0.75, 0.95)
    forecasts = np.sort(rng.normal(size=(500, 3, 2, 5)) * 3, axis=-1)
    targets = forecasts[..., 2] + 0.01 * rng.normal(size=(500, 3, 2))  # intervals have to shrink much
    calibration = calibrate(forecasts, targets, quantiles=levels, per_step=True)
    assert (calibration.offsets < 0).all()
    moved = calibration.apply(forecasts)
    assert (np.diff(moved, axis=-1) >= 0).all()
    np.testing.assert_array_equal(moved[..., 2], forecasts[..., 2])
    pairs_only = calibrate(forecasts[..., [0, 4]], targets, quantiles=(0.05, 0.95), per_step=True)
    assert (np.diff(pairs_only.apply(forecasts[..., [0, 4]]), axis=-1) >= 0).all()


def test_a_calibration_is_what_its_description_says() -> None:
    calibration = calibrate(*noisy(100, seed=3), quantiles=LEVELS, per_step=True)
    again = Calibration.from_description(calibration.described())
    forecasts, _ = noisy(5, seed=4)
    np.testing.assert_array_equal(again.apply(forecasts), calibration.apply(forecasts))


@pytest.mark.parametrize("levels", [(0.1, 0.5, 0.8), (0.2, 0.4, 0.8)])
def test_levels_without_a_partner_are_refused(levels) -> None:
    with pytest.raises(ValueError, match="not symmetric"):
        intervals(levels)
