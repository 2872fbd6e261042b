"""Rows that were refused, kept with their line, the reasons and the text as it came: nothing is lost."""

from __future__ import annotations

import base64
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import orjson

# What differs between two faults of one kind: quoted text, numbers, code points.
_PARTICULARS = re.compile(r"'[^']*'|\"[^\"]*\"|0x[0-9a-f]+|U\+[0-9A-F]+|\d[\d,]*")
_UNFIT_FOR_A_NAME = re.compile(r"[^A-Za-z0-9_.-]+")
_NAME_CHARACTERS = 80
_DIGEST_CHARACTERS = 8
# A field that is too long must not make the quarantine as large as the file; the file itself is left where it is.
_RAW_CHARACTERS = 1 << 16


def quarantine_name(source: Path, sha256: str) -> str:
    """Name of the quarantine file of a source file: the same file gives the same name.

    >>> quarantine_name(Path("my rows.csv"), "abcdef0123456789")
    'my_rows.csv-abcdef01.jsonl'
    """
    return f"{_UNFIT_FOR_A_NAME.sub('_', source.name)[:_NAME_CHARACTERS]}-{sha256[:_DIGEST_CHARACTERS]}.jsonl"


class QuarantineWriter:
    """Refused rows of one file, one JSON object a line: `file`, `line`, `reasons`, `raw`.

    A text that is not UTF-8 has its foreign bytes spelled out in `raw` and comes as `bytes_base64` too, to the byte.
    Of a very long one the beginning is kept, and `raw_characters` tells its length.

    Args:
        handle: Where the lines go.
        file: What the lines call the source file.
    """

    def __init__(self, handle: BinaryIO, *, file: str) -> None:
        self._handle = handle
        self._file = file
        self._kinds: Counter[str] = Counter()
        self._examples: dict[str, str] = {}
        self.rows = 0

    def add(self, line: int, reasons: Sequence[str], raw: str) -> None:
        """Write one row."""
        kept = raw[:_RAW_CHARACTERS].rstrip("\r\n")
        as_bytes = kept.encode("utf-8", errors="surrogateescape")
        text = as_bytes.decode("utf-8", errors="backslashreplace")
        record: dict[str, Any] = {"file": self._file, "line": line, "reasons": list(reasons), "raw": text}
        if text != kept:
            record["bytes_base64"] = base64.b64encode(as_bytes).decode("ascii")
        if len(raw) > _RAW_CHARACTERS:
            record["raw_characters"] = len(raw)
        self._handle.write(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))
        self.rows += 1
        for reason in reasons:
            kind = _PARTICULARS.sub("#", reason)
            self._kinds[kind] += 1
            self._examples.setdefault(kind, f"{reason} (line {line})")

    def most_frequent(self, count: int) -> list[str]:
        """The most frequent kinds of reasons, as `40 rows: REASON OF THE FIRST (line 2)`."""
        return [
            f"{rows:,} row{'' if rows == 1 else 's'}: {self._examples[kind]}"
            for kind, rows in self._kinds.most_common(count)
        ]
