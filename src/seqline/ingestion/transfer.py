"""From the staging folder to data/, data.dvc, quarantine and journal: all of it or nothing, whenever it is killed.

What is to happen is written down before any of it happens; each step can be done twice; the next ingest finishes what
a killed one wrote down, or drops it where nothing of it can be seen and the files are there to be read again.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from seqline.errors import InputError, SeqlineError
from seqline.files import atomic_write, read_json, sha256_file, write_json
from seqline.graph import call_dvc
from seqline.ingestion.report import TakenFile
from seqline.journal import Journal
from seqline.onboarding import prove_data
from seqline.workspace import Workspace


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What an ingest is about to do with what lies in its staging folder.

    Attributes:
        batch: Name of the new file of data/NAME/train; None when no row is new.
        batch_sha256: Of its bytes.
        record: Text of data.dvc before; None when there is none.
        files: What the journal will say.
    """

    batch: str | None
    batch_sha256: str
    record: str | None
    files: tuple[TakenFile, ...]

    @property
    def batch_path(self) -> str | None:
        """Path of the batch, relative to the project."""
        return next((file.batch for file in self.files if file.batch), None)


@dataclass(frozen=True, kw_only=True)
class Settled:
    """A plan of a killed ingest that was finished later.

    Attributes:
        plan: The plan.
        pushed: As `Transfer.carry_out` returns it.
        push_problem: The same.
    """

    plan: Plan
    pushed: bool | None
    push_problem: str


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """The way of one model's rows from staging to where they belong."""

    workspace: Workspace
    name: str

    @property
    def staging(self) -> Path:
        """Where the new files wait, under their names."""
        return self.workspace.state / "ingested" / f"{self.name}.staged"

    @property
    def announcement(self) -> Path:
        """The plan; while it is there, the ingest is not over."""
        return self.workspace.state / "ingested" / f"{self.name}.pending.json"

    @property
    def journal(self) -> Journal:
        """One line a file that was taken."""
        return Journal(self.workspace.state / "ingested" / f"{self.name}.jsonl")

    @property
    def _record(self) -> Path:
        return self.workspace.root / "data.dvc"

    def begin(self) -> None:
        """An empty staging folder."""
        shutil.rmtree(self.staging, ignore_errors=True)
        self.staging.mkdir(parents=True)

    def announce(self, batch: str | None, files: tuple[TakenFile, ...]) -> Plan:
        """Write the plan down; from here on it will happen, if need be in the next ingest."""
        plan = Plan(
            batch=batch,
            batch_sha256=sha256_file(self.staging / batch) if batch else "",
            record=self._record_text(),
            files=files,
        )
        write_json(self.announcement, asdict(plan))
        return plan

    def carry_out(self, plan: Plan) -> tuple[bool | None, str]:
        """Do what the plan says and has not been done.

        Returns:
            Whether the rows were pushed (None: nothing to push or nowhere), and what DVC said if not.

        Raises:
            SeqlineError: DVC could not record the batch; nothing of the plan is left then.
        """
        if plan.batch is not None:
            self._move_in(plan.batch)
        for file in plan.files:
            if file.quarantine is not None:
                target = self.workspace.root / file.quarantine
                staged = self.staging / target.name
                if staged.exists():
                    target.parent.mkdir(parents=True, exist_ok=True)
                    _move(staged, target)
        told = {record["sha256"] for record in self.journal.records()}
        for file in plan.files:
            if file.sha256 not in told:
                self.journal.append(asdict(file))
        pushed = self._push() if plan.batch is not None else (None, "")
        self.drop()
        return pushed

    def settle(self) -> Settled | None:
        """Finish what a killed ingest announced.

        Returns:
            What was done; None when there was no plan, or when its batch is nowhere and the files must be read again.

        Raises:
            InputError: The rows were changed since, and are not what data.dvc records.
        """
        if not self.announcement.is_file():
            self.drop()
            return None
        values = read_json(self.announcement)
        plan = Plan(**{**values, "files": tuple(TakenFile(**file) for file in values["files"])})
        if plan.batch is not None and not self._batch_is_ready(plan, plan.batch):
            self.drop()
            return None
        pushed, problem = self.carry_out(plan)
        return Settled(plan=plan, pushed=pushed, push_problem=problem)

    def _batch_is_ready(self, plan: Plan, batch: str) -> bool:
        """Make sure that the batch is intact, either recorded in data/ or staged beside recorded data.

        Raises:
            InputError: The other rows are not what data.dvc records.
        """
        staged, target = self.staging / batch, self._target(batch)
        # A `dvc add` may have outlived its ingest; DVC lets one in at a time.
        call_dvc(self.workspace.root, "--wait-for-lock", "status", "data.dvc")
        if target.exists() and self._record_text() != plan.record and self._is_recorded():
            return sha256_file(target) == plan.batch_sha256
        if target.exists():
            _move(target, staged)
        if not staged.exists() or sha256_file(staged) != plan.batch_sha256:
            return False
        found = self._record_text()
        if found != plan.record and plan.record is not None and not self._is_recorded():
            # DVC writes its record in place: a kill can leave half of one.
            atomic_write(self._record, plan.record)
            if not self._is_recorded() and found is not None:
                atomic_write(self._record, found)
        prove_data(self.workspace)
        return True

    def _is_recorded(self) -> bool:
        """Whether data/ is what data.dvc says."""
        try:
            prove_data(self.workspace)
        except InputError:
            return False
        return True

    def _target(self, batch: str) -> Path:
        return self.workspace.data_folder(self.name) / "train" / batch

    def _record_text(self) -> str | None:
        return self._record.read_text(encoding="utf-8") if self._record.is_file() else None

    def _move_in(self, batch: str) -> None:
        staged, target = self.staging / batch, self._target(batch)
        if not staged.exists():
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        _move(staged, target)
        added = call_dvc(self.workspace.root, "add", "--quiet", "data")
        if added.returncode != 0:
            target.unlink()
            self.drop()
            raise SeqlineError(
                "dvc add data",
                added.stderr.strip(),
                hint="nothing was taken in; mend what DVC says, then ingest again",
            )

    def _push(self) -> tuple[bool | None, str]:
        remote = call_dvc(self.workspace.root, "config", "core.remote")
        if remote.returncode != 0 or not remote.stdout.strip():
            return None, ""
        told = call_dvc(self.workspace.root, "push", "--quiet", "data.dvc")
        if told.returncode == 0:
            return True, ""
        return False, (told.stderr.strip() or told.stdout.strip()).splitlines()[-1]

    def drop(self) -> None:
        """Leave nothing in staging and no plan."""
        self.announcement.unlink(missing_ok=True)
        shutil.rmtree(self.staging, ignore_errors=True)


def _move(source: Path, target: Path) -> None:
    """Rename, and have both folders on the disk before anything else happens."""
    source.replace(target)
    for folder in {source.parent, target.parent}:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
