"""From arrays to padded, masked batches of similar length.

Length buckets keep the padding small without packed sequences, which lose the fast kernels on CPUs (docs/decisions.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from seqline.batch import PADDING_ID, SequenceBatch
from seqline.data.arrays import Array, Examples, Targets

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


def pad(sequences: Sequence[Array], *, width: int, before: bool, fill: float = PADDING_ID) -> Array:
    """Pad sequences to one width.

    Args:
        sequences: (T, ...) each, T <= width, of one dtype kind.
        width: Steps of the result.
        before: Padding stands before the real steps instead of after them.
        fill: What stands in the padding.

    Returns:
        int64 or float32 (B, width, ...).
    """
    first = sequences[0]
    kind = np.float32 if first.dtype.kind == "f" else np.int64
    padded = np.full((len(sequences), width, *first.shape[1:]), fill, dtype=kind)
    for row, steps in enumerate(sequences):
        if before:
            padded[row, width - len(steps) :] = steps
        else:
            padded[row, : len(steps)] = steps
    return padded


def batch_of(
    sequences: Sequence[Array],
    *,
    targets: Targets | None = None,
    target_fill: int = PADDING_ID,
    padding: str = "bucket",
    max_length: int = 0,
    extras: Mapping[str, Sequence[Array]] | None = None,
) -> SequenceBatch:
    """A masked batch of some sequences.

    Args:
        sequences: (T,) token ids or (T, D) features each, T >= 1.
        targets: An array (B, ...) with one a sequence, a list of arrays of unequal lengths, or None.
        target_fill: What fills up targets of unequal lengths; their padding always stands after them.
        padding: `bucket` pads to the longest of these sequences; `before` and `after` to `max_length`.
        max_length: Width for `before` and `after`.
        extras: By name an array for each sequence: (T, ...) is padded as the sequences are, others are stacked.
    """
    import torch

    lengths = np.asarray([len(steps) for steps in sequences], dtype=np.int64)
    width = int(lengths.max()) if padding == "bucket" else max_length
    before = padding == "before"
    steps = np.arange(width)
    mask = steps >= width - lengths[:, None] if before else steps < lengths[:, None]
    further = {}
    for name, values in (extras or {}).items():
        along = all(
            value.ndim and len(value) == length for value, length in zip(values, lengths, strict=True)
        )
        laid = pad(values, width=width, before=before) if along else np.stack(values)
        further[name] = torch.from_numpy(laid)
    return SequenceBatch(
        inputs=torch.from_numpy(pad(sequences, width=width, before=before)),
        lengths=torch.from_numpy(lengths),
        mask=torch.from_numpy(mask),
        targets=None if targets is None else torch.from_numpy(_laid_out(targets, target_fill)),
        extras=further,
    )


def _laid_out(targets: Targets, fill: int) -> Array:
    if isinstance(targets, np.ndarray):
        return np.array(targets, dtype=np.float32 if targets.dtype.kind == "f" else np.int64)
    return pad(targets, width=max(len(target) for target in targets), before=False, fill=fill)


def collate(
    examples: Examples, indices: Indices, *, padding: str, max_length: int, target_fill: int = PADDING_ID
) -> SequenceBatch:
    """The batch of some examples of a split."""
    taken = examples.take(indices)
    return batch_of(
        taken.sequences,
        targets=taken.targets,
        target_fill=target_fill,
        padding=padding,
        max_length=max_length,
        extras=taken.extras,
    )
