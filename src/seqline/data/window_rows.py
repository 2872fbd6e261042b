"""Rows of series dealt into windows: what train, valid and test of a forecast are.

A window is a series and a forecast time. What it holds is read from the series when it is asked for: as a history that ends
at that time, or as the row that a user would send to ask for that forecast. Both are cut off in one place, `Series.until`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, SupportsIndex

import numpy as np
import numpy.typing as npt

from seqline.data.history import (
    Stretch,
    join,
    name_of,
    plain_numbers,
    read_stretch,
    row_of,
    with_calendar,
)
from seqline.data.on_demand import OnDemand
from seqline.data.series_frequency import frequencies_of
from seqline.data.splits import SPLITS, Split
from seqline.data.targets.future import FUTURE, HISTORY
from seqline.data.windows import Floats, Series, cut_points, positions, require_one_frequency
from seqline.recipe import HistoryInput


@dataclass(frozen=True, eq=False)
class Windows(Sequence[Mapping[str, Any]]):
    """The windows of a split, in the order of the series and of time; as a sequence, their rows.

    A row has an id SERIES@TIME, under `section.column` what is read (`history`, a row as `read_history` takes it) and what
    comes after it (`future`, H values), the name of the series, and what never changes.

    Attributes:
        series: Each held once, whichever windows lie in it.
        places: int64 (N, 2): number of the series, and the first step that is to be foretold.
        section: The recipe's input.
        horizon: H.
    """

    series: Sequence[Series]
    places: npt.NDArray[np.int64]
    section: HistoryInput
    horizon: int

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, place: SupportsIndex | slice) -> Any:
        """One row, or a list of those of a slice."""
        return OnDemand(len(self), self._row)[place]

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Steps of each context, int64 (N,)."""
        return np.minimum(self.places[:, 1], self.section.context_length)

    @property
    def ids(self) -> Sequence[str]:
        """SERIES@TIME of each."""
        return OnDemand(len(self), self._id)

    @property
    def inputs(self) -> Sequence[dict[str, Any]]:
        """The row of each that a user would send."""
        return OnDemand(len(self), lambda place: row_of(self.history(place), self.section))

    @property
    def futures(self) -> Sequence[list[Any]]:
        """The H values to be foretold of each, null where missing; lists of C where there are several channels."""
        return OnDemand(len(self), lambda place: plain_numbers(self.truth(place)))

    @property
    def columns(self) -> dict[str, Sequence[Any]]:
        """The other columns of the rows: the name of the series, and what never changes."""
        found: dict[str, Sequence[Any]] = {
            self.section.series or "series": OnDemand(len(self), lambda place: self._series(place).id)
        }
        return found | {column: self._static(column) for column in self.section.static}

    def history(self, place: int) -> Series:
        """What is known at the forecast time of a window."""
        return self._series(place).until(
            int(self.places[place, 1]), context_length=self.section.context_length, horizon=self.horizon
        )

    def take(self, indices: Sequence[int]) -> Windows:
        """Some of the windows, in the order asked for."""
        return replace(self, places=self.places[np.asarray(indices, dtype=np.int64)])

    def known(self, place: int, steps: int) -> Floats:
        """The values before the forecast time of a window, float64 (T, C), T at most `steps`; NaN = missing."""
        position = int(self.places[place, 1])
        return self._series(place).values[max(0, position - steps) : position]

    def truth(self, place: int) -> Floats:
        """What is to be foretold of a window, float64 (H, C), NaN = missing."""
        position = int(self.places[place, 1])
        return self._series(place).values[position : position + self.horizon]

    def stretches(self) -> Iterator[Series]:
        """All steps that any context holds, each once: histories of as few parts of each series as there are."""
        numbers, first = np.unique(self.places[:, 0], return_index=True)
        for number, times in zip(numbers, np.split(self.places[:, 1], first[1:]), strict=True):
            begins = np.maximum(times - self.section.context_length, 0)
            # A context that begins after the last one ended leaves steps out that no context holds.
            breaks = np.flatnonzero(begins[1:] > times[:-1]) + 1
            for members in np.split(np.arange(len(times)), breaks):
                begin, end = int(begins[members[0]]), int(times[members[-1]])
                yield self.series[number].until(end, context_length=end - begin, horizon=self.horizon)

    def _series(self, place: int) -> Series:
        return self.series[self.places[place, 0]]

    def _static(self, column: str) -> Sequence[str | float]:
        return OnDemand(len(self), lambda place: dict(self._series(place).static)[column])

    def _id(self, place: int) -> str:
        one = self._series(place)
        return f"{one.id}@{one.stamps(int(self.places[place, 1]), 1)[0]}"

    def _row(self, place: int) -> Mapping[str, Any]:
        return {
            "id": self._id(place),
            self.section.column: {HISTORY: self.inputs[place], FUTURE: self.futures[place]},
            **{name: values[place] for name, values in self.columns.items()},
        }


