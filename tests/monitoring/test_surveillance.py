"""Watching a champion of a real registry: which batches are judged, what is kept, what is said."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tiny_model import Trained, write_rows

from seqline.config import to_yaml
from seqline.data.samples.reviews import reviews
from seqline.errors import InputError
from seqline.files import complete_folder, read_json, sha256_json, write_json, write_manifest
from seqline.monitoring.profile import PROFILE_FILE
from seqline.surveillance import monitor, page_path, recent_drift
from seqline.tracking.lineage import Lineage
from seqline.tracking.registry import register
from seqline.tracking.runs import connect, start_run
from seqline.workspace import Workspace


def make_champion(root: Path, name: str, model_folder: Path, trained: Trained) -> int:
    evaluate = root / "artifacts" / name / "evaluate"
    with complete_folder(evaluate) as folder:
        write_json(folder / "metrics.json", {"accuracy": 0.9, "macro_f1": 0.9})
        write_manifest(folder, model=sha256_json(read_json(model_folder / "manifest.json")["files"]))
    tracking = connect(root)
    version = register(
        tracking,
        name,
        model_folder=model_folder,
        evaluate_folder=evaluate,
        recipe=trained.recipe,
        lineage=Lineage(git_commit="abc"),
        run_id=start_run(tracking, name),
    )
    tracking.client.set_registered_model_alias(name, "champion", str(version.version))
    return version.version


@pytest.fixture(scope="module")
def served(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project whose registry has the tiny model as champion."""
    root = tmp_path_factory.mktemp("served")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.chdir(root)
        shutil.copytree(trained.root / "data", root / "data")
        shutil.copytree(trained.root / "artifacts", root / "artifacts")
        (root / "params.yaml").write_text("recipes: [tiny]\n")
        (root / "dvc.yaml").write_text("stages: {}\n")
        (root / "recipes").mkdir()
        (root / "recipes" / "tiny.yaml").write_text(to_yaml(trained.recipe.model_dump()))
        assert make_champion(root, "tiny", trained.model_folder, trained) == 1
        yield root


