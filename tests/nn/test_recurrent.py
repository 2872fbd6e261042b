from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from seqline.nn.cells import CELLS
from seqline.nn.recurrent import Recurrent

B, T, E, H = 5, 9, 4, 6
LENGTHS = torch.tensor([9, 1, 4, 8, 2])
MASK = torch.arange(T) < LENGTHS.unsqueeze(1)
EVERY_CELL = [
    ("lstm", "tanh"),
    ("gru", "tanh"),
    *(("rnn", f) for f in ("tanh", "relu", "leaky_relu", "sigmoid")),
]
TORCH_LAYERS = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}


def build(
    cell: str, nonlinearity: str, num_layers: int, bidirectional: bool, layer_dropout: float = 0.0
) -> Recurrent:
    return Recurrent(
        cell=cell,
        nonlinearity=nonlinearity,
        input_size=E,
        hidden_size=H,
        num_layers=num_layers,
        bidirectional=bidirectional,
        layer_dropout=layer_dropout,
    )


def torch_twin(
    stack: Recurrent, cell: str, nonlinearity: str, num_layers: int, bidirectional: bool
) -> nn.Module:
    options = {"nonlinearity": nonlinearity} if cell == "rnn" else {}
    twin = TORCH_LAYERS[cell](
        E, H, num_layers=num_layers, bidirectional=bidirectional, batch_first=True, **options
    ).double()
    with torch.no_grad():
        for cells, suffix in ((stack.forward_cells, ""), (stack.reverse_cells, "_reverse")):
            for layer, module in enumerate(cells):
                for name, value in module.named_parameters():
                    own = name.removeprefix("layer.").removesuffix("_l0")
                    getattr(twin, f"{own}_l{layer}{suffix}").copy_(value)
    return twin


def packed_states(twin: nn.Module, inputs: Tensor) -> Tensor:
    packed = pack_padded_sequence(inputs, LENGTHS, batch_first=True, enforce_sorted=False)
    return pad_packed_sequence(twin(packed)[0], batch_first=True, total_length=T)[0]


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("num_layers", [1, 2])
@pytest.mark.parametrize(
    ("cell", "nonlinearity"), [("lstm", "tanh"), ("gru", "tanh"), ("rnn", "tanh"), ("rnn", "relu")]
)
def test_states_and_gradients_equal_torch_on_packed_ragged_sequences(
    cell: str, nonlinearity: str, num_layers: int, bidirectional: bool
) -> None:
    stack = build(cell, nonlinearity, num_layers, bidirectional).double()
    for parameter in stack.parameters():
        nn.init.normal_(parameter, std=0.4)
    twin = torch_twin(stack, cell, nonlinearity, num_layers, bidirectional)
    inputs = torch.randn(B, T, E, dtype=torch.float64, requires_grad=True)

    states = stack(inputs, LENGTHS)
    expected = packed_states(twin, inputs)
    assert states.shape == (B, T, stack.output_size) == expected.shape
    torch.testing.assert_close(states[MASK], expected[MASK], rtol=0, atol=1e-12)

    direction = torch.randn(int(MASK.sum()), stack.output_size, dtype=torch.float64)
    (found_gradient,) = torch.autograd.grad((states[MASK] * direction).sum(), inputs)
    (expected_gradient,) = torch.autograd.grad((expected[MASK] * direction).sum(), inputs)
    torch.testing.assert_close(found_gradient, expected_gradient, rtol=0, atol=1e-11)


@pytest.mark.parametrize("num_layers", [1, 2])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize(("cell", "nonlinearity"), EVERY_CELL)
def test_junk_in_the_padding_changes_no_real_step_and_gets_no_gradient(
    cell: str, nonlinearity: str, bidirectional: bool, num_layers: int
) -> None:
    stack = build(cell, nonlinearity, num_layers, bidirectional).double()
    clean = torch.randn(B, T, E, dtype=torch.float64).masked_fill(~MASK.unsqueeze(-1), 0.0)
    junk = torch.where(MASK.unsqueeze(-1), clean, 1e3 * torch.randn_like(clean)).requires_grad_()
    states = stack(junk, LENGTHS)
    torch.testing.assert_close(states[MASK], stack(clean, LENGTHS)[MASK], rtol=0, atol=1e-13)
    states[MASK].sum().backward()
    assert junk.grad is not None
    assert junk.grad[~MASK].abs().max() == 0
    # relu may be silent at a step or two
    assert junk.grad[MASK].ne(0).any(dim=-1).float().mean() > 0.9


@pytest.mark.parametrize(("cell", "nonlinearity"), EVERY_CELL)
def test_each_half_of_the_features_reads_in_its_own_direction(cell: str, nonlinearity: str) -> None:
    stack = build(cell, nonlinearity, 1, bidirectional=True).double()
    inputs = torch.randn(1, T, E, dtype=torch.float64)
    changed = inputs.clone()
    changed[0, 4] += 1
    moved = (stack(inputs, torch.tensor([T])) - stack(changed, torch.tensor([T])))[0].abs()
    forward_half, reverse_half = moved[:, :H].amax(dim=1), moved[:, H:].amax(dim=1)
    assert forward_half[:4].max() < 1e-13 < 1e-6 < forward_half[4]
    assert reverse_half[5:].max() < 1e-13 < 1e-6 < reverse_half[4]


def test_both_directions_have_weights_of_their_own() -> None:
    stack = build("lstm", "tanh", 2, bidirectional=True)
    identities = {id(parameter) for parameter in stack.parameters()}
    assert len(identities) == 2 * 2 * 4
    assert stack.output_size == 2 * H
    assert build("lstm", "tanh", 2, bidirectional=False).output_size == H


def test_layer_dropout_acts_between_layers_in_training_only() -> None:
    inputs = torch.randn(B, T, E)
    single = build("gru", "tanh", 1, bidirectional=True, layer_dropout=0.9)
    torch.testing.assert_close(single(inputs, LENGTHS), single.eval()(inputs, LENGTHS))
    double = build("gru", "tanh", 2, bidirectional=True, layer_dropout=0.9)
    assert not torch.allclose(double(inputs, LENGTHS), double.eval()(inputs, LENGTHS), atol=1e-3)


def test_every_cell_takes_part_in_these_tests() -> None:
    assert {cell for cell, _ in EVERY_CELL} == set(CELLS)


def test_an_unknown_cell_is_refused() -> None:
    for bidirectional, num_layers in itertools.product([False, True], [1, 2]):
        with pytest.raises(KeyError, match="ltsm"):
            build("ltsm", "tanh", num_layers, bidirectional)
