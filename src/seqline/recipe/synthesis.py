"""Recipes of synthesis: some labels in, a recording out."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from seqline.recipe.base import Choices, Recipe
from seqline.recipe.inputs import SymbolsInput, require_frames
from seqline.recipe.section import Units
from seqline.recipe.sections import ModelSection
from seqline.recipe.targets import TargetSection


class RecordingTarget(TargetSection):
    """A recording of these labels: a WAV file in base64, learnt as frames of log-mel energies."""

    sample_rate: int = Field(8_000, ge=1_000, le=192_000, description="Samples a second; others are refused.")
    window_ms: float = Field(25.0, gt=1.0, le=500.0)
    hop_ms: float = Field(10.0, gt=0.5, le=500.0)
    mels: int = Field(40, ge=4, le=256, description="Bands of each frame.")
    max_frames: int = Field(
        100,
        ge=2,
        le=100_000,
        description="Frames that are learnt and written at most; longer recordings are cut.",
    )
    rounds: int = Field(
        60,
        ge=1,
        le=10_000,
        description="Of the search for phases that makes sound of frames (Griffin and Lim).",
    )

    @model_validator(mode="after")
    def _possible(self) -> RecordingTarget:
        require_frames(self.sample_rate, self.window_ms, self.hop_ms, self.mels)
        return self


class SpeakerModel(ModelSection):
    """A recurrent network that writes frames, each from those before it and the labels."""

    bidirectional: Literal[False] = False
    embedding_dim: Units = Field(64, description="Of each label; a row's labels are added up.")
    hidden_size: Units = 256
    prenet_size: Units = Field(64, description="Units between the last frame and the recurrent layers.")
    prenet_dropout: float = Field(0.5, ge=0.0, lt=1.0, description="Rate there.")
    frame_noise: float = Field(
        0.3,
        ge=0.0,
        le=100.0,
        description="Deviation of what is added to the true frames in training, in deviations.",
    )
    frames_per_step: int = Field(2, ge=1, le=32, description="Frames written at once.")
    dropout: float = Field(0.1, ge=0.0, lt=1.0, description="On the features that frames are written from.")

    @model_validator(mode="after")
    def _no_words(self) -> SpeakerModel:
        for name in ("word_dropout", "embedding_dropout"):
            if getattr(self, name) > 0:
                raise ValueError(f"{name} acts on a sequence of inputs; labels are none, so set it to 0")
        return self


class SynthesisRecipe(Recipe):
    """A list of labels (what is said, by whom), and a recording of it."""

    CHOICES: ClassVar[Choices] = Choices(
        shape="one-to-many",
        lower=("mel_error", "seconds_error"),
        compared=("mel_error", "seconds_error"),
        monitors=("loss", "frame_error"),
        falling=("frame_error",),
        baselines={"symbols": ("mean_frame", "same_labels")},
        gate_baseline={"symbols": "mean_frame"},
    )

    task: Literal["synthesis"]
    target: RecordingTarget
    model: SpeakerModel

    @model_validator(mode="after")
    def _of_labels(self) -> SynthesisRecipe:
        if isinstance(self.input, SymbolsInput) and (self.input.kmer, self.input.stride) != (1, 1):
            raise ValueError(
                f"input.kmer {self.input.kmer} and stride {self.input.stride}: labels have no order, so set both to 1"
            )
        if self.model.frames_per_step > self.target.max_frames:
            raise ValueError(
                f"model.frames_per_step {self.model.frames_per_step} is more than target.max_frames "
                f"{self.target.max_frames} holds"
            )
        return self
