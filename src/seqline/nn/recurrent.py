"""Stacked recurrent layers in one or two directions, over padded sequences of unequal lengths.

A layer of two directions is two one-direction cells: the second reads each sequence reversed within its own
length, by a gather, and its states are gathered back. So padding always comes after the real steps, for
both of them.

Legend: B batch, T steps, E input features, H hidden, F output features = H * directions.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from seqline.nn.alignment import reversal_index, take_steps
from seqline.nn.cells import CELLS
from seqline.nn.dropout import FeatureDropout


class Recurrent(nn.Module):
    """A stack of recurrent layers.

    Args:
        cell: A key of `seqline.nn.cells.CELLS`.
        nonlinearity: Of cell rnn, a key of `NONLINEARITIES`; tanh for the others.
        input_size: E.
        hidden_size: H, of each direction.
        num_layers: At least 1; each layer reads all features of the one below.
        bidirectional: Whether a second cell reads each sequence from its end.
        layer_dropout: Rate between layers, one mask of features for all steps.

    Raises:
        KeyError: For an unknown cell.
        ValueError: For a nonlinearity that the cell does not have.

    Source: Schuster and Paliwal, "Bidirectional recurrent neural networks", 1997.
    """

    def __init__(
        self,
        *,
        cell: str,
        nonlinearity: str,
        input_size: int,
        hidden_size: int,
        num_layers: int,
        bidirectional: bool,
        layer_dropout: float,
    ) -> None:
        super().__init__()
        self.directions = 2 if bidirectional else 1
        self.output_size = hidden_size * self.directions
        layer_sizes = [input_size] + [self.output_size] * (num_layers - 1)

        def cells() -> nn.ModuleList:
            return nn.ModuleList(
                CELLS[cell](input_size=size, hidden_size=hidden_size, nonlinearity=nonlinearity)
                for size in layer_sizes
            )

        self.forward_cells = cells()
        self.reverse_cells = cells() if bidirectional else nn.ModuleList()
        self.layer_dropout = FeatureDropout(rate=layer_dropout)

    def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
        """Read a left-aligned batch.

        Args:
            inputs: float (B, T, E); the padding after the real steps may hold any finite numbers.
            lengths: int64 (B,), at least 1 and at most T.

        Returns:
            States (B, T, F): the forward direction's features first, then the reverse direction's, both at
            the step they belong to. What stands in the padding means nothing.
        """
        index = reversal_index(lengths, inputs.shape[1]) if self.reverse_cells else None
        states = inputs
        for layer, forward_cell in enumerate(self.forward_cells):
            if layer > 0:
                states = self.layer_dropout(states)
            forward_states = forward_cell(states)
            if index is None:
                states = forward_states
                continue
            reverse_states = self.reverse_cells[layer](take_steps(states, index))
            states = torch.cat([forward_states, take_steps(reverse_states, index)], dim=-1)
        return states
