"""What training looks like while it runs: a bar on a terminal, plain lines elsewhere, JSON lines for a flow."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from seqline.training.events import CheckpointRejected, EpochEnd, Progress, Resumed, Started, StoppedEarly

if TYPE_CHECKING:
    from seqline.training.events import Event

# A flow names a file here; each epoch adds a JSON line to it, which the flow carries on to MLflow live.
EVENTS_VARIABLE = "SEQLINE_EVENTS"
# Without a terminal there is no bar; a line says that the work goes on.
_SILENCE_SECONDS = 15.0


def event_line(event: Event) -> str:
    """One line for people about anything but progress."""
    match event:
        case Started():
            return (
                f"{event.parameters:,} parameters; {event.examples:,} examples, {event.tokens_per_epoch:,} tokens and "
                f"{event.steps_per_epoch:,} steps an epoch, {event.padding_share:.1%} padding; {event.device}, "
                f"{event.precision}, {event.threads} threads"
            )
        case Resumed():
            return f"going on from a checkpoint: epoch {event.epoch}, batch {event.batch}, step {event.step}"
        case CheckpointRejected():
            return f"starting anew: {event.reason}"
        case EpochEnd():
            record = event.record
            valid = "  ".join(f"valid {name} {value:.4f}" for name, value in record.valid.items())
            mark = "  best so far" if record.is_best else ""
            return f"epoch {record.epoch}  train loss {record.train_loss:.4f}  {valid}  {event.seconds:.0f} s in all{mark}"
        case StoppedEarly():
            return f"stopped after epoch {event.epoch}: {event.patience} epochs without a better one than {event.best_epoch}"
        case Progress():
            return f"epoch {event.epoch}  step {event.batch} of {event.steps_per_epoch}  train loss {event.train_loss:.4f}"


class TrainingDisplay:
    """Callable that shows each event of a training."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, soft_wrap=True)
        self._events_path = os.environ.get(EVENTS_VARIABLE)
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task("training", total=None)
        self._spoke = time.monotonic()

    def __call__(self, event: Event) -> None:
        if isinstance(event, Progress):
            self._bar.start()
            description = f"epoch {event.epoch}  loss {event.train_loss:.4f}"
            self._bar.update(
                self._task, completed=event.batch, total=event.steps_per_epoch, description=description
            )
            if self._console.is_terminal or time.monotonic() - self._spoke < _SILENCE_SECONDS:
                return
        self._bar.stop()
        self._console.print(event_line(event), markup=False)
        self._spoke = time.monotonic()
        if self._events_path and isinstance(event, EpochEnd):
            with Path(self._events_path).open("a", encoding="utf-8") as handle:
                # The time goes to MLflow only: history.json must be the same bytes in every run.
                figures = {**event.record.figures(), "seconds": event.seconds}
                handle.write(json.dumps(figures, allow_nan=False) + "\n")
