"""Estimation: a sequence gets a number.

Legend: B batch, N rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from torch.nn import functional as F

from seqline.batch import SequenceBatch
from seqline.data.arrays import SequenceArrays, from_sequences
from seqline.data.rows import SplitRows
from seqline.data.targets.number import AmountEncoder
from seqline.evaluation.sums import ERROR_COLUMNS, error_rows
from seqline.nn.classifier import SequenceClassifier
from seqline.recipe import ModelSection, TrainingSection
from seqline.tasks.base import Floats, Loss, Task
from seqline.tasks.model import FittedModel


@dataclass(frozen=True)
class Estimate:
    """One answer.

    Attributes:
        value: In the unit of the target column.
    """

    value: float

    def record(self) -> dict[str, Any]:
        """As JSON values."""
        return {"value": self.value}

    def line(self) -> str:
        """The number."""
        return f"{self.value:.6g}"


class Estimation(Task):
    """The verbs of estimation; it keeps no state."""

    columns = ERROR_COLUMNS
    metrics = ("mae", "rmse", "mse")

    def build(self, model: ModelSection, sizes: Mapping[str, Any]) -> torch.nn.Module:
        """The network of classification, with one number for its only class.

        Args:
            model: The recipe's `model` section.
            sizes: `vocab_size` or `features`.
        """
        settings: dict[str, Any] = {**sizes, **model.model_dump(), "num_classes": 1}
        return SequenceClassifier(**settings)

    def loss(self, training: TrainingSection, train: SequenceArrays, sizes: Mapping[str, Any]) -> Loss:
        """Mean squared error, in deviations of train."""

        def squared_error(outputs: torch.Tensor, batch: SequenceBatch) -> torch.Tensor:
            if batch.targets is None:
                raise ValueError("a loss needs targets")
            return F.mse_loss(outputs.float()[:, 0], batch.targets.float())

        return squared_error

    def tally(self, outputs: torch.Tensor, batch: SequenceBatch, sizes: Mapping[str, Any]) -> torch.Tensor:
        """Estimate and truth in deviations of train: float64 (B, 2)."""
        if batch.targets is None:
            raise ValueError("a tally needs targets")
        return torch.cat([outputs.double(), batch.targets.double().unsqueeze(1)], dim=1).cpu()

    def score(self, tallies: torch.Tensor) -> dict[str, float]:
        """Loss (squared) and mean absolute error of a whole split, in deviations of train: no unit of the target."""
        errors = (tallies[:, 0] - tallies[:, 1]).numpy()
        return {"loss": float((errors**2).mean()), "standard_mae": float(np.abs(errors).mean())}

    def measure(self, model: FittedModel, rows: SplitRows, answers: Sequence[Any] | None = None) -> Floats:
        """Errors of each row in the unit of the target: float64 (N, K)."""
        found = self.answers(model, rows.inputs) if answers is None else answers
        return error_rows([answer.value for answer in found], rows.truths)

    def answers(self, model: FittedModel, inputs: Sequence[Any]) -> list[Estimate]:
        """The number of each input, in fp32 whatever precision it was trained in."""
        if not len(inputs):
            return []
        encoded = self.encode(model.encoder, model.input, inputs)
        scaled = model.each(encoded, lambda batch: model.network(batch).float())[:, 0].numpy()
        return [Estimate(float(value)) for value in cast(AmountEncoder, model.targets).decode(scaled)]

    def toy(self, *, examples: int, seed: int) -> tuple[SequenceArrays, dict[str, Any]]:
        """The last number of a series, minus its first: the order decides, sums know nothing.

        Returns:
            Series of 4 to 12 numbers and what is to be estimated, float32 (N,), and sizes for `build`.
        """
        rng = np.random.default_rng(seed)
        series = [rng.normal(size=(int(rng.integers(4, 13)), 1)).astype(np.float32) for _ in range(examples)]
        targets = np.asarray([steps[-1, 0] - steps[0, 0] for steps in series], dtype=np.float32)
        return from_sequences(series, targets), {"features": 1}
