"""When to train again: the recipe's `retrain` section against the facts, each rule answered with its numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from seqline.evaluation.intervals import wilson
from seqline.recipe import RetrainSection

Answer = Literal["yes", "no", "skip"]


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known when the question is asked.

    Attributes:
        newest_version: The version made last; None before the first.
        new_rows: Training rows in the window that it was not fitted on; of series, their steps.
        new_batches: Names of the files they are in.
        drifted: For each of the newest batches, oldest first, whether it drifted from the champion's profile.
        age_days: Of the newest version; None before the first.
        labels: Late labels of answers that the champion gave.
        accuracy: Share of these that were right; None without labels.
        test_accuracy: The champion's on its test rows; None where unknown.
        forced: Somebody asked for it.
    """

    newest_version: int | None
    new_rows: int
    new_batches: tuple[str, ...] = ()
    drifted: tuple[bool, ...] = ()
    age_days: float | None = None
    labels: int = 0
    accuracy: float | None = None
    test_accuracy: float | None = None
    forced: bool = False


@dataclass(frozen=True, kw_only=True)
class Reason:
    """One rule's answer.

    Attributes:
        rule: Its name.
        fired: Whether it asks for a training.
        value: What was found; None where there is nothing to compare.
        bound: What the recipe says; None: the recipe turned the rule off.
        text: Both in words.
    """

    rule: str
    fired: bool
    value: float | None
    bound: float | None
    text: str

    def record(self) -> dict[str, Any]:
        """JSON values."""
        return asdict(self)


def reasons_for(policy: RetrainSection, facts: Facts) -> list[Reason]:
    """Every rule's answer, those that fired and those that did not."""
    return [rule(policy, facts) for rule in RULES]


def because(reasons: Sequence[Reason]) -> tuple[Answer, str]:
    """The answer in one word and its reasons in one sentence."""
    fired = [reason.text for reason in reasons if reason.fired]
    if fired:
        return "yes", "; ".join(fired)
    return "no", "; ".join(reason.text for reason in reasons if reason.value is not None)


def _first(_policy: RetrainSection, facts: Facts) -> Reason:
    missing = facts.newest_version is None
    text = "there is no version yet" if missing else f"version {facts.newest_version} is the newest"
    return Reason(rule="first", fired=missing, value=None, bound=None, text=text)


def _forced(_policy: RetrainSection, facts: Facts) -> Reason:
    text = "forced" if facts.forced else "not forced"
    return Reason(rule="forced", fired=facts.forced, value=None, bound=None, text=text)


def _new_rows(policy: RetrainSection, facts: Facts) -> Reason:
    bound = policy.min_new_rows
    fired = bound is not None and facts.new_rows >= bound
    wanted = "never a reason" if bound is None else f"{bound:,} wanted"
    batches = f" in {', '.join(facts.new_batches)}" if fired and facts.new_batches else ""
    text = f"{facts.new_rows:,} new rows{batches} ({wanted})"
    return Reason(rule="new_rows", fired=fired, value=float(facts.new_rows), bound=_float(bound), text=text)


def _drift(policy: RetrainSection, facts: Facts) -> Reason:
    windows = facts.drifted[-policy.windows :]
    count = sum(windows)
    text = f"{count} of the last {len(windows)} windows drifted ({policy.drifted_windows} wanted)"
    return Reason(
        rule="drift",
        fired=count >= policy.drifted_windows,
        value=float(count),
        bound=float(policy.drifted_windows),
        text=text,
    )


def _age(policy: RetrainSection, facts: Facts) -> Reason:
    bound, age = policy.max_age_days, facts.age_days
    fired = bound is not None and age is not None and age > bound
    text = "age unknown" if age is None else f"the newest version is {age:.1f} days old"
    text += f" (more than {bound:g} wanted)" if bound is not None else ""
    return Reason(rule="age", fired=fired, value=age if bound is not None else None, bound=bound, text=text)


def _quality(policy: RetrainSection, facts: Facts) -> Reason:
    """Fires when late labels say less than test by the bound, and not by luck."""
    bound, accuracy, test = policy.max_quality_drop, facts.accuracy, facts.test_accuracy
    if bound is None or accuracy is None or test is None or facts.labels < policy.min_labels:
        text = f"{facts.labels:,} late labels ({policy.min_labels:,} wanted before they count)"
        return Reason(rule="quality", fired=False, value=None, bound=bound, text=text)
    high = wilson(round(accuracy * facts.labels), facts.labels)[1]
    fired = test - accuracy > bound and high < test
    text = (
        f"accuracy {accuracy:.4f} on {facts.labels:,} late labels (at most {high:.4f} by luck) "
        f"against {test:.4f} on test (a drop of more than {bound:g} wanted)"
    )
    return Reason(rule="quality", fired=fired, value=test - accuracy, bound=bound, text=text)


def _float(value: int | None) -> float | None:
    return None if value is None else float(value)


# A rule is a function and a line here.
RULES: Sequence[Callable[[RetrainSection, Facts], Reason]] = (
    _first,
    _forced,
    _new_rows,
    _drift,
    _age,
    _quality,
)
