"""The question a decision answers: this challenger against this champion, on these rows, under this gate.

The same question has the same answer, so it is asked once: its key finds the decision in the ledger again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from seqline.config import sections_of
from seqline.evaluation.gates import Verdict
from seqline.files import sha256_json
from seqline.recipe import Recipe
from seqline.tracking.ledger import Entry
from seqline.tracking.registry import RegisteredVersion

# Refused for one of these, the same question may have another answer tomorrow.
_TRANSIENT_RULES = ("latency", "champion_intact")


@dataclass(frozen=True)
class Question:
    """All that a decision about a challenger depends on.

    Attributes:
        recipe: Its gate section holds the rules.
        challenger: The version that wants to be champion.
        current: The champion; None before the first.
        rows_sha256: Digest of the test rows that both are scored on.
        again: Whether a version may pass that a rollback took the alias from.
    """

    recipe: Recipe
    challenger: RegisteredVersion
    current: RegisteredVersion | None
    rows_sha256: str
    again: bool

    @property
    def key(self) -> str:
        """Digest; the same key is the same question. Who has to approve is no part of it."""
        current = self.current
        gate = sections_of(self.recipe, "gate")["gate"]
        return sha256_json(
            {
                "challenger": [self.challenger.version, self.challenger.content_key],
                "champion": [current.version, current.content_key] if current else None,
                "evaluation": self.challenger.tags.get("evaluation_sha256"),
                "gate": {"gate": {name: value for name, value in gate.items() if name != "approval"}},
                "rows": self.rows_sha256,
                "again": self.again,
            }
        )

    def looks(self, entries: Sequence[Entry]) -> int:
        """Count the other contents that were compared with this champion on these rows."""
        if self.current is None:
            return 0
        seen = {
            entry.content_key
            for entry in entries
            if entry.outcome in {"refused", "held"}
            and entry.evidence.get("champion_content") == self.current.content_key
            and entry.evidence.get("rows_sha256") == self.rows_sha256
            and entry.evidence.get("comparison") is not None
        }
        return len(seen - {self.challenger.content_key})

    def lasting_refusal(self, entries: Sequence[Entry]) -> list[Verdict] | None:
        """The verdicts of a refusal of the same question, unless another day could judge it otherwise."""
        key = self.key
        for entry in reversed(entries):
            if entry.outcome == "refused" and entry.decision_key == key:
                return None if is_for_now(entry) else verdicts_of(entry)
        return None


def is_for_now(entry: Entry) -> bool:
    """Whether a refusal rests on something that may be otherwise tomorrow: a slow machine, a damaged champion."""
    return any(not verdict.passed and verdict.rule in _TRANSIENT_RULES for verdict in verdicts_of(entry))


def verdicts_of(entry: Entry) -> list[Verdict]:
    """The gate's verdicts as a ledger entry keeps them."""
    return [Verdict(**record) for record in entry.verdicts]
