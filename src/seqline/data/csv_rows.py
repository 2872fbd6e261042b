"""Records of comma- and tab-separated files, exactly as RFC 4180 means them or refused with the line.

Python's `csv` module, even with `strict=True`, takes a bare quote inside an unquoted field, skips empty
lines, and at an unclosed quote swallows the rest of the file without saying where it was opened. So this is a
reader of its own: one `split` for a line without quotes, a regular expression per field for the others.

Spreadsheets of many countries write semicolons where others write commas, since their numbers have commas in them. The first
line says which it is: names of columns hold neither.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import cast

from seqline.data.refusals import Refusals
from seqline.data.streams import LIMITS, Limits
from seqline.errors import InputError

# From just behind an opening quote: the text up to the closing quote, or to the end of the line without one.
_QUOTED_TEXT = re.compile(r'([^"]*+(?:""[^"]*+)*+)("?)')
_QUOTE = '"'
# Other separators than the comma, of a file whose first line has no comma outside quotes.
_OTHER_SEPARATORS = (";", "\t")
_QUOTED_NAME = re.compile(r'"[^"]*"?')
_SHOWN_CHARACTERS = 20
_LISTED_NAMES = 20
_QUOTE_HINT = 'write a quote inside a quoted field twice (""), and quote every field that contains a quote'
_LONE_RETURN_HINT = r'end lines with "\n" or "\r\n"; a carriage return inside a value needs a quoted field'


@dataclass
class _Quoted:
    """A quoted field that goes on over line ends."""

    line: int
    column: int
    pieces: list[str] = field(default_factory=list)
    characters: int = 0


def csv_records(
    lines: Iterable[tuple[int, str]], name: str, limits: Limits = LIMITS, refusals: Refusals | None = None
) -> Iterator[tuple[int, list[str]]]:
    """Split the lines of a CSV file into records, the header among them; fields are separated as in the first line.

    Args:
        lines: Line numbers and lines with their endings, from `streams.text_lines`.
        name: What messages call the file.
        limits: Caps on fields and rows.
        refusals: Takes the records at fault; without it the first one is raised.

    Yields:
        The line a record starts on, and its fields, exactly; an empty line has none.

    Raises:
        InputError: What RFC 4180 does not allow, with its line.
    """
    reader: _CsvReader | None = None
    for number, line in lines:
        reader = reader or _CsvReader(name, limits, separator_of(line))
        if refusals is not None:
            refusals.raw = line if reader.quoted is None else refusals.raw + line
        try:
            if reader.quoted is None and '"' not in line:
                start, fields = number, _plain_fields(line, reader.separator, name, number, limits)
            elif reader.feed(number, line):
                start, fields = reader.start, reader.fields
            else:
                continue
        except InputError as error:
            if refusals is None or not reader.ends_certainly(number, line):
                raise
            reader.quoted = None
            start = reader.start if '"' in line else number
            refusals.refuse(start, refusals.damage(start, number) or error)
            continue
        if refusals is not None and (fault := refusals.damage(start, number)):
            refusals.refuse(start, fault)
            continue
        yield start, fields
    if reader is not None and reader.quoted is not None:
        raise InputError(
            f"{name} line {reader.quoted.line}",
            f"the quoted field that opens at character {reader.quoted.column} is never closed",
            'a closing quote (") before the end of the file',
            _QUOTE_HINT,
        )


class _CsvReader:
    """Takes lines with quotes in them, one at a time, and knows where the open quote is."""

    def __init__(self, name: str, limits: Limits, separator: str = ",") -> None:
        self.name = name
        self.limits = limits
        self.separator = separator
        self.start = 0
        self.fields: list[str] = []
        self.quoted: _Quoted | None = None
        self._characters = 0
        self._is_whole = False

    def ends_certainly(self, number: int, line: str) -> bool:
        """After a fault: whether the record ends with this line in every reading of its quotes.

        It does when all of it was read and is only too large, and when it has one line with an even number of quotes.
        Otherwise a quote that was forgotten earlier may have swallowed good rows, or this one may go on.
        """
        if '"' not in line:
            return self.quoted is None
        return self._is_whole or (self.start == number and line.count(_QUOTE) % 2 == 0)

    def feed(self, number: int, line: str) -> bool:
        """Read one line; True when it completes a record."""
        if self.quoted is None:
            self.start, self.fields, self._characters, self._is_whole = number, [], 0, False
        self._characters += len(line)
        if self._characters > self.limits.row_bytes:
            where = f"{self.name} line {self.start}"
            raise InputError(
                where, f"a row of more than {self.limits.row_bytes:,} characters", hint=_QUOTE_HINT
            )
        position = 0
        while True:
            if self.quoted is None and line.startswith('"', position):
                self.quoted = _Quoted(number, position + 1)
                position += 1
            if self.quoted is None:
                position = self._take_plain(number, line, position)
            else:
                position = self._take_quoted(self.quoted, number, line, position)
                if position < 0:
                    return False
            if not line.startswith(self.separator, position):
                break
            position += 1
        self._is_whole = True
        _check_sizes(self.fields, self._characters, self.name, self.start, self.limits)
        return True

    def _take_plain(self, number: int, line: str, position: int) -> int:
        end = line.find(self.separator, position)
        last = end < 0
        text = line[position:] if last else line[position:end]
        if '"' in text:
            raise InputError(
                f"{self.name} line {number}",
                f"a bare quote inside an unquoted field, at character {line.index(_QUOTE, position) + 1}",
                "quotes only around a whole field",
                _QUOTE_HINT,
            )
        if last:
            text = _without_ending(text, self.name, number, position)
        elif "\r" in text:
            raise _lone_return(self.name, number, position + text.index("\r"))
        self.fields.append(text)
        return len(line) if last else end

    def _take_quoted(self, quoted: _Quoted, number: int, line: str, position: int) -> int:
        """Read up to the closing quote; return the place behind it, or -1 when the field goes on."""
        # The pattern matches the empty text as well, so there is always a match.
        match = cast(re.Match[str], _QUOTED_TEXT.match(line, position))
        quoted.pieces.append(match[1])
        quoted.characters += len(match[1])
        if not match[2]:
            self._check_open(quoted)
            return -1
        self.quoted = None
        self.fields.append("".join(quoted.pieces).replace('""', '"'))
        rest = line[match.end() : match.end() + _SHOWN_CHARACTERS]
        if rest in ("", "\n", "\r\n") or rest.startswith((self.separator, "\n")):
            return match.end()
        if rest.startswith("\r"):
            raise _lone_return(self.name, number, match.end())
        raise InputError(
            f"{self.name} line {number}",
            f"text after a closing quote, at character {match.end() + 1}: {rest.rstrip()!r}"
            + (f" (this field's quote was opened on line {quoted.line})" if quoted.line != number else ""),
            f"{_named(self.separator)} or the end of the line",
            _QUOTE_HINT,
        )

    def _check_open(self, quoted: _Quoted) -> None:
        """Stop early at a quote nobody closed: it would gather the rest of the file in memory."""
        if quoted.characters > self.limits.field_characters:
            raise InputError(
                f"{self.name} line {quoted.line}",
                f"the quoted field that opens at character {quoted.column} goes on for more than "
                f"{self.limits.field_characters:,} characters",
                "a closing quote before that",
                _QUOTE_HINT,
            )


def separator_of(header: str) -> str:
    """What separates the columns of a table, by its first line: a comma, unless there is none and semicolons or tabs are."""
    bare = _QUOTED_NAME.sub("", header)
    return next((other for other in _OTHER_SEPARATORS if other in bare and "," not in bare), ",")


def _named(separator: str) -> str:
    return {",": "a comma", ";": "a semicolon", "\t": "a tab"}[separator]


def tsv_records(
    lines: Iterable[tuple[int, str]], name: str, limits: Limits = LIMITS, refusals: Refusals | None = None
) -> Iterator[tuple[int, list[str]]]:
    """Split the lines of a TSV file: tabs between fields, no quoting, a quote is an ordinary character."""
    for number, line in lines:
        try:
            if refusals is not None:
                refusals.raw = line
                if fault := refusals.damage(number, number):
                    raise fault
            # Unlike in CSV, an empty line is the empty value of a table with one column.
            fields = _plain_fields(line, "\t", name, number, limits) or [""]
        except InputError as error:
            if refusals is None:
                raise
            refusals.refuse(number, error)
            continue
        yield number, fields


def _plain_fields(line: str, separator: str, name: str, number: int, limits: Limits) -> list[str]:
    """Fields of a line without quoting; none of an empty line."""
    text = _without_ending(line, name, number)
    fields = text.split(separator) if text else []
    _check_sizes(fields, len(text), name, number, limits)
    return fields


def table_rows(
    records: Iterator[tuple[int, list[str]]], name: str, refusals: Refusals | None = None
) -> Iterator[tuple[int, dict[str, str]]]:
    """Name the fields of each record; the first record is the header, and every other has exactly its width.

    Args:
        records: From `csv_records` or `tsv_records`.
        name: What messages call the file.
        refusals: Takes records of another width; the same as the reader of the records has.
    """
    first = next(records, None)
    if first is None:
        raise InputError(name, "empty file", "a header and at least one row")
    header_line, header = first
    check_column_names(header, f"{name} line {header_line}")
    width = len(header)
    is_empty = True
    if refusals is not None:
        refusals.has_begun = True
    for number, fields in records:
        is_empty = False
        if len(fields) == width:
            yield number, dict(zip(header, fields, strict=True))
            continue
        error = _wrong_width(f"{name} line {number}", fields, header)
        if refusals is None:
            raise error
        refusals.refuse(number, error)
    if is_empty:
        raise InputError(f"{name} line {header_line}", "a header and no rows", "at least one row")


def check_column_names(names: list[str], where: str) -> None:
    """Refuse blank and repeated column names: they cannot be told apart later."""
    if not names:
        raise InputError(where, "no column names", "a header with the names of the columns")
    seen: dict[str, int] = {}
    for position, name in enumerate(names, start=1):
        if not name.strip():
            found = f"column {position} of {len(names)} has a blank name"
            hint = "is the header line missing?"
            if position == 1:
                hint = "name it `index` where a program has numbered the rows (pandas: `to_csv(index=False)` leaves it out)"
            if position == len(names) > 1:
                hint = "is there a separator at the end of each line? Leave it out"
            raise InputError(where, found, "a name for every column", hint)
        if seen.setdefault(name, position) != position:
            found = f"column {position} repeats the name {name!r} of column {seen[name]}"
            raise InputError(where, found, "different names", "rename or remove one of them")


def listed(names: Iterable[str]) -> str:
    """Quote names for a message; of many only the first."""
    quoted = [repr(name) for name in names]
    more = f" and {len(quoted) - _LISTED_NAMES} more" if len(quoted) > _LISTED_NAMES else ""
    return ", ".join(quoted[:_LISTED_NAMES]) + more


def _wrong_width(where: str, fields: list[str], header: list[str]) -> InputError:
    expected = f"{len(header)} (the header's columns: {listed(header)})"
    if fields in ([], [""]):
        return InputError(
            where, "an empty line", expected, 'delete the line; an empty value in one column is written ""'
        )
    found = f"{len(fields)} field{'s' if len(fields) > 1 else ''}"
    if len(fields) > len(header):
        return InputError(
            where, found, expected, 'a separator inside a value? In CSV such a value is written "in quotes"'
        )
    return InputError(
        where, found, expected, "the row is cut short, or a line break in a value is not in quotes"
    )


def _check_sizes(fields: list[str], characters: int, name: str, number: int, limits: Limits) -> None:
    if len(fields) > limits.fields:
        raise InputError(f"{name} line {number}", f"{len(fields):,} fields", f"at most {limits.fields:,}")
    if characters > limits.field_characters:
        longest = max(len(text) for text in fields)
        if longest > limits.field_characters:
            raise InputError(
                f"{name} line {number}",
                f"a field of {longest:,} characters",
                f"at most {limits.field_characters:,}",
            )


def _without_ending(text: str, name: str, number: int, position: int = 0) -> str:
    if text.endswith("\r\n"):
        text = text[:-2]
    elif text.endswith("\n"):
        text = text[:-1]
    if "\r" in text:
        raise _lone_return(name, number, position + text.index("\r"))
    return text


def _lone_return(name: str, number: int, position: int) -> InputError:
    found = f"a carriage return that does not end a line, at character {position + 1}"
    return InputError(f"{name} line {number}", found, r'"\n" or "\r\n"', _LONE_RETURN_HINT)
