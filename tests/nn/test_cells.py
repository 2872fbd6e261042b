from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from seqline.nn.cells import CELLS, NONLINEARITIES

B, T, E, H = 3, 5, 4, 6

SIGMOID = torch.sigmoid
RNN_FORMULAS: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": lambda a: (a.exp() - (-a).exp()) / (a.exp() + (-a).exp()),
    "relu": lambda a: a * (a > 0),
    "leaky_relu": lambda a: torch.where(a > 0, a, 0.01 * a),
    "sigmoid": lambda a: 1 / (1 + (-a).exp()),
}
EVERY_CELL = [("lstm", "tanh"), ("gru", "tanh"), *(("rnn", name) for name in RNN_FORMULAS)]


def randomised(cell: str, nonlinearity: str, dtype: torch.dtype = torch.float64) -> nn.Module:
    module = CELLS[cell](input_size=E, hidden_size=H, nonlinearity=nonlinearity).to(dtype)
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=0.5)
    return module


def weights_of(module: nn.Module) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    named = {
        name.removeprefix("layer."): value.detach().double() for name, value in module.named_parameters()
    }
    zero = torch.zeros_like(named["bias_ih_l0"])
    return named["weight_ih_l0"], named["weight_hh_l0"], named["bias_ih_l0"], named.get("bias_hh_l0", zero)


def rnn_by_formula(module: nn.Module, inputs: Tensor, nonlinearity: str) -> Tensor:
    w_x, w_h, b_x, b_h = weights_of(module)
    h = torch.zeros(len(inputs), H, dtype=torch.float64)
    states = []
    for t in range(inputs.shape[1]):
        h = RNN_FORMULAS[nonlinearity](inputs[:, t] @ w_x.T + b_x + h @ w_h.T + b_h)
        states.append(h)
    return torch.stack(states, dim=1)


def lstm_by_formula(module: nn.Module, inputs: Tensor, nonlinearity: str) -> Tensor:
    w_x, w_h, b_x, b_h = weights_of(module)
    h = c = torch.zeros(len(inputs), H, dtype=torch.float64)
    states = []
    for t in range(inputs.shape[1]):
        gates = inputs[:, t] @ w_x.T + b_x + h @ w_h.T + b_h
        input_gate = SIGMOID(gates[:, :H])
        forget_gate = SIGMOID(gates[:, H : 2 * H])
        candidate = torch.tanh(gates[:, 2 * H : 3 * H])
        output_gate = SIGMOID(gates[:, 3 * H :])
        c = forget_gate * c + input_gate * candidate
        h = output_gate * torch.tanh(c)
        states.append(h)
    return torch.stack(states, dim=1)


def gru_by_formula(module: nn.Module, inputs: Tensor, nonlinearity: str) -> Tensor:
    w_x, w_h, b_x, b_h = weights_of(module)
    h = torch.zeros(len(inputs), H, dtype=torch.float64)
    states = []
    for t in range(inputs.shape[1]):
        from_input = inputs[:, t] @ w_x.T + b_x
        from_state = h @ w_h.T + b_h
        reset_gate = SIGMOID(from_input[:, :H] + from_state[:, :H])
        update_gate = SIGMOID(from_input[:, H : 2 * H] + from_state[:, H : 2 * H])
        candidate = torch.tanh(from_input[:, 2 * H :] + reset_gate * from_state[:, 2 * H :])
        h = (1 - update_gate) * candidate + update_gate * h
        states.append(h)
    return torch.stack(states, dim=1)


FORMULAS = {"rnn": rnn_by_formula, "lstm": lstm_by_formula, "gru": gru_by_formula}


def test_every_registered_cell_and_nonlinearity_has_its_formula_here() -> None:
    assert set(FORMULAS) == set(CELLS)
    assert set(RNN_FORMULAS) == set(NONLINEARITIES)


@pytest.mark.parametrize("with_gradient", [True, False])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 5e-6)])
@pytest.mark.parametrize(("cell", "nonlinearity"), EVERY_CELL)
def test_cell_computes_its_equations(
    cell: str, nonlinearity: str, dtype: torch.dtype, tolerance: float, with_gradient: bool
) -> None:
    module = randomised(cell, nonlinearity, dtype)
    inputs = torch.randn(B, T, E, dtype=dtype)
    # Training and inference take different kernels on CPU.
    with torch.set_grad_enabled(with_gradient):
        states = module(inputs)
    assert states.dtype == dtype
    torch.testing.assert_close(
        states.double(), FORMULAS[cell](module, inputs.double(), nonlinearity), rtol=0, atol=tolerance
    )


