"""Recipes of estimation: a sequence gets a number."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from seqline.recipe.base import Choices, Recipe
from seqline.recipe.classification import ClassifierModel
from seqline.recipe.targets import NumberTarget

_BASELINES = ("mean_number", "ridge")


class EstimatorModel(ClassifierModel):
    """A recurrent network, pooled over its steps, with one number instead of classes."""

    dropout: float = Field(0.2, ge=0.0, lt=1.0, description="On the pooled features.")


class EstimationRecipe(Recipe):
    """A sequence of any kind, and a number."""

    CHOICES: ClassVar[Choices] = Choices(
        shape="many-to-one",
        lower=("mae", "rmse", "mse"),
        compared=("mae", "rmse", "mse"),
        falling=("standard_mae",),
        monitors=("loss", "standard_mae"),
        baselines=dict.fromkeys(("text", "symbols", "series", "vector", "audio"), _BASELINES),
        gate_baseline={
            "text": "ridge",
            "symbols": "ridge",
            "series": "ridge",
            "vector": "mean_number",
            "audio": "ridge",
        },
    )

    task: Literal["estimation"]
    target: NumberTarget
    model: EstimatorModel
