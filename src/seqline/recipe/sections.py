"""The sections that every task's recipe has: every setting with its type, its default and its meaning, in one place."""

from __future__ import annotations

import datetime
from typing import Literal

from pydantic import Field, NonNegativeInt, model_validator

from seqline.recipe.section import MAX_WEIGHTS, Section, Seed, Units, require_distinct

# Matrices of one layer, each as large as the others.
_GATES = {"rnn": 1, "gru": 3, "lstm": 4}
_MONTH = len("2026-01")


class ValidationSection(Section):
    """Bounds the data must keep; breaking a critical one ends with exit code 3."""

    min_rows: int = Field(50, ge=1)
    max_rows: int | None = Field(None, ge=1)
    min_class_share: float = Field(0.005, ge=0.0, le=1.0, description="Share of train rows, for each class.")
    max_blank_share: float = Field(0.0, ge=0.0, le=1.0)
    median_words: list[NonNegativeInt] = Field([1, 5_000], min_length=2, max_length=2)
    p95_words: list[NonNegativeInt] = Field([1, 50_000], min_length=2, max_length=2)
    max_conflict_share: float = Field(
        0.02, ge=0.0, le=1.0, description="Same text, different labels, in train."
    )
    max_overlap_share: float = Field(
        0.02, ge=0.0, le=1.0, description="Test rows whose text is in train too."
    )
    max_unknown_share: float = Field(
        0.15, ge=0.0, le=1.0, description="Tokens the champion's tokenizer lacks."
    )
    min_seconds: float = Field(0.05, ge=0.0, le=86_400.0, description="Shortest recording.")
    max_seconds: float = Field(60.0, gt=0.0, le=86_400.0, description="Longest recording.")
    max_clipping_share: float = Field(
        0.01, ge=0.0, le=1.0, description="Samples at full scale in one recording; more: a warning."
    )
    max_flat_share: float = Field(
        0.2, ge=0.0, le=1.0, description="Rows without any change in a series or recording."
    )
    max_missing_share: float = Field(0.0, ge=0.0, le=1.0, description="Missing numbers in one series.")

    @model_validator(mode="after")
    def _possible(self) -> ValidationSection:
        pairs: tuple[tuple[str, float, float | None], ...] = (
            ("min_rows and max_rows", self.min_rows, self.max_rows),
            ("min_seconds and max_seconds", self.min_seconds, self.max_seconds),
            ("median_words", self.median_words[0], self.median_words[1]),
            ("p95_words", self.p95_words[0], self.p95_words[1]),
            ("median_words[0] and p95_words[1]", self.median_words[0], self.p95_words[1]),
        )
        for name, least, most in pairs:
            if most is not None and least > most:
                raise ValueError(
                    f"{name}: no data is between {least:g} and {most:g}; the smaller one comes first"
                )
        return self


class WindowSection(Section):
    """Which batches of data/NAME/train a model learns from; a batch is a file, its date begins its name."""

    last: int | None = Field(
        default=None, ge=1, description="The newest so many batches; the others stay on the disk."
    )
    since: str | None = Field(
        default=None, pattern=r"^\d{4}-\d{2}(-\d{2})?$", description="Batches of this month or day and later."
    )

    @model_validator(mode="after")
    def _one_rule(self) -> WindowSection:
        if self.last is not None and self.since is not None:
            raise ValueError("last and since together; keep one")
        if self.since is not None:
            try:
                datetime.date.fromisoformat(self.since if len(self.since) > _MONTH else f"{self.since}-01")
            except ValueError:
                raise ValueError(
                    f"since {self.since}: no such day or month; expected one of the calendar"
                ) from None
        return self


class SplitSection(Section):
    """How rows are dealt: by a stable hash of a normalised key, so duplicates never straddle splits."""

    valid: float = Field(0.1, gt=0.0, lt=0.9)
    test: float = Field(0.0, ge=0.0, lt=0.9, description="0 when data/NAME/test holds a test set of its own.")
    by: str | None = Field(
        None, min_length=1, description="Column whose normalised value is the key; by default the input."
    )
    seed: Seed = 0
    window: WindowSection = Field(WindowSection(), description="Batches to learn from; by default all.")


