"""Series to be foretold."""

from __future__ import annotations

from pathlib import Path

from bench.real.rows import Row, Rows, table

# 12 + 4 and 4 months of 30 days, as in the published tables.
ETTH_TRAIN_HOURS, ETTH_HOURS = 16 * 30 * 24, 20 * 30 * 24
WALMART_TEST_WEEKS = 26
EXCHANGE_TEST_SHARE = 0.2
# The last steps of each of the twelve series are test: two horizons of their recipes.
MONTHS_HELD_OUT, DAYS_HELD_OUT, YEARS_HELD_OUT = 24, 56, 10


def m4(data: Path) -> Rows:
    """M4 hourly: 414 series, the last 48 hours of each are test."""
    train = series_of(data / "m4_hourly/m4_hourly_train.csv.gz")
    test = series_of(data / "m4_hourly/m4_hourly_test.csv.gz")

    def row(name: str, part: str, start: int, steps: list[Row]) -> Row:
        values = [_number(step["value"]) for step in steps]
        return {
            "id": f"{name}/{part}",
            "series": name,
            "start": start,
            "frequency": "step",
            "value": values,
        }

    return Rows(
        [row(name, "train", 0, steps) for name, steps in train.items()],
        [row(name, "test", len(train[name]), steps) for name, steps in test.items()],
    )


def etth(data: Path) -> Rows:
    """ETTh1 with its seven channels: 12 and 4 months to learn from, 4 months of test."""
    lines = [
        list(row.values())
        for _, row in zip(range(ETTH_HOURS), table(data / "etth/ETTh1.csv.gz"), strict=False)
    ]

    def row(part: str, first: int, end: int) -> Row:
        start = lines[first][0].replace(" ", "T")[:16]
        values = [[float(value) for value in line[1:]] for line in lines[first:end]]
        return {"id": f"etth1/{part}", "series": "etth1", "start": start, "frequency": "h", "value": values}

    return Rows(
        [row("train", 0, ETTH_TRAIN_HOURS)],
        [row("test", ETTH_TRAIN_HOURS, ETTH_HOURS)],
    )


def walmart(data: Path) -> Rows:
    """Weekly sales of 45 shops; the last 26 weeks are test. Holidays are known ahead, the other columns are not."""
    measured = ("temperature", "fuel_price", "cpi", "unemployment")
    parts: dict[str, list[Row]] = {"train": [], "test": []}
    for name, given in series_of(data / "walmart_weekly_sales/walmart_weekly_sales.csv.gz").items():
        steps = sorted(given, key=lambda step: step["timestamp"])
        cut = len(steps) - WALMART_TEST_WEEKS
        for part, some in (("train", steps[:cut]), ("test", steps[cut:])):
            parts[part].append(
                {
                    "id": f"{name}/{part}",
                    "series": name,
                    "timestamps": [step["timestamp"] for step in some],
                    "value": [_number(step["value"]) for step in some],
                    "holiday": [float(step["holiday"]) for step in some],
                    **{column: [float(step[column]) for step in some] for column in measured},
                }
            )
    return Rows(parts["train"], parts["test"])


def exchange_rate(data: Path) -> Rows:
    """Eight currencies day by day, together one series of eight channels; the last fifth is test, as published."""
    series = series_of(data / "exchange_rate/exchange_rate.csv.gz")
    values = [[float(step["value"]) for step in day] for day in zip(*series.values(), strict=True)]
    cut = len(values) - int(EXCHANGE_TEST_SHARE * len(values))

    def row(part: str, start: int, some: list[list[float]]) -> Row:
        return {"id": f"rates/{part}", "series": "rates", "start": start, "frequency": "step", "value": some}

    return Rows([row("train", 0, values[:cut])], [row("test", cut, values[cut:])])


def univariate_monthly(data: Path) -> Rows:
    """The eight monthly ones of twelve classic series; years counted from 1 stand as they are."""
    return _univariate(data, "_monthly", held_out=MONTHS_HELD_OUT)


def univariate_daily(data: Path) -> Rows:
    """The three daily ones."""
    return _univariate(data, "_daily", held_out=DAYS_HELD_OUT)


def univariate_yearly(data: Path) -> Rows:
    """The one yearly one."""
    return _univariate(data, "_yearly", held_out=YEARS_HELD_OUT)


def series_of(path: Path) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in table(path):
        found.setdefault(row["series"], []).append(row)
    return found


def _univariate(data: Path, ending: str, *, held_out: int) -> Rows:
    """Series whose name ends so; of one that is too short for `held_out` steps, a third is test."""
    parts: tuple[list[Row], list[Row]] = ([], [])
    for name, steps in series_of(data / "univariate_series/univariate_series.csv.gz").items():
        if not name.endswith(ending):
            continue
        cut = len(steps) - min(held_out, len(steps) // 3)
        for part, rows, some in zip(("train", "test"), parts, (steps[:cut], steps[cut:]), strict=True):
            # Two series count their years from 1, as in 1-01: a date has four digits of year.
            stamps = [
                "-".join([year.zfill(4), *rest]) for year, *rest in (s["timestamp"].split("-") for s in some)
            ]
            values = [float(step["value"]) for step in some]
            rows.append({"id": f"{name}/{part}", "series": name, "timestamps": stamps, "value": values})
    return Rows(*parts)


def _number(text: str) -> float:
    return float(text) if "." in text else int(text)
