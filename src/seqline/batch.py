"""The one type that passes between data, networks, training, evaluation and serving.

Legend: B batch, T steps, D features, U steps of a target.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

PADDING_ID = 0
UNKNOWN_ID = 1
BEGIN_ID = 2
END_ID = 3
# A step of the targets that is none: what torch's losses leave out.
IGNORED = -100


@dataclass(frozen=True)
class SequenceBatch:
    """A batch of sequences, padded to one width.

    Attributes:
        inputs: int64 (B, T) token ids, or float32 (B, T, D) feature vectors.
        lengths: int64 (B,), each at least 1: the number of real steps.
        mask: bool (B, T), **True = real step**. Padding may stand after the real steps or before them.
        targets: What the task predicts; None when there is nothing to learn from. int64 (B,) for a label, float32 (B,) for
            a number, int64 (B, T) for tags with `IGNORED` where the step is padding, int64 (B, U) token ids for a sequence,
            ended by `END_ID` and padded by `PADDING_ID`, float32 (B, H) for future values.
        extras: Further tensors by name, B first.
    """

    inputs: torch.Tensor
    lengths: torch.Tensor
    mask: torch.Tensor
    targets: torch.Tensor | None = None
    extras: Mapping[str, torch.Tensor] = field(default_factory=dict)

    def to(self, device: torch.device) -> SequenceBatch:
        """The same batch on a device."""
        return SequenceBatch(
            inputs=self.inputs.to(device),
            lengths=self.lengths.to(device),
            mask=self.mask.to(device),
            targets=None if self.targets is None else self.targets.to(device),
            extras={name: tensor.to(device) for name, tensor in self.extras.items()},
        )
