"""Who is champion: promotion through the gate, rollback, and the history of both.

Every decision is: lock, read the champion again, judge against that very version, announce, move the alias,
read it back, write the ledger. A kill in between is made good at the next decision, so replaying the ledger
gives the alias.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from seqline.config import Recipe, sections_of
from seqline.errors import GateRefused, InputError, SeqlineError
from seqline.evaluation.gates import Judgement, Verdict, judge, verdict_table
from seqline.files import sha256_json
from seqline.tracking.evidence import TestRows, UnreadableChampionError, gather, load_test_rows
from seqline.tracking.ledger import Entry, Ledger, champions, contents, rolled_back_contents
from seqline.tracking.registry import (
    CHALLENGER,
    CHAMPION,
    RegisteredVersion,
    aliases_of,
    champion,
    get_version,
    ledger_of,
    model_lock,
    set_tags,
    versions,
    with_alias,
)
from seqline.tracking.storage import package_folder
from seqline.tracking.store import Tracking

# Refused for one of these, the same question may have another answer tomorrow.
_TRANSIENT_RULES = ("latency", "champion_intact")
_REASON_CHARACTERS = 400


@dataclass(frozen=True)
class Decision:
    """What `promote` or `rollback` did.

    Attributes:
        outcome: What happened; a refusal is raised instead.
        version: The champion now.
        previous: The champion before; None when there was none.
        reason: In one sentence.
        verdicts: Every gate rule.
    """

    outcome: Literal["promoted", "already champion", "rolled_back"]
    version: int
    previous: int | None
    reason: str
    verdicts: list[Verdict] = field(default_factory=list)

    def table(self) -> str:
        """Show the gate's verdicts as aligned lines."""
        return verdict_table(self.verdicts)


@dataclass(frozen=True)
class ModelSummary:
    """One line of `seqline models`."""

    name: str
    versions: int
    champion: int | None
    challenger: int | None
    accuracy: float | None
    decided: str


def promote(
    tracking: Tracking,
    name: str,
    *,
    recipe: Recipe,
    prepare_folder: Path,
    evaluate_folder: Path,
    again: bool = False,
) -> Decision:
    """Make the challenger champion if it passes the gate.

    Args:
        tracking: Where.
        name: The model.
        recipe: Its recipe; the gate section holds the rules.
        prepare_folder: Holds the test rows the champion is scored on.
        evaluate_folder: The challenger's evaluation on the same rows.
        again: Let a version pass that a rollback took the alias from.

    Returns:
        The decision; `already champion` when there is nothing to decide.

    Raises:
        InputError: No challenger, or the evaluation is not the challenger's.
        GateRefused: With every rule that failed; the alias is where it was.
        SeqlineError: The challenger's package is damaged, or the alias did not move.
    """
    with model_lock(tracking, name):
        ledger, current = _settled(tracking, name)
        challenger = with_alias(tracking, name, CHALLENGER)
        if challenger is None:
            raise InputError(
                name, "no challenger", hint=f"`seqline register {name}` makes one of a trained model"
            )
        if current is not None and current.version == challenger.version:
            return Decision(
                "already champion", current.version, current.version, "the challenger is the champion"
            )
        rows = load_test_rows(
            prepare_folder, evaluate_folder, recipe, challenger.tags.get("evaluation_sha256", ""), name
        )
        return _decide(tracking, ledger, _Question(recipe, challenger, current, rows, again))


@dataclass(frozen=True)
class _Question:
    """All that a decision about a challenger depends on."""

    recipe: Recipe
    challenger: RegisteredVersion
    current: RegisteredVersion | None
    rows: TestRows
    again: bool

    @property
    def key(self) -> str:
        """Digest; the same key is the same question."""
        current = self.current
        return sha256_json(
            {
                "challenger": [self.challenger.version, self.challenger.content_key],
                "champion": [current.version, current.content_key] if current else None,
                "evaluation": self.challenger.tags.get("evaluation_sha256"),
                "gate": sections_of(self.recipe, "gate"),
                "rows": self.rows.digest,
                "again": self.again,
            }
        )

    def looks(self, entries: list[Entry]) -> int:
        """Count the other contents that were compared with this champion on these rows."""
        if self.current is None:
            return 0
        seen = {
            entry.content_key
            for entry in entries
            if entry.outcome == "refused"
            and entry.evidence.get("champion_content") == self.current.content_key
            and entry.evidence.get("rows_sha256") == self.rows.digest
            and entry.evidence.get("comparison") is not None
        }
        return len(seen - {self.challenger.content_key})


def is_decided(
    tracking: Tracking,
    name: str,
    version: int,
    *,
    recipe: Recipe,
    prepare_folder: Path,
    evaluate_folder: Path,
) -> bool:
    """Whether `promote` would have nothing new to say about a version: it is champion, or was refused for good.

    Args:
        tracking: Where.
        name: The model.
        version: The version that the artifacts at hand are.
        recipe: Its recipe; another gate is another question.
        prepare_folder: As for `promote`.
        evaluate_folder: As for `promote`.
    """
    current, challenger = champion(tracking, name), with_alias(tracking, name, CHALLENGER)
    if current is not None and current.version == version:
        try:
            package_folder(tracking, current)
        except SeqlineError:
            return False
        return True
    if challenger is None or challenger.version != version:
        return False
    evaluated = challenger.tags.get("evaluation_sha256", "")
    rows = load_test_rows(prepare_folder, evaluate_folder, recipe, evaluated, name)
    question = _Question(recipe, challenger, current, rows, again=False)
    return _lasting_refusal(ledger_of(tracking.root, name).entries(), question) is not None


