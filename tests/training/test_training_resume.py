from __future__ import annotations

import contextlib
import errno
import multiprocessing
import multiprocessing.context
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
import torch
from toy_training import (
    LONG,
    LONG_EXAMPLES,
    SECONDS_PER_EVENT,
    SHORT,
    SHORT_STEPS_PER_EPOCH,
    TASK,
    Outcome,
    toy_loss,
    train_in_process,
    train_toy,
)

from seqline.errors import SeqlineError
from seqline.recipe import TrainingSection
from seqline.training.events import CheckpointRejected, Resumed
from seqline.training.optim import OPTIMIZERS, SCHEDULES


class Killed(BaseException):
    """Stands for the end of the process: nothing in the code under test catches it."""


def killed_at_call(function: Callable, number: int) -> Callable:
    """A function that works until its call `number` (from 1)."""
    calls = 0

    def wrapped(*arguments: object) -> object:
        nonlocal calls
        calls += 1
        if calls == number:
            raise Killed
        return function(*arguments)

    return wrapped


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return train_toy(tmp_path_factory.mktemp("unbroken"))


@pytest.mark.parametrize("step", range(1, SHORT.epochs * SHORT_STEPS_PER_EPOCH + 1))
def test_killed_in_any_step_and_resumed_is_the_unbroken_run(tmp_path, unbroken, step):
    with pytest.raises(Killed):
        train_toy(tmp_path, loss=killed_at_call(toy_loss, step))
    resumed = train_toy(tmp_path)
    resumed.assert_same_bits(unbroken)
    within = (step - 1) % SHORT_STEPS_PER_EPOCH
    saved = max(
        (s for s in range(step) if s % SHORT.checkpoint_steps == 0 or s % SHORT_STEPS_PER_EPOCH == 0),
        default=0,
    )
    assert within >= 0
    assert resumed.result.resumed_from == (saved or None)


@pytest.mark.parametrize("epoch", range(1, SHORT.epochs + 1))
def test_killed_inside_a_validation_and_resumed_is_the_unbroken_run(tmp_path, unbroken, epoch):
    with pytest.raises(Killed):
        train_toy(tmp_path, score=killed_at_call(TASK.score, epoch))
    resumed = train_toy(tmp_path)
    resumed.assert_same_bits(unbroken)
    assert Resumed(epoch, SHORT_STEPS_PER_EPOCH, epoch * SHORT_STEPS_PER_EPOCH) in resumed.events


def test_killed_in_every_step_in_turn_still_ends_as_the_unbroken_run(tmp_path, unbroken):
    settings = TrainingSection.model_validate({**SHORT.model_dump(), "checkpoint_steps": 1})
    for _ in range(SHORT.epochs * SHORT_STEPS_PER_EPOCH - 1):
        with pytest.raises(Killed):
            train_toy(tmp_path, settings=settings, loss=killed_at_call(toy_loss, 2))
    resumed = train_toy(tmp_path, settings=settings)
    resumed.assert_same_bits(unbroken)


def test_a_finished_run_is_not_trained_again(tmp_path, unbroken):
    train_toy(tmp_path)
    again = train_toy(tmp_path, loss=killed_at_call(toy_loss, 1), score=killed_at_call(TASK.score, 1))
    again.assert_same_bits(unbroken)


@pytest.mark.parametrize("schedule", sorted(SCHEDULES))
@pytest.mark.parametrize("optimizer", sorted(OPTIMIZERS))
def test_optimizer_and_schedule_resume_exactly(tmp_path, optimizer, schedule):
    changes = {"optimizer": optimizer, "schedule": schedule, "learning_rate": 0.05, "epochs": 4}
    settings = TrainingSection.model_validate({**SHORT.model_dump(), **changes})
    reference = train_toy(tmp_path / "unbroken", settings=settings)
    with pytest.raises(Killed):
        train_toy(tmp_path / "killed", settings=settings, loss=killed_at_call(toy_loss, 14))
    train_toy(tmp_path / "killed", settings=settings).assert_same_bits(reference)


def test_early_stopping_counts_on_across_a_resume(tmp_path):
    settings = TrainingSection.model_validate({**SHORT.model_dump(), "epochs": 9, "early_stopping": 3})
    curve = [0.5, 0.6, 0.7, 0.8, 0.9]

    def scores(start: int) -> Callable:
        values = iter(curve[start:])
        return lambda tallies: {"loss": next(values), "accuracy": 0.5, "macro_f1": 0.5}

    with pytest.raises(Killed):
        train_toy(tmp_path, settings=settings, score=scores(0), loss=killed_at_call(toy_loss, 13))
    resumed = train_toy(tmp_path, settings=settings, score=scores(2))
    assert len(resumed.result.history) == 4
    assert resumed.result.best_epoch == 1


