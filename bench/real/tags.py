"""Sentences with a tag for each word."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from pathlib import Path

from bench.real.rows import Row, Rows


def chunks(data: Path) -> Rows:
    """CoNLL-2000: tokens and chunk tags."""
    folder = data / "conll2000"
    return Rows(*(_tagged(part, [folder / f"conll2000_chunk_{part}.conll.gz"]) for part in ("train", "test")))


def upos(data: Path) -> Rows:
    """English Web Treebank: tokens and universal parts of speech."""
    return _tagged_with_valid(data / "ud_ewt", "ud_ewt_upos")


def atis_slots(data: Path) -> Rows:
    """ATIS: words of a query and the slots they fill."""
    return _tagged_with_valid(data / "atis", "atis_slots")


def snips_slots(data: Path) -> Rows:
    """Snips: words of a command and the slots they fill."""
    return _tagged_with_valid(data / "snips", "snips_slots")


def _tagged(part: str, paths: Iterable[Path]) -> list[Row]:
    rows: list[Row] = []
    for path in paths:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            blocks = file.read().strip().split("\n\n")
        for block in blocks:
            pairs = [line.split("\t") for line in block.split("\n")]
            rows.append(
                {
                    "id": f"{part}-{len(rows):05d}",
                    "tokens": [token for token, _ in pairs],
                    "tags": [tag for _, tag in pairs],
                }
            )
    return rows


def _tagged_with_valid(folder: Path, name: str) -> Rows:
    train, valid, test = (folder / f"{name}_{part}.conll.gz" for part in ("train", "valid", "test"))
    return Rows(_tagged("train", [train, valid]), _tagged("test", [test]))
