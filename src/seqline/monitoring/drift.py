"""How far a batch is from a champion's profile: every signal with its bound, in numbers and in words."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from seqline.batch import UNKNOWN_ID
from seqline.data.inputs.symbols import symbols_of
from seqline.errors import InputError
from seqline.monitoring.calibration import BATCH_ROWS
from seqline.monitoring.phrases import PHRASES, WordShift, shares, word_shifts
from seqline.monitoring.profile import Profile
from seqline.monitoring.signals import (
    FEATURE_CELLS,
    LOWER_BOUNDS,
    SIGNALS,
    Floats,
    feature_gaps,
    measure,
)
from seqline.serving.predictor import Predictor

MIN_ROWS = 30
# Bounds are known up to this size; of a larger batch so many rows are drawn.
MAX_ROWS = BATCH_ROWS[-1]
_SHOWN_WORDS = 12
_SHOWN_FEATURES = 4
_NEW_WORDS = 20
_SEEN_TWICE = 2
_MAX_WORD = 40
_DIGITS = 6
_CHUNK_TEXTS = 512


@dataclass(frozen=True)
class Reading:
    """One signal of one batch.

    Attributes:
        signal: Its name in `SIGNALS`.
        value: Distance of batch and reference.
        threshold: From above this value on it counts as moved; calibrated for the batch's number of rows.
        moved: Whether it is above.
        direction: `more`, `fewer`, `higher`, `lower`, `longer`, `shorter`, `surer`, `less sure`, or `more LABEL` for the label
            that gained most; empty where nothing changed, and for words.
        what: What changed, in words with numbers; also said where it is within chance.
        rows: Rows of the batch it was computed from (labels may be there for a part of them).
    """

    signal: str
    value: float
    threshold: float
    moved: bool
    direction: str
    what: str
    rows: int


@dataclass(frozen=True)
class Histogram:
    """Shares of reference and batch by cell.

    Attributes:
        cells: What each cell holds: a lower bound, or a label.
        reference: Shares of the reference rows.
        batch: Shares of the batch's rows.
    """

    cells: list[str]
    reference: list[float]
    batch: list[float]


@dataclass(frozen=True)
class DriftReport:
    """A batch against a profile.

    Attributes:
        rows: Rows that were judged.
        rows_in_batch: Rows it has.
        reference_rows: Rows the profile rests on.
        judged: False for a batch too small to tell anything; then nothing has drifted.
        drifted: Whether any signal moved. An undrifted batch does so with a chance of at most 5 %.
        readings: The signals.
        words: The words that moved most, the largest part of the divergence first.
        new_words: Words that the model does not know, with how often the batch has them, the most frequent first.
        histograms: Of the signals length, score, predicted and labels, and of the features that moved most.
        notes: What limits the judgement.
    """

    rows: int
    rows_in_batch: int
    reference_rows: int
    judged: bool
    drifted: bool
    readings: list[Reading]
    words: list[WordShift]
    new_words: list[tuple[str, int]]
    histograms: dict[str, Histogram]
    notes: list[str]

    @property
    def moved(self) -> list[str]:
        """Names of the signals that moved."""
        return [reading.signal for reading in self.readings if reading.moved]

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {**asdict(self), "new_words": [list(pair) for pair in self.new_words]}

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> DriftReport:
        """Read what `to_dict` gave."""
        return cls(
            **{
                **value,
                "readings": [Reading(**reading) for reading in value["readings"]],
                "words": [WordShift(**word) for word in value["words"]],
                "new_words": [(word, count) for word, count in value["new_words"]],
                "histograms": {name: Histogram(**part) for name, part in value["histograms"].items()},
            }
        )


def drift(
    profile: Profile, inputs: Sequence[Any], labels: Sequence[str | None] | None, predictor: Predictor
) -> DriftReport:
    """Judge a batch.

    Args:
        profile: The champion's.
        inputs: N inputs.
        labels: N true labels as text, None where a row has none; None where there are none at all.
        predictor: The champion.
    """
    in_batch = len(inputs)
    notes = []
    if profile.few_rows:
        notes.append(
            f"the profile rests on {profile.rows:,} held-out rows only: small drifts cannot be told from chance"
        )
    if in_batch < MIN_ROWS:
        notes.append(f"too few rows to judge: {in_batch} of at least {MIN_ROWS}")
        return DriftReport(in_batch, in_batch, profile.rows, False, False, [], [], [], {}, notes)
    inputs, labels, unread = _readable(inputs, labels, predictor)
    if unread:
        notes.append(f"{in_batch - len(inputs):,} rows were left out, the model cannot read them: {unread}")
    if len(inputs) < MIN_ROWS:
        return DriftReport(len(inputs), in_batch, profile.rows, False, False, [], [], [], {}, notes)
    if len(inputs) > MAX_ROWS:
        chosen = np.sort(np.random.default_rng(0).choice(len(inputs), MAX_ROWS, replace=False))
        inputs = [inputs[index] for index in chosen]
        labels = None if labels is None else [labels[index] for index in chosen]
        notes.append(f"judged by {MAX_ROWS:,} rows drawn from {in_batch:,}")
    measured = measure(inputs, labels, predictor=predictor, layout=profile.layout)
    labelled = sum(label is not None for label in labels or [])
    if 0 < labelled < MIN_ROWS:
        notes.append(f"too few labels to judge: {labelled} of at least {MIN_ROWS}")
    sums = {name: measured.cells.sum(axis=0)[part] for name, part in profile.layout.parts().items()}
    readings = []
    for name, counts in sums.items():
        rows = labelled if name == "labels" else len(inputs)
        if rows < MIN_ROWS:
            continue
        value = round(float(SIGNALS[name].distance(profile.part(name), counts)), _DIGITS)
        threshold = round(profile.thresholds.bound(name, rows), _DIGITS)
        direction, what = PHRASES[name](profile, counts, measured)
        readings.append(Reading(name, value, threshold, value > threshold, direction, what, rows))
    if unheard := _unheard(labels, profile):
        notes.append(
            f"labels that the model does not know: {', '.join(sorted(map(_plain, unheard))[:_SHOWN_WORDS])}"
        )
    return DriftReport(
        rows=len(inputs),
        rows_in_batch=in_batch,
        reference_rows=profile.rows,
        judged=True,
        drifted=any(reading.moved for reading in readings),
        readings=readings,
        words=word_shifts(profile, sums["tokens"])[:_SHOWN_WORDS] if "tokens" in sums else [],
        new_words=_unknown_words(inputs, predictor) if "tokens" in sums else [],
        histograms={
            **(_feature_histograms(profile, sums["features"]) if "features" in sums else {}),
            **{
                name: _histogram(profile, name, sums[name])
                for name in ("length", "score", "predicted", "labels")
                if name in sums and sums[name].any()
            },
        },
        notes=notes,
    )


def _readable(
    inputs: Sequence[Any], labels: Sequence[str | None] | None, predictor: Predictor
) -> tuple[Sequence[Any], Sequence[str | None] | None, str]:
    """The inputs that the model can read, with their labels, and why it cannot read the first of the others."""
    encoder = predictor.model.encoder
    try:
        for _ in encoder.encode_whole(inputs):
            pass
    except InputError:
        kept, reason = [], ""
        for index, value in enumerate(inputs):
            try:
                next(iter(encoder.encode_whole([value])))
                kept.append(index)
            except InputError as error:
                reason = reason or f"{error.where}: {error.found}"
        chosen = None if labels is None else [labels[index] for index in kept]
        return [inputs[index] for index in kept], chosen, reason
    return inputs, labels, ""


def _unheard(labels: Sequence[str | None] | None, profile: Profile) -> set[str]:
    """Labels that the model does not know; none where its answers are no labels."""
    classes = set(profile.layout.classes)
    return {label for label in labels or [] if label is not None} - classes if classes else set()


def _histogram(profile: Profile, name: str, batch: Floats) -> Histogram:
    """Cells from the first to the last that any of the two uses."""
    cells = (
        [f"{bound:g}" for bound in LOWER_BOUNDS[name]]
        if name in LOWER_BOUNDS
        else [*profile.layout.classes, *(["other"] if name == "labels" else [])]
    )
    reference = profile.part(name)
    used = np.flatnonzero(reference + batch)
    first, last = (
        (used[0], used[-1] + 1)
        if name in LOWER_BOUNDS
        else (0, max(len(profile.layout.classes), used[-1] + 1))
    )
    return Histogram(
        cells[first:last],
        shares(reference)[first:last].round(_DIGITS).tolist(),
        shares(batch)[first:last].round(_DIGITS).tolist(),
    )


def _feature_histograms(profile: Profile, batch: Floats) -> dict[str, Histogram]:
    """Histograms of the features that moved most, by name, the largest move first; cells by their lower edge."""
    reference = profile.part("features")
    order = np.argsort(-feature_gaps(reference, batch), kind="stable")[:_SHOWN_FEATURES]
    drawn = {}
    for number in order.tolist():
        feature = profile.layout.features[number]
        part = slice(number * FEATURE_CELLS, (number + 1) * FEATURE_CELLS)
        drawn[feature.name] = Histogram(
            ["lower", *(f"{edge:.3g}" for edge in feature.edges)],
            shares(reference[part]).round(_DIGITS).tolist(),
            shares(batch[part]).round(_DIGITS).tolist(),
        )
    return drawn


def _unknown_words(inputs: Sequence[Any], predictor: Predictor) -> list[tuple[str, int]]:
    """Find what stands behind unknown tokens; those seen once are shown only where none was seen twice."""
    find = _unknown_in_text if predictor.input_section.kind == "text" else _unknown_symbols
    ranked = sorted(find(inputs, predictor).items(), key=lambda pair: (-pair[1], pair[0]))
    return ([pair for pair in ranked if pair[1] >= _SEEN_TWICE] or ranked)[:_NEW_WORDS]


def _unknown_in_text(texts: Sequence[str], predictor: Predictor) -> Counter[str]:
    """Words behind unknown tokens, as they are after the tokenizer's normalising."""
    tokenizer = predictor.tokenizer.tokenizer
    lowercase = bool(getattr(predictor.input_section, "lowercase", False))
    counts: Counter[str] = Counter()
    for start in range(0, len(texts), _CHUNK_TEXTS):
        chunk = texts[start : start + _CHUNK_TEXTS]
        for text, encoding in zip(
            chunk, tokenizer.encode_batch(chunk, add_special_tokens=False), strict=True
        ):
            for identifier, (begin, end) in zip(encoding.ids, encoding.offsets, strict=True):
                if identifier == UNKNOWN_ID:
                    counts[_plain(text[begin:end], lowercase=lowercase)] += 1
    return counts


def _unknown_symbols(values: Sequence[Any], predictor: Predictor) -> Counter[str]:
    """Symbols that the vocabulary lacks; those of k-mers one by one, where no k-mer of train has them."""
    encoder = predictor.tokenizer
    known = {
        symbol
        for token in encoder.tokens(range(encoder.vocab_size))
        for symbol in (token, *token.split(), *token)
    }
    counts: Counter[str] = Counter()
    for value in values:
        counts.update(_plain(symbol) for symbol in symbols_of(value, encoder.section) if symbol not in known)
    return counts


def _plain(word: str, *, lowercase: bool = False) -> str:
    """Shorten a word for showing."""
    shown = unicodedata.normalize("NFKC", word)
    return (shown.lower() if lowercase else shown)[:_MAX_WORD]
