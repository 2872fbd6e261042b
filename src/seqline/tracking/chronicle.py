"""What the ledger tells afterwards: every decision about a model, and who served at a given moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from seqline.errors import InputError, SeqlineError
from seqline.tracking.ledger import Entry
from seqline.tracking.registry import get_version, ledger_of
from seqline.tracking.store import connect, own_uri, tracking_uri

_LINEAGE_TAGS = ("git_commit", "data_md5", "recipe_sha256")


@dataclass(frozen=True)
class Service:
    """Who served at a moment.

    Attributes:
        name: The model.
        moment: The moment asked about, UTC.
        decision: The decision that made it champion.
        judged: The promotion that judged it; the same entry unless a rollback brought it back. None where a
            rollback went to a version that the ledger never saw promoted.
        until: The next decision that moved the alias; None while it serves.
        lineage: Commit, data and recipe digest, as far as ledger or store know them.
    """

    name: str
    moment: datetime
    decision: Entry
    judged: Entry | None
    until: Entry | None
    lineage: Mapping[str, str]

    def record(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "name": self.name,
            "moment": self.moment.isoformat(),
            "version": self.decision.version,
            "run_id": self.decision.run_id,
            "content_key": self.decision.content_key,
            "since": self.decision.time,
            "until": self.until.time if self.until else None,
            "lineage": dict(self.lineage),
            "decision": asdict(self.decision),
            "judged": asdict(self.judged) if self.judged else None,
        }


def history(root: Path, name: str) -> list[Entry]:
    """Every decision about a model, the oldest first. Needs no MLflow."""
    return ledger_of(root, name).entries()


def parse_moment(text: str) -> datetime:
    """A date (its end) or a time, ISO 8601; UTC unless it names an offset.

    Raises:
        InputError: It is neither.

    Example:
        >>> parse_moment("2026-03-01").isoformat(), parse_moment("2026-03-01T12:00+02:00").isoformat()
        ('2026-03-01T23:59:59.999999+00:00', '2026-03-01T10:00:00+00:00')
    """
    try:
        day = date.fromisoformat(text)
    except ValueError:
        pass
    else:
        return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1, microseconds=-1)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(
            f"--on {text}", "neither a date nor a time", "2026-03-01, or 2026-03-01T14:30 (UTC)"
        ) from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def serving_at(entries: Sequence[Entry], name: str, moment: datetime) -> Service | None:
    """Replay the ledger up to a moment; None when nobody served yet.

    Args:
        entries: The ledger, in its order.
        name: The model.
        moment: With its time zone.
    """
    moves = [entry for entry in entries if entry.moves_alias]
    past = [entry for entry in moves if datetime.fromisoformat(entry.time) <= moment]
    if not past:
        return None
    decision = past[-1]
    following = moves[moves.index(decision) + 1 :]
    judged = [entry for entry in past if entry.outcome == "promoted" and _same_model(entry, decision)]
    evidence = judged[-1] if judged else None
    known = evidence.evidence.get("lineage", {}) if evidence else {}
    return Service(name, moment, decision, evidence, following[0] if following else None, known)


def lineage_of(root: Path, service: Service) -> Mapping[str, str]:
    """Commit, data and recipe of who served: the ledger's, else the store's if it answers, else nothing."""
    if service.lineage or _no_store_yet(root):
        return service.lineage
    from mlflow.exceptions import MlflowException

    try:
        version = get_version(connect(root), service.name, service.decision.version)
    except (SeqlineError, MlflowException, OSError):
        return {}
    # A store made anew counts its versions from 1 again.
    if version.content_key != service.decision.content_key:
        return {}
    return {tag: version.tags[tag] for tag in _LINEAGE_TAGS if tag in version.tags}


def _no_store_yet(root: Path) -> bool:
    """Whether connecting would make an empty database: a question must not."""
    uri = tracking_uri(root)
    return uri == own_uri(root) and not Path(uri.removeprefix("sqlite:///")).is_file()


def _same_model(entry: Entry, decision: Entry) -> bool:
    return entry.version == decision.version and entry.content_key == decision.content_key
