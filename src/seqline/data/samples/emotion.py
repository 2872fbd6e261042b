"""The embedded feelings sample: six feelings in short texts about oneself, where naming a feeling is not having it.

Many texts name two feelings, one of them denied, past, expected or somebody else's: which is the writer's own now
follows from the order of the words.
"""

from __future__ import annotations

from pathlib import Path

from seqline.data.samples.dealt import write_dealt
from seqline.data.samples.grammar import Split, Stream
from seqline.data.samples.phrases import fill, read_book

DEFAULT_SEED = 20260202
TRAIN_ROWS = 8000
TEST_ROWS = 2000
LABEL_NOISE_SHARE = 0.02
# As uneven as people's posts are; they sum to 1.
SHARES = {"joy": 0.28, "sadness": 0.24, "anger": 0.16, "fear": 0.14, "love": 0.10, "surprise": 0.08}
FEELINGS = tuple(SHARES)
_SHORT = (
    ("i am ", "im "),
    ("do not ", "dont "),
    ("cannot ", "cant "),
    ("it is ", "its "),
    ("i would ", "id "),
)


def write_emotion(folder: Path, *, seed: int = DEFAULT_SEED) -> None:
    """Write four monthly training files and the test file under `folder`: `id`, `text`, `label` (a feeling).

    Args:
        folder: Gets `train/2026-01.jsonl` to `train/2026-04.jsonl` and `test/test.jsonl`.
        seed: The same seed gives the same bytes everywhere.
    """
    write_dealt(folder, compose, sample="emotion", train_rows=TRAIN_ROWS, test_rows=TEST_ROWS, seed=seed)


def compose(stream: Stream, split: Split) -> tuple[str, str]:
    """Draw one text and its label."""
    own = stream.weighted(SHARES)
    other = stream.pick([feeling for feeling in FEELINGS if feeling != own])
    text = fill(read_book("emotion"), "text", stream, split, {"own": own, "other": other})
    if stream.chance(0.3):
        for long, short in _SHORT:
            text = text.replace(long, short)
    if stream.chance(0.3):
        text = text.replace(".", "").replace(",", "")
    if stream.chance(LABEL_NOISE_SHARE):
        own = other
    return text, own
