"""Answers from a model folder: the one path from raw input to probabilities, in evaluation, gate, registry and server.

Legend: N inputs, C classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file

from seqline.data.collate import batch_of, bucketed
from seqline.data.tokenization import TOKENIZER_FILE, TextTokenizer
from seqline.errors import InputError
from seqline.files import read_json, verify_manifest
from seqline.recipe import InputSection, ModelSection, TargetSection
from seqline.tasks import task_named
from seqline.tasks.base import Task

MODEL_FILE = "model.json"
WEIGHTS_FILE = "weights.safetensors"
HISTORY_FILE = "history.json"
_BATCH_SIZE = 64


@dataclass(frozen=True)
class Prediction:
    """One answer.

    Attributes:
        label: The most probable class.
        probability: Its probability.
        probabilities: Every class with its probability.
    """

    label: str
    probability: float
    probabilities: dict[str, float]


@dataclass(frozen=True)
class Predictor:
    """A trained network with the tokenizer it was trained with."""

    network: torch.nn.Module
    task: Task
    tokenizer: TextTokenizer
    input_section: InputSection
    classes: list[str]

    @classmethod
    def load(cls, folder: Path) -> Predictor:
        """Read a model folder, every file checked against its manifest first.

        Raises:
            InputError: The folder is not complete.
            SeqlineError: A file was altered since it was written.
        """
        verify_manifest(folder)
        described: dict[str, Any] = read_json(folder / MODEL_FILE)
        input_section = InputSection.model_validate(described["input"])
        target = TargetSection.model_validate(described["target"])
        task = task_named(described["task"])
        network = task.build(ModelSection.model_validate(described["model"]), described["sizes"])
        network.load_state_dict(load_file(folder / WEIGHTS_FILE))
        network.eval()
        tokenizer = TextTokenizer.load(folder / TOKENIZER_FILE, input_section)
        return cls(network, task, tokenizer, input_section, target.classes)

    @torch.inference_mode()
    def probabilities(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Probabilities of each text, float32 (N, C), in fp32 whatever precision it was trained in.

        The answer for a text does not depend on the other texts of the call.
        """
        if isinstance(texts, str) or not all(isinstance(text, str) for text in texts):
            raise InputError("predict", "an input that is not text", "a list of strings")
        answers = np.zeros((len(texts), len(self.classes)), dtype=np.float32)
        sequences = list(self.tokenizer.encode(texts))
        lengths = np.asarray([len(ids) for ids in sequences], dtype=np.int64)
        for indices in bucketed(lengths, batch_size=_BATCH_SIZE, rng=None):
            batch = batch_of(
                [sequences[i] for i in indices],
                padding=self.input_section.padding,
                max_length=self.input_section.max_length,
            )
            answers[indices] = self.task.probabilities(self.network(batch)).numpy()
        return answers

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """An answer for each text, in order."""
        answers = []
        for row in self.probabilities(texts):
            best = int(row.argmax())
            by_class = {label: float(value) for label, value in zip(self.classes, row, strict=True)}
            answers.append(Prediction(self.classes[best], float(row[best]), by_class))
        return answers