@pytest.fixture
def workspace(served: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """The same registry in a project folder where nothing was judged yet."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    shutil.rmtree(served / ".seqline" / "monitor", ignore_errors=True)
    train = served / "data" / "tiny" / "train"
    for path in train.iterdir():
        if path.name > "2026-03":
            path.unlink()
    return Workspace(served)


def add_batch(workspace: Workspace, month: str, *, drift: float, rows: int = 300) -> Path:
    path = workspace.data_folder("tiny") / "train" / f"{month}.jsonl"
    return write_rows(path, reviews(rows=rows, seed=3, split="train", month=month, drift=drift))


def test_batches_the_champion_was_fitted_on_are_not_judged(workspace: Workspace) -> None:
    assert monitor(workspace, "tiny") == []
    assert recent_drift(workspace, "tiny", 3) == []
    assert not page_path(workspace, "tiny").exists()


def test_new_batches_are_judged_once_each_the_newest_last(workspace: Workspace) -> None:
    add_batch(workspace, "2026-06", drift=0.0)
    add_batch(workspace, "2026-07", drift=1.0)
    judgements = monitor(workspace, "tiny")
    assert [(one.batch, one.drifted, one.version) for one in judgements] == [
        ("2026-06.jsonl", False, 1),
        ("2026-07.jsonl", True, 1),
    ]
    kept = sorted(workspace.monitor_folder("tiny").glob("*.json"))
    assert [path.name.split("-v")[1] for path in kept] == ["1.json", "1.json"]
    assert read_json(kept[1])["moved"] == judgements[1].report.moved
    times = [path.stat().st_mtime_ns for path in kept]
    assert monitor(workspace, "tiny") == judgements
    assert recent_drift(workspace, "tiny", 5) == judgements
    assert recent_drift(workspace, "tiny", 1) == judgements[1:]
    assert [path.stat().st_mtime_ns for path in kept] == times
    assert "2026-06.jsonl" in page_path(workspace, "tiny").read_text(encoding="utf-8")


def test_batches_that_the_window_left_out_say_nothing_about_today(workspace: Workspace) -> None:
    old = add_batch(workspace, "2025-11", drift=1.0)
    try:
        assert monitor(workspace, "tiny") == []
        assert recent_drift(workspace, "tiny", 3) == []
    finally:
        old.unlink()


def test_batches_too_small_to_judge_push_no_drifted_one_out(workspace: Workspace) -> None:
    add_batch(workspace, "2026-06", drift=1.0)
    for month in ("2026-07", "2026-08"):
        add_batch(workspace, month, drift=0.0, rows=10)
    assert [(one.batch, one.drifted) for one in recent_drift(workspace, "tiny", 2)] == [
        ("2026-06.jsonl", True)
    ]


def test_a_damaged_or_foreign_record_is_made_again(workspace: Workspace) -> None:
    add_batch(workspace, "2026-06", drift=0.5)
    (first,) = monitor(workspace, "tiny")
    (kept,) = workspace.monitor_folder("tiny").glob("*.json")
    for damaged in ("{", "[]", '{"format": 1}', json.dumps({**read_json(kept), "content_key": "another"})):
        kept.write_text(damaged)
        assert monitor(workspace, "tiny") == [first]


def test_a_batch_whose_content_changed_is_judged_anew(workspace: Workspace) -> None:
    add_batch(workspace, "2026-06", drift=0.0)
    before = monitor(workspace, "tiny")
    add_batch(workspace, "2026-06", drift=1.0)
    after = monitor(workspace, "tiny")
    assert (before[0].drifted, after[0].drifted) == (False, True)


def test_any_readable_file_can_be_judged(workspace: Workspace, tmp_path: Path) -> None:
    rows = reviews(rows=60, seed=1, split="train", month="2026-06")
    path = tmp_path / "no labels, odd <name>.csv"
    path.write_text("text\n" + "".join('"' + row["text"].replace('"', '""') + '"\n' for row in rows))
    (judgement,) = monitor(workspace, "tiny", path)
    assert judgement.judged
    assert "odd &lt;name&gt;.csv" in page_path(workspace, "tiny").read_text(encoding="utf-8")
    assert len(judgement.report.readings) == 5
    assert judgement.batch == path.name
    for kept in workspace.monitor_folder("tiny").glob("*.json"):
        assert " " not in kept.name
    add_batch(workspace, "2026-06", drift=0.0)
    monitor(workspace, "tiny")
    page = page_path(workspace, "tiny").read_text(encoding="utf-8")
    assert "2026-06.jsonl" in page
    assert "odd" not in page, "a file judged once by hand is no part of the line over time"


def test_files_that_cannot_be_judged_are_refused_with_the_reason(
    workspace: Workspace, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="no such file"):
        monitor(workspace, "tiny", tmp_path / "none.csv")
    other = tmp_path / "other.csv"
    other.write_text("review,label\ngood,positive\n")
    with pytest.raises(InputError, match="no column 'text'"):
        monitor(workspace, "tiny", other)


def test_without_champion_there_is_an_error_for_people_and_no_drift_for_the_policy(
    workspace: Workspace,
) -> None:
    with pytest.raises(InputError, match="no champion yet"):
        monitor(workspace, "absent")
    assert recent_drift(workspace, "absent", 3) == []


def test_the_command_says_it_in_the_first_line_and_ends_with_0(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    from click.testing import CliRunner

    from seqline.commands.drift import monitor as command

    monkeypatch.chdir(workspace.root)
    nothing = CliRunner().invoke(command, ["tiny"])
    assert (nothing.exit_code, nothing.output.startswith("nothing to judge")) == (0, True)
    add_batch(workspace, "2026-06", drift=0.0)
    add_batch(workspace, "2026-07", drift=1.0)
    told = CliRunner().invoke(command, ["tiny"])
    assert told.exit_code == 0
    assert told.output.startswith("DRIFTED ")
    assert "1 of 2 batches of tiny" in told.output
    assert "unknown words" in told.output
    assert ".seqline/monitor/tiny/report.html" in told.output
    in_json = json.loads(CliRunner().invoke(command, ["tiny", "--json"]).output)
    assert [batch["drifted"] for batch in in_json["batches"]] == [False, True]
    assert (in_json["name"], in_json["page"]) == ("tiny", ".seqline/monitor/tiny/report.html")


def test_a_version_from_before_profiles_borrows_that_of_the_same_weights(
    workspace: Workspace, trained: Trained, tmp_path: Path
) -> None:
    old = tmp_path / "old"
    with complete_folder(old) as folder:
        for path in trained.model_folder.iterdir():
            if path.name not in (PROFILE_FILE, "manifest.json"):
                shutil.copyfile(path, folder / path.name)
        write_manifest(folder)
    make_champion(workspace.root, "aged", old, trained)
    batch = add_batch(workspace, "2026-06", drift=1.0)
    with pytest.raises(InputError, match="registered before profiles existed"):
        monitor(workspace, "aged", batch)
    assert recent_drift(workspace, "aged", 3) == []
    shutil.copytree(trained.model_folder, workspace.artifact_folder("aged", "train"))
    assert [one.drifted for one in monitor(workspace, "aged", batch)] == [True]
