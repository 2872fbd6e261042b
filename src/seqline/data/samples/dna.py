"""The embedded DNA sample: 60 bases around a place where a gene may be cut, after how splice sites look.

A donor ends coding and begins non-coding sequence, an acceptor the other way round. Both have a signal of their own: a
few bases near the cut, and for the acceptor a branch point and a stretch of C and T before it. Decoys carry the same
signals in the wrong order, or between the wrong neighbours, so counting short words is not enough. Column by
column, signals are written as ten letters to draw from: tenths of a position weight matrix of our own making.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from seqline.data.samples.dealt import write_dealt
from seqline.data.samples.grammar import Split, Stream

DEFAULT_SEED = 20260204
TRAIN_ROWS = 6000
TEST_ROWS = 2000
LENGTH = 60
# The cut lies this many bases or fewer away from the middle.
JITTER = 5
LABEL_NOISE_SHARE = 0.01
SHARES = {"donor": 0.25, "acceptor": 0.25, "neither": 0.50}
DECOY_SHARE = 0.8  # of `neither`; the others hold no signal

CODING = ("AACCCGGGGT", "AAACCCGGGT", "ACCCCGGGGG")  # by place in a triplet: the third is rich in C and G
BETWEEN = ("AAAACGTTTT", "AAAAGTTTTT", "AAACTTTTTG")
DONOR_BEFORE = ("AAACCCCGTA", "AAAAAAACGT", "GGGGGGGGAT")
DONOR_AFTER = ("G", "T", "AAAAAGGGGT", "AAAAAAACGT", "GGGGGGGGAT", "TTTTTACGTA")
BRANCH = ("CCCTTTTAGC", "ACGTTCAGTC", "CCCCCCCTTA", "T", "AAAAAAGGGA", "A", "CCCCCCCTTG")
TRACT = ("CCCCTTTTTA", "CCCTTTTTTG")
ACCEPTOR_END = ("ACGTTCAGCT", "CCCCCCCTTT", "A", "G")
ACCEPTOR_AFTER = ("GGGGGGAAAC",)

Sides = tuple[str, str]


def write_dna(folder: Path, *, seed: int = DEFAULT_SEED) -> None:
    """Write four monthly training files and the test file: `id`, `sequence`, `label` (donor, acceptor, neither).

    Args:
        folder: Gets `train/2026-01.jsonl` to `train/2026-04.jsonl` and `test/test.jsonl`.
        seed: The same seed gives the same bytes everywhere.
    """
    write_dealt(
        folder,
        compose,
        sample="dna",
        train_rows=TRAIN_ROWS,
        test_rows=TEST_ROWS,
        seed=seed,
        column="sequence",
    )


def compose(stream: Stream, split: Split) -> tuple[str, str]:
    """Draw one sequence and its label; `split` changes nothing."""
    del split
    label = stream.weighted(SHARES)
    if label == "neither":
        make = stream.pick(DECOYS) if stream.chance(DECOY_SHARE) else nothing
    else:
        make = donor if label == "donor" else acceptor
    before, after = make(stream)
    cut = LENGTH // 2 - JITTER + stream.below(2 * JITTER + 1)
    if stream.chance(LABEL_NOISE_SHARE):
        label = stream.pick([name for name in SHARES if name != label])
    return before[len(before) - cut :] + after[: LENGTH - cut], label


def donor(stream: Stream) -> Sides:
    """Coding sequence, the signal, non-coding sequence."""
    before, after = _donor_signal(stream)
    return background(stream, CODING) + before, after + background(stream, BETWEEN)


def acceptor(stream: Stream) -> Sides:
    """Non-coding sequence with a branch point and a stretch of C and T, the signal, coding sequence."""
    before = background(stream, BETWEEN) + _drawn(stream, BRANCH) + _gap(stream) + _tract(stream)
    return before + _drawn(stream, ACCEPTOR_END), _drawn(stream, ACCEPTOR_AFTER) + background(stream, CODING)


def nothing(stream: Stream) -> Sides:
    """Sequence of one sort, without a signal."""
    columns = CODING if stream.chance(0.5) else BETWEEN
    return background(stream, columns), background(stream, columns)


def donor_inside_coding(stream: Stream) -> Sides:
    """The donor's signal with coding sequence on both sides: no gene is cut here."""
    before, after = _donor_signal(stream)
    return background(stream, CODING) + before, after + background(stream, CODING)


def donor_turned(stream: Stream) -> Sides:
    """The donor's signal with its neighbours exchanged."""
    before, after = _donor_signal(stream)
    return background(stream, BETWEEN) + before, after + background(stream, CODING)


def donor_torn(stream: Stream) -> Sides:
    """The two halves of the donor's signal in the wrong order."""
    before, after = _donor_signal(stream)
    return background(stream, CODING) + after, before + background(stream, BETWEEN)


def tract_too_late(stream: Stream) -> Sides:
    """An acceptor whose stretch of C and T follows the cut instead of leading to it."""
    before = (
        background(stream, BETWEEN) + _drawn(stream, BRANCH) + _gap(stream) + _drawn(stream, ACCEPTOR_END)
    )
    return before, _tract(stream) + background(stream, CODING)


def branch_too_late(stream: Stream) -> Sides:
    """An acceptor whose branch point stands behind the stretch, where it can do nothing."""
    before = background(stream, BETWEEN) + _tract(stream) + _gap(stream) + _drawn(stream, BRANCH)
    return before + _drawn(stream, ACCEPTOR_END), _drawn(stream, ACCEPTOR_AFTER) + background(stream, CODING)


def acceptor_turned(stream: Stream) -> Sides:
    """An acceptor with coding sequence before and non-coding sequence after it."""
    before = background(stream, CODING) + _drawn(stream, BRANCH) + _gap(stream) + _tract(stream)
    return before + _drawn(stream, ACCEPTOR_END), _drawn(stream, ACCEPTOR_AFTER) + background(stream, BETWEEN)


def background(stream: Stream, columns: Sequence[str]) -> str:
    """As many bases as a sequence has, the columns taken in turn from a random one on."""
    start = stream.below(len(columns))
    return "".join(stream.pick(columns[(start + place) % len(columns)]) for place in range(LENGTH))


def _drawn(stream: Stream, columns: Sequence[str]) -> str:
    return "".join(stream.pick(column) for column in columns)


def _donor_signal(stream: Stream) -> Sides:
    """The bases before and after the cut; where the base before it is no G, the fifth after it must be one."""
    before, after = _drawn(stream, DONOR_BEFORE), _drawn(stream, DONOR_AFTER)
    if before[-1] != "G":
        after = after[:4] + "G" + after[5:]
    return before, after


def _tract(stream: Stream) -> str:
    return "".join(stream.pick(stream.pick(TRACT)) for _ in range(8 + stream.below(5)))


def _gap(stream: Stream) -> str:
    return background(stream, BETWEEN)[: 1 + stream.below(4)]


DECOYS: tuple[Callable[[Stream], Sides], ...] = (
    donor_inside_coding,
    donor_turned,
    donor_torn,
    tract_too_late,
    branch_too_late,
    acceptor_turned,
)
