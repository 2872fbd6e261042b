"""Measured traces with a label."""

from __future__ import annotations

from pathlib import Path

from bench.real.rows import Row, Rows, table


def vowels(data: Path) -> Rows:
    """Japanese Vowels: twelve cepstra a step, nine speakers, the published split."""
    columns = [f"lpc{number}" for number in range(1, 13)]
    folder = data / "japanese_vowels"
    return Rows(
        *(traces(folder / f"japanese_vowels_{part}.csv.gz", columns, []) for part in ("train", "test"))
    )


def hmp(data: Path) -> Rows:
    """Accelerometer at the wrist, 14 activities; the recipe deals test by person."""
    return Rows(traces(data / "hmp_adl_accel/hmp_adl.csv.gz", ["x", "y", "z"], ["subject"]), [])


def italy(data: Path) -> Rows:
    """Power demand of a day in Italy, of winter or of summer, the published split."""
    return _shapes(data, "italy_power_demand")


def osuleaf(data: Path) -> Rows:
    """Outlines of leaves of six trees, the published split."""
    return _shapes(data, "osuleaf")


def _shapes(data: Path, name: str) -> Rows:
    return Rows(*(traces(data / name / f"{name}_{part}.csv.gz", ["value"], []) for part in ("train", "test")))


def traces(path: Path, columns: list[str], others: list[str]) -> list[Row]:
    found: dict[str, Row] = {}
    for step in table(path):
        fixed = {"id": step["id"], "label": step["label"], **{name: step[name] for name in others}}
        trace = found.setdefault(step["id"], {**fixed, "trace": []})["trace"]
        trace.append([float(step[column]) for column in columns])
    return list(found.values())
