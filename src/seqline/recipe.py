"""What a recipe may say: its sections, every setting with its type, its default and its meaning, in one place.

A recipe's sections are what the stages depend on, so all of them are written out in the file (an empty `{}` takes the
defaults) except `retrain`.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Section(BaseModel):
    """Base of all recipe sections: unknown keys are errors, values are not coerced, nothing changes later."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class InputSection(Section):
    """What the sequence is made of."""

    column: str = Field(min_length=1, description="Column that holds the text.")
    kind: Literal["text"] = "text"
    tokenizer: Literal["word", "char", "bpe"] = "word"
    lowercase: bool = True
    strip_markup: bool = Field(False, description="Replace HTML tags by a space before tokenising.")
    vocab_size: int = Field(10_000, ge=4, le=1_000_000, description="Tokens kept, special ones included.")
    min_count: int = Field(2, ge=1, description="A token seen less often in train is unknown.")
    max_length: int = Field(400, ge=1, le=100_000, description="Tokens; longer inputs are cut.")
    keep: Literal["head", "tail", "head_tail"] = Field("head_tail", description="What a cut keeps.")
    padding: Literal["bucket", "before", "after"] = Field(
        "bucket",
        description="bucket: to the longest of each length bucket; before / after: to max_length on that side.",
    )


class TargetSection(Section):
    """What is predicted."""

    column: str = Field(min_length=1)
    classes: list[str] = Field(min_length=2, description="All labels, in the order of the class indices.")

    @model_validator(mode="after")
    def _distinct(self) -> TargetSection:
        if len(set(self.classes)) != len(self.classes):
            raise ValueError("the classes are not distinct")
        return self


class ValidationSection(Section):
    """Bounds the data must keep; breaking a critical one ends with exit code 3."""

    min_rows: int = Field(50, ge=1)
    max_rows: int | None = Field(None, ge=1)
    min_class_share: float = Field(0.005, ge=0.0, le=1.0, description="Share of train rows, for each class.")
    max_blank_share: float = Field(0.0, ge=0.0, le=1.0)
    median_words: list[int] = Field([1, 5_000], min_length=2, max_length=2)
    p95_words: list[int] = Field([1, 50_000], min_length=2, max_length=2)
    max_conflict_share: float = Field(
        0.02, ge=0.0, le=1.0, description="Same text, different labels, in train."
    )
    max_overlap_share: float = Field(
        0.02, ge=0.0, le=1.0, description="Test rows whose text is in train too."
    )
    max_unknown_share: float = Field(
        0.15, ge=0.0, le=1.0, description="Tokens the champion's tokenizer lacks."
    )


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
        return self


class SplitSection(Section):
    """How rows are dealt: by a stable hash of a normalised key, so duplicates never straddle splits."""

    valid: float = Field(0.1, gt=0.0, lt=0.9)
    test: float = Field(0.0, ge=0.0, lt=0.9, description="0 when data/NAME/test holds a test set of its own.")
    by: str | None = Field(
        None, description="Column whose normalised value is the key; by default the input."
    )
    seed: int = 0
    window: WindowSection = Field(WindowSection(), description="Batches to learn from; by default all.")


class ModelSection(Section):
    """The network."""

    cell: Literal["rnn", "lstm", "gru"] = "lstm"
    nonlinearity: Literal["tanh", "relu", "leaky_relu", "sigmoid"] = Field("tanh", description="Of cell rnn.")
    embedding_dim: int = Field(128, ge=1)
    embedding_std: float = Field(0.1, gt=0.0, description="Standard deviation that word vectors start with.")
    hidden_size: int = Field(128, ge=1)
    num_layers: int = Field(1, ge=1, le=16)
    bidirectional: bool = True
    pooling: Literal["last", "max", "mean", "max_mean", "attention"] = "max_mean"
    head_size: int = Field(0, ge=0, description="Units of a hidden layer before the classes; 0 for none.")
    head_activation: Literal["relu", "leaky_relu", "tanh", "sigmoid"] = "relu"
    dropout: float = Field(0.5, ge=0.0, lt=1.0, description="On the pooled features.")
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


