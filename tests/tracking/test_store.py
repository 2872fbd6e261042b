import dataclasses
from pathlib import Path

import pytest
from tiny_project import Project

from seqline.addresses import without_password
from seqline.files import read_json, write_json
from seqline.tracking.runs import left_running, reconcile, start_run


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("http://ada:secret@host:5000/base", "http://host:5000/base"),
        ("postgresql://ada:secret@host/db", "postgresql://host/db"),
        ("postgresql:///mlflow", "postgresql:///mlflow"),
        ("sqlite:////home/a@b/mlflow.db", "sqlite:////home/a@b/mlflow.db"),
    ],
)
def test_an_address_is_shown_without_its_login(uri: str, shown: str) -> None:
    assert without_password(uri) == shown


def _left_behind(project: Project, run_id: str, changed: dict[str, str] | None = None) -> Path:
    """The record of a run, as a process that is gone would have left it."""
    record = project.root / ".seqline" / "runs" / f"{run_id}.json"
    write_json(record, {**read_json(record), "started": 1.0, **(changed or {})})
    return record


def test_the_record_of_a_run_bears_no_password_and_still_finds_its_store(project: Project) -> None:
    start_run(project.tracking, "toy")
    named = dataclasses.replace(project.tracking, uri="http://ada:secret@host:5000")
    run_id = start_run(named, "toy")
    record = _left_behind(project, run_id)
    assert "secret" not in record.read_text()
    assert left_running(project.root) == [run_id]
    # one store has several addresses, its file and its server: where the run is found, it is marked
    assert reconcile(project.tracking) == [run_id]
    assert not record.exists()


def test_a_run_of_another_store_is_not_this_ones_to_mark(project: Project) -> None:
    run_id = start_run(project.tracking, "toy")
    elsewhere = "0" * 32
    path = _left_behind(project, run_id, {"run_id": elsewhere, "uri": "http://host:5000"})
    assert reconcile(project.tracking) == []
    assert path.exists()
    assert left_running(project.root) == [elsewhere]
