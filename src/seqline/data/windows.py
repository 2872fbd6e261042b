"""From whole series to windows: a context that is read, and the values after it that are to be foretold.

A window is read from a series that was cut off at its forecast time, so nothing of it can come from later: not its values,
not how missing ones are filled, not its scale. Only covariates that are declared known ahead reach further. Splits are by
time: targets of train end before those of valid begin, and those of valid before those of test.

Legend: B windows that are read at once, G steps of a series, L context steps, T real steps of a context (at most L), H
horizon steps, C channels, P covariates known up to the forecast time, F covariates known ahead, D = C (+ C where values may
be missing) + P + F features of a step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from seqline.data.calendar import Stamp
from seqline.data.grid import Grid
from seqline.data.splits import Split
from seqline.errors import InputError

Floats = npt.NDArray[np.float64]
# Mean and deviation, of each channel or covariate.
Scale = tuple[Floats, Floats]

# A context that hardly moves is scaled by this share of its level: else a first step away from it would count as a
# thousand deviations.
FLAT_SHARE = 1.0e-3


@dataclass(frozen=True, kw_only=True)
class Series:
    """One series on a regular calendar.

    Attributes:
        id: Its name.
        values: float64 (G, C), NaN = missing.
        past: float64 (G, P), covariates known up to the forecast time.
        future: float64 (G or more, F), covariates known ahead.
        grid: Its calendar.
        static: What never changes, by column.
        held_out: Steps at the end that came as a test set of their own; None: the split decides.
    """

    id: str
    values: Floats
    past: Floats
    future: Floats
    grid: Grid
    static: tuple[tuple[str, str | float], ...] = ()
    held_out: int | None = None

    def __len__(self) -> int:
        return len(self.values)

    def until(self, position: int, *, context_length: int, horizon: int) -> Series:
        """What is known at a forecast time: the context before it, and the covariates known ahead.

        Args:
            position: First step that is to be foretold.
            context_length: L; what is further back is cut off too.
            horizon: H.
        """
        return self.part(max(0, position - context_length), position, ahead=horizon)

    def part(self, begin: int, end: int, *, ahead: int = 0) -> Series:
        """Some of its steps, and `ahead` more of what is known ahead."""
        return replace(
            self,
            values=self.values[begin:end],
            past=self.past[begin:end],
            future=self.future[begin : end + ahead],
            grid=replace(
                self.grid, start=self.grid.start + begin, length=end - begin, places=np.arange(end - begin)
            ),
            held_out=None,
        )

    def stamps(self, first: int, count: int) -> list[Stamp]:
        """Timestamps of some steps, beyond the end too."""
        return self.grid.stamps(first, count)


@dataclass(frozen=True)
class Window:
    """What a network reads of a history; arrays begin with an axis B where several of one length were read at once.

    Attributes:
        inputs: float32 (T, D), scaled values first.
        future: float32 (H, F), covariates of the steps to be foretold.
        location: float64 (C,): value = location + scale * scaled value.
        scale: float64 (C,), positive.
    """

    inputs: npt.NDArray[np.float32]
    future: npt.NDArray[np.float32]
    location: Floats
    scale: Floats


@dataclass(frozen=True)
class Cut:
    """Where the targets of valid and of test begin in a series; train stands before both."""

    valid: int
    test: int


def require_one_frequency(series: Sequence[Series]) -> None:
    """Refuse series of different frequencies: their periods are counted apart, and one network knows one kind of step.

    Raises:
        InputError: With the first two that differ.
    """
    for one in series:
        if one.grid.frequency != series[0].grid.frequency:
            raise InputError(
                "series",
                f"{series[0].id} has frequency {series[0].grid.frequency}, {one.id} has {one.grid.frequency}",
                "one frequency in all series",
                "set input.frequency where all are meant to have the same, or train two models",
            )


def cut_points(
    series: Sequence[Series], *, valid: float, test: float, horizon: int, together: bool
) -> list[Cut]:
    """Cut every series in time; a part is a whole number of horizons, at least one.

    Args:
        series: On calendars of one frequency.
        valid: Share of the steps before a test part that came of its own, or of all.
        test: The same; not read for series that have a test part of their own.
        horizon: H.
        together: All series are cut at the same times, so that no series' train part knows the days on which another is
            tested. False counts from each series' own end.

    Returns:
        One cut a series. A series that ends before a common cut has no part after it.
    """
    ends = [one.grid.start + len(one) - (one.held_out or 0) for one in series]
    first, last = min((one.grid.start for one in series), default=0), max(ends, default=0)
    cuts = []
    for one, own_end in zip(series, ends, strict=True):
        start, length = one.grid.start, len(one)
        begin, end = (first, last) if together else (start, own_end)
        if one.held_out is None:
            test_begins = end - _part(test, end - begin, horizon)
        else:
            # A series that came with the test set alone is all test; what came to be tested is never valid.
            test_begins = start if one.held_out == length else min(end, own_end)
        valid_begins = start if test_begins == start else test_begins - _part(valid, end - begin, horizon)
        cuts.append(Cut(min(max(valid_begins - start, 0), length), min(max(test_begins - start, 0), length)))
    return cuts


def _part(share: float, length: int, horizon: int) -> int:
    # Whole horizons: else a share of a short series would be no window, and a network that was trained at one hour of the day
    # could be scored at another.
    return max(1, round(share * length / horizon)) * horizon


def positions(length: int, cut: Cut, split: Split, *, horizon: int, min_context: int, stride: int) -> range:
    """Forecast times of a split's windows: the first steps to be foretold.

    Args:
        length: G.
        cut: Of the series.
        split: All H targets of a window lie in its part.
        horizon: H.
        min_context: Fewest steps before the forecast time.
        stride: Steps from one to the next. Counted back from the end in train, so that the newest steps are never those
            left over.
    """
    first = {"train": 0, "valid": cut.valid, "test": cut.test}[split]
    until = {"train": cut.valid, "valid": cut.test, "test": length}[split]
    first, last = max(first, min_context), until - horizon
    count = max(0, (last - first) // stride + 1)
    if split == "train":
        first = last - (count - 1) * stride
    return range(first, first + count * stride, stride)


def read_windows(
    histories: Sequence[Series],
    *,
    horizon: int,
    masked: bool,
    rule: str,
    scaling: str,
    train: Scale,
    past: Scale,
    future: Scale,
) -> Window:
    """Turn histories of one length into what a network reads; none of it depends on the others.

    Args:
        histories: B of them, T steps each; they end at the forecast time, and `future` reaches H steps further where F > 0.
        horizon: H.
        masked: Values may be missing: C further features say which are real.
        rule: How missing values are filled, see `fill`.
        scaling: window: to mean 0 and deviation 1 of the context; level: over the context's mean absolute value; train: by
            the figures of the series' train part; none.
        train: Those figures, (B, C) each.
        past: Mean and deviation of the covariates in train, (P,) each.
        future: The same, (F,) each.

    Returns:
        Arrays that begin with an axis B.

    Raises:
        InputError: Missing values that are refused, no real value, or covariates that end too early.
    """
    values = np.stack([history.values for history in histories])
    real = np.isfinite(values)
    for history, own in zip(histories, real, strict=True):
        _require_what_is_needed(history, own, horizon=horizon, masked=masked)
    steps, width = values.shape[1], len(future[0])
    location, scale = window_scale(values, scaling, train)
    for place in np.flatnonzero(~real.all(axis=(1, 2))):
        values[place] = fill(values[place], rule=rule)
    features = [(values - location[:, None]) / scale[:, None]]
    if masked:
        features.append(real.astype(np.float64))
    known = [history.future[: steps + horizon] for history in histories]
    ahead = np.stack(known) if width else np.zeros((len(histories), steps + horizon, 0))
    ahead = _standardised(ahead, future)
    features += [_standardised(np.stack([history.past for history in histories]), past), ahead[:, :steps]]
    with np.errstate(
        over="ignore"
    ):  # what float32 cannot hold, the encoder refuses by the name of its column
        inputs = np.concatenate(features, axis=2).astype(np.float32)
        future_inputs = ahead[:, steps:].astype(np.float32)
    return Window(inputs=inputs, future=future_inputs, location=location, scale=scale)


def _require_what_is_needed(
    history: Series, real: npt.NDArray[np.bool_], *, horizon: int, masked: bool
) -> None:
    steps = len(history)
    if len(history.future) < steps + horizon and history.future.shape[1]:
        raise InputError(
            f"series {history.id}",
            f"covariates known ahead for {len(history.future) - steps} steps beyond the last value",
            f"for {horizon}, the horizon",
        )
    if real.all():
        return
    if not masked:
        missing = np.flatnonzero(~real.all(axis=1))
        raise InputError(
            f"series {history.id}",
            f"{len(missing)} missing values, the first at {history.stamps(int(missing[0]), 1)[0]}",
            "a number at every step",
            "set input.missing to forward or linear",
        )
    if not real.any(axis=0).all():
        raise InputError(f"series {history.id}", "no value at all in the context", "at least one")


def fill(context: Floats, *, rule: str) -> Floats:
    """Fill missing values from the context alone.

    Args:
        context: float64 (T, C), NaN = missing, at least one real value a channel.
        rule: forward repeats the last real value; linear joins the real values around a gap and repeats the last one
            after it. Before the first real value both repeat that one.

    Returns:
        float64 (T, C) without NaN.
    """
    steps = np.arange(len(context))
    filled = context.copy()
    for channel in range(context.shape[1]):
        real = np.flatnonzero(np.isfinite(context[:, channel]))
        if len(real) == len(steps):
            continue
        values = context[real, channel]
        if rule == "linear":
            filled[:, channel] = np.interp(steps, real, values)
        else:
            filled[:, channel] = values[np.maximum(np.searchsorted(real, steps, side="right") - 1, 0)]
    return filled


def window_scale(context: Floats, scaling: str, train: Scale) -> Scale:
    """Location and positive scale (..., C) of contexts float64 (..., T, C), see `read_windows`."""
    level = np.nanmean(np.abs(context), axis=-2)
    floor = np.where(level > 0, level * FLAT_SHARE, 1.0)
    if scaling == "window":
        return np.nanmean(context, axis=-2), np.maximum(np.nanstd(context, axis=-2), floor)
    if scaling == "level":
        return np.zeros_like(level), np.where(level > 0, level, 1.0)
    if scaling == "train":
        return train[0], np.maximum(train[1], floor)
    return np.zeros_like(level), np.ones_like(level)


def seasonal_error(values: Floats, season_length: int) -> Floats:
    """Mean absolute difference from one season before, (C,): the error of the seasonal naive forecast within `values`.

    Args:
        values: float64 (T, C), NaN = missing.
        season_length: m, at least 1. With T <= m the difference to the step before is taken instead; NaN with one step.
    """
    if len(values) < 2:
        return np.full(values.shape[1], np.nan)
    lag = season_length if len(values) > season_length else 1
    differences = np.abs(values[lag:] - values[:-lag])
    counts = np.isfinite(differences).sum(axis=0)
    total = np.nansum(differences, axis=0)
    return np.divide(total, counts, out=np.full(values.shape[1], np.nan), where=counts > 0)


def mean_and_deviation(values: Floats) -> Scale:
    """Mean and deviation (D,) of the real values of float64 (T, D); 0 and 1 where there are none, deviation 1 for 0."""
    counts = np.isfinite(values).sum(axis=0)
    mean = np.nansum(values, axis=0) / np.maximum(counts, 1)
    deviation = np.sqrt(np.nansum((values - mean) ** 2, axis=0) / np.maximum(counts, 1))
    return mean, np.where(deviation > 0, deviation, 1.0)


def _standardised(values: Floats, scale: Scale) -> Floats:
    return np.nan_to_num((values - scale[0]) / scale[1], nan=0.0)
