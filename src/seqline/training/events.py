"""What training reports while it runs; the stage turns it into a progress bar, plain lines or JSON lines.

Every event is plain values, so `dataclasses.asdict(event)` is JSON, `kind` included.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class EpochRecord:
    """One epoch of the history. Holds no times: the history is the same bytes in every run.

    Attributes:
        epoch: From 1.
        step: Optimiser steps since the start of training.
        train_loss: Mean over the epoch's examples, dropout on, weights moving.
        valid: What `score` gave on the valid split: at least loss, accuracy and macro_f1.
        learning_rate: Of the epoch's last step.
        is_best: Better by the monitored metric than every epoch before.
    """

    epoch: int
    step: int
    train_loss: float
    valid: dict[str, float]
    learning_rate: float
    is_best: bool

    def figures(self) -> dict[str, float]:
        """Flatten the epoch to JSON values, `valid_` in front of what was measured on valid."""
        return {
            "epoch": self.epoch,
            "step": self.step,
            "learning_rate": self.learning_rate,
            "train_loss": self.train_loss,
            **{f"valid_{name}": value for name, value in self.valid.items()},
        }


@dataclass(frozen=True)
class Started:
    """The arithmetic of the run, before its first step.

    Attributes:
        parameters: Trained numbers.
        examples: Of the train split.
        valid_examples: Of the valid split.
        steps_per_epoch: Optimiser steps.
        epochs: At most; early stopping may end sooner.
        tokens_per_epoch: Real steps of all training sequences, padding left out.
        padding_share: Of the steps in the first epoch's batches, 0 to 1.
        device: `cpu` or `cuda`.
        precision: `fp32` or `bf16`.
        threads: Of the CPU.
    """

    parameters: int
    examples: int
    valid_examples: int
    steps_per_epoch: int
    epochs: int
    tokens_per_epoch: int
    padding_share: float
    device: str
    precision: str
    threads: int
    kind: Literal["started"] = "started"


@dataclass(frozen=True)
class CheckpointRejected:
    """A checkpoint that was found and not used, and why: one line for the user."""

    reason: str
    kind: Literal["checkpoint_rejected"] = "checkpoint_rejected"


@dataclass(frozen=True)
class Resumed:
    """Training goes on from a checkpoint.

    Attributes:
        epoch: The epoch under way, from 1; one past the last when a finished training is taken up again.
        batch: Batches of it done.
        step: Optimiser steps done in all.
    """

    epoch: int
    batch: int
    step: int
    kind: Literal["resumed"] = "resumed"


@dataclass(frozen=True)
class Progress:
    """Within an epoch, about fifty times.

    Attributes:
        epoch: From 1.
        batch: Batches of this epoch done.
        steps_per_epoch: Batches of an epoch.
        train_loss: Mean over this epoch's examples so far.
        tokens_per_second: Real tokens since the last progress.
    """

    epoch: int
    batch: int
    steps_per_epoch: int
    train_loss: float
    tokens_per_second: float
    kind: Literal["progress"] = "progress"


@dataclass(frozen=True)
class EpochEnd:
    """An epoch was trained and scored on valid."""

    record: EpochRecord
    seconds: float
    kind: Literal["epoch_end"] = "epoch_end"


@dataclass(frozen=True)
class StoppedEarly:
    """No better monitored metric for `patience` epochs."""

    epoch: int
    best_epoch: int
    patience: int
    kind: Literal["stopped_early"] = "stopped_early"


Event = Started | CheckpointRejected | Resumed | Progress | EpochEnd | StoppedEarly
Report = Callable[[Event], None]
