"""The rows of a split as prepare leaves them: ids, texts, class indices and the columns that slices need."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from seqline.errors import InputError
from seqline.files import atomic_write


@dataclass(frozen=True)
class SplitRows:
    """Rows of one split, in the order of its arrays.

    Attributes:
        ids: The `id` of each row.
        texts: The input of each row.
        targets: int64 (N,), class indices.
        columns: Values of the slice columns, N each.
    """

    ids: list[str]
    texts: list[str]
    targets: npt.NDArray[np.int64]
    columns: dict[str, list[Any]]

    def __len__(self) -> int:
        return len(self.ids)


def write_split(folder: Path, split: str, rows: Iterable[tuple[str, str, int, dict[str, Any]]]) -> None:
    """Write `SPLIT.rows.jsonl`.

    Args:
        folder: Where.
        split: train, valid or test.
        rows: Tuples of id, text, class index, slice columns.
    """

    def write(temporary: Path) -> None:
        with temporary.open("wb") as handle:
            for identifier, text, target, columns in rows:
                record = {"id": identifier, "text": text, "target": target, "columns": columns}
                handle.write(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))

    atomic_write(folder / f"{split}.rows.jsonl", write)


def read_split(folder: Path, split: str) -> SplitRows:
    """Read what `write_split` wrote."""
    path = folder / f"{split}.rows.jsonl"
    if not path.is_file():
        raise InputError(str(path), "no such file", hint="run `seqline prepare` first")
    with path.open("rb") as handle:
        records = [orjson.loads(line) for line in handle]
    names = list(records[0]["columns"]) if records else []
    return SplitRows(
        ids=[record["id"] for record in records],
        texts=[record["text"] for record in records],
        targets=np.asarray([record["target"] for record in records], dtype=np.int64),
        columns={name: [record["columns"][name] for record in records] for name in names},
    )
