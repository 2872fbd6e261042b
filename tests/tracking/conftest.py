"""One MLflow database a session, copied for each test."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tiny_project import Project

from seqline.tracking.runs import connect


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MLflow takes seconds to make its tables: once a session."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        root = tmp_path_factory.mktemp("database")
        connect(root)
        return root / ".seqline" / "mlflow.db"


@pytest.fixture
def open_project(
    empty_database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], Project]]:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(tmp_path)
    root = tmp_path / "project"
    (root / ".seqline").mkdir(parents=True)
    shutil.copyfile(empty_database, root / ".seqline" / "mlflow.db")
    yield lambda: Project(connect(root))


@pytest.fixture
def project(open_project: Callable[[], Project]) -> Project:
    return open_project()
