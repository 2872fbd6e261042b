"""What a recipe may say: its sections, every setting with its type, its default and its meaning.

A recipe's sections are what the stages depend on, so all of them are written out in the file (an empty `{}` takes the
defaults) except `retrain`. A task adds one module here, with its target and model sections, and one row to `RECIPES`.
"""

from __future__ import annotations

from seqline.recipe.base import Choices, Recipe
from seqline.recipe.classification import ClassificationRecipe
from seqline.recipe.estimation import EstimationRecipe
from seqline.recipe.forecasting import ForecastingRecipe, RegressionRecipe
from seqline.recipe.generation import GenerationRecipe, MusicRecipe
from seqline.recipe.inputs import (
    INPUTS,
    AudioInput,
    HistoryInput,
    Input,
    InputSection,
    PianoInput,
    SeriesInput,
    SymbolsInput,
    TextInput,
    VectorInput,
)
from seqline.recipe.section import Section
from seqline.recipe.sections import (
    EvaluationSection,
    GateSection,
    ModelSection,
    RetrainSection,
    SplitSection,
    TrainingSection,
    ValidationSection,
    WindowSection,
)
from seqline.recipe.synthesis import RecordingTarget, SynthesisRecipe
from seqline.recipe.tagging import TaggingRecipe, TokensInput
from seqline.recipe.targets import (
    FutureTarget,
    LabelTarget,
    NextKeysTarget,
    NextTokenTarget,
    NumberTarget,
    SequenceTarget,
    TagsTarget,
    TargetSection,
)
from seqline.recipe.translation import (
    AnsweringRecipe,
    CaptioningRecipe,
    DialogueRecipe,
    TranslationRecipe,
    WriterModel,
)

RECIPES: dict[str, type[Recipe]] = {
    "classification": ClassificationRecipe,
    "estimation": EstimationRecipe,
    "forecasting": ForecastingRecipe,
    "regression": RegressionRecipe,
    "generation": GenerationRecipe,
    "music": MusicRecipe,
    "tagging": TaggingRecipe,
    "translation": TranslationRecipe,
    "answering": AnsweringRecipe,
    "dialogue": DialogueRecipe,
    "captioning": CaptioningRecipe,
    "synthesis": SynthesisRecipe,
}

__all__ = [
    "INPUTS",
    "RECIPES",
    "AnsweringRecipe",
    "AudioInput",
    "CaptioningRecipe",
    "Choices",
    "ClassificationRecipe",
    "DialogueRecipe",
    "EstimationRecipe",
    "EvaluationSection",
    "ForecastingRecipe",
    "FutureTarget",
    "GateSection",
    "GenerationRecipe",
    "HistoryInput",
    "Input",
    "InputSection",
    "LabelTarget",
    "ModelSection",
    "MusicRecipe",
    "NextKeysTarget",
    "NextTokenTarget",
    "NumberTarget",
    "PianoInput",
    "Recipe",
    "RecordingTarget",
    "RegressionRecipe",
    "RetrainSection",
    "Section",
    "SequenceTarget",
    "SeriesInput",
    "SplitSection",
    "SymbolsInput",
    "SynthesisRecipe",
    "TaggingRecipe",
    "TagsTarget",
    "TargetSection",
    "TextInput",
    "TokensInput",
    "TrainingSection",
    "TranslationRecipe",
    "ValidationSection",
    "VectorInput",
    "WindowSection",
    "WriterModel",
]
