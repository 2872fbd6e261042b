"""Timestamps: grids of every frequency, gaps and duplicates found, refused or filled as told."""

from __future__ import annotations

import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqline.data.calendar import Frequency, infer_frequency, parse_frequency, parse_timestamp
from seqline.data.grid import calendar_features, regular_grid
from seqline.errors import InputError


def grid_of(stamps, *, frequency=None, gaps="refuse", duplicates="refuse"):
    chosen = None if frequency is None else parse_frequency(frequency)
    return regular_grid(stamps, frequency=chosen, gaps=gaps, duplicates=duplicates, where="series a")


@pytest.mark.parametrize(
    ("stamps", "expected"),
    [
        (["2026-01-31", "2026-02-28", "2026-03-31"], "M"),
        (["2026-01", "2026-02", "2026-03"], "M"),
        (["2020", "2021", "2023"], "Y"),
        (["2026-01-01", "2026-04-01", "2026-07-01"], "Q"),
        (["2026-01-02", "2026-01-09", "2026-01-16"], "W"),
        (["2026-01-01", "2026-01-02", "2026-01-05"], "B"),  # Thursday, Friday, Monday
        (["2026-01-02", "2026-01-03", "2026-01-04"], "D"),
        (["2026-01-02T00:00", "2026-01-02T01:00", "2026-01-02T03:00"], "h"),
        (["2026-01-02T00:10", "2026-01-02T00:25", "2026-01-02T00:40"], "15min"),
        ([0, 1, 2], "step"),
        ([4, 1, 2], "step"),
        ([1_699_999_200, 1_700_002_800, 1_700_010_000], "3600step"),  # seconds, an hour missing
        ([3 * 86_400 * 10**9, 86_400 * 10**9], "172800000000000step"),
        ([5, 5], "step"),
        ([2019, 2020, 2022], "step"),  # years count as they are
        ([202_601, 202_602, 202_612], "step"),  # months of one year have no gap as counters either
        ([20_260_130, 20_260_131, 20_260_132], "step"),
        ([2_026_111, 2_026_112], "step"),
        ([18_991_231, 18_991_230], "step"),
    ],
)
def test_the_frequency_is_told_from_the_timestamps(stamps, expected) -> None:
    assert str(infer_frequency(stamps)) == expected


@pytest.mark.parametrize(
    ("alias", "unit"),
    [
        *(("MS", "M"), ("ME", "M"), ("BMS", "M"), ("BME", "M")),
        *(("QS", "Q"), ("QE", "Q"), ("BQS", "Q"), ("BQE", "Q"), ("QE-NOV", "Q")),
        *(("YS", "Y"), ("YE", "Y"), ("BYE", "Y"), ("YE-FEB", "Y")),
        *(("B", "B"), ("W-SUN", "W"), ("W-WED", "W"), ("D", "D"), ("h", "h"), ("15min", "15min")),
    ],
)
def test_calendars_that_pandas_knows_are_told_continued_and_their_gaps_found(alias, unit) -> None:
    dates = pd.date_range("2021-01-01", periods=45, freq=alias)
    stamps = [date.isoformat() if unit in ("h", "15min") else date.date().isoformat() for date in dates]
    known, later = stamps[:40], stamps[40:]
    assert str(infer_frequency(known)) == unit
    grid = grid_of(known)
    assert grid.length == 40
    assert [parse_timestamp(stamp) for stamp in grid.stamps(40, 5)] == [
        parse_timestamp(stamp) for stamp in later
    ]
    holed = [*known[:7], *known[9:]]
    with pytest.raises(InputError, match="gaps at"):
        grid_of(holed, frequency=unit)
    filled = grid_of(holed, frequency=unit, gaps="fill")
    assert (filled.length, filled.gaps) == (40, 2)
    assert [parse_timestamp(stamp) for stamp in filled.stamps(0, 45)] == [
        parse_timestamp(stamp) for stamp in stamps
    ]


@pytest.mark.parametrize("day", [28, 29, 30, 31])
def test_a_day_that_february_lacks_is_its_last_one(day) -> None:
    dates = [f"2026-{month:02d}-{min(day, last)}" for month, last in ((1, 31), (2, 28), (3, 31), (4, 30))]
    for order in (dates, dates[::-1], [dates[1], *dates[2:], dates[0]]):
        grid = grid_of(order)
        assert str(grid.frequency) == "M"
        assert grid.stamps(0, 5) == [*dates, f"2026-05-{day}"]
        assert grid.is_told_by_its_start
    assert grid_of(dates[1:]).is_told_by_its_start == (day == 31)
    with pytest.raises(InputError, match="2026-03-27' lies off the grid that '2026-01-"):
        grid_of([dates[0], dates[1], "2026-03-27"], frequency="M")
    with pytest.raises(InputError, match="gaps at"):  # no months: days, and most of them missing
        grid_of(["2026-01-28", "2026-02-27", "2026-03-28"])


