"""A person's word for a challenger that passed the gate and was held: it becomes champion, or is judged again.

An approval never replaces the gate. It counts for exactly the question that was judged: the same version, against the
same champion, on the same rows, under the same rules.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

from seqline.errors import InputError, SeqlineError
from seqline.recipe import Recipe
from seqline.tracking.changeover import carry_out, settle
from seqline.tracking.evidence import load_test_rows
from seqline.tracking.ledger import Entry, held_entry
from seqline.tracking.promotion import Decision, decide
from seqline.tracking.question import Question, verdicts_of
from seqline.tracking.registry import (
    CHALLENGER,
    RegisteredVersion,
    ledger_of,
    model_lock,
    with_alias,
)
from seqline.tracking.storage import package_folder
from seqline.tracking.store import Tracking


def waiting(root: Path, name: str) -> Entry | None:
    """The ledger's entry that waits for approval, if there is one. Needs no MLflow."""
    return held_entry(ledger_of(root, name).entries())


def approve(
    tracking: Tracking,
    name: str,
    *,
    recipe: Recipe,
    prepare_folder: Path,
    evaluate_folder: Path,
    reason: str = "",
    who: str = "",
) -> Decision:
    """Make the held challenger champion, if all that its verdicts depend on is as it was.

    Args:
        tracking: Where.
        name: The model.
        recipe: Its recipe.
        prepare_folder: As for `promote`; read only where the challenger has to be judged again.
        evaluate_folder: As for `promote`.
        reason: Why, for the ledger.
        who: Who approves; by default the user of this process.

    Returns:
        `promoted`; or `held` when champion, rows, evaluation or gate changed since and the challenger passed again:
        the new numbers want a new approval.

    Raises:
        InputError: Nothing is held, or the held version is no longer the challenger.
        GateRefused: Judged again, it does not pass.
        SeqlineError: The held version's package is damaged.
    """
    with model_lock(tracking, name):
        ledger, current = settle(tracking, name)
        held = held_entry(ledger.entries())
        if held is None:
            raise InputError(
                name, "nothing waits for approval", hint=f"`seqline history {name}` shows what was decided"
            )
        challenger = _still_challenger(tracking, name, held)
        package_folder(tracking, challenger)
        evidence = held.evidence
        question = Question(recipe, challenger, current, evidence["rows_sha256"], evidence["again"])
        if question.key != held.decision_key or not all(v.passed for v in verdicts_of(held)):
            evaluated = challenger.tags.get("evaluation_sha256", "")
            rows = load_test_rows(prepare_folder, evaluate_folder, recipe, evaluated, name)
            question = dataclasses.replace(question, rows_sha256=rows.digest)
            decision = decide(tracking, ledger, question, rows)
            since = "champion, test rows or gate changed since it was held, so it was judged again"
            return dataclasses.replace(decision, reason=f"{since}: {decision.reason}")
        said = f": {reason}" if reason else ""
        entry = Entry(
            outcome="promoted",
            version=held.version,
            previous=held.previous,
            reason=f"approved{said} ({held.reason})",
            run_id=held.run_id,
            content_key=held.content_key,
            decision_key=held.decision_key,
            verdicts=held.verdicts,
            evidence={**evidence, "approval": {"reason": reason, "held": held.time, "held_by": held.who}},
            **({"who": who} if who else {}),
        )
        carry_out(tracking, ledger, name, entry)
    return Decision("promoted", entry.version, entry.previous, entry.reason, verdicts_of(entry))


def _still_challenger(tracking: Tracking, name: str, held: Entry) -> RegisteredVersion:
    challenger = with_alias(tracking, name, CHALLENGER)
    if challenger is None or challenger.version != held.version:
        now = "nobody" if challenger is None else f"version {challenger.version}"
        raise InputError(
            f"{name} version {held.version}",
            f"held for approval on {held.time}, but the challenger is now {now}",
            "the challenger that was judged",
            f"`seqline promote {name}` judges the present challenger",
        )
    if challenger.content_key != held.content_key:
        raise SeqlineError(
            f"{name} version {held.version}",
            "another model than the one that was held: the registry counts anew",
            hint=f"`seqline promote {name}` judges the present challenger",
        )
    return challenger
