"""A file of decisions: one JSON object a line, appended to, never rewritten.

A line counts once it ends with a newline and is on the disk; a kill in the middle of a line leaves a torn tail that
never counted, and the next append removes it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from seqline.errors import SeqlineError


@dataclass(frozen=True)
class Journal:
    """One file of JSON lines, safe against kills and against several writers at once.

    Attributes:
        path: The file; made with its folder by the first append.
    """

    path: Path

    def records(self) -> list[dict[str, Any]]:
        """All lines, the oldest first.

        Raises:
            SeqlineError: A line other than a torn last one is damaged.
        """
        if not self.path.is_file():
            return []
        records = []
        for number, line in enumerate(self.path.read_bytes().split(b"\n")[:-1], start=1):
            try:
                record = json.loads(line)
                if not isinstance(record, dict):
                    raise ValueError(line)
            except ValueError:
                raise self.damaged(number, f"not a JSON object: {line[:60]!r}") from None
            records.append(record)
        return records

    def damaged(self, number: int, found: str) -> SeqlineError:
        """The error for a line that is not what was written."""
        return SeqlineError(
            f"{self.path}, line {number}",
            found,
            "one JSON object a line, as seqline wrote it",
            "restore the file from a backup; it is never edited",
        )

    def append(self, record: Mapping[str, Any]) -> None:
        """Write one line to the disk; returns when it is there."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(dict(record), ensure_ascii=False, sort_keys=True, allow_nan=False)
        with FileLock(self.path.with_name(f".{self.path.name}.lock")), self.path.open("ab+") as handle:
            handle.truncate(self._end_of_last_line(handle.seek(0, os.SEEK_END)))
            handle.write(text.encode("utf-8") + b"\n")
            handle.flush()
            os.fsync(handle.fileno())

    def _end_of_last_line(self, size: int) -> int:
        """Offset after the last newline of a file of `size` bytes: where a torn tail begins."""
        return self.path.read_bytes().rfind(b"\n") + 1 if size else 0
