"""The embedded sample of writing: scenes of a small harbour play, put together by a grammar of our own.

A scene holds what a few letters of context cannot tell: who is addressed at the end of a speech speaks next, each
speaker swears an oath of his or her own, the thing that is missing and the place stay the same, a verb agrees with a
noun several words back, and the last two lines rhyme.
"""

from __future__ import annotations

from pathlib import Path

from seqline.data.samples.dealt import belongs, write_months
from seqline.data.samples.grammar import Split, Stream

DEFAULT_SEED = 20260301
TRAIN_ROWS = 800
TEST_ROWS = 260

# Each speaker: trade, oath, and the word he or she calls others by.
PEOPLE = {
    "Bram": ("smith", "by fire and iron", "friend"),
    "Tilda": ("baker", "by salt and bread", "dear"),
    "Osric": ("clerk", "by ink and seal", "sir"),
    "Maren": ("captain", "by wind and tide", "sailor"),
    "Jory": ("fisher", "by hook and net", "mate"),
    "Ilse": ("widow", "by candle and bell", "child"),
    "Piet": ("porter", "by rope and barrel", "brother"),
    "Anka": ("weaver", "by thread and loom", "sister"),
}
THINGS = (
    "the silver key",
    "the old chart",
    "my red cloak",
    "the bell rope",
    "the tax book",
    "a sealed letter",
)
PLACES = (
    "the north mill",
    "the fish market",
    "the salt house",
    "the lower bridge",
    "the chapel",
    "the sail loft",
)
TIMES = ("at dawn", "at noon", "after supper", "before the tide", "when the bell rang", "in the heavy rain")
ONE = ("boat", "lantern", "cart", "dog", "stranger", "cask")
MANY = ("boats", "lanterns", "carts", "dogs", "strangers", "casks")
WHERE = ("that stood by the wall", "that came up the river", "we saw from the stairs", "behind the tall gate")
HOW = ("gone", "broken", "for sale", "empty", "well hidden", "under guard")
DEEDS = ("carried {thing}", "asked for {thing}", "spoke of {thing}", "hid {thing}", "paid for {thing}")
DOUBTS = (
    "I never saw it",
    "I will not swear to it",
    "so the children say",
    "that is half the truth",
    "let it rest",
)
RHYMES = (
    ("night", "light", "sight", "right"),
    ("sea", "key", "me", "free"),
    ("door", "shore", "more", "floor"),
    ("sail", "tale", "gale", "pale"),
    ("stone", "alone", "bone", "known"),
)
ENDINGS = (
    "Come, shut the house and speak no more of {rhyme}",
    "There is no honest road away from {rhyme}",
    "We lost a good day's work and gained but {rhyme}",
    "Keep what you know, and bring it back by {rhyme}",
    "The town will talk of little else but {rhyme}",
    "I leave you with the wind, the cold and {rhyme}",
)
SPEECH_KINDS = {"tell": 0.3, "see": 0.25, "doubt": 0.2, "ask": 0.25}


def write_text(folder: Path, *, seed: int = DEFAULT_SEED) -> None:
    """Write four monthly training files and the test file: `id` and `text`, a scene a row.

    Args:
        folder: Gets `train/2026-01.jsonl` to `train/2026-04.jsonl` and `test/test.jsonl`.
        seed: The same seed gives the same bytes everywhere.
    """
    write_months(
        folder,
        train=scenes(rows=TRAIN_ROWS, seed=seed, split="train"),
        test=scenes(rows=TEST_ROWS, seed=seed, split="test"),
    )


def scenes(*, rows: int, seed: int, split: Split) -> list[dict[str, str]]:
    """Write scenes; those of the two splits never are the same."""
    stream = Stream(f"text/{seed}/{split}")
    found: list[dict[str, str]] = []
    while len(found) < rows:
        text = scene(stream)
        if belongs(text, split):
            found.append({"id": f"{split}-{len(found) + 1:05d}", "text": text})
    return found


def scene(stream: Stream) -> str:
    """Write one scene of five to eleven speeches."""
    cast = _some(stream, list(PEOPLE), 2 + stream.below(2))
    thing, place = stream.pick(THINGS), stream.pick(PLACES)
    speaker = stream.pick(cast)
    speeches = []
    for number in range(5 + stream.below(7)):
        others = [name for name in cast if name != speaker]
        listener = stream.pick(others)
        lines = [_opening(stream, speaker, listener, thing, place)] if number == 0 else []
        lines += [_line(stream, speaker, thing, place) for _ in range(1 + stream.below(3))]
        lines.append(_handing_on(stream, speaker, listener))
        speeches.append(f"{speaker.upper()}:\n" + "\n".join(lines))
        speaker = listener
    speeches.append(f"{speaker.upper()}:\n" + _couplet(stream))
    return "\n\n".join(speeches) + "\n"


def _opening(stream: Stream, speaker: str, listener: str, thing: str, place: str) -> str:
    kind = stream.below(3)
    if kind == 0:
        return f"Good {listener}, I left {thing} at {place}, and it is gone."
    if kind == 1:
        return f"Who took {thing} from {place}? I ask as a {PEOPLE[speaker][0]}."
    return f"They say that {thing} was seen at {place} {stream.pick(TIMES)}."


def _line(stream: Stream, speaker: str, thing: str, place: str) -> str:
    trade, oath, _ = PEOPLE[speaker]
    kind = stream.weighted(SPEECH_KINDS)
    if kind == "tell":
        deed = stream.pick(DEEDS).format(thing=thing)
        return f"{stream.pick(TIMES).capitalize()} a {stream.pick(_others(trade))} {deed} near {place}."
    if kind == "see":
        many = stream.chance(0.5)
        noun, verb = (stream.pick(MANY), "are") if many else (stream.pick(ONE), "is")
        return f"The {noun} {stream.pick(WHERE)} {verb} {stream.pick(HOW)}."
    if kind == "doubt":
        return f"{stream.pick(DOUBTS).capitalize()}, {oath}!"
    return f"Why would a {trade} go to {place} {stream.pick(TIMES)}?"


def _handing_on(stream: Stream, speaker: str, listener: str) -> str:
    word = PEOPLE[speaker][2]
    kind = stream.below(3)
    if kind == 0:
        return f"What say you, {listener}?"
    if kind == 1:
        return f"Answer me, {word} {listener}."
    return f"And you, {listener}, my {word}?"


def _couplet(stream: Stream) -> str:
    first, second = _some(stream, list(stream.pick(RHYMES)), 2)
    upper, lower = _some(stream, list(ENDINGS), 2)
    return f"{upper.format(rhyme=first)};\n{lower.format(rhyme=second)}."


def _others(trade: str) -> list[str]:
    return [other for other, _, _ in PEOPLE.values() if other != trade]


def _some(stream: Stream, options: list[str], count: int) -> list[str]:
    left, chosen = list(options), []
    for _ in range(count):
        chosen.append(left.pop(stream.below(len(left))))
    return chosen
