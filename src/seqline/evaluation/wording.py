"""How the report says things: numbers with their units, texts cut short, nested facts laid out."""

from __future__ import annotations

import json
import math
import unicodedata
from typing import Any

from seqline.evaluation.measures import Metric

_MAX_CHARACTERS = 280
_MAX_LIST_SHOWN = 12
_RECORDING = "a recording"

TITLES = {
    "macro_f1": "macro F1",
    "auroc": "AUROC",
    "ece": "calibration error",
    "span_f1": "span F1",
    "smape": "sMAPE",
    "mase": "MASE",
    "mae": "MAE",
    "mse": "MSE",
    "rmse": "RMSE",
    "standard_mae": "standardised MAE",
    "standard_mse": "standardised MSE",
    "hit_at_5": "hit@5",
    "bleu": "BLEU",
    "chrf": "chrF",
}


def title_of(metric: str) -> str:
    """Name a metric as people do."""
    return TITLES.get(metric, metric.replace("_", " "))


def told(value: float, metric: Metric, digits: int = 1) -> str:
    """Show a metric's value: a share as per cent, anything else as a number."""
    return percent(value, digits) if metric.is_share else number(value)


def brief(value: float, metric: Metric) -> str:
    """Show a value in a narrow column: a share with three decimals, log losses and their like too."""
    if not math.isfinite(value):
        return "–"
    return number(value) if metric.bounds[1] == math.inf else f"{value:.3f}"


def gain(difference: float, metric: Metric, digits: int = 1) -> str:
    """Show a difference as what the first is ahead by: in points for shares, signed so that positive is better."""
    ahead = metric.better(difference)
    if metric.is_share:
        return points(ahead, digits)
    return f"{ahead:+,.4g}".replace("-", "−") if math.isfinite(ahead) else "–"


def distance(difference: float, metric: Metric) -> str:
    """Show how far two values lie apart, with the unit."""
    if metric.is_share:
        return f"{abs(difference) * 100:.1f}\u00a0points"
    return f"{number(abs(difference))} {metric.unit}".rstrip()


def number(value: float) -> str:
    """Show a number with four digits; one that is not defined as a dash."""
    return f"{value:,.4g}" if math.isfinite(value) else "–"


def shown_input(value: Any, kind: str = "text") -> str:
    """Show an input to a reader: a text shortened, a list by its first values, a recording by that word."""
    if kind == "audio":
        return _RECORDING
    if isinstance(value, str):
        return readable(value)
    return readable(json.dumps(value, ensure_ascii=False, default=str))


def readable(text: Any, limit: int = _MAX_CHARACTERS) -> str:
    """Shorten a text for showing; control and format characters become `�`, white space one space."""
    words = " ".join(str(text).split())
    short = words if len(words) <= limit else words[: limit - 1].rstrip() + "…"
    return "".join("�" if unicodedata.category(letter) in {"Cc", "Cf", "Cs"} else letter for letter in short)


def percent(value: float, digits: int = 1) -> str:
    """Show a share as per cent; a value that is not defined as a dash."""
    return f"{value * 100:.{digits}f}\u00a0%" if math.isfinite(value) else "–"


def points(value: float, digits: int = 1) -> str:
    """Show a difference of shares in points, with its sign; one that is not defined as a dash."""
    return f"{value * 100:+.{digits}f}".replace("-", "−") if math.isfinite(value) else "–"


def figure(value: Any) -> str:
    """Show a number shortly, anything else as it is."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return readable(value)
    if isinstance(value, float) and not math.isfinite(value):
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"


def flatten(value: Any, name: str = "") -> list[tuple[str, str]]:
    """Lay nested values out as (dotted name, shown value) pairs, in their own order."""
    if isinstance(value, dict) and value:
        return [
            pair
            for key, part in value.items()
            for pair in flatten(part, f"{name}.{key}" if name else str(key))
        ]
    if isinstance(value, list | tuple):
        shown = ", ".join(figure(part) for part in value[:_MAX_LIST_SHOWN])
        more = f", … ({len(value):,} in all)" if len(value) > _MAX_LIST_SHOWN else ""
        return [(name, f"{shown}{more}" if value else "none")]
    return [(name, "–" if value is None else "none" if value == {} else figure(value))]
