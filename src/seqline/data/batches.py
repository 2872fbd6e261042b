"""The files of data/NAME/train as dated batches, and the window of them that a recipe learns from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from seqline.errors import InputError
from seqline.recipe import WindowSection

_DATE = re.compile(r"\d{4}-\d{2}(?:-\d{2})?")


@dataclass(frozen=True)
class Batch:
    """One file of training rows.

    Attributes:
        path: The file.
        date: Month or day that its name begins with, as 2026-01 or 2026-01-31; "" for a file without a date, which
            counts as older than all others.
    """

    path: Path
    date: str

    @property
    def name(self) -> str:
        """Name of the file."""
        return self.path.name


def batches_in(folder: Path) -> list[Batch]:
    """All batches of a folder, the oldest first; hidden files are left out, a missing folder holds none."""
    if not folder.is_dir():
        return []
    found = []
    for path in folder.iterdir():
        if not path.name.startswith("."):
            match = _DATE.match(path.name)
            found.append(Batch(path, match[0] if match else ""))
    return sorted(found, key=lambda batch: (batch.date, batch.name))


def in_window(batches: list[Batch], window: WindowSection) -> list[Batch]:
    """The batches a recipe learns from, the oldest first.

    A month is later than any day of the month before it, and `since: 2026-03` takes the whole of March.

    Raises:
        InputError: There are batches, and the window holds none of them.
    """
    if window.last is not None:
        return batches[-window.last :]
    if window.since is None:
        return batches
    chosen = [batch for batch in batches if batch.date and _not_before(batch.date, window.since)]
    if batches and not chosen:
        raise InputError(
            str(batches[0].path.parent),
            f"no batch since {window.since}; the newest is {batches[-1].name}",
            "at least one batch in the recipe's split.window",
            "file names begin with their date, as 2026-01-31.jsonl; or choose an earlier split.window.since",
        )
    return chosen


def _not_before(date: str, since: str) -> bool:
    shorter = min(len(date), len(since))
    # Of a month against a day only the month can be compared: the batch may hold later days.
    return date[:shorter] >= since[:shorter]
