"""The contract of a task: the verbs that stages, gate, server and command line call without asking which task it is.

Legend: B batch, N examples, C classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from seqline.recipe import ModelSection, TargetSection

if TYPE_CHECKING:
    import torch

    from seqline.batch import SequenceBatch


class Task(Protocol):
    """One kind of prediction."""

    def target_index(self, value: Any, target: TargetSection) -> int:
        """The number a network learns for a row's target; `InputError` for a value outside the contract."""
        ...

    def build(self, model: ModelSection, sizes: Mapping[str, int]) -> torch.nn.Module:
        """The network; forward takes a `SequenceBatch` and gives logits."""
        ...

    def loss(
        self,
        logits: torch.Tensor,
        batch: SequenceBatch,
        *,
        class_weights: torch.Tensor | None = None,
        label_smoothing: float = 0.0,
    ) -> torch.Tensor:
        """Mean loss over the examples of a batch."""
        ...

    def class_weights(self, targets: npt.NDArray[np.int64], num_classes: int) -> torch.Tensor:
        """Weights that give each class the same say, float32 (C,)."""
        ...

    def probabilities(self, logits: torch.Tensor) -> torch.Tensor:
        """Float32 probabilities, same shape as the logits."""
        ...

    def score(self, logits: torch.Tensor, targets: torch.Tensor) -> dict[str, float]:
        """Validation figures by name; `loss` is among them."""
        ...

    def toy(
        self, *, examples: int, seed: int
    ) -> tuple[list[npt.NDArray[np.int64]], npt.NDArray[np.int64], dict[str, int]]:
        """A small problem with a known answer: sequences, targets and sizes for `build`."""
        ...


def sizes_of(vocab_size: int, target: TargetSection) -> dict[str, int]:
    """Sizes that the data decides."""
    return {"vocab_size": vocab_size, "num_classes": len(target.classes)}
