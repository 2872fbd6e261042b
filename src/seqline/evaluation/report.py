"""The report: one self-contained HTML page about one evaluation.

Nothing in it is loaded from elsewhere, there is no script, every word that came from data is escaped, and a
content security policy forbids the rest. The same evaluation gives the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import math
import unicodedata
from importlib import resources
from typing import Any

import numpy as np
from markupsafe import Markup

from seqline.evaluation import figures
from seqline.evaluation.baselines import BASELINES
from seqline.evaluation.calibration import roc_curve
from seqline.evaluation.intervals import Interval
from seqline.evaluation.metrics import METRICS
from seqline.evaluation.summary import Evaluation

_MAX_CHARACTERS = 280
_EXAMPLES = 6
_MAX_CLASSES_DRAWN = 14
_HISTOGRAM_BARS = 20
_MAX_LIST_SHOWN = 12

TITLES = {
    "accuracy": "accuracy",
    "macro_f1": "macro F1",
    "auroc": "AUROC",
    "log_loss": "log loss",
    "ece": "calibration error",
}


def render_report(
    evaluation: Evaluation,
    *,
    title: str,
    history: dict[str, Any],
    statistics: dict[str, Any],
    recipe: dict[str, Any],
) -> str:
    """Render the page.

    Args:
        evaluation: What was measured.
        title: Name of the model.
        history: `{"epochs": [{"epoch", "train_loss", ...}], "best_epoch"}` of the training.
        statistics: Facts about the data; any nesting of numbers, words and lists.
        recipe: The recipe with all defaults filled in.

    Returns:
        The page. Lone surrogates, which UTF-8 cannot hold, are shown as `?`.
    """
    from jinja2 import Environment, StrictUndefined

    templates = resources.files("seqline.evaluation") / "templates"
    style = (templates / "report.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode("utf-8")).digest()).decode("ascii")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(readable=readable, percent=percent, points=points)
    template = environment.from_string((templates / "report.html").read_text(encoding="utf-8"))
    page = template.render(
        title=title,
        style=Markup(style),  # noqa: S704 # nosec B704 - our own file
        policy=f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'",
        verdict=verdict(evaluation),
        evaluation=evaluation,
        comparison=_comparison(evaluation),
        metric_titles=TITLES,
        metrics=METRICS,
        charts=_charts(evaluation, history),
        slices=_slices(evaluation),
        share_bar=figures.share_bar,
        confused=_confused(evaluation),
        examples=_examples(evaluation),
        facts=flatten(statistics),
        settings={section: flatten(value) for section, value in recipe.items()},
    )
    return page.encode("utf-8", "replace").decode("utf-8")


def verdict(evaluation: Evaluation) -> dict[str, str]:
    """Say in a sentence how good the model is, and whether it beats the best baseline.

    Returns:
        `tone` (good, even or bad), `head` and `text`.
    """
    own = evaluation.intervals[evaluation.metric]
    rows = len(evaluation.ids)
    measured = (
        f"The model gets {percent(own.value)} of {rows:,} test rows right"
        if evaluation.metric == "accuracy"
        else f"The model reaches a {TITLES[evaluation.metric]} of {percent(own.value)} on {rows:,} test rows"
    )
    measured += f" (95 % interval {percent(own.low)} to {percent(own.high)})"
    best = evaluation.best_baseline
    if best is None:
        return {"tone": "even", "head": "No baseline to compare with", "text": f"{measured}."}
    result = evaluation.baselines[best]
    paired, name = result.paired[evaluation.metric], BASELINES[best].title
    gap = f"{abs(paired.difference) * 100:.1f}\u00a0points"
    span = f"95 % interval of the difference {points(paired.low)} to {points(paired.high)}"
    theirs = percent(result.intervals[evaluation.metric].value)
    if paired.low > 0:
        head, tone = "The model beats every baseline", "good"
        text = f"{measured}: {gap} more than the best baseline, {name}, at {theirs} ({span})."
    elif paired.high < 0:
        head, tone = "A baseline beats the model", "bad"
        text = f"{measured}, but the baseline {name} reaches {theirs}, {gap} more ({span})."
    else:
        head, tone = "No clear winner", "even"
        text = (
            f"{measured}; the best baseline, {name}, reaches {theirs}. The difference may be chance ({span})."
        )
    return {"tone": tone, "head": head, "text": text}


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


def _comparison(evaluation: Evaluation) -> list[dict[str, Any]]:
    """Rows of the result table: the model first, then the baselines, best first."""
    metric = evaluation.metric
    entries: list[dict[str, Any]] = [
        {
            "title": "This model",
            "what": "",
            "css": "accent",
            "intervals": evaluation.intervals,
            "paired": None,
        }
    ]
    ranked = sorted(
        evaluation.baselines.items(),
        key=lambda item: -METRICS[metric].better(item[1].intervals[metric].value),
    )
    for name, result in ranked:
        entries.append(
            {
                "title": BASELINES[name].title,
                "what": BASELINES[name].what,
                "css": "muted",
                "intervals": result.intervals,
                "paired": result.paired[metric],
            }
        )
    # The majority class would squeeze all others into a corner: where it is far below, the axis starts above.
    good = [e["intervals"][metric] for e in entries]
    lows = sorted(interval.low for interval in good)
    low = lows[0] if len(lows) < 3 or lows[1] - lows[0] < 0.15 else lows[1] - 0.02
    high = max(interval.high for interval in good)
    margin = 0.05 * (high - low) or 0.01
    for entry in entries:
        interval: Interval = entry["intervals"][metric]
        entry["bar"] = figures.interval_bar(interval, low=low - margin, high=high + margin, css=entry["css"])
    return entries


def _charts(evaluation: Evaluation, history: dict[str, Any]) -> dict[str, Markup]:
    epochs = history.get("epochs", [])
    xs = [float(epoch["epoch"]) for epoch in epochs]

    def line(name: str, key: str, css: str) -> figures.Line:
        values = [epoch.get(key) for epoch in epochs]
        return figures.Line(name, css, xs, [math.nan if value is None else float(value) for value in values])

    best = history.get("best_epoch")
    confidences = evaluation.probabilities.max(axis=1)
    correct = evaluation.predictions == evaluation.targets
    low = 0.5 if len(evaluation.classes) == 2 else 0.0
    edges = np.linspace(low, 1.0, _HISTOGRAM_BARS + 1)
    labels = evaluation.classes
    charts = {
        "loss": figures.line_chart(
            [line("train", "train_loss", "muted"), line("valid", "valid_loss", "accent")],
            title="Loss by epoch",
            x_label="epoch",
            marked_x=best,
        ),
        "score": figures.line_chart(
            [line("accuracy", "valid_accuracy", "accent"), line("macro F1", "valid_macro_f1", "second")],
            title="Accuracy and macro F1 on valid by epoch",
            x_label="epoch",
            marked_x=best,
        ),
        "calibration": figures.calibration_chart(
            evaluation.calibration, title="Accuracy by stated confidence"
        ),
        "histogram": figures.histogram_chart(
            np.histogram(confidences[correct], edges)[0].tolist(),
            np.histogram(confidences[~correct], edges)[0].tolist(),
            low=low,
            title="Test rows by confidence, right and wrong",
            x_label="probability of the predicted class",
        ),
        "roc": Markup(""),
        "confusion": Markup(""),
    }
    if len(labels) == 2:
        points = roc_curve(evaluation.probabilities[:, 1], evaluation.targets == 1)
        charts["roc"] = figures.roc_chart(points, title="ROC curve")
    if len(labels) <= _MAX_CLASSES_DRAWN:
        names = [readable(label, 40) for label in labels]
        charts["confusion"] = figures.confusion_chart(
            evaluation.confusion.tolist(), names, title="Confusion matrix"
        )
    return charts


def _slices(evaluation: Evaluation) -> list[dict[str, Any]]:
    known = [part.accuracy for part in evaluation.slices if part.n]
    if not known:
        return []
    overall = evaluation.intervals["accuracy"].value
    low, high = min(part.low for part in known), max(part.high for part in known)
    margin = 0.03 * (high - low) or 0.01
    rows: list[dict[str, Any]] = []
    for part in evaluation.slices:
        below = part.accuracy.high < overall
        bar = figures.interval_bar(
            part.accuracy,
            low=low - margin,
            high=min(1.0, high + margin),
            css="warn" if below else "accent",
            reference=overall,
        )
        first = not rows or rows[-1]["part"].column != part.column
        rows.append({"part": part, "bar": bar, "below": below, "first": first})
    return rows


def _confused(evaluation: Evaluation) -> list[tuple[str, str, int, float]]:
    """List the most frequent confusions: actual, predicted, rows, share of the actual class."""
    counts = evaluation.confusion
    pairs = [
        (
            evaluation.classes[a],
            evaluation.classes[p],
            int(counts[a, p]),
            float(counts[a, p] / counts[a].sum()),
        )
        for a in range(len(counts))
        for p in range(len(counts))
        if a != p and counts[a, p]
    ]
    return sorted(pairs, key=lambda pair: (-pair[2], pair[0], pair[1]))[:8]


def _examples(evaluation: Evaluation) -> dict[str, list[dict[str, Any]]]:
    """Rows worth reading: the surest mistakes, and those between two classes."""
    probs, predictions = evaluation.probabilities, evaluation.predictions
    ranked = np.sort(probs, axis=1)
    confidences, lead = ranked[:, -1], ranked[:, -1] - ranked[:, -2]
    wrong = np.flatnonzero(predictions != evaluation.targets)

    def row(index: int) -> dict[str, Any]:
        return {
            "id": evaluation.ids[index],
            "text": evaluation.texts[index],
            "actual": evaluation.classes[evaluation.targets[index]],
            "predicted": evaluation.classes[predictions[index]],
            "confidence": float(confidences[index]),
            "right": bool(predictions[index] == evaluation.targets[index]),
        }

    sure = wrong[np.argsort(-confidences[wrong], kind="stable")][:_EXAMPLES]
    unsure = np.argsort(lead, kind="stable")[:_EXAMPLES]
    return {"mistakes": [row(index) for index in sure], "unsure": [row(index) for index in unsure]}
