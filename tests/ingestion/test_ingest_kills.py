"""A killed ingest: the next one ends where the unbroken one would have."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from listing import record_listing
from planted_faults import distinct_reviews, write_csv, write_json

from seqline.ingestion import IngestReport, ingest
from seqline.ingestion.transfer import Transfer
from seqline.onboarding import prove_data
from seqline.workspace import Workspace

NAME = "tiny"
NOW = datetime(2026, 7, 1, tzinfo=UTC)


def fill_incoming(workspace: Workspace) -> None:
    """A file with good and bad rows, a good one, and one that is refused."""
    rows = distinct_reviews(9, seed=7, month="2026-06")
    write_csv(workspace.incoming_folder(NAME) / "a.csv", [*rows[:5], {**rows[5], "label": "meh"}])
    write_json(workspace.incoming_folder(NAME) / "b.jsonl", rows[6:])
    write_csv(workspace.incoming_folder(NAME) / "c.csv", [{"text": "other columns"}])


def state_of(workspace: Workspace) -> dict[str, object]:
    """All an ingest may leave; a hidden file in data/ would be left in DVC's record for ever."""
    root = workspace.root
    folders = [root / "data", workspace.quarantine_folder(NAME), root / "incoming"]
    files = {
        str(path.relative_to(root)): path.read_bytes()
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file() and not (path.name.startswith(".") and folder != root / "data")
    }
    transfer = Transfer(workspace=workspace, name=NAME)
    assert not transfer.announcement.exists()
    assert not transfer.staging.exists()
    return {**files, "data.dvc": (root / "data.dvc").read_bytes(), "journal": transfer.journal.records()}


def killed_at(step: int, workspace: Workspace) -> bool:
    """Run an ingest in a process of its own that is killed (SIGKILL) at a step; False when it has no such step.

    Steps are the calls that change something others can see, before and after each.
    """
    child = os.fork()
    if child == 0:
        taken = 0

        def counted(function: Callable[..., Any]) -> Callable[..., Any]:
            def call(*arguments: Any, **options: Any) -> Any:
                nonlocal taken
                for run in (lambda: None, lambda: function(*arguments, **options)):
                    told = run()
                    taken += 1
                    if taken == step:
                        os.kill(os.getpid(), signal.SIGKILL)
                return told

            return call

        try:
            for owner, name in ((Path, "replace"), (Path, "unlink"), (os, "fsync"), (shutil, "rmtree")):
                setattr(owner, name, counted(getattr(owner, name)))
            ingest(workspace, NAME, now=NOW)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def test_killed_at_any_step_the_next_ingest_ends_as_an_unbroken_one(listed: Workspace) -> None:
    fill_incoming(listed)
    template = listed.root.parent / "template"
    shutil.copytree(listed.root, template)
    report = ingest(listed, NAME, now=NOW)
    assert (report.rows_in, report.quarantined, len(report.refused)) == (8, 1, 1)
    unbroken = state_of(listed)
    kills, resumed = 0, 0
    for step in range(1, 1000):
        shutil.rmtree(listed.root)
        shutil.copytree(template, listed.root)
        if not killed_at(step, listed):
            break
        kills += 1
        found = ingest(listed, NAME, now=NOW)
        resumed += found.resumed is not None
        # Killed behind the journal, there is nothing left to tell.
        assert found.rows_in in ((8,) if found.resumed or found.batch else (0,))
        assert state_of(listed) == unbroken, f"killed at step {step}"
    # Staging, the plan, the move, the record, quarantine, two journal lines, tidying: fewer would mean that the
    # kills missed some of them.
    assert kills > 40
    assert resumed > 20


def test_killed_twice_in_a_row_it_still_ends_well(listed: Workspace) -> None:
    fill_incoming(listed)
    template = listed.root.parent / "template"
    shutil.copytree(listed.root, template)
    ingest(listed, NAME, now=NOW)
    unbroken = state_of(listed)
    for first in range(22, 50, 9):
        for second in range(2, 24, 7):
            shutil.rmtree(listed.root)
            shutil.copytree(template, listed.root)
            killed_at(first, listed)
            killed_at(second, listed)
            ingest(listed, NAME, now=NOW)
            assert state_of(listed) == unbroken, f"killed at steps {first} and {second}"


def test_a_batch_that_was_taken_away_or_recorded_by_hand_after_the_kill(listed: Workspace) -> None:
    fill_incoming(listed)
    batch = _killed_before_the_record(listed)
    killed = shutil.copytree(listed.root, listed.root.parent / "killed")
    batch.unlink()  # as `dvc checkout --force` does
    again = ingest(listed, NAME, now=NOW)
    assert (again.resumed, again.rows_in) == (None, 8)
    prove_data(listed)
    shutil.rmtree(listed.root)
    shutil.copytree(killed, listed.root)
    record_listing(listed.root, "add")
    again = ingest(listed, NAME, now=NOW)
    assert (again.resumed, again.batch, again.rows_in) == (str(batch.relative_to(listed.root)), None, 8)
    assert len(Transfer(workspace=listed, name=NAME).journal.records()) == 2


def _killed_before_the_record(workspace: Workspace) -> Path:
    """Kill at the first step at which the batch is in data/ and data.dvc does not know it; returns the batch."""
    recorded = (workspace.root / "data.dvc").read_bytes()
    template = shutil.copytree(workspace.root, workspace.root.parent / "template")
    for step in range(15, 100):
        shutil.rmtree(workspace.root)
        shutil.copytree(template, workspace.root)
        killed_at(step, workspace)
        there = list((workspace.data_folder(NAME) / "train").glob("2026-07*"))
        if there and (workspace.root / "data.dvc").read_bytes() == recorded:
            return there[0]
    raise AssertionError("no such step")


PROGRAM = """
import os, signal, subprocess, sys
from pathlib import Path
from seqline.graph import call_dvc
from seqline.ingestion import ingest, transfer
from seqline.workspace import Workspace

def killing(root, *words):
    if "add" in words:
        if sys.argv[2] == "during":
            subprocess.Popen([sys.executable, "-m", "dvc", *words], cwd=root)
        os.kill(os.getpid(), signal.SIGKILL)
    return call_dvc(root, *words)

transfer.call_dvc = killing
ingest(Workspace(Path(sys.argv[1])), "tiny")
"""


def test_killed_before_and_while_dvc_records(workspace: Workspace) -> None:
    fill_incoming(workspace)
    before = (workspace.root / "data.dvc").read_bytes()
    for moment in ("before", "during"):
        words = [sys.executable, "-c", PROGRAM, str(workspace.root), moment]
        told = subprocess.run(words, capture_output=True, text=True, check=False)
        assert told.returncode == -signal.SIGKILL, told.stderr
    report: IngestReport = ingest(workspace, NAME)
    assert report.resumed is not None
    assert (report.rows_in, report.quarantined, report.batch) == (8, 1, None)
    prove_data(workspace)
    assert (workspace.root / "data.dvc").read_bytes() != before
    assert len(list((workspace.data_folder(NAME) / "train").iterdir())) == 2
    assert json.dumps(report.to_dict())
    state_of(workspace)
