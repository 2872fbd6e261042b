"""Folders of a command that leaves nothing: each has a lock, which the system frees when its owner dies.

So a folder whose lock nobody holds was left by a command that was killed; the next one of its kind removes it.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from seqline.workspace import Workspace

_PREFIX = "scratch-"


@contextmanager
def scratch_folder(workspace: Workspace, what: str) -> Iterator[Path]:
    """A new folder for the block, gone after it; those that killed commands of the same name left go before it.

    Args:
        workspace: The project folder.
        what: The command, part of the folder's name.
    """
    from filelock import FileLock

    for left in abandoned(workspace, what):
        shutil.rmtree(left, ignore_errors=True)
        _lock_of(left).unlink(missing_ok=True)
    folder = workspace.state / f"{_PREFIX}{what}-{uuid.uuid4().hex}"
    workspace.state.mkdir(exist_ok=True)
    # The lock comes first: a folder without one is nobody's.
    with FileLock(_lock_of(folder), timeout=0):
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            _lock_of(folder).unlink(missing_ok=True)


def abandoned(workspace: Workspace, what: str = "") -> list[Path]:
    """Folders whose owners died, sorted; of one command, or of all."""
    found = sorted(workspace.state.glob(f"{_PREFIX}{what}*"))
    return [path for path in found if path.is_dir() and not is_held(_lock_of(path))]


def is_held(lock: Path) -> bool:
    """Whether a living process holds a lock; a file that is not there is none."""
    from filelock import FileLock, Timeout

    if not lock.is_file():
        return False
    try:
        with FileLock(lock, timeout=0):
            return False
    except Timeout:
        return True


def _lock_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.lock")
