"""Bytes to lines of text, at constant memory: gzip under a cap, strict UTF-8, no NUL, no endless line.

Everything here counts what it reads, so that a message can say on which line and byte reading stopped.
"""

from __future__ import annotations

import io
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from seqline.data.refusals import Refusals
from seqline.errors import InputError

MAX_DECOMPRESSED_BYTES = 8 << 30
# English text packs 2 to 4 times, a log of equal lines up to 100 times; zeros pack 1,030 times.
MAX_RATIO = 200
# Below this many decompressed bytes no ratio is held against a file: a tiny file of equal rows is not a bomb.
RATIO_FLOOR_BYTES = 16 << 20
MAX_FIELD_CHARACTERS = 8 << 20
MAX_ROW_BYTES = 64 << 20
MAX_FIELDS = 10_000
_CHUNK_BYTES = 1 << 18
_GZIP_WINDOW = 31  # zlib's spelling of "gzip header and checksum expected"
_GZIP_MAGIC = b"\x1f\x8b"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_FOREIGN_BEGINNINGS = {
    b"\xff\xfe": ("UTF-16 text (byte order mark ff fe)", "save the file as UTF-8"),
    b"\xfe\xff": ("UTF-16 text (byte order mark fe ff)", "save the file as UTF-8"),
    _GZIP_MAGIC: ("gzip data", "add .gz to the file's name"),
    b"PAR1": ("Parquet data", "end the file's name in .parquet"),
    b"PK\x03\x04": (
        "a zip archive (also what spreadsheets are)",
        "unpack it, or export the sheet as CSV in UTF-8",
    ),
}


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one file may cost to read; beyond it the file is refused, never cut short.

    Args:
        decompressed_bytes: Most bytes a gzip file may unpack to.
        ratio: Most bytes unpacked per packed byte, once `RATIO_FLOOR_BYTES` are unpacked.
        field_characters: Longest single value.
        row_bytes: Longest row (and line).
        fields: Most columns.
    """

    decompressed_bytes: int = MAX_DECOMPRESSED_BYTES
    ratio: float = MAX_RATIO
    field_characters: int = MAX_FIELD_CHARACTERS
    row_bytes: int = MAX_ROW_BYTES
    fields: int = MAX_FIELDS


LIMITS = Limits()


class Gunzip(io.RawIOBase):
    """The decompressed bytes of a gzip stream: all its members, checksums verified, never more than the cap.

    `gzip.GzipFile` verifies too but neither bounds what comes out nor tells a cut file from a damaged one.

    Args:
        packed: The gzip bytes.
        name: What messages call the file.
        limits: Caps on size and ratio.
    """

    def __init__(self, packed: BinaryIO, name: str, limits: Limits = LIMITS) -> None:
        self._packed = packed
        self._name = name
        self._limits = limits
        self._member: zlib._Decompress | None = None
        self._waiting = b""
        self._packed_bytes = 0
        self._unpacked_bytes = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        while True:
            if self._member is None:
                if not self._find_member():
                    return 0
                self._member = zlib.decompressobj(_GZIP_WINDOW)
            packed = self._waiting or self._read_packed()
            try:
                data = self._member.decompress(packed, len(view))
            except zlib.error as error:
                raise self._refusal(f"damaged gzip data ({error})") from None
            if self._member.eof:
                self._waiting = self._member.unused_data
                self._member = None
            else:
                self._waiting = self._member.unconsumed_tail
            if data:
                self._count(len(data))
                view[: len(data)] = data
                return len(data)
            if not packed and self._member is not None:
                raise self._refusal("truncated gzip data: the file ends too early")

    def _read_packed(self) -> bytes:
        packed = self._packed.read(_CHUNK_BYTES)
        self._packed_bytes += len(packed)
        return packed

    def _find_member(self) -> bool:
        """Find the next gzip member; zeros after a member are the padding of tapes and disk blocks."""
        if self._packed_bytes == 0:
            self._waiting = self._read_packed()
            if not self._waiting.startswith(_GZIP_MAGIC):
                found = f"not gzip data: it begins with the bytes {self._waiting[:4].hex(' ')}"
                raise InputError(
                    self._name, found, "gzip data (1f 8b)", "drop .gz from its name if it is not packed"
                )
            return True
        self._waiting = self._waiting.lstrip(b"\0")
        while not self._waiting and (packed := self._read_packed()):
            self._waiting = packed.lstrip(b"\0")
        return bool(self._waiting)

    def _count(self, fresh_bytes: int) -> None:
        self._unpacked_bytes += fresh_bytes
        if self._unpacked_bytes > self._limits.decompressed_bytes:
            raise InputError(
                self._name,
                f"unpacks to more than {self._limits.decompressed_bytes:,} bytes",
                f"at most {self._limits.decompressed_bytes:,} bytes",
                "split the file, or unpack it yourself if you trust it",
            )
        ratio = self._unpacked_bytes / self._packed_bytes
        if self._unpacked_bytes > RATIO_FLOOR_BYTES and ratio > self._limits.ratio:
            raise InputError(
                self._name,
                f"unpacks to {ratio:,.0f} times its size (a decompression bomb?)",
                f"at most {self._limits.ratio:,.0f} times",
                "unpack it yourself if you trust it",
            )

    def _refusal(self, found: str) -> InputError:
        where_it_stopped = f"{found}, after {self._unpacked_bytes:,} unpacked bytes"
        return InputError(self._name, where_it_stopped, "a complete, intact gzip file", "get the file again")


def require_file(path: Path) -> None:
    """Refuse what is not a readable regular file with bytes in it."""
    try:
        status = path.stat()
    except FileNotFoundError:
        raise InputError(str(path), "no such file") from None
    except OSError as error:
        raise InputError(str(path), f"cannot be read ({error.strerror})") from None
    if stat.S_ISDIR(status.st_mode):
        raise InputError(str(path), "a folder", "a file")
    if not stat.S_ISREG(status.st_mode):
        raise InputError(str(path), "not a regular file (a pipe or a device)", "a file")
    if status.st_size == 0:
        raise InputError(str(path), "empty file", "a header and at least one row")


@contextmanager
def open_bytes(path: Path, limits: Limits = LIMITS) -> Iterator[BinaryIO]:
    """Open a file's bytes, unpacked when its name ends in .gz.

    Raises:
        InputError: The file is missing, empty, no file, or (while reading) not intact gzip data in the caps.
    """
    require_file(path)
    try:
        handle = path.open("rb")
    except OSError as error:
        raise InputError(str(path), f"cannot be read ({error.strerror})") from None
    with handle:
        if path.suffix.lower() == ".gz":
            yield cast(BinaryIO, io.BufferedReader(Gunzip(handle, str(path), limits), _CHUNK_BYTES))
        else:
            yield handle


def text_lines(
    path: Path, limits: Limits = LIMITS, refusals: Refusals | None = None
) -> Iterator[tuple[int, str]]:
    r"""Read the lines of a UTF-8 file, each with its number from 1 and its own ending kept.

    Only "\n" ends a line: `str.splitlines` also breaks at U+0085 and U+2028, which real reviews contain.
    A byte order mark is dropped. NUL is refused (UTF-16, binary or damaged files have it); other control
    characters are kept: official IMDb reviews contain U+0008 and U+0010, and `validate` counts them.

    With `refusals`, a line that is not UTF-8 or has a NUL is left for the record it belongs to: it comes with its
    foreign bytes as lone surrogates, and what is wrong is in `refusals.damaged`. Quotes, separators and line ends are
    ASCII, so where a record ends stays certain.

    Raises:
        InputError: Not UTF-8, a NUL, a line beyond the cap; the line and the place in it are named.
    """
    with open_bytes(path, limits) as handle:
        number = 0
        offset = 0
        while raw := handle.readline(limits.row_bytes + 1):
            number += 1
            mark = b""
            if number == 1:
                _refuse_foreign(path, raw)
                mark = _BYTE_ORDER_MARK if raw.startswith(_BYTE_ORDER_MARK) else b""
            if len(raw) > limits.row_bytes:
                found = f"longer than {limits.row_bytes:,} bytes"
                raise InputError(f"{path} line {number}", found, hint="is this a table of text?")
            fault = None
            if b"\0" in raw:
                found = f"NUL character (U+0000) at byte {offset + raw.index(0)} of the file"
                hint = "the file may be UTF-16, binary or damaged"
                fault = InputError(f"{path} line {number}", found, "UTF-8 text", hint)
            try:
                line = raw[len(mark) :].decode("utf-8")
            except UnicodeDecodeError as error:
                start = error.start + len(mark)
                fault = fault or _not_utf8(f"{path} line {number}", raw, start, offset, error.reason)
                line = raw[len(mark) :].decode("utf-8", errors="surrogateescape")
            if fault is not None:
                if refusals is None:
                    raise fault
                refusals.damaged[number] = fault
            offset += len(raw)
            if line:
                yield number, line


def _not_utf8(where: str, raw: bytes, start: int, offset: int, reason: str) -> InputError:
    found = f"not UTF-8: byte 0x{raw[start]:02x} at byte {offset + start} of the file ({reason})"
    hint = "convert it, for example: iconv -f WINDOWS-1252 -t UTF-8 OLD > NEW"
    return InputError(where, found, "UTF-8 text", hint)


def _refuse_foreign(path: Path, beginning: bytes) -> None:
    for magic, (found, hint) in _FOREIGN_BEGINNINGS.items():
        if beginning.startswith(magic):
            raise InputError(f"{path} line 1", found, "UTF-8 text", hint)
