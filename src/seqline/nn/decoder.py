"""The attention decoder: a recurrent network that writes a sequence while it reads a memory.

At each step it takes the word before, moves its recurrent state on, looks into the memory with that state as
the query, and joins state and context to a readout, from which the next word is predicted. With input feeding
the readout of the step before is part of the input, so the decoder knows where it has looked already. That ties
each step to the one before it; without input feeding all steps of a known target run through one kernel call,
which trains about three times as fast on a CPU.

Legend: B batch, U target steps, T memory steps, E embedding, H units of a layer, S parts of a cell's state, M memory
features.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

import torch
from torch import Tensor, nn

from seqline.nn.attention import ATTENTIONS
from seqline.nn.cells import CELLS, Cell
from seqline.nn.dropout import FeatureDropout


@dataclass(frozen=True)
class DecoderState:
    """Where a decoder stands in each sequence of a batch.

    Attributes:
        cells: For each layer its state (S, B, H), as in `seqline.nn.cells`.
        feed: Readout of the step before, (B, E); zeros at the beginning.
        memory: float (B, T, M).
        keys: The memory as the attention's keys.
        mask: bool (B, T), True = real step of the memory.
    """

    cells: tuple[Tensor, ...]
    feed: Tensor
    memory: Tensor
    keys: Tensor
    mask: Tensor

    def select(self, rows: Tensor) -> DecoderState:
        """The state of some rows, int64 (R,), in that order; a row may be taken more than once."""
        return replace(
            self.follow(rows), memory=self.memory[rows], keys=self.keys[rows], mask=self.mask[rows]
        )

    def follow(self, rows: Tensor) -> DecoderState:
        """Like `select`, for rows that read the same memories as before: only what has moved is copied."""
        return replace(self, cells=tuple(cell[:, rows] for cell in self.cells), feed=self.feed[rows])


class AttentionDecoder(nn.Module):
    """Recurrent layers with attention over a memory, from embedded words to readouts.

    Args:
        cell: A key of `seqline.nn.cells.CELLS`.
        nonlinearity: Of cell rnn; tanh for the others.
        embedding_dim: E, of the words it takes and of the readouts it gives.
        hidden_size: H.
        num_layers: At least 1; the first state of each comes from the memory's summary.
        memory_size: M.
        summary_size: Features of the vector that the first states are made of.
        attention: A key of `seqline.nn.attention.ATTENTIONS`; its query is the top layer's state.
        input_feeding: Whether a step takes the readout of the step before.
        layer_dropout: Rate between layers; one mask for all steps, with input feeding a new one at each.

    Raises:
        KeyError: For an unknown cell or attention.
        ValueError: For sizes the attention cannot compare.

    Source: Luong, Pham and Manning, "Effective approaches to attention-based neural machine translation", 2015
        (readout and input feeding); Bahdanau et al., 2015 (first state from the encoder).
    """

    def __init__(
        self,
        *,
        cell: str,
        nonlinearity: str,
        embedding_dim: int,
        hidden_size: int,
        num_layers: int,
        memory_size: int,
        summary_size: int,
        attention: str,
        input_feeding: bool,
        layer_dropout: float,
    ) -> None:
        super().__init__()
        self.input_feeding = input_feeding
        first_size = 2 * embedding_dim if input_feeding else embedding_dim
        layer_sizes = [first_size] + [hidden_size] * (num_layers - 1)
        self.layers = nn.ModuleList(
            CELLS[cell](input_size=size, hidden_size=hidden_size, nonlinearity=nonlinearity)
            for size in layer_sizes
        )
        self.layer_dropout = FeatureDropout(rate=layer_dropout)
        parts = sum(cast(Cell, layer).state_parts for layer in self.layers)
        self.first_states = nn.Linear(summary_size, parts * hidden_size)
        self.attention = ATTENTIONS[attention](
            query_size=hidden_size, memory_size=memory_size, hidden_size=hidden_size
        )
        self.readout = nn.Linear(hidden_size + memory_size, embedding_dim)
        for linear in (self.first_states, self.readout):
            nn.init.xavier_uniform_(linear.weight)
            nn.init.zeros_(linear.bias)

    def begin(self, memory: Tensor, mask: Tensor, summary: Tensor) -> DecoderState:
        """The state before the first word.

        Args:
            memory: float (B, T, M), finite also in the padding.
            mask: bool (B, T), True = real step, at least one in each row.
            summary: float (B, S), what the first states are made of.
        """
        parts = [cast(Cell, layer).state_parts for layer in self.layers]
        first = torch.tanh(self.first_states(summary))
        # (B, parts * H) to one (S, B, H) for each layer
        stacked = first.unflatten(-1, (sum(parts), -1)).transpose(0, 1)
        feed = memory.new_zeros(memory.shape[0], self.readout.out_features)
        return DecoderState(stacked.split(parts), feed, memory, self.attention.keys(memory), mask)

    def step(self, embedded: Tensor, state: DecoderState) -> tuple[Tensor, Tensor, DecoderState]:
        """Take one word.

        Args:
            embedded: float (B, E), the word before.
            state: Where the decoder stands.

        Returns:
            Readout (B, E), attention weights float32 (B, T), and the state after the word.
        """
        values = torch.cat([embedded, state.feed.to(embedded.dtype)], -1) if self.input_feeding else embedded
        cells = []
        for index, layer in enumerate(self.layers):
            if index > 0:
                values = self.layer_dropout(values.unsqueeze(1)).squeeze(1)
            values = values.to(torch.promote_types(values.dtype, torch.float32))
            with torch.autocast(values.device.type, enabled=False):  # a fused cell wants one type for all
                values, after = cast(Cell, layer).step(values, state.cells[index].to(values.dtype))
            cells.append(after)
        readouts, weights = self._read(values.unsqueeze(1), state)
        readout = readouts.squeeze(1)
        return readout, weights.squeeze(1), replace(state, cells=tuple(cells), feed=readout)

    def forward(self, embedded: Tensor, state: DecoderState) -> tuple[Tensor, Tensor]:
        """Take all words of known targets.

        Args:
            embedded: float (B, U, E), the words before each step.
            state: What `begin` gave.

        Returns:
            Readouts (B, U, E) and attention weights float32 (B, U, T).
        """
        if not self.input_feeding:
            return self._read(self._all_states(embedded, state), state)
        readouts, weights = [], []
        # unbind, not embedded[:, u]: the gradient of each index is as large as the whole, quadratic in U.
        for word in embedded.unbind(1):
            readout, looked, state = self.step(word, state)
            readouts.append(readout)
            weights.append(looked)
        return torch.stack(readouts, dim=1), torch.stack(weights, dim=1)

    def _all_states(self, embedded: Tensor, state: DecoderState) -> Tensor:
        """The top layer's states (B, U, H) over known words."""
        values = embedded
        for index, layer in enumerate(self.layers):
            if index > 0:
                values = self.layer_dropout(values)
            values, _ = cast(Cell, layer).read(values, state.cells[index].to(values.dtype).contiguous())
        return values

    def _read(self, states: Tensor, state: DecoderState) -> tuple[Tensor, Tensor]:
        """Join states (B, U, H) with what they look at: readouts (B, U, E) and weights (B, U, T)."""
        contexts, weights = self.attention(states, state.keys, state.memory, state.mask)
        joined = torch.cat([states, contexts.to(states.dtype)], dim=-1)
        return torch.tanh(self.readout(joined)), weights
