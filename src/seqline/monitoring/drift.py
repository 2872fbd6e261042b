"""How far a batch is from a champion's profile: every signal with its bound, in numbers and in words."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from seqline.batch import UNKNOWN_ID
from seqline.data.inputs.symbols import symbols_of
from seqline.monitoring.calibration import BATCH_ROWS
from seqline.monitoring.profile import Profile
from seqline.monitoring.signals import (
    FEATURE_CELLS,
    LOWER_BOUNDS,
    SIGNALS,
    Floats,
    Measured,
    feature_gaps,
    measure,
    running_gap,
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
    if in_batch > MAX_ROWS:
        chosen = np.sort(np.random.default_rng(0).choice(in_batch, MAX_ROWS, replace=False))
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
        direction, what = _WORDS[name](profile, counts, measured)
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
        words=_word_shifts(profile, sums["tokens"])[:_SHOWN_WORDS] if "tokens" in sums else [],
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


def _unheard(labels: Sequence[str | None] | None, profile: Profile) -> set[str]:
    """Labels that the model does not know; none where its answers are no labels."""
    classes = set(profile.layout.classes)
    return {label for label in labels or [] if label is not None} - classes if classes else set()


def _shares(counts: Floats) -> Floats:
    return counts / max(1.0, counts.sum())


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
        _shares(reference)[first:last].round(_DIGITS).tolist(),
        _shares(batch)[first:last].round(_DIGITS).tolist(),
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
            _shares(reference[part]).round(_DIGITS).tolist(),
            _shares(batch[part]).round(_DIGITS).tolist(),
        )
    return drawn


def _word_shifts(profile: Profile, batch: Floats) -> list[WordShift]:
    """Counted words by their part of the divergence, the largest first."""
    p, q = _shares(profile.part("tokens")), _shares(batch)
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


def _tokens_in_words(profile: Profile, batch: Floats, measured: Measured) -> tuple[str, str]:
    shifts = _word_shifts(profile, batch)[:3]
    told = ", ".join(f"{shift.word!r} {shift.reference:.2%} → {shift.batch:.2%}" for shift in shifts)
    return "", told or "every counted word is as frequent as before"


def _unknown_in_words(profile: Profile, batch: Floats, measured: Measured) -> tuple[str, str]:
    before, now = float(_shares(profile.part("unknown"))[0]), float(_shares(batch)[0])
    direction = "" if now == before else "more" if now > before else "fewer"
    return direction, f"{now:.2%} of the tokens are unknown, {before:.2%} in the reference"


def _features_in_words(profile: Profile, batch: Floats, measured: Measured) -> tuple[str, str]:
    reference = profile.part("features")
    number = int(feature_gaps(reference, batch).argmax())
    feature = profile.layout.features[number]
    part = slice(number * FEATURE_CELLS, (number + 1) * FEATURE_CELLS)
    gap = running_gap(reference[part], batch[part])[:-1]
    cell = int(np.abs(gap).argmax())
    now, before = (float(_shares(counts[part])[cell + 1 :].sum()) for counts in (batch, reference))
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
    now, before = (float(_shares(counts)[cell + 1 :].sum()) for counts in (batch, profile.part(name)))
    return bool(gap[cell] > 0), bound, now, before


def _predicted_in_words(profile: Profile, batch: Floats, measured: Measured) -> tuple[str, str]:
    return _labels_moved(profile, profile.part("predicted"), batch, "answers")


def _labels_in_words(profile: Profile, batch: Floats, measured: Measured) -> tuple[str, str]:
    return _labels_moved(profile, profile.part("labels"), batch, "labels")


def _labels_moved(profile: Profile, reference: Floats, batch: Floats, what: str) -> tuple[str, str]:
    before, now = _shares(reference), _shares(batch)
    label = int((now - before).argmax())
    name = profile.layout.classes[label] if label < len(profile.layout.classes) else "other"
    return f"more {name}", f"{now[label]:.0%} of the {what} are {name}, {before[label]:.0%} in the reference"


_WORDS: dict[str, Callable[[Profile, Floats, Measured], tuple[str, str]]] = {
    "tokens": _tokens_in_words,
    "unknown": _unknown_in_words,
    "features": _features_in_words,
    "length": _length_in_words,
    "score": _score_in_words,
    "predicted": _predicted_in_words,
    "labels": _labels_in_words,
}
