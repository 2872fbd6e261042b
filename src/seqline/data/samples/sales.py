"""The embedded sales sample: what shops take in a week, the next week's takings to be foretold.

Each shop has a size, a trend and a year with a peak before Christmas and a quiet January. Weeks with a promotion or a
holiday are planned and known ahead; the temperature is known only once it has been. Sales brought forward by a promotion
are missing in the week after it.

Everything is computed; no shop's books were read.
"""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

from seqline.data.samples.grammar import Stream
from seqline.data.samples.waves import between, noise, sine
from seqline.files import atomic_write

DEFAULT_SEED = 20260101
FIRST_WEEK = datetime.date(2020, 1, 6)
WEEKS = 312
KNOWN_AHEAD = 8
SHOPS = 30
KINDS = ("city", "suburb", "village")

WEEKS_A_YEAR = 52.1775
# Week of the year (from 0) and what it adds to a shop's takings.
PEAKS = {
    46: 0.18,
    47: 0.30,
    48: 0.38,
    49: 0.46,
    50: 0.62,
    51: 0.20,
    0: -0.22,
    1: -0.18,
    2: -0.12,
    14: 0.16,
    34: 0.12,
}
HOLIDAY_WEEKS = (0, 14, 17, 21, 34, 43, 51)
HOLIDAY_LIFT = {"city": -0.14, "suburb": 0.10, "village": 0.05}
PROMOTION_SHARE = 0.16
PROMOTION_LIFT = 0.34
BROUGHT_FORWARD = 0.12
HEAT = 0.006  # a degree above the season's mean keeps so many customers away, or draws them into a city
NOISE = 0.045
KEPT_TO_NEXT_WEEK = 0.55


def shops(*, seed: int = DEFAULT_SEED) -> list[dict[str, Any]]:
    """Make the shops: the same seed gives the same numbers everywhere.

    Returns:
        One row a shop: `shop`, `start`, `frequency`, `value` (takings a week), `promotion` and `holiday` (0 or 1, known
        `KNOWN_AHEAD` weeks further), `temperature` (degrees Celsius), `kind` and `area` (square metres).
    """
    return [_shop(number, seed) for number in range(SHOPS)]


def write_sales(folder: Path, *, seed: int = DEFAULT_SEED) -> None:
    """Write `train/2020.jsonl` under `folder`; the recipe's `split.test` takes the end, so a later batch may go on there."""
    rows = [{"id": f"{row['shop']}/2020", **row} for row in shops(seed=seed)]
    lines = "".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows)
    atomic_write(folder / "train/2020.jsonl", lines)


def _shop(number: int, seed: int) -> dict[str, Any]:
    stream = Stream(f"sales/{seed}/{number}")
    kind = KINDS[number % len(KINDS)]
    area = 200 + 50 * stream.below(40)
    level = area * between(stream, 18.0, 34.0)
    growth, calendar_strength = between(stream, -0.05, 0.09), between(stream, 0.6, 1.2)
    promotion = [int(stream.chance(PROMOTION_SHARE)) for _ in range(WEEKS + KNOWN_AHEAD)]
    holiday = [int(_week_of_year(step) in HOLIDAY_WEEKS) for step in range(WEEKS + KNOWN_AHEAD)]
    values, temperatures, kept = [], [], 0.0
    for step in range(WEEKS):
        week = _week_of_year(step)
        season = 11.0 + 9.5 * sine((week - 16) / WEEKS_A_YEAR)
        warmer = 2.5 * noise(stream)
        kept = KEPT_TO_NEXT_WEEK * kept + NOISE * noise(stream)
        factor = 1.0 + growth * step / WEEKS_A_YEAR
        factor *= 1.0 + calendar_strength * PEAKS.get(week, 0.0)
        factor *= 1.0 + PROMOTION_LIFT * promotion[step]
        factor *= 1.0 - BROUGHT_FORWARD * (promotion[step - 1] if step else 0)
        factor *= 1.0 + HOLIDAY_LIFT[kind] * holiday[step]
        factor *= 1.0 + (HEAT if kind == "city" else -HEAT) * warmer
        values.append(round(level * factor * max(0.1, 1.0 + kept)))
        temperatures.append(round(season + warmer, 1))
    return {
        "shop": f"{kind}-{number + 1:02d}",
        "start": FIRST_WEEK.isoformat(),
        "frequency": "W",
        "value": values,
        "promotion": promotion,
        "holiday": holiday,
        "temperature": temperatures,
        "kind": kind,
        "area": area,
    }


def _week_of_year(step: int) -> int:
    day = FIRST_WEEK + datetime.timedelta(weeks=step)
    return (day.timetuple().tm_yday - 1) // 7
