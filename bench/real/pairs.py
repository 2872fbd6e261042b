"""Texts and the texts that answer or translate them."""

from __future__ import annotations

import hashlib
from pathlib import Path

from bench.real.rows import Row, Rows, table

DIALOG_TEST_TENTHS = 1


def babi(data: Path) -> Rows:
    """BAbI task 1, the question before its story; the one row that is a header again is left out."""

    def rows(split: str) -> list[Row]:
        return [
            {
                "id": f"{split}-{index:05d}",
                "question": f"{row['question']} {row['story']}",
                "answer": row["answer"],
            }
            for index, row in enumerate(table(data / f"babi_qa1/babi_qa1_{split}.csv.gz"))
            if row["answer"] != "answer"
        ]

    return Rows(rows("train"), rows("test"))


def dialogs(data: Path) -> Rows:
    """Turns and the turns that answer them; a tenth of the distinct turns, by their hash, is test."""
    parts: dict[bool, list[Row]] = {False: [], True: []}
    for index, row in enumerate(table(data / "simple_dialogs/simple_dialogs.csv.gz")):
        turn, answer = row["source"], row["target"]
        if turn.strip() and answer.strip():
            digest = hashlib.sha256(" ".join(turn.lower().split()).encode()).hexdigest()
            is_test = int(digest, 16) % 10 < DIALOG_TEST_TENTHS
            parts[is_test].append({"id": f"turn-{index:05d}", "turn": turn, "answer": answer})
    return Rows(parts[False], parts[True])


def multi30k(data: Path) -> Rows:
    """Multi30k, German to English, test 2016; its valid file is not used."""
    return _multi30k(data, "de", source="english", target="german")


def multi30k_fr(data: Path) -> Rows:
    """Multi30k, English to French, test 2016; its valid file is not used."""
    return _multi30k(data, "fr", source="english", target="french")


def _multi30k(data: Path, language: str, *, source: str, target: str) -> Rows:
    """Both sides of each caption, named by their languages."""

    def rows(part: str) -> list[Row]:
        lines = table(data / f"multi30k_en_{language}/multi30k_en_{language}_{part}.csv.gz")
        return [
            {"id": f"{part}-{index:05d}", source: row["source"], target: row["target"]}
            for index, row in enumerate(lines)
        ]

    return Rows(rows("train"), rows("test2016"))


def tatoeba(data: Path) -> Rows:
    """Short sentences in English and Hindi; the recipe deals test by the sentence that is read."""
    lines = table(data / "tatoeba_en_hi/tatoeba_en_hi.csv.gz")
    return Rows(
        [
            {"id": f"pair-{index:05d}", "english": row["source"], "hindi": row["target"]}
            for index, row in enumerate(lines)
        ],
        [],
    )
