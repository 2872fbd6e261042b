from __future__ import annotations

import math
from itertools import pairwise
from typing import get_args

import pytest
import torch
from torch import nn

from seqline.recipe import TrainingSection
from seqline.training import optim


def small_network() -> nn.Module:
    torch.manual_seed(0)
    return nn.ModuleDict(
        {
            "embedding": nn.Embedding(5, 3),
            "norm": nn.LayerNorm(3),
            "recurrent": nn.LSTM(3, 2),
            "head": nn.Linear(2, 2),
        }
    )


def test_registries_hold_every_choice_of_the_recipe():
    assert set(optim.OPTIMIZERS) == set(get_args(TrainingSection.model_fields["optimizer"].annotation))
    assert set(optim.SCHEDULES) == set(get_args(TrainingSection.model_fields["schedule"].annotation))


def test_biases_norms_and_embeddings_do_not_decay():
    groups = optim.parameter_groups(small_network(), weight_decay=0.1)
    decay = {name: group["weight_decay"] for group in groups for name in group["names"]}
    assert {name for name, value in decay.items() if value == 0.1} == {
        "recurrent.weight_ih_l0",
        "recurrent.weight_hh_l0",
        "head.weight",
    }
    assert {name for name, value in decay.items() if value == 0.0} == {
        "embedding.weight",
        "norm.weight",
        "norm.bias",
        "recurrent.bias_ih_l0",
        "recurrent.bias_hh_l0",
        "head.bias",
    }


def test_frozen_parameters_are_not_trained():
    network = small_network()
    network["embedding"].weight.requires_grad_(False)
    names = [name for group in optim.parameter_groups(network, weight_decay=0.1) for name in group["names"]]
    assert "embedding.weight" not in names


def test_first_adamw_step_has_the_values_of_the_paper():
    network = nn.Linear(1, 1)
    nn.init.constant_(network.weight, 2.0)
    nn.init.constant_(network.bias, 2.0)
    optimizer = optim.build_optimizer(network, TrainingSection(learning_rate=0.1, weight_decay=0.5))
    network.weight.grad, network.bias.grad = torch.full((1, 1), 3.0), torch.full((1,), -3.0)
    optimizer.step()
    # After bias correction the first step is the gradient's sign; decay takes rate * decay * weight first.
    assert network.weight.item() == pytest.approx(2.0 * (1 - 0.1 * 0.5) - 0.1, abs=1e-6)
    assert network.bias.item() == pytest.approx(2.0 + 0.1, abs=1e-6)


def test_sgd_steps_have_the_values_of_heavy_ball_momentum():
    network = nn.Linear(1, 1, bias=False)
    nn.init.constant_(network.weight, 1.0)
    settings = TrainingSection(optimizer="sgd", learning_rate=0.1, weight_decay=0.0, momentum=0.5)
    optimizer = optim.build_optimizer(network, settings)
    for _ in range(2):
        network.weight.grad = torch.full((1, 1), 1.0)
        optimizer.step()
    assert network.weight.item() == pytest.approx(1.0 - 0.1 - 0.1 * 1.5, abs=1e-6)


@pytest.mark.parametrize("name", ["adamw", "sgd"])
def test_optimizer_state_restored_into_a_new_optimizer_goes_on_the_same(name):
    settings = TrainingSection(optimizer=name, learning_rate=0.05)

    def steps(network: nn.Module, optimizer: torch.optim.Optimizer, start: int, end: int) -> None:
        for seed in range(start, end):
            generator = torch.Generator().manual_seed(seed)
            for parameter in network.parameters():
                parameter.grad = torch.randn(parameter.shape, generator=generator)
            optimizer.step()

    unbroken, broken = small_network(), small_network()
    unbroken_optimizer = optim.build_optimizer(unbroken, settings)
    steps(unbroken, unbroken_optimizer, 0, 6)
    first = optim.build_optimizer(broken, settings)
    steps(broken, first, 0, 3)
    second = optim.build_optimizer(broken, settings)
    optim.restore_optimizer(second, optim.optimizer_tensors(first))
    steps(broken, second, 3, 6)
    for left, right in zip(unbroken.parameters(), broken.parameters(), strict=True):
        assert torch.equal(left, right)


def test_one_cycle_follows_torch():
    total = 40
    weight = nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([weight], lr=1.0)
    reference = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=1.0, total_steps=total, cycle_momentum=False
    )
    for step in range(total):
        assert optim.one_cycle(step, total, []) == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-9)
        optimizer.step()
        if step + 1 < total:
            reference.step()


def test_plateau_follows_torch():
    losses = [1.0, 0.9, 0.95, 0.9, 0.89995, 0.5, 0.6, 0.4]
    weight = nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([weight], lr=1.0)
    reference = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=0, threshold=1e-4)
    for done in range(1, len(losses) + 1):
        reference.step(losses[done - 1])
        assert optim.plateau(0, 1, losses[:done]) == optimizer.param_groups[0]["lr"]
    assert optim.plateau(0, 1, losses) == 0.5**4


def test_cosine_warms_up_then_falls_to_nearly_nothing():
    rates = [optim.cosine(step, 100, []) for step in range(100)]
    assert rates[:5] == [0.2, 0.4, 0.6, 0.8, 1.0]
    assert rates[5] == 1.0
    assert all(later < earlier for earlier, later in pairwise(rates[5:]))
    assert rates[5 + 95 // 2] == pytest.approx(0.5, abs=0.02)
    assert 0.0 < rates[-1] < 1e-3


@pytest.mark.parametrize("name", sorted(optim.SCHEDULES))
@pytest.mark.parametrize("total", [1, 2, 3, 7])
def test_schedules_stay_in_range_in_the_shortest_trainings(name, total):
    rates = [optim.SCHEDULES[name](step, total, []) for step in range(total)]
    assert all(0.0 < rate <= 1.0 + 1e-12 for rate in rates)


def gradients(*values: float) -> nn.Module:
    network = nn.Linear(len(values), 1, bias=False)
    network.weight.grad = torch.tensor([values])
    return network


def test_gradients_above_the_norm_are_scaled_down_and_others_left_alone():
    network = gradients(3.0, 4.0)
    assert optim.gradient_norm(network, clip_norm=1.0) == 5.0
    assert network.weight.grad.flatten().tolist() == pytest.approx([0.6, 0.8], abs=1e-5)
    for clip_norm in (0.0, 5.0, 6.0):
        network = gradients(3.0, 4.0)
        assert optim.gradient_norm(network, clip_norm=clip_norm) == 5.0
        assert network.weight.grad.flatten().tolist() == [3.0, 4.0]


@pytest.mark.parametrize("planted", [math.inf, math.nan])
def test_a_norm_that_is_not_finite_is_told_and_spreads_nowhere(planted):
    network = gradients(3.0, planted)
    assert not math.isfinite(optim.gradient_norm(network, clip_norm=1.0))
    assert network.weight.grad[0, 0] == 3.0