def test_a_checkpoint_of_another_digest_or_setting_is_not_used(tmp_path, unbroken):
    for changes in (
        {"digest": "other data"},
        {"settings": TrainingSection.model_validate({**SHORT.model_dump(), "seed": 5})},
    ):
        with pytest.raises(Killed):
            train_toy(tmp_path, loss=killed_at_call(toy_loss, 9), **changes)
        outcome = train_toy(tmp_path)
        outcome.assert_same_bits(unbroken)
        assert outcome.result.resumed_from is None
        rejected = [event for event in outcome.events if isinstance(event, CheckpointRejected)]
        assert "not used" in rejected[0].reason


def test_a_flipped_bit_costs_steps_but_not_the_outcome(tmp_path, unbroken):
    with pytest.raises(Killed):
        train_toy(tmp_path, loss=killed_at_call(toy_loss, 10))
    newest = sorted(tmp_path.glob("state-*.safetensors"))[-1]
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 1
    newest.write_bytes(content)
    resumed = train_toy(tmp_path)
    resumed.assert_same_bits(unbroken)
    assert "damaged" in next(e for e in resumed.events if isinstance(e, CheckpointRejected)).reason
    assert resumed.result.resumed_from == 6


def fail_at(
    monkeypatch: pytest.MonkeyPatch, owner: object, name: str, number: int, error: BaseException
) -> list[int]:
    """Let the call `number` of a system call fail; returns a list that grows with each call."""
    original, calls = getattr(owner, name), []

    def failing(*arguments: object, **options: object) -> object:
        calls.append(1)
        if len(calls) == number:
            raise error
        return original(*arguments, **options)

    monkeypatch.setattr(owner, name, failing)
    return calls


@pytest.mark.parametrize(("owner", "name"), [(os, "fsync"), (Path, "replace"), (Path, "unlink")])
def test_a_write_that_fails_at_any_point_loses_nothing(tmp_path, owner, name):
    smallest = {
        "settings": TrainingSection.model_validate({**SHORT.model_dump(), "epochs": 2}),
        "examples": 3 * SHORT.batch_size,
    }
    unbroken = train_toy(tmp_path / "unbroken", **smallest)
    number, failures = 0, 0
    while True:
        number += 1
        folder = tmp_path / str(number)
        full = OSError(errno.ENOSPC, "No space left on device")
        with pytest.MonkeyPatch.context() as patch:
            calls = fail_at(patch, owner, name, number, full if number % 2 else Killed())
            try:
                train_toy(folder, **smallest)
            except (Killed, SeqlineError) as error:
                assert isinstance(error, Killed) or "could not be written" in str(error)
                failures += 1
        if len(calls) < number:
            break
        train_toy(folder, **smallest).assert_same_bits(unbroken)
    assert failures >= 10


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> multiprocessing.context.ForkServerContext:
    """New processes forked from a clean one in which torch is loaded: no second of imports for each."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["toy_training", "torch._dynamo"])
    return context


def test_sigkill_at_random_moments_leaves_the_bytes_of_the_unbroken_run(tmp_path, processes):
    reference = train_toy(tmp_path / "unbroken", settings=LONG, examples=LONG_EXAMPLES)
    rng = random.Random(0)

    def start() -> tuple[multiprocessing.process.BaseProcess, Connection]:
        ours, theirs = processes.Pipe(duplex=False)
        process = processes.Process(target=train_in_process, args=(tmp_path / "killed", theirs))
        process.start()
        theirs.close()
        return process, ours

    for _ in range(10):
        process, told = start()
        for _ in range(rng.randint(2, 16)):
            told.recv()
        # Up to the length of a few steps, so that some kills fall into a write.
        time.sleep(rng.random() * 10 * SECONDS_PER_EVENT)
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL
    process, told = start()
    messages = []
    with contextlib.suppress(EOFError):
        while True:
            messages.append(told.recv())
    process.join()
    assert "resumed" in messages
    assert "checkpoint_rejected" not in messages
    assert messages[-1] == reference.digest()


def test_a_network_with_buffers_and_tied_weights_is_saved(tmp_path):
    class Tied(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = torch.nn.Embedding(10, 10)
            self.second = torch.nn.Linear(10, 10, bias=False)
            self.second.weight = self.first.weight
            self.register_buffer("seen", torch.zeros(1))

        def forward(self, batch: object) -> torch.Tensor:
            self.seen += 1
            return self.second(self.first(batch.inputs).mean(dim=1))[:, :2]

    def run(folder: Path, loss: Callable = toy_loss) -> Outcome:
        torch.manual_seed(0)
        return train_toy(folder, network=Tied(), loss=loss)

    reference = run(tmp_path / "a")
    with pytest.raises(Killed):
        run(tmp_path / "b", killed_at_call(toy_loss, 8))
    run(tmp_path / "b").assert_same_bits(reference)
