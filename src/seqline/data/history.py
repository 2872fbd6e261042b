"""Rows of series: what a user gives, read into series on a calendar, and histories written back as such rows.

A canonical row is one series, or a stretch of one: rows that name the same series are joined by their timestamps. A window
is stored as the row that a user would send to ask for that forecast, so training and serving read one form.

Legend: T values of a row, G steps of a series, C channels, H horizon steps.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from math import isnan
from typing import Any

import numpy as np
import numpy.typing as npt

from seqline.data.calendar import Frequency, infer_frequency, parse_frequency
from seqline.data.grid import calendar_features, grid_of_periods, shared_phase
from seqline.data.scaling import MAX_NUMBER, TOO_LARGE
from seqline.data.windows import Floats, Series
from seqline.errors import InputError
from seqline.recipe import HistoryInput

START, FREQUENCY, TIMESTAMPS = "start", "frequency", "timestamps"
_STEP = Frequency("step")
_DIMENSIONS = 2
_SIZES = f"numbers between -{MAX_NUMBER:.2g} and {MAX_NUMBER:.2g}"


@dataclass(frozen=True)
class Stretch:
    """One row, read.

    Attributes:
        name: Of its series.
        frequency: Of its timestamps.
        phase: Where in their periods they stand.
        periods: int64 (T,) of the values.
        values: float64 (T, C), NaN = missing.
        past: float64 (T, P).
        future: float64 (T or more, F).
        static: Values that never change, by column.
    """

    name: str
    frequency: Frequency
    phase: tuple[int, ...]
    periods: npt.NDArray[np.int64]
    values: Floats
    past: Floats
    future: Floats
    static: tuple[tuple[str, str | float], ...]


def name_of(row: Mapping[str, Any], section: HistoryInput) -> str:
    """The series of a row: the column `input.series`, else its id."""
    name = row.get(section.series) if section.series else None
    return str(row.get("id", "")) if name is None else str(name)


def read_stretch(
    row: Any, section: HistoryInput, *, trained: Frequency | None = None, told: Frequency | None = None
) -> Stretch:
    """Read one row.

    Args:
        row: The values under `section.column`, T numbers (null where missing) or T lists of C numbers; their times as
            `timestamps`, or as `start` and `frequency`, or not at all (steps from 0); the covariates as lists of as many
            numbers, those known ahead longer.
        section: Names the columns.
        trained: The frequency that a model was trained on: timestamps are read by it, and another one is refused.
        told: The frequency of timestamps for which nothing else says one; None tells it from those of the row.

    Raises:
        InputError: Something is missing, has another length or is no number.
    """
    if not isinstance(row, Mapping):
        raise InputError("history", f"{type(row).__name__}", "a row with the values of a series")
    name = name_of(row, section)
    where = f"series {name}" if name else "history"
    values = _numbers(row, section.column, where, width=None)
    frequency, phase, periods = _times(row, section, len(values), where, trained, told)
    past = [_numbers(row, column, where, width=1) for column in section.past]
    future = [_numbers(row, column, where, width=1) for column in section.future]
    for column, found in zip(section.past, past, strict=True):
        if len(found) < len(values):
            raise InputError(where, f"{len(found)} numbers in {column!r}", f"{len(values)}, one a value")
    ahead = min((len(found) for found in future), default=len(values))
    if ahead < len(values):
        raise InputError(
            where, f"{ahead} numbers in a covariate known ahead", f"{len(values)} or more, one a value"
        )
    if len(values) != len(periods):
        raise InputError(where, f"{len(periods)} timestamps", f"{len(values)}, one a value")
    return Stretch(
        name=name,
        frequency=frequency,
        phase=phase,
        periods=periods,
        values=values,
        past=_side_by_side([found[: len(values)] for found in past], len(values)),
        future=_side_by_side([found[:ahead] for found in future], ahead),
        static=tuple((column, _static(row, column, where)) for column in section.static),
    )


def join(stretches: Sequence[Stretch], section: HistoryInput, *, held_out_from: int | None = None) -> Series:
    """Join the rows of one series.

    Args:
        stretches: In any order; where covariates known ahead overlap, the later row's count.
        section: Says what gaps and duplicates are.
        held_out_from: Index of the first stretch that is a test set; its steps must come after all others.

    Raises:
        InputError: Stretches that do not fit together, gaps or duplicates that are refused.
    """
    first = stretches[0]
    where = f"series {first.name}"
    phase = first.phase
    for one in stretches[1:]:
        shared = first.frequency.common((phase, one.phase)) if one.frequency == first.frequency else None
        if shared is None:
            raise InputError(
                where, "rows whose timestamps lie on different grids", f"frequency {first.frequency} in all"
            )
        phase = shared
        if one.values.shape[1] != first.values.shape[1]:
            raise InputError(where, "rows with different numbers of channels", f"{first.values.shape[1]}")
    periods = np.concatenate([one.periods for one in stretches])
    grid = grid_of_periods(
        periods,
        first.frequency,
        phase,
        gaps=section.gaps,
        duplicates=section.duplicates,
        where=where,
    )
    held_out = None
    if held_out_from is not None:
        begins = int(min(one.periods.min() for one in stretches[held_out_from:]))
        before = [int(one.periods.max()) for one in stretches[:held_out_from]]
        if before and max(before) >= begins:
            raise InputError(
                where, "test values at or before the last train value", "a test set that comes after train"
            )
        held_out = grid.start + grid.length - begins
    rule = section.duplicates
    return Series(
        id=first.name,
        values=grid.place(np.concatenate([one.values for one in stretches]), duplicates=rule),
        past=grid.place(np.concatenate([one.past for one in stretches]), duplicates=rule),
        future=_future_on_grid(stretches, grid.start, grid.length),
        grid=grid,
        static=first.static,
        held_out=held_out,
    )


def read_history(
    row: Any, section: HistoryInput, *, horizon: int, trained: Frequency | None = None
) -> Series:
    """Read a row that asks for a forecast: its last L steps, and covariates known ahead for H steps after them.

    Args:
        row: See `read_stretch`.
        section: The recipe's input.
        horizon: H.
        trained: See `read_stretch`.
    """
    whole = join([read_stretch(row, section, trained=trained)], section)
    if len(whole) < section.least:
        raise InputError(
            f"series {whole.id}", f"{len(whole)} values", f"at least {section.least} to forecast from"
        )
    try:
        whole.stamps(len(whole) + horizon - 1, 1)
    except InputError as error:
        raise InputError(f"series {whole.id}", f"{error.found} to foretell", error.expected) from None
    history = whole.until(len(whole), context_length=section.context_length, horizon=horizon)
    return with_calendar(history, section, len(history) + horizon)


def with_calendar(series: Series, section: HistoryInput, steps: int) -> Series:
    """Add the calendar to what is known ahead of a series, where the recipe's input asks for it.

    Args:
        series: Without it.
        section: The recipe's input.
        steps: How far it is asked for; columns that are known ahead may end sooner.
    """
    if not section.calendar:
        return series
    given = series.future if section.future else np.zeros((steps, 0))
    known = calendar_features(series.grid, 0, min(steps, len(given)))
    return replace(series, future=np.concatenate([given[: len(known)], known], axis=1))


def row_of(history: Series, section: HistoryInput) -> dict[str, Any]:
    """Write a history as the row that `read_history` reads; its series goes by `section.series`, or by id."""
    times: dict[str, Any] = {START: history.stamps(0, 1)[0]}
    if not history.grid.is_told_by_its_start:
        times = {TIMESTAMPS: history.stamps(0, len(history))}
    columns: dict[str, Any] = {
        section.series or "id": history.id,
        **times,
        FREQUENCY: str(history.grid.frequency),
        section.column: plain_numbers(history.values),
    }
    for index, column in enumerate(section.past):
        columns[column] = plain_numbers(history.past[:, index : index + 1])
    for index, column in enumerate(section.future):
        columns[column] = plain_numbers(history.future[:, index : index + 1])
    return columns | dict(history.static)


def _times(
    row: Mapping[str, Any],
    section: HistoryInput,
    count: int,
    where: str,
    trained: Frequency | None,
    told: Frequency | None,
) -> tuple[Frequency, tuple[int, ...], npt.NDArray[np.int64]]:
    stamps, start = row.get(TIMESTAMPS), row.get(START)
    try:
        frequency = _frequency(row.get(FREQUENCY), section.frequency, trained)
        if isinstance(stamps, list):
            frequency = frequency or told or infer_frequency(stamps)
            found = [frequency.period(stamp) for stamp in stamps]
            phase = shared_phase(frequency, stamps, [own for _, own in found], where="timestamps")
            return frequency, phase, np.asarray([number for number, _ in found], dtype=np.int64)
        if start is None:
            if trained is not None and trained != _STEP and section.calendar:
                raise InputError(
                    "times", "none", "start and frequency, or timestamps: the model reads the calendar"
                )
            frequency, start = _STEP, 0
        if frequency is None:
            raise InputError("start", f"{start!r} without a frequency", "both, or a list of timestamps")
        number, phase = frequency.period(start)
        # The last value has a time too: a row that runs on after the year 9999 is refused where it is read.
        frequency.stamp(number + count - 1, phase)
    except InputError as error:
        raise InputError(f"{where}, {error.where}", error.found, error.expected, error.hint) from None
    return frequency, phase, number + np.arange(count, dtype=np.int64)


def _frequency(given: Any, asked: str | None, trained: Frequency | None) -> Frequency | None:
    """The frequency of a row: what the recipe and the model say, and then the row may say nothing else."""
    own = parse_frequency(given) if isinstance(given, str) else None
    known = parse_frequency(asked) if asked else trained
    if own is not None and known is not None and own != known:
        source = "the recipe's input.frequency" if asked else "the model was trained on"
        raise InputError(FREQUENCY, f"{own}", f"{known}: {source}")
    return own or known


def _numbers(row: Mapping[str, Any], column: str, where: str, *, width: int | None) -> Floats:
    given = row.get(column)
    if not isinstance(given, list) or not given:
        raise InputError(where, f"no list of numbers in column {column!r}", "one number a step")
    try:
        values = np.asarray(given, dtype=np.float64)
    except OverflowError:
        raise InputError(where, f"column {column!r} holds {TOO_LARGE}", _SIZES) from None
    except (TypeError, ValueError):
        raise InputError(where, f"something in column {column!r} is no number", "numbers, or null") from None
    values = values[:, None] if values.ndim == 1 else values
    if values.ndim != _DIMENSIONS or (width is not None and values.shape[1] != width):
        raise InputError(where, f"column {column!r} holds lists", "one number a step")
    numbers = chain.from_iterable(given) if isinstance(given[0], list | tuple) else given
    if np.isinf(values).any() or not {str, bool, bytes}.isdisjoint(map(type, numbers)):
        raise InputError(where, f"column {column!r} holds something that is no number", "numbers, or null")
    if (np.abs(values) > MAX_NUMBER).any():
        raise InputError(where, f"column {column!r} holds {TOO_LARGE}", _SIZES)
    return values


def _static(row: Mapping[str, Any], column: str, where: str) -> str | float:
    value = row.get(column)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise InputError(where, f"{value!r} in column {column!r}", "a text or a number that never changes")
    if isinstance(value, str):
        return value
    if not abs(value) <= MAX_NUMBER:
        raise InputError(where, f"column {column!r} holds {TOO_LARGE}, or none", _SIZES)
    return float(value)


def _future_on_grid(stretches: Iterable[Stretch], start: int, length: int) -> Floats:
    ordered = sorted(stretches, key=lambda one: int(one.periods[0]))
    width = ordered[0].future.shape[1]
    end = length
    for one in ordered:
        end = max(end, int(one.periods[-1]) - start + 1 + len(one.future) - len(one.values))
    placed = np.full((end if width else length, width), np.nan)
    for one in ordered:
        places = one.periods - start
        placed[places] = one.future[: len(places)]
        beyond = one.future[len(places) :]
        placed[places[-1] + 1 : places[-1] + 1 + len(beyond)] = beyond
    return placed


def _side_by_side(columns: list[Floats], length: int) -> Floats:
    return np.concatenate(columns, axis=1) if columns else np.zeros((length, 0))


def plain_numbers(values: Floats) -> list[Any]:
    """JSON numbers of float64 (T, C), null for NaN; a list a step where there are several channels."""
    if values.shape[1] == 1:
        return [None if isnan(value) else value for value in values[:, 0].tolist()]
    return [[None if isnan(value) else value for value in step] for step in values.tolist()]
