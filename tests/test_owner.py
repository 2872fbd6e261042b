"""One owner of a folder: others wait or leave, and what a killed owner left behind ends before the next begins."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from seqline.owner import (
    OWNER_VARIABLE,
    WorkspaceBusyError,
    current_owner,
    forget_left_behind,
    note_flow_run,
    own_workspace,
)
from seqline.processes import ProcessId
from seqline.workspace import Workspace

# Owns the folder given, starts a child that would outlive it, notes a flow run, and waits to be killed.
OWNER = """
import subprocess, sys, time
from pathlib import Path
from seqline.owner import note_flow_run, own_workspace
from seqline.workspace import Workspace
workspace = Workspace(Path(sys.argv[1]))
with own_workspace(workspace, "the killed one"):
    note_flow_run(workspace, "flow-1")
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(120)"], start_new_session=True)
    print(child.pid, flush=True)
    time.sleep(120)
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


def start_owner(workspace: Workspace) -> tuple[subprocess.Popen[str], ProcessId]:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(workspace.root)], stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout is not None
    return owner, ProcessId.of(int(owner.stdout.readline()))


def test_the_record_says_who_and_goes_away(workspace: Workspace) -> None:
    with own_workspace(workspace, "first"):
        owner = current_owner(workspace)
        assert owner is not None
        assert (owner.what, owner.pid) == ("first", os.getpid())
        assert os.environ[OWNER_VARIABLE] == owner.token
    assert current_owner(workspace) is None
    assert OWNER_VARIABLE not in os.environ


def test_what_the_owner_calls_goes_straight_in(workspace: Workspace) -> None:
    with own_workspace(workspace, "outer"):
        with own_workspace(workspace, "inner", wait=False):
            pass
        owner = current_owner(workspace)
        assert owner is not None
        assert owner.what == "outer"


def test_another_process_is_told_who_owns_the_folder(workspace: Workspace) -> None:
    owner, _ = start_owner(workspace)
    try:
        with (
            pytest.raises(WorkspaceBusyError, match=f"the killed one` \\(process {owner.pid} "),
            own_workspace(workspace, "second", wait=False),
        ):
            pass
    finally:
        owner.kill()
        owner.wait()


def test_a_killed_owner_frees_the_folder_and_its_orphans_end(workspace: Workspace) -> None:
    owner, child = start_owner(workspace)
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    assert child.is_alive()
    with own_workspace(workspace, "next", wait=False):
        assert not child.is_alive()
        assert note_flow_run(workspace, "flow-2") == ("flow-1",)
        forget_left_behind(workspace)
        now = current_owner(workspace)
        assert now is not None
        assert (now.flow_runs, now.left_behind) == (("flow-2",), ())


def test_flow_runs_of_several_dead_owners_are_remembered(workspace: Workspace) -> None:
    for _ in range(2):
        owner, _child = start_owner(workspace)
        owner.kill()
        owner.wait()
    with own_workspace(workspace, "next"):
        assert note_flow_run(workspace, "mine") == ("flow-1", "flow-1")


def test_the_one_who_waits_is_told_once_and_gets_its_turn(workspace: Workspace) -> None:
    code = """
import sys
from pathlib import Path
from seqline.owner import own_workspace
from seqline.workspace import Workspace
with own_workspace(Workspace(Path(sys.argv[1])), "waiter", on_wait=lambda line: print(line, flush=True)):
    print("my turn", flush=True)
"""
    with own_workspace(workspace, "holder"):
        environment = {key: value for key, value in os.environ.items() if key != OWNER_VARIABLE}
        waiter = subprocess.Popen(
            [sys.executable, "-c", code, str(workspace.root)],
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        assert waiter.stdout is not None
        assert "`holder`" in waiter.stdout.readline()
        time.sleep(0.2)
        assert waiter.poll() is None
    told, _ = waiter.communicate(timeout=60)
    assert told.splitlines() == ["my turn"]


def test_a_command_that_cannot_bury_the_dead_leaves_them_to_the_next(workspace: Workspace) -> None:
    owner, _child = start_owner(workspace)
    owner.kill()
    owner.wait()
    with own_workspace(workspace, "ingest, which knows nothing of flows"):
        pass
    with own_workspace(workspace, "a flow"):
        assert note_flow_run(workspace, "mine") == ("flow-1",)
        forget_left_behind(workspace)
    assert current_owner(workspace) is None
