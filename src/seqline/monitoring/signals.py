"""What is watched in a batch: six signals, each a distance between two vectors of counts.

Every row becomes one line of counts ("cells"), so a sample of rows is the sum of its lines, and a bootstrap is one matrix
product. Legend: N rows, B samples, K words, C classes, M cells.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seqline.data.tokenization import UNKNOWN_ID
from seqline.errors import InputError
from seqline.serving.predictor import Predictor

Floats = npt.NDArray[np.float64]

# Steps of a quarter of an octave: 1, 2, ... 8, 10, 11, 13, 16, ... tokens. Fixed, since edges chosen on the reference
# would make its counts less random than those of a batch.
LENGTH_EDGES = tuple(sorted({round(2 ** (step / 4)) for step in range(4, 4 * 17 + 1)}))
# Finer towards 1, where most answers of a good model lie.
SCORE_EDGES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999)
# Where each cell of a histogram begins; the one before the first edge too.
LOWER_BOUNDS: Mapping[str, tuple[float, ...]] = {"length": (1, *LENGTH_EDGES), "score": (0.0, *SCORE_EDGES)}


def divergence(reference: Floats, batch: Floats) -> Floats:
    """Jensen-Shannon divergence of two count vectors, in bits: 0 (the same) to 1 (nothing in common).

    Source: Lin, Divergence measures based on the Shannon entropy (1991).

    Args:
        reference: float64 (..., cells).
        batch: float64 (..., cells).

    >>> round(float(divergence(np.array([1.0, 1.0]), np.array([1.0, 0.0]))), 4)
    0.3113
    """
    p, q = _shares(reference), _shares(batch)
    middle = (p + q) / 2
    return np.maximum(0.0, _entropy(middle) - (_entropy(p) + _entropy(q)) / 2)


def first_share_shift(reference: Floats, batch: Floats) -> Floats:
    """How far the share of the first cell moved, in [0, 1].

    >>> float(first_share_shift(np.array([1.0, 9.0]), np.array([4.0, 6.0])).round(6))
    0.3
    """
    return np.abs(_shares(reference)[..., 0] - _shares(batch)[..., 0])


def largest_gap(reference: Floats, batch: Floats) -> Floats:
    """Kolmogorov-Smirnov distance of two histograms: the largest difference of their running shares, in [0, 1].

    >>> float(largest_gap(np.array([2.0, 2.0, 0.0]), np.array([0.0, 2.0, 2.0])))
    0.5
    """
    return np.abs(running_gap(reference, batch)).max(axis=-1)


def running_gap(reference: Floats, batch: Floats) -> Floats:
    """Running share of the reference minus that of the batch; positive where the batch lies higher."""
    return np.cumsum(_shares(reference), axis=-1) - np.cumsum(_shares(batch), axis=-1)


def total_variation(reference: Floats, batch: Floats) -> Floats:
    """Share of rows that would have to change their cell, in [0, 1].

    >>> float(total_variation(np.array([5.0, 5.0]), np.array([7.0, 3.0])).round(6))
    0.2
    """
    return np.abs(_shares(reference) - _shares(batch)).sum(axis=-1) / 2


def _shares(counts: Floats) -> Floats:
    return counts / np.maximum(counts.sum(axis=-1, keepdims=True), 1.0)


def _entropy(shares: Floats) -> Floats:
    return -(shares * np.log2(np.where(shares > 0, shares, 1.0))).sum(axis=-1)


@dataclass(frozen=True)
class Signal:
    """One thing that is watched.

    Attributes:
        title: What a table calls it.
        unit: What its value means.
        distance: Takes counts of the reference and of the batch, (..., cells) each, gives (...).
    """

    title: str
    unit: str
    distance: Callable[[Floats, Floats], Floats]


@dataclass(frozen=True)
class Layout:
    """Which cells a row is counted in.

    Attributes:
        words: The K tokens with a cell of their own; all others share one.
        classes: The C labels of the model; a label that is none of them has a cell of its own.
    """

    words: tuple[str, ...]
    classes: tuple[str, ...]

    def parts(self) -> dict[str, slice]:
        """Cells of each signal, in the order of `SIGNALS`."""
        sizes = {
            "tokens": len(self.words) + 1,
            "unknown": 2,
            "length": len(LENGTH_EDGES) + 1,
            "score": len(SCORE_EDGES) + 1,
            "predicted": len(self.classes),
            "labels": len(self.classes) + 1,
        }
        ends = np.cumsum(list(sizes.values())).tolist()
        return {name: slice(end - sizes[name], end) for name, end in zip(sizes, ends, strict=True)}


@dataclass(frozen=True)
class Measured:
    """Rows as counts.

    Attributes:
        cells: float64 (N, M), whole numbers: what `Layout.parts` names. The cells of `labels` are 0 for a row without label.
        lengths: int64 (N,), tokens before any cut.
        scores: float64 (N,), probability of the predicted class.
    """

    cells: Floats
    lengths: npt.NDArray[np.int64]
    scores: Floats


def measure(
    texts: Sequence[str], labels: Sequence[str | None] | None, *, predictor: Predictor, layout: Layout
) -> Measured:
    """Count rows.

    Args:
        texts: N inputs, as served.
        labels: N true labels, None where a row has none; None for a batch without labels.
        predictor: The model whose tokenizer and answers are counted.
        layout: Its cells.

    Raises:
        InputError: The words are another model's, or a text is none that UTF-8 can hold.
    """
    parts = layout.parts()
    rows = np.arange(len(texts))
    cells = np.zeros((len(texts), parts["labels"].stop), dtype=np.float64)
    column = np.full(predictor.tokenizer.vocab_size, len(layout.words))
    for place, word in enumerate(layout.words):
        identifier = predictor.tokenizer.tokenizer.token_to_id(word)
        if identifier is None:
            raise InputError(
                "profile", f"a word {word!r} that the tokenizer lacks", "the profile of this very model"
            )
        column[identifier] = place
    lengths = np.zeros(len(texts), dtype=np.int64)
    tokens, unknown = cells[:, parts["tokens"]], cells[:, parts["unknown"]]
    for row, ids in enumerate(predictor.tokenizer.encode_whole(texts)):
        lengths[row] = len(ids)
        tokens[row] = np.bincount(column[ids], minlength=len(layout.words) + 1)
        unknown[row, 0] = np.count_nonzero(ids == UNKNOWN_ID)
    unknown[:, 1] = lengths - unknown[:, 0]
    probabilities = predictor.probabilities(texts).astype(np.float64)
    scores = probabilities.max(axis=1)
    cells[rows, parts["length"].start + np.searchsorted(LENGTH_EDGES, lengths, side="right")] = 1
    cells[rows, parts["score"].start + np.searchsorted(SCORE_EDGES, scores, side="right")] = 1
    cells[rows, parts["predicted"].start + probabilities.argmax(axis=1)] = 1
    place_of = {label: place for place, label in enumerate(layout.classes)}
    for row, label in enumerate(labels or []):
        if label is not None:
            cells[row, parts["labels"].start + place_of.get(label, len(layout.classes))] = 1
    return Measured(cells, lengths, scores)


SIGNALS: Mapping[str, Signal] = {
    "tokens": Signal("words", "Jensen-Shannon divergence, bits", divergence),
    "unknown": Signal("unknown words", "change of their share of tokens", first_share_shift),
    "length": Signal("length", "largest difference of running shares", largest_gap),
    "score": Signal("confidence", "largest difference of running shares", largest_gap),
    "predicted": Signal("predicted labels", "share of rows that moved", total_variation),
    "labels": Signal("true labels", "share of rows that moved", total_variation),
}
