"""The embedded question sample: who went where, and where somebody is now.

A question asks for one person; the story behind it tells in order who goes to which place. The answer is the place of the last
sentence that names the asked person, or "unknown" when the story never does. Two may go together, so a sentence may be
about somebody it names second; one may stay, or only be said to dislike a place, which moves nobody.
"""

from __future__ import annotations

from pathlib import Path

from seqline.data.samples.grammar import Split, Stream
from seqline.data.samples.pairs import write_pairs

DEFAULT_SEED = 20260101
TRAIN_ROWS = 6000
TEST_ROWS = 600
LONGEST_STORY = 8
UNKNOWN = "unknown"
# How often the asked person is somebody the story does not name.
ABSENT_SHARE = 0.08
SENTENCES = {"alone": 0.62, "together": 0.18, "stays": 0.1, "dislikes": 0.1}

PEOPLE = ("Lena", "Tom", "Aisha", "Pavel", "Mina", "Oscar")
PLACES = ("attic", "cellar", "library", "workshop", "stable", "orchard", "harbour")
MOVES = ("goes to", "walks to", "runs to", "returns to", "sneaks into", "is sent to")
MOVES_OF_TWO = ("go to", "walk to", "hurry to", "move to")
STAYS = ("stays there", "sits down", "has a rest", "looks around")
DISLIKES = ("dislikes", "talks about", "dreams of", "asks about")


def compose(stream: Stream, split: Split) -> tuple[str, str]:
    """Draw one story with its question, and the answer."""
    where: dict[str, str] = {}
    told = [_tell(stream, where) for _ in range(1 + stream.below(LONGEST_STORY))]
    absent = [person for person in PEOPLE if person not in where]
    named = [person for person in PEOPLE if person in where]
    is_absent = bool(absent) and (not named or stream.chance(ABSENT_SHARE))
    asked = stream.pick(absent if is_absent else named)
    # The question first: who reads the story then knows whom to follow.
    return f"Where is {asked}? {' '.join(told)}", where.get(asked, UNKNOWN)


def write_questions(folder: Path, *, seed: int = DEFAULT_SEED) -> None:
    """Write four monthly training files and the test file under `folder`; rows have `id`, `question`, `answer`."""
    write_pairs(
        folder,
        compose,
        sample="questions",
        columns=("question", "answer"),
        train_rows=TRAIN_ROWS,
        test_rows=TEST_ROWS,
        seed=seed,
    )


def _tell(stream: Stream, where: dict[str, str]) -> str:
    """One sentence; whoever it moves is in `where` afterwards."""
    kind = stream.weighted(SENTENCES)
    person, place = stream.pick(PEOPLE), stream.pick(PLACES)
    if kind == "dislikes":
        return f"{person} {stream.pick(DISLIKES)} the {place}."
    if kind == "stays" and person in where:
        return f"{person} {stream.pick(STAYS)}."
    if kind == "together":
        other = stream.pick([somebody for somebody in PEOPLE if somebody != person])
        where[person] = where[other] = place
        return f"{person} and {other} {stream.pick(MOVES_OF_TWO)} the {place}."
    where[person] = place
    return f"{person} {stream.pick(MOVES)} the {place}."
