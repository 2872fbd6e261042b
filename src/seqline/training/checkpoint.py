"""Checkpoints that survive a kill at any instant: safetensors and JSON, no pickle.

A checkpoint is a JSON file that names tensor files with their sha256 and carries a sha256 of itself. The
tensor files are written first under fresh names; the one rename of the JSON file makes the checkpoint exist.
The last two are kept, so damage to the newest costs a few steps, not the run.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
import torch

from seqline.errors import InputError, SeqlineError
from seqline.files import atomic_write, read_json, sha256_json, write_json
from seqline.training.events import EpochRecord

Tensors = dict[str, torch.Tensor]

KEPT = 2
# Files of ours, temporaries of an interrupted write included; nothing else in the folder is ever touched.
_OURS = re.compile(r"\.?(checkpoint|state|best)-(\d{6})\.(json|safetensors)(\..*\.tmp)?")


@dataclass(frozen=True)
class Position:
    """How far training is, besides its tensors.

    Attributes:
        epoch: The epoch under way, from 1.
        batch: Batches of it done; all of them done means that its validation is next.
        step: Optimiser steps done in all epochs.
        loss_sum: Sum of this epoch's losses, one an example.
        examples: Examples of this epoch done.
        seconds: Spent on training so far, earlier processes included.
        history: The epochs that were scored.
    """

    epoch: int = 1
    batch: int = 0
    step: int = 0
    loss_sum: float = 0.0
    examples: int = 0
    seconds: float = 0.0
    history: tuple[EpochRecord, ...] = ()

    @property
    def best_epoch(self) -> int:
        """The epoch with the best monitored metric, the earliest of equals; 0 before the first was scored."""
        return max((record.epoch for record in self.history if record.is_best), default=0)


@dataclass(frozen=True)
class Checkpoint:
    """What was read back.

    Attributes:
        position: How far training was.
        state: Network, optimiser and random states.
        best: The network's tensors after its best epoch; empty before the first was scored.
    """

    position: Position
    state: Tensors
    best: Tensors


@dataclass(frozen=True)
class _StoredTensors:
    """A tensor file and what it stands for: the step of a state, the epoch of a best network."""

    of: int
    file: str
    sha256: str


class CheckpointStore:
    """The checkpoints of one training run.

    Args:
        folder: Made if missing. Holds at most `KEPT` checkpoints, and one more while that is being written.
        identity: Digest of what decides the outcome; a checkpoint of another identity is never used.
    """

    def __init__(self, *, folder: Path, identity: str) -> None:
        self._folder = folder
        self._identity = identity
        self._number = max((number for number, _ in self._files()), default=0)
        self._state: _StoredTensors | None = None
        self._best: _StoredTensors | None = None

    def load(self) -> tuple[Checkpoint | None, list[str]]:
        """Read the newest checkpoint that is whole and of this run; delete those that are not.

        Returns:
            The checkpoint, or None to start anew; and a line for each one that was rejected.
        """
        rejected: list[str] = []
        for path in sorted(self._folder.glob("checkpoint-*.json"), reverse=True):
            try:
                checkpoint = self._read(path)
            except (SeqlineError, safetensors.SafetensorError, KeyError, TypeError, ValueError) as error:
                reason = (
                    str(error) if isinstance(error, SeqlineError) else f"{path}: not readable ({error!r})"
                )
                rejected.append(reason)
                path.unlink(missing_ok=True)
                continue
            return checkpoint, rejected
        self.clear()
        return None, rejected

    def save(self, position: Position, state: Tensors, best: Tensors) -> None:
        """Write a checkpoint; the ones before it stay whole until it is.

        Tensors that the last checkpoint holds already (same step, same best epoch) are not written again.

        Raises:
            SeqlineError: The folder cannot be written, because the disk is full for instance.
        """
        self._number += 1
        try:
            if self._state is None or self._state.of != position.step:
                self._state = self._write_tensors("state", position.step, state)
            if best and (self._best is None or self._best.of != position.best_epoch):
                self._best = self._write_tensors("best", position.best_epoch, best)
            content = {
                "identity": self._identity,
                "position": asdict(position),
                "state": asdict(self._state),
                "best": asdict(self._best) if self._best else None,
            }
            path = self._folder / f"checkpoint-{self._number:06}.json"
            write_json(path, {"checkpoint": content, "sha256": sha256_json(content)})
            self._delete_stale()
        except OSError as error:
            # What was written last may not be on the disk.
            self._state = self._best = None
            raise SeqlineError(
                str(self._folder),
                f"a checkpoint could not be written ({error})",
                hint="free disk space or make the folder writable; a rerun goes on from the last checkpoint",
            ) from error

    def clear(self) -> None:
        """Delete every checkpoint."""
        for _, path in self._files():
            path.unlink(missing_ok=True)
        self._state = self._best = None

    def _files(self) -> list[tuple[int, Path]]:
        if not self._folder.is_dir():
            return []
        matches = [(_OURS.fullmatch(path.name), path) for path in self._folder.iterdir()]
        return sorted((int(match[2]), path) for match, path in matches if match)

    def _write_tensors(self, role: str, of: int, tensors: Tensors) -> _StoredTensors:
        # Copies: safetensors refuses tensors that share memory, as tied weights and cuDNN's do.
        copies = {name: t.detach().to("cpu", copy=True).contiguous() for name, t in tensors.items()}
        content = safetensors.torch.save(copies)
        name = f"{role}-{self._number:06}.safetensors"
        atomic_write(self._folder / name, content)
        return _StoredTensors(of, name, hashlib.sha256(content).hexdigest())

    def _read(self, path: Path) -> Checkpoint:
        wrapped = read_json(path)
        content: dict[str, Any] = wrapped["checkpoint"]
        if sha256_json(content) != wrapped["sha256"]:
            raise SeqlineError(str(path), "damaged: its sha256 differs from the one recorded")
        if content["identity"] != self._identity:
            raise SeqlineError(
                str(path), "of other data, another recipe or another machine's arithmetic: not used"
            )
        values = content["position"]
        position = Position(
            **{**values, "history": tuple(EpochRecord(**record) for record in values["history"])}
        )
        self._state = _StoredTensors(**content["state"])
        self._best = _StoredTensors(**content["best"]) if content["best"] else None
        return Checkpoint(
            position, self._read_tensors(self._state), self._read_tensors(self._best) if self._best else {}
        )

    def _read_tensors(self, stored: _StoredTensors) -> Tensors:
        path = self._folder / stored.file
        try:
            content = path.read_bytes()
        except OSError as error:
            raise InputError(str(path), f"not readable ({error})") from None
        if hashlib.sha256(content).hexdigest() != stored.sha256:
            raise SeqlineError(str(path), "damaged: its sha256 differs from the one recorded")
        return safetensors.torch.load(content)

    def _delete_stale(self) -> None:
        kept = sorted(self._folder.glob("checkpoint-*.json"))[-KEPT:]
        needed = {path.name for path in kept}
        for path in kept:
            content = read_json(path)["checkpoint"]
            needed |= {content[role]["file"] for role in ("state", "best") if content[role]}
        for _, path in self._files():
            if path.name not in needed:
                path.unlink(missing_ok=True)
