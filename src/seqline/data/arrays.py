"""Encoded sequences on disk: flat arrays with offsets, memory-mapped, never padded.

Legend: N sequences, B of them that are asked for, L total number of steps, D features, U total number of target steps.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from seqline.errors import InputError
from seqline.files import atomic_write

Array = npt.NDArray[Any]
# One number or vector a sequence in one array, or an array of its own for each.
Targets = Array | Sequence[Array]
_STEPS, _ROWS = "steps", "rows"


@dataclass(frozen=True)
class Taken:
    """Some examples of a split, in the order they were asked for.

    Attributes:
        sequences: (T,) token ids or float32 (T, D) features each.
        targets: An array (B, ...) with one a sequence, or a list of arrays of unequal lengths.
        extras: By name an array for each sequence: (T, ...) features of its steps, (...) features of the sequence.
    """

    sequences: list[Array]
    targets: Targets
    extras: Mapping[str, Sequence[Array]]


class Examples(Protocol):
    """The examples of one split, read when a batch is made of them."""

    def __len__(self) -> int: ...

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Steps of each, int64 (N,), at least 1."""
        ...

    @property
    def steps(self) -> Array:
        """Ids of all steps, any shape, or float32 (M, D) features of so many steps that their quantiles are known."""
        ...

    def take(self, indices: npt.NDArray[np.int64]) -> Taken:
        """Some of them, int64 (B,)."""
        ...


@dataclass(frozen=True)
class SequenceArrays:
    """The sequences of one split.

    Attributes:
        steps: uint16 or int32 (L,) token ids, or float32 (L, D) features, memory-mapped: all sequences one after the other.
        offsets: int64 (N + 1,): sequence i is `steps[offsets[i]:offsets[i + 1]]`.
        targets: int64 or float32, (N, ...) with one a sequence, or (U, ...) one after the other.
        target_offsets: int64 (N + 1,) where sequences have targets of unequal lengths; else None.
        step_extras: Further features of each step, (L, ...), by name.
        row_extras: Further features of each sequence, (N, ...), by name.
    """

    steps: Array
    offsets: npt.NDArray[np.int64]
    targets: Array
    target_offsets: npt.NDArray[np.int64] | None = None
    step_extras: Mapping[str, Array] = field(default_factory=dict)
    row_extras: Mapping[str, Array] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """int64 (N,), each at least 1."""
        return np.diff(self.offsets)

    def sequence(self, index: int) -> Array:
        """The steps of one sequence, (T,) or (T, D)."""
        return self.steps[self.offsets[index] : self.offsets[index + 1]]

    def target(self, index: int) -> Any:
        """The target of one sequence: a number, or an array."""
        if self.target_offsets is None:
            return self.targets[index]
        return self.targets[self.target_offsets[index] : self.target_offsets[index + 1]]

    def take(self, indices: npt.NDArray[np.int64]) -> Taken:
        """Some examples, int64 (B,)."""
        ragged = self.target_offsets is not None
        return Taken(
            [self.sequence(int(i)) for i in indices],
            [self.target(int(i)) for i in indices] if ragged else self.targets[indices],
            self.extras(indices),
        )

    def extras(self, indices: npt.NDArray[np.int64]) -> dict[str, list[Array]]:
        """The further features of some sequences, by name: those of steps (T, ...) each, those of sequences (...)."""
        found = {
            name: [values[self.offsets[i] : self.offsets[i + 1]] for i in indices]
            for name, values in self.step_extras.items()
        }
        return found | {name: [values[i] for i in indices] for name, values in self.row_extras.items()}