class ModelSection(Section):
    """The recurrent part that every network has."""

    cell: Literal["rnn", "lstm", "gru"] = "lstm"
    nonlinearity: Literal["tanh", "relu", "leaky_relu", "sigmoid"] = Field("tanh", description="Of cell rnn.")
    embedding_dim: Units = 128
    embedding_std: float = Field(
        0.1, gt=0.0, le=100.0, description="Standard deviation that word vectors start with."
    )
    hidden_size: Units = 128
    num_layers: int = Field(1, ge=1, le=16)
    bidirectional: bool = True
    dropout: float = Field(0.5, ge=0.0, lt=1.0, description="On the features that are answered from.")
    embedding_dropout: float = Field(0.0, ge=0.0, lt=1.0, description="One mask of features for all steps.")
    word_dropout: float = Field(0.0, ge=0.0, lt=1.0, description="Whole steps set to zero.")
    layer_dropout: float = Field(
        0.0, ge=0.0, lt=1.0, description="Between stacked layers, one mask for all steps."
    )

    @model_validator(mode="after")
    def _no_idle_setting(self) -> ModelSection:
        if self.cell != "rnn" and self.nonlinearity != "tanh":
            raise ValueError(f"nonlinearity {self.nonlinearity} acts on cell rnn only; cell is {self.cell}")
        if self.num_layers == 1 and self.layer_dropout > 0:
            raise ValueError("layer_dropout acts between layers; num_layers is 1, so set layer_dropout to 0")
        return self

    @model_validator(mode="after")
    def _fits_memory(self) -> ModelSection:
        directions = 2 if self.bidirectional else 1
        read = self.hidden_size * directions * (self.num_layers - 1) + self.embedding_dim
        weights = (
            _GATES[self.cell] * directions * self.hidden_size * (self.num_layers * self.hidden_size + read)
        )
        if weights > MAX_WEIGHTS:
            raise ValueError(
                f"hidden_size {self.hidden_size} and num_layers {self.num_layers} make {weights:,} weights of cell "
                f"{self.cell}; expected at most {MAX_WEIGHTS:,} (4 GiB), so lower one of them"
            )
        return self


class TrainingSection(Section):
    """How the network learns."""

    epochs: int = Field(4, ge=1, le=1_000_000)
    batch_size: int = Field(64, ge=1, le=1 << 20)
    optimizer: Literal["adamw", "sgd"] = "adamw"
    learning_rate: float = Field(2.0e-3, gt=0.0, le=10.0)
    weight_decay: float = Field(
        0.01, ge=0.0, description="Share of each weight, times the rate, taken off a step."
    )
    momentum: float = Field(0.9, ge=0.0, lt=1.0, description="Of sgd.")
    schedule: Literal["one_cycle", "cosine", "plateau", "constant"] = "one_cycle"
    clip_norm: float = Field(
        1.0, ge=0.0, le=1.0e6, description="Largest gradient norm; 0 turns clipping off."
    )
    label_smoothing: float = Field(0.0, ge=0.0, lt=1.0)
    adversarial_radius: float = Field(
        0.0,
        ge=0.0,
        le=1.0e3,
        description="Learn each step again with embeddings moved this far against it; twice the time; 0: off.",
    )
    class_weights: Literal["none", "balanced"] = "none"
    monitor: str = Field("loss", description="On valid; picks the best epoch.")
    early_stopping: int = Field(
        0, ge=0, description="Epochs without a better monitor before the end; 0: never."
    )
    precision: Literal["auto", "fp32", "bf16"] = Field("auto", description="auto: bf16 where the CPU has it.")
    device: Literal["auto", "cpu", "cuda"] = "auto"
    seed: Seed = 0
    threads: int = Field(
        2, ge=1, le=1_024, description="Part of the recipe: one and two threads do not give the same bits."
    )
    checkpoint_steps: int = Field(200, ge=1, description="Optimiser steps between two checkpoints.")

    @model_validator(mode="after")
    def _weights_stay(self) -> TrainingSection:
        if self.weight_decay * self.learning_rate >= 1.0:
            raise ValueError(
                f"weight_decay {self.weight_decay:g} times learning_rate {self.learning_rate:g} takes each weight off "
                "whole in one step; expected a product below 1"
            )
        return self


