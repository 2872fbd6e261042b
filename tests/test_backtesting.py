"""A rolling backtest: what was known then, what came then, and nothing of the test part."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from seqline.backtesting import backtest
from seqline.cli import cli, main
from seqline.config import read_yaml, write_yaml
from seqline.data.folds import folds_of
from seqline.errors import InputError
from seqline.recipe import HistoryInput
from seqline.workspace import Workspace

NAME = "tiny"
STEPS, HORIZON = 120, 7
RECIPE: dict[str, Any] = {
    "task": "forecasting",
    "input": {
        "kind": "history",
        "column": "value",
        "series": "shop",
        "context_length": 14,
        "stride": 2,
        "season_length": 7,
        "future": ["holiday"],
    },
    "target": {"column": "value", "horizon": HORIZON},
    "validation": {"min_rows": 1},
    "split": {"valid": 0.1, "test": 0.1},
    "model": {"hidden_size": 8, "segment": 7},
    "training": {"epochs": 2, "batch_size": 32, "learning_rate": 0.02, "threads": 1, "precision": "fp32"},
    **{section: {} for section in ("evaluation", "gate", "retrain")},
}


def rows(*, spiked_from: int = STEPS) -> list[dict[str, Any]]:
    rng = np.random.default_rng(0)
    found = []
    for shop in ("a", "b"):
        values = 20.0 + 5 * np.sin(np.arange(STEPS) * 2 * np.pi / 7) + rng.normal(size=STEPS)
        values[spiked_from:] = 1e6
        times = {"start": "2026-01-05", "frequency": "D"}
        holiday = [step % 9 for step in range(STEPS + HORIZON)]
        found.append({"id": shop, "shop": shop, **times, "value": values.tolist(), "holiday": holiday})
    return found


def day(step: int) -> str:
    return str(np.datetime64("2026-01-05") + step)


def section(**changes: Any) -> HistoryInput:
    return HistoryInput(**{**RECIPE["input"], **changes})


def folds(members, asked=None, *, count=3, stride=HORIZON, test=0.1, test_rows=()):
    chosen = asked or section()
    return folds_of(members, test_rows, chosen, horizon=HORIZON, test=test, count=count, stride=stride)


def test_a_fold_knows_what_was_known_then_and_foretells_what_came_next() -> None:
    given = rows()
    test_begins = STEPS - 14  # two horizons are about a tenth
    found = folds(given, stride=14)
    assert [fold.begins for fold in found] == [day(test_begins - 14 * back) for back in (3, 2, 1)]
    for fold, here in zip(found, (64, 78, 92), strict=True):
        for known, came, whole in zip(fold.train, fold.test, given, strict=True):
            assert known["value"] == whole["value"][:here] and known["start"] == day(0)
            assert known["holiday"] == whole["holiday"][: here + HORIZON]  # known ahead, and no further
            assert came["value"] == whole["value"][here : here + 14] and came["start"] == day(here)
            assert known["shop"] == came["shop"] == whole["shop"]


def test_the_test_part_is_in_no_fold_wherever_it_comes_from() -> None:
    calm, wild = folds(rows()), folds(rows(spiked_from=STEPS - 14))
    assert calm == wild
    own = [
        {**row, "start": day(106), "value": row["value"][106:], "holiday": row["holiday"][106:]}
        for row in rows()
    ]
    before = [{**row, "value": row["value"][:106], "holiday": row["holiday"][:113]} for row in rows()]
    assert folds(before, test=0.0, test_rows=own) == calm


def test_series_are_cut_at_the_same_times_or_each_from_its_own_end() -> None:
    short = [rows()[0], {**rows()[1], "value": rows()[1]["value"][:92]}]
    together = folds(short)
    assert [len(fold.test) for fold in together] == [
        2,
        1,
        1,
    ]  # b ends before step 92, where the second one begins
    apart = folds(short, section(together=False))
    assert [[row["start"] for row in fold.test] for fold in apart] == [
        [day(106 - 7 * back), day(85 - 7 * back)] for back in (3, 2, 1)
    ]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"count": 12}, "leave 22 of the 106 steps.*\n.*at least 28.*\n.*fewer folds"),
        ({"count": 0}, "0 folds"),
        ({"stride": 6}, "3 folds of 6 steps\n.*7 steps, the horizon"),
    ],
)
def test_folds_that_cannot_be_are_refused(asked, message) -> None:
    with pytest.raises(InputError, match=message):
        folds(rows(), **asked)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    write_yaml(tmp_path / "params.yaml", {"recipes": [NAME]})
    write_yaml(tmp_path / "recipes" / f"{NAME}.yaml", RECIPE)
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    write_rows(tmp_path, rows())
    return Workspace(tmp_path)


def write_rows(root: Path, members: list[dict[str, Any]]) -> None:
    path = root / "data" / NAME / "train" / "2026-01.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in members))


def results(workspace: Workspace, *, retrain: bool, folds: int = 3):
    trainings: list[Any] = []

    def report(event) -> None:
        trainings.extend([event] if type(event).__name__ == "Started" else [])

    found = backtest(workspace, NAME, folds=folds, stride=None, retrain=retrain, report=report)
    return found, len(trainings)


def test_each_time_is_measured_with_or_without_training_again_and_nothing_is_left_behind(workspace) -> None:
    again, trained_thrice = results(workspace, retrain=True)
    once, trained = results(workspace, retrain=False)
    assert (trained_thrice, trained) == (3, 1)
    assert [one.windows for one in again] == [one.windows for one in once] == [2, 2, 2, 6]
    assert [one.begins for one in again] == [day(85), day(92), day(99), None]
    # The first model is the same; the later ones are not.
    assert again[0] == once[0] and again[2].metrics != once[2].metrics
    assert again[2].baseline == once[2].baseline
    for found in (again, once):
        # Two windows of a week each: the mean of the folds is that of all windows.
        assert found[-1].metrics["mae"] == pytest.approx(np.mean([one.metrics["mae"] for one in found[:-1]]))
    assert not list(workspace.state.iterdir()) and not (workspace.root / "artifacts").exists()
    write_rows(workspace.root, rows(spiked_from=STEPS - 14))
    assert results(workspace, retrain=False)[0] == once


def test_whole_horizons_are_forecast_of_a_stride_and_no_step_twice(workspace) -> None:
    windows = {
        stride: [
            one.windows
            for one in backtest(workspace, NAME, folds=2, stride=stride, retrain=False, report=ignored)
        ]
        for stride in (10, 14)
    }
    # Of two series.
    assert windows == {10: [2, 2, 4], 14: [4, 4, 8]}


def ignored(_) -> None:
    pass


def test_the_command_prints_a_line_a_fold_or_json(workspace, monkeypatch) -> None:
    monkeypatch.chdir(workspace.root)
    told = CliRunner().invoke(cli, ["backtest", NAME, "--folds", "2", "--json"], catch_exceptions=False)
    found = json.loads(told.stdout)
    assert [one["begins"] for one in found["folds"]] == [day(92), day(99)] and found["all"]["windows"] == 4
    assert set(found["all"]["baseline"]) == set(found["all"]["metrics"]) >= {"mase", "coverage"}
    shown = (
        CliRunner()
        .invoke(cli, ["backtest", NAME, "--folds", "2"], catch_exceptions=False)
        .stdout.splitlines()
    )
    assert shown[-4].split()[:6] == ["from", "windows", "mase", "smape", "coverage", "width"]
    assert [line.split()[0] for line in shown[-3:]] == [day(92), day(99), "all"]
    assert shown[-1].split()[2] == f"{found['all']['metrics']['mase']:.4f}"


def test_an_interrupted_backtest_says_that_it_begins_anew_and_leaves_nothing(
    workspace, monkeypatch, capsys
) -> None:
    def interrupted(*_, **__) -> None:
        raise KeyboardInterrupt

    monkeypatch.chdir(workspace.root)
    monkeypatch.setattr("seqline.backtesting.prepare.run", interrupted)
    monkeypatch.setattr("sys.argv", ["seqline", "backtest", NAME, "--json"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 130
    assert capsys.readouterr().err == (
        "interrupted; a backtest keeps nothing, the same command begins anew\n"
    )
    assert not list(workspace.state.iterdir())


def test_a_recipe_that_forecasts_nothing_is_refused(workspace) -> None:
    path = workspace.recipe_path(NAME)
    texts = {
        "task": "classification",
        "input": {"column": "text"},
        "target": {"column": "y", "classes": ["a", "b"]},
    }
    emptied = {
        name: {} for name in ("validation", "split", "model", "training", "evaluation", "gate", "retrain")
    }
    write_yaml(path, {**read_yaml(path), **texts, **emptied})
    with pytest.raises(InputError, match="tiny is of task classification"):
        results(workspace, retrain=False)
