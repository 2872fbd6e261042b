"""Phrase books: hand-written lines with gaps that further lines fill, drawn from one seeded stream.

A book is a file of `clauses/` with lines `kind | split | text`. A gap `{kind}` takes any line of that kind, a
gap `{kind:feeling}` one of the kind `kind.VALUE`, where VALUE is what the caller bound to the name `feeling`.
A `#` becomes a digit.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources

from seqline.data.samples.grammar import Split, Stream
from seqline.errors import InputError

SPLITS = ("both", "test")
COLUMNS = 3
# How often a draw for the test split takes a line that no training text ever holds.
TEST_ONLY_SHARE = 0.15
_GAP = re.compile(r"\{([a-z_]+)(?::([a-z_]+))?\}")

Book = Mapping[str, Mapping[str, tuple[str, ...]]]


@cache
def read_book(name: str) -> Book:
    """Read the phrase book `clauses/NAME.txt`."""
    source = resources.files("seqline.data.samples").joinpath("clauses", f"{name}.txt")
    return parse_book(source.read_text(encoding="utf-8"), where=f"clauses/{name}.txt")


def parse_book(text: str, *, where: str) -> Book:
    """Take a phrase book apart, strictly: kind -> split -> its lines.

    Raises:
        InputError: A line has a wrong column count, an unknown split, an empty text, or a gap that nothing fills.
    """
    book: dict[str, dict[str, tuple[str, ...]]] = {}
    gaps: list[tuple[str, re.Match[str]]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.startswith("#"):
            continue
        cells = line.split(" | ")
        place = f"{where}:{number}"
        if len(cells) != COLUMNS or not cells[-1].strip():
            raise InputError(place, repr(line), "kind | split | text")
        kind, split, phrase = cells
        if split not in SPLITS:
            raise InputError(place, f"split {split}", f"one of {', '.join(SPLITS)}")
        lines = book.setdefault(kind, {"both": (), "test": ()})
        lines[split] = (*lines[split], phrase)
        gaps += [(place, gap) for gap in _GAP.finditer(phrase)]
    for place, gap in gaps:
        known = gap[1] in book if gap[2] is None else any(kind.startswith(f"{gap[1]}.") for kind in book)
        if not known:
            raise InputError(place, f"the gap {gap[0]}", "a kind of this book")
    return book


def fill(book: Book, kind: str, stream: Stream, split: Split, bound: Mapping[str, str] | None = None) -> str:
    """Draw a line of a kind and fill its gaps, no line twice while there are others.

    Args:
        book: From `read_book`.
        kind: Where to begin.
        stream: Draws.
        split: `test` may take lines kept for it.
        bound: Values of the names in gaps such as `{cause:feeling}`.
    """
    used: list[str] = []
    names = bound or {}

    def drawn(wanted: str) -> str:
        lines = book[wanted]
        held_out = split == "test" and stream.chance(TEST_ONLY_SHARE)
        options = (lines["test"] if held_out else ()) or lines["both"]
        line = stream.pick([option for option in options if option not in used] or options)
        used.append(line)
        return _GAP.sub(lambda gap: drawn(gap[1] if gap[2] is None else f"{gap[1]}.{names[gap[2]]}"), line)

    return re.sub("#", lambda _: str(stream.below(10)), drawn(kind))
