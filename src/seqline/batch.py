"""The one type that passes between data, networks, training, evaluation and serving.

Legend: B batch, T steps, D features.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class SequenceBatch:
    """A batch of sequences, padded to one width.

    Attributes:
        inputs: int64 (B, T) token ids, or float32 (B, T, D) feature vectors.
        lengths: int64 (B,), each at least 1: the number of real steps.
        mask: bool (B, T), **True = real step**. Padding may stand after the real steps or before them.
        targets: what the task predicts, int64 (B,) for classification; None when there is nothing to learn from.
    """

    inputs: torch.Tensor
    lengths: torch.Tensor
    mask: torch.Tensor
    targets: torch.Tensor | None = None

    def to(self, device: torch.device) -> SequenceBatch:
        """The same batch on a device."""
        return SequenceBatch(
            inputs=self.inputs.to(device),
            lengths=self.lengths.to(device),
            mask=self.mask.to(device),
            targets=None if self.targets is None else self.targets.to(device),
        )
