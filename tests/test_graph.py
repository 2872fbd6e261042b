"""The graph through DVC itself, in a project of one stage."""

from __future__ import annotations

from pathlib import Path

import pytest

from seqline.graph import StageFailed, call_dvc, reproduce

STAGES = """
stages:
  tell:
    foreach: [tiny]
    do:
      cmd: {command}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    assert call_dvc(tmp_path, "init", "--no-scm", "--quiet").returncode == 0
    return tmp_path


def test_a_stage_finds_the_command_of_the_interpreter_that_started_it(project: Path) -> None:
    (project / "dvc.yaml").write_text(STAGES.format(command="seqline --version"))
    lines: list[str] = []
    # A shell in which nobody activated the environment.
    reproduce(project, "tell@tiny", environment={"PATH": "/usr/bin:/bin"}, on_line=lines.append)
    assert any(line.startswith("seqline") for line in lines), lines


def test_a_stage_that_fails_keeps_its_exit_code(project: Path) -> None:
    (project / "dvc.yaml").write_text(STAGES.format(command="sh -c 'echo no rows; exit 3'"))
    with pytest.raises(StageFailed, match="no rows") as failure:
        reproduce(project, "tell@tiny", environment={"PATH": "/usr/bin:/bin"}, on_line=lambda line: None)
    assert failure.value.exit_code == 3
