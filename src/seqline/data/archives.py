"""Fetching an archive and reading it safely: digest first, then members as streams, none extracted."""

from __future__ import annotations

import hashlib
import http.client
import io
import tarfile
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from http.client import HTTPMessage
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, cast
from urllib.parse import urlsplit

from seqline.data.streams import Gunzip, Limits
from seqline.errors import InputError, SeqlineError
from seqline.files import atomic_write

Progress = Callable[[int, int | None], None]

_LOOPBACK_HOSTS = {"localhost", "127.0.0.1", "::1"}
_CHUNK_BYTES = 1 << 18
_TIMEOUT_SECONDS = 30.0
_LOCAL_HINT = "download it yourself and name it with --from"


@dataclass(frozen=True, kw_only=True)
class ArchiveLimits:
    """What an archive may hold; beyond it the archive is refused.

    Args:
        members: Most files and folders.
        member_bytes: Largest file.
        total_bytes: Most bytes of all files and headers together.
    """

    members: int = 200_000
    member_bytes: int = 256 << 20
    total_bytes: int = 2 << 30


ARCHIVE_LIMITS = ArchiveLimits()


def verify_digest(handle: BinaryIO, name: str, algorithm: str, expected: str) -> None:
    """Hash an open file and rewind it, so that the bytes read afterwards are the bytes that were checked.

    Args:
        handle: The file, readable and seekable.
        name: What messages call it.
        algorithm: "sha256" or, where the publisher gives nothing better, "md5".
        expected: Hex digest.

    Raises:
        InputError: Another digest; both are named.
    """
    digest = hashlib.new(algorithm, usedforsecurity=False)
    handle.seek(0)
    while chunk := handle.read(_CHUNK_BYTES):
        digest.update(chunk)
    handle.seek(0)
    if digest.hexdigest() != expected:
        raise InputError(
            name,
            f"{algorithm} {digest.hexdigest()}",
            f"{algorithm} {expected}",
            "the file is damaged, incomplete or another one: get it again",
        )


def download(
    address: str,
    target: Path,
    *,
    check: Callable[[BinaryIO, str], None],
    max_bytes: int,
    progress: Progress | None = None,
) -> None:
    """Download to `target`, which appears only when complete and checked.

    Args:
        address: https only, redirects included; http is for the loopback interface (tests, a local mirror).
        target: Where the file ends up.
        check: Refuses a wrong file; gets the complete file and its name.
        max_bytes: Largest file.
        progress: Called with the bytes so far and the total, if the server tells it.

    Raises:
        InputError: A refused address, or what `check` refuses.
        SeqlineError: The network or the server failed.
    """
    _require_safe(address)

    def write(temporary: Path) -> None:
        opener = urllib.request.build_opener(_SafeRedirects())
        try:
            # Only https and loopback http get here: _require_safe has seen the address and every redirect.
            with opener.open(address, timeout=_TIMEOUT_SECONDS) as response, temporary.open("wb") as handle:
                _copy(response, handle, address, max_bytes, progress)
        except (OSError, http.client.HTTPException) as error:
            reason = str(error) or type(error).__name__
            raise SeqlineError(address, f"the download failed ({reason})", hint=_LOCAL_HINT) from None
        with temporary.open("rb") as complete:
            check(complete, address)

    atomic_write(target, write)


def _copy(
    response: http.client.HTTPResponse,
    handle: IO[bytes],
    address: str,
    max_bytes: int,
    progress: Progress | None,
) -> None:
    length = response.headers.get("Content-Length")
    total = int(length) if length and length.isdigit() else None
    done = 0
    while chunk := response.read(_CHUNK_BYTES):
        done += len(chunk)
        if done > max_bytes:
            raise InputError(address, f"more than {max_bytes:,} bytes", f"at most {max_bytes:,} bytes")
        handle.write(chunk)
        if progress is not None:
            progress(done, total)
    if total is not None and done != total:
        found = f"the connection ended after {done:,} of {total:,} bytes"
        raise SeqlineError(address, found, hint=f"try again, or {_LOCAL_HINT}")


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    """Follows a redirect only to an address that could have been asked for in the first place."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        _require_safe(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _require_safe(address: str) -> None:
    parts = urlsplit(address)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK_HOSTS):
        return
    raise InputError(address, f"an address of the kind {parts.scheme or 'none'}", "https", _LOCAL_HINT)


def tar_files(
    handle: BinaryIO, name: str, limits: ArchiveLimits = ARCHIVE_LIMITS
) -> Iterator[tuple[PurePosixPath, Callable[[], bytes]]]:
    """Read the regular files of a .tar.gz in their order.

    Args:
        handle: The packed archive.
        name: What messages call it.
        limits: Caps on number and sizes, checked before a file is read.

    Yields:
        The path inside the archive, and a function that reads the file, until the next one is asked for.

    Raises:
        InputError: A damaged archive, one beyond its limits, or a member that has no business in a data set
            (absolute path, "..", link, device).
    """
    unpacked = io.BufferedReader(
        Gunzip(handle, name, Limits(decompressed_bytes=limits.total_bytes)), _CHUNK_BYTES
    )
    count = 0
    try:
        # "r|" reads forward only: no member is visited before the ones ahead of it passed.
        with tarfile.open(fileobj=unpacked, mode="r|") as archive:
            while (member := archive.next()) is not None:
                # tarfile would remember all headers, 50 MB for 100,000 reviews
                archive.members.clear()  # type: ignore[attr-defined]
                count += 1
                _check_member(member, count, name, limits)
                if member.isreg():
                    yield PurePosixPath(member.name), partial(_read_member, archive, member, name)
    except (tarfile.TarError, EOFError) as error:
        raise InputError(name, f"a damaged tar archive ({error})", hint="get the archive again") from None
    if count == 0:
        raise InputError(name, "an empty archive")


def _read_member(archive: tarfile.TarFile, member: tarfile.TarInfo, name: str) -> bytes:
    stream = cast(IO[bytes], archive.extractfile(member))
    content = stream.read()
    if len(content) != member.size:
        raise InputError(
            name, f"{member.name} is cut short", f"{member.size:,} bytes", "get the archive again"
        )
    return content


def _check_member(member: tarfile.TarInfo, count: int, name: str, limits: ArchiveLimits) -> None:
    where = f"{name}: {member.name!r}"
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts or "\\" in member.name or not member.name.isprintable():
        raise InputError(where, "an unsafe path", "plain relative paths")
    if member.issym() or member.islnk():
        raise InputError(where, f"a link to {member.linkname!r}", "only files and folders")
    if not (member.isreg() or member.isdir()) or member.issparse():
        raise InputError(where, "a device, pipe or other special file", "only files and folders")
    if count > limits.members:
        raise InputError(name, f"more than {limits.members:,} members", f"at most {limits.members:,}")
    if member.size > limits.member_bytes:
        raise InputError(where, f"{member.size:,} bytes", f"at most {limits.member_bytes:,} bytes per file")
