"""The section `target`: what is predicted, one class a kind of target."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from seqline.recipe.section import Section, Seed, require_distinct


class TargetSection(Section):
    """What every target says.

    Attributes:
        LEARNT_WITH: Settings of training that act on targets of this kind, of those that do not act on all.
    """

    LEARNT_WITH: ClassVar[frozenset[str]] = frozenset()

    column: str = Field(min_length=1)


class LabelTarget(TargetSection):
    """One of some labels."""

    LEARNT_WITH: ClassVar[frozenset[str]] = frozenset({"label_smoothing", "class_weights"})

    classes: list[str] = Field(min_length=2, description="All labels, in the order of the class indices.")

    @model_validator(mode="after")
    def _distinct(self) -> LabelTarget:
        require_distinct("classes", self.classes)
        return self


class NumberTarget(TargetSection):
    """A number of the whole sequence; learnt in deviations from the mean of train, answered in its own unit."""


class NextTokenTarget(TargetSection):
    """The next token of the input itself, and what an answer holds."""

    context_length: int = Field(
        128,
        ge=2,
        le=100_000,
        description="Steps learnt at a time; the state goes on after them, the gradient does not.",
    )
    answer: Literal["continuation", "completions", "next"] = Field(
        "continuation",
        description="continuation: one drawn text; completions: the most probable endings; next: the most probable tokens.",
    )
    count: int = Field(5, ge=1, le=100, description="Completions or next tokens to give.")
    length: int = Field(200, ge=1, le=100_000, description="Tokens to write at most.")
    temperature: float = Field(
        0.8, ge=0.0, le=100.0, description="Of a continuation; 0: always the most probable."
    )
    top_k: int = Field(
        0, ge=0, le=1_000_000, description="Of a continuation: only the k most probable tokens; 0: all."
    )
    top_p: float = Field(
        1.0, gt=0.0, le=1.0, description="Of a continuation: only the most probable tokens up to this share."
    )
    seed: Seed = Field(0, description="Of the drawing; the same one writes the same.")


class NextKeysTarget(TargetSection):
    """The keys of the next step of the input itself, and how music is drawn."""

    length: int = Field(64, ge=1, le=100_000, description="Steps to write.")
    temperature: float = Field(
        0.8, ge=0.0, le=100.0, description="0: every key that is more likely than not."
    )
    voices: int = Field(4, ge=0, le=88, description="Keys that may sound at once; 0: any number.")
    seed: Seed = Field(0, description="Of the drawing; the same one writes the same.")


class FutureTarget(TargetSection):
    """The next values of the series itself, each with intervals."""

    horizon: int = Field(1, ge=1, le=10_000, description="Steps to foretell.")
    intervals: list[int] = Field(
        [80], description="Per cent that each interval should cover; the first one is measured."
    )
    calibration: Literal["together", "per_step", "none"] = Field(
        "together",
        description="Move the ends so that they cover that share of valid: by one offset, or one a step; none.",
    )

    @model_validator(mode="after")
    def _possible(self) -> FutureTarget:
        if len(set(self.intervals)) != len(self.intervals) or not all(0 < p < 100 for p in self.intervals):
            raise ValueError(f"intervals {self.intervals} must be distinct per cents between 1 and 99")
        if not self.intervals:
            raise ValueError("intervals is empty; name at least one, as [80]")
        return self


class TagsTarget(TargetSection):
    """A tag for each token: a list as long as that of the tokens."""

    scheme: Literal["iob1", "iob2", "iobes", "plain"] = Field(
        "iob2",
        description="iob2: B- begins each span, I- goes on, O is outside; iob1: B- only between neighbours; "
        "iobes: E- ends, S- is alone; plain: no prefixes.",
    )
    tags: list[str] | None = Field(
        None, min_length=2, description="All tags, others are refused; null: those of train."
    )

    @model_validator(mode="after")
    def _distinct(self) -> TagsTarget:
        require_distinct("tags", self.tags or [])
        return self


class SequenceTarget(TargetSection):
    """A text that is written, token by token."""

    LEARNT_WITH: ClassVar[frozenset[str]] = frozenset({"label_smoothing"})

    tokenizer: Literal["word", "char", "bpe"] = Field(
        "word", description="bpe: pieces of words, so that no word is unknown."
    )
    lowercase: bool = Field(False, description="Answers are then written in lower case too.")
    vocab_size: int = Field(10_000, ge=5, le=1_000_000, description="Tokens kept, special ones included.")
    min_count: int = Field(2, ge=1, le=1_000_000, description="A token seen less often in train is unknown.")
    max_length: int = Field(
        100,
        ge=1,
        le=10_000,
        description="Tokens; longer targets are learnt up to there, and no answer is longer.",
    )
