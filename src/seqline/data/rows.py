"""The rows of a split as prepare leaves them: ids, inputs, targets and the columns that slices need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from seqline.data.on_demand import OnDemand
from seqline.data.window_rows import Windows
from seqline.data.window_store import holds_windows, read_units, read_windows
from seqline.data.windows import Floats
from seqline.errors import InputError
from seqline.files import atomic_write


@dataclass(frozen=True)
class SplitRows:
    """Rows of one split.

    Attributes:
        ids: The `id` of each row.
        inputs: The input of each row, as the user gave it.
        truths: What is to be predicted of each row: a class index for a label, else as the user gave it.
        columns: Values of the other columns, N each.
        units: What errors of each row are counted in, by name, where a task counts in units of train: whichever model is
            measured on the rows, champion or challenger, is measured in these. None: the task has no such units.
        windows: Where rows that are forecasts lie in their series: what was known then may reach further back than what a
            network reads. None: the rows are no windows of series.
    """

    ids: Sequence[str]
    inputs: Sequence[Any]
    truths: Sequence[Any]
    columns: Mapping[str, Sequence[Any]]
    units: Sequence[Any] | None = None
    windows: Windows | None = None

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def targets(self) -> npt.NDArray[np.int64]:
        """Class indices, int64 (N,); zeros where the target is no label."""
        labels = all(isinstance(truth, int) for truth in self.truths)
        return np.asarray(self.truths if labels else [0] * len(self), dtype=np.int64)

    def take(self, indices: Sequence[int]) -> SplitRows:
        """Some of the rows, in the order asked for."""
        return SplitRows(
            ids=[self.ids[i] for i in indices],
            inputs=[self.inputs[i] for i in indices],
            truths=[self.truths[i] for i in indices],
            columns={name: [values[i] for i in indices] for name, values in self.columns.items()},
            units=None if self.units is None else [self.units[i] for i in indices],
            windows=None if self.windows is None else self.windows.take(indices),
        )


def write_split(folder: Path, split: str, rows: SplitRows) -> None:
    """Write `SPLIT.rows.jsonl`; split is train, valid or test."""

    def write(temporary: Path) -> None:
        with temporary.open("wb") as handle:
            for index, identifier in enumerate(rows.ids):
                record: dict[str, Any] = {
                    "id": identifier,
                    "input": rows.inputs[index],
                    "target": rows.truths[index],
                    "columns": {name: values[index] for name, values in rows.columns.items()},
                }
                if rows.units is not None:
                    record["units"] = rows.units[index]
                handle.write(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))

    atomic_write(folder / f"{split}.rows.jsonl", write)


def read_split(folder: Path, split: str) -> SplitRows:
    """Read what `write_split` wrote; rows that are windows of series are made of them as they are asked for."""
    if holds_windows(folder, split):
        return _of_windows(read_windows(folder, split), read_units(folder, split))
    path = folder / f"{split}.rows.jsonl"
    if not path.is_file():
        raise InputError(str(path), "no such file", hint="run `seqline prepare` first")
    with path.open("rb") as handle:
        records = [orjson.loads(line) for line in handle]
    names = list(records[0]["columns"]) if records else []
    return SplitRows(
        ids=[record["id"] for record in records],
        inputs=[record["input"] for record in records],
        truths=[record["target"] for record in records],
        columns={name: [record["columns"][name] for record in records] for name in names},
        units=[record["units"] for record in records] if records and "units" in records[0] else None,
    )


def _of_windows(windows: Windows, units: Mapping[str, Floats]) -> SplitRows:
    def units_of(place: int) -> dict[str, Any]:
        return {name: values[place].tolist() for name, values in units.items()}

    return SplitRows(
        ids=windows.ids,
        inputs=windows.inputs,
        truths=windows.futures,
        columns=windows.columns,
        units=OnDemand(len(windows), units_of),
        windows=windows,
    )
