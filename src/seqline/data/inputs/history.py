"""Histories: rows of series read as the contexts that forecasts are made from.

What is fitted comes from the contexts of train alone: the size of each series, the covariates' mean and deviation, the
labels of what never changes.

Legend: T steps, D features, C channels, P covariates of the past, F known ahead, S numbers that never change, H horizon, N
histories.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from seqline.data.arrays import Array
from seqline.data.calendar import Frequency, parse_frequency
from seqline.data.history import read_history
from seqline.data.scaling import TOO_LARGE
from seqline.data.series_facts import SeriesFacts, static_facts, united
from seqline.data.windows import (
    Scale,
    Series,
    Window,
    mean_and_deviation,
    read_windows,
    require_one_frequency,
)
from seqline.errors import InputError
from seqline.files import read_json, write_json
from seqline.recipe import HistoryInput

# So many histories are read at once: enough to make the cost of each small, few enough to need no memory to speak of.
_READ_AT_ONCE = 256


@dataclass(frozen=True)
class Features:
    """What a network reads of N histories.

    Attributes:
        inputs: float32 (T, D) each.
        rows: Features of whole histories, (N, ...) by name. Of them `location`, `scale`, `seasonal_error` and `deviation`,
            float64 (N, C), are not read by the network: they bring errors back to the unit of the series.
    """

    inputs: list[Array]
    rows: dict[str, Array]


@dataclass(frozen=True)
class HistoryEncoder:
    """Turns histories into windows of scaled features.

    Attributes:
        section: The recipe's input.
        horizon: H.
        channels: C.
        facts: By series of train.
        past: Mean and deviation of the covariates of the past, (P,) each.
        future: The same of those known ahead, the calendar included, (F,) each.
        static: By column: the labels of a text, or mean and deviation of a number.
        frequency: From step to step of the series of train; None where an older version kept none.
    """

    section: HistoryInput
    horizon: int
    channels: int
    facts: Mapping[str, SeriesFacts]
    past: Scale
    future: Scale
    static: Mapping[str, list[Any]]
    frequency: Frequency | None = None

    @classmethod
    def fit(cls, histories: Iterable[Series], section: HistoryInput, *, horizon: int) -> HistoryEncoder:
        """Fit on the histories of train: every step counts once, however many of them hold it."""
        known: dict[str, dict[int, Series]] = {}
        for history in histories:
            known.setdefault(history.id, {})[history.grid.start] = history
        whole = {name: united(parts) for name, parts in known.items()}
        channels = {found.values.shape[1] for found in whole.values()}
        if len(channels) != 1:
            raise InputError("series", f"{sorted(channels)} channels", "as many in every series")
        require_one_frequency(list(whole.values()))
        return cls(
            section=section,
            horizon=horizon,
            channels=channels.pop(),
            facts={
                name: SeriesFacts.of(found.values, season_length=section.season_length)
                for name, found in whole.items()
            },
            past=mean_and_deviation(np.concatenate([found.past for found in whole.values()])),
            future=mean_and_deviation(np.concatenate([found.future for found in whole.values()])),
            static=static_facts([dict(found.static) for found in whole.values()], section.static),
            frequency=next(iter(whole.values())).grid.frequency,
        )

    @classmethod
    def load(cls, path: Path, section: HistoryInput) -> HistoryEncoder:
        """Read what was fitted."""
        found = read_json(path)

        def scale(name: str) -> Scale:
            return (
                np.asarray(found[name][0], dtype=np.float64),
                np.asarray(found[name][1], dtype=np.float64),
            )

        return cls(
            section=section,
            horizon=found["horizon"],
            channels=found["channels"],
            facts={
                name: SeriesFacts(*(tuple(numbers) for numbers in facts))
                for name, facts in found["series"].items()
            },
            past=scale("past"),
            future=scale("future"),
            static=found["static"],
            frequency=parse_frequency(found["frequency"]) if found.get("frequency") else None,
        )

    def save(self, path: Path) -> None:
        """Write what was fitted as JSON."""
        write_json(
            path,
            {
                "horizon": self.horizon,
                "channels": self.channels,
                "series": {
                    name: [list(one.mean), list(one.deviation), list(one.seasonal_error)]
                    for name, one in self.facts.items()
                },
                "past": [part.tolist() for part in self.past],
                "future": [part.tolist() for part in self.future],
                "static": self.static,
                "frequency": None if self.frequency is None else str(self.frequency),
            },
        )

    @property
    def sizes(self) -> dict[str, Any]:
        """What a network must know of the inputs."""
        section = self.section
        return {
            "channels": self.channels,
            "masked": self.masked,
            "covariates": len(self.past[0]) + len(self.future[0]),
            "future_size": len(self.future[0]),
            "static_size": sum(len(self._static_numbers(c, None)) for c in section.static),
            "num_series": len(self.facts) if section.remember_series else 0,
            "context_length": section.context_length,
            "season_length": section.season_length,
        }

    @property
    def masked(self) -> bool:
        """Whether values may be missing."""
        return self.section.missing != "refuse"

    def history(self, value: Any) -> Series:
        """A row as the history it holds.

        Raises:
            InputError: It is no row of a series, too short, or of another frequency or width than train.
        """
        history = read_history(value, self.section, horizon=self.horizon, trained=self.frequency)
        if history.values.shape[1] != self.channels:
            raise InputError(
                f"series {history.id}",
                f"{history.values.shape[1]} numbers a step",
                f"{self.channels}, as in training",
            )
        return history

    def read(self, value: Any) -> tuple[Series, Window]:
        """A row as the history it holds, and as what a network reads of it.

        Raises:
            InputError: As of `history` and of `windows`.
        """
        history = self.history(value)
        read = self._windows([history])
        return history, Window(read.inputs[0], read.future[0], read.location[0], read.scale[0])

    def features(self, histories: Sequence[Series]) -> Features:
        """What a network reads of N histories; that of each does not depend on the others.

        Raises:
            InputError: A history misses what is refused, or is too large once it is scaled.
        """
        lengths = np.asarray([len(history) for history in histories], dtype=np.int64)
        inputs: list[Array] = [np.zeros(0)] * len(histories)
        rows: dict[str, Array] = {}
        for length in np.unique(lengths):
            members = np.flatnonzero(lengths == length)
            for begin in range(0, len(members), _READ_AT_ONCE):
                places = members[begin : begin + _READ_AT_ONCE]
                some = [histories[place] for place in places]
                read = self._windows(some)
                for place, steps in zip(places, read.inputs, strict=True):
                    inputs[place] = steps
                for name, found in self._rows(some, read).items():
                    rows.setdefault(name, np.zeros((len(histories), *found.shape[1:]), found.dtype))[
                        places
                    ] = found
        return Features(inputs, rows)

    def _windows(self, histories: Sequence[Series]) -> Window:
        """What a network reads of histories of one length."""
        facts = [self.facts_of(history) for history in histories]
        window = read_windows(
            histories,
            horizon=self.horizon,
            masked=self.masked,
            rule=self.section.missing,
            scaling=self.section.scaling,
            train=(
                np.asarray([one.mean for one in facts]),
                np.asarray([one.deviation for one in facts]),
            ),
            past=self.past,
            future=self.future,
        )
        self._require_finite(histories, window)
        return window

    def _rows(self, histories: Sequence[Series], window: Window) -> dict[str, Array]:
        """The features of each history beside those of its steps."""
        facts = [self.facts_of(history) for history in histories]
        return {
            "future": window.future,
            "static": np.stack([self.static_numbers(history) for history in histories]),
            "series": np.asarray([self.series_index(history) for history in histories], dtype=np.int64),
            "location": window.location,
            "scale": window.scale,
            "seasonal_error": np.asarray([one.seasonal_error for one in facts]),
            "deviation": np.asarray([one.deviation for one in facts]),
        }

    def facts_of(self, history: Series) -> SeriesFacts:
        """What train says of a series; of one that train does not know, what its own history says."""
        known = self.facts.get(history.id)
        return known or SeriesFacts.of(history.values, season_length=self.section.season_length)

    def series_index(self, history: Series) -> int:
        """From 1 for the series of train; 0 for any other."""
        return self._places.get(history.id, 0)

    def static_numbers(self, history: Series) -> npt.NDArray[np.float32]:
        """What never changes, float32 (S,): a number standardised, a text as a 1 among zeros."""
        numbers = [n for column, value in history.static for n in self._static_numbers(column, value)]
        with np.errstate(over="ignore"):
            found = np.asarray(numbers, dtype=np.float32)
        if not np.isfinite(found).all():
            raise InputError(
                f"series {history.id}",
                f"a column of {', '.join(self.section.static)} holds {TOO_LARGE} once it is scaled",
                "numbers of the size that train has",
            )
        return found

    def encode_whole(self, values: Iterable[Any]) -> Iterator[Array]:
        """Scaled features of each history, float32 (T, D) with T at most `context_length`."""
        for value in values:
            yield self.read(value)[1].inputs

    def encode(self, values: Iterable[Any]) -> Iterator[Array]:
        """The same: a history is cut as it is read."""
        return self.encode_whole(values)

    def _require_finite(self, histories: Sequence[Series], window: Window) -> None:
        """Refuse what float32 cannot hold once it is scaled, by the name of its column."""
        parts = (window.inputs, window.future, window.location, window.scale)
        if all(np.isfinite(part).all() for part in parts):
            return
        section = self.section
        fine = [np.asarray(np.isfinite(part).reshape(len(part), -1).all(axis=1)) for part in parts]
        place = int(np.argmin(np.all(fine, axis=0)))
        usable = np.asarray(np.isfinite(window.inputs[place]).all(axis=0))
        ahead = np.asarray(np.isfinite(window.future[place]).all(axis=0))
        features = self.channels + (self.channels if self.masked else 0)
        past, future = np.split(usable[features:], [len(section.past)])
        scaled = fine[2][place] and fine[3][place]
        found = [
            *([] if usable[: self.channels].all() and scaled else [section.column]),
            *(column for column, finite in zip(section.past, past, strict=True) if not finite),
            *(column for column, finite in zip(section.future, future & ahead, strict=False) if not finite),
        ]
        raise InputError(
            f"series {histories[place].id}",
            f"column {found[0]!r} holds {TOO_LARGE} once it is scaled",
            "numbers of the size that train has",
        )

    @cached_property
    def _places(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(sorted(self.facts), start=1)}

    def _static_numbers(self, column: str, value: str | float | None) -> list[float]:
        known = self.static[column]
        if known and isinstance(known[0], str):
            return [float(value == label) for label in known]
        if isinstance(value, str):
            raise InputError(f"column {column!r}", repr(value), "a number, as in training")
        return [0.0 if value is None else (value - known[0]) / known[1]]


def probe_histories(encoder: HistoryEncoder) -> list[dict[str, Any]]:
    """Rows to try a model with: of several lengths, of a series that train knows and of one that it does not."""
    section, horizon = encoder.section, encoder.horizon
    name, facts = min(encoder.facts.items())
    rows = []
    for length in dict.fromkeys((section.least, section.context_length, section.context_length + horizon)):
        for series in (name, f"{name}?"):
            values = [
                [
                    mean + deviation * ((7 * step) % 5 - 2)
                    for mean, deviation in zip(facts.mean, facts.deviation, strict=True)
                ]
                for step in range(length)
            ]
            row: dict[str, Any] = {section.series or "id": series, "start": 0, "frequency": "step"}
            if encoder.frequency is not None:
                row["frequency"] = str(encoder.frequency)
            elif section.frequency or section.calendar:
                row["frequency"] = section.frequency or "D"
            if parse_frequency(row["frequency"]).unit != "step":
                row["start"] = "2024-01-01"
            row[section.column] = [step[0] for step in values] if encoder.channels == 1 else values
            row |= {column: [0.0] * length for column in section.past}
            row |= {column: [0.0] * (length + horizon) for column in section.future}
            known = {column: encoder.static[column] for column in section.static}
            row |= {column: facts[0] for column, facts in known.items()}
            rows.append(row)
    return rows
