"""Rows of series dealt into windows: what train, valid and test of a forecast are.

A window is kept as the row that a user would send to ask for that forecast, with the values that came after it beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from seqline.data.history import Stretch, join, plain_numbers, read_stretch, row_of
from seqline.data.splits import SPLITS, Split
from seqline.data.windows import Series, cut_points, positions, require_one_frequency
from seqline.recipe import HistoryInput


def deal_windows(
    train_rows: Sequence[Mapping[str, Any]],
    test_rows: Sequence[Mapping[str, Any]],
    section: HistoryInput,
    *,
    horizon: int,
    valid: float,
    test: float,
) -> dict[Split, list[Mapping[str, Any]]]:
    """Cut series into the windows of train, valid and test, by time.

    Args:
        train_rows: Rows of series, see `read_stretch`.
        test_rows: The same; those that name a series of train continue it, others are series that train never saw.
        section: The recipe's input.
        horizon: H.
        valid: Share of the steps before the test part that valid gets.
        test: Share of the steps that test gets where there are no test rows.

    Returns:
        By split, in the order of the series and of time, rows with an id SERIES@TIME, under `section.column` what is read
        (`history`, a row as `read_history` takes it) and what comes after it (`future`, H values), and what never changes.
        Windows without a real value to read or to foretell are left out.

    Raises:
        InputError: A row that is no series, gaps, duplicates or missing values that are refused, series of different
            frequencies.
    """
    stretches: dict[str, list[Stretch]] = {}
    known: dict[str, int] = {}
    for row in train_rows:
        stretch = read_stretch(row, section)
        stretches.setdefault(stretch.name, []).append(stretch)
        known[stretch.name] = len(stretches[stretch.name])
    for row in test_rows:
        later = read_stretch(row, section)
        stretches.setdefault(later.name, []).append(later)
    series = [
        join(
            members,
            section,
            held_out_from=known.get(name, 0) if len(members) > known.get(name, 0) else None,
        )
        for name, members in sorted(stretches.items())
    ]
    if test_rows:
        series = [one if one.held_out is not None else replace(one, held_out=0) for one in series]
    require_one_frequency(series)
    cuts = cut_points(series, valid=valid, test=test, horizon=horizon, together=section.together)
    dealt: dict[Split, list[Mapping[str, Any]]] = {split: [] for split in SPLITS}
    for one, cut in zip(series, cuts, strict=True):
        for split in SPLITS:
            # Windows that overlap share their errors, and whoever resamples them as if they did not is too sure.
            stride = section.stride if split == "train" else section.evaluation_stride or horizon
            times = positions(len(one), cut, split, horizon=horizon, min_context=section.least, stride=stride)
            rows = (_window_row(one, position, section, horizon) for position in times)
            dealt[split] += [row for row in rows if row is not None]
    return dealt


def _window_row(one: Series, position: int, section: HistoryInput, horizon: int) -> dict[str, Any] | None:
    history = one.until(position, context_length=section.context_length, horizon=horizon)
    future = one.values[position : position + horizon]
    if not np.isfinite(history.values).any(axis=0).all() or not np.isfinite(future).any():
        return None
    return {
        "id": f"{one.id}@{one.stamps(position, 1)[0]}",
        section.column: {"history": row_of(history, section), "future": plain_numbers(future)},
        section.series or "series": one.id,
        **dict(one.static),
    }
