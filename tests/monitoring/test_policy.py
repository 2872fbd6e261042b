"""The retrain policy: each rule fires on its own reason and answers with its numbers either way."""

from __future__ import annotations

from typing import Any

import pytest

from seqline.monitoring.policy import RULES, Facts, because, reasons_for
from seqline.recipe import RetrainSection

QUIET: dict[str, Any] = {"newest_version": 3, "new_rows": 0, "age_days": 1.0}


def policy(**settings: object) -> RetrainSection:
    return RetrainSection.model_validate(settings)


def fired(settings: dict[str, object], **facts: Any) -> set[str]:
    reasons = reasons_for(policy(**settings), Facts(**{**QUIET, **facts}))
    assert len(reasons) == len(RULES)
    return {reason.rule for reason in reasons if reason.fired}


def test_nothing_new_is_a_no_that_shows_its_numbers() -> None:
    answer, text = because(reasons_for(policy(), Facts(**QUIET)))
    assert answer == "no"
    assert "0 new rows (500 wanted)" in text
    assert "0 of the last 0 windows drifted (2 wanted)" in text


@pytest.mark.parametrize(
    ("settings", "facts", "rule"),
    [
        ({}, {"newest_version": None, "age_days": None}, "first"),
        ({}, {"forced": True}, "forced"),
        ({}, {"new_rows": 500}, "new_rows"),
        ({}, {"drifted": (True, False, True)}, "drift"),
        ({"max_age_days": 30}, {"age_days": 30.1}, "age"),
        ({}, {"labels": 1000, "accuracy": 0.88, "test_accuracy": 0.95}, "quality"),
    ],
)
def test_one_reason_is_enough(settings: dict[str, object], facts: dict[str, Any], rule: str) -> None:
    assert fired(settings, **facts) == {rule}
    answer, text = because(reasons_for(policy(**settings), Facts(**{**QUIET, **facts})))
    assert answer == "yes"
    assert text


@pytest.mark.parametrize(
    ("settings", "facts"),
    [
        ({}, {"new_rows": 499}),
        ({"min_new_rows": None}, {"new_rows": 10_000}),
        ({}, {"drifted": (True, False, False)}),
        # Only the newest windows count.
        ({}, {"drifted": (True, True, False, False, True)}),
        ({"max_age_days": 30}, {"age_days": 30.0}),
        ({}, {"age_days": 1000.0}),
        ({}, {"labels": 199, "accuracy": 0.5, "test_accuracy": 0.95}),
        ({}, {"labels": 1000, "accuracy": 0.93, "test_accuracy": 0.95}),
        ({"max_quality_drop": None}, {"labels": 1000, "accuracy": 0.5, "test_accuracy": 0.95}),
        # Four points on 200 labels may be luck.
        ({"max_quality_drop": 0.01}, {"labels": 200, "accuracy": 0.93, "test_accuracy": 0.95}),
        ({}, {"labels": 1000, "accuracy": 0.5, "test_accuracy": None}),
    ],
)
def test_short_of_the_bound_or_switched_off_is_no_reason(
    settings: dict[str, object], facts: dict[str, Any]
) -> None:
    assert fired(settings, **facts) == set()


def test_drift_that_cannot_happen_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot happen"):
        policy(drifted_windows=4, windows=3)
