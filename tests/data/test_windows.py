"""Windows: what stands where, splits by time, and nothing from the future in any of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from seqline.data.calendar import parse_frequency, regular_grid
from seqline.data.windows import (
    Cut,
    Series,
    WindowSettings,
    cut_points,
    fill,
    fit_covariates,
    flat_lines,
    seasonal_error,
    window_at_end,
    windows_of,
)
from seqline.errors import InputError

SETTINGS = WindowSettings(context_length=4, horizon=2, scaling="none")


def series_of(values, *, name="a", past=None, future=None, **others) -> Series:
    values = np.asarray(values, dtype=np.float64)
    values = values[:, None] if values.ndim == 1 else values
    nothing = np.zeros((len(values), 0))
    return Series(
        id=name,
        values=values,
        past=nothing if past is None else np.asarray(past, dtype=np.float64),
        future=nothing if future is None else np.asarray(future, dtype=np.float64),
        **others,
    )


def test_a_window_is_the_context_and_the_values_after_it() -> None:
    windows = windows_of([series_of(range(20))], [Cut(12, 16)], SETTINGS)
    assert windows["train"].ids == [f"a@{i}" for i in range(4, 11)]
    np.testing.assert_array_equal(windows["train"].inputs[0, :, 0], [0, 1, 2, 3])
    np.testing.assert_array_equal(windows["train"].targets[0, :, 0], [4, 5])
    np.testing.assert_array_equal(windows["train"].targets[-1, :, 0], [10, 11])
    assert windows["valid"].ids == ["a@12", "a@13", "a@14"]
    np.testing.assert_array_equal(windows["valid"].targets[[0, -1], :, 0], [[12, 13], [14, 15]])
    assert windows["test"].ids == ["a@16", "a@17", "a@18"]
    np.testing.assert_array_equal(windows["test"].inputs[0, :, 0], [12, 13, 14, 15])


@pytest.mark.parametrize("stride", [1, 3, 5])
def test_a_stride_counts_back_from_the_newest_train_window(stride) -> None:
    windows = windows_of([series_of(range(40))], [Cut(30, 36)], replace(SETTINGS, stride=stride))["train"]
    assert windows.positions[-1] == 28
    assert set(np.diff(windows.positions)) <= {stride}
    assert windows.positions[0] - stride < SETTINGS.context_length


@pytest.mark.parametrize("scaling", ["window", "level", "train", "none"])
@pytest.mark.parametrize("missing", ["refuse", "forward", "linear"])
def test_planted_future_spikes_change_no_earlier_window_and_no_scale(scaling, missing) -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(10.0, 1.0, (80, 2))
    if missing != "refuse":
        values[rng.random(values.shape) < 0.2] = np.nan
    calm = series_of(values, past=rng.normal(size=(80, 1)), future=rng.normal(size=(80, 1)))
    settings = replace(SETTINGS, scaling=scaling, missing=missing, season_length=3)
    cut = Cut(50, 65)
    before = windows_of([calm], [cut], settings)
    for spike in (50, 57, 66, 79):
        wild_values, wild_past = calm.values.copy(), calm.past.copy()
        wild_values[spike:] = 1.0e9
        wild_past[spike:] = -1.0e9
        after = windows_of([replace(calm, values=wild_values, past=wild_past)], [cut], settings)
        assert (
            fit_covariates([replace(calm, past=wild_past)], [cut]).past == fit_covariates([calm], [cut]).past
        )
        for split in ("train", "valid", "test"):
            same = before[split].positions <= spike
            for name in ("inputs", "lengths", "location", "scale", "future", "deviation"):
                np.testing.assert_array_equal(
                    getattr(before[split], name)[same],
                    getattr(after[split], name)[same],
                    err_msg=f"{split} {name}",
                )
        for name in ("inputs", "targets", "seasonal_error"):
            np.testing.assert_array_equal(getattr(before["train"], name), getattr(after["train"], name))


def test_a_covariate_known_ahead_reaches_the_horizon_and_one_of_the_past_does_not() -> None:
    past, future = np.arange(20.0)[:, None], 100 + np.arange(20.0)[:, None]
    one = series_of(range(20), past=past, future=future)
    cut = Cut(12, 16)
    windows = windows_of([one], [cut], SETTINGS)["test"]
    scale = fit_covariates([one], [cut])
    np.testing.assert_allclose(scale.past[0], [5.5])  # of the 12 steps of train alone
    np.testing.assert_allclose(scale.past[1], np.std(np.arange(12.0)))
    as_seen = windows.inputs[0].astype(np.float64)
    np.testing.assert_allclose(as_seen[:, 1] * scale.past[1] + scale.past[0], [12, 13, 14, 15], rtol=1e-6)
    np.testing.assert_allclose(
        as_seen[:, 2] * scale.future[1] + scale.future[0], [112, 113, 114, 115], rtol=1e-6
    )
    np.testing.assert_allclose(
        windows.future[0].astype(np.float64) * scale.future[1] + scale.future[0], [[116], [117]], rtol=1e-6
    )


def test_the_scale_of_a_window_is_undone() -> None:
    rng = np.random.default_rng(1)
    one = series_of(rng.normal(500, 20, (60, 3)))
    for scaling in ("window", "level", "train", "none"):
        windows = windows_of([one], [Cut(40, 50)], replace(SETTINGS, scaling=scaling))["valid"]
        truth = np.stack([one.values[p : p + 2] for p in windows.positions])
        np.testing.assert_allclose(windows.unscaled(windows.targets), truth, rtol=1e-5)
        np.testing.assert_allclose(windows.unscaled(windows.targets[..., None])[..., 0], truth, rtol=1e-5)
    scaled = windows_of([one], [Cut(40, 50)], replace(SETTINGS, scaling="window"))["train"].inputs
    np.testing.assert_allclose(scaled.mean(axis=1), 0, atol=1e-5)
    np.testing.assert_allclose(scaled.std(axis=1), 1, atol=1e-5)


def test_a_flat_context_is_not_blown_up() -> None:
    windows = windows_of([series_of([5.0] * 30)], [Cut(20, 25)], replace(SETTINGS, scaling="window"))["train"]
    assert np.isfinite(windows.inputs).all() and (windows.scale == 5.0e-3).all()
    zeros = windows_of([series_of([0.0] * 30)], [Cut(20, 25)], replace(SETTINGS, scaling="level"))["train"]
    assert (zeros.scale == 1.0).all() and (zeros.seasonal_error > 0).all()


def test_missing_values_are_refused_by_name_or_filled_from_the_context_alone() -> None:
    values = [1.0, 2.0, np.nan, 4.0, 5.0, 6.0, np.nan, 8.0, 9.0, 10.0, 11.0, 12.0]
    with pytest.raises(InputError, match="2 missing values, the first at 2"):
        windows_of([series_of(values)], [Cut(8, 10)], SETTINGS)
    windows = windows_of([series_of(values)], [Cut(8, 10)], replace(SETTINGS, missing="linear"))["train"]
    np.testing.assert_array_equal(windows.inputs[0, :, 0], [1, 2, 3, 4])
    np.testing.assert_array_equal(windows.inputs[0, :, 1], [1, 1, 0, 1])  # which of them are real
    # The gap at step 6 ends this context: what comes after it is not known yet.
    ending = windows_of([series_of(values)], [Cut(9, 10)], replace(SETTINGS, missing="linear"))["train"]
    np.testing.assert_array_equal(ending.inputs[-1, :, 0], [4, 5, 6, 6])
    assert np.isnan(windows.targets[windows.positions == 5, 1, 0]).all()


@pytest.mark.parametrize(
    ("rule", "expected"), [("forward", [2, 2, 2, 2, 8, 8]), ("linear", [2, 2, 4, 6, 8, 8])]
)
def test_how_gaps_are_filled(rule, expected) -> None:
    context = np.asarray([np.nan, 2.0, np.nan, np.nan, 8.0, np.nan])[:, None]
    np.testing.assert_allclose(fill(context, rule=rule)[:, 0], expected)


def test_contexts_without_values_and_targets_that_are_all_missing_are_left_out() -> None:
    values = np.arange(30.0)
    values[8:14] = np.nan
    windows = windows_of([series_of(values)], [Cut(24, 27)], replace(SETTINGS, missing="forward"))["train"]
    # 8 to 12 have nothing to foretell, 12 to 14 nothing to foretell from.
    assert windows.positions.tolist() == [4, 5, 6, 7, *range(15, 23)]


def test_short_contexts_stand_at_the_end_where_they_are_allowed() -> None:
    settings = replace(SETTINGS, min_context=2)
    windows = windows_of([series_of(range(1, 21))], [Cut(12, 16)], settings)["train"]
    assert windows.positions[0] == 2 and windows.lengths[0] == 2
    np.testing.assert_array_equal(windows.inputs[0, :, 0], [0, 0, 1, 2])


def test_shares_and_steps_cut_a_series() -> None:
    one = series_of(range(100))
    assert cut_points([one], valid=0.1, test=0.2) == [Cut(70, 80)]
    assert cut_points([one], valid=10, test=20) == [Cut(70, 80)]
    assert cut_points([replace(one, held_out=15)], valid=10, test=20) == [Cut(75, 85)]


def test_series_with_calendars_are_cut_at_the_same_times() -> None:
    def dated(name, first, count):
        stamps = [f"2026-01-{day:02d}" for day in range(first, first + count)]
        grid = regular_grid(
            stamps, frequency=parse_frequency("D"), gaps="refuse", duplicates="refuse", where=name
        )
        return series_of(range(count), name=name, grid=grid)

    members = [dated("early", 1, 20), dated("late", 11, 20)]
    together = cut_points(members, valid=5, test=5)
    assert together == [Cut(20, 20), Cut(10, 15)]  # the 21st and the 26th of January for both
    assert cut_points(members, valid=5, test=5, together=False) == [Cut(10, 15), Cut(10, 15)]
    windows = windows_of(members, together, SETTINGS)
    newest_train = max(
        members[i].grid.start + p + 1
        for i, p in zip(windows["train"].series, windows["train"].positions, strict=True)
    )
    oldest_test = min(
        members[i].grid.start + p
        for i, p in zip(windows["test"].series, windows["test"].positions, strict=True)
    )
    assert newest_train < oldest_test


def test_the_unit_of_mase_is_the_seasonal_naive_error_before_the_split() -> None:
    values = np.asarray([1.0, 5.0, 2.0, 7.0, 4.0, 6.0])[:, None]
    np.testing.assert_allclose(seasonal_error(values, 2), [(1 + 2 + 2 + 1) / 4])
    np.testing.assert_allclose(seasonal_error(values, 10), [np.abs(np.diff(values[:, 0])).mean()])
    assert np.isnan(seasonal_error(values[:1], 2)).all()
    one = series_of(np.concatenate([np.arange(10.0), np.arange(10.0) * 3]))
    windows = windows_of([one], [Cut(10, 16)], SETTINGS)
    assert (windows["valid"].seasonal_error == 1.0).all()  # test and valid rise by 3 a step
    assert (windows["test"].seasonal_error > 1.0).all()


def test_flat_lines_are_named() -> None:
    found = flat_lines(
        [series_of([1, 2, 2, 2, 2, 3], name="stuck"), series_of(range(9), name="alive")], steps=4
    )
    assert found == {"stuck": 4}


def test_the_window_that_predict_reads_is_the_one_a_longer_series_would_have() -> None:
    rng = np.random.default_rng(2)
    future = rng.normal(size=(32, 1))
    whole = series_of(rng.normal(5, 1, 32), future=future)
    cut = Cut(20, 30)
    for scaling in ("window", "level", "none"):
        settings = replace(SETTINGS, scaling=scaling)
        expected = windows_of([whole], [cut], settings)["test"]
        history = replace(whole, values=whole.values[:30], past=whole.past[:30])
        window = window_at_end(history, settings, train=None, covariates=fit_covariates([whole], [cut]))
        assert window.ids == ["a@30"]
        for name in ("inputs", "lengths", "future", "location", "scale"):
            np.testing.assert_array_equal(getattr(window, name)[0], getattr(expected, name)[0])


def test_a_history_that_cannot_be_forecast_from_is_refused() -> None:
    one = series_of(range(20), future=np.zeros((20, 1)))
    covariates = fit_covariates([one], [Cut(10, 15)])
    with pytest.raises(InputError, match="known ahead for 0 steps"):
        window_at_end(one, SETTINGS, train=None, covariates=covariates)
    with pytest.raises(InputError, match="3 steps"):
        window_at_end(
            series_of(range(3), future=np.zeros((5, 1))), SETTINGS, train=None, covariates=covariates
        )
    gap = series_of([1.0, np.nan, 3.0, 4.0], future=np.zeros((6, 1)))
    with pytest.raises(InputError, match="1 missing values"):
        window_at_end(gap, SETTINGS, train=None, covariates=covariates)
