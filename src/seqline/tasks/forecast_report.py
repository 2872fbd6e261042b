"""What the report shows of forecasts: how errors grow with the horizon, how they change in time, and forecasts drawn.

Legend: N windows, H horizon steps, C channels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from seqline.data.history import read_history
from seqline.data.rows import SplitRows
from seqline.data.series_facts import SeriesFacts
from seqline.data.targets.future import levels_of, numbers_of
from seqline.evaluation.forecasting import Floats, by_step, scores
from seqline.evaluation.sections import Band, Line, LineChart, Section
from seqline.recipe import FutureTarget, HistoryInput, Recipe

if TYPE_CHECKING:
    from seqline.tasks.forecasting import Forecast

_CHARTS = 6
_STEPS_SHOWN = 12
_TIMES_SHOWN = 24
_DIGITS = 4
# Of the context, so many horizons are drawn before the forecast.
_PAST_HORIZONS = 3
_METRICS = ("mase", "smape", "coverage", "width")


def forecast_sections(
    recipe: Recipe, rows: SplitRows, answers: Sequence[Forecast], values: Floats
) -> list[Section]:
    """The sections of a report on N windows, see `Task.sections`.

    Args:
        recipe: Its input and target.
        rows: The windows.
        answers: Their forecasts.
        values: float64 (N, K), their row statistics.
    """
    if not answers:
        return []
    section, target = cast(HistoryInput, recipe.input), cast(FutureTarget, recipe.target)
    return [
        _by_step(section, target, rows, answers),
        _by_time(rows, answers, values),
        _drawn(section, target, rows, answers),
    ]


def _by_step(
    section: HistoryInput, target: FutureTarget, rows: SplitRows, answers: Sequence[Forecast]
) -> Section:
    units = [
        SeriesFacts.of(
            read_history(row, section, horizon=target.horizon).values, season_length=section.season_length
        )
        for row in rows.inputs
    ]
    found = by_step(
        np.stack([answer.values for answer in answers]),
        numbers_of(rows.truths),
        quantiles=levels_of(target.intervals),
        seasonal_error=np.asarray([unit.seasonal_error for unit in units]),
        deviation=np.asarray([unit.deviation for unit in units]),
    )
    shown = sorted({round(place) for place in np.linspace(0, len(found) - 1, min(len(found), _STEPS_SHOWN))})
    return Section(
        title="By step of the horizon",
        paragraphs=(
            "How errors grow with the distance, and whether the widest interval keeps covering. MASE is here in "
            "seasonal errors of each window's own context.",
        ),
        columns=("step", *_METRICS),
        rows=tuple((step + 1, *(_rounded(found[step][name]) for name in _METRICS)) for step in shown),
        charts=(
            LineChart(
                title="MASE by step",
                x_label="step",
                lines=(
                    Line("MASE", "accent", list(range(1, len(found) + 1)), [one["mase"] for one in found]),
                ),
            ),
        ),
    )


def _by_time(rows: SplitRows, answers: Sequence[Forecast], values: Floats) -> Section:
    times = [str(answer.stamps[0]) for answer in answers]
    distinct = sorted(set(times), key=lambda time: (len(time), time))
    step = max(1, -(-len(distinct) // _TIMES_SHOWN))
    table = []
    for time in distinct[::step]:
        members = values[[own == time for own in times]]
        found = scores(members)
        table.append((time, len(members), *(_rounded(found[name]) for name in _METRICS)))
    return Section(
        title="Rolling backtest",
        paragraphs=("The same model asked at one forecast time after the other; no retraining in between.",),
        columns=("first step foretold", "windows", *_METRICS),
        rows=tuple(table),
    )


def _drawn(
    section: HistoryInput, target: FutureTarget, rows: SplitRows, answers: Sequence[Forecast]
) -> Section:
    places = sorted({round(place) for place in np.linspace(0, len(answers) - 1, min(len(answers), _CHARTS))})
    return Section(
        title="Forecasts against the truth",
        paragraphs=(
            f"Windows spread over the test part. The band is the interval of {max(target.intervals)} %.",
        ),
        charts=tuple(_chart(section, target, rows, answers[place], place) for place in places),
    )


def _chart(
    section: HistoryInput, target: FutureTarget, rows: SplitRows, answer: Forecast, place: int
) -> LineChart:
    context = read_history(rows.inputs[place], section, horizon=target.horizon).values[:, 0]
    context = context[-_PAST_HORIZONS * max(target.horizon, section.season_length) :]
    truth = numbers_of([rows.truths[place]])[0, :, 0]
    past, ahead = list(range(-len(context) + 1, 1)), list(range(1, len(truth) + 1))
    low, high = answer.values[:, 0, 0], answer.values[:, 0, -1]
    return LineChart(
        title=f"{answer.series}, {answer.stamps[0]} and after",
        x_label="steps from the forecast time",
        lines=(
            Line("truth", "muted", [*past, *ahead], _plain(np.concatenate([context, truth]))),
            Line("forecast", "accent", ahead, _plain(answer.points[:, 0])),
        ),
        bands=(Band("interval", "accent", ahead, _plain(low), _plain(high)),),
    )


def _plain(values: Any) -> list[float]:
    return [float(value) for value in values]


def _rounded(value: float) -> float | None:
    return round(value, _DIGITS) if np.isfinite(value) else None
