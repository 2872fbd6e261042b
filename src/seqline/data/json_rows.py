"""Rows of JSON Lines: one object per line, the same keys in each, values that are read exactly."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Any, NoReturn, cast

from seqline.data.csv_rows import check_column_names, listed
from seqline.data.refusals import Refusals
from seqline.data.streams import LIMITS, Limits
from seqline.errors import InputError

Scalar = str | int | float | bool | None
# A list holds text, numbers and null, or such lists: tokens, series, vectors.
Value = Scalar | list[Any]

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1
# Lines that decide which keys a file has, where one with other keys is refused and not the file.
_DECIDING_LINES = 100
# A series is a list of steps, a step a list of numbers: nothing is deeper.
_DEEPEST_LIST = 2
_FLAT_HINT = "one object per line: values are text, numbers, true, false, null, or lists of text or numbers"


class _RefusedError(ValueError):
    """Why a line is refused; `json_rows` adds the line."""


def json_rows(
    lines: Iterable[tuple[int, str]], name: str, limits: Limits = LIMITS, refusals: Refusals | None = None
) -> Iterator[tuple[int, dict[str, Value]]]:
    """Read the rows of a JSON Lines file, keys in the order of the first line.

    Args:
        lines: Line numbers and lines, from `streams.text_lines`.
        name: What messages call the file.
        limits: Caps on fields and rows.
        refusals: Takes the lines at fault. The file's keys are then those of most of the first 100 good lines, so
            that a first line at fault does not refuse all the others.

    Raises:
        InputError: A line that is not an object with the first line's keys and plain, finite values or lists of them.
    """
    if refusals is not None:
        refusals.has_begun = True
    objects = _objects(lines, name, limits, refusals)
    head = list(islice(objects, 1 if refusals is None else _DECIDING_LINES))
    if not head:
        if refusals is None or not refusals.raw:
            raise InputError(name, "empty file", "at least one line with a JSON object")
        return
    common = Counter(frozenset(values) for _, values, _ in head).most_common(1)[0][0]
    first_line, columns = next(
        (number, list(values)) for number, values, _ in head if values.keys() == common
    )
    check_column_names(columns, f"{name} line {first_line}")
    if len(columns) > limits.fields:
        raise InputError(f"{name} line {first_line}", f"{len(columns):,} keys", f"at most {limits.fields:,}")
    for number, values, line in chain(head, objects):
        if list(values) == columns:
            yield number, values
        elif values.keys() == common:
            yield number, {column: values[column] for column in columns}
        else:
            error = _other_keys(f"{name} line {number}", values, columns, first_line)
            if refusals is None:
                raise error
            refusals.raw = line
            refusals.refuse(number, error)


def _objects(
    lines: Iterable[tuple[int, str]], name: str, limits: Limits, refusals: Refusals | None
) -> Iterator[tuple[int, dict[str, Value], str]]:
    """Number, values and text of each line that is an object of plain values and lists."""
    decoder = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_refuse_constant)
    for number, line in lines:
        fault = None
        if refusals is not None:
            refusals.raw = line
            fault = refusals.damage(number, number)
        if fault is None:
            try:
                values = _decode(decoder, line)
                _check_values(values, limits, escaped="\\u" in line)
            except _RefusedError as error:
                fault = InputError(f"{name} line {number}", str(error), hint=_FLAT_HINT)
        if fault is None:
            yield number, values, line
        elif refusals is None:
            raise fault
        else:
            refusals.refuse(number, fault)


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
        check_value(value, f"under the key {key!r}", limits, escaped=escaped)
        if escaped:
            _check_text(key, "in a key")


def check_value(value: Any, place: str, limits: Limits, *, escaped: bool = True, depth: int = 0) -> None:
    """Refuse what is neither text, number, truth value, null nor a list of text and numbers, and what is too large.

    Args:
        value: The value.
        place: Where it stands, for the message.
        limits: Cap on the characters of a text.
        escaped: Whether its texts may hold characters that only an escape can bring in.
        depth: How many lists it is in already.

    Raises:
        ValueError: With the reason as its text.
    """
    if isinstance(value, list):
        if depth == _DEEPEST_LIST:
            raise _RefusedError(f"lists in lists in lists {place}")
        for number, item in enumerate(value, start=1):
            # Numbers of a series are by far the most frequent: they pay for no call and no text.
            if (type(item) is float and math.isfinite(item)) or (type(item) is int and abs(item) < INT64_MAX):
                continue
            check_value(item, f"in item {number} {place}", limits, escaped=escaped, depth=depth + 1)
    elif isinstance(value, dict):
        raise _RefusedError(f"{_kind(value)} {place}")
    elif isinstance(value, str):
        if len(value) > limits.field_characters:
            found = f"a text of {len(value):,} characters {place}"
            raise _RefusedError(f"{found} (at most {limits.field_characters:,})")
        if escaped:
            _check_text(value, place)
    elif isinstance(value, bool) and depth:
        raise _RefusedError(f"a truth value {place}")
    else:
        check_number(value, place)


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
