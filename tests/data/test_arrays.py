"""Arrays on disk, buckets and padding."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqline.data.arrays import from_sequences, read_arrays, write_arrays
from seqline.data.collate import POOL_BATCHES, batch_of, bucketed, collate
from seqline.errors import InputError

SEQUENCES = [np.array([5, 6, 7]), np.array([8]), np.array([9, 10])]


@pytest.mark.parametrize(("vocab_size", "dtype"), [(65_536, np.uint16), (65_537, np.int32)])
def test_arrays_come_back_as_written(tmp_path: Path, vocab_size: int, dtype: type) -> None:
    write_arrays(tmp_path, "train", from_sequences(SEQUENCES, [1, 0, 1], vocab_size=vocab_size))
    arrays = read_arrays(tmp_path, "train")
    assert arrays.steps.dtype == dtype
    assert arrays.lengths.tolist() == [3, 1, 2]
    assert [arrays.sequence(i).tolist() for i in range(len(arrays))] == [[5, 6, 7], [8], [9, 10]]
    assert arrays.targets.tolist() == [1, 0, 1]


def test_large_arrays_are_mapped_not_read(tmp_path: Path) -> None:
    write_arrays(tmp_path, "train", from_sequences([np.arange(5_000)], [0], vocab_size=10_000))
    assert isinstance(read_arrays(tmp_path, "train").steps, np.memmap)


def test_a_missing_split_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"valid\.steps\.npy"):
        read_arrays(tmp_path, "valid")


@given(st.lists(st.integers(1, 50), min_size=1, max_size=300), st.integers(1, 20), st.booleans())
def test_batches_hold_every_example_once(lengths: list[int], batch_size: int, shuffled: bool) -> None:
    rng = np.random.default_rng(0) if shuffled else None
    batches = bucketed(np.asarray(lengths), batch_size=batch_size, rng=rng)
    assert sorted(int(i) for batch in batches for i in batch) == list(range(len(lengths)))
    assert max(len(batch) for batch in batches) <= batch_size


def test_buckets_keep_the_padding_share_small() -> None:
    lengths = np.random.default_rng(0).integers(1, 400, size=64 * POOL_BATCHES * 2)
    for rng in (None, np.random.default_rng(1)):
        batches = bucketed(lengths, batch_size=64, rng=rng)
        padded = sum(lengths[batch].max() * len(batch) for batch in batches)
        assert 1 - lengths.sum() / padded < 0.03


def test_shuffling_depends_on_the_generator_only() -> None:
    lengths = np.arange(1, 500)
    first, second, third = (
        bucketed(lengths, batch_size=8, rng=np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert all((a == b).all() for a, b in zip(first, second, strict=True))
    assert any(len(a) != len(b) or (a != b).any() for a, b in zip(first, third, strict=True))


@pytest.mark.parametrize(
    ("padding", "inputs", "mask"),
    [
        ("bucket", [[5, 6, 7], [8, 0, 0]], [[True, True, True], [True, False, False]]),
        ("after", [[5, 6, 7, 0], [8, 0, 0, 0]], [[True, True, True, False], [True, False, False, False]]),
        ("before", [[0, 5, 6, 7], [0, 0, 0, 8]], [[False, True, True, True], [False, False, False, True]]),
    ],
)
def test_padding_and_mask(padding: str, inputs: list[list[int]], mask: list[list[bool]]) -> None:
    arrays = from_sequences(SEQUENCES, [1, 0, 1], vocab_size=20)
    batch = collate(arrays, np.array([0, 1]), padding=padding, max_length=4)
    assert batch.inputs.tolist() == inputs
    assert batch.mask.tolist() == mask
    assert batch.lengths.tolist() == [3, 1]
    assert batch.targets is not None
    assert batch.targets.tolist() == [1, 0]


def test_a_batch_without_targets_has_none() -> None:
    assert batch_of(SEQUENCES).targets is None


def test_features_targets_of_unequal_lengths_and_extras_come_back_as_written(tmp_path: Path) -> None:
    sequences = [np.arange(6.0).reshape(3, 2), np.ones((1, 2))]
    written = from_sequences(
        sequences,
        [np.array([4, 5, 3]), np.array([3])],
        step_extras={"characters": [np.array([[1, 2], [3, 0], [4, 0]]), np.array([[9, 9]])]},
        row_extras={"static": np.array([[0.5], [1.5]], dtype=np.float32)},
    )
    write_arrays(tmp_path, "valid", written)
    arrays = read_arrays(tmp_path, "valid")
    assert len(arrays) == 2
    assert arrays.steps.dtype == np.float32
    assert arrays.sequence(0).tolist() == [[0, 1], [2, 3], [4, 5]]
    assert [arrays.target(i).tolist() for i in range(2)] == [[4, 5, 3], [3]]
    batch = collate(arrays, np.array([1, 0]), padding="bucket", max_length=9, target_fill=-100)
    assert batch.inputs.tolist() == [[[1, 1], [0, 0], [0, 0]], [[0, 1], [2, 3], [4, 5]]]
    assert batch.mask.tolist() == [[True, False, False], [True, True, True]]
    assert batch.targets is not None
    assert batch.targets.tolist() == [[3, -100, -100], [4, 5, 3]]
    assert batch.extras["characters"].tolist() == [[[9, 9], [0, 0], [0, 0]], [[1, 2], [3, 0], [4, 0]]]
    assert batch.extras["static"].tolist() == [[1.5], [0.5]]


def test_targets_that_are_numbers_stay_numbers() -> None:
    arrays = from_sequences(SEQUENCES, [0.5, 1.25, -2.0], vocab_size=20)
    assert arrays.targets.dtype == np.float32
    assert collate(arrays, np.array([2]), padding="bucket", max_length=4).targets.tolist() == [-2.0]  # type: ignore[union-attr]
