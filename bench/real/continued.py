"""Texts, runs of words and music, to be continued."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

from bench.real.rows import Row, Rows

SHAKESPEARE_TRAIN_SHARE = 0.9
SHAKESPEARE_PIECE = 3_000
SENTENCES_A_RUN = 100
END_OF_SENTENCE = "<eos>"


def ptb(data: Path) -> Rows:
    """Penn Treebank with its published valid part, which a recipe takes by the column `part`."""
    return _word_runs(data / "ptb", "ptb")


def wikitext2(data: Path) -> Rows:
    """WikiText-2 with its published valid part, which a recipe takes by the column `part`."""
    return _word_runs(data / "wikitext2", "wikitext2")


def shakespeare(data: Path) -> Rows:
    """Tiny Shakespeare: the last tenth of its characters is test; a row is some speeches of 3,000 characters or more."""
    with gzip.open(data / "tinyshakespeare/input.txt.gz", "rt", encoding="utf-8", newline="") as file:
        text = file.read()
    cut = int(len(text) * SHAKESPEARE_TRAIN_SHARE)

    def rows(part: str, some: str) -> list[Row]:
        return [
            {"id": f"{part}-{index:04d}", "text": piece}
            for index, piece in enumerate(_pieces(some, least=SHAKESPEARE_PIECE))
        ]

    return Rows(rows("train", text[:cut]), rows("test", text[cut:]))


def jsb(data: Path) -> Rows:
    """Bach's chorales as quarter notes, valid joined to train; each step lists the notes that sound."""
    with gzip.open(data / "jsb_chorales/jsb-chorales-quarter.json.gz", "rt", encoding="utf-8") as file:
        pieces: dict[str, list[list[list[int]]]] = json.load(file)

    def rows(*parts: str) -> list[Row]:
        return [
            {"id": f"{part}-{index:03d}", "notes": [sorted(set(step)) for step in piece]}
            for part in parts
            for index, piece in enumerate(pieces[part])
        ]

    return Rows(rows("train", "valid"), rows("test"))


def _word_runs(folder: Path, name: str) -> Rows:
    """Runs of a hundred lines, each line ended by a symbol of its own, as published perplexities count."""

    def rows(part: str) -> Iterator[Row]:
        with gzip.open(folder / f"{name}.{part}.txt.gz", "rt", encoding="utf-8") as file:
            lines = [[*line.split(), END_OF_SENTENCE] for line in file]
        for start in range(0, len(lines), SENTENCES_A_RUN):
            words = [word for line in lines[start : start + SENTENCES_A_RUN] for word in line]
            yield {"id": f"{part}-{start:05d}", "part": part, "words": words}

    return Rows([*rows("train"), *rows("valid")], [*rows("test")])


def _pieces(text: str, *, least: int) -> Iterator[str]:
    """Runs of whole speeches, each of `least` characters or more, except the last."""
    held = ""
    for speech in text.split("\n\n"):
        held = f"{held}\n\n{speech}" if held else speech
        if len(held) >= least:
            yield held
            held = ""
    if held.strip():
        yield held
