"""A recipe as a whole: what all tasks share, and what must agree between its sections."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from pydantic import TypeAdapter, model_validator

from seqline.recipe.inputs import Input, InputSection
from seqline.recipe.section import Section
from seqline.recipe.sections import (
    EvaluationSection,
    GateSection,
    ModelSection,
    RetrainSection,
    SplitSection,
    TrainingSection,
    ValidationSection,
)
from seqline.recipe.targets import LabelTarget, TargetSection

# Metrics that are no share of 1.
_IN_PER_CENT = ("bleu", "chrf")
_PER_CENT = 100.0
_OF_TARGETS = {"label_smoothing": 0.0, "class_weights": "none"}
# Kinds whose missing numbers nothing fills; those of histories are filled as `input.missing` says.
_WITHOUT_GAPS = ("series", "vector")
_WITH_EMBEDDINGS = ("text", "symbols")


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What a task offers: the words its recipes may use, and which of them are the defaults.

    Attributes:
        shape: Of the sequences: one-to-one, one-to-many, many-to-one or many-to-many.
        higher: Metrics of which more is better.
        lower: Metrics of which less is better.
        compared: Metrics that challenger and champion may be compared by; the first is the default.
        monitors: Figures on valid that may pick the best epoch.
        falling: Those of them, besides the loss and the metrics, of which less is better.
        baselines: By input kind, every simple model that may stand beside it; the kinds are those the task takes.
        default_baselines: By input kind, those that do by default; all where it says nothing.
        gate_baseline: By input kind, the one to beat by default.
        behaviours: By input kind, the behaviours tried by default.
    """

    shape: str
    higher: tuple[str, ...] = ()
    lower: tuple[str, ...] = ()
    compared: tuple[str, ...]
    monitors: tuple[str, ...] = ("loss",)
    falling: tuple[str, ...] = ()
    baselines: Mapping[str, tuple[str, ...]]
    default_baselines: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    gate_baseline: Mapping[str, str]
    behaviours: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def largest(self, metric: str) -> float:
        """The best value of a metric of which more is better."""
        return _PER_CENT if metric in _IN_PER_CENT else 1.0

    def falls(self, monitor: str) -> bool:
        """Whether less of a figure on valid is better."""
        return monitor in ("loss", *self.lower, *self.falling)

    def defaults(self, kind: str) -> dict[str, dict[str, Any]]:
        """What a recipe says where it is silent, by section."""
        baselines = self.default_baselines.get(kind, self.baselines.get(kind, ()))
        return {
            "evaluation": {
                "baselines": list(baselines),
                "behaviours": list(self.behaviours.get(kind, ())),
            },
            "gate": {"metric": self.compared[0], "baseline": self.gate_baseline.get(kind, "none")},
        }


@dataclass(frozen=True, kw_only=True)
class ModelSections:
    """The sections that a model keeps of its recipe."""

    input: InputSection
    target: TargetSection
    model: ModelSection


