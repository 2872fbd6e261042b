"""Folders that a command leaves nothing of: its own end removes them, and what a killed one left the next one removes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from seqline.scratch import abandoned, is_held, scratch_folder
from seqline.workspace import Workspace

PROGRAM = (
    "import sys, time; from pathlib import Path; from seqline.scratch import scratch_folder; "
    "from seqline.workspace import Workspace\n"
    "with scratch_folder(Workspace(Path(sys.argv[1])), 'backtest') as folder:\n"
    "    (folder / 'half').mkdir(); print(folder, flush=True); time.sleep(60)"
)


def test_what_a_killed_command_left_is_told_from_what_is_at_work(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        theirs = Path(process.stdout.readline().strip())
        with scratch_folder(workspace, "backtest") as own:
            assert own != theirs
            assert (theirs / "half").is_dir() and own.is_dir()
            assert abandoned(workspace) == []
        assert not own.exists()
    finally:
        process.kill()
        process.communicate()
    assert abandoned(workspace) == abandoned(workspace, "backtest") == [theirs]
    assert abandoned(workspace, "other") == []
    with scratch_folder(workspace, "backtest"):
        assert not theirs.exists()
    assert list(workspace.state.iterdir()) == []


def test_an_error_removes_the_folder_too(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), scratch_folder(Workspace(tmp_path), "backtest"):
        raise KeyboardInterrupt
    assert list((tmp_path / ".seqline").iterdir()) == []


def test_a_lock_that_is_not_there_is_held_by_nobody_and_is_not_made(tmp_path: Path) -> None:
    assert not is_held(tmp_path / "no.lock")
    assert list(tmp_path.iterdir()) == []
