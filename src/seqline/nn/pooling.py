"""Pooling: from the states of a sequence to one vector, over its real steps only.

What stands in the padding and how wide it is never changes the answer. Half-precision states are pooled in
float32: a sum of hundreds of bf16 numbers would lose what the network learnt.

Legend: B batch, T steps, F state features (forward half first, then reverse half), P pooled features.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


def _at_least_float32(states: Tensor) -> Tensor:
    return states.to(torch.promote_types(states.dtype, torch.float32))


def _without_padding(states: Tensor, mask: Tensor) -> Tensor:
    # Not a product with the mask: an unbounded cell may overflow in the padding, and 0 * inf is NaN.
    return states.masked_fill(~mask.unsqueeze(-1), 0.0)


def _max_over_steps(silent: Tensor, mask: Tensor) -> Tensor:
    barrier = torch.zeros_like(mask, dtype=silent.dtype).masked_fill_(~mask, -torch.inf)
    # max, not amax: its gradient goes to one step by index instead of comparing all of them again.
    return _at_least_float32((silent + barrier.unsqueeze(-1)).max(dim=1).values)


def _mean_over_steps(silent: Tensor, lengths: Tensor) -> Tensor:
    total = silent.sum(dim=1, dtype=torch.promote_types(silent.dtype, torch.float32))
    return total / lengths.unsqueeze(1)


class Pooling(nn.Module):
    """What the poolings share: how they are made and how wide their answer is.

    Args:
        input_size: F.
        directions: 1 or 2, the halves of F.
    """

    output_size: int

    def __init__(self, *, input_size: int, directions: int) -> None:
        super().__init__()
        self.directions = directions
        self.output_size = input_size


class LastPooling(Pooling):
    """The state that has read the whole sequence.

    The forward half is taken at the last real step, the reverse half at step 0, where the reverse direction
    ends.
    """

    def forward(self, states: Tensor, lengths: Tensor, mask: Tensor) -> Tensor:
        """Pool states (B, T, F), lengths int64 (B,), mask bool (B, T), True = real step, to (B, F)."""
        rows = torch.arange(states.shape[0], device=states.device)
        forward_size = states.shape[2] // self.directions
        last = states[rows, lengths - 1, :forward_size]
        first = states[:, 0, forward_size:]
        return _at_least_float32(torch.cat([last, first], dim=-1))


class MaxPooling(Pooling):
    """The largest value of each feature; of equal ones, one takes the gradient.

    Source: Conneau et al., "Supervised learning of universal sentence representations", 2017.
    """

    def forward(self, states: Tensor, lengths: Tensor, mask: Tensor) -> Tensor:
        """Pool states (B, T, F), lengths int64 (B,), mask bool (B, T), True = real step, to (B, F)."""
        return _max_over_steps(_without_padding(states, mask), mask)


class MeanPooling(Pooling):
    """The mean of each feature: the sum over real steps, divided by their number."""

    def forward(self, states: Tensor, lengths: Tensor, mask: Tensor) -> Tensor:
        """Pool states (B, T, F), lengths int64 (B,), mask bool (B, T), True = real step, to (B, F)."""
        return _mean_over_steps(_without_padding(states, mask), lengths)


class MaxMeanPooling(Pooling):
    """The maxima, then the means.

    Source: Howard and Ruder, "Universal language model fine-tuning for text classification", 2018 ("concat
        pooling", there with the last state too).
    """

    def __init__(self, *, input_size: int, directions: int) -> None:
        super().__init__(input_size=input_size, directions=directions)
        self.output_size = 2 * input_size

    def forward(self, states: Tensor, lengths: Tensor, mask: Tensor) -> Tensor:
        """Pool states (B, T, F), lengths int64 (B,), mask bool (B, T), True = real step, to (B, 2 F)."""
        silent = _without_padding(states, mask)
        return torch.cat([_max_over_steps(silent, mask), _mean_over_steps(silent, lengths)], dim=-1)


class AttentionPooling(Pooling):
    """A weighted mean whose weights the network learns: softmax over real steps of v . tanh(W h_t + b).

    The hidden layer that scores a step has F units.

    Source: Bahdanau et al., "Neural machine translation by jointly learning to align and translate", 2015
        (the score); Yang et al., "Hierarchical attention networks for document classification", 2016 (with
        a learnt query).
    """

    def __init__(self, *, input_size: int, directions: int) -> None:
        super().__init__(input_size=input_size, directions=directions)
        self.hidden = nn.Linear(input_size, input_size)
        self.query = nn.Linear(input_size, 1, bias=False)  # softmax would cancel a bias
        nn.init.xavier_uniform_(self.hidden.weight)
        nn.init.zeros_(self.hidden.bias)
        nn.init.xavier_uniform_(self.query.weight)

    def weights(self, states: Tensor, mask: Tensor) -> Tensor:
        """How much each step counts: float (B, T), 0 on padding, 1 in sum over each sequence."""
        scores = _at_least_float32(self.query(torch.tanh(self.hidden(states))).squeeze(-1))
        return scores.masked_fill(~mask, -torch.inf).softmax(dim=1)

    def forward(self, states: Tensor, lengths: Tensor, mask: Tensor) -> Tensor:
        """Pool states (B, T, F), lengths int64 (B,), mask bool (B, T), True = real step, to (B, F)."""
        silent = _without_padding(states, mask)
        weights = self.weights(silent, mask)
        with torch.autocast(states.device.type, enabled=False):  # it would round the weights to bf16
            return torch.bmm(weights.unsqueeze(1), _at_least_float32(silent)).squeeze(1)


POOLINGS: dict[str, type[Pooling]] = {
    "last": LastPooling,
    "max": MaxPooling,
    "mean": MeanPooling,
    "max_mean": MaxMeanPooling,
    "attention": AttentionPooling,
}
