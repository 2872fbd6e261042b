"""The embedded forecasting sample: hires a day at the stations of a bicycle scheme.

Each station has a level, a growth of its own, a shape of the week, a year of its own strength, and noise of which a part
stays until the next day. Public holidays turn a commuter's station into a quiet one and fill one at a lake; they are known
ahead, and the season before says nothing about them. Some days have no number: the station was out of order.

Everything is computed; nobody's hires were counted.
"""

from __future__ import annotations

import calendar
import datetime
import json
from pathlib import Path
from typing import Any

from seqline.data.samples.grammar import Stream
from seqline.data.samples.waves import between, noise, sine
from seqline.files import atomic_write

DEFAULT_SEED = 20260101
FIRST_DAY = datetime.date(2023, 1, 2)
DAYS = 1_176
# Days ahead for which holidays are given, beyond the last number.
KNOWN_AHEAD = 28
STATIONS = 24

# Monday to Sunday, as a share of the station's level.
WEEKS = {
    "office": (1.20, 1.28, 1.30, 1.26, 1.12, 0.45, 0.39),
    "lake": (0.62, 0.60, 0.66, 0.74, 0.95, 1.75, 1.68),
    "market": (0.85, 0.90, 1.05, 1.00, 1.20, 1.45, 0.55),
}
HOLIDAY_FACTOR = {"office": 0.34, "lake": 2.10, "market": 0.60}
# Month and day of the holidays, and days after a movable one that moves by a week or two from year to year.
HOLIDAYS = ((1, 1), (1, 6), (3, 17), (5, 1), (6, 24), (8, 15), (10, 3), (11, 1), (12, 25), (12, 26))
MOVABLE = (1, 40, 51)
NOISE = 0.09
KEPT_TO_NEXT_DAY = 0.6
MISSING_SHARE = 0.004


def stations(*, seed: int = DEFAULT_SEED) -> list[dict[str, Any]]:
    """Make the stations: the same seed gives the same numbers everywhere.

    Returns:
        One row a station: `station`, `start`, `frequency`, `value` (hires a day, null where there is none), `holiday` (0 or 1,
        `KNOWN_AHEAD` days longer than `value`) and `place`.
    """
    days = [FIRST_DAY + datetime.timedelta(days=i) for i in range(DAYS + KNOWN_AHEAD)]
    holidays = [int(day in _holidays(day.year)) for day in days]
    return [_station(number, days, holidays, seed) for number in range(STATIONS)]


def write_forecast(folder: Path, *, seed: int = DEFAULT_SEED) -> None:
    """Write `train/2023.jsonl` under `folder`; the recipe's `split.test` takes the end, so a later batch may go on there."""
    rows = [{"id": f"{row['station']}/2023", **row} for row in stations(seed=seed)]
    lines = "".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows)
    atomic_write(folder / "train/2023.jsonl", lines)


def _station(number: int, days: list[datetime.date], holidays: list[int], seed: int) -> dict[str, Any]:
    stream = Stream(f"forecast/{seed}/{number}")
    place = tuple(WEEKS)[number % len(WEEKS)]
    level, growth = between(stream, 40.0, 900.0), between(stream, -0.12, 0.25)
    summer, warmest = between(stream, 0.15, 0.45), between(stream, 0.48, 0.58)
    week = [share * between(stream, 0.92, 1.08) for share in WEEKS[place]]
    kept = 0.0
    values: list[int | None] = []
    for step, day in enumerate(days[:DAYS]):
        length = 366 if calendar.isleap(day.year) else 365
        year = day.timetuple().tm_yday / length
        kept = KEPT_TO_NEXT_DAY * kept + NOISE * noise(stream)
        mean = level * (1.0 + growth * step / length) * (1.0 + summer * sine(year - warmest + 0.25))
        mean *= HOLIDAY_FACTOR[place] if holidays[step] else week[day.weekday()]
        value = round(mean * max(0.05, 1.0 + kept))
        values.append(None if stream.chance(MISSING_SHARE) else value)
    return {
        "station": f"{place}-{number + 1:02d}",
        "start": FIRST_DAY.isoformat(),
        "frequency": "D",
        "value": values,
        "holiday": holidays,
        "place": place,
    }


def _holidays(year: int) -> set[datetime.date]:
    # Not Easter's rule, only its habit: a Sunday between the end of March and late April.
    sunday = datetime.date(year, 3, 25) + datetime.timedelta(days=(year * 11) % 28)
    sunday += datetime.timedelta(days=6 - sunday.weekday())
    fixed = {datetime.date(year, month, day) for month, day in HOLIDAYS}
    return fixed | {sunday + datetime.timedelta(days=after) for after in MOVABLE}
