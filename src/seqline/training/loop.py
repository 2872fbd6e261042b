"""The training loop: epochs of length-bucketed batches, validation, the best epoch, exact resume.

It knows no task: the loss and the score are functions it is given. Whatever decides what happens next
(position, history, tensors, random states) is in the checkpoint, so a killed run ends with the bytes of an
unbroken one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import NoReturn

import numpy as np
import torch
from torch import nn

from seqline.batch import SequenceBatch
from seqline.errors import InputError, SeqlineError
from seqline.files import sha256_json
from seqline.recipe import TrainingSection
from seqline.training import optim, precision, seeding
from seqline.training.adversarial import EmbeddingAdversary
from seqline.training.batches import Batches
from seqline.training.checkpoint import Checkpoint, CheckpointStore, Position, Tensors
from seqline.training.events import (
    CheckpointRejected,
    EpochEnd,
    EpochRecord,
    Progress,
    Report,
    Resumed,
    Started,
    StoppedEarly,
)

Loss = Callable[[torch.Tensor, SequenceBatch], torch.Tensor]
Tally = Callable[[torch.Tensor, SequenceBatch], torch.Tensor]
Score = Callable[[torch.Tensor], dict[str, float]]

PROGRESS_PER_EPOCH = 50
_NETWORK, _OPTIMIZER, _RANDOM, _CARRIED = "network/", "optimizer/", "random/", "carried/"


@dataclass(frozen=True)
class FitResult:
    """A finished training.

    Attributes:
        history: One record an epoch.
        best_epoch: From 1: the best by the monitored metric on valid, the earliest of equals.
        best_state: The network's tensors after that epoch, on the CPU.
        seconds: Spent on training, killed processes included up to their last checkpoint.
        resumed_from: Optimiser step of the checkpoint this process began with; None when it began anew.
    """

    history: list[EpochRecord]
    best_epoch: int
    best_state: Tensors
    seconds: float
    resumed_from: int | None


def fit(
    *,
    network: nn.Module,
    train: Batches,
    valid: Batches,
    loss: Loss,
    tally: Tally,
    score: Score,
    settings: TrainingSection,
    falls: bool,
    checkpoint_folder: Path,
    digest: str,
    report: Report,
) -> FitResult:
    """Train a network, resuming from this run's checkpoint where there is one.

    Call `seeding.set_determinism` before building the network: its first weights are the caller's. Afterwards
    the network holds the weights of the last epoch; `best_state` holds those of the best.

    Args:
        network: Maps a `SequenceBatch` to outputs with B first.
        train: Learnt from.
        valid: Scored after each epoch, in fp32 and without autocast, as a served model would be.
        loss: Mean over the batch's examples, from fp32 outputs and the batch.
        tally: What each example of a batch adds to the figures, (B, K) on the CPU, from fp32 outputs and the batch.
        score: From the tallies of all of `valid`, in its order, to at least `loss` and the monitored figure.
        settings: The recipe's training section.
        falls: Whether less of the monitored figure is better.
        checkpoint_folder: Of this run alone. The caller deletes it once the result is stored.
        digest: Of data, recipe and code: what decides the outcome. A checkpoint of another one is not used.
        report: Gets an event whenever there is something to tell.

    Raises:
        InputError: An empty split, or a device that is not there.
        SeqlineError: A loss, gradient norm or score that is not finite, before it could do harm; or a
            checkpoint that could not be written.
    """
    for name, split in (("train", train), ("valid", valid)):
        if len(split.arrays) == 0:
            raise InputError(
                f"split {name}", "it has no examples", "at least one", "add data or raise split.valid"
            )
    trainer = _Trainer(
        network=network,
        train=train,
        valid=valid,
        loss=loss,
        tally=tally,
        score=score,
        settings=settings,
        falls=falls,
        checkpoint_folder=checkpoint_folder,
        digest=digest,
        report=report,
    )
    trainer.start()
    while not trainer.finished():
        trainer.train_epoch()
        trainer.validate()
    return trainer.result()


class _Trainer:
    """The state of one `fit`: what its epochs and validations share."""

    def __init__(
        self,
        *,
        network: nn.Module,
        train: Batches,
        valid: Batches,
        loss: Loss,
        tally: Tally,
        score: Score,
        settings: TrainingSection,
        falls: bool,
        checkpoint_folder: Path,
        digest: str,
        report: Report,
    ) -> None:
        self._train, self._valid = train, valid
        self._loss, self._tally, self._score, self._report = loss, tally, score, report
        self._settings, self._falls = settings, falls
        self._device = precision.resolve_device(settings.device)
        self._precision = precision.resolve(settings.precision, self._device)
        seeding.set_determinism(seed=settings.seed, threads=settings.threads, stream=seeding.DROPOUT_STREAM)
        self._network = network.to(self._device)
        self._optimizer = optim.build_optimizer(self._network, settings)
        self._schedule = optim.SCHEDULES[settings.schedule]
        radius = settings.adversarial_radius
        self._adversary = EmbeddingAdversary(self._network, radius=radius) if radius > 0 else None
        self._store = CheckpointStore(folder=checkpoint_folder, identity=self._identity(digest))
        self._steps_per_epoch = len(train.shuffled(seed=settings.seed, epoch=1))
        self._position = Position()
        self._best: Tensors = {}
        self._resumed_from: int | None = None

    def start(self) -> None:
        """Report the run's arithmetic and take up this run's checkpoint."""
        self._report(self._arithmetic())
        checkpoint, rejected = self._store.load()
        for reason in rejected:
            self._report(CheckpointRejected(reason))
        if checkpoint is not None:
            self._restore(checkpoint)
            position = self._position
            self._report(Resumed(epoch=position.epoch, batch=position.batch, step=position.step))
        self._clock = perf_counter() - self._position.seconds

    def finished(self) -> bool:
        """Whether all epochs are done or early stopping ends them; the latter is reported."""
        history, patience = self._position.history, self._settings.early_stopping
        if len(history) >= self._settings.epochs:
            return True
        best_epoch = self._position.best_epoch
        if patience and history and history[-1].epoch - best_epoch >= patience:
            self._report(StoppedEarly(epoch=history[-1].epoch, best_epoch=best_epoch, patience=patience))
            return True
        return False

    def train_epoch(self) -> None:
        """Train the rest of the epoch under way."""
        self._network.train()
        every = max(1, self._steps_per_epoch // PROGRESS_PER_EPOCH)
        tokens, since = 0, perf_counter()
        dealt = self._train.shuffled(seed=self._settings.seed, epoch=self._position.epoch)
        for batch in self._train.collate(dealt[self._position.batch :]):
            tokens += int(batch.lengths.sum())
            value = self._step(batch)
            position = self._position = replace(
                self._position,
                batch=self._position.batch + 1,
                step=self._position.step + 1,
                loss_sum=self._position.loss_sum + value * len(batch.lengths),
                examples=self._position.examples + len(batch.lengths),
            )
            is_last = position.batch == self._steps_per_epoch
            if is_last or position.batch % every == 0:
                mean, now = position.loss_sum / position.examples, perf_counter()
                self._report(
                    Progress(
                        position.epoch, position.batch, self._steps_per_epoch, mean, tokens / (now - since)
                    )
                )
                tokens, since = 0, now
            if is_last or position.step % self._settings.checkpoint_steps == 0:
                self._save()

    def validate(self) -> None:
        """Score the epoch on valid and begin the next one."""
        position = self._position
        scores = self._score(self._valid_tallies())
        for name, value in scores.items():
            if not math.isfinite(value):
                self._stop(f"the {name} on valid is {value}")
        record = EpochRecord(
            epoch=position.epoch,
            step=position.step,
            train_loss=position.loss_sum / position.examples,
            valid=scores,
            learning_rate=self._learning_rate(step=position.step - 1),
            is_best=self._is_best(scores[self._settings.monitor]),
        )
        if record.is_best:
            self._best = {name: value.cpu().clone() for name, value in self._network.state_dict().items()}
        self._position = Position(
            epoch=position.epoch + 1,
            step=position.step,
            seconds=position.seconds,
            history=(*position.history, record),
        )
        self._save()
        self._report(EpochEnd(record, seconds=self._position.seconds))

    def result(self) -> FitResult:
        """Return what the training came to."""
        position = self._position
        return FitResult(
            list(position.history), position.best_epoch, self._best, position.seconds, self._resumed_from
        )

    def _step(self, batch: SequenceBatch) -> float:
        """One optimiser step; the batch's mean loss before it."""
        batch = batch.to(self._device)
        self._optimizer.zero_grad(set_to_none=True)
        value = self._backward(batch)
        if self._adversary is not None:
            with self._adversary.attacking():
                self._backward(batch)
        norm = optim.gradient_norm(self._network, clip_norm=self._settings.clip_norm)
        if not math.isfinite(norm):
            self._stop(f"the gradient norm is {norm}")
        for group in self._optimizer.param_groups:
            group["lr"] = self._learning_rate(step=self._position.step)
        self._optimizer.step()
        return value

    def _backward(self, batch: SequenceBatch) -> float:
        """Add the gradient of the batch's mean loss; returns that loss."""
        with precision.autocast(self._precision, self._device):
            logits = self._network(batch)
        loss = self._loss(logits.float(), batch)
        value = loss.item()
        if not math.isfinite(value):
            self._stop(f"the loss is {value}")
        loss.backward()
        return value

    def _stop(self, found: str) -> NoReturn:
        position, settings = self._position, self._settings
        raise SeqlineError(
            f"training, epoch {position.epoch}, step {position.step + 1}",
            f"{found}; stopped before the optimiser step",
            "a finite number",
            f"lower training.learning_rate (now {settings.learning_rate:g}) or training.clip_norm (now "
            f"{settings.clip_norm:g}; 0 is no clipping)",
        )

    def _valid_tallies(self) -> torch.Tensor:
        self._network.eval()
        order = self._valid.by_length()
        found = []
        with torch.inference_mode():
            for batch in self._valid.collate(order):
                moved = batch.to(self._device)
                found.append(self._tally(self._network(moved).float(), moved))
        tallies = torch.cat(found)
        in_order = torch.empty_like(tallies)
        in_order[torch.from_numpy(np.concatenate(order))] = tallies
        return in_order

    def _is_best(self, value: float) -> bool:
        monitor = self._settings.monitor
        earlier = [record.valid[monitor] for record in self._position.history]
        return all(value < other if self._falls else value > other for other in earlier)

    def _learning_rate(self, *, step: int) -> float:
        losses = [record.valid["loss"] for record in self._position.history]
        total_steps = self._steps_per_epoch * self._settings.epochs
        return self._settings.learning_rate * self._schedule(step, total_steps, losses)

    def _save(self) -> None:
        self._position = replace(self._position, seconds=perf_counter() - self._clock)
        state = {_NETWORK + name: value for name, value in self._network.state_dict().items()}
        state |= {
            _OPTIMIZER + name: value for name, value in optim.optimizer_tensors(self._optimizer).items()
        }
        state |= {_RANDOM + name: value for name, value in seeding.random_state(self._device).items()}
        # What the next batch reads on from is no weight, but an epoch that was broken off needs it.
        state |= {_CARRIED + name: value for name, value in getattr(self._network, "carried", {}).items()}
        self._store.save(self._position, state, self._best)

    def _restore(self, checkpoint: Checkpoint) -> None:
        def below(prefix: str) -> Tensors:
            return {
                name.removeprefix(prefix): t
                for name, t in checkpoint.state.items()
                if name.startswith(prefix)
            }

        self._network.load_state_dict(below(_NETWORK))
        optim.restore_optimizer(self._optimizer, below(_OPTIMIZER))
        seeding.restore_random_state(below(_RANDOM), self._device)
        take_up: Callable[[Tensors], None] | None = getattr(self._network, "restore_carried", None)
        if take_up is not None:
            take_up(below(_CARRIED))
        self._position, self._best = checkpoint.position, checkpoint.best
        self._resumed_from = checkpoint.position.step

    def _identity(self, digest: str) -> str:
        return sha256_json(
            {
                "digest": digest,
                "settings": self._settings.model_dump(mode="json"),
                "device": self._device.type,
                "precision": self._precision,
                "torch": torch.__version__,
            }
        )

    def _arithmetic(self) -> Started:
        first_epoch = self._train.shuffled(seed=self._settings.seed, epoch=1)
        return Started(
            parameters=sum(p.numel() for p in self._network.parameters() if p.requires_grad),
            examples=len(self._train.arrays),
            valid_examples=len(self._valid.arrays),
            steps_per_epoch=self._steps_per_epoch,
            epochs=self._settings.epochs,
            tokens_per_epoch=int(self._train.arrays.lengths.sum()),
            padding_share=self._train.padding_share(first_epoch),
            device=self._device.type,
            precision=self._precision,
            threads=self._settings.threads,
        )