def _decide(tracking: Tracking, ledger: Ledger, question: _Question) -> Decision:
    entries = ledger.entries()
    challenger, current = question.challenger, question.current
    # The same question has the same answer: no scoring, no second line in the ledger.
    refused = _lasting_refusal(entries, question)
    if refused is not None:
        raise _refusal(challenger, refused)
    looks = question.looks(entries)
    judgement = _judged(tracking, question, looks)
    verdicts, comparison = judgement.verdicts, judgement.comparison
    if challenger.content_key in rolled_back_contents(entries) and not question.again:
        reason = "a rollback took the alias from this content"
        verdicts.append(Verdict("not_rolled_back", False, None, None, reason))
    failed = [verdict for verdict in verdicts if not verdict.passed]
    reason = "; ".join(f"{verdict.rule}: {verdict.reason}" for verdict in failed) or _praise(judgement)
    entry = Entry(
        outcome="refused" if failed else "promoted",
        version=challenger.version,
        previous=current.version if current else None,
        reason=reason,
        run_id=challenger.run_id,
        content_key=challenger.content_key,
        decision_key=question.key,
        verdicts=[verdict.record() for verdict in verdicts],
        evidence={
            "rows": len(question.rows.targets),
            "rows_sha256": question.rows.digest,
            "champion_content": current.content_key if current else None,
            "looks": looks,
            "comparison": comparison.record() if comparison else None,
        },
    )
    if failed:
        ledger.append(entry)
        _mirror(tracking, entry, challenger.name)
        raise _refusal(challenger, verdicts)
    _carry_out(tracking, ledger, challenger.name, entry)
    return Decision("promoted", entry.version, entry.previous, reason, verdicts)


def _judged(tracking: Tracking, question: _Question, looks: int) -> Judgement:
    current = question.current
    try:
        evidence = gather(
            tracking,
            recipe=question.recipe,
            challenger=question.challenger,
            # The same content in an intact package mends a damaged champion; there is nothing to compare.
            champion=None if current and current.content_key == question.challenger.content_key else current,
            rows=question.rows,
            looks=looks,
        )
    except UnreadableChampionError as error:
        return Judgement([Verdict("champion_intact", False, None, None, str(error))], None)
    return judge(question.recipe.gate, evidence)


def _praise(judgement: Judgement) -> str:
    comparison = judgement.comparison
    if comparison is None:
        return f"no other champion to compare with; all {len(judgement.verdicts)} rules passed"
    return (
        f"{comparison.metric} {comparison.challenger:.4f} against {comparison.champion:.4f}; all rules passed"
    )


def _lasting_refusal(entries: list[Entry], question: _Question) -> list[Verdict] | None:
    """The verdicts of a refusal of the same question, unless another day could judge it otherwise."""
    key = question.key
    for entry in reversed(entries):
        if entry.outcome == "refused" and entry.decision_key == key:
            verdicts = [Verdict(**record) for record in entry.verdicts]
            transient = any(not v.passed and v.rule in _TRANSIENT_RULES for v in verdicts)
            return None if transient else verdicts
    return None


def _refusal(challenger: RegisteredVersion, verdicts: list[Verdict]) -> GateRefused:
    failed = [verdict for verdict in verdicts if not verdict.passed]
    return GateRefused(
        f"{challenger.name} version {challenger.version}",
        f"refused by {len(failed)} of {len(verdicts)} rules\n{verdict_table(failed)}",
        hint=f"the champion stays; `seqline history {challenger.name}` has every number",
    )


def rollback(tracking: Tracking, name: str, *, to: int | None = None, reason: str = "") -> Decision:
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
        ledger, current = _settled(tracking, name)
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
        _carry_out(tracking, ledger, name, entry)
    return Decision("rolled_back", target, entry.previous, entry.reason)


def history(root: Path, name: str) -> list[Entry]:
    """Every decision about a model, the oldest first. Needs no MLflow."""
    return ledger_of(root, name).entries()


def models(tracking: Tracking) -> list[ModelSummary]:
    """Summarise every registered model."""
    names = sorted(model.name for model in tracking.client.search_registered_models())
    summaries = []
    for name in names:
        aliases = aliases_of(tracking, name)
        known = {version.version: version for version in versions(tracking, name)}
        best = known.get(aliases.get(CHAMPION, -1))
        score = best.tags.get("metric.accuracy") if best else None
        decided = [entry.time for entry in history(tracking.root, name) if entry.outcome != "refused"]
        summaries.append(
            ModelSummary(
                name=name,
                versions=len(known),
                champion=aliases.get(CHAMPION),
                challenger=aliases.get(CHALLENGER),
                accuracy=float(score) if score else None,
                decided=decided[-1] if decided else "",
            )
        )
    return summaries


def _settled(tracking: Tracking, name: str) -> tuple[Ledger, RegisteredVersion | None]:
    """Open ledger and champion, after making good what a kill left half done."""
    ledger = ledger_of(tracking.root, name)
    current = champion(tracking, name)
    recovered = ledger.recover(current.version if current else None)
    if recovered is not None:
        _mirror(tracking, recovered, name)
    return ledger, current


def _carry_out(tracking: Tracking, ledger: Ledger, name: str, entry: Entry) -> None:
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
    _mirror(tracking, entry, name)


def _mirror(tracking: Tracking, entry: Entry, name: str) -> None:
    """Show the decision as tags of the version, for those who look at a shared server."""
    tags: dict[str, Any] = {
        "decision": entry.outcome,
        "decision_reason": entry.reason[:_REASON_CHARACTERS],
        "decision_time": entry.time,
        "decision_champion": str(entry.previous or ""),
    }
    set_tags(tracking, name, entry.version, tags)
