"""A split dealt into batches: shuffled by seed and epoch for training, in order of length for scoring; or in lanes.

Legend: N examples (of lanes: pieces of sequences), B lanes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt

from seqline.batch import SequenceBatch
from seqline.data.arrays import Examples, SequenceArrays
from seqline.data.collate import Indices, bucketed, collate
from seqline.recipe import InputSection, TrainingSection
from seqline.training.seeding import epoch_generator

# Name of the row feature that says which pieces go on where the piece before them ended, bool (N,).
CONTINUES = "continues"


class Batches(Protocol):
    """How the examples of a split come in batches."""

    @property
    def arrays(self) -> Examples:
        """The split."""
        ...

    def shuffled(self, *, seed: int, epoch: int) -> list[Indices]:
        """Deal one epoch's batches: the same for the same seed and epoch; as many in every epoch."""
        ...

    def by_length(self) -> list[Indices]:
        """Deal the split for scoring; together each example once."""
        ...

    def collate(self, dealt: list[Indices]) -> Iterator[SequenceBatch]:
        """Make the padded, masked batches of some index arrays, one at a time."""
        ...

    def padding_share(self, dealt: list[Indices]) -> float:
        """Tell which share of the steps of some batches is padding, 0 to 1."""
        ...


@dataclass(frozen=True)
class SplitBatches:
    """One split of examples that do not depend on each other.

    Attributes:
        arrays: The split, N sequences.
        batch_size: Examples a batch; some batches have fewer.
        padding: `bucket`, `before` or `after`, see `data.collate`.
        max_length: Width of `before` and `after`.
        target_fill: What stands in the padding of targets of unequal lengths.
    """

    arrays: Examples
    batch_size: int
    padding: str
    max_length: int
    target_fill: int = 0

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
            yield collate(
                self.arrays,
                indices,
                padding=self.padding,
                max_length=self.max_length,
                target_fill=self.target_fill,
            )

    def padding_share(self, dealt: list[Indices]) -> float:
        """Tell which share of the steps of some batches is padding, 0 to 1."""
        lengths = self.arrays.lengths
        fixed = self.padding != "bucket"
        real = sum(int(lengths[indices].sum()) for indices in dealt)
        total = sum((self.max_length if fixed else int(lengths[i].max())) * len(i) for i in dealt)
        return 1.0 - real / total


@dataclass(frozen=True)
class LaneBatches:
    """A split of sequences cut into pieces that follow each other in the arrays.

    A batch holds the next piece of each lane. Sequences are dealt to lanes once, so that all lanes are about equally
    long and an epoch always has as many batches; in each epoch a lane reads its sequences in another order. Where
    no sequence has a second piece, batches are those of similar length.

    Attributes:
        arrays: The split, N pieces, with the row feature `continues`.
        batch_size: B; towards the end of an epoch lanes run dry, the last ones first.
        padding: `bucket`; only then the last step of a full piece is the last of its row.
        max_length: Longest sequence.
        target_fill: What stands in the padding of targets.
    """

    arrays: SequenceArrays
    batch_size: int
    padding: str
    max_length: int
    target_fill: int = 0

    def shuffled(self, *, seed: int, epoch: int) -> list[Indices]:
        """Deal one epoch's batches: the same for the same seed and epoch; as many in every epoch."""
        if not self._starts_in_lanes:
            return self._single.shuffled(seed=seed, epoch=epoch)
        rng = epoch_generator(seed=seed, epoch=epoch)
        return self._dealt([rng.permutation(lane) for lane in self._starts_in_lanes])

    def by_length(self) -> list[Indices]:
        """Deal the split for scoring, each lane in the order of the arrays."""
        return self._dealt(self._starts_in_lanes) if self._starts_in_lanes else self._single.by_length()

    def collate(self, dealt: list[Indices]) -> Iterator[SequenceBatch]:
        """Make the padded, masked batches of some index arrays, one at a time."""
        return self._single.collate(dealt)

    def padding_share(self, dealt: list[Indices]) -> float:
        """Tell which share of the steps of some batches is padding, 0 to 1."""
        return self._single.padding_share(dealt)

    @cached_property
    def _single(self) -> SplitBatches:
        return SplitBatches(self.arrays, self.batch_size, self.padding, self.max_length, self.target_fill)

    @cached_property
    def _pieces(self) -> npt.NDArray[np.int64]:
        """Pieces of the sequence that begins at a piece, int64 (N,); 0 for pieces that continue."""
        starts = np.flatnonzero(~np.asarray(self.arrays.row_extras[CONTINUES], dtype=bool))
        counts = np.zeros(len(self.arrays), dtype=np.int64)
        counts[starts] = np.diff([*starts, len(self.arrays)])
        return counts

    @cached_property
    def _starts_in_lanes(self) -> list[Indices]:
        """First pieces of each lane's sequences, the longest lane first; nothing where no sequence goes on."""
        starts = np.flatnonzero(self._pieces)
        if len(starts) == len(self.arrays):
            return []
        lanes: list[list[int]] = [[] for _ in range(min(self.batch_size, len(starts)))]
        totals = np.zeros(len(lanes), dtype=np.int64)
        # The longest sequences first, each to the lane that is shortest so far.
        for start in starts[np.argsort(-self._pieces[starts], kind="stable")]:
            lane = int(totals.argmin())
            lanes[lane].append(int(start))
            totals[lane] += self._pieces[start]
        order = np.argsort(-totals, kind="stable")
        return [np.sort(np.asarray(lanes[lane], dtype=np.int64)) for lane in order]

    def _dealt(self, starts: list[Indices]) -> list[Indices]:
        laid = [np.concatenate([np.arange(s, s + self._pieces[s]) for s in lane]) for lane in starts]
        steps = len(laid[0])
        return [np.asarray([lane[step] for lane in laid if step < len(lane)]) for step in range(steps)]


def deal(
    dealing: str,
    arrays: Examples,
    training: TrainingSection,
    section: InputSection,
    *,
    target_fill: int,
) -> Batches:
    """The batches of a split, dealt the way a task wants, a key of `DEALINGS`."""
    return DEALINGS[dealing](arrays, training.batch_size, section.padding, section.max_length, target_fill)


DEALINGS: dict[str, Callable[..., Batches]] = {
    "examples": SplitBatches,
    "lanes": LaneBatches,
}
