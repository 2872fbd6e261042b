from __future__ import annotations

import torch

from seqline.nn.alignment import align_left, reversal_index, take_steps


def test_rows_padded_before_after_and_on_both_sides_become_the_same() -> None:
    inputs = torch.tensor([[5, 6, 7, 0, 0], [0, 0, 5, 6, 7], [9, 5, 6, 7, 9], [0, 0, 0, 0, 8]])
    mask = torch.tensor([[1, 1, 1, 0, 0], [0, 0, 1, 1, 1], [0, 1, 1, 1, 0], [0, 0, 0, 0, 1]]).bool()
    aligned, aligned_mask = align_left(inputs, mask.sum(1), mask)
    assert aligned_mask.tolist() == [[True] * 3, [True] * 3, [True] * 3, [True, False, False]]
    assert aligned[:3].tolist() == [[5, 6, 7]] * 3
    assert aligned[3, 0] == 8


def test_columns_that_are_padding_everywhere_are_dropped() -> None:
    inputs = torch.tensor([[5, 6, 0, 0], [7, 0, 0, 0]])
    aligned, aligned_mask = align_left(inputs, torch.tensor([2, 1]), inputs > 0)
    assert aligned.tolist() == [[5, 6], [7, 0]]
    assert aligned_mask.tolist() == [[True, True], [True, False]]


def test_reversal_stays_within_each_length_and_undoes_itself() -> None:
    values = torch.arange(12.0).reshape(3, 4, 1)
    index = reversal_index(torch.tensor([4, 2, 1]), 4)
    reversed_values = take_steps(values, index)
    assert reversed_values.squeeze(-1).tolist() == [[3, 2, 1, 0], [5, 4, 6, 7], [8, 9, 10, 11]]
    assert torch.equal(take_steps(reversed_values, index), values)


def test_gradients_return_to_the_step_they_came_from() -> None:
    values = torch.zeros(2, 3, 1, requires_grad=True)
    index = reversal_index(torch.tensor([3, 2]), 3)
    (take_steps(values, index).squeeze(-1) * torch.tensor([[1.0, 2, 3], [4, 5, 6]])).sum().backward()
    assert values.grad is not None
    assert values.grad.squeeze(-1).tolist() == [[3, 2, 1], [5, 4, 6]]
