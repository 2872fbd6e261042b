"""Many at once, at a reduced size; `python -m bench.promotions` does it at full size."""

from __future__ import annotations

from pathlib import Path

import pytest
from promoters import run_rounds, write_metrics
from tiny_project import Project


def test_of_six_promoters_at_once_the_best_is_champion_and_the_ledger_says_so(
    empty_database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    for result in run_rounds(tmp_path, empty_database, promoters=6, rounds=3):
        result.check(promoters=6)


def test_processes_that_write_metrics_at_once_lose_none(project: Project) -> None:
    assert write_metrics(project.root, writers=3, metrics=40) == [40] * 3
