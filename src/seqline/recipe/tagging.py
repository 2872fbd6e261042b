"""Recipes of tagging: every token of a sequence gets a tag."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from seqline.recipe.base import Choices, Recipe
from seqline.recipe.inputs import SymbolsInput
from seqline.recipe.section import Section
from seqline.recipe.sections import ModelSection
from seqline.recipe.targets import TagsTarget


class TokensInput(SymbolsInput):
    """Tokens: a list of strings, or a text that is split at its spaces."""

    kind: Literal["symbols"]
    lowercase: bool = Field(True, description="For word vectors; the bytes of a word keep its capitals.")
    min_count: int = Field(2, ge=1, le=1_000_000, description="A token seen less often in train is unknown.")
    max_length: int = Field(
        400, ge=1, le=100_000, description="Tokens; a longer input is refused: each token needs its tag."
    )
    characters: int = Field(
        20, ge=0, le=64, description="Bytes of each token to read; longer ones keep both ends; 0: none."
    )

    @model_validator(mode="after")
    def _one_token_a_step(self) -> TokensInput:
        if self.alphabet is not None or self.kmer != 1 or self.stride != 1:
            raise ValueError("a tag stands for one token: leave out alphabet, kmer and stride")
        if 0 < self.characters < _FEWEST_BYTES:
            raise ValueError(
                f"characters {self.characters}: 0, or at least {_FEWEST_BYTES} (both ends and their marks)"
            )
        return self


class CharactersSection(Section):
    """What the network reads of a token's bytes."""

    kind: Literal["none", "cnn", "lstm"] = "cnn"
    embedding_dim: int = Field(30, ge=1, le=1_024, description="Of a byte.")
    features: int = Field(50, ge=2, le=1_024, description="Of a token; an even number for lstm.")


class TaggerModel(ModelSection):
    """A recurrent network with scores for each step, and perhaps for each move from tag to tag."""

    crf: bool = Field(True, description="Score moves between tags too, and answer with the best sequence.")
    characters: CharactersSection = CharactersSection.model_validate({})
    dropout: float = Field(0.5, ge=0.0, lt=1.0, description="On the states that tags are scored from.")
    word_dropout: float = Field(
        0.1, ge=0.0, lt=1.0, description="Tokens read as unknown while training, their bytes kept."
    )
    embedding_dropout: float = Field(
        0.3, ge=0.0, lt=1.0, description="On vectors of tokens and bytes, one mask for all steps."
    )

    @model_validator(mode="after")
    def _halves(self) -> TaggerModel:
        if self.characters.kind == "lstm" and self.characters.features % 2:
            raise ValueError(
                f"characters.features {self.characters.features} is odd; lstm reads in two directions"
            )
        return self


class TaggingRecipe(Recipe):
    """Tokens, and a tag for each."""

    CHOICES: ClassVar[Choices] = Choices(
        shape="many-to-many",
        higher=("span_f1", "token_accuracy", "exact_match"),
        compared=("span_f1", "token_accuracy", "exact_match"),
        monitors=("loss", "span_f1", "token_accuracy", "exact_match"),
        baselines={"symbols": ("frequent_tag",)},
        gate_baseline={"symbols": "frequent_tag"},
    )

    task: Literal["tagging"]
    input: TokensInput
    target: TagsTarget
    model: TaggerModel

    @model_validator(mode="after")
    def _bytes_are_read(self) -> TaggingRecipe:
        if (self.input.characters == 0) != (self.model.characters.kind == "none"):
            raise ValueError(
                f"input.characters {self.input.characters} and model.characters.kind {self.model.characters.kind}; "
                "set both to 0 and none, or neither"
            )
        return self


_FEWEST_BYTES = 4