def series_of(
    train_rows: Sequence[Mapping[str, Any]], test_rows: Sequence[Mapping[str, Any]], section: HistoryInput
) -> list[Series]:
    """Join rows to series, by name; those of a test set of its own are held out at the end.

    Raises:
        InputError: A row that is no series, gaps or duplicates that are refused, series of different frequencies.
    """
    told = frequencies_of([*train_rows, *test_rows], section)
    stretches: dict[str, list[Stretch]] = {}
    known: dict[str, int] = {}
    for row in train_rows:
        stretch = read_stretch(row, section, told=told.get(name_of(row, section)))
        stretches.setdefault(stretch.name, []).append(stretch)
        known[stretch.name] = len(stretches[stretch.name])
    for row in test_rows:
        later = read_stretch(row, section, told=told.get(name_of(row, section)))
        stretches.setdefault(later.name, []).append(later)
    series = [
        join(
            members,
            section,
            held_out_from=known.get(name, 0) if len(members) > known.get(name, 0) else None,
        )
        for name, members in sorted(stretches.items())
    ]
    require_one_frequency(series)
    if not test_rows:
        return series
    return [one if one.held_out is not None else replace(one, held_out=0) for one in series]


def deal_windows(
    train_rows: Sequence[Mapping[str, Any]],
    test_rows: Sequence[Mapping[str, Any]],
    section: HistoryInput,
    *,
    horizon: int,
    valid: float,
    test: float,
) -> dict[Split, Windows]:
    """Cut series into the windows of train, valid and test, by time.

    Args:
        train_rows: Rows of series, see `read_stretch`.
        test_rows: The same; those that name a series of train continue it, others are series that train never saw.
        section: The recipe's input.
        horizon: H.
        valid: Share of the steps before the test part that valid gets.
        test: Share of the steps that test gets where there are no test rows.

    Returns:
        By split; windows without a real value to read or to foretell are left out.

    Raises:
        InputError: A row that is no series, gaps, duplicates or missing values that are refused, series of different
            frequencies.
    """
    series = series_of(train_rows, test_rows, section)
    cuts = cut_points(series, valid=valid, test=test, horizon=horizon, together=section.together)
    whole = [with_calendar(one, section, len(one)) for one in series]
    dealt = {}
    for split in SPLITS:
        # Windows that overlap share their errors, and whoever resamples them as if they did not is too sure.
        stride = section.stride if split == "train" else section.evaluation_stride or horizon
        found = []
        for number, (one, cut) in enumerate(zip(whole, cuts, strict=True)):
            times = positions(len(one), cut, split, horizon=horizon, min_context=section.least, stride=stride)
            usable = _usable(one.values, np.asarray(times, dtype=np.int64), section, horizon)
            found.append(np.stack([np.full(len(usable), number), usable], axis=1))
        places = np.concatenate(found) if found else np.zeros((0, 2), dtype=np.int64)
        dealt[split] = Windows(whole, places, section, horizon)
    return dealt


def _usable(
    values: Floats, times: npt.NDArray[np.int64], section: HistoryInput, horizon: int
) -> npt.NDArray[np.int64]:
    """The forecast times that have a real value of every channel to read, and one to foretell."""
    real = np.concatenate([np.zeros((1, values.shape[1]), np.int64), np.isfinite(values).cumsum(axis=0)])
    begins = np.maximum(times - section.context_length, 0)
    read = (real[times] > real[begins]).all(axis=1)
    foretold = (real[times + horizon] > real[times]).any(axis=1)
    return times[read & foretold]
