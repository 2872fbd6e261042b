"""Recipes of series that go on: forecasting (many steps, with intervals) and regression (the next value)."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from seqline.recipe.base import Choices, Recipe
from seqline.recipe.inputs import HistoryInput
from seqline.recipe.sections import ModelSection
from seqline.recipe.targets import FutureTarget

_BASELINES = ("naive", "seasonal_naive", "drift", "exponential_smoothing")
_ERRORS = (
    "mase",
    "smape",
    "mae",
    "mse",
    "rmse",
    "pinball",
    "standard_mse",
    "standard_mae",
    "coverage_gap",
    "width",
)


class ForecasterModel(ModelSection):
    """A recurrent network that reads a context and foretells all steps of the horizon at once."""

    cell: Literal["rnn", "lstm", "gru"] = "gru"
    bidirectional: Literal[False] = False
    segment: int = Field(
        1, ge=1, description="Steps read at once; the context (and horizon, see decoder) is a multiple of it."
    )
    decoder: Literal["direct", "recurrent", "parallel"] = Field(
        "direct",
        description="direct: one layer for all steps; recurrent: a second network, segment by segment; parallel: each "
        "segment from the last state.",
    )
    residual: Literal["none", "last", "seasonal"] = Field(
        "none", description="What is learnt is a correction to: nothing, the last value, the last season."
    )
    independent: bool = Field(
        True, description="Channels are read one by one with the same weights; false: together."
    )
    dropout: float = Field(0.1, ge=0.0, lt=1.0, description="On the states that are answered from.")

    @model_validator(mode="after")
    def _no_words(self) -> ForecasterModel:
        if self.word_dropout > 0 or self.embedding_dropout > 0:
            raise ValueError(
                "word_dropout and embedding_dropout act on tokens; a series has none, so set them to 0"
            )
        return self


class ForecastingRecipe(Recipe):
    """Series with calendars, and their next values with intervals."""

    CHOICES: ClassVar[Choices] = Choices(
        shape="many-to-many",
        higher=("coverage",),
        lower=_ERRORS,
        compared=("mase", "smape", "mae", "mse", "pinball"),
        monitors=("loss", "mase", "smape"),
        baselines={"history": _BASELINES},
        gate_baseline={"history": "seasonal_naive"},
    )

    task: Literal["forecasting"]
    input: HistoryInput
    target: FutureTarget
    model: ForecasterModel

    @model_validator(mode="after")
    def _consistent(self) -> ForecastingRecipe:
        given, target, model = self.input, self.target, self.model
        if self.split.valid + self.split.test >= 1.0:
            raise ValueError(
                f"split.valid {self.split.valid} + split.test {self.split.test} leave nothing to train on"
            )
        if target.column != given.column:
            raise ValueError(
                f"target.column is {target.column!r}, but task {self.task} foretells its input; set it to {given.column!r}"
            )
        if self.split.by is not None:
            raise ValueError("split.by deals rows; series are split by time, so leave it out")
        if given.context_length % model.segment:
            raise ValueError(
                f"input.context_length {given.context_length} is no multiple of model.segment {model.segment}"
            )
        if model.decoder != "direct" and target.horizon % model.segment:
            raise ValueError(
                f"target.horizon {target.horizon} is no multiple of model.segment {model.segment}"
            )
        if model.residual == "seasonal" and given.season_length > given.context_length:
            raise ValueError(
                f"input.season_length {given.season_length} is more than input.context_length {given.context_length}"
            )
        return self


class RegressionRecipe(ForecastingRecipe):
    """Series with calendars, and one number: the next value."""

    CHOICES: ClassVar[Choices] = Choices(
        shape="many-to-one",
        higher=("coverage",),
        lower=_ERRORS,
        compared=("mase", "smape", "mae", "mse", "rmse"),
        monitors=("loss", "mase", "smape"),
        baselines={"history": _BASELINES},
        gate_baseline={"history": "seasonal_naive"},
    )

    task: Literal["regression"]  # type: ignore[assignment]

    @model_validator(mode="after")
    def _one_number(self) -> RegressionRecipe:
        if self.target.horizon != 1:
            raise ValueError(
                f"target.horizon {self.target.horizon}: regression foretells the next value; set it to 1, "
                "or the task to forecasting"
            )
        return self
