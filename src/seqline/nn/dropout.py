"""Dropout for sequences: of features, the same ones at every step, and of whole steps.

Ordinary dropout draws a new mask at each step, and the noise adds up along the sequence. Both kinds here do
nothing in evaluation mode and at rate 0.

Legend: B batch, T steps, D features.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class FeatureDropout(nn.Module):
    """Zero some features of a sequence at all of its steps, and scale the others by 1 / (1 - rate).

    Args:
        rate: Chance of dropping a feature, in [0, 1); 0 turns it off.

    Source: Gal and Ghahramani, "A theoretically grounded application of dropout in recurrent neural
        networks", 2016.
    """

    def __init__(self, *, rate: float) -> None:
        super().__init__()
        self.rate = _checked(rate)

    def forward(self, values: Tensor) -> Tensor:
        """Drop features of float (B, T, D); the mask is (B, 1, D)."""
        if not self.training or self.rate == 0:
            return values
        kept = values.new_empty(values.shape[0], 1, values.shape[2]).bernoulli_(1 - self.rate)
        return values * kept.div_(1 - self.rate)

    def extra_repr(self) -> str:
        """Show the rate when printed."""
        return f"rate={self.rate}"


class StepDropout(nn.Module):
    """Zero whole real steps ("word dropout"), so that no single word decides.

    The remaining steps keep their scale: a zero vector stands for a missing word, it does not make others
    louder. A sequence is never emptied: where every step would go, all of them stay, because no answer can
    be learnt from nothing.

    Args:
        rate: Chance of dropping a step, in [0, 1); 0 turns it off.

    Source: Iyyer et al., "Deep unordered composition rivals syntactic methods for text classification", 2015.
    """

    def __init__(self, *, rate: float) -> None:
        super().__init__()
        self.rate = _checked(rate)

    def forward(self, values: Tensor, mask: Tensor) -> Tensor:
        """Drop steps of float (B, T, D).

        Args:
            values: float (B, T, D).
            mask: bool (B, T), True = real step. Padding is left as it is.
        """
        if not self.training or self.rate == 0:
            return values
        dropped = (torch.rand(mask.shape, device=mask.device) < self.rate) & mask
        emptied = (dropped == mask).all(dim=1, keepdim=True)
        return values.masked_fill((dropped & ~emptied).unsqueeze(-1), 0.0)

    def extra_repr(self) -> str:
        """Show the rate when printed."""
        return f"rate={self.rate}"


def _checked(rate: float) -> float:
    if not 0 <= rate < 1:
        raise ValueError(f"dropout rate {rate} is not in [0, 1)")
    return rate
