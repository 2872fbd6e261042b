"""The rows of a file that a model is asked about: turned as the rows were that it learnt from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from seqline.errors import InputError

if TYPE_CHECKING:
    from seqline.data.readers import Row


def shaped_rows(path: Path, column: str, data_folder: Path, *, given_as: str | None = None) -> Iterator[Row]:
    """Rows with the input column of a recipe, of a table of any shape that `seqline ingest` takes for it.

    Args:
        path: The file.
        column: Input column of the recipe.
        data_folder: Of the model; says how a table becomes rows.
        given_as: The file's own name for that column; None: the recipe's, or those it is made of.

    Yields:
        Rows with a value in `column`, the empty text where there is none.

    Raises:
        InputError: The column is not there, or a row cannot be turned.
    """
    from seqline.data.readers import Row, read_rows
    from seqline.data.shapes import Shape, shaped

    def named(row: Row) -> Row:
        if given_as is None:
            return row
        _require(row, given_as, path)
        # Under the recipe's own name, which is also what a shape knows it by.
        return Row(row.line, {**row.values, column: row.values[given_as]}, row.source)

    for row in shaped((named(row) for row in read_rows(path)), Shape.load(data_folder)):
        _require(row, column, path)
        value = row.values[column]
        yield Row(row.line, {**row.values, column: ""}, row.source) if value is None else row


def _require(row: Row, column: str, path: Path) -> None:
    if column not in row.values:
        raise InputError(
            str(path),
            f"no column {column!r}",
            f"one of {', '.join(row.values)}",
            "rename it, or name it with `seqline predict --column`",
        )
