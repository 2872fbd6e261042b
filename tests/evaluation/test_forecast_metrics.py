"""Forecast metrics against hand-worked numbers and the direct formulas; baselines against theirs."""

from __future__ import annotations

import math

import numpy as np
import pytest

from seqline.evaluation.forecasting import (
    COLUMNS,
    METRIC_NAMES,
    SIMPLE_FORECASTS,
    around_points,
    by_step,
    row_statistics,
    scores,
)

LEVELS = (0.1, 0.5, 0.9)


def random_rows(rows=50, horizon=4, channels=2, seed=0):
    rng = np.random.default_rng(seed)
    targets = rng.normal(10, 3, (rows, horizon, channels))
    forecasts = np.sort(rng.normal(10, 3, (rows, horizon, channels, 3)), axis=-1)
    units = {
        "seasonal_error": rng.uniform(1, 2, (rows, channels)),
        "deviation": rng.uniform(1, 3, (rows, channels)),
    }
    return forecasts, targets, units


def test_hand_worked_row() -> None:
    forecasts = np.asarray([[[[8.0, 9.0, 11.0]], [[3.0, 5.0, 6.0]]]])  # (1, 2, 1, 3)
    targets = np.asarray([[[10.0], [7.0]]])
    row = row_statistics(
        forecasts,
        targets,
        quantiles=LEVELS,
        seasonal_error=np.asarray([[2.0]]),
        deviation=np.asarray([[4.0]]),
    )[0]
    found = dict(zip(COLUMNS, row, strict=True))
    assert found["count"] == 2
    assert found["relative"] == pytest.approx(200 * 1 / 19 + 200 * 2 / 12)
    assert found["scaled"] == pytest.approx((1 + 2) / 2)
    assert found["absolute"] == pytest.approx(3)
    assert found["squared"] == pytest.approx(1 + 4)
    assert found["standard_squared"] == pytest.approx((1 + 4) / 16)
    assert found["covered"] == 1  # 10 in [8, 11], 7 not in [3, 6]
    assert found["width"] == pytest.approx((3 + 3) / 2)
    pinball = [0.1 * 2 + 0.5 * 1 + 0.1 * 1, 0.1 * 4 + 0.5 * 2 + 0.9 * 1]
    assert found["pinball"] == pytest.approx(2 * sum(pinball) / 3 / 2)


def test_metrics_of_sums_are_the_textbook_formulas() -> None:
    forecasts, targets, units = random_rows()
    found = scores(row_statistics(forecasts, targets, quantiles=LEVELS, **units))
    error = np.abs(targets - forecasts[..., 1])
    assert found["smape"] == pytest.approx(
        np.mean(200 * error / (np.abs(targets) + np.abs(forecasts[..., 1])))
    )
    assert found["mase"] == pytest.approx(np.mean(error / units["seasonal_error"][:, None]))
    assert found["mae"] == pytest.approx(error.mean())
    assert found["mse"] == pytest.approx((error**2).mean())
    assert found["standard_mse"] == pytest.approx(np.mean((error / units["deviation"][:, None]) ** 2))
    inside = (forecasts[..., 0] <= targets) & (targets <= forecasts[..., 2])
    assert found["coverage"] == pytest.approx(inside.mean())
    assert found["coverage_gap"] == pytest.approx(abs(inside.mean() - 0.8))
    assert set(found) == set(METRIC_NAMES)


def test_the_median_alone_has_the_scaled_absolute_error_for_a_pinball_loss() -> None:
    forecasts, targets, units = random_rows()
    found = scores(row_statistics(forecasts[..., 1:2], targets, quantiles=(0.5,), **units))
    assert found["pinball"] == pytest.approx(found["mase"])


def test_missing_targets_add_nothing_and_no_rows_give_nan() -> None:
    forecasts, targets, units = random_rows(rows=2)
    holes = targets.copy()
    holes[0, 1:, 0] = np.nan
    holes[1] = np.nan
    rows = row_statistics(forecasts, holes, quantiles=LEVELS, **units)
    assert np.isfinite(rows).all() and rows[0, 0] == 5 and not rows[1].any()
    assert all(math.isnan(value) for value in scores(rows[1:]).values())
    assert all(math.isnan(value) for value in scores(rows[:0]).values())
    zero = row_statistics(
        np.zeros((1, 1, 1, 1)),
        np.zeros((1, 1, 1)),
        quantiles=(0.5,),
        seasonal_error=np.ones((1, 1)),
        deviation=np.ones((1, 1)),
    )
    assert scores(zero)["smape"] == 0


def test_rows_can_be_resampled_because_metrics_are_ratios_of_sums() -> None:
    forecasts, targets, units = random_rows()
    rows = row_statistics(forecasts, targets, quantiles=LEVELS, **units)
    drawn = np.random.default_rng(1).integers(0, len(rows), len(rows))
    again = row_statistics(
        forecasts[drawn],
        targets[drawn],
        quantiles=LEVELS,
        **{name: unit[drawn] for name, unit in units.items()},
    )
    assert scores(rows[drawn]) == pytest.approx(scores(again))


def test_steps_are_parts_of_the_whole() -> None:
    forecasts, targets, units = random_rows()
    rows = row_statistics(forecasts, targets, quantiles=LEVELS, **units)
    steps = by_step(forecasts, targets, quantiles=LEVELS, **units)
    assert np.mean([step["mse"] for step in steps]) == pytest.approx(scores(rows)["mse"])


CONTEXT = np.asarray([[1.0], [2.0], [3.0], [7.0], [5.0]])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("naive", [5, 5, 5, 5]),
        ("seasonal_naive", [3, 7, 5, 3]),
        ("drift", [6, 7, 8, 9]),
    ],
)
def test_baselines(name, expected) -> None:
    np.testing.assert_allclose(SIMPLE_FORECASTS[name](CONTEXT, horizon=4, season_length=3)[:, 0], expected)


def test_seasonal_naive_of_a_short_context_is_naive() -> None:
    found = SIMPLE_FORECASTS["seasonal_naive"](CONTEXT, horizon=2, season_length=9)
    np.testing.assert_allclose(found[:, 0], [5, 5])


def test_exponential_smoothing_chooses_its_weight() -> None:
    rng = np.random.default_rng(0)
    walk = np.cumsum(rng.normal(size=200))[:, None]  # the last value is best
    noise = rng.normal(size=(200, 1)) + 10  # the mean is best
    both = np.concatenate([walk, noise], axis=1)
    found = SIMPLE_FORECASTS["exponential_smoothing"](both, horizon=1, season_length=1)[0]
    assert abs(found[0] - walk[-1, 0]) < 0.5
    assert abs(found[1] - 10) < abs(noise[-20:, 0] - 10).mean()


def test_intervals_of_a_baseline_come_from_its_own_errors_and_keep_the_point() -> None:
    rng = np.random.default_rng(0)
    residuals = rng.normal(size=(4000, 2, 1)) * np.asarray([1.0, 3.0])[None, :, None]
    points = np.full((1, 2, 1), 50.0)
    found = around_points(points, residuals, np.asarray([[2.0]]), quantiles=LEVELS)
    np.testing.assert_allclose(found[0, :, 0, 1], 50.0)
    np.testing.assert_allclose(found[0, :, 0, 2] - 50, [2 * 1.2816, 6 * 1.2816], rtol=0.06)
    np.testing.assert_allclose(50 - found[0, :, 0, 0], [2 * 1.2816, 6 * 1.2816], rtol=0.06)
