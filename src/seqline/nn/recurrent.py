"""Stacked recurrent layers in one or two directions, over padded sequences of unequal lengths.

A layer of two directions is two one-direction cells: the second reads each sequence reversed within its own
length, by a gather, and its states are gathered back. So padding always comes after the real steps, for
both of them.

One direction can also go on from a state: `read` a batch, `step` one time step, `read_ragged` prompts of
different lengths.

Legend: B batch, T steps, E input features, H hidden, F output features = H * directions, L layers, S parts of
a cell's state.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from seqline.nn.alignment import reversal_index, take_steps
from seqline.nn.cells import CELLS, Cell
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

    def initial_state(self, batch_size: int) -> Tensor:
        """Zero states of one direction for B rows: float32 (L, S, B, H), S as in `seqline.nn.cells`."""
        cell = self._readable()[0]
        shape = (len(self.forward_cells), cell.state_parts, batch_size, cell.hidden_size)
        return next(self.parameters()).new_zeros(shape)

    def read(self, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Go on reading from a state; one direction only.

        Args:
            inputs: float (B, T, E), every step real: padding would be read into the state (see `read_ragged`).
            state: float (L, S, B, H).

        Returns:
            States (B, T, F) and the state after step T, (L, S, B, H).

        Raises:
            ValueError: The stack has two directions: the second one would need what comes later.
        """
        states, after = inputs, []
        for layer, (cell, before) in enumerate(zip(self._readable(), state.unbind(0), strict=True)):
            if layer > 0:
                states = self.layer_dropout(states)
            states, last = cell.read(states, before)
            after.append(last)
        return states, torch.stack(after)

    def step(self, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Read one time step of each row; one direction only.

        Args:
            inputs: float (B, E).
            state: float (L, S, B, H).

        Returns:
            The top layer's output (B, F) and the state after the step.
        """
        output, after = inputs, []
        for layer, (cell, before) in enumerate(zip(self._readable(), state.unbind(0), strict=True)):
            if layer > 0:
                output = self.layer_dropout(output.unsqueeze(1)).squeeze(1)
            output, last = cell.step(output, before)
            after.append(last)
        return output, torch.stack(after)

    def read_ragged(self, inputs: Tensor, lengths: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Like `read`, for rows of different lengths: each row's state is the one after its last real step.

        The rows are read together up to the shortest length, then those that are longer up to the next, so that
        no padding is ever read.

        Args:
            inputs: float (B, T, E), left-aligned.
            lengths: int64 (B,), at least 1.
            state: float (L, S, B, H).

        Returns:
            States (B, T, F), zero in the padding, and states (L, S, B, H).
        """
        pieces, after, start = [], state, 0
        for end in sorted(set(lengths.tolist())):
            rows = (lengths >= end).nonzero().squeeze(1)
            states, piece_state = self.read(inputs[rows, start:end], after[:, :, rows])
            piece = states.new_zeros(inputs.shape[0], end - start, self.output_size)
            pieces.append(piece.index_copy(0, rows, states))
            after = after.to(piece_state.dtype).index_copy(2, rows, piece_state)
            start = end
        if start < inputs.shape[1]:
            pieces.append(pieces[0].new_zeros(inputs.shape[0], inputs.shape[1] - start, self.output_size))
        return torch.cat(pieces, dim=1), after

    def _readable(self) -> list[Cell]:
        if self.reverse_cells:
            raise ValueError("a bidirectional stack has no state to go on from: it needs the steps to come")
        return cast("list[Cell]", list(self.forward_cells))
