"""A project folder of its own for whole-chain tests; see chain_project.py."""

from __future__ import annotations

from pathlib import Path

import pytest
from chain_project import Project, make_project, make_tiny, write_csv, write_rows

__all__ = ["Project", "make_project", "make_tiny", "write_csv"]


@pytest.fixture(scope="session")
def csv_files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_rows(tmp_path_factory.mktemp("rows"))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, csv_files: tuple[Path, Path]) -> Project:
    """A tiny project; the tests of one module go through its life in order."""
    return make_tiny(tmp_path_factory.mktemp("project"), csv_files)
