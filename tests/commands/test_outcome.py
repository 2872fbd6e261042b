"""What a run tells at its end."""

from __future__ import annotations

from typing import Any

import pytest

from seqline.commands.outcome import Outcome, metrics_table

FACTS: dict[str, Any] = {
    "name": "toy",
    "version": 2,
    "champion": 1,
    "metric": "accuracy",
    "score": 0.9,
    "interval": [0.88, 0.92],
    "test_rows": 1000,
    "baseline": "nb_lr",
    "baseline_score": 0.85,
    "verdict": "refused",
    "decided": "2026-01-01",
    "reason": "worse",
    "run_id": "r",
    "question": '"some text"',
    "report": "artifacts/toy/evaluate/report.html",
}


def test_an_undefined_metric_is_a_blank() -> None:
    metrics = {"accuracy": 0.9, "auroc": None, "baseline.majority.accuracy": 0.5}
    lines = metrics_table(metrics, ["accuracy", "auroc"], cell="gru", baselines=["majority"]).splitlines()
    assert [line.split() for line in lines] == [
        ["accuracy", "auroc"],
        ["gru", "0.9000"],
        ["majority", "0.5000"],
    ]


def test_long_names_and_large_figures_stay_apart() -> None:
    metrics = {
        "standard_absolute_error": 0.5,
        "cost": 12_345.678,
        "baseline.a_baseline_of_some_length.cost": 7.0,
    }
    names, baselines = ["standard_absolute_error", "cost"], ["a_baseline_of_some_length"]
    lines = metrics_table(metrics, names, cell="lstm", baselines=baselines).splitlines()
    assert [line.split() for line in lines] == [
        names,
        ["lstm", "0.5000", "12,345.7"],
        ["a_baseline_of_some_length", "7.0000"],
    ]
    assert len({len(line) for line in lines}) == 1


@pytest.mark.parametrize(("verdict", "code"), [("promoted", 0), ("refused", 4), ("rolled_back", 4)])
def test_the_exit_code_tells_whether_the_version_may_serve(verdict: str, code: int) -> None:
    assert Outcome({**FACTS, "verdict": verdict}).exit_code == code


def test_the_table_names_the_champion_and_asks_nobody_when_there_is_none() -> None:
    table = Outcome(FACTS).table()
    assert "version 1 (this run made version 2)" in table
    assert "0.9000  (95 % interval 0.8800 to 0.9200, 1,000 rows)" in table
    assert "ask it" in table
    assert "ask it" not in Outcome({**FACTS, "champion": None}).table()


def test_a_held_version_ends_well_and_says_what_to_type() -> None:
    held = Outcome({**FACTS, "verdict": "held"})
    assert held.exit_code == 0
    assert "waits for a person's approval" in held.table()
    assert "seqline promote toy --approve" in held.table()
    assert "--approve" not in Outcome(FACTS).table()
