"""What is watched in a batch: a few signals, each a distance between two vectors of counts.

Every row becomes one line of counts ("cells"), so a sample of rows is the sum of its lines, and a bootstrap is one matrix
product. Which signals there are depends on what the model reads (tokens or numbers) and answers (labels or something else).
Legend: N rows, B samples, K words, F features, C classes, M cells, T steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from seqline.batch import UNKNOWN_ID
from seqline.errors import InputError
from seqline.serving.predictor import Predictor

Floats = npt.NDArray[np.float64]

# Steps of a quarter of an octave: 1, 2, ... 8, 10, 11, 13, 16, ... tokens. Fixed, since edges chosen on the reference
# would make its counts less random than those of a batch.
LENGTH_EDGES = tuple(sorted({round(2 ** (step / 4)) for step in range(4, 4 * 17 + 1)}))
# Finer towards 1, where most answers of a good model lie.
SCORE_EDGES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999)
# Cells of a feature's histogram: their edges are quantiles of train.
FEATURE_CELLS = 10
# More would dilute the bounds; of many bands every second or third says the same.
MAX_FEATURES = 16
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


def largest_feature_gap(reference: Floats, batch: Floats) -> Floats:
    """Kolmogorov-Smirnov distance of the feature that moved most, in [0, 1].

    Args:
        reference: float64 (..., F * cells): the histograms of F features, one after the other.
        batch: The same.
    """
    return feature_gaps(reference, batch).max(axis=-1)


def feature_gaps(reference: Floats, batch: Floats) -> Floats:
    """Kolmogorov-Smirnov distance of each feature, float64 (..., F)."""
    shape = (*reference.shape[:-1], -1, FEATURE_CELLS)
    return largest_gap(reference.reshape(shape), batch.reshape((*batch.shape[:-1], -1, FEATURE_CELLS)))


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
class Feature:
    """One feature of the steps that a model reads, and the cells of its histogram.

    Attributes:
        place: Which feature of a step it is, from 0.
        edges: `FEATURE_CELLS` - 1 quantiles of train, as the model reads them: scaled.
    """

    place: int
    edges: tuple[float, ...]

    @property
    def name(self) -> str:
        """As people count."""
        return f"feature {self.place + 1}"


@dataclass(frozen=True)
class Layout:
    """Which cells a row is counted in.

    Attributes:
        words: The K tokens with a cell of their own; all others share one.
        classes: The C labels of the model; a label that is none of them has a cell of its own. Without any, answers are
            not counted: they are no labels.
        features: The F features with a histogram of their own, where the model reads numbers instead of tokens.
        has_lengths: False where every input is one step.
    """

    words: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    features: tuple[Feature, ...] = ()
    has_lengths: bool = True

    def parts(self) -> dict[str, slice]:
        """Cells of each signal, in the order of `SIGNALS`."""
        if self.features:
            sizes = {"features": len(self.features) * FEATURE_CELLS}
        else:
            sizes = {"tokens": len(self.words) + 1, "unknown": 2}
        if self.has_lengths:
            sizes["length"] = len(LENGTH_EDGES) + 1
        if self.classes:
            sizes |= {
                "score": len(SCORE_EDGES) + 1,
                "predicted": len(self.classes),
                "labels": len(self.classes) + 1,
            }
        ends = np.cumsum(list(sizes.values())).tolist()
        return {name: slice(end - sizes[name], end) for name, end in zip(sizes, ends, strict=True)}

    @property
    def cells(self) -> int:
        """M."""
        return max(part.stop for part in self.parts().values())


@dataclass(frozen=True)
class Measured:
    """Rows as counts.

    Attributes:
        cells: float64 (N, M), whole numbers: what `Layout.parts` names. The cells of `labels` are 0 for a row without label.
        lengths: int64 (N,), steps before any cut.
        scores: float64 (N,), probability of the predicted class; zeros where the model answers no labels.
    """

    cells: Floats
    lengths: npt.NDArray[np.int64]
    scores: Floats


def measure(
    inputs: Sequence[Any], labels: Sequence[str | None] | None, *, predictor: Predictor, layout: Layout
) -> Measured:
    """Count rows.

    Args:
        inputs: N inputs, as served.
        labels: N true labels, None where a row has none; None for a batch without labels.
        predictor: The model whose encoder and answers are counted.
        layout: Its cells.

    Raises:
        InputError: The words are another model's, or an input is none that the model can read.
    """
    parts = layout.parts()
    rows = np.arange(len(inputs))
    cells = np.zeros((len(inputs), layout.cells), dtype=np.float64)
    lengths = np.zeros(len(inputs), dtype=np.int64)
    sequences = predictor.model.encoder.encode_whole(inputs)
    if layout.features:
        count_features(sequences, layout.features, cells=cells[:, parts["features"]], lengths=lengths)
    else:
        columns = _columns_of_tokens(predictor, layout)
        count_tokens(
            sequences,
            columns,
            tokens=cells[:, parts["tokens"]],
            unknown=cells[:, parts["unknown"]],
            lengths=lengths,
        )
    if layout.has_lengths:
        cells[rows, parts["length"].start + np.searchsorted(LENGTH_EDGES, lengths, side="right")] = 1
    scores = np.zeros(len(inputs), dtype=np.float64)
    if layout.classes:
        probabilities = predictor.probabilities(inputs).astype(np.float64)
        scores = probabilities.max(axis=1)
        cells[rows, parts["score"].start + np.searchsorted(SCORE_EDGES, scores, side="right")] = 1
        cells[rows, parts["predicted"].start + probabilities.argmax(axis=1)] = 1
        place_of = {label: place for place, label in enumerate(layout.classes)}
        for row, label in enumerate(labels or []):
            if label is not None:
                cells[row, parts["labels"].start + place_of.get(label, len(layout.classes))] = 1
    return Measured(cells, lengths, scores)


def count_tokens(
    sequences: Iterable[npt.NDArray[np.integer]],
    columns: npt.NDArray[np.int64],
    *,
    tokens: Floats,
    unknown: Floats,
    lengths: npt.NDArray[np.int64],
) -> None:
    """Count the tokens of N sequences.

    Args:
        sequences: N of int64 (T,) ids.
        columns: int64 (vocabulary,), the cell of each id.
        tokens: float64 (N, K + 1), filled.
        unknown: float64 (N, 2), filled with unknown and known tokens.
        lengths: int64 (N,), filled.
    """
    for row, ids in enumerate(sequences):
        lengths[row] = len(ids)
        tokens[row] = np.bincount(columns[ids], minlength=tokens.shape[1])
        unknown[row, 0] = np.count_nonzero(ids == UNKNOWN_ID)
    unknown[:, 1] = lengths - unknown[:, 0]


def count_features(
    sequences: Iterable[npt.NDArray[np.floating]],
    features: Sequence[Feature],
    *,
    cells: Floats,
    lengths: npt.NDArray[np.int64],
) -> None:
    """Count the steps of N sequences in the histogram of each feature.

    Args:
        sequences: N of float (T, D).
        features: F of the D.
        cells: float64 (N, F * cells), filled.
        lengths: int64 (N,), filled.
    """
    edges = [np.asarray(feature.edges) for feature in features]
    for row, steps in enumerate(sequences):
        lengths[row] = len(steps)
        for number, feature in enumerate(features):
            found = np.searchsorted(edges[number], steps[:, feature.place], side="right")
            start = number * FEATURE_CELLS
            cells[row, start : start + FEATURE_CELLS] = np.bincount(found, minlength=FEATURE_CELLS)


def features_of(train_steps: npt.NDArray[np.floating]) -> tuple[Feature, ...]:
    """At most `MAX_FEATURES` features, evenly spread, with the quantiles of train as edges.

    Args:
        train_steps: float (L, D), all steps of train.
    """
    count = train_steps.shape[1]
    places = np.unique(np.linspace(0, count - 1, min(count, MAX_FEATURES)).round().astype(int))
    shares = np.linspace(0, 1, FEATURE_CELLS + 1)[1:-1]
    return tuple(
        Feature(
            int(place), tuple(float(f"{edge:.6g}") for edge in np.quantile(train_steps[:, place], shares))
        )
        for place in places
    )


def _columns_of_tokens(predictor: Predictor, layout: Layout) -> npt.NDArray[np.int64]:
    """The cell of each token id: its own, or that of all others."""
    tokens = predictor.tokenizer.tokens(range(predictor.tokenizer.vocab_size))
    place_of = {token: identifier for identifier, token in reversed(list(enumerate(tokens)))}
    columns = np.full(len(tokens), len(layout.words), dtype=np.int64)
    for place, word in enumerate(layout.words):
        if word not in place_of:
            raise InputError(
                "profile", f"a word {word!r} that the tokenizer lacks", "the profile of this very model"
            )
        columns[place_of[word]] = place
    return columns


SIGNALS: Mapping[str, Signal] = {
    "tokens": Signal("words", "Jensen-Shannon divergence, bits", divergence),
    "unknown": Signal("unknown words", "change of their share of tokens", first_share_shift),
    "features": Signal("numbers", "largest difference of running shares of any feature", largest_feature_gap),
    "length": Signal("length", "largest difference of running shares", largest_gap),
    "score": Signal("confidence", "largest difference of running shares", largest_gap),
    "predicted": Signal("predicted labels", "share of rows that moved", total_variation),
    "labels": Signal("true labels", "share of rows that moved", total_variation),
}
