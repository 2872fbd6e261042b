"""Rows of a data set, and how they are written and read.

Where a data set has a valid file of its own, its rows join train, and a recipe deals valid by a hash. Test stays as published,
or is dealt by what its function says.
"""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Row = dict[str, Any]


@dataclass(frozen=True)
class Rows:
    """Rows of a data set; without test rows the recipe deals test itself."""

    train: list[Row]
    test: list[Row]


def write(rows: Rows, folder: Path) -> None:
    """Write `train/rows.jsonl` and, where there are test rows, `test/rows.jsonl` under `folder`."""
    for part, some in (("train", rows.train), ("test", rows.test)):
        if some:
            path = folder / part / "rows.jsonl"
            path.parent.mkdir(parents=True, exist_ok=True)
            lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in some)
            path.write_text("".join(lines), encoding="utf-8")


def table(path: Path) -> Iterator[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)
