"""The run key and its memory: the same data, code and recipe are one training."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from seqline.config import read_yaml, write_yaml
from seqline.retraining import (
    RetrainDecision,
    conclude,
    decisions_journal,
    gather_facts,
    run_key,
    settled_outcome,
)
from seqline.tracking.runs import connect
from seqline.workspace import Workspace

RECIPE = {
    "task": "classification",
    "input": {"column": "text"},
    "target": {"column": "label", "classes": ["a", "b"]},
    **{name: {} for name in ("validation", "split", "model", "training", "evaluation", "gate")},
}


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    files = {
        "data/tiny/train/2026-01.jsonl": '{"id": 1}\n',
        "data/tiny/train/2026-02.jsonl": '{"id": 2}\n',
        "data/tiny/test/test.jsonl": '{"id": 3}\n',
        "src/seqline/a.py": "A = 1\n",
        "dvc.yaml": "stages: {}\n",
        "requirements.lock": "torch==2.13.0\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    write_yaml(tmp_path / "params.yaml", {"recipes": ["tiny"]})
    write_yaml(tmp_path / "recipes" / "tiny.yaml", RECIPE)
    return Workspace(tmp_path)


def key(workspace: Workspace) -> str:
    return run_key(workspace, workspace.recipe("tiny"), "tiny")


def change_recipe(workspace: Workspace, **sections: object) -> None:
    path = workspace.recipe_path("tiny")
    write_yaml(path, {**read_yaml(path), **sections})


HISTORIES = {
    "task": "forecasting",
    "input": {"kind": "history", "column": "value", "context_length": 4},
    "target": {"column": "value", "horizon": 2},
    **{name: {} for name in ("validation", "split", "model", "training", "evaluation", "gate")},
}


@pytest.mark.parametrize(("recipe", "new"), [(RECIPE, 3), (HISTORIES, 5 + 1 + 7)])
def test_new_rows_are_examples_and_of_series_their_steps(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, recipe: dict[str, object], new: int
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    rows = [{"id": str(n), "text": "a", "label": "a", "value": [None, *range(1, n)]} for n in (5, 1, 7)]
    for path in (workspace.data_folder("tiny") / "train").iterdir():
        path.unlink()
    for name, members in (("2026-01", rows[:2]), ("2026-02", rows[2:])):
        text = "".join(json.dumps(row) + "\n" for row in members)
        (workspace.data_folder("tiny") / "train" / f"{name}.jsonl").write_text(text)
    write_yaml(workspace.recipe_path("tiny"), recipe)
    facts = gather_facts(workspace, connect(workspace.root), "tiny")
    assert (facts.new_rows, facts.new_batches) == (new, ("2026-01.jsonl", "2026-02.jsonl"))


@pytest.mark.parametrize(
    "path",
    [
        "data/tiny/train/2026-01.jsonl",
        "data/tiny/test/test.jsonl",
        "data/tiny/train/2026-03.jsonl",
        "src/seqline/a.py",
        "src/seqline/new.py",
        "dvc.yaml",
        "requirements.lock",
    ],
)
def test_other_data_or_code_is_another_key(workspace: Workspace, path: str) -> None:
    before = key(workspace)
    assert key(workspace) == before
    with (workspace.root / path).open("a", encoding="utf-8") as handle:
        handle.write("# more\n")
    assert key(workspace) != before


def test_another_recipe_is_another_key_but_another_policy_is_not(workspace: Workspace) -> None:
    before = key(workspace)
    change_recipe(workspace, retrain={"min_new_rows": 7})
    assert key(workspace) == before
    change_recipe(workspace, gate={"margin": 0.01})
    assert key(workspace) != before


def test_a_batch_that_left_the_window_is_not_in_the_key(workspace: Workspace) -> None:
    change_recipe(workspace, split={"window": {"last": 1}})
    before = key(workspace)
    (workspace.root / "data/tiny/train/2026-01.jsonl").write_text("other\n", encoding="utf-8")
    assert key(workspace) == before


def test_byte_code_is_no_code(workspace: Workspace) -> None:
    before = key(workspace)
    cache = workspace.root / "src/seqline/__pycache__"
    cache.mkdir()
    (cache / "a.cpython-311.pyc").write_bytes(b"x")
    assert key(workspace) == before


@pytest.mark.parametrize(
    ("outcome", "settles"),
    [
        ("promoted", True),
        ("refused", True),
        ("held", True),
        ("already champion", True),
        ("invalid", True),
        ("failed", False),
        ("refused for now", False),
    ],
)
def test_what_another_try_would_repeat_settles_a_key(
    workspace: Workspace, outcome: str, settles: bool
) -> None:
    decision = RetrainDecision(
        name="tiny", answer="yes", because="test", reasons=(), run_key="k", trigger="test"
    )
    journal = decisions_journal(workspace.root, "tiny")
    journal.append(decision.record())
    assert settled_outcome(journal.records(), "k", champion="c") is None
    conclude(workspace, decision, outcome=outcome, champion="c", version=4, detail="d")
    found = settled_outcome(journal.records(), "k", champion="c")
    assert (found is not None) == settles
    assert settled_outcome(journal.records(), "other", champion="c") is None


@pytest.mark.parametrize(("outcome", "settles"), [("refused", False), ("invalid", False), ("promoted", True)])
def test_a_refusal_is_one_against_a_champion(workspace: Workspace, outcome: str, settles: bool) -> None:
    decision = RetrainDecision(
        name="tiny", answer="yes", because="test", reasons=(), run_key="k", trigger="test"
    )
    conclude(workspace, decision, outcome=outcome, champion="c")
    records = decisions_journal(workspace.root, "tiny").records()
    assert (settled_outcome(records, "k", champion="another") is not None) == settles