@pytest.mark.parametrize(
    ("stamps", "written"),
    [
        ([20_260_131, 20_260_201], "2026-01-31 for 20260131"),
        ([20_260_103, 20_260_102], "2026-01-02 for 20260102"),
        ([202_512, 202_601], "2025-12 for 202512"),
    ],
)
def test_whole_numbers_that_read_as_dates_are_no_counters(stamps, written) -> None:
    with pytest.raises(InputError, match=f"all read as dates\n  expected: ISO 8601, as {written}\n"):
        infer_frequency(stamps)
    # Whoever says that they are counters is believed.
    assert len(grid_of(stamps, frequency="step", gaps="fill").stamps(0, 1)) == 1


def test_a_counter_in_large_steps_has_them_for_steps() -> None:
    seconds = [3_600 * hour for hour in (5, 6, 8)]
    with pytest.raises(InputError, match=r"gaps at 25200\n  expected: every step of frequency 3600step"):
        grid_of(seconds)
    grid = grid_of(seconds, gaps="fill")
    assert (grid.length, grid.gaps, grid.stamps(3, 2)) == (4, 1, [28_800, 32_400])
    assert grid.is_told_by_its_start
    assert parse_frequency(str(grid.frequency)) == grid.frequency
    far_apart = infer_frequency([2**61, -(2**61)])
    assert far_apart == parse_frequency(str(far_apart)) == Frequency("step", 2**62)
    with pytest.raises(InputError, match="is too large"):
        infer_frequency([0, 10**5_000])


def test_timestamps_that_fit_no_frequency_are_refused() -> None:
    with pytest.raises(InputError, match="no regular frequency fits"):
        infer_frequency(["2026-01-02T00:00:01", "2026-01-02T00:00:17", "2026-01-02T03:00:00"])
    with pytest.raises(InputError, match="at least two"):
        infer_frequency(["2026-01-02"])


@pytest.mark.parametrize("text", ["hourly", "0h", "h2", "-1D", ""])
def test_a_frequency_that_cannot_be_read_is_refused(text) -> None:
    with pytest.raises(InputError, match="frequency"):
        parse_frequency(text)


@pytest.mark.parametrize(
    "stamp", ["yesterday", "01/02/2026", "2026-13-01", "2026-02-30", "", 7.5, True, None]
)
def test_a_timestamp_that_is_none_is_refused(stamp) -> None:
    with pytest.raises(InputError, match="ISO 8601"):
        parse_timestamp(stamp)


def test_an_offset_counts_in_utc() -> None:
    # The clock goes back from 03:00+02:00 to 02:00+01:00: no duplicate, no gap.
    grid = grid_of(
        [
            "2025-10-26T01:00+02:00",
            "2025-10-26T02:00+02:00",
            "2025-10-26T02:00+01:00",
            "2025-10-26T03:00+01:00",
        ]
    )
    assert (str(grid.frequency), grid.length, grid.gaps, grid.duplicates) == ("h", 4, 0, 0)


@given(
    unit=st.sampled_from(["min", "15min", "h", "6h", "D", "2D", "W", "M", "Q", "Y", "B"]),
    start=st.datetimes(min_value=datetime.datetime(1900, 1, 1), max_value=datetime.datetime(2100, 1, 1)).map(
        lambda moment: moment.replace(second=0, microsecond=0)
    ),
)
def test_every_period_has_the_timestamp_it_was_read_from(unit, start) -> None:
    frequency = parse_frequency(unit)
    if unit == "B" and start.weekday() >= 5:
        start -= datetime.timedelta(days=2)
    number, phase = frequency.period(start.isoformat())
    assert parse_timestamp(frequency.stamp(number, phase)) == start
    later = [frequency.stamp(number + i, phase) for i in range(30)]
    assert [frequency.period(stamp)[0] - number for stamp in later] == list(range(30))


