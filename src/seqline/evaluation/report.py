"""The report: one self-contained HTML page about one evaluation.

Nothing in it is loaded from elsewhere, there is no script, every word that came from data is escaped, and a
content security policy forbids the rest. The same evaluation gives the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import math
from functools import partial
from importlib import resources
from typing import Any

import numpy as np
from markupsafe import Markup

from seqline.evaluation import figures
from seqline.evaluation.baselines import BASELINES
from seqline.evaluation.intervals import Interval
from seqline.evaluation.measures import Metric
from seqline.evaluation.report_of_classes import class_charts, examples, most_confused
from seqline.evaluation.summary import Evaluation
from seqline.evaluation.wording import (
    brief,
    distance,
    figure,
    flatten,
    gain,
    percent,
    points,
    readable,
    shown_input,
    title_of,
    told,
)

_WORST_ROWS = 8
_FEWEST_FOR_AN_OUTLIER = 3
_FAR = 0.15


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
    kind = str(recipe.get("input", {}).get("kind", "text"))
    filters = {"readable": readable, "percent": percent, "points": points, "title_of": title_of}
    environment.filters.update(filters, cell=figure, brief=brief, input=partial(shown_input, kind=kind))
    template = environment.from_string((templates / "report.html").read_text(encoding="utf-8"))
    classes = evaluation.classes
    page = template.render(
        title=title,
        style=Markup(style),  # noqa: S704 # nosec B704 - our own file
        policy=f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'",
        verdict=verdict(evaluation),
        evaluation=evaluation,
        classes=classes,
        metric=evaluation.measures.metrics[evaluation.metric],
        metrics=evaluation.measures.metrics,
        heading=_capital(title_of(evaluation.metric)),
        comparison=_comparison(evaluation),
        learned=_learned(evaluation, history),
        charts={} if classes is None else class_charts(evaluation, classes),
        slices=_slices(evaluation),
        share_bar=figures.share_bar,
        draw=figures.draw,
        confused=[] if classes is None else most_confused(classes),
        examples={} if classes is None else examples(evaluation, classes),
        worst=[] if classes is not None else _worst(evaluation),
        facts=flatten(statistics),
        settings={section: flatten(value) for section, value in recipe.items()},
    )
    return page.encode("utf-8", "replace").decode("utf-8")


def verdict(evaluation: Evaluation) -> dict[str, str]:
    """Say in a sentence how good the model is, and whether it beats the best baseline.

    Returns:
        `tone` (good, even or bad), `head` and `text`.
    """
    metric = evaluation.measures.metrics[evaluation.metric]
    own = evaluation.intervals[evaluation.metric]
    rows = len(evaluation.ids)
    measured = (
        f"The model gets {percent(own.value)} of {rows:,} test rows right"
        if metric.right is not None
        else f"The model reaches a {title_of(evaluation.metric)} of {told(own.value, metric)} on {rows:,} test rows"
    )
    measured += f" (95 % interval {told(own.low, metric)} to {told(own.high, metric)})"
    best = evaluation.best_baseline
    if best is None:
        return {"tone": "even", "head": "No baseline to compare with", "text": f"{measured}."}
    result = evaluation.baselines[best]
    paired, name = result.paired[evaluation.metric], BASELINES[best].title
    gap = distance(paired.difference, metric)
    ends = (paired.low, paired.high) if metric.direction == "higher" else (paired.high, paired.low)
    low, high = (metric.better(end) for end in ends)
    span = f"95 % interval of the difference {_signed(paired.low, metric)} to {_signed(paired.high, metric)}"
    theirs = told(result.intervals[evaluation.metric].value, metric)
    by = "more" if metric.direction == "higher" else "less"
    if low > 0:
        head, tone = "The model beats every baseline", "good"
        text = f"{measured}: {gap} {by} than the best baseline, {name}, at {theirs} ({span})."
    elif high < 0:
        head, tone = "A baseline beats the model", "bad"
        text = f"{measured}, but the baseline {name} reaches {theirs}, {gap} {by} ({span})."
    else:
        head, tone = "No clear winner", "even"
        text = (
            f"{measured}; the best baseline, {name}, reaches {theirs}. The difference may be chance ({span})."
        )
    return {"tone": tone, "head": head, "text": text}


def _signed(difference: float, metric: Metric) -> str:
    """A difference in the metric's own sign."""
    return gain(metric.better(difference), metric)


