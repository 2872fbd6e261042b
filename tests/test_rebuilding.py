"""How a rebuild gets its code and data; that whole models come out the same is tests/chain/test_rebuild.py."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from seqline.errors import InputError, SeqlineError
from seqline.rebuilding import _clean_folder, _clone, _differences, _restore_inputs
from seqline.tracking.origin import Origin, this_machine


def call(root: Path, *words: str) -> str:
    return subprocess.run(words, cwd=root, check=True, capture_output=True, text=True).stdout


def dvc(root: Path, *words: str) -> str:
    return call(root, sys.executable, "-m", "dvc", *words)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Origin]:
    """A project with a remote named by a path relative to it; the data of its first day are only there."""
    root = tmp_path_factory.mktemp("top") / "project"
    root.mkdir()
    call(root, "git", "init", "--quiet")
    dvc(root, "init", "--quiet")
    dvc(root, "remote", "add", "--quiet", "--default", "store", "../remote")
    (root / "dvc.yaml").write_text("stages: {}\n")
    (root / ".gitignore").write_text("/data\n")
    (root / "data").mkdir()
    (root / "data" / "rows.csv").write_text("day,1\n")
    dvc(root, "add", "--quiet", "data")
    dvc(root, "push", "--quiet")
    call(root, "git", "add", "dvc.yaml", ".gitignore", ".dvc")
    who = ["-c", "user.name=test", "-c", "user.email=test@example.invalid"]
    call(root, "git", *who, "commit", "--quiet", "--message", "code")
    commit = call(root, "git", "rev-parse", "HEAD").strip()
    origin = Origin("toy", commit, data_dvc=(root / "data.dvc").read_text(), recipe_yaml="task: x\n")
    (root / "data" / "rows.csv").write_text("day,2\n")
    dvc(root, "add", "--quiet", "data")
    shutil.rmtree(root / ".dvc" / "cache")
    return root, origin


def test_data_that_left_the_cache_come_from_the_projects_remote(
    project: tuple[Path, Origin], tmp_path: Path
) -> None:
    root, origin = project
    clone = _clone(root, tmp_path / "again", origin)
    _restore_inputs(root, clone, origin)
    assert (clone / "data" / "rows.csv").read_text() == "day,1\n"
    assert (clone / "recipes" / "toy.yaml").read_text() == "task: x\n"
    assert (root / "data" / "rows.csv").read_text() == "day,2\n"


def test_data_that_are_nowhere_are_named(project: tuple[Path, Origin], tmp_path: Path) -> None:
    root, origin = project
    lost = Origin(
        "toy", origin.git_commit, data_dvc=origin.data_dvc.replace("md5: ", "md5: 0", 1)[:-1], recipe_yaml="x"
    )
    clone = _clone(root, tmp_path / "again", origin)
    with pytest.raises(SeqlineError, match="neither in the project's DVC cache nor on store"):
        _restore_inputs(root, clone, lost)


def test_a_commit_that_is_not_there_is_named(project: tuple[Path, Origin], tmp_path: Path) -> None:
    with pytest.raises(SeqlineError, match="commit 0000000: not in the repository"):
        _clone(project[0], tmp_path / "again", Origin("toy", "0000000"))


def test_a_folder_with_something_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "kept.txt").write_text("mine")
    with pytest.raises(InputError, match="not an empty folder"):
        _clean_folder(tmp_path)


def test_what_differs_from_then_is_listed(tmp_path: Path) -> None:
    (tmp_path / "requirements.lock").write_text("torch==2.13.0\n")
    lock = "stages:\n  train@toy:\n    deps:\n    - {path: src/a, md5: new}\n    - {path: artifacts/toy/prepare, md5: x}\n"
    (tmp_path / "dvc.lock").write_text(lock)
    origin = Origin(
        "toy",
        machine=this_machine(),
        packages={"torch": "1.0"},
        inputs={"src/a": "old", "artifacts/toy/prepare": "y"},
    )
    found = _differences(origin, tmp_path)
    assert [line.split(":")[0] for line in found] == ["package torch", "input src/a"]
    assert "1.0 then" in found[0]
