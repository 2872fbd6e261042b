"""Writing files so that a kill at any instant leaves either the old content or the new, never half of one."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from seqline.errors import InputError, SeqlineError

MANIFEST_NAME = "manifest.json"
NAME_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_READABLE_BY_ALL = 0o644
_CHUNK_BYTES = 1 << 20


def check_name(name: str) -> str:
    """Return a name that may become part of a path, or raise `InputError`."""
    if not NAME_PATTERN.fullmatch(name):
        raise InputError(
            f"name {name!r}",
            "not usable as a name",
            "1 to 64 letters, digits, '_', '.' or '-', starting with a letter or digit",
        )
    return name


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def atomic_write(path: Path, write: bytes | str | Callable[[Path], None]) -> None:
    """Write a file whole or not at all: temporary file, fsync, chmod 0644, rename, fsync of the folder.

    Args:
        path: Where the file ends up; its folder is made if missing.
        write: The content, or a function that writes it to the temporary path it is given (for libraries that
            only write to a path, such as safetensors).
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    os.close(descriptor)
    temporary = Path(name)
    try:
        if callable(write):
            write(temporary)
        else:
            temporary.write_bytes(write.encode("utf-8") if isinstance(write, str) else write)
        with temporary.open("rb+") as handle:
            os.fsync(handle.fileno())
        temporary.chmod(_READABLE_BY_ALL)
        temporary.replace(path)
        _sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def to_json(value: Any) -> str:
    """JSON in one spelling: sorted keys, two spaces, a newline at the end; NaN and Infinity are refused."""
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def write_json(path: Path, value: Any) -> None:
    """Write `value` atomically as JSON in the one spelling of `to_json`."""
    atomic_write(path, to_json(value))


def read_json(path: Path) -> Any:
    """Read a JSON file; a missing or broken one is an `InputError` that names it."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(str(path), "no such file") from None
    except ValueError as error:
        raise InputError(str(path), f"not JSON ({error})") from None


def sha256_file(path: Path) -> str:
    """Hex sha256 of a file's bytes, read in chunks."""
    digest = hashlib.sha256()
    with path.open("rb") as handle:
        while chunk := handle.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def sha256_json(value: Any) -> str:
    """Hex sha256 of a value's JSON in the one spelling of `to_json`."""
    return hashlib.sha256(to_json(value).encode("utf-8")).hexdigest()


def files_below(folder: Path) -> list[Path]:
    """All regular files below a folder, sorted by their path as text; hidden temporaries left out."""
    return sorted(p for p in folder.rglob("*") if p.is_file() and not p.name.startswith("."))


def write_manifest(folder: Path, **facts: Any) -> str:
    """Write `manifest.json` with the sha256 and size of every file; last, so its presence means complete.

    Args:
        folder: The complete folder.
        **facts: What else the manifest should say (JSON values).

    Returns:
        Hex sha256 of the manifest itself: one digest for the whole folder.
    """
    files = {
        p.relative_to(folder).as_posix(): {"sha256": sha256_file(p), "bytes": p.stat().st_size}
        for p in files_below(folder)
        if p.name != MANIFEST_NAME
    }
    write_json(folder / MANIFEST_NAME, {**facts, "files": files})
    return sha256_file(folder / MANIFEST_NAME)


def verify_manifest(folder: Path) -> dict[str, Any]:
    """Re-hash every file a manifest names.

    Returns:
        The manifest.

    Raises:
        SeqlineError: A file is missing, added or altered; all such files are named.
        InputError: There is no manifest (the folder is not complete).
    """
    if not (folder / MANIFEST_NAME).is_file():
        raise InputError(
            str(folder), "not complete: it has no manifest.json", hint="run the stage that makes it again"
        )
    manifest: dict[str, Any] = read_json(folder / MANIFEST_NAME)
    recorded = {name: entry["sha256"] for name, entry in manifest["files"].items()}
    present = {p.relative_to(folder).as_posix() for p in files_below(folder) if p.name != MANIFEST_NAME}
    problems = [f"{name} is missing" for name in sorted(recorded.keys() - present)]
    problems += [f"{name} is not in the manifest" for name in sorted(present - recorded.keys())]
    problems += [
        f"{name} was altered"
        for name in sorted(recorded.keys() & present)
        if sha256_file(folder / name) != recorded[name]
    ]
    if problems:
        raise SeqlineError(
            str(folder),
            "; ".join(problems),
            "the bytes recorded in manifest.json",
            "run the stage that makes it again",
        )
    return manifest


@contextmanager
def complete_folder(target: Path) -> Iterator[Path]:
    """A temporary folder beside `target` that takes its place when the block ends well, and goes away when it does not.

    The old content of `target` stays until the new is complete. Made for stage outputs: write files into the folder that
    is yielded, `write_manifest` last.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
    staging.chmod(0o755)
    try:
        yield staging
        _sync_folder(staging)
        retired = staging.with_name(staging.name + ".old")
        if target.exists():
            target.replace(retired)
        staging.replace(target)
        _sync_folder(target.parent)
        shutil.rmtree(retired, ignore_errors=True)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
