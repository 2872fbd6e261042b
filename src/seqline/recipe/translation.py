"""Recipes of what writes a text: translation, question answering, dialogue, captioning."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from seqline.recipe.base import Choices, Recipe
from seqline.recipe.section import MAX_UNITS, Section
from seqline.recipe.sections import ModelSection
from seqline.recipe.targets import SequenceTarget


class DecodingSection(Section):
    """How answers are searched for."""

    beam_size: int = Field(
        5, ge=1, le=100, description="Beginnings kept; 1 takes the likeliest word each time."
    )
    length_penalty: float = Field(
        1.0, ge=0.0, le=5.0, description="0: the likeliest answer wins; more: longer answers do."
    )
    alternatives: int = Field(1, ge=1, le=100, description="Answers given, best first; at most beam_size.")
    copy_unknown: bool = Field(
        True, description="Write the source word looked at most for a word that the vocabulary lacks."
    )

    @model_validator(mode="after")
    def _enough_places(self) -> DecodingSection:
        if self.alternatives > self.beam_size:
            raise ValueError(
                f"alternatives {self.alternatives} are more than beam_size {self.beam_size} keeps; raise beam_size"
            )
        return self


class WriterModel(ModelSection):
    """An encoder, and a decoder that writes while it attends to what was read."""

    attention: Literal["additive", "dot", "general", "none"] = Field(
        "general", description="How a step compares itself with the source; none: it reads the mean."
    )
    decoder_size: int = Field(
        0,
        ge=0,
        le=MAX_UNITS,
        description="Units of the decoder; 0: as many as the encoder's directions have together.",
    )
    input_feeding: bool = Field(
        False, description="Steps see what the step before attended to; about three times the time."
    )
    tie_embeddings: bool = Field(True, description="One vector of a word for reading and for writing it.")
    teacher_forcing_ratio: float = Field(
        1.0,
        ge=0.0,
        le=1.0,
        description="In training, the chance that a step sees the true word before, not its own.",
    )
    dropout: float = Field(0.3, ge=0.0, lt=1.0, description="On the features that words are written from.")
    embedding_dropout: float = Field(0.2, ge=0.0, lt=1.0, description="One mask of features for all steps.")
    decoding: DecodingSection = DecodingSection.model_validate({})

    @model_validator(mode="after")
    def _comparable(self) -> WriterModel:
        memory_size = self.hidden_size * (2 if self.bidirectional else 1)
        if self.attention == "dot" and self.decoder_size not in (0, memory_size):
            raise ValueError(
                f"attention dot compares decoder_size {self.decoder_size} with {memory_size} features of the encoder; "
                "set decoder_size to 0, or attention to general"
            )
        return self


class _Writing(Recipe):
    """What all of them have in common."""

    target: SequenceTarget
    model: WriterModel

    @model_validator(mode="after")
    def _of_words(self) -> _Writing:
        if self.input.kind not in ("text", "symbols") and self.model.word_dropout > 0:
            raise ValueError("word_dropout acts on words; the input has none, so set it to 0")
        return self


_HIGHER = ("bleu", "chrf", "exact_match")
_LOWER = ("perplexity", "nats_per_token", "nats_per_character")
_MONITORS = ("loss", "perplexity", "token_accuracy")


class TranslationRecipe(_Writing):
    """A text, and a text that says the same."""

    CHOICES: ClassVar[Choices] = Choices(
        shape="many-to-many",
        higher=_HIGHER,
        lower=_LOWER,
        compared=("bleu", "chrf", "exact_match", "nats_per_character", "perplexity"),
        monitors=_MONITORS,
        baselines={"text": ("copy", "word_by_word", "nearest_text")},
        gate_baseline={"text": "word_by_word"},
    )

    task: Literal["translation"]


class AnsweringRecipe(_Writing):
    """A text that holds a question, and the answer."""

    CHOICES: ClassVar[Choices] = Choices(
        shape="many-to-many",
        higher=("exact_match", "chrf"),
        lower=_LOWER,
        compared=("exact_match", "chrf"),
        monitors=_MONITORS,
        baselines={"text": ("majority_answer", "nearest_text")},
        gate_baseline={"text": "majority_answer"},
    )

    task: Literal["answering"]


class DialogueRecipe(_Writing):
    """A turn of a conversation, and the turn that answers it."""

    CHOICES: ClassVar[Choices] = Choices(
        shape="many-to-many",
        higher=("bleu", "chrf"),
        lower=_LOWER,
        compared=("nats_per_character", "perplexity", "nats_per_token", "bleu", "chrf"),
        monitors=_MONITORS,
        baselines={"text": ("target_unigram", "target_bigram", "nearest_text")},
        gate_baseline={"text": "target_bigram"},
    )

    task: Literal["dialogue"]


class CaptioningRecipe(_Writing):
    """Numbers, and a text that describes what they are of."""

    CHOICES: ClassVar[Choices] = Choices(
        shape="one-to-many",
        higher=_HIGHER,
        lower=_LOWER,
        compared=("bleu", "chrf", "exact_match", "nats_per_character", "perplexity"),
        monitors=_MONITORS,
        baselines={
            "vector": ("majority_answer", "nearest_numbers"),
            "series": ("majority_answer", "nearest_numbers"),
        },
        gate_baseline={"vector": "nearest_numbers", "series": "nearest_numbers"},
    )

    task: Literal["captioning"]
