"""Regression, many-to-one: the past of a series gets one number, its next value, with an interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from seqline.tasks.forecasting import Forecast, Forecasting
from seqline.tasks.model import FittedModel


@dataclass(frozen=True)
class NextValue(Forecast):
    """One answer: a forecast of one step."""

    def record(self) -> dict[str, Any]:
        """As JSON values: the number, and by per cent the ends of its intervals."""
        whole = super().record()
        return {
            "series": whole["series"],
            "timestamp": whole["timestamps"][0],
            "value": whole["forecast"][0],
            "intervals": {
                per_cent: {side: ends[side][0] for side in ("low", "high")}
                for per_cent, ends in whole["intervals"].items()
            },
        }


class Regression(Forecasting):
    """The verbs of regression: forecasting with a horizon of one step."""

    def answers(self, model: FittedModel, inputs: Any) -> list[Any]:
        """The next value of each history."""
        return [
            NextValue(answer.series, answer.stamps, answer.values, answer.quantiles)
            for answer in super().answers(model, inputs)
        ]
