"""One owner of a project folder at a time, and what a killed owner left behind ended before the next one begins.

A lock of the operating system says who owns the folder; the system frees it when the owner dies. Processes that the
owner started do not die with it: a training goes on, Prefect's temporary server stays. All of them carry the owner's
token in their environment, so the next owner ends exactly those.
"""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from seqline.errors import InputError, SeqlineError
from seqline.files import read_json, write_json
from seqline.processes import end, marked
from seqline.workspace import Workspace

OWNER_VARIABLE = "SEQLINE_OWNER"


@dataclass(frozen=True)
class Owner:
    """Who owns a project folder.

    Attributes:
        token: Unlike any other owner's; in the environment of every process it started.
        what: The command, for people.
        pid: Its process.
        host: Its machine.
        since: UTC, ISO 8601.
        flow_runs: Prefect's ids of the flow runs in it.
        left_behind: Ids of flow runs whose owners died; still to be declared crashed.
    """

    token: str
    what: str
    pid: int
    host: str
    since: str
    flow_runs: tuple[str, ...] = ()
    left_behind: tuple[str, ...] = ()


class WorkspaceBusyError(SeqlineError):
    """Somebody else owns the project folder."""


def current_owner(workspace: Workspace) -> Owner | None:
    """Who wrote itself down last; it may be dead."""
    try:
        record = read_json(_record_path(workspace))
        return Owner(
            **{
                **record,
                "flow_runs": tuple(record["flow_runs"]),
                "left_behind": tuple(record["left_behind"]),
            }
        )
    except (InputError, TypeError, KeyError, AttributeError):
        return None


@contextmanager
def own_workspace(
    workspace: Workspace, what: str, *, wait: bool = True, on_wait: Callable[[str], None] | None = None
) -> Iterator[None]:
    """Own a project folder for the block; a process whose parent owns it already goes straight in.

    Args:
        workspace: The project folder.
        what: The command, for those who wait.
        wait: Whether to wait for the owner to finish.
        on_wait: Told once, before waiting, who the owner is.

    Raises:
        WorkspaceBusyError: Somebody else owns it and `wait` is False.
    """
    from filelock import FileLock, Timeout

    inherited = os.environ.get(OWNER_VARIABLE)
    owner = current_owner(workspace)
    if inherited and owner is not None and owner.token == inherited:
        yield
        return
    path = workspace.state / "locks" / "owner.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    # Not bound to a thread: a flow may leave the block in another thread than it entered it.
    lock = FileLock(path, thread_local=False)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        busy = _busy(workspace)
        if not wait:
            raise busy from None
        if on_wait is not None:
            on_wait(f"{busy.found}; waiting for it to end")
        lock.acquire()
    try:
        _take_over(workspace, what)
        try:
            yield
        finally:
            os.environ.pop(OWNER_VARIABLE, None)
            _retire(workspace)
    finally:
        lock.release()


def _take_over(workspace: Workspace, what: str) -> None:
    """End what a dead owner left behind, then write down who owns the folder now."""
    previous = current_owner(workspace)
    left: tuple[str, ...] = ()
    if previous is not None:
        end_orphans(previous)
        left = previous.left_behind + previous.flow_runs
    token = uuid.uuid4().hex
    now = datetime.now(UTC).isoformat(timespec="seconds")
    owner = Owner(token, what, os.getpid(), socket.gethostname(), now, left_behind=left)
    write_json(_record_path(workspace), asdict(owner))
    os.environ[OWNER_VARIABLE] = token


def _retire(workspace: Workspace) -> None:
    """Take the record away, unless it names flow runs that nobody has declared crashed yet: not every command can."""
    owner = current_owner(workspace)
    if owner is None or not owner.left_behind:
        _record_path(workspace).unlink(missing_ok=True)
        return
    # A token nobody bears: there is nothing of this owner to end.
    write_json(_record_path(workspace), asdict(replace(owner, token=uuid.uuid4().hex, flow_runs=())))


def note_flow_run(workspace: Workspace, flow_run: str) -> tuple[str, ...]:
    """Write down a flow run of the present owner; returns those that dead owners left behind."""
    owner = current_owner(workspace)
    if owner is None:
        return ()
    write_json(_record_path(workspace), asdict(replace(owner, flow_runs=(*owner.flow_runs, flow_run))))
    return owner.left_behind


def forget_left_behind(workspace: Workspace) -> None:
    """Call it when the flow runs of dead owners are declared crashed."""
    owner = current_owner(workspace)
    if owner is not None:
        write_json(_record_path(workspace), asdict(replace(owner, left_behind=())))


def end_orphans(owner: Owner) -> list[int]:
    """End the processes that a dead owner left behind; returns their numbers. On another machine: none."""
    if owner.host != socket.gethostname():
        return []
    return end(marked(OWNER_VARIABLE, owner.token))


def _busy(workspace: Workspace) -> WorkspaceBusyError:
    owner = current_owner(workspace)
    who = "another command"
    if owner is not None:
        who = f"`{owner.what}` (process {owner.pid} on {owner.host}, since {owner.since})"
    return WorkspaceBusyError(
        str(workspace.root), f"{who} is at work in this folder", hint="wait for it to end, then try again"
    )


def _record_path(workspace: Workspace) -> Path:
    return workspace.state / "locks" / "owner.json"
