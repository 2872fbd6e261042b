"""Samples of text pairs: what a text is answered by, under two column names."""

from __future__ import annotations

from pathlib import Path

from seqline.data.samples.dealt import TRAIN_MONTHS, Compose, deal, json_lines
from seqline.files import atomic_write


def write_pairs(
    folder: Path,
    compose: Compose,
    *,
    sample: str,
    columns: tuple[str, str],
    train_rows: int,
    test_rows: int,
    seed: int,
) -> None:
    """Write `train/2026-01.jsonl` to `train/2026-04.jsonl`, equally long, and `test/test.jsonl` under `folder`.

    Args:
        folder: Gets the files; rows have `id` and the two columns, no given text twice.
        compose: From a stream and a split to a given text and its answer.
        sample: Part of the seed, so that samples differ.
        columns: Names of the given text and of the answer.
        train_rows: In all training files together.
        test_rows: In the test file.
        seed: Any integer.
    """
    given, answer = columns

    def lines(rows: list[dict[str, str]]) -> str:
        return json_lines([{"id": row["id"], given: row[given], answer: row["label"]} for row in rows])

    train = deal(compose, sample=sample, rows=train_rows, seed=seed, split="train", column=given)
    share = -(-train_rows // len(TRAIN_MONTHS))
    for number, month in enumerate(TRAIN_MONTHS):
        batch = train[number * share : (number + 1) * share]
        atomic_write(folder / "train" / f"{month}.jsonl", lines(batch))
    test = deal(compose, sample=sample, rows=test_rows, seed=seed, split="test", column=given)
    atomic_write(folder / "test" / "test.jsonl", lines(test))


def sentence(text: str) -> str:
    """A text as one writes it: a capital first, signs close to the word before."""
    for sign in (",", ".", "?", "!"):
        text = text.replace(f" {sign}", sign)
    return text[:1].upper() + text[1:]
