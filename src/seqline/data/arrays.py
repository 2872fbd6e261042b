"""Encoded sequences on disk: one flat array of ids with offsets, memory-mapped, never padded.

Legend: N sequences, L total number of steps.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from seqline.errors import InputError
from seqline.files import atomic_write


@dataclass(frozen=True)
class SequenceArrays:
    """The sequences of one split.

    Attributes:
        ids: uint16 or int32 (L,), memory-mapped: all sequences one after the other.
        offsets: int64 (N + 1,): sequence i is `ids[offsets[i]:offsets[i + 1]]`.
        targets: int64 (N,).
    """

    ids: npt.NDArray[np.integer]
    offsets: npt.NDArray[np.int64]
    targets: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """int64 (N,), each at least 1."""
        return np.diff(self.offsets)

    def sequence(self, index: int) -> npt.NDArray[np.integer]:
        """The ids of one sequence, (T,)."""
        return self.ids[self.offsets[index] : self.offsets[index + 1]]


def from_sequences(
    sequences: Iterable[npt.NDArray[np.int64]],
    targets: Sequence[int] | npt.NDArray[np.int64],
    *,
    vocab_size: int,
) -> SequenceArrays:
    """Flatten sequences into arrays.

    Args:
        sequences: int64 (T,) each.
        targets: One a sequence.
        vocab_size: Decides the width of an id: 16 bits where they suffice.
    """
    width = np.uint16 if vocab_size <= np.iinfo(np.uint16).max + 1 else np.int32
    pieces = [np.asarray(ids, dtype=width) for ids in sequences]
    offsets = np.zeros(len(pieces) + 1, dtype=np.int64)
    np.cumsum([len(piece) for piece in pieces], out=offsets[1:])
    flat: npt.NDArray[Any] = np.concatenate(pieces) if pieces else np.zeros(0, dtype=width)
    return SequenceArrays(flat, offsets, np.asarray(targets, dtype=np.int64))


def _save(path: Path, array: npt.NDArray[np.generic]) -> None:
    def write(temporary: Path) -> None:
        with temporary.open("wb") as handle:
            np.save(handle, array, allow_pickle=False)

    atomic_write(path, write)


def write_arrays(folder: Path, split: str, arrays: SequenceArrays) -> None:
    """Write `SPLIT.ids.npy`, `SPLIT.offsets.npy` and `SPLIT.targets.npy`."""
    for part in ("ids", "offsets", "targets"):
        _save(folder / f"{split}.{part}.npy", getattr(arrays, part))


def read_arrays(folder: Path, split: str) -> SequenceArrays:
    """Map one split into memory, read only."""
    parts = {}
    for part in ("ids", "offsets", "targets"):
        path = folder / f"{split}.{part}.npy"
        if not path.is_file():
            raise InputError(str(path), "no such file", hint="run `seqline prepare` first")
        # numpy cannot map an empty array.
        mode: Literal["r"] | None = (
            "r" if part == "ids" and path.stat().st_size > np.lib.format.MAGIC_LEN + 200 else None
        )
        parts[part] = np.load(path, mmap_mode=mode, allow_pickle=False)
    return SequenceArrays(**parts)
