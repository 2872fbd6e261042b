"""The profile of a model: what its held-out rows looked like, in a few kilobytes, so that drift needs no rows later."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from seqline.batch import PADDING_ID, UNKNOWN_ID
from seqline.data.dealing import key_of
from seqline.data.rows import SplitRows
from seqline.errors import InputError
from seqline.files import read_json, write_json
from seqline.monitoring.calibration import Thresholds, calibrate
from seqline.monitoring.signals import (
    FEATURE_CELLS,
    LOWER_BOUNDS,
    Feature,
    Floats,
    Layout,
    features_of,
    measure,
)
from seqline.serving.predictor import Predictor

PROFILE_FILE = "profile.json"
# Words with a cell of their own. On the sample, 200 cover four tokens of five.
WORDS = 200
# More reference rows sharpen the bounds little and cost the training stage time.
MAX_REFERENCE_ROWS = 4000
FEW_REFERENCE_ROWS = 200
_FORMAT = 1
_DIGITS = 6


@dataclass(frozen=True)
class Profile:
    """What the champion's held-out rows looked like.

    The rows are those of the split valid: the network has not learnt from them, and the tokenizer neither, so that their
    share of unknown words and their scores are what an undrifted batch shows.

    Attributes:
        rows: Reference rows.
        layout: Words or features, and labels, that are counted.
        counts: float64 (M,), whole numbers: `Layout.parts` says which are which.
        median_length: Steps, before any cut.
        mean_score: Of the probability of the predicted class; 0 where the answers are no labels.
        batches: sha256 of each file the model was fitted on, by its name.
        thresholds: From which value on a signal has moved.
    """

    rows: int
    layout: Layout
    counts: Floats
    median_length: float
    mean_score: float
    batches: dict[str, str]
    thresholds: Thresholds

    @property
    def few_rows(self) -> bool:
        """Whether it rests on so few rows that only large drifts can be told from chance."""
        return self.rows < FEW_REFERENCE_ROWS

    def part(self, signal: str) -> Floats:
        """Counts of one signal, float64 (cells,)."""
        return self.counts[self.layout.parts()[signal]]

    def to_dict(self) -> dict[str, Any]:
        """As JSON values, words beside their counts so that people can read them."""
        layout = self.layout
        parts = {name: self.part(name).astype(np.int64).tolist() for name in layout.parts()}
        told: dict[str, Any] = {"format": _FORMAT, "rows": self.rows, "few_rows": self.few_rows}
        if layout.features:
            told["features"] = [
                {"place": feature.place, "edges": list(feature.edges), "histogram": histogram}
                for feature, histogram in zip(
                    layout.features, np.reshape(parts["features"], (-1, FEATURE_CELLS)).tolist(), strict=True
                )
            ]
        else:
            told |= {
                "tokens": dict(zip(layout.words, parts["tokens"][:-1], strict=True)),
                "other_tokens": parts["tokens"][-1],
                "unknown_tokens": parts["unknown"][0],
            }
        if layout.has_lengths:
            told["length"] = {"median": self.median_length, "histogram": _by_bound("length", parts["length"])}
        if layout.classes:
            told |= {
                "score": {"mean": self.mean_score, "histogram": _by_bound("score", parts["score"])},
                "classes": list(layout.classes),
                "predicted": parts["predicted"],
                "labels": parts["labels"][: len(layout.classes)],
            }
        return {**told, "batches": self.batches, "thresholds": self.thresholds.to_dict()}

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> Profile:
        """Read what `to_dict` gave."""
        words = tuple(sorted(value.get("tokens", ())))
        features = tuple(Feature(one["place"], tuple(one["edges"])) for one in value.get("features", ()))
        layout = Layout(words, tuple(value.get("classes", ())), features, "length" in value)
        parts = layout.parts()
        counts = np.zeros(layout.cells)
        if features:
            counts[parts["features"]] = np.ravel([one["histogram"] for one in value["features"]])
        else:
            tokens = [*(value["tokens"][word] for word in words), value["other_tokens"]]
            counts[parts["tokens"]] = tokens
            counts[parts["unknown"]] = value["unknown_tokens"], sum(tokens) - value["unknown_tokens"]
        for name in ("length", "score"):
            for cell, bound in enumerate(LOWER_BOUNDS[name] if name in parts else ()):
                counts[parts[name].start + cell] = value[name]["histogram"].get(str(bound), 0)
        if layout.classes:
            counts[parts["predicted"]] = value["predicted"]
            counts[parts["labels"]] = [*value["labels"], 0]
        return cls(
            rows=value["rows"],
            layout=layout,
            counts=counts,
            median_length=value["length"]["median"] if layout.has_lengths else 1.0,
            mean_score=value["score"]["mean"] if layout.classes else 0.0,
            batches=dict(value["batches"]),
            thresholds=Thresholds.from_dict(value["thresholds"]),
        )

    def save(self, folder: Path) -> None:
        """Write `profile.json`; the same profile gives the same bytes."""
        write_json(folder / PROFILE_FILE, self.to_dict())

    @classmethod
    def load(cls, folder: Path) -> Profile:
        """Read the profile of a model folder.

        Raises:
            InputError: There is none, or it is of another format.
        """
        path = folder / PROFILE_FILE
        if not path.is_file():
            raise InputError(
                str(path),
                "registered before profiles existed",
                "a model folder with a profile",
                "retrain the model",
            )
        value = read_json(path)
        if not isinstance(value, dict) or value.get("format") != _FORMAT:
            raise InputError(
                str(path), "a profile of another format", f"format {_FORMAT}", "retrain the model"
            )
        return cls.from_dict(value)


def make_profile(
    predictor: Predictor,
    rows: SplitRows,
    *,
    train_ids: npt.NDArray[Any],
    batches: dict[str, str],
    seed: int,
) -> Profile:
    """Profile a trained model.

    Args:
        predictor: The model.
        rows: Rows it has not learnt from: the split valid.
        train_ids: Token ids of its train rows, any shape, or float (L, D) numbers of all their steps. They choose the words
            that are counted, or the edges of the features' histograms: what is chosen by the reference itself would be there
            partly by chance, and seem to become rarer in every batch.
        batches: sha256 of the files it was fitted on, by name.
        seed: Of the bootstrap.
    """
    chosen = _chosen(len(rows), seed)
    inputs = [rows.inputs[index] for index in chosen]
    classes = tuple(predictor.classes)
    labels = [classes[rows.targets[index]] for index in chosen] if classes else None
    layout = _layout(predictor, train_ids, classes)
    measured = measure(inputs, labels, predictor=predictor, layout=layout)
    _, groups = np.unique([key_of(value) for value in inputs], return_inverse=True)
    return Profile(
        rows=len(inputs),
        layout=layout,
        counts=measured.cells.sum(axis=0),
        median_length=float(np.median(measured.lengths)),
        mean_score=round(float(measured.scores.mean()), _DIGITS),
        batches=dict(batches),
        thresholds=calibrate(measured.cells, groups.astype(np.int64), layout=layout, seed=seed),
    )


def _layout(predictor: Predictor, train_steps: npt.NDArray[Any], classes: tuple[str, ...]) -> Layout:
    if np.issubdtype(np.asarray(train_steps).dtype, np.floating):
        has_lengths = predictor.input_section.kind != "vector"
        return Layout(classes=classes, features=features_of(train_steps), has_lengths=has_lengths)
    return Layout(_frequent_words(predictor, train_steps), classes)


def _chosen(rows: int, seed: int) -> Sequence[int]:
    """All rows, or as many as are enough."""
    if rows <= MAX_REFERENCE_ROWS:
        return range(rows)
    chosen = np.random.default_rng(seed).choice(rows, MAX_REFERENCE_ROWS, replace=False)
    return [int(index) for index in np.sort(chosen)]


def _frequent_words(predictor: Predictor, train_ids: npt.NDArray[np.integer]) -> tuple[str, ...]:
    size = predictor.tokenizer.vocab_size
    # What lies beyond the vocabulary are marks that a task puts in, as at the beginning of a text: no words.
    counts = np.bincount(np.asarray(train_ids).ravel(), minlength=size)[:size]
    counts[[PADDING_ID, UNKNOWN_ID]] = 0
    order = np.argsort(-counts, kind="stable")[:WORDS]
    words = predictor.tokenizer.tokens([int(index) for index in order if counts[index]])
    # A token of an odd tokenizer that has no name, or one that stands for two ids, cannot be found again by name.
    once = Counter(words)
    return tuple(sorted(word for word in words if word and once[word] == 1))


def _by_bound(name: str, counts: list[int]) -> dict[str, int]:
    """Counts of a histogram by the lower bound of their cell, empty cells left out."""
    return {str(bound): count for bound, count in zip(LOWER_BOUNDS[name], counts, strict=True) if count}