class EvaluationSection(Section):
    """What is measured on the test split, beside which baselines."""

    slices: list[str] = Field(["length"], description="`length` for quantiles of length, or any column.")
    behaviours: list[Literal["case", "space", "negation"]] = Field(
        [], description="Changes of a text whose effect is known; by default all, for labels of texts."
    )
    baselines: list[str] = Field([], description="Simple models beside it; by default those of its task.")
    bootstrap_rounds: int = Field(1_000, ge=100, le=1_000_000)
    calibration_bins: int = Field(15, ge=2, le=10_000)
    seed: Seed = 0

    @model_validator(mode="after")
    def _distinct(self) -> EvaluationSection:
        for key in ("slices", "behaviours", "baselines"):
            require_distinct(key, getattr(self, key))
        return self


class GateSection(Section):
    """Rules a challenger must pass before it may bear the alias champion."""

    metric: str = Field(
        "", description="What challenger and champion are compared by; by default its task's."
    )
    floors: dict[str, float] = Field({}, description="Smallest value for metrics where more is better.")
    ceilings: dict[str, float] = Field({}, description="Largest value for metrics where less is better.")
    baseline: str = Field("", description="What the model must beat, or none; by default its task's.")
    champion: Literal["better", "not_worse"] = Field("better", description="What it must be, significantly.")
    margin: float = Field(
        0.005,
        ge=0.0,
        le=1.0,
        description="Of not_worse: the loss that does not matter; a share of the champion's value where a metric is no share.",
    )
    alpha: float = Field(0.05, gt=0.0, lt=0.5, description="Chance of promoting by luck.")
    max_slice_drop: float = Field(
        0.05,
        ge=0.0,
        le=1.0,
        description="Against the champion, in any large slice; a share of its value where a metric is no share.",
    )
    min_slice_rows: int = Field(100, ge=1, description="Smaller slices are shown but do not refuse.")
    min_test_rows: int = Field(200, ge=1)
    max_latency_ms: float = Field(
        200.0, gt=0.0, description="95th percentile for one input, measured at promotion."
    )
    max_size_mb: float = Field(500.0, gt=0.0)
    approval: Literal["automatic", "manual"] = Field(
        "automatic",
        description="manual: a challenger that passes waits for `seqline promote NAME --approve`.",
    )


class RetrainSection(Section):
    """When an unattended `seqline retrain` trains again; any one reason is enough."""

    min_new_rows: int | None = Field(
        default=500,
        ge=1,
        description="Training rows that the newest version has not seen, of series their steps; null: never a reason.",
    )
    drifted_windows: int = Field(
        default=2, ge=1, description="So many of the newest `windows` batches drifted."
    )
    windows: int = Field(default=3, ge=1)
    max_age_days: float | None = Field(
        default=None, gt=0.0, description="Age of the newest version; null: never a reason."
    )
    max_quality_drop: float | None = Field(
        default=0.03,
        gt=0.0,
        le=1.0,
        description="Accuracy on late labels against test; null: never a reason.",
    )
    min_labels: int = Field(
        default=200, ge=1, description="Fewer late labels than this say nothing about quality."
    )

    @model_validator(mode="after")
    def _possible(self) -> RetrainSection:
        if self.drifted_windows > self.windows:
            raise ValueError(
                f"drifted_windows {self.drifted_windows} of windows {self.windows} cannot happen"
            )
        return self
