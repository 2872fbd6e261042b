"""Reading on from a state: one step at a time, in pieces, or rows of different lengths, with one answer."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from seqline.nn.recurrent import Recurrent

B, T, E, H = 4, 11, 5, 6
LENGTHS = torch.tensor([11, 3, 3, 8])
EVERY_CELL = [
    ("lstm", "tanh"),
    ("gru", "tanh"),
    *(("rnn", f) for f in ("tanh", "relu", "leaky_relu", "sigmoid")),
]
every_cell = pytest.mark.parametrize(("cell", "nonlinearity"), EVERY_CELL)


def build(cell: str, nonlinearity: str, *, bidirectional: bool = False) -> Recurrent:
    stack = Recurrent(
        cell=cell,
        nonlinearity=nonlinearity,
        input_size=E,
        hidden_size=H,
        num_layers=2,
        bidirectional=bidirectional,
        layer_dropout=0.0,
    )
    for parameter in stack.parameters():
        nn.init.normal_(parameter, std=0.4)
    return stack


def streamed(stack: Recurrent, inputs: Tensor) -> tuple[Tensor, Tensor]:
    state, outputs = stack.initial_state(B), []
    for step in inputs.unbind(1):
        output, state = stack.step(step, state)
        outputs.append(output)
    return torch.stack(outputs, dim=1), state


@every_cell
def test_a_stream_of_single_steps_equals_the_batch(cell: str, nonlinearity: str) -> None:
    stack, inputs = build(cell, nonlinearity), torch.randn(B, T, E)
    outputs, state = streamed(stack, inputs)
    torch.testing.assert_close(outputs, stack(inputs, torch.full((B,), T)), rtol=0, atol=1e-5)
    whole, last = stack.read(inputs, stack.initial_state(B))
    torch.testing.assert_close(outputs, whole, rtol=0, atol=1e-5)
    torch.testing.assert_close(state, last, rtol=0, atol=1e-5)


@every_cell
def test_pieces_with_a_carried_state_equal_the_whole_with_gradients(cell: str, nonlinearity: str) -> None:
    stack, inputs = build(cell, nonlinearity).double(), torch.randn(B, T, E).double()
    first, state = stack.read(inputs[:, :4], stack.initial_state(B))
    second, state = stack.read(inputs[:, 4:], state)
    whole = stack(inputs, torch.full((B,), T))
    torch.testing.assert_close(torch.cat([first, second], dim=1), whole, rtol=0, atol=1e-12)
    weights = list(stack.parameters())
    found = torch.autograd.grad(torch.cat([first, second], dim=1).square().sum(), weights)
    expected = torch.autograd.grad(whole.square().sum(), weights)
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)


@every_cell
def test_a_ragged_row_ends_in_the_state_of_its_own_last_step(cell: str, nonlinearity: str) -> None:
    stack, inputs = build(cell, nonlinearity), torch.randn(B, T, E)
    before = torch.randn_like(stack.initial_state(B))
    states, after = stack.read_ragged(inputs, LENGTHS, before)
    for row, length in enumerate(LENGTHS.tolist()):
        alone, last = stack.read(inputs[row : row + 1, :length], before[:, :, row : row + 1])
        torch.testing.assert_close(states[row : row + 1, :length], alone, rtol=0, atol=1e-5)
        torch.testing.assert_close(after[:, :, row : row + 1], last, rtol=0, atol=1e-5)


def test_the_state_after_a_ragged_read_keeps_the_padding_out() -> None:
    stack, inputs = build("lstm", "tanh"), torch.randn(B, T + 3, E)
    junk = inputs.clone()
    junk[torch.arange(T + 3) >= LENGTHS.unsqueeze(1)] = 1e6
    clean = stack.read_ragged(inputs, LENGTHS, stack.initial_state(B))
    assert clean[0].shape == (B, T + 3, H)
    torch.testing.assert_close(
        stack.read_ragged(junk, LENGTHS, stack.initial_state(B)), clean, rtol=0, atol=0
    )


def test_two_directions_have_no_state_to_go_on_from() -> None:
    stack = build("gru", "tanh", bidirectional=True)
    with pytest.raises(ValueError, match="bidirectional"):
        stack.initial_state(B)
    with pytest.raises(ValueError, match="bidirectional"):
        stack.step(torch.randn(B, E), torch.zeros(2, 1, B, H))


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_bf16_reads_on_from_a_state(cell: str) -> None:
    stack, inputs = build(cell, "tanh"), torch.randn(B, T, E)
    whole = stack(inputs, torch.full((B,), T))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        first, state = stack.read(inputs[:, :4], stack.initial_state(B))
        second, _ = stack.read(inputs[:, 4:], state)
    torch.testing.assert_close(torch.cat([first, second], dim=1).float(), whole, rtol=0, atol=0.05)
