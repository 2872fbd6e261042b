"""The alias `champion` changes hands: announced, moved, read back, written into the ledger, shown as tags.

A kill in between is made good by the next decision, so replaying the ledger gives the alias.
"""

from __future__ import annotations

from typing import Any

from seqline.errors import SeqlineError
from seqline.tracking.ledger import Entry, Ledger
from seqline.tracking.registry import (
    CHAMPION,
    RegisteredVersion,
    aliases_of,
    champion,
    ledger_of,
    set_tags,
)
from seqline.tracking.store import Tracking

_REASON_CHARACTERS = 400


def settle(tracking: Tracking, name: str) -> tuple[Ledger, RegisteredVersion | None]:
    """Open ledger and champion, after making good what a kill left half done. Needs the model's lock."""
    ledger = ledger_of(tracking.root, name)
    current = champion(tracking, name)
    recovered = ledger.recover(current.version if current else None)
    if recovered is not None:
        mirror(tracking, name, recovered)
    return ledger, current


def carry_out(tracking: Tracking, ledger: Ledger, name: str, entry: Entry) -> None:
    """Make `entry.version` champion and write the entry down. Needs the model's lock.

    Raises:
        SeqlineError: The alias did not move: someone without our lock moved it at the same time.
    """
    ledger.announce(entry)
    tracking.client.set_registered_model_alias(name, CHAMPION, str(entry.version))
    now = aliases_of(tracking, name).get(CHAMPION)
    if now != entry.version:
        raise SeqlineError(
            f"{name}, alias {CHAMPION}",
            f"version {now} after setting it to {entry.version}: someone else moved it",
            hint="decide again",
        )
    ledger.conclude(entry)
    mirror(tracking, name, entry)


def note(tracking: Tracking, ledger: Ledger, name: str, entry: Entry) -> None:
    """Write down a decision that leaves the alias where it is."""
    ledger.append(entry)
    mirror(tracking, name, entry)


def mirror(tracking: Tracking, name: str, entry: Entry) -> None:
    """Show the decision as tags of the version, for those who look at a shared server."""
    tags: dict[str, Any] = {
        "decision": entry.outcome,
        "decision_reason": entry.reason[:_REASON_CHARACTERS],
        "decision_time": entry.time,
        "decision_champion": str(entry.previous or ""),
    }
    set_tags(tracking, name, entry.version, tags)
