"""A split dealt into batches: shuffled by seed and epoch for training, in order of length for scoring."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from seqline.batch import SequenceBatch
from seqline.data.arrays import SequenceArrays
from seqline.data.collate import Indices, bucketed, collate
from seqline.training.seeding import epoch_generator


@dataclass(frozen=True)
class SplitBatches:
    """One split and how its batches are made.

    Attributes:
        arrays: The split, N sequences.
        batch_size: Examples a batch; some batches have fewer.
        padding: `bucket`, `before` or `after`, see `data.collate`.
        max_length: Width of `before` and `after`.
    """

    arrays: SequenceArrays
    batch_size: int
    padding: str
    max_length: int

    def shuffled(self, *, seed: int, epoch: int) -> list[Indices]:
        """Deal one epoch's batches: the same for the same seed and epoch, whatever happened before.

        Returns:
            Index arrays, int64 (B,) each; as many in every epoch.
        """
        rng = epoch_generator(seed=seed, epoch=epoch)
        return bucketed(self.arrays.lengths, batch_size=self.batch_size, rng=rng)

    def by_length(self) -> list[Indices]:
        """Deal the split in order of length, shortest first."""
        return bucketed(self.arrays.lengths, batch_size=self.batch_size, rng=None)

    def collate(self, dealt: list[Indices]) -> Iterator[SequenceBatch]:
        """Make the padded, masked batches of some index arrays, one at a time."""
        for indices in dealt:
            yield collate(self.arrays, indices, padding=self.padding, max_length=self.max_length)

    def padding_share(self, dealt: list[Indices]) -> float:
        """Tell which share of the steps of some batches is padding, 0 to 1."""
        lengths = self.arrays.lengths
        fixed = self.padding != "bucket"
        real = sum(int(lengths[indices].sum()) for indices in dealt)
        total = sum((self.max_length if fixed else int(lengths[i].max())) * len(i) for i in dealt)
        return 1.0 - real / total
