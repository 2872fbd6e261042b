"""What changed in a batch, in words with numbers: one phrase a signal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from seqline.monitoring.profile import Profile
from seqline.monitoring.signals import (
    FEATURE_CELLS,
    LOWER_BOUNDS,
    Floats,
    Measured,
    feature_gaps,
    running_gap,
)

_DIGITS = 6


@dataclass(frozen=True)
class WordShift:
    """A word whose share of the tokens moved.

    Attributes:
        word: The token.
        reference: Its share of the reference's tokens.
        batch: Its share of the batch's tokens.
    """

    word: str
    reference: float
    batch: float


def shares(counts: Floats) -> Floats:
    """Counts as shares of their sum; zeros where there are none."""
    return counts / max(1.0, counts.sum())


def word_shifts(profile: Profile, batch: Floats) -> list[WordShift]:
    """Counted words by their part of the divergence, the largest first."""
    p, q = shares(profile.part("tokens")), shares(batch)
    middle = np.maximum((p + q) / 2, np.finfo(np.float64).tiny)
    part = p * np.log2(np.where(p > 0, p / middle, 1.0)) + q * np.log2(np.where(q > 0, q / middle, 1.0))
    order = np.argsort(-part[:-1], kind="stable")
    return [
        WordShift(
            profile.layout.words[index], round(float(p[index]), _DIGITS), round(float(q[index]), _DIGITS)
        )
        for index in order
        if p[index] != q[index]
    ]


def _tokens_in_words(profile: Profile, batch: Floats, measured: Measured) -> tuple[str, str]:
    shifts = word_shifts(profile, batch)[:3]
    told = ", ".join(f"{shift.word!r} {shift.reference:.2%} → {shift.batch:.2%}" for shift in shifts)
    return "", told or "every counted word is as frequent as before"


def _unknown_in_words(profile: Profile, batch: Floats, measured: Measured) -> tuple[str, str]:
    before, now = float(shares(profile.part("unknown"))[0]), float(shares(batch)[0])
    direction = "" if now == before else "more" if now > before else "fewer"
    return direction, f"{now:.2%} of the tokens are unknown, {before:.2%} in the reference"


def _features_in_words(profile: Profile, batch: Floats, measured: Measured) -> tuple[str, str]:
    reference = profile.part("features")
    number = int(feature_gaps(reference, batch).argmax())
    feature = profile.layout.features[number]
    part = slice(number * FEATURE_CELLS, (number + 1) * FEATURE_CELLS)
    gap = running_gap(reference[part], batch[part])[:-1]
    cell = int(np.abs(gap).argmax())
    now, before = (float(shares(counts[part])[cell + 1 :].sum()) for counts in (batch, reference))
    if now == before:
        return "", "every feature is distributed as before"
    told = f"{now:.0%} of the steps have {feature.name} at {feature.edges[cell]:.3g} or more, {before:.0%} in the reference"
    return ("higher" if now > before else "lower"), told


def _length_in_words(profile: Profile, batch: Floats, measured: Measured) -> tuple[str, str]:
    higher, bound, now, before = _widest(profile, "length", batch)
    unit = "steps" if profile.layout.features else "tokens"
    told = f"{now:.0%} of the rows have {bound:g} {unit} or more, {before:.0%} in the reference"
    medians = f"median {float(np.median(measured.lengths)):g}, was {profile.median_length:g}"
    return ("longer" if higher else "shorter"), f"{told}; {medians}"


def _score_in_words(profile: Profile, batch: Floats, measured: Measured) -> tuple[str, str]:
    higher, bound, now, before = _widest(profile, "score", batch)
    told = f"{now:.0%} of the answers are at least {bound:g} sure, {before:.0%} in the reference"
    means = f"mean {float(measured.scores.mean()):.3f}, was {profile.mean_score:.3f}"
    return ("surer" if higher else "less sure"), f"{told}; {means}"


def _widest(profile: Profile, name: str, batch: Floats) -> tuple[bool, float, float, float]:
    """Where two histograms differ most: whether the batch lies higher, the bound, and the shares at or above it."""
    gap = running_gap(profile.part(name), batch)
    cell = int(np.abs(gap).argmax())
    bound = LOWER_BOUNDS[name][min(cell + 1, len(LOWER_BOUNDS[name]) - 1)]
    now, before = (float(shares(counts)[cell + 1 :].sum()) for counts in (batch, profile.part(name)))
    return bool(gap[cell] > 0), bound, now, before


def _predicted_in_words(profile: Profile, batch: Floats, measured: Measured) -> tuple[str, str]:
    return _labels_moved(profile, profile.part("predicted"), batch, "answers")


def _labels_in_words(profile: Profile, batch: Floats, measured: Measured) -> tuple[str, str]:
    return _labels_moved(profile, profile.part("labels"), batch, "labels")


def _labels_moved(profile: Profile, reference: Floats, batch: Floats, what: str) -> tuple[str, str]:
    before, now = shares(reference), shares(batch)
    label = int((now - before).argmax())
    name = profile.layout.classes[label] if label < len(profile.layout.classes) else "other"
    return f"more {name}", f"{now[label]:.0%} of the {what} are {name}, {before[label]:.0%} in the reference"


PHRASES: dict[str, Callable[[Profile, Floats, Measured], tuple[str, str]]] = {
    "tokens": _tokens_in_words,
    "unknown": _unknown_in_words,
    "features": _features_in_words,
    "length": _length_in_words,
    "score": _score_in_words,
    "predicted": _predicted_in_words,
    "labels": _labels_in_words,
}