@pytest.mark.parametrize(("cell", "nonlinearity"), EVERY_CELL)
def test_cell_gradients_are_those_of_its_equations(cell: str, nonlinearity: str) -> None:
    module = randomised(cell, nonlinearity)
    inputs = torch.randn(B, T, E, dtype=torch.float64, requires_grad=True)
    direction = torch.randn(B, T, H, dtype=torch.float64)
    (found,) = torch.autograd.grad((module(inputs) * direction).sum(), inputs)
    by_formula = FORMULAS[cell](module, inputs, nonlinearity)
    (expected,) = torch.autograd.grad((by_formula * direction).sum(), inputs)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-11)


@pytest.mark.parametrize(("cell", "nonlinearity"), EVERY_CELL)
def test_what_follows_a_step_cannot_reach_it(cell: str, nonlinearity: str) -> None:
    module = randomised(cell, nonlinearity)
    inputs = torch.randn(B, T, E, dtype=torch.float64)
    changed = inputs.clone()
    changed[:, 3:] = 1e3
    torch.testing.assert_close(module(inputs)[:, :3], module(changed)[:, :3], rtol=0, atol=1e-14)
    assert not torch.allclose(module(inputs)[:, 3], module(changed)[:, 3])


@pytest.mark.parametrize("nonlinearity", ["leaky_relu", "sigmoid"])
def test_own_loop_passes_gradcheck(nonlinearity: str) -> None:
    module = randomised("rnn", nonlinearity)
    names = [name for name, _ in module.named_parameters()]

    def states(inputs: Tensor, *values: Tensor) -> Tensor:
        return torch.func.functional_call(module, dict(zip(names, values, strict=True)), (inputs,))

    inputs = torch.randn(2, 4, E, dtype=torch.float64, requires_grad=True)
    values = [value.detach().clone().requires_grad_() for value in module.parameters()]
    assert torch.autograd.gradcheck(states, (inputs, *values))


@pytest.mark.parametrize(("cell", "gates"), [("rnn", 1), ("gru", 3), ("lstm", 4)])
def test_recurrent_weights_start_orthogonal_and_input_weights_xavier_in_each_gate(
    cell: str, gates: int
) -> None:
    module = CELLS[cell](input_size=40, hidden_size=30)
    w_x, w_h, _, _ = weights_of(module)
    xavier_bound = (6 / (40 + 30)) ** 0.5
    assert len(w_h) == gates * 30
    for input_block, recurrent_block in zip(w_x.chunk(gates), w_h.chunk(gates), strict=True):
        torch.testing.assert_close(
            recurrent_block @ recurrent_block.T, torch.eye(30, dtype=torch.float64), rtol=0, atol=1e-5
        )
        assert input_block.abs().max() <= xavier_bound
        assert input_block.std() == pytest.approx(xavier_bound / 3**0.5, rel=0.1)


@pytest.mark.parametrize("nonlinearity", ["relu", "leaky_relu"])
def test_unbounded_rnn_starts_with_the_identity(nonlinearity: str) -> None:
    _, w_h, _, _ = weights_of(CELLS["rnn"](input_size=E, hidden_size=H, nonlinearity=nonlinearity))
    torch.testing.assert_close(w_h, torch.eye(H, dtype=torch.float64))


def test_forget_bias_starts_at_one_in_total_and_all_other_biases_at_zero() -> None:
    _, _, b_x, b_h = weights_of(CELLS["lstm"](input_size=E, hidden_size=H))
    total = (b_x + b_h).reshape(4, H)
    assert total.sum(dim=1).tolist() == [0, H, 0, 0]
    for cell in ("rnn", "gru"):
        _, _, b_x, b_h = weights_of(CELLS[cell](input_size=E, hidden_size=H))
        assert b_x.abs().sum() + b_h.abs().sum() == 0


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_gated_cell_refuses_another_nonlinearity(cell: str) -> None:
    with pytest.raises(ValueError, match=f"'relu' acts on cell rnn only; cell {cell} has tanh"):
        CELLS[cell](input_size=E, hidden_size=H, nonlinearity="relu")


def test_rnn_refuses_an_unknown_nonlinearity_and_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match="'swish' of cell rnn is none of tanh, relu, leaky_relu, sigmoid"):
        CELLS["rnn"](input_size=E, hidden_size=H, nonlinearity="swish")


@pytest.mark.parametrize(("cell", "nonlinearity"), EVERY_CELL)
def test_bf16_autocast_stays_near_float32(cell: str, nonlinearity: str) -> None:
    module = CELLS[cell](input_size=E, hidden_size=H, nonlinearity=nonlinearity)
    inputs = torch.randn(B, 30, E) * 0.3
    reference = module(inputs)
    with torch.autocast("cpu", torch.bfloat16):
        states = module(inputs)
        states.float().sum().backward()
    torch.testing.assert_close(states.float(), reference, rtol=0.03, atol=0.03)
    assert all(parameter.grad.dtype == torch.float32 for parameter in module.parameters())
