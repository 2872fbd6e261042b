"""Recipes of classification: a sequence gets one of some labels."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from seqline.recipe.base import Choices, Recipe
from seqline.recipe.section import MAX_UNITS
from seqline.recipe.sections import ModelSection
from seqline.recipe.targets import LabelTarget


class ClassifierModel(ModelSection):
    """A recurrent network, pooled over its steps."""

    pooling: Literal["last", "max", "mean", "max_mean", "attention"] = "max_mean"
    head_size: int = Field(
        0, ge=0, le=MAX_UNITS, description="Units of a hidden layer before the classes; 0 for none."
    )
    head_activation: Literal["relu", "leaky_relu", "tanh", "sigmoid"] = "relu"
    dropout: float = Field(0.5, ge=0.0, lt=1.0, description="On the pooled features.")


_OF_TEXT = ("majority", "tfidf_unigram", "tfidf_bigram", "nb_lr", "word2vec", "kmer", "cnn")
_OF_NUMBERS = ("majority", "flat", "cnn")


class ClassificationRecipe(Recipe):
    """A sequence of any kind, and a label."""

    CHOICES: ClassVar[Choices] = Choices(
        shape="many-to-one",
        higher=("accuracy", "macro_f1", "auroc"),
        lower=("log_loss", "ece"),
        compared=("accuracy", "macro_f1"),
        monitors=("loss", "accuracy", "macro_f1"),
        baselines={
            "text": _OF_TEXT,
            "symbols": ("majority", "kmer", "cnn"),
            "series": _OF_NUMBERS,
            "vector": ("majority", "flat"),
            "audio": _OF_NUMBERS,
        },
        default_baselines={"text": ("majority", "tfidf_unigram", "tfidf_bigram", "nb_lr")},
        gate_baseline={
            "text": "tfidf_bigram",
            "symbols": "kmer",
            "series": "flat",
            "vector": "majority",
            "audio": "flat",
        },
        behaviours={"text": ("case", "space", "negation")},
    )

    task: Literal["classification"]
    target: LabelTarget
    model: ClassifierModel

    @model_validator(mode="after")
    def _every_class_can_be(self) -> ClassificationRecipe:
        count, least = len(self.target.classes), self.validation.min_class_share
        if count * least > 1.0:
            raise ValueError(
                f"validation.min_class_share {least:g} of each of {count} classes is more than all rows; expected at "
                f"most {1.0 / count:.4g}"
            )
        if self.split.by == self.target.column:
            raise ValueError(
                f"split.by {self.split.by!r} is the target: valid and test would hold other classes than train"
            )
        return self
