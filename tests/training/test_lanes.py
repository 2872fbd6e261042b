"""Lanes: every piece once, each after the one before it, and exact resume in the middle of a text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from seqline.data.arrays import SequenceArrays, from_sequences
from seqline.nn.language_model import RecurrentLanguageModel
from seqline.recipe import TrainingSection
from seqline.tasks.generation import Generation, mean_cost
from seqline.training.batches import LaneBatches
from seqline.training.events import Event, Progress
from seqline.training.loop import FitResult, fit

CONTEXT = 5


def arrays_of(lengths: list[int]) -> SequenceArrays:
    rng = np.random.default_rng(0)
    pieces, following, continues = [], [], []
    for length in lengths:
        ids = rng.integers(2, 8, size=length + 1)
        for start in range(0, length, CONTEXT):
            end = min(start + CONTEXT, length)
            pieces.append(ids[start:end])
            following.append(ids[start + 1 : end + 1])
            continues.append(start > 0)
    return from_sequences(
        pieces, following, vocab_size=8, row_extras={"continues": np.asarray(continues, dtype=bool)}
    )


LENGTHS = [23, 4, 40, 11, 5, 17, 9, 30, 2]


@pytest.mark.parametrize("batch_size", [1, 3, 20])
def test_every_piece_once_and_after_the_one_before_it(batch_size: int) -> None:
    arrays = arrays_of(LENGTHS)
    batches = LaneBatches(arrays, batch_size, "bucket", 100)
    for dealt in (batches.shuffled(seed=0, epoch=1), batches.by_length()):
        assert sorted(np.concatenate(dealt).tolist()) == list(range(len(arrays)))
        assert [len(places) for places in dealt] == sorted([len(places) for places in dealt], reverse=True)
        for step, places in enumerate(dealt):
            for lane, place in enumerate(places):
                if arrays.row_extras["continues"][place]:
                    assert dealt[step - 1][lane] == place - 1
    assert len(batches.shuffled(seed=0, epoch=1)) == len(batches.shuffled(seed=0, epoch=2))


def test_epochs_differ_in_order_and_a_seed_repeats_them() -> None:
    batches = LaneBatches(arrays_of(LENGTHS), 3, "bucket", 100)
    first, second = (np.concatenate(batches.shuffled(seed=0, epoch=epoch)).tolist() for epoch in (1, 2))
    assert first != second
    assert np.concatenate(batches.shuffled(seed=0, epoch=1)).tolist() == first


def test_short_rows_are_dealt_by_length() -> None:
    arrays = arrays_of([3, 5, 2, 4, 5, 1])
    dealt = LaneBatches(arrays, 2, "bucket", 100).by_length()
    lengths = [arrays.lengths[places].tolist() for places in dealt]
    assert lengths == [[1, 2], [3, 4], [5, 5]]


class Killed(Exception):
    """Stands for a kill at a step."""


def run(folder: Path, report: Callable[[Event], None]) -> FitResult:
    torch.manual_seed(0)
    network = RecurrentLanguageModel(
        vocab_size=8,
        embedding_dim=4,
        embedding_std=0.3,
        hidden_size=6,
        num_layers=1,
        cell="lstm",
        nonlinearity="tanh",
        tie_weights=True,
        dropout=0.2,
        embedding_dropout=0.0,
        word_dropout=0.0,
        layer_dropout=0.0,
    )
    task = Generation()
    settings = TrainingSection(
        epochs=2, batch_size=3, learning_rate=0.02, threads=1, precision="fp32", checkpoint_steps=1
    )
    return fit(
        network=network,
        train=LaneBatches(arrays_of(LENGTHS), 3, "bucket", 100),
        valid=LaneBatches(arrays_of(LENGTHS[:4]), 3, "bucket", 100),
        loss=mean_cost,
        tally=lambda outputs, batch: task.tally(outputs, batch, {}),
        score=task.score,
        settings=settings,
        falls=True,
        checkpoint_folder=folder,
        digest="a" * 64,
        report=report,
    )


@pytest.mark.parametrize("kill_at", [3, 8, 13])
def test_a_killed_training_goes_on_with_the_state_it_carried(tmp_path: Path, kill_at: int) -> None:
    expected = run(tmp_path / "unbroken", lambda event: None)
    steps = 0

    def kill(event: Event) -> None:
        nonlocal steps
        if isinstance(event, Progress):
            steps += 1
            if steps == kill_at:
                raise Killed

    with pytest.raises(Killed):
        run(tmp_path / "broken", kill)
    found = run(tmp_path / "broken", lambda event: None)
    assert found.resumed_from is not None
    assert [record.valid for record in found.history] == [record.valid for record in expected.history]
    assert all(torch.equal(found.best_state[name], value) for name, value in expected.best_state.items())
