"""The embedded sample of tagging: requests to a dispatch desk, each token with what it names.

A request is a frame of words and slots. The words of the slots do not give their tags away: Jordan is a person, where
something leaves or where it goes; May is a person, a month or a verb; 5 is an amount, an hour, a day or a price; a box is
packed, and one can box things. What stands before and after decides, sometimes some words away. Places and surnames
grow from the same stems, and a fourth of them occur in test only, so that their endings must be read.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from seqline.data.samples.dealt import TRAIN_MONTHS, belongs, fraction_of, key_of, write_months
from seqline.data.samples.grammar import Split, Stream

DEFAULT_SEED = 20260401
ROWS_PER_TRAIN_MONTH = 1500
TEST_ROWS = 1500

# Of the names, those that only test has.
TEST_ONLY_SHARE = 0.25
TEST_NAME_SHARE = 0.5
# Where a name of either use is drawn instead of one whose ending tells.
SHARED_NAME_SHARE = 0.45
LOWER_CASE_SHARE = 0.15
END_MARK_SHARE = 0.5
MAX_AMOUNT = 40
HOURS, MINUTES_STEP, DAYS_OF_MONTH = 12, 5, 28

FRAMES = {
    "ship": (
        "ship {amount} {item} from {from} to {to} (on {date}|before {date}|)",
        "(please|) send {amount} {item} to {to} , leaving {from} (at {time}|on {date}|)",
        "{amount} {item} (must|should|have to) go to {to} , not to {not} , (by {time}|by {date}|)",
        "from {from} , ship the {item} of {person} to {to}",
        "{person} wants {amount} {item} in {to} (by {date}|at {time}|)",
        "(can we|may we|) move the {item} out of {from} and into {to} (on {date}|)",
        "the {item} that left {from} (at {time}|on {date}|) (is|are) bound for {to}",
        "{to} needs {amount} {item} from {from} , says {person}",
        "{from} owes {to} {amount} {item} (since {date}|)",
        "box {amount} {item} and ship the box to {to} (at {time}|)",
    ),
    "deliver": (
        "hand the {item} to {person} in {to} (at {time}|on {date}|)",
        "give {person} {amount} {item} (for {price}|) , (he|she) comes from {from}",
        "{person} of {from} (will|may|must) pick up {amount} {item} (at {time}|on {date}|)",
        "bring {person} the {item} , then drive to {to}",
        "leave the {item} with {person} , not with {not} , (at {time}|)",
        "(may|can) {person} sign for the {item} (at {time}|on {date}|in {to}|)",
        "call {person} when the {item} from {from} (arrives|arrive) in {to}",
    ),
    "book": (
        "book a (van|driver|train) from {from} to {to} for {person} (at {time}|on {date}|)",
        "book {amount} {item} for {price} each , to be paid by {person}",
        "(is|was) the van to {to} booked for {time} or for {date} , asks {person}",
        "cancel the driver that {person} booked for {date} , and tell {to}",
        "train {person} on the {item} (on {date}|at {time}|)",
        "meet {person} in {to} at {time} on {date}",
        "{person} arrives in {to} at {time} , from {from}",
    ),
    "price": (
        "how much (is|are) {amount} {item} from {from}",
        "the {item} cost {price} in {from} and go for {price} in {to}",
        "charge {person} {price} for {amount} {item}",
        "{price} for {amount} {item} is too much , {person} (said|wrote|says) (on {date}|)",
        "order {amount} {item} if {from} sells below {price}",
        "refund {price} to {person} for the {item} (ordered on {date}|)",
    ),
    "track": (
        "where is order {code} from {from} (, due on {date}|)",
        "{code} left {from} at {time} and reaches {to} (at {time}|on {date}|)",
        "order {code} (of|by) {person} holds {amount} {item}",
        "tell {person} that {code} waits in {to} until {date}",
        "did {person} scan {code} before {time}",
        "what {person} ordered in {from} (on {date}|) is {code}",
    ),
}
# What a slot is called in the tags; not: a person after with, a place after to, as the frame's slot before it.
KINDS = {
    "from": "origin", "to": "destination", "person": "person", "item": "item", "amount": "amount", "date": "date",
    "time": "time", "price": "price", "code": "code",
}  # fmt: skip

SHARED_NAMES = (
    "Jordan", "Austin", "Chester", "Florence", "Madison", "Sydney", "Paris", "Lincoln", "Victoria", "Georgia", "Carolina",
    "Logan", "Houston", "Preston", "Milan", "Sofia", "Kent", "Chelsea", "Savannah", "Devon",
)  # fmt: skip
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
MONTH_NAMES = ("April", "May", "June", "August")
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
FIRST_NAMES = (
    "Anna",
    "Bela",
    "Carla",
    "Dario",
    "Elif",
    "Femi",
    "Goran",
    "Hana",
    "Igor",
    "Jana",
    "Kofi",
    "Lena",
    "Mira",
)
STEMS = (
    "Tar", "Bel", "Cor", "Hal", "Mor", "Nes", "Ost", "Pel", "Quin", "Ros", "Sand", "Tor", "Ulm", "Ven", "Wes", "Yar",
    "Ald", "Bren", "Cald", "Dun",
)  # fmt: skip
JOINTS = ("", "a", "e", "i")
PLACE_ENDINGS = ("ville", "ford", "holm", "stad", "mouth", "bury")
PLACE_BEGINNINGS = ("New", "San", "Port", "Upper")
SURNAME_ENDINGS = ("son", "ez", "ova", "sky", "ini", "kis")
ITEMS = (
    "apples", "oranges", "boxes", "books", "order forms", "train tickets", "olive oil", "paper towels", "steel pipes",
    "garden chairs", "orange juice", "ship models", "March issues", "may flowers", "Paris hats", "van tyres", "box lids",
    "price tags", "time cards", "door bells", "call bells", "pick axes", "hand towels", "drill bits", "rice", "nails",
)  # fmt: skip
TEST_ITEMS = (
    "plums",
    "glass jars",
    "copper nails",
    "orange boxes",
    "desk lamps",
    "paper forms",
    "garden books",
)
NUMBERS = ("two", "three", "five", "six", "ten", "twelve", "forty")
UNITS = ("dozen", "crates of", "pallets of", "bags of", "boxes of", "packs of")

_PIECE = re.compile(r"\(([^)]*)\)|(\S+)")
_SLOT = re.compile(r"\{(\w+)\}")


def requests(*, rows: int, seed: int, split: Split) -> list[dict[str, Any]]:
    """Make requests: the same arguments give the same rows, to the byte, everywhere.

    Args:
        rows: How many.
        seed: Any integer.
        split: `train` never holds the names and items kept for `test`, and the two never share a request.

    Returns:
        Rows with `id`, `tokens` (a list of strings), `tags` (as many, scheme iob2) and `intent`.
    """
    stream = Stream(f"tagging/{seed}/{split}")
    seen: set[str] = set()
    made: list[dict[str, Any]] = []
    while len(made) < rows:
        intent = stream.pick(tuple(FRAMES))
        tokens, tags = _surface(stream, *_fill(stream, split, stream.pick(FRAMES[intent])))
        text = " ".join(tokens)
        if key_of(text) in seen or not belongs(text, split):
            continue
        seen.add(key_of(text))
        made.append({"id": f"{split}-{len(made) + 1:05d}", "tokens": tokens, "tags": tags, "intent": intent})
    return made


def write_tagging(folder: Path, *, seed: int = DEFAULT_SEED) -> None:
    """Write `train/2026-01.jsonl` to `train/2026-04.jsonl` and `test/test.jsonl` under `folder`."""
    write_months(
        folder,
        train=requests(rows=ROWS_PER_TRAIN_MONTH * len(TRAIN_MONTHS), seed=seed, split="train"),
        test=requests(rows=TEST_ROWS, seed=seed, split="test"),
    )


def _fill(stream: Stream, split: Split, frame: str) -> tuple[list[str], list[str]]:
    tokens: list[str] = []
    tags: list[str] = []
    slot_before = ""
    for choice, word in _PIECE.findall(frame):
        for piece in stream.pick(choice.split("|")).split() if choice else [word]:
            slot = _SLOT.fullmatch(piece)
            if slot is None:
                tokens.append(piece)
                tags.append("O")
                continue
            # "not with X", "not to X": X is not what the request is about, and has no tag.
            name = slot_before if slot[1] == "not" else slot[1]
            words = SLOTS[name](stream, split)
            kind = KINDS[name]
            tokens += words
            tags += (
                ["O"] * len(words) if slot[1] == "not" else [f"B-{kind}", *[f"I-{kind}"] * (len(words) - 1)]
            )
            slot_before = name
    return tokens, tags


def _surface(stream: Stream, tokens: list[str], tags: list[str]) -> tuple[list[str], list[str]]:
    """Vary capitals and the end mark, as people do."""
    if stream.chance(LOWER_CASE_SHARE):
        tokens = [token.lower() for token in tokens]
    else:
        tokens = [tokens[0][0].upper() + tokens[0][1:], *tokens[1:]]
    if tokens[-1] == ",":
        tokens, tags = tokens[:-1], tags[:-1]
    if stream.chance(END_MARK_SHARE):
        tokens, tags = [*tokens, "."], [*tags, "O"]
    return tokens, tags


@cache
def _names(endings: tuple[str, ...], split: Split) -> tuple[str, ...]:
    """Names of a kind: those of train, or those that only test has."""
    every = [stem + joint + ending for stem in STEMS for joint in JOINTS for ending in endings]
    return tuple(name for name in every if (fraction_of(name) < TEST_ONLY_SHARE) == (split == "test"))


def _name(stream: Stream, split: Split, endings: tuple[str, ...]) -> str:
    if stream.chance(SHARED_NAME_SHARE):
        return stream.pick(SHARED_NAMES)
    unseen = split == "test" and stream.chance(TEST_NAME_SHARE)
    return stream.pick(_names(endings, "test" if unseen else "train"))


def _place(stream: Stream, split: Split) -> list[str]:
    name = _name(stream, split, PLACE_ENDINGS)
    return [stream.pick(PLACE_BEGINNINGS), name] if stream.chance(0.15) else [name]


def _person(stream: Stream, split: Split) -> list[str]:
    if stream.chance(0.2):
        return [stream.pick(MONTH_NAMES)]
    name = _name(stream, split, SURNAME_ENDINGS)
    return [stream.pick((*FIRST_NAMES, *MONTH_NAMES)), name] if stream.chance(0.35) else [name]


def _item(stream: Stream, split: Split) -> list[str]:
    unseen = split == "test" and stream.chance(0.2)
    return stream.pick(TEST_ITEMS if unseen else ITEMS).split()


def _amount(stream: Stream, split: Split) -> list[str]:
    number = stream.pick(NUMBERS) if stream.chance(0.5) else str(1 + stream.below(MAX_AMOUNT))
    return [number, *stream.pick(UNITS).split()] if stream.chance(0.4) else [number]


def _date(stream: Stream, split: Split) -> list[str]:
    day = str(1 + stream.below(DAYS_OF_MONTH))
    way = stream.below(5)
    if way == 0:
        return [stream.pick(MONTHS), day]
    if way == 1:
        return ["the", f"{day}th", "of", stream.pick(MONTHS)]
    if way == 2:
        return [stream.pick(("next", "this")), stream.pick(DAYS)]
    return [stream.pick(DAYS)] if way == 3 else [stream.pick(MONTHS)]


def _time(stream: Stream, split: Split) -> list[str]:
    hour = str(1 + stream.below(HOURS))
    way = stream.below(4)
    if way == 0:
        return [f"{hour}:{MINUTES_STEP * stream.below(60 // MINUTES_STEP):02d}"]
    if way == 1:
        return ["half", "past", stream.pick(NUMBERS[1:5])]
    return [hour, stream.pick(("am", "pm"))] if way == 2 else [hour]


def _price(stream: Stream, split: Split) -> list[str]:
    number = str(1 + stream.below(MAX_AMOUNT))
    if stream.chance(0.3):
        number += f".{stream.below(10)}0"
    return [number, stream.pick(("euros", "pounds", "dollars"))] if stream.chance(0.6) else [number]


def _code(stream: Stream, split: Split) -> list[str]:
    letters = "".join(stream.pick("ABCDEFGHKLMNPRSTVWXZ") for _ in range(2))
    return [f"{letters}-{100 + stream.below(900)}"]


SLOTS: dict[str, Callable[[Stream, Split], list[str]]] = {
    "from": _place,
    "to": _place,
    "person": _person,
    "item": _item,
    "amount": _amount,
    "date": _date,
    "time": _time,
    "price": _price,
    "code": _code,
}
