"""The toy that the tests of training share: which of two marks came last, learnt by a tiny LSTM."""

from __future__ import annotations

import functools
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import torch

from seqline.batch import SequenceBatch
from seqline.recipe import TrainingSection
from seqline.recipe.classification import ClassifierModel
from seqline.tasks.classification import Classification
from seqline.training import seeding
from seqline.training.batches import SplitBatches
from seqline.training.events import Event
from seqline.training.loop import FitResult, fit

TASK = Classification()
MODEL = ClassifierModel(embedding_dim=8, hidden_size=8, bidirectional=False, pooling="last", dropout=0.2)
SHORT = TrainingSection(
    epochs=3, batch_size=8, learning_rate=1e-2, precision="fp32", threads=1, checkpoint_steps=2
)
SHORT_EXAMPLES = 40
SHORT_STEPS_PER_EPOCH = 5
LONG = TrainingSection(
    epochs=6, batch_size=8, learning_rate=1e-2, precision="fp32", threads=1, checkpoint_steps=5
)
LONG_EXAMPLES = 400
SECONDS_PER_EVENT = 0.005


@dataclass
class Outcome:
    """A finished toy: the result, the events, the network with its last weights."""

    result: FitResult
    events: list[Event]
    network: torch.nn.Module

    def kinds(self) -> list[str]:
        return [event.kind for event in self.events]

    def digest(self) -> str:
        digest = hashlib.sha256()
        for state in (self.result.best_state, self.network.state_dict()):
            for name in sorted(state):
                digest.update(name.encode())
                digest.update(state[name].contiguous().numpy().tobytes())
        return digest.hexdigest()

    def assert_same_bits(self, other: Outcome) -> None:
        assert self.result.history == other.result.history
        assert self.result.best_epoch == other.result.best_epoch
        for left, right in (
            (self.result.best_state, other.result.best_state),
            (self.network.state_dict(), other.network.state_dict()),
        ):
            assert left.keys() == right.keys()
            for name in left:
                assert torch.equal(left[name], right[name]), name


def toy_batches(*, examples: int, seed: int, settings: TrainingSection = SHORT) -> SplitBatches:
    arrays, _ = TASK.toy(examples=examples, seed=seed)
    return SplitBatches(arrays, settings.batch_size, "bucket", 12)


def toy_network(*, threads: int = 1, seed: int = 0) -> torch.nn.Module:
    seeding.set_determinism(seed=seed, threads=threads)
    return TASK.build(MODEL, {"vocab_size": 10, "num_classes": 2})


def toy_loss(logits: torch.Tensor, batch: SequenceBatch) -> torch.Tensor:
    return TASK.loss(SHORT, toy_batches(examples=1, seed=0).arrays, {"num_classes": 2})(logits, batch)


def train_toy(
    folder: Path,
    *,
    settings: TrainingSection = SHORT,
    examples: int = SHORT_EXAMPLES,
    digest: str = "digest of data, recipe and code",
    loss: Callable[[torch.Tensor, SequenceBatch], torch.Tensor] = toy_loss,
    score: Callable[[torch.Tensor], dict[str, float]] = TASK.score,
    network: torch.nn.Module | None = None,
    report: Callable[[Event], None] = lambda event: None,
) -> Outcome:
    network = network or toy_network(threads=settings.threads)
    events: list[Event] = []

    def keep(event: Event) -> None:
        events.append(event)
        report(event)

    result = fit(
        network=network,
        train=toy_batches(examples=examples, seed=1, settings=settings),
        valid=toy_batches(examples=30, seed=2, settings=settings),
        loss=loss,
        tally=functools.partial(TASK.tally, sizes={}),
        score=score,
        settings=settings,
        falls=settings.monitor == "loss",
        checkpoint_folder=folder,
        digest=digest,
        report=keep,
    )
    return Outcome(result, events, network)


def train_in_process(folder: Path, told: Connection) -> None:
    """Train the `LONG` toy; tell each event's kind and at the end the weights' sha256."""

    def report(event: Event) -> None:
        told.send(event.kind)
        # Keeps a fast machine from finishing before it can be killed.
        time.sleep(SECONDS_PER_EVENT)

    told.send(train_toy(folder, settings=LONG, examples=LONG_EXAMPLES, report=report).digest())
