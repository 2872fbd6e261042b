"""The grammar of the embedded review sample: hand-written clauses and the frames that turn them.

A *stance* is +1 (the writer praises) or -1 (the writer blames). A frame is drawn for a stance and places
clauses of that stance or of the opposite one: the same clause serves both classes, and only its place in the
frame decides. Everything drawn comes from one seeded `Stream`, and no set is ever iterated, so the bytes do
not depend on the platform or on PYTHONHASHSEED.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal, TypeVar

from seqline.errors import InputError

Split = Literal["train", "test"]
T = TypeVar("T")

DOMAINS = ("restaurant", "film", "device", "hotel")
CLAUSE_KINDS = ("+", "-")
DOMAIN_KINDS = (*CLAUSE_KINDS, "one", "many", "thing", "other", "maker", "neutral")
SIGNED_KINDS = ("verdict", "adjective", "comparative", "verb", "past", "noun")
WORD_KINDS = ("adverb", "people", "opener")
FRAME_KINDS = (
    "simple", "clause", "verdict", "negation", "contrast", "concession", "reversal", "comparison", "reported",
    "double", "hypothetical", "turn", "aside", "neutral",
)  # fmt: skip
SHARED_KINDS = (
    *(kind + sign for kind in SIGNED_KINDS for sign in "+-"),
    *WORD_KINDS,
    *(f"frame.{kind}" for kind in FRAME_KINDS),
)
SPLITS = ("both", "test", "drift")
COLUMNS = 4

# How often a draw in the test split takes a clause that no training review ever holds.
TEST_ONLY_SHARE = 0.15
# How often a clause slot takes a clause from the files instead of a noun with an adjective.
WRITTEN_CLAUSE_SHARE = 0.7
# How often a draw at drift 1 takes a clause or an adjective kept for drifted batches.
DRIFT_WORD_SHARE = 0.25
# Draws for a topic the review has not used yet before one is repeated: long reviews run out of topics.
TOPIC_TRIES = 6

_SLOT = re.compile(r"\{([a-z]+)([+-]?)\}")
_NEGATING = re.compile(r"\b(?:not|no|never|nobody|nothing|none|cannot|neither)\b")
SIGNED_SLOTS = {
    "q": "verdict", "a": "adjective", "k": "comparative", "v": "verb", "d": "past", "n": "noun",
}  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """One line of a clause file: its kind, split, topic and text."""

    kind: str
    split: str
    topic: str
    text: str

    @property
    def subject(self) -> str:
        """What a review uses once only: the topic, or the text itself where it has none."""
        return self.text if self.topic == "-" else self.topic

    @property
    def negated(self) -> bool:
        """True when the text holds a negating word; frames that deny a clause leave such clauses out."""
        return _NEGATING.search(self.text) is not None


@dataclass(frozen=True)
class Slot:
    """A gap in a frame: what goes in, with the frame's stance (1), the opposite one (-1) or none (0)."""

    name: str
    sign: int


Frame = tuple["str | Slot", ...]


@cache
def read_entries(name: str) -> tuple[Entry, ...]:
    """Read one clause file strictly.

    Args:
        name: A domain, or `shared`.

    Raises:
        InputError: A line has a wrong column count, an unknown kind or split, or an empty text.
    """
    kinds = SHARED_KINDS if name == "shared" else DOMAIN_KINDS
    source = resources.files("seqline.data.samples").joinpath("clauses", f"{name}.txt")
    entries = []
    for number, line in enumerate(source.read_text(encoding="utf-8").splitlines(), start=1):
        if line.startswith("#"):
            continue
        cells = line.split(" | ")
        where = f"clauses/{name}.txt:{number}"
        if len(cells) != COLUMNS or not cells[-1].strip():
            raise InputError(where, repr(line), "kind | split | topic | text")
        if cells[0] not in kinds or cells[1] not in SPLITS:
            raise InputError(where, f"{cells[0]} | {cells[1]}", f"kind in {kinds}, split in {SPLITS}")
        entries.append(Entry(*cells))
    return tuple(entries)


def parse_frame(text: str) -> Frame:
    """Split a frame's text into literal pieces and slots."""
    parts: list[str | Slot] = []
    end = 0
    for match in _SLOT.finditer(text):
        if match.start() > end:
            parts.append(text[end : match.start()])
        parts.append(Slot(match[1], {"+": 1, "-": -1, "": 0}[match[2]]))
        end = match.end()
    if end < len(text):
        parts.append(text[end:])
    return tuple(parts)


@cache
def frames(kind: str) -> tuple[Frame, ...]:
    """Return all frames of one kind, parsed."""
    return tuple(parse_frame(entry.text) for entry in read_entries("shared") if entry.kind == f"frame.{kind}")


@cache
def pool(file: str, kind: str, split: str, plain: bool = False) -> tuple[Entry, ...]:
    """Return the entries of one kind and split in one file; `plain` leaves negated ones out."""
    entries = (e for e in read_entries(file) if e.kind == kind and e.split == split)
    return tuple(e for e in entries if not (plain and e.negated))


