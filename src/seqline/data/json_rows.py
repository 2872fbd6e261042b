"""Rows of JSON Lines: one flat object per line, the same keys in each, values that are read exactly."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from typing import Any, NoReturn, cast

from seqline.data.csv_rows import check_column_names, listed
from seqline.data.streams import LIMITS, Limits
from seqline.errors import InputError

Value = str | int | float | bool | None

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1
_FLAT_HINT = "one flat object per line: values are text, numbers, true, false or null"


class _RefusedError(ValueError):
    """Why a line is refused; `json_rows` adds the line."""


def json_rows(
    lines: Iterable[tuple[int, str]], name: str, limits: Limits = LIMITS
) -> Iterator[tuple[int, dict[str, Value]]]:
    """Read the rows of a JSON Lines file, keys in the order of the first line.

    Args:
        lines: Line numbers and lines, from `streams.text_lines`.
        name: What messages call the file.
        limits: Caps on fields and rows.

    Raises:
        InputError: A line that is not a flat object with the first line's keys and plain, finite values.
    """
    decoder = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_refuse_constant)
    columns: list[str] = []
    first_line = 0
    for number, line in lines:
        where = f"{name} line {number}"
        try:
            values = _decode(decoder, line)
            _check_values(values, limits, escaped="\\u" in line)
        except _RefusedError as error:
            raise InputError(where, str(error), hint=_FLAT_HINT) from None
        if not first_line:
            columns, first_line = list(values), number
            check_column_names(columns, where)
            if len(columns) > limits.fields:
                raise InputError(where, f"{len(columns):,} keys", f"at most {limits.fields:,}")
        if list(values) != columns:
            if values.keys() != set(columns):
                raise _other_keys(where, values, columns, first_line)
            values = {column: values[column] for column in columns}
        yield number, values
    if not first_line:
        raise InputError(name, "empty file", "at least one line with a JSON object")


def _decode(decoder: json.JSONDecoder, line: str) -> dict[str, Value]:
    # Only JSON's own white space: str.strip() would also drop U+00A0 and its kind, which JSON does not allow.
    text = line.strip(" \t\r\n")
    if not text:
        raise _RefusedError("an empty line")
    try:
        value = decoder.decode(text)
    except _RefusedError:
        raise
    except json.JSONDecodeError as error:
        raise _RefusedError(f"not JSON: {error.msg} at character {error.pos + 1}") from None
    except RecursionError:
        raise _RefusedError("values nested too deeply") from None
    except ValueError:
        # Python itself refuses to convert thousands of digits.
        raise _RefusedError("an integer of thousands of digits") from None
    if not isinstance(value, dict):
        raise _RefusedError(f"{_kind(value)} instead of an object")
    return cast(dict[str, Value], value)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build an object; JSON's own rule "the last one wins" would lose a repeated key's value silently."""
    values = dict(pairs)
    if len(values) != len(pairs):
        names = [key for key, _ in pairs]
        repeated = next(key for key in names if names.count(key) > 1)
        raise _RefusedError(f"the key {repeated!r} appears twice")
    return values


def _refuse_constant(text: str) -> NoReturn:
    raise _RefusedError(f"{text}, which is not a JSON number; write null for a missing number")


def _check_values(values: dict[str, Value], limits: Limits, *, escaped: bool) -> None:
    for key, value in values.items():
        if isinstance(value, dict | list):
            raise _RefusedError(f"{_kind(value)} under the key {key!r}")
        if isinstance(value, str):
            if len(value) > limits.field_characters:
                found = f"a text of {len(value):,} characters under the key {key!r}"
                raise _RefusedError(f"{found} (at most {limits.field_characters:,})")
            if escaped:
                _check_text(value, f"under the key {key!r}")
        else:
            check_number(value, f"under the key {key!r}")
        if escaped:
            _check_text(key, "in a key")


def check_number(value: Value, place: str) -> None:
    """Refuse integers beyond 64 bits and floats that are not finite.

    Raises:
        ValueError: With the reason as its text.
    """
    if isinstance(value, float) and not math.isfinite(value):
        raise _RefusedError(f"a number that is not finite or beyond a 64-bit float {place}")
    if isinstance(value, int) and not INT64_MIN <= value <= INT64_MAX:
        raise _RefusedError(f"the integer {value} beyond 64 bits {place}; write it as text")


def _check_text(text: str, place: str) -> None:
    """Refuse what only an escape can bring in: UTF-8 has no surrogates, `text_lines` lets no NUL through."""
    if "\0" in text:
        raise _RefusedError(f"NUL character (U+0000) {place}")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise _RefusedError(f"lone surrogate U+{ord(text[error.start]):04X} {place}") from None


def _kind(value: object) -> str:
    if isinstance(value, dict):
        return "a nested object"
    if isinstance(value, list):
        return "a list"
    return (
        "null"
        if value is None
        else f"a bare {'string' if isinstance(value, str) else 'number or truth value'}"
    )


def _other_keys(where: str, values: dict[str, Value], columns: list[str], first_line: int) -> InputError:
    missing = [column for column in columns if column not in values]
    extra = [key for key in values if key not in columns]
    parts = [f"missing {listed(missing)}"] if missing else []
    parts += [f"extra {listed(extra)}"] if extra else []
    return InputError(
        where,
        f"other keys than line {first_line}: {'; '.join(parts)}",
        f"the keys {listed(columns)} in every line",
        "write null for a missing value",
    )
