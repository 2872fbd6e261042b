"""Decoders of a forecast: from the last state of a context to all steps of the horizon.

* direct: one linear layer for all steps;
* recurrent: a second network reads one segment of the horizon after the other, with its covariates known ahead;
* parallel: each segment of the horizon is one step from the encoder's last state, told apart by its place, so that errors
  do not add up along the horizon.

Legend: H horizon steps, E hidden, R rows that are read on their own, W numbers a step (quantiles of one channel or of all).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from seqline.nn.recurrent import Recurrent

_EMBEDDING_STD = 0.1


class DirectDecoder(nn.Module):
    """One linear layer from the last state (and all covariates known ahead) to every step of the horizon."""

    def __init__(
        self,
        *,
        horizon: int,
        width: int,
        future_size: int,
        segment: int,
        cell: str,
        nonlinearity: str,
        hidden_size: int,
        num_layers: int,
        dropout: float,
        layer_dropout: float,
    ) -> None:
        super().__init__()
        del segment, cell, nonlinearity, num_layers, layer_dropout
        self.reads_future = future_size > 0
        self.width = width
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(hidden_size + horizon * future_size, horizon * width)
        nn.init.xavier_uniform_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, last: Tensor, state: Tensor, who: Tensor, future: Tensor | None) -> Tensor:
        """Answer from the last state (R, E) and who it is (R, E): (R, H, width)."""
        del state
        features = self.dropout(last + who)
        if future is not None:
            features = torch.cat([features, future.flatten(1)], dim=1)
        steps: Tensor = self.head(features).view(len(last), -1, self.width)
        return steps


class SegmentDecoder(nn.Module):
    """The horizon segment by segment, each told its place and its covariates."""

    parallel = False

    def __init__(
        self,
        *,
        horizon: int,
        width: int,
        future_size: int,
        segment: int,
        cell: str,
        nonlinearity: str,
        hidden_size: int,
        num_layers: int,
        dropout: float,
        layer_dropout: float,
    ) -> None:
        super().__init__()
        self.reads_future = future_size > 0
        self.segment, self.width = segment, width
        self.places = nn.Parameter(torch.randn(horizon // segment, hidden_size) * _EMBEDDING_STD)
        self.covariates = nn.Linear(segment * future_size, hidden_size) if future_size else None
        self.recurrent = Recurrent(
            cell=cell,
            nonlinearity=nonlinearity,
            input_size=hidden_size,
            hidden_size=hidden_size,
            num_layers=num_layers,
            bidirectional=False,
            layer_dropout=layer_dropout,
        )
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(hidden_size, segment * width)
        nn.init.xavier_uniform_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, last: Tensor, state: Tensor, who: Tensor, future: Tensor | None) -> Tensor:
        """Answer from the encoder's state (layers, parts, R, E) and who it is (R, E): (R, H, width)."""
        del last
        rows, count = len(who), len(self.places)
        embedded = self.places.expand(rows, -1, -1) + who.unsqueeze(1)
        if future is not None and self.covariates is not None:
            embedded = embedded + self.covariates(future.reshape(rows, count, -1))
        if self.parallel:
            # Every segment is one step from the same state.
            embedded = embedded.reshape(rows * count, 1, -1)
            state = state.repeat_interleave(count, dim=2)
        states, _ = self.recurrent.read(embedded, state)
        steps: Tensor = self.head(self.dropout(states)).view(rows, count * self.segment, self.width)
        return steps


class ParallelDecoder(SegmentDecoder):
    """Each segment of the horizon is one step from the encoder's last state."""

    parallel = True


DECODERS: dict[str, type[DirectDecoder] | type[SegmentDecoder]] = {
    "direct": DirectDecoder,
    "recurrent": SegmentDecoder,
    "parallel": ParallelDecoder,
}
