"""Promotion through the gate: challenger against champion, on the same rows, one decision at a time.

Every decision is: lock, read the champion again, judge against that very version, then move the alias, refuse, or
hold what passed for a person's approval; all of them go into the ledger.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from seqline.errors import GateRefused, InputError, SeqlineError
from seqline.evaluation.gates import Judgement, Verdict, judge, verdict_table
from seqline.recipe import Recipe
from seqline.tracking.changeover import carry_out, note, settle
from seqline.tracking.evidence import TestRows, UnreadableChampionError, gather, load_test_rows
from seqline.tracking.ledger import Entry, Ledger, held_entry, rolled_back_contents
from seqline.tracking.question import Question, verdicts_of
from seqline.tracking.registry import (
    CHALLENGER,
    champion,
    get_version,
    ledger_of,
    model_lock,
    with_alias,
)
from seqline.tracking.storage import package_folder
from seqline.tracking.store import Tracking

# Of the version's tags, what an entry keeps so that the ledger alone tells where a champion came from.
_LINEAGE_TAGS = ("git_commit", "data_md5", "recipe_sha256")


@dataclass(frozen=True)
class Decision:
    """What `promote`, `approve` or `roll_back` did.

    Attributes:
        outcome: What happened; a refusal is raised instead.
        version: The champion now; held: the version that waits for approval.
        previous: The champion before; held: the champion that stays. None when there is none.
        reason: In one sentence.
        verdicts: Every gate rule.
    """

    outcome: Literal["promoted", "already champion", "rolled_back", "held"]
    version: int
    previous: int | None
    reason: str
    verdicts: list[Verdict] = field(default_factory=list)

    def table(self) -> str:
        """Show the gate's verdicts as aligned lines."""
        return verdict_table(self.verdicts)


def promote(
    tracking: Tracking,
    name: str,
    *,
    recipe: Recipe,
    prepare_folder: Path,
    evaluate_folder: Path,
    version: int | None = None,
    again: bool = False,
) -> Decision:
    """Make a version champion if it passes the gate, or hold it where the recipe wants a person's approval.

    Args:
        tracking: Where.
        name: The model.
        recipe: Its recipe; the gate section holds the rules.
        prepare_folder: Holds the test rows the champion is scored on.
        evaluate_folder: The version's evaluation on the same rows.
        version: Which version; by default whichever bears the alias `challenger`. Someone who has just
            registered one names it: the alias may have gone to another since.
        again: Let a version pass that a rollback took the alias from.

    Returns:
        The decision: `promoted`, `held`, or `already champion` when there is nothing to decide.

    Raises:
        InputError: No such version, or the evaluation is not that version's.
        GateRefused: With every rule that failed; the alias is where it was.
        SeqlineError: The version's package is damaged, or the alias did not move.
    """
    with model_lock(tracking, name):
        ledger, current = settle(tracking, name)
        challenger = (
            with_alias(tracking, name, CHALLENGER)
            if version is None
            else get_version(tracking, name, version)
        )
        if challenger is None:
            raise InputError(
                name, "no challenger", hint=f"`seqline register {name}` makes one of a trained model"
            )
        if current is not None and current.version == challenger.version:
            reason = "the challenger is the champion"
            return Decision("already champion", current.version, current.version, reason)
        rows = load_test_rows(
            prepare_folder, evaluate_folder, recipe, challenger.tags.get("evaluation_sha256", ""), name
        )
        return decide(tracking, ledger, Question(recipe, challenger, current, rows.digest, again), rows)


