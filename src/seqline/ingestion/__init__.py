"""Rows that come in: read strictly, checked one by one, known ones dropped, bad ones set aside, good ones recorded."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from seqline.data.readers import file_format
from seqline.data.streams import LIMITS, Limits, require_file
from seqline.errors import InputError
from seqline.files import sha256_file
from seqline.ingestion.intake import Intake
from seqline.ingestion.report import IngestReport, RefusedFile, TakenFile
from seqline.ingestion.transfer import Transfer
from seqline.onboarding import prove_data
from seqline.workspace import Workspace

__all__ = ["IngestReport", "RefusedFile", "TakenFile", "ingest"]

_DIGEST_CHARACTERS = 8


def ingest(
    workspace: Workspace,
    name: str,
    source: Path | None = None,
    *,
    accept_bad: bool = False,
    limits: Limits = LIMITS,
    now: datetime | None = None,
) -> IngestReport:
    """Take the new files of a folder into one dated batch of data/NAME/train; the caller owns the workspace.

    Files stay where they are. A file that is refused leaves no trace and does not hold up the others. Killed at any
    moment, the next call ends where this one would have.

    Args:
        workspace: The project.
        name: The recipe.
        source: File or folder; by default incoming/NAME. Of a folder the files in it, hidden ones left out.
        accept_bad: Take the good rows of a file even if most of its rows are at fault.
        limits: What a file may cost.
        now: Time of the batch; by default the present.

    Raises:
        InputError: There is no such source, or the rows that are there are not what data.dvc records.
        SeqlineError: DVC could not record the batch. Nothing was taken in then.
    """
    recipe = workspace.recipe(name)
    transfer = Transfer(workspace=workspace, name=name)
    resumed = transfer.settle()
    place = workspace.incoming_folder(name) if source is None else source
    found = _look(workspace, transfer, place, must_exist=source is not None)
    report = IngestReport(
        name=name,
        source=_shown(workspace, place),
        files=resumed.plan.files if resumed else (),
        refused=found.refused,
        taken_before=found.taken_before,
        resumed=resumed.plan.batch_path if resumed else None,
        pushed=resumed.pushed if resumed else None,
        push_problem=resumed.push_problem if resumed else "",
    )
    if not found.unread:
        return report
    prove_data(workspace)
    moment = (now or datetime.now(UTC)).astimezone(UTC)
    content = hashlib.sha256("".join(sorted(found.unread)).encode("ascii")).hexdigest()
    batch = f"{moment:%Y-%m-%dT%H%M%S}-{content[:_DIGEST_CHARACTERS]}.jsonl"
    transfer.begin()
    intake = Intake(
        recipe=recipe,
        data_folder=workspace.data_folder(name),
        staging=transfer.staging,
        batch=batch,
        limits=limits,
        accept_bad=accept_bad,
    )
    taken, refused = _read(workspace, name, intake, found.unread, moment)
    report = replace(report, files=(*report.files, *taken), refused=(*report.refused, *refused))
    if not taken:
        transfer.drop()
        return report
    plan = transfer.announce(batch if intake.rows_in else None, tuple(taken))
    pushed, problem = transfer.carry_out(plan)
    if plan.batch is None:
        return report
    # The push sends all of data/: it tells about a resumed batch too.
    return replace(report, batch=plan.batch_path, pushed=pushed, push_problem=problem)


@dataclass(frozen=True, kw_only=True)
class _Found:
    """Files of a source: those to read by their sha256, in the order of their names."""

    unread: dict[str, Path]
    refused: tuple[RefusedFile, ...]
    taken_before: int


def _look(workspace: Workspace, transfer: Transfer, place: Path, *, must_exist: bool) -> _Found:
    paths = [place]
    if place.is_dir():
        paths = sorted(path for path in place.iterdir() if path.is_file() and not path.name.startswith("."))
    elif not place.exists():
        if must_exist:
            raise InputError(str(place), "no such file or folder", "a data file, or a folder of data files")
        paths = []
    taken = {record["sha256"] for record in transfer.journal.records()}
    unread: dict[str, Path] = {}
    refused, taken_before = [], 0
    for path in paths:
        if not _is_text(path.name):
            readable = path.name.encode("utf-8", "backslashreplace").decode("utf-8")
            refused.append(RefusedFile(file=readable, reason=f"{readable}: its name is not UTF-8; rename it"))
            continue
        try:
            file_format(path)
            require_file(path)
            sha256 = sha256_file(path)
        except (InputError, OSError) as error:
            refused.append(RefusedFile(file=_shown(workspace, path), reason=str(error)))
            continue
        if sha256 in taken or sha256 in unread:
            taken_before += 1
        else:
            unread[sha256] = path
    return _Found(unread=unread, refused=tuple(refused), taken_before=taken_before)


def _read(
    workspace: Workspace, name: str, intake: Intake, unread: Mapping[str, Path], moment: datetime
) -> tuple[list[TakenFile], list[RefusedFile]]:
    """Read the files into the staged batch."""
    taken, refused = [], []
    batch = workspace.data_folder(name) / "train" / intake.batch.name
    with intake:
        for sha256, path in unread.items():
            shown_name = _shown(workspace, path)
            try:
                counts = intake.take(path, sha256=sha256, shown_name=shown_name)
            except InputError as error:
                refused.append(RefusedFile(file=shown_name, reason=str(error)))
                continue
            quarantine = counts.quarantine and workspace.quarantine_folder(name) / counts.quarantine
            taken.append(
                TakenFile(
                    time=moment.isoformat(timespec="seconds"),
                    file=shown_name,
                    sha256=sha256,
                    rows_in=counts.rows_in,
                    already_seen=counts.already_seen,
                    quarantined=counts.quarantined,
                    batch=_shown(workspace, batch) if counts.rows_in else None,
                    quarantine=_shown(workspace, quarantine) if quarantine else None,
                )
            )
    return taken, refused


def _is_text(name: str) -> bool:
    """Whether a name is Unicode text: a file system takes any bytes, a journal in JSON does not."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _shown(workspace: Workspace, path: Path) -> str:
    """A path as people know it: relative to the project where it lies in it."""
    absolute = path.absolute()
    root = workspace.root
    return str(absolute.relative_to(root) if absolute.is_relative_to(root) else absolute)
