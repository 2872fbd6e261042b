"""What an ingest did, for people, programs and the journal."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class TakenFile:
    """One file that was taken, as the journal `.seqline/ingested/NAME.jsonl` remembers it.

    Attributes:
        time: When, UTC, ISO 8601.
        file: Path, relative to the project where it lies in it.
        sha256: Of its bytes: a file with the same is not read again.
        rows_in: Rows that went into the batch.
        already_seen: Rows dropped because the same row was there.
        quarantined: Rows refused.
        batch: Path of the batch its rows are in; None when none of them was new and good.
        quarantine: Path of the file with its refused rows; None when there are none.
    """

    time: str
    file: str
    sha256: str
    rows_in: int
    already_seen: int
    quarantined: int
    batch: str | None
    quarantine: str | None

    def line(self) -> str:
        """One line for people."""
        told = f"{self.rows_in:,} rows in, {self.already_seen:,} already there, {self.quarantined:,} in quarantine"
        return f"{self.file}  {told}" + (f": {self.quarantine}" if self.quarantine else "")


@dataclass(frozen=True, kw_only=True)
class RefusedFile:
    """One file that was not taken: nothing of it is anywhere.

    Attributes:
        file: Path, as in `TakenFile`.
        reason: Why, and what to do; several lines.
    """

    file: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class IngestReport:
    """What an ingest did.

    Attributes:
        name: The model.
        source: The file or folder that was looked at.
        files: Files taken, those of an interrupted ingest that was completed first among them.
        refused: Files not taken, with the reason.
        taken_before: Files left out because their bytes were taken by an earlier ingest.
        batch: Path of the new batch, relative to the project; None when no row was new.
        resumed: Path of the batch of an interrupted ingest that this one completed; None when there was none.
        pushed: Whether the rows went to DVC's default remote; None without a remote or without a batch, new or resumed.
        push_problem: What DVC said when they did not.
    """

    name: str
    source: str
    files: tuple[TakenFile, ...] = ()
    refused: tuple[RefusedFile, ...] = ()
    taken_before: int = 0
    batch: str | None = None
    resumed: str | None = None
    pushed: bool | None = None
    push_problem: str = ""

    @property
    def rows_in(self) -> int:
        """Rows that came in."""
        return sum(file.rows_in for file in self.files)

    @property
    def already_seen(self) -> int:
        """Rows dropped because they were there."""
        return sum(file.already_seen for file in self.files)

    @property
    def quarantined(self) -> int:
        """Rows refused."""
        return sum(file.quarantined for file in self.files)

    @property
    def quarantine(self) -> tuple[str, ...]:
        """Files with the refused rows."""
        return tuple(file.quarantine for file in self.files if file.quarantine)

    def to_dict(self) -> dict[str, Any]:
        """JSON values."""
        return {
            **asdict(self),
            "rows_in": self.rows_in,
            "already_seen": self.already_seen,
            "quarantined": self.quarantined,
            "quarantine": list(self.quarantine),
        }

    def lines(self) -> list[str]:
        """Lines for people, what matters first."""
        told = []
        if self.resumed:
            told.append(f"resumed  {self.resumed}: an interrupted ingest was completed first")
        if self.batch:
            rows = sum(file.rows_in for file in self.files if file.batch == self.batch)
            told.append(f"batch    {self.batch}  {rows:,} rows; data.dvc records it")
        elif not self.resumed and not self.refused:
            told.append(f"nothing new in {self.source}")
        told += [f"file     {file.line()}" for file in self.files]
        if self.taken_before:
            told.append(f"before   {self.taken_before:,} of the files taken by an earlier ingest")
        told += [f"refused  {file.reason}" for file in self.refused]
        if self.pushed:
            told.append("push     the rows are at DVC's remote")
        if self.push_problem:
            told.append(
                f"push     FAILED: {self.push_problem}\n         the rows are safe here; later: dvc push data.dvc"
            )
        return told
