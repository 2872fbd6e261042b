"""A project folder with a recipe, a few rows and real DVC: no model, no Prefect."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from listing import record_listing
from planted_faults import distinct_reviews, write_json

from seqline.config import write_yaml
from seqline.graph import call_dvc
from seqline.workspace import Workspace

NAME = "tiny"
RECIPE = {
    "task": "classification",
    "input": {"column": "text"},
    "target": {"column": "label", "classes": ["negative", "positive"]},
    **{section: {} for section in ("validation", "split", "model", "training", "gate")},
    "evaluation": {"slices": ["length", "domain"]},
}


def make_workspace(root: Path) -> Workspace:
    """Twenty training rows, five test rows; data/ is not recorded yet."""
    (root / "recipes").mkdir(parents=True)
    write_yaml(root / "recipes" / f"{NAME}.yaml", RECIPE)
    write_yaml(root / "params.yaml", {"recipes": [NAME]})
    (root / "dvc.yaml").write_text("stages: {}\n")
    rows = distinct_reviews(25, seed=1, month="2026-01")
    write_json(root / "data" / NAME / "train" / "2026-01.jsonl", rows[:20])
    write_json(root / "data" / NAME / "test" / "test.jsonl", rows[20:])
    return Workspace(root)


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("recorded") / "project"
    make_workspace(root)
    for words in (("init", "--no-scm", "--quiet"), ("add", "--quiet", "data")):
        assert call_dvc(root, *words).returncode == 0
    return root


@pytest.fixture
def workspace(recorded: Path, tmp_path: Path) -> Workspace:
    """A copy of a project whose rows DVC has recorded."""
    shutil.copytree(recorded, tmp_path / "project", symlinks=True)
    return Workspace(tmp_path / "project")


@pytest.fixture
def listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A project whose rows are recorded by a digest instead of DVC, which takes a second a call."""
    made = make_workspace(tmp_path / "listed")
    (made.root / "data.dvc").write_text("outs:\n")
    record_listing(made.root, "add")
    monkeypatch.setattr("seqline.onboarding.call_dvc", record_listing)
    monkeypatch.setattr("seqline.ingestion.transfer.call_dvc", record_listing)
    return made
