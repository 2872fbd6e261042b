"""Rows of a user's file, each read exactly or refused with its line: nothing is guessed, nothing is lost.

`pandas.read_csv` turns "", "null" and "NA" into missing values and "007" into 7, and shifts the columns of a
row that is one field too long. Here a value of a CSV or TSV file is the text in the file; only JSON Lines and
Parquet, which say what they mean, give numbers, booleans and nulls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from seqline.data.batches import batches_in, in_window
from seqline.data.csv_rows import csv_records, listed, table_rows, tsv_records
from seqline.data.json_rows import Value, json_rows
from seqline.data.parquet_rows import parquet_rows
from seqline.data.refusals import Refusals, RefusedRecord
from seqline.data.streams import LIMITS, Limits, require_file, text_lines
from seqline.errors import InputError
from seqline.recipe import WindowSection


@dataclass(frozen=True, slots=True)
class Row:
    """One record of a file.

    Args:
        line: Physical line the record starts on, from 1; in Parquet files the number of the row.
        values: Values by column, in the file's order of columns.
        source: Name of the file, without its folder.
    """

    line: int
    values: dict[str, Value]
    source: str


def read_rows(
    path: Path, *, limits: Limits = LIMITS, on_refused: Callable[[RefusedRecord], None] | None = None
) -> Iterator[Row]:
    """Read the rows of one file, streamed at constant memory.

    The ending of the name decides the format: see `FORMATS`, each also with `.gz`.

    Args:
        path: The file.
        limits: What the file may cost; tests and services lower the caps.
        on_refused: Takes each record that cannot be read exactly, and reading goes on with the next one where it is
            certain where that begins. Without it, the first such record refuses the file.

    Raises:
        InputError: Whatever cannot be read exactly, with file and line. A missing file and an unknown ending
            are refused at the call, everything else when the iterator reaches it.
    """
    read = FORMATS[file_format(path)]
    require_file(path)
    refusals = None if on_refused is None else Refusals(report=on_refused)
    return (Row(number, values, path.name) for number, values in read(path, limits, refusals))


def rows_in(folder: Path, *, window: WindowSection | None = None, limits: Limits = LIMITS) -> Iterator[Row]:
    """Read the rows of all data files of a folder (such as data/NAME/train), the oldest batch first.

    Hidden files are left out. Any other file that is no data file is refused: rows skipped silently are lost.

    Args:
        folder: The folder.
        window: Which of its batches; by default all.
        limits: What each file may cost.

    Raises:
        InputError: No folder, no data file, files with different columns, or what `read_rows` refuses.
    """
    if not folder.is_dir():
        raise InputError(str(folder), "no such folder", "a folder with data files")
    paths = [batch.path for batch in in_window(batches_in(folder), window or WindowSection())]
    if not paths:
        raise InputError(str(folder), "an empty folder", "at least one data file")
    columns: list[str] = []
    for path in paths:
        for row in read_rows(path, limits=limits):
            found = list(row.values)
            if not columns:
                columns = found
            if found == columns:
                yield row
                continue
            if set(found) != set(columns):
                raise InputError(
                    f"{path} line {row.line}",
                    f"the columns {listed(found)}",
                    f"the columns of {paths[0]}: {listed(columns)}",
                    "files of one folder have the same columns",
                )
            yield Row(row.line, {column: row.values[column] for column in columns}, row.source)


def file_format(path: Path) -> str:
    """Name the format by the ending (`.csv` of `REVIEWS.CSV.gz`).

    Raises:
        InputError: An ending that is not in `FORMATS`.
    """
    endings = [suffix.lower() for suffix in path.suffixes]
    if endings[-1:] == [".gz"]:
        endings.pop()
    if endings and endings[-1] in FORMATS:
        return endings[-1]
    found = f"unknown file ending {endings[-1]!r}" if endings else "a file name without an ending"
    raise InputError(
        str(path), found, f"{', '.join(FORMATS)}, each also with .gz", "rename or convert the file"
    )


def _csv(path: Path, limits: Limits, refusals: Refusals | None) -> Iterator[tuple[int, dict[str, Value]]]:
    records = csv_records(text_lines(path, limits, refusals), str(path), limits, refusals)
    return cast(Iterator[tuple[int, dict[str, Value]]], table_rows(records, str(path), refusals))


def _tsv(path: Path, limits: Limits, refusals: Refusals | None) -> Iterator[tuple[int, dict[str, Value]]]:
    records = tsv_records(text_lines(path, limits, refusals), str(path), limits, refusals)
    return cast(Iterator[tuple[int, dict[str, Value]]], table_rows(records, str(path), refusals))


def _json_lines(
    path: Path, limits: Limits, refusals: Refusals | None
) -> Iterator[tuple[int, dict[str, Value]]]:
    return json_rows(text_lines(path, limits, refusals), str(path), limits, refusals)


_Read = Callable[[Path, Limits, Refusals | None], Iterator[tuple[int, dict[str, Value]]]]

# Endings and what reads them: a new format is a function and a line here.
FORMATS: Mapping[str, _Read] = {
    ".csv": _csv,
    ".tsv": _tsv,
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".parquet": parquet_rows,
}
