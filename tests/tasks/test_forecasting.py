"""Forecasting and regression through prepare, train and evaluation, on a few small series; AR(2) learnt to its limit."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from seqline.commands.answers import _answer
from seqline.config import parse_recipe
from seqline.data.collate import bucketed, collate
from seqline.data.rows import read_split
from seqline.data.series_facts import SeriesFacts
from seqline.errors import InputError
from seqline.evaluation.baselines import BASELINES, Problem
from seqline.evaluation.forecasting import COLUMNS, scores
from seqline.recipe import Recipe
from seqline.serving.predictor import Predictor
from seqline.stages import prepare, train
from seqline.tasks import task_named
from seqline.tracking.tally import Pair, ShadowRow

WEEK = np.asarray([1.0, 1.1, 1.2, 1.1, 1.3, 0.6, 0.4])


def recipe(**sections: dict[str, Any]) -> Recipe:
    values: dict[str, Any] = {
        "task": "forecasting",
        "input": {
            "kind": "history",
            "column": "value",
            "context_length": 14,
            "stride": 1,
            "evaluation_stride": 2,
            "season_length": 7,
            "missing": "linear",
            "future": ["holiday"],
            "static": ["place"],
        },
        "target": {"column": "value", "horizon": 7, "intervals": [80, 50]},
        "validation": {"min_rows": 1},
        "split": {"valid": 0.15},
        "model": {"hidden_size": 16, "segment": 7, "decoder": "parallel", "dropout": 0.0},
        "training": {
            "epochs": 16,
            "batch_size": 32,
            "learning_rate": 0.02,
            "threads": 1,
            "precision": "fp32",
        },
        "evaluation": {"slices": ["place"]},
        "gate": {},
    }
    for name, changes in sections.items():
        values[name] = {**values[name], **changes} if isinstance(changes, dict) else changes
    return parse_recipe(values, "test.yaml")


def write_data(folder: Path) -> None:
    """Four series of 140 days with a week, holidays and noise; the last 42 days are the test set."""
    rng = np.random.default_rng(0)
    rows: dict[str, list[dict[str, Any]]] = {"train": [], "test": []}
    for number in range(4):
        holiday = (rng.random(147) < 0.1).astype(int)
        level = 50.0 * (1 + number)
        values = (
            level * np.tile(WEEK, 20) * np.where(holiday[:140], 0.4, 1.0) * (1 + 0.05 * rng.normal(size=140))
        )
        given: list[float | None] = [round(float(value), 1) for value in values]
        given[40 + number] = None
        common = {"frequency": "D", "place": "north" if number % 2 else "south"}
        rows["train"].append(
            {
                "id": f"s{number}",
                "start": "2026-01-05",
                "value": given[:98],
                "holiday": holiday[:105].tolist(),
                **common,
            }
        )
        rows["test"].append(
            {
                "id": f"s{number}",
                "start": "2026-04-13",
                "value": given[98:],
                "holiday": holiday[98:].tolist(),
                **common,
            }
        )
    for split, members in rows.items():
        (folder / split).mkdir(parents=True)
        lines = "".join(json.dumps(row) + "\n" for row in members)
        (folder / split / f"{split}.jsonl").write_text(lines)


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> tuple[Recipe, Path]:
    root = tmp_path_factory.mktemp("forecasting")
    write_data(root / "data")
    asked = recipe()
    prepare.run(asked, data_folder=root / "data", output_folder=root / "prepare")
    train.run(
        asked,
        prepare_folder=root / "prepare",
        output_folder=root / "train",
        checkpoint_folder=root / "checkpoint",
        report=lambda event: None,
    )
    return asked, root


def test_the_model_beats_the_seasonal_naive_forecast_and_its_intervals_cover(trained) -> None:
    asked, root = trained
    predictor = Predictor.load(root / "train")
    rows = {split: read_split(root / "prepare", split) for split in ("train", "valid", "test")}
    values = predictor.measure(rows["test"])
    assert values.shape == (len(rows["test"]), len(COLUMNS))
    problem = Problem(asked, rows["train"], rows["valid"], rows["test"])
    simple = BASELINES["seasonal_naive"].answer(problem)
    found, beside = scores(values), scores(simple)
    assert found["mase"] < 0.8 * beside["mase"] and found["pinball"] < 0.8 * beside["pinball"]
    assert 0.65 < found["coverage"] < 0.95
    assert set(rows["test"].columns) == {"series", "place"}
    for name in ("naive", "drift", "exponential_smoothing"):
        other = scores(BASELINES[name].answer(problem))
        assert other["mase"] > beside["mase"] and 0.4 < other["coverage"] < 1


def test_the_last_season_is_found_in_the_series_though_contexts_are_shorter(tmp_path) -> None:
    values = np.tile(WEEK, 12).tolist()
    path = tmp_path / "data" / "train" / "train.jsonl"
    path.parent.mkdir(parents=True)
    common = {"start": "2026-01-05", "frequency": "D", "place": "south", "holiday": [0] * 91}
    # The second series begins when it is to be tested: it has three days, and no season yet.
    rows = [{"id": "whole", "value": values}, {"id": "young", "value": values[:12], "start": "2026-03-18"}]
    path.write_text("".join(json.dumps({**common, **row}) + "\n" for row in rows))
    asked = recipe(
        input={"context_length": 3, "future": [], "evaluation_stride": 1},
        split={"valid": 0.15, "test": 0.15},
        model={"segment": 1},
    )
    prepare.run(asked, data_folder=tmp_path / "data", output_folder=tmp_path / "prepare")
    parts = {split: read_split(tmp_path / "prepare", split) for split in ("train", "valid", "test")}
    names = [row_id.partition("@")[0] for row_id in parts["test"].ids]
    assert set(names) == {"whole", "young"}
    whole = np.asarray([name == "whole" for name in names])
    problem = Problem(asked, **parts)
    seasonal, last = (BASELINES[name].answer(problem) for name in ("seasonal_naive", "naive"))
    assert scores(seasonal[whole])["mae"] == pytest.approx(0)
    assert scores(last[whole])["mae"] > 0.2
    some = dataclasses.replace(problem, test=parts["test"].take([3, 0]), _made={})
    np.testing.assert_array_equal(BASELINES["seasonal_naive"].answer(some), seasonal[[3, 0]])
    early = ~whole & np.asarray([parts["test"].windows.places[i, 1] < 7 for i in range(len(names))])
    assert early.any()
    np.testing.assert_array_equal(
        seasonal[early][:, COLUMNS.index("absolute")], last[early][:, COLUMNS.index("absolute")]
    )


def test_whichever_model_is_measured_its_errors_are_counted_in_the_units_of_the_rows(trained) -> None:
    _, root = trained
    predictor = Predictor.load(root / "train")
    rows = read_split(root / "prepare", "test")
    names = [row_id.split("@")[0] for row_id in rows.ids]
    facts = predictor.model.encoder.facts
    assert [unit["seasonal_error"] for unit in rows.units] == [list(facts[n].seasonal_error) for n in names]
    assert [unit["deviation"] for unit in rows.units] == [list(facts[n].deviation) for n in names]
    # A champion of another year: the same forecasts, but its own train rows moved ten times as much.
    wilder = {
        name: SeriesFacts(
            one.mean, *([10 * n for n in numbers] for numbers in (one.deviation, one.seasonal_error))
        )
        for name, one in facts.items()
    }
    encoder = dataclasses.replace(predictor.model.encoder, facts=wilder)
    champion = dataclasses.replace(predictor, model=dataclasses.replace(predictor.model, encoder=encoder))
    own = predictor.measure(rows)
    np.testing.assert_array_equal(champion.measure(rows), own)
    picked = [5, 2]
    np.testing.assert_allclose(champion.measure(rows.take(picked)), own[picked], rtol=1e-5)
    bare = dataclasses.replace(rows, units=None)
    np.testing.assert_array_equal(predictor.measure(bare), own)
    assert scores(champion.measure(bare))["mase"] == pytest.approx(scores(own)["mase"] / 10)
    # In shadow, where rows come as users send them, both are counted in the challenger's.
    sent = [ShadowRow(rows.ids[i], rows.inputs[i], rows.truths[i]) for i in picked]
    for first, second in ((champion, predictor), (predictor, champion)):
        found = Pair(first, second).values(sent)
        np.testing.assert_allclose(*found, rtol=1e-5)
        np.testing.assert_allclose(found[1], second.measure(bare.take(picked)), rtol=1e-5)


def test_a_model_of_another_horizon_is_not_measured(trained) -> None:
    _, root = trained
    rows = read_split(root / "prepare", "test")
    for horizon in (1, 3):
        others = dataclasses.replace(rows, truths=[truth[:horizon] for truth in rows.truths])
        with pytest.raises(InputError, match=f"7 steps of 1 numbers\n +expected: {horizon} steps of 1"):
            Predictor.load(root / "train").measure(others)


def test_an_answer_is_a_forecast_with_intervals_in_the_unit_of_the_series(trained) -> None:
    _, root = trained
    predictor = Predictor.load(root / "train")
    rows = read_split(root / "prepare", "test")
    answers = predictor.answers(rows.inputs)
    record = json.loads(json.dumps(answers[0].record()))
    assert record["series"] == "s0" and record["timestamps"][0] == rows.ids[0].split("@")[1]
    assert len(record["forecast"]) == 7 and set(record["intervals"]) == {"80", "50"}
    wide, narrow = record["intervals"]["80"], record["intervals"]["50"]
    for low, inner, point, outer, high in zip(
        wide["low"], narrow["low"], record["forecast"], narrow["high"], wide["high"], strict=True
    ):
        assert low <= inner <= point <= outer <= high
    assert 20 < np.mean(record["forecast"]) < 90  # s0 has a level of 50
    assert answers[0].line().startswith(f"s0  {record['timestamps'][0]} ")


def test_an_answer_does_not_depend_on_the_others_of_the_call(trained) -> None:
    _, root = trained
    predictor = Predictor.load(root / "train")
    inputs = [*read_split(root / "prepare", "test").inputs[:20], *predictor.task.probes(predictor.model)]
    together = predictor.answers(inputs)
    for place in (0, 7, len(inputs) - 1):
        alone = predictor.answers([inputs[place]])[0]
        np.testing.assert_allclose(alone.values, together[place].values, rtol=1e-5)


def test_a_longer_history_gives_the_forecast_of_its_newest_steps(trained) -> None:
    _, root = trained
    predictor = Predictor.load(root / "train")
    newest = read_split(root / "prepare", "test").inputs[3]
    older = {**newest, "value": [9.0, 99.0, *newest["value"]], "holiday": [1.0, 0.0, *newest["holiday"]]}
    older["start"] = str(np.datetime64(newest["start"]) - 2)
    first, second = predictor.answers([newest, older])
    np.testing.assert_allclose(first.values, second.values, rtol=1e-6)
    assert first.stamps == second.stamps


def test_a_shorter_horizon_is_the_beginning_and_a_longer_one_is_refused(trained) -> None:
    _, root = trained
    answer = Predictor.load(root / "train").answers(read_split(root / "prepare", "test").inputs[:1])[0]
    assert answer.until(3).record()["forecast"] == answer.record()["forecast"][:3]
    for horizon in (0, 8):
        with pytest.raises(InputError, match="1 to 7"):
            answer.until(horizon)


def test_predict_gives_as_many_steps_as_are_asked_for_and_logs_nothing_it_refuses(trained) -> None:
    _, root = trained
    predictor = Predictor.load(root / "train")
    rows = [("one", read_split(root / "prepare", "test").inputs[0])]
    logged: list[Any] = []

    def log(inputs, answers) -> None:
        logged.extend(answers)

    whole, short = (json.loads(*_answer(predictor, rows, True, log, horizon)) for horizon in (None, 3))
    assert short["forecast"] == whole["forecast"][:3] and short["timestamps"] == whole["timestamps"][:3]
    assert short["intervals"]["80"]["high"] == whole["intervals"]["80"]["high"][:3]
    assert [len(answer.stamps) for answer in logged] == [7, 3]
    with pytest.raises(InputError, match=r"8 steps\n +expected: 1 to 7.*\n.* larger target\.horizon"):
        list(_answer(predictor, rows, True, log, 8))
    assert len(logged) == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"value": [1.0, 2.0]}, "at least 14"),
        ({"value": [None] * 14}, "no value at all"),
        ({"value": "twelve"}, "no list of numbers"),
        ({"holiday": [0] * 15}, "known ahead for 1 steps"),
        ({"value": [[1.0, 2.0]] * 14}, "2 numbers a step"),
        ({"place": 7}, "nothing"),
    ],
)
def test_a_history_that_cannot_be_forecast_from_is_refused(trained, change, message) -> None:
    _, root = trained
    predictor = Predictor.load(root / "train")
    good = read_split(root / "prepare", "test").inputs[0]
    if message == "nothing":  # a label that train does not know is none of them
        assert predictor.answers([{**good, **change}])
        return
    with pytest.raises(InputError, match=message):
        predictor.answers([{**good, **change}])


def test_the_report_shows_steps_forecast_times_and_charts(trained) -> None:
    asked, root = trained
    predictor = Predictor.load(root / "train")
    rows = read_split(root / "prepare", "test")
    sections = predictor.task.sections(asked, rows, predictor.answers(rows.inputs), predictor.measure(rows))
    assert [section.title for section in sections] == [
        "By step of the horizon", "Rolling backtest", "Forecasts against the truth",
    ]  # fmt: skip
    assert [row[0] for row in sections[0].rows] == list(range(1, 8))
    windows = sum(row[1] for row in sections[1].rows)
    assert windows == len(rows)
    chart = sections[2].charts[0]
    assert len(chart.bands[0].lows) == 7 and len(chart.lines[0].xs) == 14 + 7


def test_intervals_are_calibrated_on_valid(trained) -> None:
    asked, root = trained
    predictor = Predictor.load(root / "train")
    offsets = np.asarray(predictor.model.calibration["offsets"])
    assert offsets.shape == (2, 7) and (offsets[0] == offsets[0, 0]).all()  # together: one offset an interval
    values = predictor.measure(read_split(root / "prepare", "valid"))
    # Never less than promised, a little more with few windows.
    assert 0.8 <= scores(values)["coverage"] < 0.83
    assert not predictor.task.calibrate(
        predictor.model.__class__(
            **{**predictor.model.__dict__, "target": recipe(target={"calibration": "none"}).target}
        ),
        read_split(root / "prepare", "valid"),
    )
    assert asked.target.intervals == [80, 50]


def test_spikes_in_test_move_no_calibration_and_nothing_that_is_fitted(trained, tmp_path) -> None:
    asked, root = trained
    model = Predictor.load(root / "train").model
    write_data(tmp_path / "data")
    path = tmp_path / "data" / "test" / "test.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    for place, row in enumerate(rows):
        row["value"] = [1.0e9] * len(row["value"])
        # Train holds the same holidays for the week that it knows ahead; what comes after them is test's alone.
        row["holiday"] = [*row["holiday"][:7], *([1.0e9] * (len(row["holiday"]) - 7))]
        row["place"] = "nowhere" if place == 3 else row["place"]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    prepare.run(asked, data_folder=tmp_path / "data", output_folder=tmp_path / "prepare")
    for name in ("scaler.json", "train.windows.npy", "valid.windows.npy", "train.units.deviation.npy"):
        assert (tmp_path / "prepare" / name).read_bytes() == (root / "prepare" / name).read_bytes()
    for split in ("train", "valid"):
        before, after = (read_split(folder / "prepare", split) for folder in (root, tmp_path))
        assert list(before.inputs) == list(after.inputs) and list(before.truths) == list(after.truths)
    again = task_named("forecasting").calibrate(model, read_split(tmp_path / "prepare", "valid"))
    assert again == model.calibration
    assert list(read_split(tmp_path / "prepare", "test").truths) != list(
        read_split(root / "prepare", "test").truths
    )


def test_figures_of_intervals_are_compared_between_models_of_the_same_intervals(trained) -> None:
    _, root = trained
    task, model = task_named("forecasting"), Predictor.load(root / "train").model

    def unit(metric: str, *intervals: int) -> str:
        target = model.target.model_copy(update={"intervals": list(intervals)})
        return task.unit(metric, dataclasses.replace(model, target=target))

    for metric in ("coverage", "coverage_gap", "width", "pinball"):
        assert unit(metric, 80, 50) == task.unit(metric, model) != unit(metric, 95, 50)
    assert unit("width", 80) == unit("width", 80, 50) == "the interval of 80 %"
    assert unit("pinball", 80, 50) == unit("pinball", 50, 80) != unit("pinball", 80)
    # A median is a median beside any intervals.
    assert {unit(metric, 80) for metric in ("mase", "smape", "mae", "mse", "rmse", "standard_mse")} == {""}
    assert {unit(metric, 95) for metric in ("mase", "mae")} == {""}


def test_regression_answers_with_the_next_value(tmp_path) -> None:
    write_data(tmp_path / "data")
    asked = recipe(
        task="regression",
        target={"horizon": 1, "intervals": [80]},
        model={"decoder": "direct", "residual": "seasonal"},
        training={"epochs": 1},
    )
    prepare.run(asked, data_folder=tmp_path / "data", output_folder=tmp_path / "prepare")
    train.run(
        asked,
        prepare_folder=tmp_path / "prepare",
        output_folder=tmp_path / "train",
        checkpoint_folder=tmp_path / "checkpoint",
        report=lambda event: None,
    )
    answer = Predictor.load(tmp_path / "train").answers(read_split(tmp_path / "prepare", "test").inputs[:1])[
        0
    ]
    record = answer.record()
    assert record["intervals"]["80"]["low"] <= record["value"] <= record["intervals"]["80"]["high"]
    assert record["timestamp"] == "2026-04-13"


def test_prepare_gives_the_same_bytes_again(tmp_path) -> None:
    write_data(tmp_path / "data")
    digests = []
    for name in ("one", "two"):
        prepare.run(recipe(), data_folder=tmp_path / "data", output_folder=tmp_path / name)
        digests.append((tmp_path / name / "manifest.json").read_bytes())
    assert digests[0] == digests[1]


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"target": {"column": "other"}}, "foretells its input; set it to 'value'"),
        ({"model": {"segment": 4}}, "no multiple of model.segment 4"),
        ({"target": {"horizon": 10}}, "target.horizon 10 is no multiple"),
        (
            {"input": {"season_length": 15}, "model": {"residual": "seasonal"}},
            "more than input.context_length 14",
        ),
        ({"input": {"min_context": 15}}, "min_context 15 is more"),
        ({"input": {"missing": "refuse", "gaps": "fill"}}, "set missing to forward or linear"),
        ({"input": {"past": ["holiday"]}}, "two roles"),
        ({"target": {"intervals": []}}, "name at least one"),
        ({"target": {"intervals": [80, 80]}}, "distinct"),
        ({"target": {"intervals": [100]}}, "between 1 and 99"),
        ({"split": {"by": "place"}}, "series are split by time"),
        ({"model": {"word_dropout": 0.1}}, "act on tokens"),
        ({"training": {"label_smoothing": 0.1}}, "acts on labels"),
        ({"task": "regression"}, "set it to 1"),
        ({"input": {"kind": "series"}}, "input should be 'history'"),
    ],
)
def test_recipes_that_cannot_work_are_refused(sections, message) -> None:
    with pytest.raises(InputError, match=message):
        recipe(**sections)


@pytest.mark.parametrize("decoder", ["direct", "recurrent"])
def test_ar2_is_foretold_nearly_as_well_as_it_can_be(decoder) -> None:
    torch.manual_seed(0)
    torch.set_num_threads(1)
    task = task_named("forecasting")
    examples, sizes = task.toy(examples=4000, seed=0)
    settings = recipe(model={"hidden_size": 16, "segment": 1, "decoder": decoder}).model
    network = task.build(settings, sizes)
    loss = task.loss(recipe().training, examples, sizes)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-2)
    epochs, size = 4, 50
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * len(examples) // size)
    rng = np.random.default_rng(0)
    for _ in range(epochs):
        for indices in bucketed(examples.lengths, batch_size=size, rng=rng):
            batch = collate(examples, indices, padding="bucket", max_length=0)
            optimizer.zero_grad()
            loss(network(batch), batch).backward()
            optimizer.step()
            schedule.step()
    fresh, _ = task.toy(examples=3000, seed=1)
    batch = collate(fresh, np.arange(len(fresh)), padding="bucket", max_length=0)
    with torch.inference_mode():
        tallies = task.tally(network.eval()(batch), batch, sizes)
    best = (1 + 2.44 + 3.1504) / 3
    found = scores(tallies[:, :-1].numpy())
    assert best * 0.95 < found["mse"] < best * 1.05
    assert found["coverage"] == pytest.approx(0.8, abs=0.03)
    assert task.score(tallies)["loss"] == pytest.approx(loss(network(batch), batch).item(), rel=1e-3)
