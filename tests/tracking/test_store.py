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


def test_the_record_of_a_run_bears_no_password_and_still_finds_its_store(project: Project) -> None:
    start_run(project.tracking, "toy")
    named = dataclasses.replace(project.tracking, uri="http://ada:secret@host:5000")
    run_id = start_run(named, "toy")
    record = Path(project.root / ".seqline" / "runs" / f"{run_id}.json")
    assert "secret" not in record.read_text()
    write_json(record, {**read_json(record), "started": 1.0})
    assert left_running(project.root) == [run_id]
    # a run of another store is not this one's to mark
    assert reconcile(project.tracking) == []
    assert reconcile(named) == [run_id]
