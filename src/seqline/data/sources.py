"""Where rows come from: the user's own file, or a public data set by its official address."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO

from seqline.data.archives import Progress, download, verify_digest
from seqline.data.csv_rows import listed
from seqline.data.imdb import unpack_imdb
from seqline.data.readers import Row, read_rows
from seqline.data.streams import LIMITS, Limits, require_file
from seqline.errors import InputError
from seqline.files import atomic_write

DOWNLOADS = Path(".seqline/downloads")


@dataclass(frozen=True, kw_only=True)
class ImportReport:
    """What `import_file` wrote.

    Args:
        rows: Number of rows.
        columns: Names of the columns as written, `id` included.
        added_id: Whether the file had no `id` column and got one.
    """

    rows: int
    columns: tuple[str, ...]
    added_id: bool


def import_file(
    source: Path,
    target: Path,
    *,
    required: Sequence[str],
    check: Callable[[Row], None] | None = None,
    turn: Callable[[Iterator[Row]], Iterator[Row]] | None = None,
    limit: int | None = None,
    limits: Limits = LIMITS,
) -> ImportReport:
    """Write any readable file as canonical JSON Lines, whole or not at all.

    All columns are kept in their order. A file without an `id` column gets one in front: the name of the
    target's folder and the number of the row, such as `train-0000001`.

    Args:
        source: The user's file, in a format of `readers.FORMATS`.
        target: Such as data/NAME/train/imported.jsonl.
        required: Columns that must be there.
        check: Called with every row before it is written; raises to refuse the file.
        turn: Makes canonical rows of those of a table of another shape; `required` and `check` are about what it makes.
        limit: Take only this many rows from the top; the rest is not read.
        limits: What the file may cost.

    Raises:
        InputError: The file cannot be read exactly, or a required column is missing. Nothing is left behind.
    """
    if limit is not None and limit < 1:
        raise InputError("limit", str(limit), "at least 1")
    rows = read_rows(source, limits=limits)
    if turn is not None:
        rows = turn(rows)
    first = next(rows)  # a file without rows is refused by the reader
    columns = list(first.values)
    _require_columns(source, columns, required)
    added_id = "id" not in columns
    count = 0

    def write(temporary: Path) -> None:
        import orjson

        nonlocal count
        with temporary.open("wb") as handle:
            for row in islice(chain([first], rows), limit):
                if check is not None:
                    check(row)
                count += 1
                values = {"id": f"{target.parent.name}-{count:07d}", **row.values} if added_id else row.values
                handle.write(orjson.dumps(values, option=orjson.OPT_APPEND_NEWLINE))

    _write_leaving_nothing(target, write)
    return ImportReport(
        rows=count, columns=tuple(["id", *columns] if added_id else columns), added_id=added_id
    )


def _write_leaving_nothing(target: Path, write: Callable[[Path], None]) -> None:
    """Write atomically; after a failure the folders that were made for the file go away as well."""
    fresh = [folder for folder in target.parents if not folder.exists()]
    try:
        atomic_write(target, write)
    except BaseException:
        for folder in fresh:
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
        raise


def _require_columns(source: Path, columns: Sequence[str], required: Sequence[str]) -> None:
    for name in required:
        if name not in columns:
            nearest = difflib.get_close_matches(name, columns, n=1) or difflib.get_close_matches(
                name.casefold(), columns, n=1
            )
            raise InputError(
                str(source),
                f"no column {name!r}; its columns are {listed(columns)}",
                f"a column {name!r}",
                f"did you mean {nearest[0]!r}?" if nearest else "name one of its columns",
            )


@dataclass(frozen=True, kw_only=True)
class Source:
    """A public data set.

    Args:
        title: Name and authors.
        address: Official https address of the archive.
        algorithm: Of the digest: "sha256", or "md5" where the publisher gives only that.
        digest: Hex digest the archive must have; checked before anything is read from it.
        max_bytes: Largest download.
        unpack: Writes the rows: takes the open archive, its name and the target folder, returns rows by file.
        licence: What the data may be used for.
        input_column: Column of the text.
        target_column: Column of the label.
    """

    title: str
    address: str
    algorithm: str
    digest: str
    max_bytes: int
    unpack: Callable[[BinaryIO, str, Path], Mapping[str, int]]
    licence: str
    input_column: str = "text"
    target_column: str = "label"


@dataclass(frozen=True, kw_only=True)
class GetReport:
    """What `get` wrote: the archive it read, its digest, and rows by file."""

    archive: Path
    digest: str
    rows: Mapping[str, int]


def get(
    name: str,
    *,
    into: Path,
    local: Path | None = None,
    progress: Progress | None = None,
    downloads: Path = DOWNLOADS,
    sources: Mapping[str, Source] | None = None,
) -> GetReport:
    """Fetch a public data set and write its rows.

    Args:
        name: Key of `SOURCES`.
        into: Folder for the rows, such as data/imdb.
        local: A copy of the archive to use instead of the network.
        progress: Called with the bytes downloaded and the total (None when the server does not tell).
        downloads: Where archives are kept; one with the right digest is not downloaded again.
        sources: Other data sets than `SOURCES`.

    Raises:
        InputError: Unknown name, a wrong digest (found and expected are named), an unsafe or strange archive.
            Nothing is written into `into`.
        SeqlineError: The download failed.
    """
    known = SOURCES if sources is None else sources
    if name not in known:
        nearest = difflib.get_close_matches(name, known, n=1)
        hint = (
            f"did you mean {nearest[0]!r}?" if nearest else "for your own file: seqline new NAME --from FILE"
        )
        raise InputError("data set", f"unknown name {name!r}", f"one of {', '.join(known)}", hint)
    source = known[name]

    def check(handle: BinaryIO, where: str) -> None:
        verify_digest(handle, where, source.algorithm, source.digest)

    archive = local if local is not None else downloads / source.address.rsplit("/", 1)[-1]
    if local is None and not _is_intact(archive, check):
        download(source.address, archive, check=check, max_bytes=source.max_bytes, progress=progress)
    require_file(archive)
    with archive.open("rb") as handle:
        check(handle, str(archive))
        rows = source.unpack(handle, str(archive), into)
    return GetReport(archive=archive, digest=f"{source.algorithm}:{source.digest}", rows=rows)


def _is_intact(archive: Path, check: Callable[[BinaryIO, str], None]) -> bool:
    if not archive.is_file():
        return False
    try:
        with archive.open("rb") as handle:
            check(handle, str(archive))
    except InputError:
        return False
    return True


# A data set is a line here, and an unpack function in a module of its own name.
SOURCES: Mapping[str, Source] = {
    "imdb": Source(
        title="Large Movie Review Dataset v1.0 (Maas et al. 2011)",
        address="https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz",
        # The digest in general use for this archive; we know no sha256 of the original.
        algorithm="md5",
        digest="7c2ac02c03563afcf9b574c7e56c153a",
        max_bytes=128 << 20,  # the archive has 84 MB
        unpack=unpack_imdb,
        licence="no explicit licence; released for research, cite Maas et al. 2011",
    ),
}
