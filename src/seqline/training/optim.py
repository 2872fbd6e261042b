"""Optimisers, learning-rate schedules and gradient clipping.

A schedule is a pure function of what a checkpoint holds anyway (the step and the valid losses so far), so it
has no state that a resume could get wrong.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import nn

from seqline.recipe import TrainingSection

# one_cycle, the defaults of its source: share of steps that warm up, first rate, last rate (divisors).
ONE_CYCLE_WARM_UP = 0.3
ONE_CYCLE_FIRST = 25.0
ONE_CYCLE_LAST = 25.0e4
COSINE_WARM_UP = 0.05
# How much smaller, relatively, than the best so far a valid loss must be, or the rate is halved.
PLATEAU_THRESHOLD = 1.0e-4
PLATEAU_FACTOR = 0.5

# step (from 0), steps of the whole training, valid losses of the epochs done -> share of the learning rate.
Schedule = Callable[[int, int, Sequence[float]], float]


def parameter_groups(network: nn.Module, *, weight_decay: float) -> list[dict[str, object]]:
    """Split the trained parameters in two groups: with weight decay and without.

    Biases, norms (anything of one dimension) and embeddings do not decay: decay would pull the vectors of
    rare words to zero between their appearances.

    Returns:
        Groups of torch's optimisers with `names` beside `params`.
    """
    embeddings = {id(m.weight) for m in network.modules() if isinstance(m, nn.Embedding)}
    decayed: list[tuple[str, nn.Parameter]] = []
    spared: list[tuple[str, nn.Parameter]] = []
    for name, parameter in network.named_parameters():
        if not parameter.requires_grad:
            continue
        is_bias = name.rpartition(".")[2].startswith("bias")
        (spared if parameter.ndim < 2 or is_bias or id(parameter) in embeddings else decayed).append(
            (name, parameter)
        )
    return [
        {"params": [p for _, p in members], "names": [n for n, _ in members], "weight_decay": decay}
        for members, decay in ((decayed, weight_decay), (spared, 0.0))
        if members
    ]


def _adamw(groups: list[dict[str, object]], settings: TrainingSection) -> torch.optim.Optimizer:
    """AdamW. Source: Loshchilov and Hutter, Decoupled Weight Decay Regularization, 2019."""
    return torch.optim.AdamW(groups, lr=settings.learning_rate, fused=True)


def _sgd(groups: list[dict[str, object]], settings: TrainingSection) -> torch.optim.Optimizer:
    """Gradient descent with heavy-ball momentum. Source: Polyak, 1964."""
    return torch.optim.SGD(groups, lr=settings.learning_rate, momentum=settings.momentum, fused=True)


def build_optimizer(network: nn.Module, settings: TrainingSection) -> torch.optim.Optimizer:
    """Make the optimiser a recipe names, over a network's trained parameters."""
    groups = parameter_groups(network, weight_decay=settings.weight_decay)
    return OPTIMIZERS[settings.optimizer](groups, settings)


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    """Collect an optimiser's state by parameter name: `PARAMETER:KEY`."""
    return {
        f"{name}:{key}": value
        for group in optimizer.param_groups
        for name, parameter in zip(group["names"], group["params"], strict=True)
        for key, value in optimizer.state[parameter].items()
        if isinstance(value, torch.Tensor)
    }


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, torch.Tensor]) -> None:
    """Put back what `optimizer_tensors` gave, into an optimiser over the same parameters."""
    for group in optimizer.param_groups:
        for name, parameter in zip(group["names"], group["params"], strict=True):
            for full, value in tensors.items():
                owner, _, key = full.rpartition(":")
                if owner == name:
                    optimizer.state[parameter][key] = value.to(parameter.device, copy=True)


def gradient_norm(network: nn.Module, *, clip_norm: float) -> float:
    """Euclidean norm of all gradients together; gradients of a greater norm are scaled down to `clip_norm`.

    Args:
        network: After `backward`.
        clip_norm: 0 leaves the gradients as they are. A norm that is not finite leaves them too.

    Returns:
        The norm before clipping.

    Source: Pascanu et al., On the difficulty of training recurrent neural networks, 2013.
    """
    parameters = [p for p in network.parameters() if p.grad is not None]
    norm = nn.utils.get_total_norm([p.grad for p in parameters if p.grad is not None])
    value = float(norm)
    if 0.0 < clip_norm < value < math.inf:
        nn.utils.clip_grads_with_norm_(parameters, clip_norm, norm)
    return value


def _cosine_between(start: float, end: float, share: float) -> float:
    return end + (start - end) / 2.0 * (1.0 + math.cos(math.pi * share))


def one_cycle(step: int, total_steps: int, valid_losses: Sequence[float]) -> float:
    """Rise over the first 30 % of the steps, then fall to nearly nothing.

    Source: Smith and Topin, Super-Convergence, 2018; both phases are cosines.
    """
    del valid_losses
    peak = max(1.0, ONE_CYCLE_WARM_UP * total_steps - 1.0)
    if step <= peak:
        return _cosine_between(1.0 / ONE_CYCLE_FIRST, 1.0, step / peak)
    return _cosine_between(1.0, 1.0 / ONE_CYCLE_LAST, (step - peak) / max(1.0, total_steps - 1.0 - peak))


def cosine(step: int, total_steps: int, valid_losses: Sequence[float]) -> float:
    """Warm up linearly over the first 5 % of the steps, then fall as a cosine to 0 just after the last.

    Source: Loshchilov and Hutter, SGDR, 2017, without restarts.
    """
    del valid_losses
    warm_up = max(1, math.ceil(COSINE_WARM_UP * total_steps))
    if step < warm_up:
        return (step + 1) / warm_up
    return _cosine_between(1.0, 0.0, (step - warm_up) / max(1, total_steps - warm_up))


def plateau(step: int, total_steps: int, valid_losses: Sequence[float]) -> float:
    """Halve the rate after every epoch whose valid loss is no better than the best before it."""
    del step, total_steps
    factor, best = 1.0, math.inf
    for loss in valid_losses:
        if loss < best * (1.0 - PLATEAU_THRESHOLD):
            best = loss
        else:
            factor *= PLATEAU_FACTOR
    return factor


def constant(step: int, total_steps: int, valid_losses: Sequence[float]) -> float:
    """Keep the learning rate as it stands."""
    del step, total_steps, valid_losses
    return 1.0


OPTIMIZERS: dict[str, Callable[[list[dict[str, object]], TrainingSection], torch.optim.Optimizer]] = {
    "adamw": _adamw,
    "sgd": _sgd,
}
SCHEDULES: dict[str, Schedule] = {
    "one_cycle": one_cycle,
    "cosine": cosine,
    "plateau": plateau,
    "constant": constant,
}
