"""The embedded sample of suggestions: what people type into a search box or begin a mail with, by a grammar of our own.

Common words come often, rare ones seldom, and the end of a line answers its beginning: a journey does not end where it
starts, a present for a father is for his birthday, a verb takes the things that it can act on.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from seqline.data.samples.dealt import belongs, write_months
from seqline.data.samples.grammar import Split, Stream
from seqline.errors import InputError

DEFAULT_SEED = 20260302
TRAIN_ROWS = 12_000
TEST_ROWS = 800
# Draws in a row that give nothing new before the sample is called exhausted.
_PATIENCE = 10_000

# Listed from the most frequent to the rarest.
CITIES = (
    "london", "paris", "rome", "madrid", "berlin", "vienna", "lisbon", "oslo", "prague", "dublin", "athens", "milan",
    "naples", "geneva", "krakow", "bergen", "porto", "turin", "ghent", "riga",
)  # fmt: skip
VEHICLES = ("flights", "trains", "buses", "ferries")
DAYS = (
    "tomorrow",
    "this weekend",
    "on friday",
    "on monday",
    "next week",
    "in august",
    "at night",
    "over easter",
)
CHEAP = ("cheap", "direct", "last minute", "first class", "late")
TASKS = {
    "repair": ("bicycle", "leaking tap", "broken zip", "wooden chair", "flat tyre"),
    "clean": ("coffee machine", "leather sofa", "wool carpet", "oven door", "white shoes"),
    "grow": ("tomatoes", "basil", "an orange tree", "roses", "potatoes"),
    "cook": ("rice", "lentils", "a soft egg", "salmon", "asparagus"),
    "remove": ("a coffee stain", "old paint", "candle wax", "rust", "a red wine stain"),
    "learn": ("spanish", "the guitar", "chess", "knitting", "french"),
}
TOOLS = {
    "repair": ("without tools", "in five minutes", "with glue"),
    "clean": ("with vinegar", "without soap", "the easy way"),
    "grow": ("on a balcony", "from seed", "in winter"),
    "cook": ("in a pan", "for two", "without salt"),
    "remove": ("from wood", "from a shirt", "with salt"),
    "learn": ("at home", "in a month", "for free"),
}
FAMILY = {
    "my father": "his",
    "my mother": "her",
    "my brother": "his",
    "my sister": "her",
    "my parents": "their",
}
PRESENTS = ("a present", "a good book", "a warm scarf", "flowers", "a cake", "a watch")
EVENTS = ("birthday", "new house", "wedding day", "journey", "first day at work")
DISHES = ("soup", "pie", "salad", "stew", "curry", "omelette")
PARTS = (
    "tomatoes",
    "beans",
    "mushrooms",
    "spinach",
    "leeks",
    "cheese",
    "peppers",
    "rice",
    "chicken",
    "lemon",
)
DOCUMENTS = ("invoice", "report", "contract", "agenda", "draft", "timetable")
MAIL_TIMES = ("today", "by friday", "before noon", "next week", "as soon as i can")
NAMES = ("anna", "peter", "maria", "tom", "elena", "jonas")
FAMILIES = {"journey": 0.3, "task": 0.25, "present": 0.15, "dish": 0.15, "mail": 0.15}


def write_suggest(folder: Path, *, seed: int = DEFAULT_SEED) -> None:
    """Write four monthly training files and the test file: `id` and `text`, a line a row.

    Args:
        folder: Gets `train/2026-01.jsonl` to `train/2026-04.jsonl` and `test/test.jsonl`.
        seed: The same seed gives the same bytes everywhere.
    """
    write_months(
        folder,
        train=lines(rows=TRAIN_ROWS, seed=seed, split="train"),
        test=lines(rows=TEST_ROWS, seed=seed, split="test"),
    )


def lines(*, rows: int, seed: int, split: Split) -> list[dict[str, str]]:
    """Write lines as people type them: the common ones many times, none of them in both splits.

    Raises:
        InputError: A negative number of rows.
    """
    if rows < 0:
        raise InputError("suggest", f"rows={rows}", "rows >= 0")
    stream = Stream(f"suggest/{seed}/{split}")
    found: list[dict[str, str]] = []
    idle = 0
    while len(found) < rows and idle < _PATIENCE:
        text = line(stream)
        idle += 1
        if belongs(text, split):
            idle = 0
            found.append({"id": f"{split}-{len(found) + 1:05d}", "text": text})
    return found


def line(stream: Stream) -> str:
    """Write one line."""
    return _FAMILIES[stream.weighted(FAMILIES)](stream)


def _often(stream: Stream, options: Sequence[str]) -> str:
    """Draw an option; the first ones far more often than the last."""
    return options[min(stream.below(len(options)), stream.below(len(options)))]


def _journey(stream: Stream) -> str:
    start = _often(stream, CITIES)
    end = _often(stream, [city for city in CITIES if city != start])
    words = [_often(stream, CHEAP)] if stream.chance(0.6) else []
    words += [_often(stream, VEHICLES), "from", start, "to", end]
    if stream.chance(0.3):
        words += ["and", "back", "to", start]
    if stream.chance(0.5):
        words.append(_often(stream, DAYS))
    return " ".join(words)


def _task(stream: Stream) -> str:
    verb = _often(stream, list(TASKS))
    thing = _often(stream, TASKS[verb])
    article = "a " if verb in ("repair", "clean") and not thing.endswith("shoes") else ""
    tail = f" {_often(stream, TOOLS[verb])}" if stream.chance(0.6) else ""
    return f"{_often(stream, ('how to', 'best way to', 'can i'))} {verb} {article}{thing}{tail}"


def _present(stream: Stream) -> str:
    person = _often(stream, list(FAMILY))
    event = f" for {FAMILY[person]} {_often(stream, EVENTS)}" if stream.chance(0.75) else ""
    asked = _often(stream, ("where to buy", "ideas for", "how much is"))
    return f"{asked} {_often(stream, PRESENTS)} for {person}{event}"


def _dish(stream: Stream) -> str:
    first = _often(stream, PARTS)
    second = _often(stream, [part for part in PARTS if part != first])
    without = f" without {_often(stream, [p for p in PARTS if p not in (first, second)])}"
    tail = without if stream.chance(0.3) else ""
    return f"{_often(stream, ('recipe for', 'easy', 'quick'))} {_often(stream, DISHES)} with {first} and {second}{tail}"


def _mail(stream: Stream) -> str:
    document = _often(stream, DOCUMENTS)
    kind = stream.below(3)
    if kind == 0:
        opening = f"dear {_often(stream, NAMES)} thank you for the {document}"
    elif kind == 1:
        opening = f"hello {_often(stream, NAMES)} please find the {document} attached"
    else:
        opening = f"could you send me the {document}"
    if kind < 2 and stream.chance(0.6):
        return f"{opening} i will read it {_often(stream, MAIL_TIMES)}"
    return f"{opening} {_often(stream, MAIL_TIMES)}" if kind == 2 else opening


_FAMILIES = {"journey": _journey, "task": _task, "present": _present, "dish": _dish, "mail": _mail}
