"""One-direction recurrent cells: what turns a sequence of vectors into a sequence of states.

Each cell reads a left-aligned, padded batch and starts from zero states. It is causal: what stands in the
padding after the real steps cannot reach them, so no cell knows lengths or masks. LSTM, GRU and the tanh
and relu RNN run torch's own layers (LSTM has oneDNN kernels on CPU, bf16 ones under autocast); other
nonlinearities run a loop.

Every cell reads in three ways, with one answer: `forward` a whole batch from zero states; `read` a batch from a
given state, which also gives the state after it; `step` one time step, several times as fast as a batch of one.
A state is one tensor (S, B, H), so that it can be stored, reordered and set to zero without knowing the cell:
S is the cell's `state_parts`, 1 (h) or 2 (h and c).

Initialisation, the same for every cell: orthogonal recurrent weights for each gate (Saxe et al., 2014),
Xavier-uniform input weights for each gate (Glorot and Bengio, 2010), zero biases. Exceptions are stated at
the cell.

Legend: B batch, T steps, E input features, H hidden, S parts of a state.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Cell(Protocol):
    """What `CELLS` promises beside being an `nn.Module`.

    Attributes:
        hidden_size: H.
        state_parts: S, 1 (h) or 2 (h and c).
    """

    hidden_size: int
    state_parts: int

    def __call__(self, inputs: Tensor) -> Tensor:
        """Read float (B, T, E) from zero states: states (B, T, H)."""
        ...

    def read(self, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Read float (B, T, E) from state (S, B, H): states (B, T, H) and the state after step T, (S, B, H)."""
        ...

    def step(self, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Read one step, float (B, E), from state (S, B, H): its output (B, H) and the state after it."""
        ...


def initialise(layer: nn.Module, *, gates: int) -> None:
    """Fill a layer's weights and biases in place, gate by gate.

    A matrix of all gates at once would be orthogonal only as a whole, and its Xavier bound too small.

    Args:
        layer: Holds weight_ih* (gates * H, E), weight_hh* (gates * H, H) and bias* under torch's names.
        gates: Number of gates stacked in the rows.

    Source: Saxe et al., "Exact solutions to the nonlinear dynamics of learning in deep linear networks",
        2014; Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural
        networks", 2010.
    """
    for name, parameter in layer.named_parameters():
        if name.startswith("bias"):
            nn.init.zeros_(parameter)
            continue
        fill = nn.init.orthogonal_ if name.startswith("weight_hh") else nn.init.xavier_uniform_
        for block in parameter.chunk(gates):
            fill(block)


class ElmanLoop(nn.Module):
    """h_t = f(W_ih x_t + W_hh h_{t-1} + b) for any nonlinearity f, one step after the other.

    Args:
        input_size: E.
        hidden_size: H.
        nonlinearity: A key of `NONLINEARITIES`.

    Source: Elman, "Finding structure in time", 1990.
    """

    def __init__(self, *, input_size: int, hidden_size: int, nonlinearity: str) -> None:
        super().__init__()
        self.nonlinearity = nonlinearity
        self.weight_ih_l0 = nn.Parameter(torch.empty(hidden_size, input_size))
        self.weight_hh_l0 = nn.Parameter(torch.empty(hidden_size, hidden_size))
        self.bias_ih_l0 = nn.Parameter(torch.zeros(hidden_size))

    def forward(self, inputs: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Read a batch from left to right.

        Args:
            inputs: float (B, T, E), T at least 1.
            state: h before the first step, (1, B, H); None for zeros.

        Returns:
            All states (B, T, H) and the last one (1, B, H), as torch's own layers give them.
        """
        activation = NONLINEARITIES[self.nonlinearity]
        projected = F.linear(inputs, self.weight_ih_l0, self.bias_ih_l0)
        recurrent_weight = self.weight_hh_l0.t()
        h = projected.new_zeros(projected.shape[0], projected.shape[2]) if state is None else state[0]
        states = []
        # unbind, not projected[:, t]: the gradient of each index is as large as the whole, quadratic in T.
        for step in projected.unbind(1):
            h = activation(torch.addmm(step, h, recurrent_weight))
            states.append(h)
        return torch.stack(states, dim=1), h.unsqueeze(0)


class RNN(nn.Module):
    """The plain recurrent cell: h_t = f(W_ih x_t + W_hh h_{t-1} + b).

    With relu and leaky_relu the recurrent weights start as the identity: states are then kept, not rotated,
    and the gradient passes unchanged through every active step. Their states have no upper bound, so long
    inputs need gradient clipping.

    Args:
        input_size: E.
        hidden_size: H.
        nonlinearity: f, a key of `NONLINEARITIES`; tanh and relu run torch's layer, others `ElmanLoop`.

    Raises:
        ValueError: For an unknown nonlinearity.

    Source: Elman, "Finding structure in time", 1990; Le, Jaitly and Hinton, "A simple way to initialize
        recurrent networks of rectified linear units", 2015.
    """

    def __init__(self, *, input_size: int, hidden_size: int, nonlinearity: str = "tanh") -> None:
        super().__init__()
        self.hidden_size, self.state_parts = hidden_size, 1
        self.nonlinearity = nonlinearity
        if nonlinearity not in NONLINEARITIES:
            raise ValueError(
                f"nonlinearity {nonlinearity!r} of cell rnn is none of {', '.join(NONLINEARITIES)}"
            )
        self.layer: nn.Module
        if nonlinearity in {"tanh", "relu"}:
            self.layer = nn.RNN(input_size, hidden_size, nonlinearity=nonlinearity, batch_first=True)
        else:
            self.layer = ElmanLoop(input_size=input_size, hidden_size=hidden_size, nonlinearity=nonlinearity)
        initialise(self.layer, gates=1)
        if nonlinearity in {"relu", "leaky_relu"}:
            nn.init.eye_(self.layer.get_parameter("weight_hh_l0"))

    def forward(self, inputs: Tensor) -> Tensor:
        """Read a batch from left to right: float (B, T, E) to states (B, T, H)."""
        states, _ = self.layer(inputs)
        return states

    def read(self, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Read a batch from a state, see `Cell.read`."""
        states, state = self.layer(inputs, state)
        return states, state

    def step(self, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Read one time step, see `Cell.step`."""
        layer = self.layer
        input_bias = layer.get_parameter("bias_ih_l0")
        projected = F.linear(inputs, layer.get_parameter("weight_ih_l0"), input_bias)
        recurrent_bias = None if isinstance(layer, ElmanLoop) else layer.get_parameter("bias_hh_l0")
        projected = projected + F.linear(state[0], layer.get_parameter("weight_hh_l0"), recurrent_bias)
        h = NONLINEARITIES[self.nonlinearity](projected)
        return h, h.unsqueeze(0)


class LSTM(nn.Module):
    """Long short-term memory with input, forget and output gates, no peepholes.

    The forget gate's bias starts at 1, so that a new network remembers. torch adds two bias vectors; one
    holds the 1, the other 0, because 1 in both would be 2.

    Args:
        input_size: E.
        hidden_size: H.
        nonlinearity: Only tanh.

    Raises:
        ValueError: For another nonlinearity.

    Source: Hochreiter and Schmidhuber, "Long short-term memory", 1997; Gers et al., "Learning to forget",
        2000; Jozefowicz et al., "An empirical exploration of recurrent network architectures", 2015 (the
        bias of 1).
    """

    def __init__(self, *, input_size: int, hidden_size: int, nonlinearity: str = "tanh") -> None:
        super().__init__()
        _refuse_nonlinearity("lstm", nonlinearity)
        self.hidden_size, self.state_parts = hidden_size, 2
        self.layer = nn.LSTM(input_size, hidden_size, batch_first=True)
        initialise(self.layer, gates=4)
        # torch's order of gates: input, forget, cell, output
        _, forget_bias, _, _ = self.layer.get_parameter("bias_ih_l0").chunk(4)
        nn.init.ones_(forget_bias)

    def forward(self, inputs: Tensor) -> Tensor:
        """Read a batch from left to right: float (B, T, E) to states (B, T, H)."""
        states, _ = self.layer(inputs)
        return states

    def read(self, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Read a batch from a state (h and c), see `Cell.read`."""
        states, (h_n, c_n) = self.layer(inputs, (state[:1].contiguous(), state[1:].contiguous()))
        return states, torch.cat([h_n, c_n])

    def step(self, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Read one time step, see `Cell.step`."""
        h, c = torch.lstm_cell(inputs, [state[0], state[1]], *_weights(self.layer))
        return h, torch.stack([h, c])


class GRU(nn.Module):
    """Gated recurrent unit in cuDNN's form: the reset gate acts after the recurrent product.

    Args:
        input_size: E.
        hidden_size: H.
        nonlinearity: Only tanh.

    Raises:
        ValueError: For another nonlinearity.

    Source: Cho et al., "Learning phrase representations using RNN encoder-decoder", 2014 (version 3,
        footnote on the place of the reset gate).
    """

    def __init__(self, *, input_size: int, hidden_size: int, nonlinearity: str = "tanh") -> None:
        super().__init__()
        _refuse_nonlinearity("gru", nonlinearity)
        self.hidden_size, self.state_parts = hidden_size, 1
        self.layer = nn.GRU(input_size, hidden_size, batch_first=True)
        initialise(self.layer, gates=3)

    def forward(self, inputs: Tensor) -> Tensor:
        """Read a batch from left to right: float (B, T, E) to states (B, T, H)."""
        states, _ = self.layer(inputs)
        return states

    def read(self, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Read a batch from a state, see `Cell.read`."""
        states, state = self.layer(inputs, state)
        return states, state

    def step(self, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Read one time step, see `Cell.step`."""
        h = torch.gru_cell(inputs, state[0], *_weights(self.layer))
        return h, h.unsqueeze(0)


def _weights(layer: nn.Module) -> tuple[Tensor, ...]:
    names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    return tuple(layer.get_parameter(name) for name in names)


def _refuse_nonlinearity(cell: str, nonlinearity: str) -> None:
    if nonlinearity != "tanh":
        raise ValueError(f"nonlinearity {nonlinearity!r} acts on cell rnn only; cell {cell} has tanh")


NONLINEARITIES: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": torch.tanh,
    "relu": torch.relu,
    "leaky_relu": F.leaky_relu,
    "sigmoid": torch.sigmoid,
}

CELLS: dict[str, type[nn.Module]] = {"rnn": RNN, "lstm": LSTM, "gru": GRU}
