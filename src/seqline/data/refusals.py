"""Going on behind a record that cannot be read exactly, where it is certain where the next one begins.

Reading is strict: the first record at fault refuses its file. Who would rather have the other records and an account
of the refused ones hands `readers.read_rows` a function; the readers then report such a record to it and go on. A fault
after which nobody can say where the next record begins (a quote that is never closed, damaged gzip data) refuses
the file all the same, and so does one in the header.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from seqline.errors import InputError


@dataclass(frozen=True, slots=True)
class RefusedRecord:
    """One record that could not be read exactly.

    Attributes:
        line: Physical line it starts on, from 1; in Parquet files the number of the row.
        raw: Its text as it stands in the file; a byte that is not UTF-8 is a lone surrogate, as Python's
            `surrogateescape` makes it, so that nothing is lost.
        error: What a strict reader would have raised.
    """

    line: int
    raw: str
    error: InputError


@dataclass(kw_only=True)
class Refusals:
    """What the parts of one reader tell each other about records at fault, as the file goes by.

    Attributes:
        report: Takes each refused record.
        has_begun: Whether the header was read; before that every fault is one of the file.
        raw: Text of the record at hand.
        damaged: Lines that are not clean UTF-8 text, with what is wrong; left there by `streams.text_lines`, taken
            away with the record they belong to.
    """

    report: Callable[[RefusedRecord], None]
    has_begun: bool = False
    raw: str = ""
    damaged: dict[int, InputError] = field(default_factory=dict)

    def refuse(self, line: int, error: InputError) -> None:
        """Report the record at hand, or raise when the file has no header yet."""
        if not self.has_begun:
            raise error
        self.report(RefusedRecord(line, self.raw, error))

    def damage(self, first: int, last: int) -> InputError | None:
        """What is wrong with the text of a record that spans these lines; None where nothing is."""
        found = [self.damaged.pop(line) for line in sorted(self.damaged) if first <= line <= last]
        return found[0] if found else None
