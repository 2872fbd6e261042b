"""Classification, many-to-one: a sequence gets one of C labels.

Legend: B batch, N examples, C classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional as F

from seqline.batch import SequenceBatch
from seqline.errors import InputError
from seqline.evaluation.metrics import METRICS
from seqline.nn.classifier import SequenceClassifier
from seqline.recipe import ModelSection, TargetSection


class Classification:
    """The verbs of classification; it keeps no state."""

    def target_index(self, value: Any, target: TargetSection) -> int:
        """Class index of a label; a label that is not text (7, true) counts as its text form.

        Raises:
            InputError: The label is not among the recipe's classes.
        """
        label = value if isinstance(value, str) else str(value)
        try:
            return target.classes.index(label)
        except ValueError:
            raise InputError(
                f"column {target.column!r}", f"label {label!r}", f"one of {', '.join(target.classes)}"
            ) from None

    def build(self, model: ModelSection, sizes: Mapping[str, int]) -> torch.nn.Module:
        """A recurrent classifier.

        Args:
            model: The recipe's `model` section.
            sizes: `vocab_size` and `num_classes`.
        """
        settings: dict[str, Any] = {**sizes, **model.model_dump()}
        return SequenceClassifier(**settings)

    def class_weights(self, targets: npt.NDArray[np.int64], num_classes: int) -> torch.Tensor:
        """Weights that give each class the same say: N / (C * n_c), float32 (C,); absent classes get 0."""
        counts = np.bincount(targets, minlength=num_classes)
        weights = np.divide(len(targets), num_classes * counts, out=np.zeros(num_classes), where=counts > 0)
        return torch.from_numpy(weights.astype(np.float32))

    def loss(
        self,
        logits: torch.Tensor,
        batch: SequenceBatch,
        *,
        class_weights: torch.Tensor | None = None,
        label_smoothing: float = 0.0,
    ) -> torch.Tensor:
        """Cross-entropy in nats, mean over the batch.

        Args:
            logits: float (B, C).
            batch: Its `targets` are int64 (B,).
            class_weights: float32 (C,), or None.
            label_smoothing: Share of the probability spread over all classes.
        """
        if batch.targets is None:
            raise ValueError("a loss needs targets")
        weight = None if class_weights is None else class_weights.to(logits.device)
        return F.cross_entropy(logits.float(), batch.targets, weight=weight, label_smoothing=label_smoothing)

    def probabilities(self, logits: torch.Tensor) -> torch.Tensor:
        """Softmax in float32, (B, C)."""
        return torch.softmax(logits.float(), dim=-1)

    def score(self, logits: torch.Tensor, targets: torch.Tensor) -> dict[str, float]:
        """Loss (nats), accuracy and macro-F1 of a whole split.

        Args:
            logits: float (N, C).
            targets: int64 (N,).
        """
        probabilities = self.probabilities(logits.detach()).cpu().numpy().astype(np.float64)
        truth = targets.cpu().numpy()
        return {
            "loss": METRICS["log_loss"].function(probabilities, truth),
            "accuracy": METRICS["accuracy"].function(probabilities, truth),
            "macro_f1": METRICS["macro_f1"].function(probabilities, truth),
        }

    def toy(
        self, *, examples: int, seed: int
    ) -> tuple[list[npt.NDArray[np.int64]], npt.NDArray[np.int64], dict[str, int]]:
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
        return sequences, np.asarray(targets, dtype=np.int64), {"vocab_size": 10, "num_classes": 2}
