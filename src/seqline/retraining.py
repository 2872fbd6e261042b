"""The decision to train again: the facts, the answer, and the record of both.

A trigger is idempotent. Its run key is a digest of data, code and recipe; once a training of that key has come to an
end that another try would repeat, every further trigger of the same key is answered "skip".
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from seqline.config import sections_of
from seqline.data.batches import Batch, batches_in, in_window
from seqline.data.kinds import kind_of
from seqline.data.readers import read_rows
from seqline.errors import SeqlineError
from seqline.files import check_name, files_below, read_json, sha256_file, sha256_json
from seqline.journal import Journal
from seqline.labels import labelled_quality
from seqline.monitoring.policy import Answer, Facts, Reason, because, reasons_for
from seqline.recipe import Recipe
from seqline.surveillance import recent_drift
from seqline.tracking.ledger import user_name
from seqline.tracking.packaging import model_folder_of
from seqline.tracking.question import is_for_now
from seqline.tracking.registry import CHALLENGER, RegisteredVersion, champion, ledger_of, with_alias
from seqline.tracking.storage import package_folder
from seqline.tracking.store import Tracking
from seqline.workspace import Workspace

PROFILE_FILE = "profile.json"
# What a training of a run key came to that the next try of the same key would come to as well.
SETTLED = frozenset({"promoted", "refused", "held", "already champion", "invalid"})
_AGAINST_A_CHAMPION = frozenset({"refused", "invalid"})
_SECONDS_A_DAY = 86_400.0
_CODE = ("src/seqline", "dvc.yaml", "requirements.lock")


@dataclass(frozen=True, kw_only=True)
class RetrainDecision:
    """An answer to "train again?", as it stands in the journal.

    Attributes:
        name: The model.
        answer: yes, no or skip.
        because: Why, in one sentence.
        reasons: Every rule's answer.
        run_key: Digest of data, code and recipe.
        trigger: Who asked: a command or a flow run.
        time: UTC, ISO 8601.
        who: User name.
    """

    name: str
    answer: Answer
    because: str
    reasons: tuple[Reason, ...]
    run_key: str
    trigger: str
    time: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    who: str = field(default_factory=user_name)

    def record(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "kind": "decision",
            "answer": self.answer,
            "because": self.because,
            "reasons": [reason.record() for reason in self.reasons],
            "run_key": self.run_key,
            "trigger": self.trigger,
            "time": self.time,
            "who": self.who,
        }

    def markdown(self) -> str:
        """For Prefect's artifact page."""
        rows = "\n".join(
            f"| {reason.rule} | {'yes' if reason.fired else 'no'} | {_cell(reason.text)} |"
            for reason in self.reasons
        )
        return (
            f"**{self.answer}**, because {_cell(self.because)}\n\n"
            f"| rule | asks for a training | found |\n|---|---|---|\n{rows}\n\nrun key `{self.run_key[:16]}`\n"
        )


def decisions_journal(root: Path, name: str) -> Journal:
    """The journal of a model's retraining decisions and what came of each training."""
    return Journal(root / ".seqline" / "ledger" / "retraining" / f"{check_name(name)}.jsonl")


def run_key(workspace: Workspace, recipe: Recipe, name: str) -> str:
    """Digest of all that a training depends on: the rows in the window, the code, the recipe but its policy."""
    data = workspace.data_folder(name)
    chosen = in_window(batches_in(data / "train"), recipe.split.window)
    test = files_below(data / "test") if (data / "test").is_dir() else []
    code = [
        path
        for part in _CODE
        for path in _files_of(workspace.root / part)
        if path.suffix != ".pyc" and path.is_file()
    ]
    sections = [section for section in type(recipe).model_fields if section != "retrain"]
    return sha256_json(
        {
            "train": {batch.name: sha256_file(batch.path) for batch in chosen},
            "test": {path.name: sha256_file(path) for path in test},
            "code": {path.relative_to(workspace.root).as_posix(): sha256_file(path) for path in code},
            "recipe": sections_of(recipe, *sections),
        }
    )


def decide(
    workspace: Workspace, tracking: Tracking, name: str, *, forced: bool = False, trigger: str
) -> RetrainDecision:
    """Answer whether to train again, and write the answer down. Call it as the owner of the workspace.

    Args:
        workspace: The project folder.
        tracking: Its registry.
        name: The model.
        forced: A reason of its own; a training of the same key that is settled is skipped all the same.
        trigger: Who asks, for the record.
    """
    recipe = workspace.recipe(name)
    facts = gather_facts(workspace, tracking, name, forced=forced)
    key = run_key(workspace, recipe, name)
    journal = decisions_journal(workspace.root, name)
    records = journal.records()
    reasons = [_unfinished(records, key), *reasons_for(recipe.retrain, facts)]
    answer, text = because(reasons)
    if answer == "yes":
        best = champion(tracking, name)
        done = settled_outcome(records, key, champion=best.content_key if best else None)
        if done is not None:
            answer = "skip"
            text = f"the same data, code and recipe were trained on {done['time']}: {done['outcome']}; asked for: {text}"
    decision = RetrainDecision(
        name=name, answer=answer, because=text, reasons=tuple(reasons), run_key=key, trigger=trigger
    )
    journal.append(decision.record())
    return decision


