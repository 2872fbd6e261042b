"""Rows of a sample: drawn until they are distinct, dealt to train and test by a hash of the text, written by month."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from seqline.data.samples.grammar import Split, Stream
from seqline.errors import InputError
from seqline.files import atomic_write

# Texts whose hash falls into one of five bins can only be test texts, the others only training texts: the two
# splits never share a text, and neither has to know the other.
SPLIT_BINS = 5
TRAIN_MONTHS = ("2026-01", "2026-02", "2026-03", "2026-04")
_HASH_BYTES = 6
_WORD = re.compile(r"\w+")
# Draws in a row that give nothing new before a sample is called exhausted.
_PATIENCE = 10_000

Compose = Callable[[Stream, Split], tuple[str, str]]


def key_of(text: str) -> str:
    """What makes two texts the same: their words, whatever the case and the marks between them.

    >>> key_of("Call me. NOW!") == key_of("call me now")
    True
    """
    return " ".join(_WORD.findall(text.casefold()))


def fraction_of(key: str) -> float:
    """A number in [0, 1), always the same one for a key."""
    digest = hashlib.sha256(key.encode("utf-8")).digest()[:_HASH_BYTES]
    return int.from_bytes(digest, "big") / 2 ** (8 * _HASH_BYTES)


def belongs(text: str, split: Split) -> bool:
    """Whether a text may be in this split; every text belongs to exactly one."""
    return (fraction_of(f"split/{key_of(text)}") * SPLIT_BINS < 1) == (split == "test")


def deal(
    compose: Compose, *, sample: str, rows: int, seed: int, split: Split, column: str = "text"
) -> list[dict[str, str]]:
    """Draw rows with distinct texts: the same arguments give the same rows, to the byte, everywhere.

    Args:
        compose: From a stream and a split to a text and its label.
        sample: Part of the seed, so that samples differ.
        rows: How many.
        seed: Any integer.
        split: Only texts that `belongs` to it are kept.
        column: Name of the text's column.

    Returns:
        Rows with `id`, the text and `label`.

    Raises:
        InputError: A negative number of rows, or more than the sample has distinct texts.
    """
    if rows < 0:
        raise InputError(sample, f"rows={rows}", "rows >= 0")
    stream = Stream(f"{sample}/{seed}/{split}")
    seen: set[str] = set()
    dealt: list[dict[str, str]] = []
    idle = 0
    while len(dealt) < rows:
        text, label = compose(stream, split)
        key = key_of(text)
        if key in seen or not belongs(text, split):
            idle += 1
            if idle > _PATIENCE:
                raise InputError(sample, f"rows={rows}", f"at most {len(dealt)}, all its distinct texts")
            continue
        idle = 0
        seen.add(key)
        dealt.append({"id": f"{split}-{len(dealt) + 1:05d}", column: text, "label": label})
    return dealt


def write_dealt(
    folder: Path,
    compose: Compose,
    *,
    sample: str,
    train_rows: int,
    test_rows: int,
    seed: int,
    column: str = "text",
) -> None:
    """Write `train/2026-01.jsonl` to `train/2026-04.jsonl`, equally long, and `test/test.jsonl` under `folder`."""
    write_months(
        folder,
        train=deal(compose, sample=sample, rows=train_rows, seed=seed, split="train", column=column),
        test=deal(compose, sample=sample, rows=test_rows, seed=seed, split="test", column=column),
    )


def write_months(
    folder: Path, *, train: Sequence[Mapping[str, Any]], test: Sequence[Mapping[str, Any]]
) -> None:
    """Write rows to `train/2026-01.jsonl` to `train/2026-04.jsonl`, equally long, and to `test/test.jsonl`."""
    share = -(-len(train) // len(TRAIN_MONTHS))
    for number, month in enumerate(TRAIN_MONTHS):
        batch = train[number * share : (number + 1) * share]
        atomic_write(folder / "train" / f"{month}.jsonl", json_lines(batch))
    atomic_write(folder / "test" / "test.jsonl", json_lines(test))


def json_lines(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as JSON lines, characters as they are."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