class TrainingSection(Section):
    """How the network learns."""

    epochs: int = Field(4, ge=1)
    batch_size: int = Field(64, ge=1)
    optimizer: Literal["adamw", "sgd"] = "adamw"
    learning_rate: float = Field(2.0e-3, gt=0.0)
    weight_decay: float = Field(0.01, ge=0.0)
    momentum: float = Field(0.9, ge=0.0, lt=1.0, description="Of sgd.")
    schedule: Literal["one_cycle", "cosine", "plateau", "constant"] = "one_cycle"
    clip_norm: float = Field(1.0, ge=0.0, description="Largest gradient norm; 0 turns clipping off.")
    label_smoothing: float = Field(0.0, ge=0.0, lt=1.0)
    adversarial_radius: float = Field(
        0.0,
        ge=0.0,
        description="Learn each step again with embeddings moved this far against it; twice the time; 0: off.",
    )
    class_weights: Literal["none", "balanced"] = "none"
    monitor: Literal["loss", "accuracy", "macro_f1"] = Field(
        "loss", description="On valid; picks the best epoch."
    )
    early_stopping: int = Field(
        0, ge=0, description="Epochs without a better monitor before the end; 0: never."
    )
    precision: Literal["auto", "fp32", "bf16"] = Field("auto", description="auto: bf16 where the CPU has it.")
    device: Literal["auto", "cpu", "cuda"] = "auto"
    seed: int = 0
    threads: int = Field(
        2, ge=1, description="Part of the recipe: one and two threads do not give the same bits."
    )
    checkpoint_steps: int = Field(200, ge=1, description="Optimiser steps between two checkpoints.")


class EvaluationSection(Section):
    """What is measured on the test split, beside which baselines."""

    slices: list[str] = Field(["length"], description="`length` for quantiles of length, or any column.")
    behaviours: list[Literal["case", "space", "negation"]] = ["case", "space", "negation"]
    baselines: list[Literal["majority", "tfidf_unigram", "tfidf_bigram", "nb_lr"]] = [
        "majority",
        "tfidf_unigram",
        "tfidf_bigram",
        "nb_lr",
    ]
    bootstrap_rounds: int = Field(1_000, ge=100)
    calibration_bins: int = Field(15, ge=2)
    seed: int = 0


class GateSection(Section):
    """Rules a challenger must pass before it may bear the alias champion."""

    metric: Literal["accuracy", "macro_f1"] = "accuracy"
    floors: dict[Literal["accuracy", "macro_f1", "auroc"], float] = Field(
        {}, description="Smallest value for metrics where more is better."
    )
    ceilings: dict[Literal["log_loss", "ece"], float] = Field(
        {}, description="Largest value for metrics where less is better."
    )
    baseline: Literal["majority", "tfidf_unigram", "tfidf_bigram", "nb_lr", "none"] = "tfidf_bigram"
    champion: Literal["better", "not_worse"] = Field("better", description="What it must be, significantly.")
    margin: float = Field(0.005, ge=0.0, le=1.0, description="Of not_worse: the loss that does not matter.")
    alpha: float = Field(0.05, gt=0.0, lt=0.5, description="Chance of promoting by luck.")
    max_slice_drop: float = Field(
        0.05, ge=0.0, le=1.0, description="Against the champion, in any large slice."
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
        description="Training rows that the newest version has not seen; null: never a reason.",
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


class Recipe(Section):
    """One model, from data to gate."""

    task: Literal["classification"]
    input: InputSection
    target: TargetSection
    validation: ValidationSection
    split: SplitSection
    model: ModelSection
    training: TrainingSection
    evaluation: EvaluationSection
    gate: GateSection
    retrain: RetrainSection = RetrainSection()

    @model_validator(mode="after")
    def _consistent(self) -> Recipe:
        if self.split.valid + self.split.test >= 1.0:
            raise ValueError(
                f"split.valid {self.split.valid} + split.test {self.split.test} leave nothing to train on"
            )
        if self.gate.baseline != "none" and self.gate.baseline not in self.evaluation.baselines:
            raise ValueError(
                f"gate.baseline {self.gate.baseline} is not measured; add it to evaluation.baselines or set it to none"
            )
        if self.input.column == self.target.column:
            raise ValueError(f"input.column and target.column are both {self.input.column!r}")
        return self

    @property
    def split_key(self) -> str:
        """Column whose normalised value decides the split."""
        return self.split.by or self.input.column

    @property
    def slice_columns(self) -> list[str]:
        """Columns named as slices (`length` is computed, not a column)."""
        return [name for name in self.evaluation.slices if name != "length"]
