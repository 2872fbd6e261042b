"""Windows as places in series: read as serving reads rows, kept on disk once, nothing from the future in any of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from seqline.data.inputs.history import HistoryEncoder
from seqline.data.inputs.window_examples import WindowExamples
from seqline.data.rows import read_split
from seqline.data.splits import SPLITS
from seqline.data.window_rows import deal_windows
from seqline.data.window_store import read_windows, write_windows
from seqline.errors import InputError
from seqline.recipe import HistoryInput

HORIZON = 3
STEPS = 90


def section(**settings: Any) -> HistoryInput:
    values = {
        "column": "value",
        "series": "shop",
        "context_length": 8,
        "min_context": 5,
        "evaluation_stride": 1,
        "season_length": 4,
        "missing": "linear",
        "past": ["rain"],
        "future": ["holiday"],
        "static": ["place", "area"],
        "calendar": True,
        "remember_series": True,
        **settings,
    }
    return HistoryInput(**values)


def series_rows(*, missing: float = 0.15, seed: int = 0) -> list[dict[str, Any]]:
    """Three series of two channels; the second begins later."""
    rng = np.random.default_rng(seed)
    rows = []
    for number, length in enumerate((STEPS, STEPS - 20, STEPS)):
        values = rng.normal(10.0 ** (1 + number), 1.0 + number, (length, 2))
        values[rng.random(values.shape) < missing] = np.nan
        rows.append(
            {
                "id": f"{number}",
                "shop": f"s{number}",
                "start": str(np.datetime64("2026-01-01") + STEPS - length),
                "frequency": "D",
                "value": [[None if v != v else float(v) for v in step] for step in values],
                "rain": rng.normal(size=length).tolist(),
                "holiday": rng.normal(size=length + 10).tolist(),
                "place": ("city", "village", "city")[number],
                "area": 7.5 * number,
            }
        )
    return rows


def dealt(rows, asked):
    return deal_windows(rows, [], asked, horizon=HORIZON, valid=0.2, test=0.2)


def fitted(windows, asked) -> HistoryEncoder:
    return HistoryEncoder.fit(windows["train"].stretches(), asked, horizon=HORIZON)


@pytest.mark.parametrize("scaling", ["window", "level", "train", "none"])
def test_a_window_is_read_from_its_series_as_its_row_is_read_alone_or_among_others(scaling) -> None:
    asked = section(scaling=scaling)
    windows = dealt(series_rows(), asked)
    encoder = fitted(windows, asked)
    for split in SPLITS:
        examples = WindowExamples(windows[split], encoder)
        taken = examples.take(np.arange(len(examples)))
        assert len(examples) > 30 and set(taken.extras) >= {"future", "static", "series"}
        assert [len(steps) for steps in taken.sequences] == examples.lengths.tolist()
        for place, row in enumerate(windows[split].inputs):
            history, window = encoder.read(row)
            np.testing.assert_array_equal(taken.sequences[place], window.inputs)
            np.testing.assert_array_equal(taken.extras["future"][place], window.future)
            np.testing.assert_array_equal(taken.extras["location"][place], window.location)
            np.testing.assert_array_equal(taken.extras["scale"][place], window.scale)
            np.testing.assert_array_equal(taken.extras["static"][place], encoder.static_numbers(history))
            assert taken.extras["series"][place] == encoder.series_index(history)
            truth = np.asarray(windows[split].futures[place], dtype=float)
            np.testing.assert_array_equal(
                taken.targets[place], ((truth - window.location) / window.scale).astype(np.float32)
            )
    assert {5, 8} <= set(WindowExamples(windows["train"], encoder).lengths.tolist())  # short contexts too


def test_what_is_fitted_is_that_of_the_contexts_however_many_windows_hold_a_step() -> None:
    rows = series_rows()
    asked = section(stride=11)  # 8 steps in a context: three of each eleven steps are in none
    sparse = dealt(rows, asked)["train"]

    def steps_of(histories):
        return {
            (one.id, one.grid.start + i): one.values[i].tobytes()
            for one in histories
            for i in range(len(one))
        }

    stretches = list(sparse.stretches())
    assert len(stretches) == len(sparse) and {len(one) for one in stretches} <= {5, 6, 7, 8}
    assert steps_of(stretches) == steps_of(sparse.history(place) for place in range(len(sparse)))
    dense = dealt(rows, section())
    assert [one.id for one in dense["train"].stretches()] == ["s0", "s1", "s2"]
    end = STEPS - 2 * 18 - HORIZON  # contexts of train end where the last targets begin
    expected = np.asarray(rows[0]["value"], dtype=float)[:end]
    np.testing.assert_allclose(fitted(dense, section()).facts["s0"].mean, np.nanmean(expected, axis=0))


def test_on_disk_the_series_are_held_once_and_the_rows_are_the_same(tmp_path) -> None:
    asked = section()
    windows = dealt(series_rows(), asked)
    encoder = fitted(windows, asked)
    for split in SPLITS:
        units = WindowExamples(windows[split], encoder).checked(("seasonal_error", "deviation"))
        write_windows(tmp_path, split, windows[split], units)
    held = np.load(tmp_path / "series.values.npy")
    assert held.shape == (3 * STEPS - 20, 2)
    for split in SPLITS:
        again, rows = read_windows(tmp_path, split), read_split(tmp_path, split)
        assert list(again) == list(windows[split])
        assert list(rows.ids) == [one["id"] for one in windows[split]]
        assert list(rows.inputs) == [one["value"]["history"] for one in windows[split]]
        assert list(rows.truths) == [one["value"]["future"] for one in windows[split]]
        assert {name: list(values) for name, values in rows.columns.items()} == {
            name: [one[name] for one in windows[split]] for name in ("shop", "place", "area")
        }
        names = rows.columns["shop"]
        assert [unit["deviation"] for unit in rows.units] == [list(encoder.facts[n].deviation) for n in names]
        first, second = (
            WindowExamples(one, encoder).take(np.arange(len(one))) for one in (windows[split], again)
        )
        np.testing.assert_array_equal(np.concatenate(first.sequences), np.concatenate(second.sequences))
    picked = rows.take([4, 1])
    assert picked.ids == [rows.ids[4], rows.ids[1]] and picked.inputs == [rows.inputs[4], rows.inputs[1]]


def test_the_steps_of_a_split_are_those_of_windows_spread_over_it(monkeypatch) -> None:
    asked = section()
    windows = dealt(series_rows(), asked)["train"]
    examples = WindowExamples(windows, fitted({"train": windows}, asked))
    whole = examples.steps
    assert whole.shape[0] == examples.lengths.sum()
    monkeypatch.setattr("seqline.data.inputs.window_examples._MAX_STEPS", 80)
    few = examples.steps
    places = np.linspace(0, len(examples) - 1, 10).round().astype(int)
    assert len(few) <= 80
    np.testing.assert_array_equal(few, np.concatenate(examples.take(places).sequences))


def test_a_value_to_be_foretold_that_is_too_large_is_refused_by_its_window() -> None:
    asked = HistoryInput(column="value", context_length=4, scaling="window")
    calm = [1.0 + 1e-12 * (step % 2) for step in range(40)]
    calm[12] = 3.0e38
    calm[:8] = [1e-30 * (step % 3) for step in range(8)]
    windows = dealt([{"id": "a", "start": 0, "frequency": "step", "value": calm}], asked)
    examples = WindowExamples(windows["train"], fitted(windows, asked))
    with pytest.raises(InputError, match=r"window a@\d+: a value to be foretold is too large"):
        examples.checked(("scale",))


@pytest.mark.parametrize("scaling", ["window", "level", "train"])
def test_planted_spikes_change_no_example_before_them_and_nothing_that_is_fitted_on_train(scaling) -> None:
    asked = section(scaling=scaling, min_context=None)
    calm = series_rows()
    before = dealt(calm, asked)
    encoder = fitted(before, asked)
    train_ends = max(place + HORIZON for place in before["train"].places[:, 1])
    for spike in (train_ends, train_ends + 7, STEPS - 5):
        wild = [dict(row) for row in calm]
        for row in wild:
            begin = spike - (STEPS - len(row["value"]))
            row["value"] = [*row["value"][:begin], *([[1e9, -1e9]] * (len(row["value"]) - begin))]
            row["rain"] = [*row["rain"][:begin], *([1e9] * (len(row["rain"]) - begin))]
            # What is known ahead is known for the horizon, and not a step further.
            row["holiday"] = [
                *row["holiday"][: begin + HORIZON],
                *([1e9] * (len(row["holiday"]) - begin - HORIZON)),
            ]
        after = dealt(wild, asked)
        again = fitted(after, asked)
        assert again.facts == encoder.facts and again.static == encoder.static
        np.testing.assert_array_equal(again.past, encoder.past)
        np.testing.assert_array_equal(again.future, encoder.future)
        for split in SPLITS:
            np.testing.assert_array_equal(after[split].places, before[split].places)
            begins = np.asarray([STEPS - len(one) for one in before[split].series])
            times = before[split].places[:, 1] + begins[before[split].places[:, 0]]
            early = np.flatnonzero(times <= spike)
            assert len(early) or split != "train"
            if not len(early):
                continue
            first = WindowExamples(before[split], encoder).take(early)
            second = WindowExamples(after[split], again).take(early)
            np.testing.assert_array_equal(np.stack(first.sequences), np.stack(second.sequences))
            for name in first.extras:
                np.testing.assert_array_equal(np.stack(first.extras[name]), np.stack(second.extras[name]))
            assert [before[split].inputs[i] for i in early] == [after[split].inputs[i] for i in early]
            late = np.flatnonzero(times > spike)
            if len(late):  # and the spike is there to be seen
                seen = [before[split].inputs[i] != after[split].inputs[i] for i in late]
                assert all(seen)


def test_labels_and_vectors_of_series_that_only_test_has_are_not_known() -> None:
    asked = section(static=["place"], together=False)
    rows = [{name: value for name, value in row.items() if name != "area"} for row in series_rows()]
    alone = {**rows[2], "shop": "new", "place": "harbour"}
    windows = deal_windows(rows[:2], [alone], asked, horizon=HORIZON, valid=0.2, test=0.0)
    encoder = fitted(windows, asked)
    assert encoder.static == {"place": ["city", "village"]} and set(encoder.facts) == {"s0", "s1"}
    taken = WindowExamples(windows["test"], encoder).take(np.arange(3))
    assert [row.tolist() for row in taken.extras["static"]] == [[0.0, 0.0]] * 3
    assert taken.extras["series"] == [0, 0, 0]