def _comparison(evaluation: Evaluation) -> list[dict[str, Any]]:
    """Rows of the result table: the model first, then the baselines, best first."""
    name = evaluation.metric
    metric = evaluation.measures.metrics[name]
    entries: list[dict[str, Any]] = [
        {"title": "This model", "what": "", "css": "accent", "intervals": evaluation.intervals, "ahead": ""}
    ]
    ranked = sorted(
        evaluation.baselines.items(), key=lambda item: -metric.better(item[1].intervals[name].value)
    )
    for key, result in ranked:
        paired = result.paired[name]
        ends = sorted((metric.better(paired.low), metric.better(paired.high)))
        entries.append(
            {
                "title": BASELINES[key].title,
                "what": BASELINES[key].what,
                "css": "muted",
                "intervals": result.intervals,
                "ahead": gain(paired.difference, metric, 2),
                "span": " to ".join(gain(metric.better(end), metric) for end in ends),
            }
        )
    low, high = _axis([entry["intervals"][name] for entry in entries], metric)
    margin = 0.05 * (high - low) or 0.01
    for entry in entries:
        interval: Interval = entry["intervals"][name]
        entry["value"] = told(interval.value, metric, 2)
        entry["bar"] = figures.interval_bar(interval, low=low - margin, high=high + margin, css=entry["css"])
    return entries


def _capital(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}"


def _axis(intervals: list[Interval], metric: Metric) -> tuple[float, float]:
    """Ends of the axis of the bars, without the one model that is far worse than all others.

    The majority class would squeeze all others into a corner.
    """
    known = [interval for interval in intervals if math.isfinite(interval.value)]
    if not known:
        return 0.0, 1.0
    lows, highs = sorted(i.low for i in known), sorted(i.high for i in known)
    few = len(lows) < _FEWEST_FOR_AN_OUTLIER
    if metric.is_share and metric.direction == "higher":
        return lows[0] if few or lows[1] - lows[0] < _FAR else lows[1] - 0.02, highs[-1]
    if metric.direction == "lower" and not few and highs[-1] - highs[-2] > highs[-2] - lows[0]:
        return lows[0], highs[-2]
    return lows[0], highs[-1]


def _learned(evaluation: Evaluation, history: dict[str, Any]) -> dict[str, Any]:
    """Charts of the training: the loss, and the figures on valid that the task is measured by too."""
    epochs = history.get("epochs", [])
    xs = [float(epoch["epoch"]) for epoch in epochs]
    best = history.get("best_epoch")

    def line(name: str, key: str, css: str) -> figures.Line:
        values = [epoch.get(key) for epoch in epochs]
        return figures.Line(name, css, xs, [math.nan if value is None else float(value) for value in values])

    known = dict.fromkeys(key for epoch in epochs for key in epoch)
    measures = evaluation.measures
    shown = [n for n in measures.compared if measures.metrics[n].is_share and f"valid_{n}" in known]
    others = [key.removeprefix("valid_") for key in known if key.startswith("valid_") and key != "valid_loss"]
    names = shown or others[:1]
    titles = [title_of(name) for name in names]
    together = " and ".join(titles)
    colours = ("accent", "second")
    return {
        "loss": figures.line_chart(
            [line("train", "train_loss", "muted"), line("valid", "valid_loss", "accent")],
            title="Loss by epoch",
            x_label="epoch",
            marked_x=best,
        ),
        "score": figures.line_chart(
            [
                line(word, f"valid_{name}", css)
                for word, name, css in zip(titles, names, colours, strict=False)
            ],
            title=f"{_capital(together)} on valid by epoch",
            x_label="epoch",
            marked_x=best,
        ),
        "key": list(zip(titles, colours, strict=False)),
    }


def _slices(evaluation: Evaluation) -> list[dict[str, Any]]:
    known = [part.interval for part in evaluation.slices if part.n and math.isfinite(part.interval.value)]
    if not known:
        return []
    metric = evaluation.measures.metrics[evaluation.metric]
    overall = evaluation.intervals[evaluation.metric].value
    low, high = min(part.low for part in known), max(part.high for part in known)
    margin = 0.03 * (high - low) or 0.01
    top = min(metric.bounds[1], high + margin)
    rows: list[dict[str, Any]] = []
    for part in evaluation.slices:
        best_end = part.interval.high if metric.direction == "higher" else part.interval.low
        below = metric.better(best_end - overall) < 0
        bar = figures.interval_bar(
            part.interval, low=low - margin, high=top, css="warn" if below else "accent", reference=overall
        )
        first = not rows or rows[-1]["part"].column != part.column
        value = told(part.interval.value, metric)
        rows.append({"part": part, "bar": bar, "below": below, "first": first, "value": value})
    return rows


def _worst(evaluation: Evaluation) -> list[dict[str, Any]]:
    """The rows on which the main metric, of that row alone, is worst."""
    metric = evaluation.measures.metrics[evaluation.metric]
    if metric.of_sums is None or evaluation.answers is None:
        return []
    scores = metric.of_sums(metric.picked(evaluation.values))
    known = np.flatnonzero(np.isfinite(scores))
    sign = metric.better(1.0)
    order = known[np.argsort(sign * scores[known], kind="stable")][:_WORST_ROWS]
    return [
        {
            "id": evaluation.ids[index],
            "input": evaluation.inputs[index],
            "truth": evaluation.truths[index],
            "answer": evaluation.answers.lines[index],
            "score": told(float(scores[index]), metric),
        }
        for index in order
    ]
