"""Classification: a sequence gets one of C labels.

Legend: B batch, N rows, C classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional as F

from seqline.batch import SequenceBatch
from seqline.data.arrays import SequenceArrays, from_sequences
from seqline.data.rows import SplitRows
from seqline.evaluation.metrics import METRICS
from seqline.nn.classifier import SequenceClassifier
from seqline.recipe import ModelSection, TrainingSection
from seqline.tasks.base import Floats, Loss, Task
from seqline.tasks.model import FittedModel


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

    def record(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "label": self.label,
            "probability": round(self.probability, 6),
            "probabilities": {label: round(value, 6) for label, value in self.probabilities.items()},
        }

    def line(self) -> str:
        """Label and probability."""
        return f"{self.label:<12} {self.probability:.3f}"


class Classification(Task):
    """The verbs of classification; it keeps no state."""

    metrics = ("accuracy", "macro_f1", "auroc", "log_loss", "ece")

    def build(self, model: ModelSection, sizes: Mapping[str, Any]) -> torch.nn.Module:
        """A recurrent classifier.

        Args:
            model: The recipe's `model` section.
            sizes: `num_classes`, and `vocab_size` or `features`.
        """
        settings: dict[str, Any] = {**sizes, **model.model_dump()}
        return SequenceClassifier(**settings)

    def loss(self, training: TrainingSection, train: SequenceArrays, sizes: Mapping[str, Any]) -> Loss:
        """Cross-entropy in nats, mean over the batch."""
        weight = None
        if training.class_weights == "balanced":
            weight = class_weights(train.targets, sizes["num_classes"])

        def cross_entropy(logits: torch.Tensor, batch: SequenceBatch) -> torch.Tensor:
            if batch.targets is None:
                raise ValueError("a loss needs targets")
            return F.cross_entropy(
                logits.float(),
                batch.targets,
                weight=None if weight is None else weight.to(logits.device),
                label_smoothing=training.label_smoothing,
            )

        return cross_entropy

    def tally(self, outputs: torch.Tensor, batch: SequenceBatch, sizes: Mapping[str, Any]) -> torch.Tensor:
        """Logits, and the class index behind them: float64 (B, C + 1)."""
        if batch.targets is None:
            raise ValueError("a tally needs targets")
        return torch.cat([outputs.double(), batch.targets.double().unsqueeze(1)], dim=1).cpu()

    def score(self, tallies: torch.Tensor) -> dict[str, float]:
        """Loss (nats), accuracy and macro-F1 of a whole split, from float64 (N, C + 1)."""
        probabilities = torch.softmax(tallies[:, :-1].float(), dim=-1).numpy().astype(np.float64)
        truth = tallies[:, -1].long().numpy()
        return {
            "loss": METRICS["log_loss"].function(probabilities, truth),
            "accuracy": METRICS["accuracy"].function(probabilities, truth),
            "macro_f1": METRICS["macro_f1"].function(probabilities, truth),
        }

    def measure(self, model: FittedModel, rows: SplitRows, answers: Sequence[Any] | None = None) -> Floats:
        """Probabilities, float64 (N, C)."""
        return self.probabilities(model, rows.inputs).astype(np.float64)

    def answers(self, model: FittedModel, inputs: Sequence[Any]) -> list[Prediction]:
        """The most probable label of each input."""
        classes: list[str] = model.target.classes  # type: ignore[attr-defined]
        answers = []
        for row in self.probabilities(model, inputs):
            best = int(row.argmax())
            by_class = {label: float(value) for label, value in zip(classes, row, strict=True)}
            answers.append(Prediction(classes[best], float(row[best]), by_class))
        return answers

    def probabilities(self, model: FittedModel, inputs: Sequence[Any]) -> npt.NDArray[np.float32]:
        """Probabilities of each input, float32 (N, C), in fp32 whatever precision it was trained in."""
        encoded = self.encode(model.encoder, model.input, inputs)
        found = model.each(encoded, lambda batch: torch.softmax(model.network(batch).float(), dim=-1))
        return found.numpy() if len(inputs) else np.zeros((0, model.targets.sizes["num_classes"]), np.float32)

    def toy(self, *, examples: int, seed: int) -> tuple[SequenceArrays, dict[str, Any]]:
        """Which of two marks came last: the order decides, a bag of tokens knows nothing.

        Returns:
            Sequences of ids 2 to 9 in which both marks (2 and 3) stand once, class 0 or 1, and sizes for `build`.
        """
        rng = np.random.default_rng(seed)
        sequences, targets = [], []
        for _ in range(examples):
            ids = rng.integers(4, 10, size=int(rng.integers(4, 13)))
            places = np.sort(rng.choice(len(ids), size=2, replace=False))
            last = int(rng.integers(2))
            ids[places[0]], ids[places[1]] = (3, 2) if last == 0 else (2, 3)
            sequences.append(ids.astype(np.int64))
            targets.append(last)
        sizes = {"vocab_size": 10, "num_classes": 2}
        return from_sequences(sequences, targets, vocab_size=sizes["vocab_size"]), sizes


def class_weights(targets: npt.NDArray[np.int64], num_classes: int) -> torch.Tensor:
    """Weights that give each class the same say: N / (C * n_c), float32 (C,); absent classes get 0."""
    counts = np.bincount(targets, minlength=num_classes)
    weights = np.divide(len(targets), num_classes * counts, out=np.zeros(num_classes), where=counts > 0)
    return torch.from_numpy(weights.astype(np.float32))
