"""Windows on disk: the series once, and of each split where its windows lie.

Legend: N windows, C channels, G steps of all series, K units.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from seqline.data.arrays import load_array, save_array
from seqline.data.calendar import parse_frequency
from seqline.data.grid import Grid
from seqline.data.window_rows import Windows
from seqline.data.windows import Floats, Series
from seqline.files import read_json, write_json
from seqline.recipe import HistoryInput

SERIES_FILE = "series.json"
_PARTS = ("values", "past", "future")


def write_windows(folder: Path, split: str, windows: Windows, units: Mapping[str, Floats]) -> None:
    """Write the series of a dealing, unless another of its splits has done so, and `SPLIT.windows.npy`.

    Args:
        folder: Of the stage.
        split: train, valid or test.
        windows: N of them.
        units: What errors of each are counted in, float64 (N, C), by name.
    """
    if not (folder / SERIES_FILE).is_file():
        _write_series(folder, windows)
    save_array(folder / f"{split}.windows.npy", windows.places)
    for name, values in units.items():
        save_array(folder / f"{split}.units.{name}.npy", values)


def holds_windows(folder: Path, split: str) -> bool:
    """Whether a split was written as windows."""
    return (folder / f"{split}.windows.npy").is_file()


def read_windows(folder: Path, split: str) -> Windows:
    """Read what `write_windows` wrote; the numbers of the series are mapped into memory, read only."""
    described = read_json(folder / SERIES_FILE)
    return Windows(
        _read_series(folder, described),
        load_array(folder / f"{split}.windows.npy", small=True),
        HistoryInput.model_validate(described["input"]),
        described["horizon"],
    )


def read_units(folder: Path, split: str) -> dict[str, Floats]:
    """What errors of each window are counted in, float64 (N, C), by name."""
    paths = sorted(folder.glob(f"{split}.units.*.npy"))
    return {path.name.split(".")[2]: load_array(path) for path in paths}


def _write_series(folder: Path, windows: Windows) -> None:
    for part in _PARTS:
        arrays = [getattr(one, part) for one in windows.series]
        save_array(folder / f"series.{part}.npy", np.concatenate(arrays))
    write_json(
        folder / SERIES_FILE,
        {
            "input": windows.section.model_dump(mode="json"),
            "horizon": windows.horizon,
            "series": [
                {
                    "id": one.id,
                    "frequency": str(one.grid.frequency),
                    "start": one.grid.start,
                    "phase": list(one.grid.phase),
                    "static": [list(pair) for pair in one.static],
                    **{part: len(getattr(one, part)) for part in _PARTS},
                }
                for one in windows.series
            ],
        },
    )


def _read_series(folder: Path, described: Mapping[str, Any]) -> list[Series]:
    # Views without the class of memory maps: each of their slices would cost ten times as much.
    flat = {part: np.asarray(load_array(folder / f"series.{part}.npy")) for part in _PARTS}
    begins = dict.fromkeys(_PARTS, 0)
    found = []
    for one in described["series"]:
        values, past, future = (flat[part][begins[part] : begins[part] + one[part]] for part in _PARTS)
        begins = {part: begins[part] + one[part] for part in _PARTS}
        grid = Grid(
            frequency=parse_frequency(one["frequency"]),
            start=one["start"],
            phase=tuple(one["phase"]),
            places=np.arange(len(values)),
            length=len(values),
            gaps=0,
            duplicates=0,
        )
        static = tuple((column, value) for column, value in one["static"])
        found.append(Series(id=one["id"], values=values, past=past, future=future, grid=grid, static=static))
    return found
