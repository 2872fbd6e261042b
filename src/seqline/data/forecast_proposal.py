"""A first recipe for somebody's series: contexts, seasons and horizons, by the frequency of the times and the lengths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from seqline.data.calendar import infer_frequency
from seqline.data.look import Guess
from seqline.data.readers import Row
from seqline.data.survey import Survey
from seqline.errors import InputError

# Steps to foretell, steps of a season, by the unit of the frequency.
_HORIZONS = {
    "min": (60, 60),
    "h": (24, 24),
    "D": (7, 7),
    "B": (5, 5),
    "W": (4, 52),
    "M": (12, 12),
    "Q": (4, 4),
}
_OTHER_HORIZON = (5, 1)
_CONTEXT_HORIZONS = 3
_FEWEST_STEPS = 12
# A few series that have only begun do not say what is read of the others.
_BULK = 0.9
# What valid and test leave of a series.
_TRAIN_SHARE = 0.7


def history(found: Survey, use: Guess, head: Sequence[Row], reasons: list[str]) -> dict[str, Any]:
    """The input: what is read of each series, its calendar, gaps and missing values.

    Raises:
        InputError: The series are too short to learn from.
    """
    unit = _unit(found)
    horizon, season = _HORIZONS.get(unit, _OTHER_HORIZON)
    steps = _bulk(found.lengths)
    if steps < _FEWEST_STEPS:
        raise InputError(
            f"{head[0].source} column {found.input_column!r}",
            f"{max(found.lengths)} steps in the longest series, and {steps} in others of those that hold most",
            f"at least {_FEWEST_STEPS}: steps to read, steps to foretell, and some of both to test on",
            "join what belongs to one series; where each row is a case of its own, --task estimation or classification",
        )
    context = max(2, min(max(_CONTEXT_HORIZONS * horizon, season), steps // 2))
    trained_on = int(_TRAIN_SHARE * steps)
    if context < season <= trained_on - 2 * horizon:
        context = season
    if season > trained_on:
        reasons.append(
            f"no season: one of {season} steps is longer than what train gets of series of {steps:,}"
        )
        season = 1
    reasons.append(
        f"context_length {context}, season_length {season}: steps of {unit}, {steps:,} or more in the series that hold "
        f"{_BULK:.0%} of them"
    )
    needed = context + min(horizon, context)
    idle = sum(length < needed for length in found.lengths)
    if idle:
        reasons.append(
            f"nothing is learnt from {idle:,} of {found.rows:,} series: under {needed} steps, what is read and foretold"
        )
    given: dict[str, Any] = {
        "kind": "history",
        "column": found.input_column,
        "context_length": context,
        "season_length": season,
    }
    if len(found.frequencies) == 1:
        (given["frequency"],) = found.frequencies
        reasons.append(f"frequency {given['frequency']}: that of the times; others will be refused")
    if use.beside:
        given["past"] = list(use.beside)
    if found.with_gaps:
        given["gaps"] = "fill"
        reasons.append(
            f"gaps fill: {found.with_gaps:,} of {found.rows:,} series lack steps of their calendar"
        )
    if found.with_gaps or found.with_missing:
        given["missing"] = "linear"
        reasons.append(
            "missing linear: values that are not there are joined from those around; the network is told"
        )
    return given


def _bulk(lengths: Sequence[int]) -> int:
    """Steps of the shortest of those series, the longest first, that together hold most steps."""
    longest = np.sort(np.asarray(lengths))[::-1]
    held = np.cumsum(longest)
    return int(longest[np.searchsorted(held, _BULK * held[-1])])


def _unit(found: Survey) -> str:
    """Unit of the frequency of the longest series: h, D, ..., or step."""
    return infer_frequency(found.stamps).unit if len(found.stamps) > 1 else "step"


def forecasting(recipe: dict[str, Any], found: Survey, use: Guess, reasons: list[str]) -> None:
    """How far ahead is looked, and when there is enough news to train again."""
    unit = _unit(found)
    ahead = _HORIZONS.get(unit, _OTHER_HORIZON)[0]
    horizon = 1 if use.task == "regression" else ahead
    recipe["target"]["horizon"] = min(horizon, recipe["input"]["context_length"])
    reasons.append(
        f"horizon {recipe['target']['horizon']}: a guess for steps of {unit}; say how far ahead you look"
    )
    recipe["validation"] = {
        "min_rows": 1,
        **({"max_missing_share": 0.5} if found.with_missing or found.with_gaps else {}),
    }
    recipe["split"].pop("by", None)
    recipe["retrain"] = {"min_new_rows": ahead * found.rows}
    reasons.append(
        f"retrain.min_new_rows {ahead * found.rows:,}: a row is a step, so {ahead} new ones of {found.rows:,} series"
    )
