"""The graph of stages as `dvc.yaml` tells it, read and run through DVC's command line (its Python API is internal)."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from graphlib import TopologicalSorter
from pathlib import Path

from seqline.errors import SeqlineError

_EDGE = re.compile(r'^"(?P<first>[^"]+)" -> "(?P<second>[^"]+)";$')
_NODE = re.compile(r'^"(?P<node>[^"]+)";$')
_EXIT_CODE = re.compile(r"exited with (?P<code>-?\d+)")
# Lines of DVC that tell a user nothing about the model.
_CHATTER = re.compile(
    r"^(To track the changes with git|\s+git add |To enable auto staging|\s+dvc config|Use `dvc push`|$)"
)


class StageFailed(SeqlineError):
    """A stage's command failed; its own exit code is kept, since it says what kind of failure it was.

    Args:
        stage: `STAGE@NAME`.
        exit_code: Of the command; negative for a signal.
        output: Last lines it printed.
    """

    def __init__(self, stage: str, exit_code: int, output: str) -> None:
        super().__init__(stage, output or f"its command ended with exit code {exit_code}")
        self.exit_code = exit_code


def call_dvc(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run DVC in a project folder and wait for it; its exit code is the caller's to judge."""
    return subprocess.run(  # noqa: S603 (fixed words and names that match the name pattern)
        [sys.executable, "-m", "dvc", *arguments], cwd=root, capture_output=True, text=True, check=False
    )


def own_commands_first(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment in which `seqline` is the one of this interpreter, whether or not its folder is on the user's PATH."""
    folder = str(Path(sys.executable).parent)
    return {**environment, "PATH": f"{folder}{os.pathsep}{environment.get('PATH', os.defpath)}"}


def stage_order(root: Path, target: str) -> list[str]:
    """Stages that lead to `target`, itself included, each after those it depends on.

    Args:
        root: The project folder.
        target: `STAGE@NAME`.

    Raises:
        SeqlineError: DVC cannot read the graph.
    """
    told = call_dvc(root, "dag", "--dot", target)
    if told.returncode != 0:
        raise SeqlineError("dvc.yaml", told.stderr.strip(), hint="mend what DVC says")
    graph: TopologicalSorter[str] = TopologicalSorter()
    for line in told.stdout.splitlines():
        if edge := _EDGE.match(line):
            graph.add(edge["second"], edge["first"])
        elif node := _NODE.match(line):
            graph.add(node["node"])
    # What is left out are data sources (`data.dvc`): nothing to run.
    return [node for node in graph.static_order() if "@" in node]


def up_to_date(root: Path, target: str) -> bool:
    """Whether DVC would run nothing for `target` and what leads to it."""
    return call_dvc(root, "status", "--quiet", "--with-deps", target).returncode == 0


def reproduce(
    root: Path, stage: str, *, environment: Mapping[str, str], on_line: Callable[[str], None]
) -> None:
    """Run one stage through DVC, which skips it or restores its outputs where nothing changed.

    Args:
        root: The project folder.
        stage: `STAGE@NAME`.
        environment: Of the command.
        on_line: Told every line the command prints, as it comes.

    Raises:
        StageFailed: With the exit code of the stage's own command.
    """
    process = subprocess.Popen(  # noqa: S603 (fixed words and a stage name of dvc.yaml)
        [sys.executable, "-m", "dvc", "--wait-for-lock", "repro", "--single-item", stage],
        cwd=root,
        env=own_commands_first(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        bufsize=1,
    )
    told: list[str] = []
    with process:
        for raw in process.stdout or ():
            line = raw.rstrip("\n")
            told.append(line)
            if not _CHATTER.match(line):
                on_line(line)
    if process.returncode != 0:
        found = [match for line in told if (match := _EXIT_CODE.search(line))]
        code = int(found[-1]["code"]) if found else 1
        # Where the stage's command failed, DVC's own lines only repeat it; else they are all there is to know.
        own = ("ERROR:", "Running stage", "> ") if found else ()
        message = [line for line in told if line.strip() and not line.startswith(own)]
        raise StageFailed(stage, code, "\n".join(message[-40:]))
