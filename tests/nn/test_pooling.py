from __future__ import annotations

import pytest
import torch
from torch import Tensor

from seqline.nn.pooling import POOLINGS, AttentionPooling

B, T, F = 4, 7, 6
LENGTHS = torch.tensor([7, 1, 3, 5])
MASK = torch.arange(T) < LENGTHS.unsqueeze(1)


def by_hand(pooling: str, steps: Tensor, directions: int, module: torch.nn.Module) -> Tensor:
    """One sequence (length, F) without padding, from the definition."""
    half = F // directions
    if pooling == "last":
        return torch.cat([steps[-1, :half], steps[0, half:]])
    if pooling == "max":
        return torch.stack([max(column) for column in steps.T])
    if pooling == "mean":
        return sum(steps) / len(steps)
    if pooling == "max_mean":
        return torch.cat(
            [by_hand("max", steps, directions, module), by_hand("mean", steps, directions, module)]
        )
    assert isinstance(module, AttentionPooling)
    w, b, v = module.hidden.weight, module.hidden.bias, module.query.weight[0]
    scores = torch.stack([v @ torch.tanh(w @ step + b) for step in steps]).exp()
    return sum(score / scores.sum() * step for score, step in zip(scores, steps, strict=True))


@pytest.mark.parametrize("directions", [1, 2])
@pytest.mark.parametrize("pooling", POOLINGS)
def test_pooling_is_its_definition_over_real_steps_whatever_the_padding_holds(
    pooling: str, directions: int
) -> None:
    module = POOLINGS[pooling](input_size=F, directions=directions).double()
    states = (
        torch.randn(B, T, F, dtype=torch.float64) - 2
    )  # below zero: a padding of zeros would win a maximum
    states = states.masked_fill(~MASK.unsqueeze(-1), 1e6)
    pooled = module(states, LENGTHS, MASK)
    assert pooled.shape == (B, module.output_size)
    for row, length in enumerate(LENGTHS.tolist()):
        expected = by_hand(pooling, states[row, :length], directions, module)
        torch.testing.assert_close(pooled[row], expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("overflow", [torch.inf, -torch.inf, torch.nan])
@pytest.mark.parametrize("pooling", POOLINGS)
def test_overflow_in_the_padding_reaches_neither_answer_nor_gradient(pooling: str, overflow: float) -> None:
    module = POOLINGS[pooling](input_size=F, directions=2)
    clean = torch.randn(B, T, F)
    states = clean.masked_fill(~MASK.unsqueeze(-1), overflow).requires_grad_()
    pooled = module(states, LENGTHS, MASK)
    torch.testing.assert_close(pooled, module(clean, LENGTHS, MASK), rtol=0, atol=1e-6)
    pooled.square().sum().backward()
    assert states.grad is not None
    assert states.grad[~MASK].abs().max() == 0
    assert states.grad[MASK].isfinite().all()


@pytest.mark.parametrize("pooling", POOLINGS)
def test_pad_width_does_not_change_the_answer(pooling: str) -> None:
    module = POOLINGS[pooling](input_size=F, directions=2)
    states = torch.randn(B, T, F)
    wide = torch.cat([states, torch.randn(B, 500, F)], dim=1)
    wide_mask = torch.arange(T + 500) < LENGTHS.unsqueeze(1)
    torch.testing.assert_close(
        module(wide, LENGTHS, wide_mask), module(states, LENGTHS, MASK), rtol=0, atol=1e-6
    )


@pytest.mark.parametrize("pooling", POOLINGS)
def test_half_precision_states_are_pooled_in_float32(pooling: str) -> None:
    module = POOLINGS[pooling](input_size=F, directions=1)
    lengths = torch.full((B,), 1_000)
    mask = torch.ones(B, 1_000, dtype=torch.bool)
    states = (torch.rand(B, 1_000, F) + 1).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        pooled = module(states, lengths, mask)
    assert pooled.dtype == torch.float32
    # 1,000 numbers near 1.5 summed in bf16 would stall at 512.
    torch.testing.assert_close(pooled, module(states.float(), lengths, mask), rtol=0, atol=2e-3)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_pooling_passes_gradcheck(pooling: str) -> None:
    module = POOLINGS[pooling](input_size=F, directions=2).double()
    states = torch.randn(B, T, F, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda value: module(value, LENGTHS, MASK), (states,))


def test_attention_parameters_pass_gradcheck() -> None:
    module = AttentionPooling(input_size=F, directions=1).double()
    names = [name for name, _ in module.named_parameters()]
    states = torch.randn(B, T, F, dtype=torch.float64)

    def pooled(*values: Tensor) -> Tensor:
        named = dict(zip(names, values, strict=True))
        return torch.func.functional_call(module, named, (states, LENGTHS, MASK))

    values = [value.detach().clone().requires_grad_() for value in module.parameters()]
    assert torch.autograd.gradcheck(pooled, tuple(values))


def test_attention_weights_are_a_distribution_over_real_steps() -> None:
    weights = AttentionPooling(input_size=F, directions=1).weights(torch.randn(B, T, F), MASK)
    torch.testing.assert_close(weights.sum(dim=1), torch.ones(B))
    assert weights[~MASK].abs().max() == 0
    assert weights[MASK].min() > 0


def test_of_equal_largest_values_one_takes_the_gradient() -> None:
    states = torch.zeros(1, 4, 1, requires_grad=True)
    POOLINGS["max"](input_size=1, directions=1)(
        states, torch.tensor([3]), torch.arange(4)[None] < 3
    ).backward()
    assert states.grad is not None
    assert sorted(states.grad.flatten().tolist()) == [0, 0, 0, 1]
