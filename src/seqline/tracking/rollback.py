"""Rollback: the alias `champion` goes back along the line of those who bore it."""

from __future__ import annotations

from seqline.errors import InputError
from seqline.tracking.changeover import carry_out, settle
from seqline.tracking.ledger import Entry, champions, contents
from seqline.tracking.promotion import Decision
from seqline.tracking.registry import get_version, model_lock, versions
from seqline.tracking.storage import package_folder
from seqline.tracking.store import Tracking


def roll_back(tracking: Tracking, name: str, *, to: int | None = None, reason: str = "") -> Decision:
    """Give the alias back to the champion before the present one. Again goes one further back.

    Args:
        tracking: Where.
        name: The model.
        to: An earlier champion to go back to; by default the last one before that still exists.
        reason: For the ledger.

    Raises:
        InputError: There is no earlier champion, or `to` never was one.
        SeqlineError: The earlier champion's package is damaged.
    """
    with model_lock(tracking, name):
        ledger, current = settle(tracking, name)
        entries = ledger.entries()
        line = champions(entries)
        if current is not None and line and line[-1] == current.version:
            line = line[:-1]
        known = contents(entries)
        existing = {version.version: version.content_key for version in versions(tracking, name)}
        earlier = [version for version in line if existing.get(version, "") == known.get(version, "-")]
        if not earlier:
            raise InputError(name, "no earlier champion to go back to", hint=f"see `seqline history {name}`")
        target = earlier[-1] if to is None else to
        if target not in earlier:
            choice = ", ".join(str(version) for version in dict.fromkeys(earlier))
            raise InputError(f"{name} version {target}", "not an earlier champion", f"one of {choice}")
        version = get_version(tracking, name, target)
        package_folder(tracking, version)
        entry = Entry(
            outcome="rolled_back",
            version=target,
            previous=current.version if current else None,
            reason=reason or "asked for",
            run_id=version.run_id,
            content_key=version.content_key,
        )
        carry_out(tracking, ledger, name, entry)
    return Decision("rolled_back", target, entry.previous, entry.reason)
