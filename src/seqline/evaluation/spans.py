"""What tag sequences say: the spans they mark, and how many a prediction finds.

Of scheme `plain` every step with a tag other than O is a span of its own, as `conlleval -r` reads it, so that span F1 of
part-of-speech tags is their accuracy.

Spans are read as conlleval does, which never refuses: a span begins at B or S, at the first step after O, where the kind
changes, and after E or S; it ends before the next one begins, before O, and at the end. So I-X after O begins a span in
every scheme.

Legend: N rows.

Source: Tjong Kim Sang and Buchholz, "Introduction to the CoNLL-2000 shared task: chunking", 2000 (conlleval).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqline.data.tag_schemes import OUTSIDE, split_tag

# What each row adds to the sums that token accuracy, span F1 and exact match are made of.
COLUMNS = ("correct", "tokens", "true_positives", "predicted_spans", "true_spans", "exact")


@dataclass(frozen=True, order=True)
class Span:
    """Some steps that belong together.

    Attributes:
        start: First step.
        stop: The step after the last one.
        kind: What the tags call it.
    """

    start: int
    stop: int
    kind: str


@dataclass(frozen=True)
class KindScores:
    """Precision, recall and F1 of the spans of one kind (of a tag, in a plain scheme); in [0, 1], best 1.

    Attributes:
        kind: What the tags call it.
        true_positives: Spans found with their exact bounds and kind.
        predicted: Spans predicted.
        support: Spans that are there.
    """

    kind: str
    true_positives: int
    predicted: int
    support: int

    @property
    def precision(self) -> float:
        """Share of predicted spans that are right; 0 where none was predicted."""
        return self.true_positives / self.predicted if self.predicted else 0.0

    @property
    def recall(self) -> float:
        """Share of the spans that were found; 0 where there are none."""
        return self.true_positives / self.support if self.support else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of the two; 0 where both are 0."""
        total = self.predicted + self.support
        return 2 * self.true_positives / total if total else 0.0


def spans_of(tags: Sequence[str], scheme: str) -> list[Span]:
    """The spans of one tag sequence, by their place.

    Args:
        tags: One tag a step; order may break the scheme (see the top of the module).
        scheme: A key of `PREFIXES`.

    Raises:
        ValueError: The scheme knows no such tag.

    Example:
        >>> spans_of(["B-NP", "I-NP", "O", "I-VP"], "iob2")
        [Span(start=0, stop=2, kind='NP'), Span(start=3, stop=4, kind='VP')]
    """
    found: list[Span] = []
    start, open_kind, before = 0, "", OUTSIDE
    for place, (prefix, kind) in enumerate(split_tag(tag, scheme) for tag in tags):
        goes_on = before in ("B", "I") and prefix in ("I", "E") and kind == open_kind
        if not goes_on:
            if before != OUTSIDE:
                found.append(Span(start, place, open_kind))
            start, open_kind = place, kind
        before = prefix
    if before != OUTSIDE:
        found.append(Span(start, len(tags), open_kind))
    return found


def tag_statistics(
    truths: Sequence[Sequence[str]], predictions: Sequence[Sequence[str]], scheme: str
) -> NDArray[np.float64]:
    """What each row adds to the sums of its metrics, float64 (N, 6), see `COLUMNS`.

    Args:
        truths: N rows of tags.
        predictions: As many rows, each with as many tags.
        scheme: A key of `PREFIXES`.

    Raises:
        ValueError: A row has more predictions than tags, or fewer; or the scheme knows no such tag.

    Example:
        >>> tag_statistics([["B-NP", "I-NP", "O"]], [["B-NP", "O", "O"]], "iob2")
        array([[2., 3., 0., 1., 1., 0.]])
    """
    rows = np.zeros((len(truths), len(COLUMNS)))
    for row, (truth, predicted) in enumerate(zip(truths, predictions, strict=True)):
        correct = sum(a == b for a, b in zip(truth, predicted, strict=True))
        true_spans, predicted_spans = set(spans_of(truth, scheme)), set(spans_of(predicted, scheme))
        hits = len(true_spans & predicted_spans)
        rows[row] = (
            correct, len(truth), hits, len(predicted_spans), len(true_spans), correct == len(truth),
        )  # fmt: skip
    return rows


def by_kind(
    truths: Sequence[Sequence[str]], predictions: Sequence[Sequence[str]], scheme: str
) -> list[KindScores]:
    """Scores of each kind of span, in alphabetical order; of each tag but O in a plain scheme.

    Args:
        truths: N rows of tags.
        predictions: As many rows.
        scheme: A key of `PREFIXES`.
    """
    hits: Counter[str] = Counter()
    predicted: Counter[str] = Counter()
    support: Counter[str] = Counter()
    for truth, guess in zip(truths, predictions, strict=True):
        true_spans, predicted_spans = set(spans_of(truth, scheme)), set(spans_of(guess, scheme))
        hits.update(span.kind for span in true_spans & predicted_spans)
        predicted.update(span.kind for span in predicted_spans)
        support.update(span.kind for span in true_spans)
    return [
        KindScores(kind, hits[kind], predicted[kind], support[kind]) for kind in sorted(predicted | support)
    ]