def from_sequences(
    sequences: Iterable[Array],
    targets: Targets | Sequence[int] | Sequence[float],
    *,
    vocab_size: int | None = None,
    step_extras: Mapping[str, Sequence[Array]] | None = None,
    row_extras: Mapping[str, Array] | None = None,
) -> SequenceArrays:
    """Flatten sequences into arrays.

    Args:
        sequences: int64 (T,) token ids or float (T, D) features each.
        targets: One a sequence: numbers, an array (N, ...), or a list of arrays of unequal lengths.
        vocab_size: Of ids: 16 bits where they suffice. None for features.
        step_extras: By name an array (T, ...) for each sequence.
        row_extras: By name an array (N, ...).
    """
    wide = vocab_size is None or vocab_size > np.iinfo(np.uint16).max + 1
    kind: Any = np.float32 if vocab_size is None else np.int32 if wide else np.uint16
    pieces = [np.asarray(steps, dtype=kind) for steps in sequences]
    flat_targets, target_offsets = _flat_targets(targets)
    return SequenceArrays(
        _joined(pieces, kind),
        _offsets(pieces),
        flat_targets,
        target_offsets,
        {name: _joined(values, None) for name, values in (step_extras or {}).items()},
        dict(row_extras or {}),
    )


def _flat_targets(
    targets: Targets | Sequence[int] | Sequence[float],
) -> tuple[Array, npt.NDArray[np.int64] | None]:
    if not isinstance(targets, np.ndarray) and len(targets) and isinstance(targets[0], np.ndarray):
        pieces = [_plain(target) for target in targets]
        return np.concatenate(pieces), _offsets(pieces)
    return _plain(targets), None


def _plain(values: Any) -> Array:
    """Whole numbers as int64, others as float32; an empty list as int64."""
    array = np.asarray(values)
    whole = array.dtype.kind in "iub" or not array.size
    return array.astype(np.int64 if whole else np.float32)


def _joined(pieces: Sequence[Array], kind: Any) -> Array:
    return np.concatenate(pieces) if pieces else np.zeros(0, dtype=kind or np.int64)


def _offsets(pieces: Sequence[Array]) -> npt.NDArray[np.int64]:
    offsets = np.zeros(len(pieces) + 1, dtype=np.int64)
    np.cumsum([len(piece) for piece in pieces], out=offsets[1:])
    return offsets


def save_array(path: Path, array: Array) -> None:
    """Write one array, whole or not at all."""

    def write(temporary: Path) -> None:
        with temporary.open("wb") as handle:
            np.save(handle, array, allow_pickle=False)

    atomic_write(path, write)


def write_arrays(folder: Path, split: str, arrays: SequenceArrays) -> None:
    """Write `SPLIT.steps.npy`, `SPLIT.offsets.npy`, `SPLIT.targets.npy`, and what else there is."""
    for part in ("steps", "offsets", "targets"):
        save_array(folder / f"{split}.{part}.npy", getattr(arrays, part))
    if arrays.target_offsets is not None:
        save_array(folder / f"{split}.target_offsets.npy", arrays.target_offsets)
    for kind, extras in ((_STEPS, arrays.step_extras), (_ROWS, arrays.row_extras)):
        for name, values in extras.items():
            save_array(folder / f"{split}.{kind}.{name}.npy", values)


def read_arrays(folder: Path, split: str) -> SequenceArrays:
    """Map one split into memory, read only."""
    further = folder / f"{split}.target_offsets.npy"
    return SequenceArrays(
        steps=load_array(folder / f"{split}.steps.npy"),
        offsets=load_array(folder / f"{split}.offsets.npy", small=True),
        targets=load_array(folder / f"{split}.targets.npy", small=True),
        target_offsets=load_array(further, small=True) if further.is_file() else None,
        step_extras=_extras(folder, split, _STEPS),
        row_extras=_extras(folder, split, _ROWS),
    )


def _extras(folder: Path, split: str, kind: str) -> dict[str, Array]:
    paths = sorted(folder.glob(f"{split}.{kind}.*.npy"))
    return {path.name.split(".")[2]: load_array(path) for path in paths}


def load_array(path: Path, *, small: bool = False) -> Array:
    """Map one array into memory, read only; `small` reads it."""
    if not path.is_file():
        raise InputError(str(path), "no such file", hint="run `seqline prepare` first")
    # numpy cannot map an empty array.
    mapped = not small and path.stat().st_size > np.lib.format.MAGIC_LEN + 200
    loaded: Array = np.load(path, mmap_mode="r" if mapped else None, allow_pickle=False)
    return loaded
