"""Samples of text pairs: what a text is answered by, under two column names."""

from __future__ import annotations

from pathlib import Path

from seqline.data.samples.dealt import Compose, deal, write_months
from seqline.data.samples.grammar import Split


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

    def drawn(rows: int, split: Split) -> list[dict[str, str]]:
        dealt = deal(compose, sample=sample, rows=rows, seed=seed, split=split, column=given)
        return [{"id": row["id"], given: row[given], answer: row["label"]} for row in dealt]

    write_months(folder, train=drawn(train_rows, "train"), test=drawn(test_rows, "test"))


def sentence(text: str) -> str:
    """A text as one writes it: a capital first, signs close to the word before."""
    for sign in (",", ".", "?", "!"):
        text = text.replace(f" {sign}", sign)
    return text[:1].upper() + text[1:]
