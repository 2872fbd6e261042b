"""How a model behaves when a text changes in a way whose effect is known, without any labels.

`case` and `space`: a change that a reader would not notice must not change the label. `negation`: "not" must
move the answer. Negation is about opinions; on another kind of text its share says nothing, so leave it
out of the recipe. Behaviours are shown, never part of a score.

Source: Ribeiro, Wu, Guestrin and Singh, 2020 (CheckList).

Legend: P probes (pairs of texts), C classes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from seqline.evaluation.metrics import Floats

Predict = Callable[[list[str]], Floats]

MAX_TEXTS = 500
_MAX_FAILURES = 5
_MAX_NEGATED_WORDS = 12


@dataclass(frozen=True)
class Probe:
    """A text and its changed form.

    Attributes:
        kind: What was done, in two or three words.
        before: The text.
        after: The changed text.
    """

    kind: str
    before: str
    after: str


@dataclass(frozen=True)
class Behaviour:
    """A family of probes and what must hold.

    Attributes:
        claim: What a sound model does, in plain words.
        expects: "same_label", or "less_sure": the probability of the label given before must fall.
        probes: `texts -> list of Probe`.
    """

    claim: str
    expects: Literal["same_label", "less_sure"]
    probes: Callable[[Sequence[str]], list[Probe]]


@dataclass(frozen=True)
class Failure:
    """A probe that did not hold: the texts, and class and probability before and after."""

    probe: Probe
    label_before: int
    label_after: int
    probability_before: float
    probability_after: float


@dataclass(frozen=True)
class BehaviourResult:
    """What one behaviour showed.

    Attributes:
        name: Key in `BEHAVIOURS`.
        claim: What a sound model does.
        tried: Number of probes.
        passed: Number that held.
        flipped: Number of probes in which the label changed.
        by_kind: Kind -> (tried, passed).
        failures: The worst few, by how far the answer moved the wrong way.
    """

    name: str
    claim: str
    tried: int
    passed: int
    flipped: int
    by_kind: dict[str, tuple[int, int]]
    failures: list[Failure]

    @property
    def share(self) -> float:
        """Share of probes that held; NaN when none was tried."""
        return self.passed / self.tried if self.tried else float("nan")


def run_behaviour(name: str, predict: Predict, texts: Sequence[str], *, seed: int) -> BehaviourResult:
    """Try one behaviour on a model.

    Args:
        name: Key in `BEHAVIOURS`.
        predict: `texts -> float (N, C) probabilities`.
        texts: Test texts; at most 500 of them are used.
        seed: Chooses which.
    """
    behaviour = BEHAVIOURS[name]
    chosen = np.random.default_rng(seed).permutation(len(texts))[:MAX_TEXTS]
    probes = behaviour.probes([texts[index] for index in sorted(chosen)])
    if not probes:
        return BehaviourResult(name, behaviour.claim, 0, 0, 0, {}, [])
    asked = sorted({text for probe in probes for text in (probe.before, probe.after)})
    row = {text: index for index, text in enumerate(asked)}
    probs = np.asarray(predict(asked), dtype=np.float64)
    before = probs[[row[probe.before] for probe in probes]]
    after = probs[[row[probe.after] for probe in probes]]
    old, new = before.argmax(axis=1), after.argmax(axis=1)
    each = np.arange(len(probes))
    fall = before[each, old] - after[each, old]
    held = old == new if behaviour.expects == "same_label" else fall > 0
    badness = fall if behaviour.expects == "same_label" else -fall
    worst = sorted(np.flatnonzero(~held), key=lambda index: (-badness[index], index))[:_MAX_FAILURES]
    kinds = list(dict.fromkeys(probe.kind for probe in probes))
    member = {kind: np.array([probe.kind == kind for probe in probes]) for kind in kinds}
    return BehaviourResult(
        name=name,
        claim=behaviour.claim,
        tried=len(probes),
        passed=int(held.sum()),
        flipped=int((old != new).sum()),
        by_kind={kind: (int(rows.sum()), int(held[rows].sum())) for kind, rows in member.items()},
        failures=[
            Failure(
                probe=probes[index],
                label_before=int(old[index]),
                label_after=int(new[index]),
                probability_before=float(before[index, old[index]]),
                probability_after=float(after[index, old[index]]),
            )
            for index in worst
        ],
    )


def case_probes(texts: Sequence[str]) -> list[Probe]:
    """Make each text lower case, and upper case; texts that stay as they are are left out."""
    changed = [Probe("lower case", text, text.lower()) for text in texts]
    changed += [Probe("upper case", text, text.upper()) for text in texts]
    return [probe for probe in changed if probe.before != probe.after]


def space_probes(texts: Sequence[str]) -> list[Probe]:
    """Double the spaces, put white space around the text, break the line at every space."""
    changed = [Probe("doubled spaces", text, text.replace(" ", "  ")) for text in texts]
    changed += [Probe("space around", text, f" \t{text}\n ") for text in texts]
    changed += [Probe("line breaks", text, text.replace(" ", "\n")) for text in texts]
    return [probe for probe in changed if probe.before != probe.after]


def negation_probes(texts: Sequence[str]) -> list[Probe]:
    """Pair 48 fixed sentences with their negation, and put "not" into short test texts that state one thing.

    A test text is used when it has at most 12 words, exactly one "is", "was", "are" or "were", and neither a
    negation nor a contrast that would leave its meaning open.
    """
    fixed = [
        Probe("fixed sentence", f"The {thing} was {word}.", f"The {thing} was not {word}.")
        for thing in _THINGS
        for word in _OPINIONS
    ]
    own = []
    for text in texts:
        if len(text.split()) > _MAX_NEGATED_WORDS or len(_COPULA.findall(text)) != 1 or _OPEN.search(text):
            continue
        own.append(Probe("test text", text, _COPULA.sub(lambda found: found.group(0) + " not", text)))
    return fixed + own


_THINGS = ("food", "film", "room", "service", "story", "battery")
_OPINIONS = ("good", "great", "excellent", "enjoyable", "bad", "terrible", "awful", "disappointing")
_COPULA = re.compile(r"\b(?:is|was|are|were)\b", re.IGNORECASE)
_OPEN = re.compile(
    r"n't\b|n’t\b|\b(?:not|no|never|none|nothing|nobody|neither|nor|hardly|barely|but|although|though|however|yet|"
    r"despite|if|than|only|just)\b|\?",
    re.IGNORECASE,
)

BEHAVIOURS: dict[str, Behaviour] = {
    "case": Behaviour("upper or lower case does not change the label", "same_label", case_probes),
    "space": Behaviour("extra spaces and line breaks do not change the label", "same_label", space_probes),
    "negation": Behaviour("a “not” makes the model less sure of its answer", "less_sure", negation_probes),
}
