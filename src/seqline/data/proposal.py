"""A first recipe for somebody's rows: what can be read off the data is, the rest are defaults."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from seqline.data.readers import Row
from seqline.errors import InputError

MAX_CLASSES = 200
# Enough distinct words for a large vocabulary to pay.
_LARGE_CORPUS_WORDS = 2_000_000
_MARKUP = re.compile(r"<(?:br|p|div|a|b|i|span|/)[\s>/]", re.IGNORECASE)
_MARKUP_SHARE = 0.02
_LENGTH_STEP = 20
_LONGEST = 400
_HEADROOM = 1.25  # tokens are words and punctuation
_RARE_CLASS_SHARE = 0.2
_FEW_ROWS = 3_000
_MANY_ROWS = 20_000


@dataclass
class Survey:
    """What one pass over the rows tells; a row at a time, so memory hardly grows with the file.

    Attributes:
        input_column: Column of the text.
        target_column: Column of the label.
    """

    input_column: str
    target_column: str
    word_counts: list[int] = field(default_factory=list)
    with_markup: int = 0
    labels: Counter[str] = field(default_factory=Counter)

    @property
    def rows(self) -> int:
        """Rows seen."""
        return len(self.word_counts)

    def add(self, row: Row) -> None:
        """Count one row.

        Raises:
            InputError: The label is missing, or there are too many different ones to be classes.
        """
        where = f"{row.source} line {row.line}"
        target = row.values[self.target_column]
        if target is None or target == "":
            raise InputError(where, f"no value in column {self.target_column!r}", "a label in every row")
        text = str(row.values[self.input_column] or "")
        self.word_counts.append(len(text.split()))
        self.with_markup += bool(_MARKUP.search(text))
        self.labels[str(target)] += 1
        if len(self.labels) > MAX_CLASSES:
            raise InputError(
                where,
                f"more than {MAX_CLASSES} different values in column {self.target_column!r} so far",
                "the classes of a classification",
                "name another column with --target",
            )

    def classes(self, where: str) -> list[str]:
        """All labels, sorted.

        Raises:
            InputError: There is only one.
        """
        if len(self.labels) < 2:
            only = next(iter(self.labels), "")
            raise InputError(
                f"{where} column {self.target_column!r}", f"only the value {only!r}", "2 classes or more"
            )
        return sorted(self.labels)


def propose(
    found: Survey, *, task: str, classes: list[str], has_test: bool, group_column: str | None
) -> tuple[dict[str, Any], list[str]]:
    """A recipe as YAML values, and the reasons for what was not left at its default.

    Args:
        found: What the train rows look like.
        task: What is predicted.
        classes: All labels.
        has_test: There is a test file of its own.
        group_column: Rows that share its value stay in one split.
    """
    reasons = []
    words = np.asarray(found.word_counts)
    p95 = float(np.quantile(words, 0.95))
    max_length = min(_LONGEST, int(np.ceil(p95 * _HEADROOM / _LENGTH_STEP)) * _LENGTH_STEP)
    cut = "; longer ones keep their head and tail" if max_length == _LONGEST else ""
    reasons.append(f"max_length {max_length} tokens: 95 % of the inputs have at most {p95:.0f} words{cut}")
    text: dict[str, Any] = {"column": found.input_column, "tokenizer": "word", "max_length": max_length}
    text["vocab_size"] = 30_000 if words.sum() > _LARGE_CORPUS_WORDS else 10_000
    if found.with_markup > _MARKUP_SHARE * found.rows:
        text["strip_markup"] = True
        reasons.append(f"strip_markup: {found.with_markup:,} of {found.rows:,} inputs hold HTML tags")
    split: dict[str, Any] = {"valid": 0.1}
    if not has_test:
        split["test"] = 0.2
        reasons.append("split.test 0.2: no test file was given")
    if group_column:
        split["by"] = group_column
    training: dict[str, Any] = {
        "epochs": 4,
        "batch_size": 64,
        "learning_rate": 2.0e-3,
        "monitor": "accuracy",
        "seed": 0,
        "threads": 2,
    }
    model: dict[str, Any] = {
        "cell": "lstm",
        "hidden_size": 128,
        "bidirectional": True,
        "pooling": "max_mean",
        "dropout": 0.5,
    }
    if found.rows < _MANY_ROWS:
        training["epochs"] = 10 if found.rows < _FEW_ROWS else 8
        training["batch_size"] = 32
        model |= {"embedding_dropout": 0.5, "word_dropout": 0.1}
        reasons.append(f"{training['epochs']} epochs in batches of 32: {found.rows:,} rows are few")
    else:
        # Chosen on valid rows of IMDb, grouped by film: docs/log.md.
        training["adversarial_radius"] = 2.0
        model["embedding_std"] = 1.0
        reasons.append("adversarial_radius 2: worth a point on many long texts, for twice the time a step")
    rare = min(found.labels.values()) / found.rows
    gate: dict[str, Any] = {"metric": "accuracy", "baseline": "tfidf_bigram"}
    if rare < _RARE_CLASS_SHARE / len(found.labels) * 2:
        gate["metric"] = "macro_f1"
        training["monitor"] = "macro_f1"
        reasons.append(f"the gate compares macro-F1: the rarest class holds {rare:.1%} of the rows")
    recipe = {
        "task": task,
        "input": text,
        "target": {"column": found.target_column, "classes": classes},
        "validation": {"min_class_share": round(min(0.005, rare / 2), 6)},
        "split": split,
        "model": model,
        "training": training,
        "evaluation": {"slices": ["length"], "behaviours": ["case", "space"]},
        "gate": gate,
    }
    return recipe, reasons
