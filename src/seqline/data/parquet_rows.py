"""Rows of a Parquet file: plain columns and lists of text or numbers, dates and times as ISO text."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqline.data.csv_rows import check_column_names
from seqline.data.json_rows import Value, check_value
from seqline.data.refusals import Refusals
from seqline.data.streams import LIMITS, Limits, open_bytes
from seqline.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH_ROWS = 1024
_PLAIN = "text, integers, floats, booleans, decimals, dates and times, lists of text or numbers"


def parquet_rows(
    path: Path, limits: Limits = LIMITS, refusals: Refusals | None = None
) -> Iterator[tuple[int, dict[str, Value]]]:
    """Read the rows of a Parquet file (numbered from 1), batch by batch; `refusals` takes those at fault.

    Raises:
        InputError: Not intact Parquet, no rows, structs or binary columns, values that do not fit plain JSON.
    """
    import pyarrow as pa

    with open_bytes(path, limits) as stream:
        try:
            if path.suffix.lower() != ".gz":
                yield from _rows_of(stream, str(path), limits, refusals)
                return
            # Parquet is read from its end, gzip from its beginning: unpack to a file without a name first.
            with tempfile.TemporaryFile() as unpacked:
                shutil.copyfileobj(stream, unpacked)
                yield from _rows_of(unpacked, str(path), limits, refusals)
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise InputError(
                str(path), f"not an intact Parquet file ({reason})", hint="write the file again"
            ) from None


def _rows_of(
    stream: Any, name: str, limits: Limits, refusals: Refusals | None
) -> Iterator[tuple[int, dict[str, Value]]]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(stream) as file:
        schema = file.schema_arrow
        check_column_names(schema.names, name)
        if len(schema.names) > limits.fields:
            raise InputError(name, f"{len(schema.names):,} columns", f"at most {limits.fields:,}")
        as_text = {field.name for field in schema if _is_written_as_text(field, name)}
        unpacked_bytes = sum(file.metadata.row_group(i).total_byte_size for i in range(file.num_row_groups))
        if unpacked_bytes > limits.decompressed_bytes:
            found = f"unpacks to {unpacked_bytes:,} bytes"
            raise InputError(name, found, f"at most {limits.decompressed_bytes:,} bytes", "split the file")
        if refusals is not None:
            refusals.has_begun = True
        number = 0
        for batch in file.iter_batches(batch_size=_BATCH_ROWS):
            columns = [_values(batch.column(i), column in as_text) for i, column in enumerate(schema.names)]
            for fields in zip(*columns, strict=True):
                number += 1
                values = dict(zip(schema.names, fields, strict=True))
                try:
                    _check(values, f"{name} row {number}", limits)
                except InputError as error:
                    if refusals is None:
                        raise
                    refusals.raw = json.dumps(values, ensure_ascii=False)
                    refusals.refuse(number, error)
                    continue
                yield number, values
        if number == 0:
            raise InputError(name, "columns and no rows", "at least one row")


def _is_written_as_text(field: pa.Field, name: str) -> bool:
    """Whether a column's values become text; refuses types that have no plain value."""
    from pyarrow import types

    kind = field.type.value_type if types.is_dictionary(field.type) else field.type
    lists = 0
    while types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        kind, lists = kind.value_type, lists + 1
    # In a list they would have to be turned one by one; nobody writes a series of them.
    if not lists and types.is_temporal(kind) and not (types.is_duration(kind) or types.is_interval(kind)):
        return True
    if not lists and types.is_decimal(kind):
        return True  # a float would not hold 0.10 exactly
    plain = (
        types.is_string(kind)
        or types.is_large_string(kind)
        or types.is_string_view(kind)
        or types.is_integer(kind)
        or types.is_floating(kind)
        or types.is_boolean(kind)
        or types.is_null(kind)
    )
    if not plain:
        hint = "write the column as text, or as one column per value"
        raise InputError(
            name, f"the column {field.name!r} is of type {field.type}", f"columns of {_PLAIN}", hint
        )
    return False


def _values(column: pa.Array, as_text: bool) -> list[Value]:
    """Convert a column; Arrow writes a space between date and time, ISO 8601 a T."""
    from pyarrow import string, types

    if types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if not as_text:
        return column.to_pylist()
    texts = column.cast(string()).to_pylist()
    if types.is_timestamp(column.type):
        return [None if text is None else text.replace(" ", "T", 1) for text in texts]
    return texts


def _check(values: dict[str, Value], where: str, limits: Limits) -> None:
    for column, value in values.items():
        try:
            check_value(value, f"in the column {column!r}", limits)
        except ValueError as error:
            raise InputError(where, str(error), hint="write null for a missing number") from None
