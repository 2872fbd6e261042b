"""The embedded sensor sample: what an accelerometer on the hip records while people move.

Sixteen people do eight things, each several times and for different times. The sensor sits a little differently on each of
them, and each has a pace and a vigour of their own: so the test holds four people whom training never saw. Sitting down is
standing up backwards, and steps downwards fall where steps upwards rise: averages cannot tell them apart, the order can.

Everything is computed; nobody was measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqline.data.samples.digits import DEFAULT_SEED, write_rows
from seqline.data.samples.grammar import Stream
from seqline.data.samples.waves import between, cosine, noise, sine, smooth

RATE_HZ = 20
PEOPLE = 16
TEST_PEOPLE = 4
TAKES = 7
SECONDS = (2.0, 5.0)
MILLI_G = 1000.0


@dataclass(frozen=True, kw_only=True)
class _Movement:
    """How an activity looks to the sensor.

    Attributes:
        pitch: Angles of the trunk, in turns, at the beginning, half way and at the end.
        steps_hz: Steps a second; 0 for none.
        strength: Of the steps, in g.
        skew: Where in a step its peak stands: 0.5 as in a sine, less for a sharp rise, more for a sharp fall.
    """

    pitch: tuple[float, float, float] = (0.0, 0.0, 0.0)
    steps_hz: float = 0.0
    strength: float = 0.0
    skew: float = 0.5


_MOVEMENTS = {
    "still": _Movement(),
    "walk": _Movement(steps_hz=1.8, strength=0.3),
    "run": _Movement(steps_hz=2.6, strength=0.75),
    "stairs_up": _Movement(pitch=(0.04, 0.04, 0.04), steps_hz=1.6, strength=0.35, skew=0.8),
    "stairs_down": _Movement(pitch=(0.04, 0.04, 0.04), steps_hz=1.6, strength=0.35, skew=0.2),
    "sit_down": _Movement(pitch=(0.0, 0.12, 0.05)),
    "stand_up": _Movement(pitch=(0.05, 0.12, 0.0)),
    "lie_down": _Movement(pitch=(0.0, 0.1, 0.24)),
}
ACTIVITIES = tuple(_MOVEMENTS)


@dataclass(frozen=True)
class _Person:
    """What is the same in all recordings of one person: angles in turns, factors around 1, noise in g."""

    roll: float
    tilt: float
    pace: float
    vigour: float
    sway: float
    tremor: float


def write_sensors(folder: Path, *, seed: int = DEFAULT_SEED) -> None:
    """Write `train/people.jsonl` and `test/people.jsonl` under `folder`.

    A row has `id`, `trace` (T lists of x, y and z in thousandths of g, 20 a second, 2 to 5 seconds), `activity` and `person`.
    The people of the two files are different ones.

    Args:
        folder: Gets the two files.
        seed: Decides every number.
    """
    for name, people in (
        ("train", range(1, PEOPLE - TEST_PEOPLE + 1)),
        ("test", range(PEOPLE - TEST_PEOPLE + 1, PEOPLE + 1)),
    ):
        rows = [row for number in people for row in _recordings(number, seed=seed)]
        write_rows(folder / name / "people.jsonl", rows)


def _recordings(number: int, *, seed: int) -> list[dict[str, Any]]:
    stream = Stream(f"sensors/{seed}/{number}")
    person = _Person(
        roll=between(stream, -0.06, 0.06),
        tilt=between(stream, -0.04, 0.04),
        pace=between(stream, 0.85, 1.15),
        vigour=between(stream, 0.7, 1.3),
        sway=between(stream, 0.1, 0.25),
        tremor=between(stream, 0.015, 0.05),
    )
    return [
        {
            "id": f"person-{number:02d}-{activity}-{take}",
            "trace": _trace(stream, person, _MOVEMENTS[activity]),
            "activity": activity,
            "person": f"person-{number:02d}",
        }
        for activity in ACTIVITIES
        for take in range(1, TAKES + 1)
    ]


def _trace(stream: Stream, person: _Person, movement: _Movement) -> list[list[int]]:
    length = round(between(stream, *SECONDS) * RATE_HZ)
    pace = movement.steps_hz * person.pace * between(stream, 0.93, 1.07)
    strength = movement.strength * person.vigour * between(stream, 0.85, 1.15)
    phase = between(stream, 0.0, 1.0)
    # The change of posture takes a part of the recording, anywhere in it.
    begins = between(stream, 0.05, 0.35)
    ends = between(stream, 0.65, 0.95)
    steps = []
    for step in range(length):
        seconds = step / RATE_HZ
        pitch = person.tilt + _posture(movement.pitch, (step / length - begins) / (ends - begins))
        pitch += 0.004 * sine(0.23 * seconds + phase)
        push = strength * _pulse(pace * seconds + phase, movement.skew)
        sway = strength * person.sway * sine(0.5 * (pace * seconds + phase))
        upright = cosine(pitch)
        x = sine(pitch) * (1.0 + push) + 0.3 * push
        y = upright * sine(person.roll) * (1.0 + push) + sway
        z = upright * cosine(person.roll) * (1.0 + push)
        steps.append([round(MILLI_G * (value + person.tremor * noise(stream))) for value in (x, y, z)])
    return steps


def _posture(pitch: tuple[float, float, float], part: float) -> float:
    first, middle, last = pitch
    if part < 0.5:
        return first + (middle - first) * smooth(2.0 * part)
    return middle + (last - middle) * smooth(2.0 * part - 1.0)


def _pulse(turns: float, skew: float) -> float:
    """One step as a wave from -1 to 1 whose rise takes the share `skew` of the time."""
    part = turns - (turns // 1.0)
    bent = 0.5 * part / skew if part < skew else 0.5 + 0.5 * (part - skew) / (1.0 - skew)
    return -cosine(bent)
