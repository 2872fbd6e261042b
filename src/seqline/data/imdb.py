"""The Large Movie Review Dataset (Maas et al. 2011) from its official archive to this project's rows.

The archive holds one file per review, `aclImdb/SPLIT/LABEL/NUMBER_RATING.txt`, and `urls_LABEL.txt`, whose
line NUMBER (from 0) is the page of the film. Columns, the same in all three parts:

    id      "train/pos/0_9": the file's path in the archive without .txt
    text    the file's content, unchanged: HTML breaks, spaces and control characters included
    label   "neg" or "pos"; null in the unlabelled part
    rating  1-4 or 7-10; null in the unlabelled part, where the archive says 0 for "left out"
    movie   IMDb title id, for splits that keep a film's reviews together
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO

from seqline.data.archives import ARCHIVE_LIMITS, ArchiveLimits, tar_files
from seqline.errors import InputError
from seqline.files import atomic_write

# The files of rows and the archive's folders (split, label) they come from. The train file is written last:
# its presence means that all three are complete.
_PARTS = {
    "unlabelled/imdb_unsup.jsonl": {("train", "unsup")},
    "test/imdb_test.jsonl": {("test", "neg"), ("test", "pos")},
    "train/imdb_train.jsonl": {("train", "neg"), ("train", "pos")},
}
_FOLDERS = set().union(*_PARTS.values())
_REVIEW_NAME = re.compile(r"(\d{1,9})_(\d{1,2})\.txt", re.ASCII)
_URLS_NAME = re.compile(r"urls_(neg|pos|unsup)\.txt")
_TITLE_ID = re.compile(r"tt\d{7,}", re.ASCII)
_FOLDER_DEPTH = 4  # aclImdb / split / label / file


@dataclass(frozen=True, slots=True, order=True)
class _Review:
    """Where one review lies in the spool; ordered so that the labels of one number stand side by side."""

    number: int
    label: str
    rating: int
    split: str
    offset: int
    size: int


def unpack_imdb(
    handle: BinaryIO, name: str, into: Path, limits: ArchiveLimits = ARCHIVE_LIMITS
) -> dict[str, int]:
    """Write the archive's reviews as JSON Lines: train, test and unlabelled.

    Texts wait in a temporary file, not in memory, because the archive's order is not the order of the rows.

    Args:
        handle: The archive, its digest already verified.
        name: What messages call it.
        into: The folder that gets `train/`, `test/` and `unlabelled/`.
        limits: Caps for the archive.

    Returns:
        Rows by file, relative to `into`.

    Raises:
        InputError: The archive is damaged, unsafe, or not laid out like the official one; nothing is written.
    """
    with tempfile.TemporaryFile() as spool:
        reviews, movies = _read_archive(handle, name, spool, limits)
        parts = {
            file: sorted(review for review in reviews if (review.split, review.label) in folders)
            for file, folders in _PARTS.items()
        }
        for file, members in parts.items():
            if not members:
                raise InputError(
                    name, f"no reviews for {file}", "aclImdb/{train,test}/{neg,pos} and aclImdb/train/unsup"
                )
        # Every row is made once before the first file is touched, so a bad one leaves nothing behind.
        for members in parts.values():
            for _ in _lines(members, movies, spool, name):
                pass
        for file, members in parts.items():
            _write(into / file, _lines(members, movies, spool, name))
    return {file: len(members) for file, members in parts.items()}


def _read_archive(
    handle: BinaryIO, name: str, spool: IO[bytes], limits: ArchiveLimits
) -> tuple[list[_Review], dict[tuple[str, str], list[str]]]:
    reviews: list[_Review] = []
    seen: set[tuple[str, str, int]] = set()
    movies: dict[tuple[str, str], list[str]] = {}
    offset = 0
    for path, read in tar_files(handle, name, limits):
        if urls := _URLS_NAME.fullmatch(path.name):
            movies[path.parent.name, urls[1]] = read().decode("ascii", errors="replace").split("\n")
            continue
        found = _review_path(path, name)
        if found is None:
            continue
        split, label, number, rating = found
        if (split, label, number) in seen:
            raise InputError(
                f"{name}: {path}", f"a second review with the number {number}", "one file per number"
            )
        seen.add((split, label, number))
        content = read()
        spool.write(content)
        reviews.append(_Review(number, label, rating, split, offset, len(content)))
        offset += len(content)
    return reviews, movies


def _review_path(path: PurePosixPath, name: str) -> tuple[str, str, int, int] | None:
    """Split, label, number and rating of a review's path; None for the archive's other files."""
    if len(path.parts) != _FOLDER_DEPTH or path.parts[1:3] not in _FOLDERS:
        return None
    match = _REVIEW_NAME.fullmatch(path.name)
    if match is None:
        raise InputError(f"{name}: {path}", "a file that is no review", "NUMBER_RATING.txt")
    return path.parts[1], path.parts[2], int(match[1]), int(match[2])


def _lines(
    reviews: list[_Review], movies: dict[tuple[str, str], list[str]], spool: IO[bytes], name: str
) -> Iterator[bytes]:
    import orjson

    for review in reviews:
        identifier = f"{review.split}/{review.label}/{review.number}_{review.rating}"
        spool.seek(review.offset)
        try:
            text = spool.read(review.size).decode("utf-8")
        except UnicodeDecodeError as error:
            raise InputError(
                f"{name}: {identifier}.txt", f"not UTF-8 ({error.reason} at byte {error.start})"
            ) from None
        if "\0" in text or not text:
            raise InputError(
                f"{name}: {identifier}.txt", "an empty review" if not text else "NUL character (U+0000)"
            )
        pages = movies.get((review.split, review.label), [])
        title = _TITLE_ID.search(pages[review.number]) if review.number < len(pages) else None
        if title is None:
            urls = f"{review.split}/urls_{review.label}.txt"
            raise InputError(
                f"{name}: {identifier}.txt", f"no film on line {review.number} (from 0) of {urls}"
            )
        labelled = review.label != "unsup"
        yield orjson.dumps(
            {
                "id": identifier,
                "text": text,
                "label": review.label if labelled else None,
                "rating": review.rating if labelled else None,
                "movie": title[0],
            },
            option=orjson.OPT_APPEND_NEWLINE,
        )


def _write(path: Path, lines: Iterator[bytes]) -> None:
    def write(temporary: Path) -> None:
        with temporary.open("wb") as handle:
            handle.writelines(lines)

    atomic_write(path, write)
