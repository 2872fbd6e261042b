"""One seed, one thread count, deterministic kernels: what makes two runs the same bits."""

from __future__ import annotations

import contextlib
import os
import random

import numpy as np
import torch

# Independent streams under one seed: a network's first weights must not share their numbers with dropout.
INITIALISATION_STREAM = 0
DROPOUT_STREAM = 1


def set_determinism(*, seed: int, threads: int, stream: int = INITIALISATION_STREAM) -> None:
    """Seed this process and let it use deterministic kernels only. Call before a network is built.

    Denormal numbers are not flushed to zero: torch sets that per thread, so it would act on some of a pool's
    threads and not on others, and the served model would not have it.

    Args:
        seed: Of the recipe.
        threads: CPU threads of one operation; another count gives other bits.
        stream: Which of the seed's independent streams.
    """
    # cuBLAS reads it when CUDA starts; without it deterministic mode refuses matrix products on a GPU.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    # The same switch as use_deterministic_algorithms, which would load torch's compiler for a second.
    torch.set_deterministic_debug_mode("error")
    # By default deterministic mode fills every new tensor with NaN first: an aid in debugging.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = False
    torch.set_num_threads(threads)
    # Can be set once in a process, before any parallel work.
    with contextlib.suppress(RuntimeError):
        torch.set_num_interop_threads(1)
    words = np.random.SeedSequence([seed & (2**64 - 1), stream]).generate_state(2, dtype=np.uint64)
    torch.manual_seed(int(words[0] >> 1))
    random.seed(int(words[1]))
    np.random.seed(int(words[1] & 0xFFFFFFFF))


def epoch_generator(*, seed: int, epoch: int) -> np.random.Generator:
    """Make the generator of one epoch's data order: a function of seed and epoch, so a resume needs no state.

    Args:
        seed: Of the recipe.
        epoch: From 1.
    """
    return np.random.default_rng([seed & (2**64 - 1), epoch])


def random_state(device: torch.device) -> dict[str, torch.Tensor]:
    """Collect the states dropout draws from, uint8 each, on the CPU."""
    states = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(device)
    return states


def restore_random_state(states: dict[str, torch.Tensor], device: torch.device) -> None:
    """Put back what `random_state` gave."""
    torch.set_rng_state(states["cpu"])
    if device.type == "cuda":
        torch.cuda.set_rng_state(states["cuda"], device)
