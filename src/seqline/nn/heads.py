"""Heads: from the features of a sequence to what the task predicts.

Legend: B batch, P pooled features, C classes.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from seqline.nn.cells import NONLINEARITIES


class ClassificationHead(nn.Module):
    """Dropout, a hidden layer if asked for, and one logit for each class.

    Args:
        input_size: P.
        num_classes: C, at least 2.
        head_size: Units of the hidden layer; 0 for none.
        head_activation: Of the hidden layer, a key of `seqline.nn.cells.NONLINEARITIES`.
        dropout: Rate on the pooled features, in [0, 1).

    Raises:
        KeyError: For an unknown activation.
    """

    def __init__(
        self, *, input_size: int, num_classes: int, head_size: int, head_activation: str, dropout: float
    ) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.activation: Callable[[Tensor], Tensor] = NONLINEARITIES[head_activation]
        self.hidden = nn.Linear(input_size, head_size) if head_size > 0 else None
        self.classes = nn.Linear(head_size or input_size, num_classes)
        for linear in (self.hidden, self.classes):
            if linear is not None:
                nn.init.xavier_uniform_(linear.weight)
                nn.init.zeros_(linear.bias)

    def forward(self, features: Tensor) -> Tensor:
        """Score features float (B, P): logits (B, C), not yet normalised."""
        features = self.dropout(features)
        if self.hidden is not None:
            features = self.activation(self.hidden(features))
        logits: Tensor = self.classes(features)
        return logits.to(torch.promote_types(logits.dtype, torch.float32))
