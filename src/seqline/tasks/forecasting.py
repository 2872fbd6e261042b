"""Forecasting, many-to-many: the past of a series gets its next H values, with intervals.

Rows are whole series; `deal` cuts them into windows: places in series that are held once. Training reads them there when it
makes a batch, evaluation as the row that a user would send to ask for that forecast; both are scaled by the code that serves.

Legend: B batch, N windows, L context steps, H horizon steps, C channels, Q quantiles, K row statistics.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch

from seqline.batch import SequenceBatch
from seqline.data.arrays import Array, Examples, SequenceArrays, from_sequences
from seqline.data.calendar import Stamp
from seqline.data.dealing import Dealt, Row, require_rows
from seqline.data.inputs import InputEncoder
from seqline.data.inputs.history import Features, HistoryEncoder, probe_histories
from seqline.data.inputs.window_examples import WindowExamples
from seqline.data.rows import SplitRows
from seqline.data.targets import TargetEncoder, fit_target
from seqline.data.targets.future import HISTORY, levels_of, measured_interval, numbers_of
from seqline.data.window_rows import Windows, deal_windows
from seqline.data.window_store import read_windows, write_windows
from seqline.errors import InputError
from seqline.evaluation.conformal import Calibration, calibrate
from seqline.evaluation.forecasting import COLUMNS, METRIC_NAMES, middle_of, row_statistics, scores
from seqline.evaluation.sections import Section
from seqline.nn.forecaster import Forecaster, pinball
from seqline.recipe import FutureTarget, HistoryInput, InputSection, ModelSection, Recipe, TrainingSection
from seqline.tasks.base import Encoded, Floats, Kept, Loss, Task
from seqline.tasks.forecast_report import forecast_sections
from seqline.tasks.model import FittedModel

# Of a forecast in an answer: as many digits as a float32 is sure of.
_DIGITS = 6
_SHOWN_STEPS = 3
# Row extras that the network does not read: they bring errors back to the unit of the series.
_UNITS = ("location", "scale", "seasonal_error", "deviation")
# Metrics whose meaning is that of all intervals a model gives, or of the one that is measured.
_OF_ALL_INTERVALS, _OF_ONE_INTERVAL = ("pinball",), ("coverage", "coverage_gap", "width")
# Of them, those that errors are counted in: from the train rows at hand, not from what a model once was trained on.
_ERROR_UNITS = ("seasonal_error", "deviation")


@dataclass(frozen=True)
class Forecast:
    """One answer.

    Attributes:
        series: Its name.
        stamps: H timestamps.
        values: float64 (H, C, Q), in the unit of the series.
        quantiles: Q levels, rising.
    """

    series: str
    stamps: list[Stamp]
    values: Floats
    quantiles: tuple[float, ...]

    @property
    def points(self) -> Floats:
        """The point forecast, float64 (H, C)."""
        return self.values[..., middle_of(self.quantiles)]

    def until(self, horizon: int) -> Forecast:
        """The first steps only.

        Raises:
            InputError: More than the model foretells.
        """
        if not 1 <= horizon <= len(self.stamps):
            raise InputError(
                "horizon",
                f"{horizon} steps",
                f"1 to {len(self.stamps)}, as the model was trained",
                "train with a larger target.horizon",
            )
        return replace(self, stamps=self.stamps[:horizon], values=self.values[:horizon])

    def record(self) -> dict[str, Any]:
        """As JSON values: the forecast, and by per cent the lower and the upper end of each interval."""
        intervals = {}
        for place, level in enumerate(self.quantiles[: len(self.quantiles) // 2]):
            ends = (self.values[..., place], self.values[..., -1 - place])
            intervals[f"{round(100 * (1 - 2 * level))}"] = {
                "low": _numbers(ends[0]),
                "high": _numbers(ends[1]),
            }
        return {
            "series": self.series,
            "timestamps": list(self.stamps),
            "forecast": _numbers(self.points),
            "intervals": intervals,
        }

    def line(self) -> str:
        """The series, and its first steps with their widest interval."""
        steps = [
            f"{stamp} {point:.6g} [{low:.6g}, {high:.6g}]"
            for stamp, point, low, high in zip(
                self.stamps[:_SHOWN_STEPS],
                self.points[:, 0],
                self.values[:, 0, 0],
                self.values[:, 0, -1],
                strict=False,
            )
        ]
        return "  ".join([self.series, *steps, *(["..."] if len(self.stamps) > _SHOWN_STEPS else [])])


class Forecasting(Task):
    """The verbs of forecasting; it keeps no state."""

    columns = COLUMNS
    metrics = METRIC_NAMES

    def deal(self, recipe: Recipe, train_rows: Sequence[Row], test_rows: Sequence[Row]) -> tuple[Dealt, int]:
        """Windows of each split: targets of train come before those of valid, those before test."""
        dealt = deal_windows(
            train_rows,
            test_rows,
            cast(HistoryInput, recipe.input),
            horizon=cast(FutureTarget, recipe.target).horizon,
            valid=recipe.split.valid,
            test=recipe.split.test,
        )
        return require_rows(dealt), 0

    def input_of(self, row: Row, section: InputSection) -> Any:
        """The history: of a row that holds what came after it as well its own, of any other the row itself."""
        value = row[section.column]
        return value[HISTORY] if isinstance(value, Mapping) else dict(row)

    def inputs_of(self, rows: Sequence[Row], section: InputSection) -> Sequence[Any]:
        """The windows themselves: what is fitted on them is fitted on their series."""
        return rows

    def fit_encoder(self, recipe: Recipe, inputs: Sequence[Any]) -> InputEncoder:
        """Sizes and labels of the contexts of train."""
        target = cast(FutureTarget, recipe.target)
        stretches = cast(Windows, inputs).stretches()
        return HistoryEncoder.fit(stretches, cast(HistoryInput, recipe.input), horizon=target.horizon)

    def fit_targets(self, recipe: Recipe, rows: Sequence[Row]) -> TargetEncoder:
        """Nothing of the rows: future values are scaled as their contexts are."""
        return fit_target((), recipe.target)

    def encode(self, encoder: InputEncoder, section: InputSection, inputs: Sequence[Any]) -> Encoded:
        """Windows of scaled features, with what brings their forecasts back to the unit of the series."""
        reader = cast(HistoryEncoder, encoder)
        return _encoded(reader.features([reader.history(value) for value in inputs]))

    def units(self, encoded: Encoded) -> list[Any] | None:
        """Seasonal error and deviation of the series of each window, C numbers each."""
        columns = [encoded.row_extras[name].tolist() for name in _ERROR_UNITS]
        return [dict(zip(_ERROR_UNITS, row, strict=True)) for row in zip(*columns, strict=True)]

    def keep(
        self,
        folder: Path,
        split: str,
        recipe: Recipe,
        encoder: InputEncoder,
        targets: TargetEncoder,
        rows: Sequence[Row],
    ) -> Kept:
        """Write where the windows lie, and their series once; see `Task.keep`."""
        windows = cast(Windows, rows)
        examples = WindowExamples(windows, cast(HistoryEncoder, encoder))
        write_windows(folder, split, windows, examples.checked(_ERROR_UNITS))
        lengths = windows.lengths.tolist()
        return Kept(examples, lengths, lengths)

    def examples(self, folder: Path, split: str, encoder: InputEncoder) -> Examples:
        """Windows, read from their series when a batch is made."""
        return WindowExamples(read_windows(folder, split), cast(HistoryEncoder, encoder))

    def build(self, model: ModelSection, sizes: Mapping[str, Any]) -> torch.nn.Module:
        """A recurrent forecaster; sizes are those of `HistoryEncoder` and `FutureEncoder`."""
        settings: dict[str, Any] = model.model_dump()
        for name in ("embedding_dim", "embedding_std", "embedding_dropout", "word_dropout", "bidirectional"):
            del settings[name]
        return Forecaster(**settings, **sizes)

    def loss(self, training: TrainingSection, train: SequenceArrays, sizes: Mapping[str, Any]) -> Loss:
        """Pinball loss in scales of the window, mean over the future values that are there."""
        levels = torch.tensor(sizes["quantiles"])

        def mean_pinball(outputs: torch.Tensor, batch: SequenceBatch) -> torch.Tensor:
            if batch.targets is None:
                raise ValueError("a loss needs targets")
            return pinball(outputs, batch.targets, levels.to(outputs.device))

        return mean_pinball

    def tally(self, outputs: torch.Tensor, batch: SequenceBatch, sizes: Mapping[str, Any]) -> torch.Tensor:
        """Row statistics in the unit of the series, and the sum of the loss: float64 (B, K + 1)."""
        if batch.targets is None:
            raise ValueError("a tally needs targets")
        levels = sizes["quantiles"]
        units = {name: batch.extras[name].double().cpu().numpy() for name in _UNITS}
        targets = batch.targets.double().cpu()
        forecasts = outputs.double().cpu()
        losses = [
            pinball(forecasts[i : i + 1], targets[i : i + 1], torch.tensor(levels, dtype=torch.float64))
            * torch.isfinite(targets[i]).sum()
            for i in range(len(targets))
        ]
        rows = row_statistics(
            _unscaled(forecasts.numpy(), units),
            _unscaled(targets.unsqueeze(-1).numpy(), units)[..., 0],
            quantiles=levels,
            seasonal_error=units["seasonal_error"],
            deviation=units["deviation"],
        )
        return torch.cat([torch.from_numpy(rows), torch.stack(losses).unsqueeze(1)], dim=1)

    def score(self, tallies: torch.Tensor) -> dict[str, float]:
        """Loss, MASE and sMAPE of a whole split, from float64 (N, K + 1)."""
        rows = tallies.numpy()
        found = scores(rows[:, :-1])
        count = max(1.0, float(rows[:, COLUMNS.index("count")].sum()))
        return {"loss": float(rows[:, -1].sum()) / count, "mase": found["mase"], "smape": found["smape"]}

    def calibrate(self, model: FittedModel, rows: SplitRows) -> dict[str, Any]:
        """How far the intervals are moved to cover their share of valid."""
        section = cast(FutureTarget, model.target)
        if section.calibration == "none":
            return {}
        encoded = self.encode(model.encoder, model.input, rows.inputs)
        location, scale = (encoded.row_extras[name][:, None] for name in ("location", "scale"))
        found = calibrate(
            model.each(encoded, lambda batch: model.network(batch).float()).double().numpy(),
            (numbers_of(rows.truths) - location) / scale,
            quantiles=levels_of(section.intervals),
            per_step=section.calibration == "per_step",
        )
        return found.described()

    def probes(self, model: FittedModel) -> list[Any]:
        """Histories of many lengths: the shortest, the usual and one that is cut."""
        return probe_histories(cast(HistoryEncoder, model.encoder))

    def forecasts(self, model: FittedModel, encoded: Encoded) -> Floats:
        """Quantiles in the unit of the series, intervals calibrated: float64 (N, H, C, Q)."""
        scaled = model.each(encoded, lambda batch: model.network(batch).float()).double().numpy()
        if model.calibration:
            scaled = Calibration.from_description(dict(model.calibration)).apply(scaled)
        return _unscaled(scaled, encoded.row_extras)

    def measure(self, model: FittedModel, rows: SplitRows, answers: Sequence[Any] | None = None) -> Floats:
        """Row statistics of each window, float64 (N, K), in the units of the rows where they have some, else the model's.

        Raises:
            InputError: The model foretells another number of steps or channels than the rows hold.
        """
        section = cast(FutureTarget, model.target)
        encoded = self.encode(model.encoder, model.input, rows.inputs)
        forecasts, truths = self.forecasts(model, encoded), numbers_of(rows.truths)
        if forecasts.shape[1:3] != truths.shape[1:]:
            raise InputError(
                "forecast",
                "{} steps of {} numbers".format(*forecasts.shape[1:3]),
                "{} steps of {}, as the rows have".format(*truths.shape[1:]),
            )
        levels = levels_of(section.intervals)
        units = self.units(encoded) if rows.units is None else rows.units
        seasonal_error, deviation = (
            np.asarray([unit[name] for unit in units or []], dtype=np.float64) for name in _ERROR_UNITS
        )
        return row_statistics(
            forecasts,
            truths,
            quantiles=levels,
            seasonal_error=seasonal_error,
            deviation=deviation,
            interval=measured_interval(section.intervals),
        )

    def unit(self, metric: str, model: FittedModel) -> str:
        """Of figures of intervals: which intervals they are of, so that a wider promise is not compared with a narrower one."""
        intervals = cast(FutureTarget, model.target).intervals
        if metric in _OF_ALL_INTERVALS:
            shown = ", ".join(f"{level:g}" for level in levels_of(intervals))
            return f"the pinball loss of the quantiles {shown}"
        return f"the interval of {intervals[0]} %" if metric in _OF_ONE_INTERVAL else ""

    def answers(self, model: FittedModel, inputs: Sequence[Any]) -> list[Any]:
        """The forecast of each history."""
        if not len(inputs):
            return []
        reader = cast(HistoryEncoder, model.encoder)
        levels = levels_of(cast(FutureTarget, model.target).intervals)
        histories = [reader.history(value) for value in inputs]
        found = self.forecasts(model, _encoded(reader.features(histories)))
        return [
            Forecast(history.id, history.stamps(len(history), reader.horizon), values, levels)
            for history, values in zip(histories, found, strict=True)
        ]

    def sections(
        self, recipe: Recipe, rows: SplitRows, answers: Sequence[Any], values: Floats
    ) -> list[Section]:
        """Errors by step, by forecast time, and charts of forecasts against the truth."""
        return forecast_sections(recipe, rows, answers, values)

    def toy(self, *, examples: int, seed: int) -> tuple[SequenceArrays, dict[str, Any]]:
        """An AR(2) process, x_t = 1.2 x_{t-1} - 0.6 x_{t-2} + e_t, its next three values to be foretold from six.

        No forecast has a smaller mean squared error than 1, 2.44 and 3.15 at the three steps.
        """
        context, horizon, warm_up = 6, 3, 50
        noise = np.random.default_rng(seed).normal(size=(examples, warm_up + context + horizon))
        values = np.zeros_like(noise)
        for t in range(2, values.shape[1]):
            values[:, t] = 1.2 * values[:, t - 1] - 0.6 * values[:, t - 2] + noise[:, t]
        kept = values[:, warm_up:, None].astype(np.float32)
        ones = np.ones((examples, 1))
        extras: dict[str, Array] = {
            "future": np.zeros((examples, horizon, 0), dtype=np.float32),
            "static": np.zeros((examples, 0), dtype=np.float32),
            "series": np.zeros(examples, dtype=np.int64),
            "location": 0 * ones,
            "scale": ones,
            "seasonal_error": ones,
            "deviation": ones,
        }
        arrays = from_sequences(list(kept[:, :context]), kept[:, context:], row_extras=extras)
        nothing = dict.fromkeys(("covariates", "future_size", "static_size", "num_series"), 0)
        return arrays, nothing | {
            "masked": False,
            "channels": 1,
            "context_length": context,
            "season_length": 1,
            "horizon": horizon,
            "quantiles": list(levels_of([80])),
        }


def _encoded(features: Features) -> Encoded:
    return Encoded(features.inputs, [len(steps) for steps in features.inputs], row_extras=features.rows)


def _unscaled(scaled: Floats, units: Mapping[str, Any]) -> Floats:
    """Bring (N, H, C, anything) back to the unit of the series."""
    location, scale = (np.asarray(units[name])[:, None, :, None] for name in ("location", "scale"))
    found: Floats = location + scale * scaled
    return found


def _numbers(values: Floats) -> list[Any]:
    """Float64 (H, C) as JSON numbers; a list a step where there are several channels."""
    rows = [[float(f"{value:.{_DIGITS}g}") for value in step] for step in values]
    return [step[0] for step in rows] if values.shape[1] == 1 else rows