def outcome_of(workspace: Workspace, name: str, *, version: int, verdict: str) -> str:
    """The gate's verdict as the journal keeps it: a refusal that another day may judge otherwise says so."""
    decided = [e for e in ledger_of(workspace.root, name).entries() if e.version == version]
    if verdict == "refused" and decided and is_for_now(decided[-1]):
        return "refused for now"
    return verdict


def conclude(
    workspace: Workspace,
    decision: RetrainDecision,
    *,
    outcome: str,
    champion: str | None,
    version: int | None = None,
    detail: str = "",
) -> None:
    """Write down what came of a training that was decided on.

    Args:
        workspace: The project folder.
        decision: With the answer yes.
        outcome: promoted, refused, held, already champion; refused for now (another day may judge otherwise);
            invalid (the data or the recipe were refused); failed.
        champion: Content of the champion that it met or made; None without one.
        version: The version it made, where it made one.
        detail: Why, in one sentence.
    """
    decisions_journal(workspace.root, decision.name).append(
        {
            "kind": "outcome",
            "run_key": decision.run_key,
            "outcome": outcome,
            "champion": champion,
            "version": version,
            "detail": detail,
            "trigger": decision.trigger,
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
        }
    )


def settled_outcome(
    records: Sequence[Mapping[str, Any]], key: str, *, champion: str | None
) -> Mapping[str, Any] | None:
    """The record of a training of this key that came to an end another try would repeat.

    A refusal is one against a champion: with another champion the same training is another question.
    """
    found = [
        record
        for record in records
        if record["kind"] == "outcome"
        and record["run_key"] == key
        and record["outcome"] in SETTLED
        and (record["outcome"] not in _AGAINST_A_CHAMPION or record["champion"] == champion)
    ]
    return found[-1] if found else None


def _unfinished(records: Sequence[Mapping[str, Any]], key: str) -> Reason:
    """A training of this key that was decided on and came to no end: its version may stand there unjudged."""
    of_key = [record for record in records if record["run_key"] == key and record.get("answer") != "no"]
    last = of_key[-1] if of_key else None
    open_end = last is not None and (last["kind"] == "decision") and last["answer"] == "yes"
    failed = last is not None and last["kind"] == "outcome" and last["outcome"] not in SETTLED
    text = "every training came to an end"
    if last is not None and (open_end or failed):
        text = f"the training decided on {last['time']} came to no end that counts"
    return Reason(rule="unfinished", fired=open_end or failed, value=None, bound=None, text=text)


def gather_facts(workspace: Workspace, tracking: Tracking, name: str, *, forced: bool = False) -> Facts:
    """Everything the policy looks at, as of now."""
    recipe = workspace.recipe(name)
    kind = kind_of(recipe)
    newest, best = with_alias(tracking, name, CHALLENGER), champion(tracking, name)
    fresh = _unseen(
        tracking, newest, in_window(batches_in(workspace.data_folder(name) / "train"), recipe.split.window)
    )
    quality = labelled_quality(workspace, name, best.version, content_key=best.content_key) if best else None
    test = best.tags.get("metric.accuracy") if best else None
    drifted = recent_drift(workspace, name, recipe.retrain.windows) if best else []
    return Facts(
        newest_version=newest.version if newest else None,
        new_rows=sum(kind.observations(row.values) for batch in fresh for row in read_rows(batch.path)),
        new_batches=tuple(batch.name for batch in fresh),
        drifted=tuple(window.drifted for window in drifted),
        age_days=_age_days(tracking, newest),
        labels=quality.rows if quality else 0,
        accuracy=quality.accuracy if quality else None,
        test_accuracy=float(test) if test else None,
        forced=forced,
    )


def _unseen(tracking: Tracking, newest: RegisteredVersion | None, chosen: list[Batch]) -> list[Batch]:
    """Batches of the window that the newest version was not fitted on, by content."""
    if newest is None:
        return chosen
    try:
        profile = read_json(model_folder_of(package_folder(tracking, newest)) / PROFILE_FILE)
    except SeqlineError:
        # A version without a readable profile says nothing about what it has seen.
        return chosen
    seen = set(profile["batches"].values())
    return [batch for batch in chosen if sha256_file(batch.path) not in seen]


def _age_days(tracking: Tracking, newest: RegisteredVersion | None) -> float | None:
    if newest is None:
        return None
    made = tracking.client.get_model_version(newest.name, str(newest.version)).creation_timestamp
    return max(0.0, time.time() - made / 1000) / _SECONDS_A_DAY


def _files_of(path: Path) -> list[Path]:
    return files_below(path) if path.is_dir() else [path]


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")
