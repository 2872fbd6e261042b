"""The ledger: every decision about who is champion, one JSON line each, never rewritten.

Replaying it gives the champion. `seqline.journal` keeps the lines whole.
"""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from seqline.files import check_name, read_json, write_json
from seqline.journal import Journal

Outcome = Literal["promoted", "refused", "rolled_back", "held"]


def user_name() -> str:
    """Who runs this process."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


@dataclass(frozen=True)
class Entry:
    """One decision.

    Attributes:
        outcome: What was decided.
        version: Promoted: the new champion. Refused, held: the challenger. Rolled back: the champion again.
        previous: Champion before the decision; None when there was none.
        reason: Why, in one sentence.
        run_id: MLflow run of `version`.
        content_key: Content of `version`, the same in every store.
        decision_key: Digest of all a verdict depends on; the same key is the same decision.
        verdicts: Every gate rule with value, bound and verdict.
        evidence: Numbers behind the verdicts.
        time: When, UTC, ISO 8601.
        who: User name.
    """

    outcome: Outcome
    version: int
    previous: int | None
    reason: str
    run_id: str = ""
    content_key: str = ""
    decision_key: str = ""
    verdicts: list[dict[str, Any]] = field(default_factory=list)
    evidence: dict[str, Any] = field(default_factory=dict)
    time: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    who: str = field(default_factory=user_name)

    @property
    def moves_alias(self) -> bool:
        """Whether another version is champion afterwards; a refused or held challenger changes nothing."""
        return self.outcome in {"promoted", "rolled_back"}


@dataclass(frozen=True)
class Ledger:
    """The ledger of one model: `.seqline/ledger/NAME.jsonl`."""

    folder: Path
    name: str

    @property
    def path(self) -> Path:
        """The file."""
        return self.folder / f"{check_name(self.name)}.jsonl"

    @property
    def _pending_path(self) -> Path:
        return self.folder / f"{check_name(self.name)}.pending.json"

    @property
    def _journal(self) -> Journal:
        return Journal(self.path)

    def entries(self) -> list[Entry]:
        """All decisions, the oldest first.

        Raises:
            SeqlineError: A line other than a torn last one is damaged.
        """
        entries = []
        for number, record in enumerate(self._journal.records(), start=1):
            try:
                entries.append(Entry(**record))
            except TypeError as error:
                raise self._journal.damaged(number, f"not a ledger entry ({error})") from None
        return entries

    def append(self, entry: Entry) -> None:
        """Write one decision to the disk; returns when it is there."""
        self._journal.append(asdict(entry))

    def announce(self, entry: Entry) -> None:
        """Write down a decision about to be carried out, so that a kill in between can be made good."""
        write_json(self._pending_path, asdict(entry))

    def conclude(self, entry: Entry) -> None:
        """Append an announced decision and forget the announcement."""
        self.append(entry)
        self._pending_path.unlink(missing_ok=True)

    def recover(self, champion: int | None) -> Entry | None:
        """Make good a kill between announcing a decision and appending it.

        Args:
            champion: Version that bears the alias now.

        Returns:
            The entry that was appended: the announced one, if it had been carried out.
        """
        if not self._pending_path.is_file():
            return None
        entry = Entry(**read_json(self._pending_path))
        entries = self.entries()
        carried_out = champion == entry.version and not (entries and entries[-1] == entry)
        if carried_out:
            self.append(entry)
        self._pending_path.unlink(missing_ok=True)
        return entry if carried_out else None


def champions(entries: Sequence[Entry]) -> list[int]:
    """Replay: the champions that a rollback can go back through, the present one last.

    A promotion adds one, a rollback removes those after the version it went back to. An alias that was moved
    outside seqline shows as a `previous` the ledger did not know, and is taken in.
    """
    line: list[int] = []
    for entry in entries:
        if not entry.moves_alias:
            continue
        if entry.outcome == "rolled_back":
            while line and line[-1] != entry.version:
                line.pop()
            if not line:
                line.append(entry.version)
            continue
        if entry.previous is not None and (not line or line[-1] != entry.previous):
            line.append(entry.previous)
        line.append(entry.version)
    return line


def contents(entries: Sequence[Entry]) -> dict[int, str]:
    """Version -> content key, as decided last: a store made anew counts from 1 again, content stays."""
    return {entry.version: entry.content_key for entry in entries}


def rolled_back_contents(entries: Sequence[Entry]) -> set[str]:
    """Content that a rollback took the alias from and that nobody promoted again since."""
    known: dict[int, str] = {}
    gone: set[str] = set()
    for entry in entries:
        known[entry.version] = entry.content_key
        if entry.outcome == "rolled_back" and entry.previous in known:
            gone.add(known[entry.previous])
        if entry.moves_alias:
            gone.discard(entry.content_key)
    return gone


def held_entry(entries: Sequence[Entry]) -> Entry | None:
    """The passing challenger that waits for a person: the newest one held and not decided about since."""
    for index in range(len(entries) - 1, -1, -1):
        entry = entries[index]
        if entry.outcome == "held":
            since = entries[index + 1 :]
            return None if any(later.content_key == entry.content_key for later in since) else entry
    return None