def test_gaps_are_refused_by_name_or_left_to_be_filled() -> None:
    stamps = ["2026-01-01", "2026-01-02", "2026-01-05", "2026-01-06", "2026-01-10"]
    with pytest.raises(InputError, match=r"gaps at 2026-01-03, 2026-01-04, 2026-01-07 and 2 more"):
        grid_of(stamps, frequency="D")
    grid = grid_of(stamps, frequency="D", gaps="fill")
    assert (grid.length, grid.gaps) == (10, 5)
    placed = grid.place(np.arange(5.0)[:, None], duplicates="refuse")[:, 0]
    np.testing.assert_array_equal(placed, [0, 1, np.nan, np.nan, 2, 3, np.nan, np.nan, np.nan, 4])


@pytest.mark.parametrize(("rule", "expected"), [("first", 1.0), ("last", 3.0), ("mean", 2.0), ("sum", 4.0)])
def test_duplicates_are_refused_or_count_as_told(rule, expected) -> None:
    stamps = ["2026-01-01", "2026-01-02", "2026-01-02", "2026-01-03"]
    with pytest.raises(InputError, match=r"duplicate timestamps 2026-01-02"):
        grid_of(stamps)
    grid = grid_of(stamps, frequency="D", duplicates=rule)
    values = np.asarray([0.0, 1.0, 3.0, 9.0])[:, None]
    np.testing.assert_array_equal(grid.place(values, duplicates=rule)[:, 0], [0.0, expected, 9.0])
    assert grid.duplicates == 1


def test_rows_in_any_order_are_put_in_time() -> None:
    grid = grid_of([3, 1, 2], frequency="step")
    np.testing.assert_array_equal(
        grid.place(np.asarray([[30.0], [10.0], [20.0]]), duplicates="refuse")[:, 0], [10, 20, 30]
    )
    assert grid.stamps(2, 3) == [3, 4, 5]


def test_a_timestamp_off_the_grid_is_refused() -> None:
    with pytest.raises(InputError, match="lies off the grid"):
        grid_of(["2026-01-01T00:00", "2026-01-01T01:00", "2026-01-01T01:30"], frequency="h")
    with pytest.raises(InputError, match="weekend"):
        grid_of(["2026-01-02", "2026-01-03"], frequency="B")


def test_one_mistyped_year_does_not_ask_for_gigabytes() -> None:
    with pytest.raises(InputError, match="at most 10,000,000"):
        grid_of(["2026-01-01T00:00", "2026-01-01T00:01", "9026-01-01T00:00"], frequency="min", gaps="fill")


def test_calendar_features_are_equal_a_day_a_week_and_a_year_apart() -> None:
    grid = grid_of(["2026-01-05T00:00", "2026-01-05T01:00"], frequency="h")
    features = calendar_features(grid, 0, 24 * 366)
    np.testing.assert_allclose(features[0, :2], features[24, :2], atol=1e-12)
    np.testing.assert_allclose(features[5, :4], features[5 + 168, :4], atol=1e-12)
    np.testing.assert_allclose(features[3, 4:], features[3 + 24 * 365, 4:], atol=1e-12)
    np.testing.assert_allclose(features[6, :2], [1.0, 0.0], atol=1e-12)  # six in the morning
    assert not calendar_features(grid_of([0, 1]), 0, 2).any()
    assert Frequency("step").stamp(3, (0,)) == 3


@pytest.mark.parametrize(
    ("frequency", "stamp"),
    [
        ("D", "0001-01-01T00:00:00+01:00"),
        ("h", "9999-12-31T23:30:00-01:00"),
        ("step", 10**30),
        ("step", -(10**5000)),
        ("D", 10**5000),
        ("D", "0000-01-01"),
    ],
    ids=["UTC before 1", "UTC after 9999", "counter", "long counter", "long number", "year 0"],
)
def test_a_time_that_no_calendar_holds_is_refused_and_never_overflows(frequency, stamp) -> None:
    with pytest.raises(InputError, match="timestamps"):
        parse_frequency(frequency).period(stamp)
    with pytest.raises(InputError):
        grid_of([stamp, stamp], frequency=frequency)


@pytest.mark.parametrize("unit", ["min", "h", "D", "W", "B", "M", "Q", "Y"])
def test_what_comes_after_the_year_9999_is_no_date(unit) -> None:
    frequency = parse_frequency(unit)
    number, phase = frequency.period("9999-12-01")
    with pytest.raises(InputError, match="years 1 to 9999"):
        frequency.stamp(number + 100_000, phase)


def test_the_largest_counters_lie_on_a_grid() -> None:
    with pytest.raises(InputError, match="at most"):
        grid_of([-(2**62) + 1, 2**62 - 1], frequency="step")
    assert grid_of([2**62 - 2, 2**62 - 1], frequency="step").length == 2
