"""Recipes of what is written step by step: generation (text and symbols) and music (piano rolls)."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from seqline.recipe.base import Choices, Recipe
from seqline.recipe.inputs import SymbolsInput
from seqline.recipe.sections import ModelSection
from seqline.recipe.targets import NextKeysTarget, NextTokenTarget


class LanguageModel(ModelSection):
    """A recurrent network from each token to the next."""

    bidirectional: Literal[False] = False
    tie_weights: bool = Field(True, description="Whether the token vectors are the output weights too.")
    dropout: float = Field(0.2, ge=0.0, lt=1.0, description="On the features that logits are made from.")


class PianoModel(ModelSection):
    """A recurrent network from the keys of each step to those of the next."""

    bidirectional: Literal[False] = False
    dropout: float = Field(0.2, ge=0.0, lt=1.0, description="On the features that keys are told from.")

    @model_validator(mode="after")
    def _no_words(self) -> PianoModel:
        if self.word_dropout > 0:
            raise ValueError("word_dropout acts on tokens; a piano roll has none, so set word_dropout to 0")
        return self


class _Continuing(Recipe):
    """What both have in common: a row is continued, so its input is its target."""

    @model_validator(mode="after")
    def _consistent(self) -> _Continuing:
        if self.split.valid + self.split.test >= 1.0:
            raise ValueError(
                f"split.valid {self.split.valid} + split.test {self.split.test} leave nothing to train on"
            )
        if self.target.column != self.input.column:
            raise ValueError(
                f"target.column is {self.target.column!r}, but task {self.task} learns to go on with its input; "
                f"set it to {self.input.column!r}"
            )
        if self.input.padding == "before" or self.input.keep != "head":
            raise ValueError(
                "a sequence is read from its beginning: set input.keep to head and padding not to before"
            )
        return self


class GenerationRecipe(_Continuing):
    """Text or symbols, continued token by token."""

    CHOICES: ClassVar[Choices] = Choices(
        shape="one-to-many",
        higher=("hit_at_5", "token_accuracy"),
        lower=("nats_per_character", "nats_per_token", "perplexity"),
        compared=("nats_per_character", "nats_per_token", "perplexity", "hit_at_5"),
        monitors=("loss", "perplexity", "hit_at_5"),
        baselines={"text": ("unigram", "kneser_ney"), "symbols": ("unigram", "kneser_ney")},
        gate_baseline={"text": "kneser_ney", "symbols": "kneser_ney"},
    )

    task: Literal["generation"]
    target: NextTokenTarget
    model: LanguageModel

    @model_validator(mode="after")
    def _one_symbol_a_step(self) -> GenerationRecipe:
        given = self.input
        if isinstance(given, SymbolsInput) and (given.kmer, given.stride) != (1, 1):
            raise ValueError(
                f"input.kmer {given.kmer} and stride {given.stride}: neighbouring steps would share or leave out symbols, and "
                "what is written could not be put together; set both to 1"
            )
        return self


class MusicRecipe(_Continuing):
    """Piano rolls, continued step by step."""

    CHOICES: ClassVar[Choices] = Choices(
        shape="one-to-many",
        higher=("key_accuracy",),
        lower=("nll_per_step",),
        compared=("nll_per_step", "key_accuracy"),
        monitors=("loss", "key_accuracy"),
        baselines={"piano": ("key_frequency", "key_persistence")},
        gate_baseline={"piano": "key_persistence"},
    )

    task: Literal["music"]
    target: NextKeysTarget
    model: PianoModel
