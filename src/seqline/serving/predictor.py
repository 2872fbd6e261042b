"""Answers from a model folder: the one path from raw input to answers, in evaluation, gate, registry and server.

Legend: N inputs, C classes, K row statistics.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.torch import load_file

from seqline.data.inputs import load_input
from seqline.data.rows import SplitRows
from seqline.data.targets import load_target
from seqline.errors import InputError
from seqline.files import read_json, verify_manifest
from seqline.recipe import RECIPES, InputSection
from seqline.serving.model_folder import CALIBRATION_FILE, MODEL_FILE, WEIGHTS_FILE
from seqline.tasks import task_named
from seqline.tasks.base import Answer, Task
from seqline.tasks.classification import Classification
from seqline.tasks.model import FittedModel


@dataclass(frozen=True)
class Predictor:
    """A trained model and its task.

    Attributes:
        task: How it answers.
        model: The network with its encoders.
    """

    task: Task
    model: FittedModel

    @classmethod
    def load(cls, folder: Path) -> Predictor:
        """Read a model folder, every file checked against its manifest first.

        Raises:
            InputError: The folder is not complete.
            SeqlineError: A file was altered since it was written.
        """
        verify_manifest(folder)
        described: dict[str, Any] = read_json(folder / MODEL_FILE)
        sections = RECIPES[described["task"]].sections_of_model(described)
        task = task_named(described["task"])
        network = task.build(sections.model, described["sizes"])
        network.load_state_dict(load_file(folder / WEIGHTS_FILE))
        network.eval()
        encoder = load_input(folder, sections.input)
        targets = load_target(folder, sections.target)
        fitted = folder / CALIBRATION_FILE
        model = FittedModel(
            network,
            encoder,
            targets,
            sections.input,
            sections.target,
            sections.model,
            read_json(fitted) if fitted.is_file() else {},
        )
        return cls(task, model)

    @property
    def input_section(self) -> InputSection:
        """The recipe's input as the model was trained with it."""
        return self.model.input

    @property
    def tokenizer(self) -> Any:
        """The encoder of inputs, where they are tokens."""
        return self.model.encoder

    @cached_property
    def classes(self) -> list[str]:
        """Labels in the order of the class indices; empty where the target is no label."""
        return list(getattr(self.model.target, "classes", []))

    def answers(self, inputs: Sequence[Any]) -> list[Answer]:
        """An answer for each input, in order; none depends on the other inputs of the call."""
        self._refuse_text_for_a_list(inputs)
        return self.task.answers(self.model, inputs)

    def measure(self, rows: SplitRows, answers: Sequence[Answer] | None = None) -> npt.NDArray[np.float64]:
        """What evaluation and gate compare by, float64 (N, K): of labels the probabilities, else row statistics.

        Args:
            rows: N rows.
            answers: What `answers` says to their inputs, where the caller knows it.
        """
        return self.task.measure(self.model, rows, answers)

    def unit(self, metric: str) -> str:
        """What a figure of this model is counted in: two models are compared where it is the same."""
        return self.task.unit(metric, self.model)

    def probabilities(self, inputs: Sequence[Any]) -> npt.NDArray[np.float32]:
        """Probabilities of each input, float32 (N, C), where the task is classification."""
        self._refuse_text_for_a_list(inputs)
        if not isinstance(self.task, Classification):
            raise TypeError(f"{type(self.task).__name__} answers without probabilities of classes")
        return self.task.probabilities(self.model, inputs)

    def probes(self) -> list[Any]:
        """Inputs of many lengths to try the model with, valid and the same on every machine."""
        return self.task.probes(self.model)

    @staticmethod
    def _refuse_text_for_a_list(inputs: Any) -> None:
        if isinstance(inputs, str):
            raise InputError("predict", "one text instead of a list", "a list of inputs")
