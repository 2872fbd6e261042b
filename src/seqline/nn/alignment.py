"""Moving the real steps of padded sequences: to the left edge, and into reverse order.

Packed sequences would do both, but with unequal lengths they lose oneDNN's kernels and run 3 to 20 times
slower. Selecting rows costs about as much as copying the batch.

Legend: B batch, T steps, W width of the longest sequence, D features.
"""

from __future__ import annotations

import torch
from torch import Tensor


def align_left(inputs: Tensor, lengths: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Put every sequence's real steps first and drop the columns that are padding in all of them.

    After it, a batch padded before its real steps, after them or to a larger width is the same batch.

    Args:
        inputs: (B, T) ids or (B, T, D) features, each row's real steps in one block.
        lengths: int64 (B,), at least 1.
        mask: bool (B, T), True = real step.

    Returns:
        Inputs (B, W, ...), whatever stood in the padding possibly still there, and their mask bool (B, W).
    """
    steps = torch.arange(int(lengths.max()), device=inputs.device)
    aligned_mask = steps < lengths.unsqueeze(1)
    if bool(mask[:, 0].all()):
        return inputs[:, : len(steps)], aligned_mask
    first_real = mask.to(torch.uint8).argmax(dim=1, keepdim=True)
    index = (first_real + steps).clamp(max=inputs.shape[1] - 1)
    if inputs.ndim == 2:
        return inputs.gather(1, index), aligned_mask
    rows = torch.arange(inputs.shape[0], device=inputs.device).unsqueeze(1)
    return inputs[rows, index], aligned_mask


def reversal_index(lengths: Tensor, width: int) -> Tensor:
    """Where each step of the reversed sequences comes from, for `take_steps`.

    Args:
        lengths: int64 (B,), at least 1 and at most `width`.
        width: T.

    Returns:
        int64 (B * T,), places in the batch's steps laid end to end: step length - 1 - t of the same
        sequence on real steps, t on padding. It is its own inverse.
    """
    steps = torch.arange(width, device=lengths.device)
    mirrored = lengths.unsqueeze(1) - 1 - steps
    row_starts = torch.arange(lengths.shape[0], device=lengths.device).unsqueeze(1) * width
    return (row_starts + torch.where(mirrored >= 0, mirrored, steps)).flatten()


def take_steps(values: Tensor, index: Tensor) -> Tensor:
    """Reorder the steps of each sequence: values (B, T, D) and index int64 (B * T,) to (B, T, D)."""
    # Copies whole steps; torch.gather picks number by number and takes ten times as long.
    return values.flatten(0, 1).index_select(0, index).view_as(values)
