from __future__ import annotations

import random

import numpy as np
import torch

from seqline.training import seeding


def draws() -> tuple[list[float], float, float]:
    return torch.rand(3).tolist(), random.random(), float(np.random.random())


def test_a_seed_repeats_every_generator_and_other_seeds_and_streams_differ():
    seen = []
    for seed, stream in ((0, 0), (0, 0), (0, 1), (1, 0), (-1, 0)):
        seeding.set_determinism(seed=seed, threads=1, stream=stream)
        seen.append(draws())
    assert seen[0] == seen[1]
    for index in range(3):
        assert len({str(values[index]) for values in seen}) == 4


def test_determinism_is_set_for_the_process():
    seeding.set_determinism(seed=0, threads=1)
    assert torch.are_deterministic_algorithms_enabled()
    assert torch.get_num_threads() == 1


def test_data_order_depends_on_seed_and_epoch_only():
    def order(seed: int, epoch: int) -> list[int]:
        return seeding.epoch_generator(seed=seed, epoch=epoch).permutation(20).tolist()

    before = order(0, 1)
    torch.rand(1)
    np.random.random()
    assert order(0, 1) == before
    assert order(0, 2) != before
    assert order(1, 1) != before


def test_random_state_comes_back():
    seeding.set_determinism(seed=0, threads=1)
    device = torch.device("cpu")
    state = seeding.random_state(device)
    first = torch.rand(5)
    torch.rand(7)
    seeding.restore_random_state(state, device)
    assert torch.equal(torch.rand(5), first)