def is_decided(
    tracking: Tracking,
    name: str,
    version: int,
    *,
    recipe: Recipe,
    prepare_folder: Path,
    evaluate_folder: Path,
) -> bool:
    """Whether `promote` would have nothing new to say about a version.

    It is champion, was refused for good, or is held for a person's approval.

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
    question = Question(recipe, challenger, current, rows.digest, again=False)
    entries = ledger_of(tracking.root, name).entries()
    return _held_already(entries, question) is not None or question.lasting_refusal(entries) is not None


def decide(tracking: Tracking, ledger: Ledger, question: Question, rows: TestRows) -> Decision:
    """Answer a question: promote, hold or refuse. Needs the model's lock.

    Raises:
        GateRefused: With every rule that failed.
    """
    entries = ledger.entries()
    challenger, current = question.challenger, question.current
    # The same question has the same answer: no scoring, no second line in the ledger.
    refused = question.lasting_refusal(entries)
    if refused is not None:
        raise _refusal(question, refused)
    held = _held_already(entries, question)
    if held is not None:
        return Decision("held", held.version, held.previous, held.reason, verdicts_of(held))
    looks = question.looks(entries)
    judgement = _judged(tracking, question, rows, looks)
    verdicts = judgement.verdicts
    if challenger.content_key in rolled_back_contents(entries) and not question.again:
        reason = "a rollback took the alias from this content"
        verdicts.append(Verdict("not_rolled_back", False, None, None, reason))
    failed = [verdict for verdict in verdicts if not verdict.passed]
    outcome: Literal["refused", "held", "promoted"] = (
        "refused" if failed else "held" if question.recipe.gate.approval == "manual" else "promoted"
    )
    entry = Entry(
        outcome=outcome,
        version=challenger.version,
        previous=current.version if current else None,
        reason="; ".join(f"{verdict.rule}: {verdict.reason}" for verdict in failed) or _praise(judgement),
        run_id=challenger.run_id,
        content_key=challenger.content_key,
        decision_key=question.key,
        verdicts=[verdict.record() for verdict in verdicts],
        evidence=_evidence(question, rows, judgement, looks),
    )
    if outcome == "promoted":
        carry_out(tracking, ledger, challenger.name, entry)
    else:
        note(tracking, ledger, challenger.name, entry)
    if outcome == "refused":
        raise _refusal(question, verdicts)
    return Decision(outcome, entry.version, entry.previous, entry.reason, verdicts)


def _evidence(question: Question, rows: TestRows, judgement: Judgement, looks: int) -> dict[str, Any]:
    challenger, current = question.challenger, question.current
    return {
        "rows": len(rows.targets),
        "rows_sha256": rows.digest,
        "champion_content": current.content_key if current else None,
        "looks": looks,
        "again": question.again,
        "comparison": judgement.comparison.record() if judgement.comparison else None,
        "metrics": {
            key.removeprefix("metric."): float(value)
            for key, value in sorted(challenger.tags.items())
            if key.startswith("metric.")
        },
        "lineage": {tag: challenger.tags[tag] for tag in _LINEAGE_TAGS if tag in challenger.tags},
    }


def _held_already(entries: list[Entry], question: Question) -> Entry | None:
    """The entry that holds the same question's challenger, if a person still has to approve it."""
    held = held_entry(entries)
    # Held with `again`, it waits for its approval all the same; a scheduled run must not refuse it meanwhile.
    keys = {question.key, dataclasses.replace(question, again=True).key}
    waits = held is not None and held.decision_key in keys
    return held if waits and question.recipe.gate.approval == "manual" else None


def _judged(tracking: Tracking, question: Question, rows: TestRows, looks: int) -> Judgement:
    current = question.current
    try:
        evidence = gather(
            tracking,
            recipe=question.recipe,
            challenger=question.challenger,
            # The same content in an intact package mends a damaged champion; there is nothing to compare.
            champion=None if current and current.content_key == question.challenger.content_key else current,
            rows=rows,
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


def _refusal(question: Question, verdicts: list[Verdict]) -> GateRefused:
    challenger, current = question.challenger, question.current
    failed = [verdict for verdict in verdicts if not verdict.passed]
    stays = (
        f"version {current.version} stays champion"
        if current
        else "there is no champion yet, so nobody answers"
    )
    return GateRefused(
        f"{challenger.name} version {challenger.version}",
        f"refused by {len(failed)} of {len(verdicts)} rules\n{verdict_table(failed)}",
        hint=f"{stays}; `seqline history {challenger.name}` has every number",
    )
