"""A recorder of data/ that takes no second a call, for tests in which DVC is not the matter."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path


def record_listing(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Answers as `graph.call_dvc` would: data.dvc holds a digest of data/, written in place and in two halves."""
    word = next(argument for argument in arguments if not argument.startswith("-"))
    files = sorted(path for path in (root / "data").rglob("*") if path.is_file())
    listing = "".join(
        f"{path.relative_to(root)} {hashlib.sha256(path.read_bytes()).hexdigest()}\n" for path in files
    )
    text = f"outs:\n- md5: {hashlib.sha256(listing.encode()).hexdigest()}\n  path: data\n"
    record = root / "data.dvc"
    told = ""
    if word == "status":
        told = (
            "Data and pipelines are up to date." if record.read_text() == text else "data.dvc: modified: data"
        )
    elif word == "add" and record.read_text() != text:
        with record.open("w") as handle:
            for half in (text[:10], text[10:]):
                handle.write(half)
                handle.flush()
                os.fsync(handle.fileno())
    return subprocess.CompletedProcess(arguments, 0, told, "")