PLAIN_SENTENCE = parse_frame("{noun} {be} {a+}")


class Stream:
    """Seeded draws, the same in every Python: only `Random.random`, whose sequence Python guarantees."""

    def __init__(self, key: str) -> None:
        seed = int.from_bytes(hashlib.sha256(key.encode("utf-8")).digest(), "big")
        self._random = random.Random(seed).random  # nosec B311 - a seeded sample, no secret

    def below(self, bound: int) -> int:
        """Draw an integer in [0, bound)."""
        return int(self._random() * bound)

    def chance(self, share: float) -> bool:
        """Decide yes with probability `share`."""
        return self._random() < share

    def pick(self, options: Sequence[T]) -> T:
        """Draw one of the options, all equally likely."""
        return options[int(self._random() * len(options))]

    def weighted(self, weights: dict[str, float]) -> str:
        """Draw a key of `weights`, as likely as its weight; the weights sum to 1."""
        mark = self._random()
        for name, weight in weights.items():
            mark -= weight
            if mark < 0:
                return name
        return next(reversed(weights))  # rounding left a crumb beyond the last weight


class Author:
    """Writes the sentences of one review: one domain, one tense, one name for the thing, no topic twice."""

    def __init__(self, stream: Stream, domain: str, split: Split, drift: float) -> None:
        self.stream = stream
        self.domain = domain
        self.split = split
        self.drift = drift
        self.past = stream.chance(0.5)
        self._chosen: dict[str, str] = {}
        self._used: list[str] = []
        self._asides: list[Frame] = []
        self._plural = False

    def sentence(self, kind: str, stance: int) -> str:
        """Write one sentence (or two) of a frame kind for a stance, without capitals."""
        frame = self.stream.pick(frames(kind))
        # An aside is told once; the slice leaves one frame free however many asides there are.
        while kind == "aside" and frame in self._asides[: len(frames(kind)) - 1]:
            frame = self.stream.pick(frames(kind))
        if kind == "aside":
            self._asides.append(frame)
        text = self._fill(frame, stance)
        return text if text[-1] in ".!" else text + "."

    def _fill(self, frame: Frame, stance: int) -> str:
        return "".join(
            part if isinstance(part, str) else self._slot(part.name, stance * part.sign) for part in frame
        )

    def _slot(self, name: str, stance: int) -> str:
        if stance:
            return self._slot_with_stance(name, stance)
        if name == "noun":
            return self._noun()
        if name == "be":
            return self._be()
        if name in ("thing", "other"):
            return self._same(name)
        return self._fresh(pool(self.domain if name in DOMAIN_KINDS else "shared", name, "both")).text

    def _slot_with_stance(self, name: str, stance: int) -> str:
        if name in ("c", "p"):
            return self._clause(stance, plain=name == "p")
        if name == "s":
            return self._fill(self.stream.pick(frames("simple")), stance)
        return self._draw("shared", SIGNED_SLOTS[name] + _sign(stance))

    def _be(self) -> str:
        if self.past:
            return "were" if self._plural else "was"
        return "are" if self._plural else "is"

    def _clause(self, stance: int, plain: bool) -> str:
        if self.stream.chance(WRITTEN_CLAUSE_SHARE):
            return self._draw(self.domain, _sign(stance), plain)
        if plain:
            return self._fill(PLAIN_SENTENCE, stance)
        return self._fill(self.stream.pick(frames("simple")), stance)

    def _draw(self, file: str, kind: str, plain: bool = False) -> str:
        split = "both"
        if self.split == "test" and self.stream.chance(TEST_ONLY_SHARE):
            split = "test"
        if self.drift and self.stream.chance(DRIFT_WORD_SHARE * self.drift):
            split = "drift"
        return self._fresh(pool(file, kind, split, plain) or pool(file, kind, "both", plain)).text

    def _noun(self) -> str:
        """Draw a noun and remember its number for the verb that follows."""
        entry = self._fresh(pool(self.domain, "one", "both") + pool(self.domain, "many", "both"))
        self._plural = entry.kind == "many"
        return entry.text

    def _fresh(self, entries: Sequence[Entry]) -> Entry:
        """Draw an entry on a topic that is new to this review, where a few tries find one."""
        entry = self.stream.pick(entries)
        for _ in range(TOPIC_TRIES):
            if entry.subject not in self._used:
                break
            entry = self.stream.pick(entries)
        self._used.append(entry.subject)
        return entry

    def _same(self, name: str) -> str:
        """Name the thing reviewed, or its rival, by one name throughout the review."""
        if name not in self._chosen:
            self._chosen[name] = self.stream.pick(pool(self.domain, name, "both")).text
        return self._chosen[name]


def _sign(stance: int) -> str:
    return "+" if stance > 0 else "-"
