"""From arrays to padded, masked batches of similar length.

Length buckets keep the padding small without packed sequences, which lose the fast kernels on CPUs (docs/decisions.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from seqline.batch import SequenceBatch
from seqline.data.arrays import SequenceArrays

if TYPE_CHECKING:
    from collections.abc import Sequence

# Shuffled examples are sorted by length within pools of this many batches: random enough to learn from, with a padding
# share of a few per cent.
POOL_BATCHES = 50

Indices = npt.NDArray[np.int64]


def bucketed(lengths: Indices, *, batch_size: int, rng: np.random.Generator | None) -> list[Indices]:
    """Deal examples into batches of similar length.

    Args:
        lengths: int64 (N,).
        batch_size: Examples a batch; the last ones of a pool may be fewer.
        rng: Shuffles examples and batches; None sorts all by length, for evaluation.

    Returns:
        Index arrays; together each example once.
    """
    if rng is None:
        order = np.argsort(lengths, kind="stable")
        return [order[start : start + batch_size] for start in range(0, len(order), batch_size)]
    shuffled = rng.permutation(len(lengths))
    pool = batch_size * POOL_BATCHES
    batches: list[Indices] = []
    for start in range(0, len(shuffled), pool):
        members = shuffled[start : start + pool]
        members = members[np.argsort(lengths[members], kind="stable")]
        batches += [members[i : i + batch_size] for i in range(0, len(members), batch_size)]
    return [batches[i] for i in rng.permutation(len(batches))]


def pad(sequences: Sequence[npt.NDArray[np.integer]], *, width: int, before: bool) -> tuple[Indices, Indices]:
    """Pad sequences with id 0 to one width.

    Args:
        sequences: (T,) each, T <= width.
        width: Steps of the result.
        before: Padding stands before the real steps instead of after them.

    Returns:
        int64 (B, width) ids and int64 (B,) lengths.
    """
    lengths = np.asarray([len(ids) for ids in sequences], dtype=np.int64)
    padded = np.zeros((len(sequences), width), dtype=np.int64)
    for row, ids in enumerate(sequences):
        if before:
            padded[row, width - len(ids) :] = ids
        else:
            padded[row, : len(ids)] = ids
    return padded, lengths


def batch_of(
    sequences: Sequence[npt.NDArray[np.integer]],
    *,
    targets: Indices | None = None,
    padding: str = "bucket",
    max_length: int = 0,
) -> SequenceBatch:
    """A masked batch of some sequences.

    Args:
        sequences: (T,) token ids each, T >= 1.
        targets: int64 (B,), or None.
        padding: `bucket` pads to the longest of these sequences; `before` and `after` to `max_length`.
        max_length: Width for `before` and `after`.
    """
    import torch

    width = max(len(ids) for ids in sequences) if padding == "bucket" else max_length
    padded, lengths = pad(sequences, width=width, before=padding == "before")
    steps = np.arange(width)
    mask = steps >= width - lengths[:, None] if padding == "before" else steps < lengths[:, None]
    return SequenceBatch(
        inputs=torch.from_numpy(padded),
        lengths=torch.from_numpy(lengths),
        mask=torch.from_numpy(mask),
        targets=None if targets is None else torch.from_numpy(np.array(targets, dtype=np.int64)),
    )


def collate(arrays: SequenceArrays, indices: Indices, *, padding: str, max_length: int) -> SequenceBatch:
    """The batch of some examples of a split."""
    return batch_of(
        [arrays.sequence(int(i)) for i in indices],
        targets=arrays.targets[indices],
        padding=padding,
        max_length=max_length,
    )