class Recipe(Section):
    """One model, from data to gate. A task's recipe is a class of its own below this one."""

    CHOICES: ClassVar[Choices]

    task: str
    input: Input
    target: TargetSection
    validation: ValidationSection
    split: SplitSection
    model: ModelSection
    training: TrainingSection
    evaluation: EvaluationSection
    gate: GateSection
    retrain: RetrainSection = RetrainSection()

    @model_validator(mode="before")
    @classmethod
    def _defaults_of_the_task(cls, values: Any) -> Any:
        if not isinstance(values, Mapping) or not isinstance(values.get("input"), Mapping):
            return values
        kind = str(values["input"].get("kind", "text"))
        filled = dict(values)
        for name, defaults in cls.CHOICES.defaults(kind).items():
            if isinstance(filled.get(name), Mapping):
                filled[name] = {**defaults, **filled[name]}
        return filled

    @model_validator(mode="after")
    def _consistent(self) -> Recipe:
        if self.split.valid + self.split.test >= 1.0:
            raise ValueError(
                f"split.valid {self.split.valid} + split.test {self.split.test} leave nothing to train on"
            )
        if self.input.column == self.target.column:
            raise ValueError(f"input.column and target.column are both {self.input.column!r}")
        return self

    @model_validator(mode="after")
    def _no_idle_training(self) -> Recipe:
        """Settings of training that act on something this task lacks."""
        for name, off in _OF_TARGETS.items():
            if name not in self.target.LEARNT_WITH and (found := getattr(self.training, name)) != off:
                raise ValueError(
                    f"training.{name} {found} acts on labels; task {self.task} has none, so set it to {off or 0}"
                )
        labelled = isinstance(self.target, LabelTarget) and self.input.kind in _WITH_EMBEDDINGS
        if self.training.adversarial_radius and not labelled:
            raise ValueError(
                f"training.adversarial_radius {self.training.adversarial_radius:g} acts on labels of texts and "
                f"symbols; this is task {self.task} of kind {self.input.kind}, so set it to 0"
            )
        return self

    @model_validator(mode="after")
    def _readable_numbers(self) -> Recipe:
        if self.input.kind in _WITHOUT_GAPS and self.validation.max_missing_share:
            raise ValueError(
                f"validation.max_missing_share {self.validation.max_missing_share:g}: no network reads a missing number of a "
                f"{self.input.kind}; set it to 0 and fill them in the data"
            )
        return self

    @model_validator(mode="after")
    def _possible_gate(self) -> Recipe:
        for metric, floor in self.gate.floors.items():
            if floor > (largest := self.CHOICES.largest(metric)):
                raise ValueError(
                    f"gate.floors.{metric}: found {floor:g}; expected at most {largest:g}, the best value there is"
                )
        for metric, ceiling in self.gate.ceilings.items():
            if ceiling < 0:
                raise ValueError(
                    f"gate.ceilings.{metric}: found {ceiling:g}; expected 0 or more, no value is below"
                )
        if self.evaluation.behaviours and not (
            isinstance(self.target, LabelTarget) and self.input.kind == "text"
        ):
            raise ValueError(
                f"evaluation.behaviours are of texts with labels; this is task {self.task} of kind {self.input.kind}, "
                "so leave them out"
            )
        return self

    @model_validator(mode="after")
    def _known_words(self) -> Recipe:
        choices, kind = self.CHOICES, self.input.kind
        if kind not in choices.baselines:
            raise ValueError(
                f"input.kind {kind} does not go with task {self.task}; it takes {', '.join(choices.baselines)}"
            )
        _require("gate.metric", [self.gate.metric], choices.compared)
        _require("gate.floors", self.gate.floors, choices.higher)
        _require("gate.ceilings", self.gate.ceilings, choices.lower)
        _require("training.monitor", [self.training.monitor], choices.monitors)
        _require("evaluation.baselines", self.evaluation.baselines, choices.baselines[kind])
        _require("gate.baseline", [self.gate.baseline], (*choices.baselines[kind], "none"))
        if self.gate.baseline != "none" and self.gate.baseline not in self.evaluation.baselines:
            raise ValueError(
                f"gate.baseline {self.gate.baseline} is not measured; add it to evaluation.baselines or set it to none"
            )
        return self

    @classmethod
    def sections_of_model(cls, values: Mapping[str, Any]) -> ModelSections:
        """The sections a model was trained with, from what it keeps of its recipe."""
        parsed = {
            name: TypeAdapter(cls.model_fields[name].rebuild_annotation()).validate_python(values[name])
            for name in ("input", "target", "model")
        }
        return ModelSections(**parsed)

    @property
    def split_key(self) -> str:
        """Column whose normalised value decides the split."""
        return self.split.by or self.input.column

    @property
    def slice_columns(self) -> list[str]:
        """Columns named as slices (`length` is computed, not a column)."""
        return [name for name in self.evaluation.slices if name != "length"]

    @property
    def classes(self) -> list[str]:
        """All labels, in the order of the class indices; empty where the target is no label."""
        return list(self.target.classes) if isinstance(self.target, LabelTarget) else []


def _require(where: str, found: Any, known: tuple[str, ...]) -> None:
    for name in found:
        if name not in known:
            raise ValueError(f"{where}: found {name!r}; expected one of {', '.join(known)}")
