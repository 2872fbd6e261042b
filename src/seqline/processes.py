"""Processes of this machine: told apart by number and start, found by a mark in their environment, ended in order.

A process started by a marked one carries the mark too, however deep and whatever became of its parents; so what is
ended is exactly what was started, by id, never by a pattern of names.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psutil

_END_SECONDS = 10.0
# A process's start time is read with a resolution of 10 ms.
_SAME_START_SECONDS = 1.0
# Where an environment cannot be read yet: how often to look, and how long to wait in between.
_LOOKS = 20
_LOOK_SECONDS = 0.05
# The parent of all threads of Linux' kernel, which have no environment ever.
_KERNEL_THREADS = 2


@dataclass(frozen=True)
class ProcessId:
    """A process that no later one is taken for: numbers are given out again, a number and its start are not.

    Attributes:
        pid: Its number.
        started: When, in seconds since 1970.
    """

    pid: int
    started: float

    @classmethod
    def of(cls, pid: int | None = None) -> ProcessId:
        """Name a running process by its number, by default the present one."""
        import psutil

        process = psutil.Process(os.getpid() if pid is None else pid)
        return cls(process.pid, process.create_time())

    def is_alive(self) -> bool:
        """Whether the very process still runs; one that ended and was not waited for does not."""
        import psutil

        try:
            process = psutil.Process(self.pid)
            if process.status() == psutil.STATUS_ZOMBIE:
                return False
            return abs(process.create_time() - self.started) < _SAME_START_SECONDS
        except psutil.NoSuchProcess:
            return False


def alive(ids: Iterable[ProcessId]) -> list[psutil.Process]:
    """Those of some processes that still run."""
    import psutil

    found = []
    for identity in ids:
        if identity.is_alive():
            with suppress(psutil.NoSuchProcess):
                found.append(psutil.Process(identity.pid))
    return found


def family(ids: Iterable[ProcessId]) -> set[int]:
    """Numbers of some processes and of all that they started and that still has them as parents."""
    import psutil

    found: set[int] = set()
    for process in alive(ids):
        with suppress(psutil.Error):
            found |= {process.pid, *(child.pid for child in process.children(recursive=True))}
    return found


def marked(variable: str, value: str) -> list[psutil.Process]:
    """Processes that bear a mark in their environment, but this one and its parents; those of other users stay unseen."""
    import psutil

    own = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    found: list[psutil.Process] = []
    asked = [process for process in psutil.process_iter() if process.pid not in own]
    for _ in range(_LOOKS):
        starting = []
        for process in asked:
            with suppress(psutil.Error, OSError):
                environment = process.environ()
                if environment.get(variable) == value:
                    found.append(process)
                elif not environment and _may_be_starting(process):
                    starting.append(process)
        if not starting:
            break
        # Between fork and the end of exec a process shows no environment at all; it may bear the mark in a moment.
        time.sleep(_LOOK_SECONDS)
        asked = starting
    return found


def _may_be_starting(process: psutil.Process) -> bool:
    import psutil

    is_of_the_kernel = _KERNEL_THREADS in (process.pid, process.ppid())
    return not is_of_the_kernel and process.status() != psutil.STATUS_ZOMBIE


def end(processes: Iterable[psutil.Process], *, seconds: float = _END_SECONDS) -> list[int]:
    """Ask processes to end, and end by force those that have not after some seconds; returns their numbers."""
    import psutil

    asked = list(processes)
    _signal(asked, "terminate")
    _, stubborn = psutil.wait_procs(asked, timeout=seconds)
    _signal(stubborn, "kill")
    psutil.wait_procs(stubborn, timeout=seconds)
    return [process.pid for process in asked]


def _signal(processes: Sequence[psutil.Process], verb: str) -> None:
    import psutil

    for process in processes:
        with suppress(psutil.Error):
            getattr(process, verb)()
