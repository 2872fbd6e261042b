"""Windows and the rows they are kept as: what stands where, splits by time, and nothing from the future in any of them."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import orjson
import pytest

from seqline.data.calendar import parse_frequency
from seqline.data.grid import regular_grid
from seqline.data.history import read_history, read_stretch
from seqline.data.inputs.history import HistoryEncoder, probe_histories
from seqline.data.series_frequency import frequencies_of
from seqline.data.targets.future import numbers_of
from seqline.data.window_rows import deal_windows
from seqline.data.windows import Series, cut_points, fill, seasonal_error, window_scale
from seqline.errors import InputError
from seqline.recipe import HistoryInput

SPLITS = ("train", "valid", "test")


def section(**settings: Any) -> HistoryInput:
    values = {"column": "value", "context_length": 4, "scaling": "none", "evaluation_stride": 1, **settings}
    return HistoryInput(**values)


def row(values, *, name="a", start=0, **others) -> dict[str, Any]:
    return {"id": name, "start": start, "frequency": "step", "value": [*map(plain, values)], **others}


def plain(value):
    return None if value != value else float(value)


def dealt(rows, asked, *, test_rows=(), horizon=2, valid=0.2, test=0.2):
    return deal_windows(rows, test_rows, asked, horizon=horizon, valid=valid, test=0.0 if test_rows else test)


def encoder_for(windows, asked, *, horizon=2) -> HistoryEncoder:
    return HistoryEncoder.fit(windows["train"].stretches(), asked, horizon=horizon)


def series_of(values, *, name="a", start=0, held_out=None) -> Series:
    values = np.asarray(values, dtype=np.float64)[:, None]
    grid = regular_grid(
        list(range(start, start + len(values))),
        frequency=parse_frequency("step"),
        gaps="refuse",
        duplicates="refuse",
        where=name,
    )
    nothing = np.zeros((len(values), 0))
    return Series(id=name, values=values, past=nothing, future=nothing, grid=grid, held_out=held_out)


def test_a_window_is_the_context_and_the_values_after_it() -> None:
    asked = section()
    windows = dealt([row(range(20))], asked)
    assert [one["id"] for one in windows["train"]] == [f"a@{i}" for i in range(4, 11)]
    assert windows["train"][0]["value"] == {
        "history": {"id": "a", "start": 0, "frequency": "step", "value": [0.0, 1.0, 2.0, 3.0]},
        "future": [4.0, 5.0],
    }
    assert windows["train"][-1]["value"]["future"] == [10.0, 11.0]
    assert [one["value"]["future"] for one in windows["valid"]] == [[12, 13], [13, 14], [14, 15]]
    assert [one["value"]["future"] for one in windows["test"]] == [[16, 17], [17, 18], [18, 19]]
    assert windows["test"][0]["value"]["history"]["value"] == [12, 13, 14, 15]


@pytest.mark.parametrize("stride", [1, 3, 5])
def test_a_stride_counts_back_from_the_newest_train_window(stride) -> None:
    windows = dealt([row(range(40))], section(stride=stride, evaluation_stride=2))
    times = [int(one["id"].split("@")[1]) for one in windows["train"]]
    assert times[-1] == 22 and {b - a for a, b in itertools.pairwise(times)} <= {stride}
    assert times[0] - stride < 4
    assert [one["id"] for one in windows["test"]] == ["a@32", "a@34", "a@36", "a@38"]


@pytest.mark.parametrize("horizon", [1, 2, 5])
def test_no_value_of_valid_and_test_is_foretold_twice_unless_the_recipe_asks_for_it(horizon) -> None:
    asked = HistoryInput(column="value", context_length=4)
    windows = dealt([row(range(60))], asked, horizon=horizon)
    for split, first in (("valid", 40), ("test", 48)):
        values = [value for one in windows[split] for value in one["value"]["future"]]
        assert len(values) == len(set(values)) >= 8
        assert abs(values[0] - first) <= 4
    again = dealt([row(range(60))], section(evaluation_stride=1), horizon=horizon)
    assert list(windows["train"]) == list(again["train"])
    assert list(windows["test"]) == again["test"][::horizon]


@pytest.mark.parametrize("scaling", ["window", "level", "train", "none"])
@pytest.mark.parametrize("missing", ["refuse", "linear"])
def test_planted_future_spikes_change_no_earlier_window_and_nothing_that_is_fitted(scaling, missing) -> None:
    rng = np.random.default_rng(0)
    asked = section(
        scaling=scaling, missing=missing, season_length=3, past=["rain"], future=["holiday"], calendar=True
    )
    calm = rng.normal(10.0, 1.0, (80, 2))
    rain, holiday = rng.normal(size=80), rng.normal(size=90)
    if missing != "refuse":
        calm[rng.random(calm.shape) < 0.2] = np.nan

    def windows_with(values, rain):
        stamps = {"start": "2026-01-01", "frequency": "D"}
        whole = {"id": "a", **stamps, "rain": rain.tolist(), "holiday": holiday.tolist()}
        whole["value"] = [[plain(number) for number in step] for step in values]
        return dealt([whole], asked)

    before = windows_with(calm, rain)
    fitted = encoder_for(before, asked)
    for spike in (48, 57, 66, 79):
        wild, storm = calm.copy(), rain.copy()
        wild[spike:], storm[spike:] = 1.0e9, -1.0e9
        after = windows_with(wild, storm)
        refitted = encoder_for(after, asked)
        if spike >= 48:  # where valid begins
            assert refitted.facts == fitted.facts
            np.testing.assert_array_equal(refitted.past, fitted.past)
        for split in SPLITS:
            pairs = [
                (old, new)
                for old, new in zip(before[split], after[split], strict=True)
                if np.datetime64(old["id"].split("@")[1]) <= np.datetime64("2026-01-01") + spike
            ]
            assert pairs or split != "train"
            for old, new in pairs:
                assert old["value"]["history"] == new["value"]["history"]
                first, second = (
                    encoder.read(one["value"]["history"])[1]
                    for encoder, one in ((fitted, old), (refitted, new))
                )
                for name in ("inputs", "future", "location", "scale"):
                    np.testing.assert_array_equal(getattr(first, name), getattr(second, name))
        assert list(before["train"]) == list(after["train"])


def test_a_covariate_known_ahead_reaches_the_horizon_and_one_of_the_past_does_not() -> None:
    asked = section(past=["rain"], future=["holiday"])
    windows = dealt([row(range(20), rain=list(range(20)), holiday=list(range(100, 122)))], asked)
    last = windows["test"][-1]["value"]["history"]
    assert last["rain"] == [14, 15, 16, 17] and last["holiday"] == [114, 115, 116, 117, 118, 119]
    encoder = encoder_for(windows, asked)
    np.testing.assert_allclose(
        encoder.past, [[np.arange(10).mean()], [np.arange(10).std()]]
    )  # contexts of train alone
    _, window = encoder.read(last)
    mean, deviation = encoder.future
    np.testing.assert_allclose(window.inputs[:, 2] * deviation + mean, [114, 115, 116, 117], rtol=1e-5)
    np.testing.assert_allclose(window.future[:, 0] * deviation + mean, [118, 119], rtol=1e-5)
    with pytest.raises(InputError, match="known ahead for 1 steps"):
        encoder.read({**last, "holiday": last["holiday"][:-1]})


def test_the_calendar_is_known_ahead_for_ever() -> None:
    asked = section(calendar=True)
    stamps = {"start": "2026-01-01", "frequency": "D"}
    windows = dealt([{"id": "a", **stamps, "value": list(range(40))}], asked)
    encoder = encoder_for(windows, asked)
    assert encoder.sizes["future_size"] == 6
    history, window = encoder.read({"id": "a", **stamps, "value": [1, 2, 3, 4]})
    assert window.future.shape == (2, 6) and history.stamps(4, 1) == ["2026-01-05"]


@pytest.mark.parametrize("scaling", ["window", "level", "train", "none"])
def test_the_scale_of_a_window_is_undone(scaling) -> None:
    rng = np.random.default_rng(1)
    asked = section(scaling=scaling)
    windows = dealt([row(rng.normal(500, 20, 60))], asked)
    encoder = encoder_for(windows, asked)
    for one in windows["test"]:
        history, window = encoder.read(one["value"]["history"])
        np.testing.assert_allclose(window.location + window.scale * window.inputs, history.values, rtol=1e-5)
        if scaling == "window":
            np.testing.assert_allclose([window.inputs.mean(), window.inputs.std()], [0, 1], atol=1e-5)


def test_a_flat_context_is_not_blown_up() -> None:
    nothing = (np.zeros(1), np.ones(1))
    location, scale = window_scale(np.full((4, 1), 5.0), "window", nothing)
    assert (location, scale) == (5.0, 5.0e-3)
    for scaling in ("window", "level"):
        assert window_scale(np.zeros((4, 1)), scaling, nothing)[1] == 1.0


def test_missing_values_are_refused_by_name_or_filled_from_the_context_alone() -> None:
    values = [1.0, 2.0, np.nan, 4.0, 5.0, 6.0, np.nan, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0]
    windows = dealt([row(values)], section())
    with pytest.raises(InputError, match="1 missing values, the first at 2"):
        encoder_for(windows, section()).read(windows["train"][0]["value"]["history"])
    asked = section(missing="linear")
    windows = dealt([row(values)], asked)
    encoder = encoder_for(windows, asked)
    _, first = encoder.read(windows["train"][0]["value"]["history"])
    np.testing.assert_array_equal(first.inputs, [[1, 1], [2, 1], [3, 0], [4, 1]])  # which of them are real
    # The gap at step 6 ends this context: what comes after it is not known yet.
    _, ending = encoder.read(row(values[3:7], start=3))
    np.testing.assert_array_equal(ending.inputs[:, 0], [4, 5, 6, 6])
    assert windows["train"][1]["value"]["future"] == [6.0, None]
    assert np.isnan(numbers_of([one["value"]["future"] for one in windows["train"]])[1, 1, 0])


@pytest.mark.parametrize(
    ("rule", "expected"), [("forward", [2, 2, 2, 2, 8, 8]), ("linear", [2, 2, 4, 6, 8, 8])]
)
def test_how_gaps_are_filled(rule, expected) -> None:
    context = np.asarray([np.nan, 2.0, np.nan, np.nan, 8.0, np.nan])[:, None]
    np.testing.assert_allclose(fill(context, rule=rule)[:, 0], expected)


def test_contexts_without_values_and_targets_that_are_all_missing_are_left_out() -> None:
    values = np.arange(40.0)
    values[8:14] = np.nan
    windows = dealt([row(values)], section(missing="forward"))["train"]
    # 8 to 12 have nothing to foretell, 12 to 14 nothing to foretell from.
    assert [int(one["id"].split("@")[1]) for one in windows] == [4, 5, 6, 7, *range(15, 23)]


def test_short_contexts_are_read_where_they_are_allowed() -> None:
    asked = section(min_context=2)
    windows = dealt([row(range(1, 21))], asked)
    assert windows["train"][0]["value"]["history"]["value"] == [1, 2]
    assert encoder_for(windows, asked).read(row([7, 8]))[1].inputs.tolist() == [[7], [8]]
    with pytest.raises(InputError, match="3 values"):
        read_history(row([7, 8, 9]), section(), horizon=2)


def test_test_rows_continue_their_series_and_others_are_series_of_their_own() -> None:
    asked = section()
    train = [row(range(20)), row(range(20), name="b")]
    test = [row(range(20, 26), start=20), row(range(50, 60), name="unseen", start=5)]
    windows = dealt(train, asked, test_rows=test)
    assert {one["id"].split("@")[0] for one in windows["train"]} == {"a", "b"}
    assert [one["id"] for one in windows["test"] if one["id"].startswith("a")] == [
        f"a@{i}" for i in range(20, 25)
    ]
    assert windows["test"][0]["value"]["history"]["value"] == [16, 17, 18, 19]  # from train
    assert [one["id"] for one in windows["test"] if one["id"].startswith("unseen")] == [
        f"unseen@{i}" for i in range(9, 14)
    ]
    with pytest.raises(InputError, match="at or before the last train value"):
        dealt(train, section(duplicates="last"), test_rows=[row(range(9), start=15)])


def test_rows_of_one_series_are_joined_by_their_times() -> None:
    asked = section(series="shop", gaps="fill", missing="forward", future=["holiday"])
    rows = [
        {"id": "2", "shop": "x", "start": 12, "frequency": "step", "value": [12.0] * 8, "holiday": [1] * 10},
        {"id": "1", "shop": "x", "start": 0, "frequency": "step", "value": [0.0] * 10, "holiday": [0] * 14},
    ]
    windows = dealt(rows, asked)
    assert all(one["shop"] == "x" for split in SPLITS for one in windows[split])
    late = next(one for split in SPLITS for one in windows[split] if one["id"] == "x@14")
    assert late["value"]["history"]["value"] == [None, None, 12.0, 12.0]
    # Steps 10 and 11 are told by the earlier row, 12 and later by the row that has them.
    assert late["value"]["history"]["holiday"] == [0, 0, 1, 1, 1, 1]


@pytest.mark.parametrize("day", [28, 30, 31])
def test_months_stay_on_their_day_in_every_row_of_a_window(day) -> None:
    asked = section(calendar=True)
    stamps = [str(stamp)[:10] for stamp in (np.datetime64("2023-01") + np.arange(50)).astype("datetime64[D]")]
    ends = (np.datetime64("2023-01") + np.arange(1, 51)).astype("datetime64[D]") - np.timedelta64(1, "D")
    stamps = [
        f"{stamp[:8]}{min(day, int(str(end)[8:])):02d}" for stamp, end in zip(stamps, ends, strict=True)
    ]
    values = list(np.arange(50.0))
    # The second row begins on 28 February, which alone would be the last day of every month.
    rows = [
        {"id": "a", "timestamps": stamps[:25], "value": values[:25]},
        {"id": "a", "timestamps": stamps[25:], "value": values[25:]},
    ]
    assert stamps[25] == f"2025-02-{min(day, 28)}"
    windows = dealt(rows, asked)
    encoder = encoder_for(windows, asked)
    for split in SPLITS:
        assert [one["id"].split("@")[1] for one in windows[split]] == [
            stamps[position] for position in windows[split].places[:, 1]
        ]
        for place, one in enumerate(windows[split].inputs):
            history, window = encoder.read(one)
            assert history.stamps(0, 6) == windows[split].history(place).stamps(0, 6)
            np.testing.assert_array_equal(
                window.future, encoder.features([windows[split].history(place)]).rows["future"][0]
            )


def test_shares_cut_a_series() -> None:
    one = series_of(range(100))
    cut = cut_points([one], valid=0.1, test=0.2, horizon=1, together=True)[0]
    assert (cut.valid, cut.test) == (70, 80)
    whole = cut_points([one], valid=0.1, test=0.2, horizon=8, together=False)[0]
    assert (whole.valid, whole.test) == (100 - 16 - 8, 100 - 16)  # whole horizons
    short = cut_points([one], valid=0.01, test=0.01, horizon=8, together=False)[0]
    assert (short.valid, short.test) == (84, 92)  # at least one
    held = cut_points([series_of(range(100), held_out=20)], valid=0.1, test=0.0, horizon=1, together=True)[0]
    assert (held.valid, held.test) == (72, 80)
    alone = cut_points([series_of(range(100), held_out=100)], valid=0.1, test=0.0, horizon=1, together=True)[
        0
    ]
    assert (alone.valid, alone.test) == (0, 0)


def test_series_are_cut_at_the_same_times_or_each_at_its_own_end() -> None:
    members = [series_of(range(20), name="early"), series_of(range(20), name="late", start=10)]
    together = [
        (cut.valid, cut.test) for cut in cut_points(members, valid=0.2, test=0.2, horizon=1, together=True)
    ]
    assert together == [(18, 20), (8, 14)]  # steps 18 and 24 for both
    apart = [
        (cut.valid, cut.test) for cut in cut_points(members, valid=0.2, test=0.2, horizon=1, together=False)
    ]
    assert apart == [(12, 16), (12, 16)]


def test_the_unit_of_mase_is_the_seasonal_naive_error_of_train() -> None:
    values = np.asarray([1.0, 5.0, 2.0, 7.0, 4.0, 6.0])[:, None]
    np.testing.assert_allclose(seasonal_error(values, 2), [(1 + 2 + 2 + 1) / 4])
    np.testing.assert_allclose(seasonal_error(values, 10), [np.abs(np.diff(values[:, 0])).mean()])
    assert np.isnan(seasonal_error(values[:1], 2)).all()
    asked = section()
    windows = dealt([row(np.concatenate([np.arange(12.0), 12 + np.arange(8.0) * 3]))], asked)
    assert encoder_for(windows, asked).facts["a"].seasonal_error == (1.0,)  # valid and test rise by 3 a step


def test_what_was_fitted_reads_the_same_after_it_was_saved(tmp_path) -> None:
    asked = section(static=["place", "area"], future=["holiday"], remember_series=True, scaling="train")
    rows = [
        row(np.sin(np.arange(30.0)), name=name, holiday=[0, 1] * 16, place=place, area=area)
        for name, place, area in (("b", "city", 7), ("a", "village", 9.5))
    ]
    windows = dealt(rows, asked)
    encoder = encoder_for(windows, asked)
    encoder.save(tmp_path / "scaler.json")
    again = HistoryEncoder.load(tmp_path / "scaler.json", asked)
    assert (
        again.sizes == encoder.sizes
        and encoder.sizes["static_size"] == 3
        and encoder.sizes["num_series"] == 2
    )
    for given in [*windows["test"].inputs, *probe_histories(encoder)]:
        one = orjson.loads(orjson.dumps(given))
        (first, left), (second, right) = encoder.read(one), again.read(one)
        np.testing.assert_array_equal(left.inputs, right.inputs)
        assert encoder.series_index(first) == again.series_index(second)
        np.testing.assert_array_equal(encoder.static_numbers(first), again.static_numbers(second))
    assert {encoder.series_index(encoder.read(one)[0]) for one in probe_histories(encoder)} == {0, 1}


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ({"value": "1,2,3"}, "no list of numbers"),
        ({"value": []}, "no list of numbers"),
        ({"value": [1.0, "2", 3.0, 4.0]}, "no number"),
        ({"value": [[1.0], [2.0, 3.0]]}, "no number"),
        ({"value": [1.0, float("inf"), 3.0, 4.0]}, "no number"),
        ({"value": [["1"], ["2"], ["3"], ["4"]]}, "no number"),
        ({"value": [[True], [2], [3], [4]]}, "no number"),
        ({"value": [[[1.0]], [[2.0]]]}, "holds lists"),
        ({"value": [10**400, 2, 3, 4]}, "'value' holds too large a number"),
        ({"value": [1e300, 2, 3, 4]}, "'value' holds too large a number"),
        ({"rain": [1e300, 2, 3, 4]}, "'rain' holds too large a number"),
        ({"place": 10**400}, "'place' holds too large a number"),
        ({"place": float("nan")}, "'place' holds too large a number, or none"),
        ({"start": "9999-12-30", "frequency": "D"}, "years 1 to 9999"),
        ({"start": "0001-01-01T00:00:00+01:00", "frequency": "D"}, "years 1 to 9999"),
        ({"start": 10**30}, "too large"),
        ({"start": "first of May", "frequency": "D"}, "ISO 8601"),
        ({"start": "2026-05-01", "frequency": "fortnight"}, "frequency"),
        ({"start": 3, "frequency": None}, "without a frequency"),
        ({"timestamps": [0, 1]}, "2 timestamps"),
        ({"rain": [1.0]}, "1 numbers in 'rain'"),
        ({"rain": None}, "no list of numbers in column 'rain'"),
        ({"holiday": [0, 1]}, "2 numbers in a covariate known ahead"),
        ({"place": None}, "None in column 'place'"),
    ],
)
def test_a_row_that_is_no_series_is_refused(broken, message) -> None:
    asked = section(past=["rain"], future=["holiday"], static=["place"])
    good = row(range(4), rain=[0.0] * 4, holiday=[0] * 6, place="city")
    assert read_stretch(good, asked).values.shape == (4, 1)
    with pytest.raises(InputError, match=message):
        read_stretch({**good, **broken}, asked)
    with pytest.raises(InputError, match="a row with the values of a series"):
        read_stretch("text", asked)


def test_stretches_that_do_not_fit_together_are_refused() -> None:
    dated = {"id": "a", "start": "2026-01-01", "frequency": "D", "value": [1.0] * 10}
    for other, message in (
        ({**dated, "frequency": "h", "start": "2026-02-01"}, "different grids"),
        ({**dated, "start": "2026-01-11", "value": [[1.0, 2.0]] * 10}, "different numbers of channels"),
        ({**dated, "start": "2026-01-20"}, "gaps at 2026-01-11"),
        ({**dated, "start": "2026-01-10"}, "duplicate timestamps 2026-01-10"),
    ):
        with pytest.raises(InputError, match=message):
            dealt([dated, other], section())


def test_a_horizon_beyond_the_year_9999_is_refused() -> None:
    given = {"id": "a", "start": "9999-12-25", "frequency": "D", "value": [1.0] * 7}
    with pytest.raises(InputError, match="to foretell"):
        read_history(given, section(), horizon=1)
    assert read_history({**given, "start": "9999-12-24"}, section(), horizon=1)


@pytest.mark.parametrize("together", [True, False])
def test_series_of_different_frequencies_are_refused(together) -> None:
    daily = {"id": "a", "start": "2026-01-01", "frequency": "D", "value": [1.0, 2.0] * 20}
    hourly = {**daily, "id": "b", "frequency": "h"}
    with pytest.raises(InputError, match="a has frequency D, b has h") as caught:
        dealt([daily, hourly], section(together=together))
    assert "set input.frequency" in str(caught.value)


def days(first, count):
    return [str(np.datetime64("2026-01-05") + first + step) for step in range(count)]  # from a Monday on


def stamped(name, stamps):
    return {"id": name, "timestamps": stamps, "value": [1.0] * len(stamps)}


def test_the_frequency_is_told_from_all_rows_of_a_series_and_not_from_a_short_one() -> None:
    asked = section()
    assert str(read_stretch(stamped("a", days(0, 5)), asked).frequency) == "B"
    rows = [stamped("a", days(5, 20)), stamped("a", days(0, 5)), stamped("a", days(25, 1))]
    assert {name: str(found) for name, found in frequencies_of(rows, asked).items()} == {"a": "D"}
    assert len(dealt(rows, asked)["train"].series[0]) == 26
    # A new series of a working week is taken for days beside one of days, for workdays beside none.
    fresh = stamped("new", days(28, 5))
    assert {str(one) for one in frequencies_of([*rows, fresh], asked).values()} == {"D"}
    assert str(frequencies_of([fresh], asked)["new"]) == "B"
    workdays = [day for day in days(0, 40) if np.is_busday(np.datetime64(day))]
    assert {str(one) for one in frequencies_of([stamped("a", workdays), fresh], asked).values()} == {"B"}
    # What a row says counts, one step that fits nothing is left to who reads it, and a recipe's frequency is that of all.
    said = {**stamped("a", days(0, 2)), "frequency": "D"}
    assert {str(one) for one in frequencies_of([said, stamped("a", days(2, 1)), fresh], asked).values()} == {
        "D"
    }
    assert frequencies_of([stamped("a", days(0, 1))], asked) == {}
    assert frequencies_of(rows, section(frequency="D")) == {}
    with pytest.raises(InputError, match="series a, frequency: 'fortnight'"):
        dealt([{**said, "frequency": "fortnight"}], asked)
    with pytest.raises(InputError, match="series a, timestamps"):
        frequencies_of([stamped("a", ["2026-01-05T00:00:01", "2026-01-05T00:00:17"])], asked)
    with pytest.raises(InputError, match="a has frequency D, b has h"):
        hours = [f"2026-01-05T{hour:02d}:00" for hour in range(24)]
        dealt([stamped("a", days(0, 40)), stamped("b", hours)], asked)


def test_a_history_of_another_frequency_than_in_training_is_refused(tmp_path) -> None:
    asked = section()
    daily = {"id": "a", "start": "2026-01-01", "frequency": "D", "value": [float(i % 5) for i in range(40)]}
    encoder_for(dealt([daily], asked), asked).save(tmp_path / "scaler.json")
    encoder = HistoryEncoder.load(tmp_path / "scaler.json", asked)
    assert encoder.frequency == parse_frequency("D")
    good = {"id": "a", "start": "2026-03-02", "frequency": "D", "value": [1.0] * 5}
    assert encoder.read(good)
    with pytest.raises(InputError, match="expected: D: the model was trained on"):
        encoder.read({**good, "frequency": "h"})
    with pytest.raises(InputError, match="lies off the grid"):
        hours = [f"2026-03-02T0{hour}:00" for hour in range(5)]
        encoder.read({"id": "a", "timestamps": hours, "value": [1.0] * 5})
    # Monday to Friday alone would pass for business days.
    week = {"id": "a", "timestamps": [f"2026-03-0{day}" for day in range(2, 7)], "value": [1.0] * 5}
    assert encoder.read(week)[0].stamps(4, 2) == ["2026-03-07", "2026-03-08"]


def test_a_row_that_contradicts_the_recipes_frequency_is_refused() -> None:
    given = {"id": "a", "start": "2026-01-01", "frequency": "h", "value": [1.0] * 5}
    with pytest.raises(InputError, match=r"D: the recipe's input\.frequency"):
        read_stretch(given, section(frequency="D"))


def test_a_history_that_is_too_large_once_it_is_scaled_is_refused_by_its_column() -> None:
    asked = section(past=["rain"], future=["holiday"], scaling="train")
    tiny = [1e-20 * (i % 3) for i in range(40)]
    given = row(tiny, rain=tiny, holiday=tiny)
    encoder = encoder_for(dealt([given], asked), asked)
    good = row(tiny[:5], rain=tiny[:5], holiday=tiny[:7])
    assert encoder.read(good)
    for column, length in (("rain", 5), ("holiday", 7)):
        with pytest.raises(InputError, match=f"column '{column}' holds too large a number once it is scaled"):
            encoder.read({**good, column: [1e38] * length})
