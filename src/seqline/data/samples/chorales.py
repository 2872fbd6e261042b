"""The embedded music sample: four-voice phrases that end in cadences, written by rules of our own.

A piece has one key, major or minor, and three to five phrases. Harmonies follow each other as the degrees of the scale
ask for; a phrase ends on the fifth or on the first degree. The voices move as little as they can, keep their order and
their ranges, and shun parallel fifths and octaves; passing notes fill thirds. So each step asks for the key, the last
harmony and the place in the phrase.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from seqline.data.samples.dealt import fraction_of, write_months
from seqline.data.samples.grammar import Split, Stream

DEFAULT_SEED = 20260303
TRAIN_ROWS = 480
TEST_ROWS = 220

Chord = tuple[int, ...]

MAJOR, MINOR = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 11)
# Lowest and highest note of bass, tenor, alto and soprano.
RANGES = ((41, 60), (48, 67), (55, 74), (60, 79))
# Degree, 0 for the first: the degrees that may follow, and how likely.
FOLLOWING = {
    0: {3: 0.3, 4: 0.25, 5: 0.2, 1: 0.15, 0: 0.1},
    1: {4: 0.7, 6: 0.2, 3: 0.1},
    3: {4: 0.4, 0: 0.25, 1: 0.25, 3: 0.1},
    4: {0: 0.55, 5: 0.3, 4: 0.15},
    5: {3: 0.4, 1: 0.4, 4: 0.2},
    6: {0: 0.9, 5: 0.1},
}
PASSING_SHARE = 0.35
_FIFTHS_AND_OCTAVES = (0, 7)
_SPLIT_BINS = 5
_TONES = 12


def write_music(folder: Path, *, seed: int = DEFAULT_SEED) -> None:
    """Write four monthly training files and the test file: `id` and `notes`.

    Notes are a list of steps (quarter notes), each the list of the MIDI notes that sound, lowest first.

    Args:
        folder: Gets `train/2026-01.jsonl` to `train/2026-04.jsonl` and `test/test.jsonl`.
        seed: The same seed gives the same bytes everywhere.
    """
    write_months(
        folder,
        train=pieces(rows=TRAIN_ROWS, seed=seed, split="train"),
        test=pieces(rows=TEST_ROWS, seed=seed, split="test"),
    )


def pieces(*, rows: int, seed: int, split: Split) -> list[dict[str, Any]]:
    """Write pieces; those of the two splits never are the same."""
    stream = Stream(f"music/{seed}/{split}")
    found: list[dict[str, Any]] = []
    while len(found) < rows:
        notes = piece(stream)
        if (fraction_of(f"split/{json.dumps(notes)}") * _SPLIT_BINS < 1) == (split == "test"):
            found.append({"id": f"{split}-{len(found) + 1:05d}", "notes": notes})
    return found


def piece(stream: Stream) -> list[list[int]]:
    """Write one piece: the MIDI notes of each step."""
    scale = MAJOR if stream.chance(0.6) else MINOR
    tonic = stream.below(_TONES)
    steps: list[list[int]] = []
    chord: Chord = ()
    phrases = 3 + stream.below(3)
    for number in range(phrases):
        degrees = phrase(stream, closes=number == phrases - 1 or stream.chance(0.4))
        for place, degree in enumerate(degrees):
            former, chord = chord, _voiced(stream, _notes_of(degree, scale, tonic), chord)
            if former and place and stream.chance(PASSING_SHARE):
                steps.append(sorted(_passing(former, chord, scale, tonic)))
            steps.append(sorted(set(chord)))
        steps.append(sorted(set(chord)))  # the last chord of a phrase is held
    return steps


def phrase(stream: Stream, *, closes: bool) -> list[int]:
    """Draw the degrees of a phrase, six to nine of them; it closes on the first or stays open on the fifth."""
    degrees = [0]
    for _ in range(3 + stream.below(4)):
        weights = FOLLOWING[degrees[-1]]
        degrees.append(int(stream.weighted({str(degree): share for degree, share in weights.items()})))
    return [*degrees, 3, 4, 0] if closes else [*degrees, 1, 4]


def _notes_of(degree: int, scale: Sequence[int], tonic: int) -> tuple[int, int, int]:
    """Root, third and fifth of a degree as tones of the octave."""
    root, third, fifth = ((tonic + scale[(degree + up) % len(scale)]) % _TONES for up in (0, 2, 4))
    return root, third, fifth


def _voiced(stream: Stream, tones: tuple[int, int, int], former: Chord) -> Chord:
    """Spread a chord over the voices, near the former chord."""
    options = sorted((_cost(chord, former), chord) for chord in _spread(tones))
    # The first chord is drawn among the good ones, later ones are the best or the second best.
    return stream.pick(options[: 2 if former else 12])[1]


@cache
def _spread(tones: tuple[int, int, int]) -> tuple[Chord, ...]:
    """List a chord's ways to be sung: the root in the bass, all three tones above it."""
    chords: list[Chord] = []
    for upper in itertools.permutations(tones):
        places = [
            [note for note in range(low, high + 1) if note % _TONES == tone]
            for tone, (low, high) in zip((tones[0], *upper), RANGES, strict=True)
        ]
        chords += [chord for chord in itertools.product(*places) if _in_order(chord)]
    return tuple(chords)


def _in_order(chord: Chord) -> bool:
    gaps = [upper - lower for lower, upper in itertools.pairwise(chord)]
    return all(gap > 0 for gap in gaps) and all(gap <= _TONES for gap in gaps[1:])


def _cost(chord: Chord, former: Chord) -> float:
    if not former:
        return sum(abs(2 * note - low - high) for note, (low, high) in zip(chord, RANGES, strict=True)) / 2
    moves = [now - then for now, then in zip(chord, former, strict=True)]
    cost = float(sum(abs(move) for move in moves[1:])) + abs(moves[0]) / 2
    for one, two in itertools.combinations(range(len(chord)), 2):
        before, after = (former[two] - former[one]) % _TONES, (chord[two] - chord[one]) % _TONES
        if before == after and after in _FIFTHS_AND_OCTAVES and moves[one] and moves[two]:
            cost += 2 * _TONES
    return cost


def _passing(former: Chord, chord: Chord, scale: Sequence[int], tonic: int) -> set[int]:
    """The former chord, with the voices that go on by a third already on the note between."""
    in_key = {(tonic + tone) % _TONES for tone in scale}
    notes = set()
    for then, now in zip(former, chord, strict=True):
        between = [note for note in range(min(then, now) + 1, max(then, now)) if note % _TONES in in_key]
        notes.add(between[0] if len(between) == 1 else then)
    return notes
