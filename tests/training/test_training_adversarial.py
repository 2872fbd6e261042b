"""Adversarial steps: the perturbation has the radius, makes the loss larger, and leaves nothing behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from toy_training import LONG, LONG_EXAMPLES, MODEL, SHORT, TASK, toy_loss, train_toy

from seqline.batch import SequenceBatch
from seqline.data.collate import collate
from seqline.errors import InputError
from seqline.training.adversarial import EmbeddingAdversary


def toy_batch() -> tuple[nn.Module, Any]:
    torch.manual_seed(0)
    arrays, sizes = TASK.toy(examples=32, seed=0)
    network = TASK.build(MODEL.model_copy(update={"dropout": 0.0, "embedding_std": 1.0}), sizes)
    return network, collate(arrays, np.arange(32), padding="bucket", max_length=12)


def test_the_perturbation_of_each_sequence_has_the_radius_and_raises_the_loss() -> None:
    network, batch = toy_batch()
    seen: list[torch.Tensor] = []
    adversary = EmbeddingAdversary(network, radius=0.5)
    network.embedding.register_forward_hook(lambda _m, _i, out: seen.append(out.detach().clone()))  # type: ignore[union-attr,operator]
    plain = toy_loss(network(batch), batch)
    plain.backward()
    with adversary.attacking():
        attacked = toy_loss(network(batch), batch)
    moved = (seen[1] - seen[0]).flatten(1).norm(dim=1)
    assert torch.allclose(moved, torch.full((32,), 0.5), atol=1e-5)
    assert attacked.item() > plain.item() + 0.01
    assert toy_loss(network(batch), batch).item() == pytest.approx(plain.item())


def test_attacking_needs_a_gradient_first() -> None:
    network, batch = toy_batch()
    adversary = EmbeddingAdversary(network, radius=0.5)
    with torch.no_grad():
        network(batch)
    with pytest.raises(RuntimeError, match="backward"), adversary.attacking():
        pass


def test_a_network_without_embeddings_is_refused() -> None:
    with pytest.raises(InputError, match="0 embedding layers"):
        EmbeddingAdversary(nn.Linear(2, 2), radius=1.0)


def test_adversarial_training_learns_the_toy_and_differs_from_plain(tmp_path: Path) -> None:
    settings = LONG.model_copy(update={"adversarial_radius": 0.2})
    learned = train_toy(tmp_path / "long", settings=settings, examples=LONG_EXAMPLES)
    assert learned.result.history[-1].valid["accuracy"] > 0.95
    short = SHORT.model_copy(update={"adversarial_radius": 0.2})
    first, second = (train_toy(tmp_path / name, settings=short) for name in ("a", "b"))
    first.assert_same_bits(second)
    assert first.digest() != train_toy(tmp_path / "plain").digest()


@pytest.mark.parametrize("call", [1, 6, 7, 20])
def test_a_kill_between_or_inside_adversarial_steps_changes_nothing(tmp_path: Path, call: int) -> None:
    settings = SHORT.model_copy(update={"adversarial_radius": 0.2})
    calls = 0

    def dying_loss(logits: torch.Tensor, batch: SequenceBatch) -> torch.Tensor:
        nonlocal calls
        calls += 1
        if calls == call:
            raise KeyboardInterrupt
        return toy_loss(logits, batch)

    with pytest.raises(KeyboardInterrupt):
        train_toy(tmp_path / "broken", settings=settings, loss=dying_loss)
    resumed = train_toy(tmp_path / "broken", settings=settings)
    resumed.assert_same_bits(train_toy(tmp_path / "unbroken", settings=settings))
