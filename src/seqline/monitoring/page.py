"""The monitor page: one self-contained HTML page about a batch, and about those before it.

As the evaluation report: nothing is loaded from elsewhere, there is no script, every word that came from data is escaped,
and a content security policy forbids the rest.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from importlib import resources
from pathlib import PurePath
from typing import Any

from markupsafe import Markup

from seqline.evaluation.report import percent, readable
from seqline.monitoring.calibration import ALPHA
from seqline.monitoring.charts import against_bound, paired_bars, timeline
from seqline.monitoring.judgements import Judgement
from seqline.monitoring.profile import Profile
from seqline.monitoring.signals import SIGNALS

# The newest of a long history.
_MAX_BATCHES = 40
_AXES = {
    "length": ("Length", "steps, from … on"),
    "score": ("Confidence", "probability of the predicted label, from … on"),
    "predicted": ("Predicted labels", ""),
    "labels": ("True labels", ""),
}
_SHARE_DIGITS = 2


def render_page(judgement: Judgement, history: Sequence[Judgement], profile: Profile) -> str:
    """Render the page.

    Args:
        judgement: The batch it is about.
        history: Batches judged with the same champion, the oldest first.
        profile: The champion's.
    """
    from jinja2 import Environment, StrictUndefined

    templates = resources.files("seqline.monitoring") / "templates"
    shared = resources.files("seqline.evaluation") / "templates" / "report.css"
    style = shared.read_text(encoding="utf-8") + (templates / "monitor.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode("utf-8")).digest()).decode("ascii")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(readable=readable, percent=percent)
    template = environment.from_string((templates / "monitor.html").read_text(encoding="utf-8"))
    past = list(history)[-_MAX_BATCHES:]
    page = template.render(
        style=Markup(style),  # noqa: S704 # nosec B704
        policy=f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'",
        judgement=judgement,
        report=judgement.report,
        verdict=verdict(judgement),
        alpha=ALPHA,
        signals=SIGNALS,
        bars={
            reading.signal: against_bound(reading.value, reading.threshold)
            for reading in judgement.report.readings
        },
        histograms=_histograms(judgement),
        timelines=_timelines(past),
        history=past,
        profile=profile,
        digits=_SHARE_DIGITS,
    )
    return page.encode("utf-8", "replace").decode("utf-8")


def verdict(judgement: Judgement) -> dict[str, str]:
    """Say in a sentence what was found.

    Returns:
        `tone` (good, even or bad), `head` and `text`.
    """
    report = judgement.report
    batch = f"{report.rows_in_batch:,} rows of {readable(judgement.batch, 80)}"
    if not report.judged:
        return {"tone": "even", "head": "Too few rows to judge", "text": f"{batch}."}
    chance = f"Of batches that did not drift, at most {ALPHA:.0%} look like this by chance."
    if not report.drifted:
        text = f"In {batch} every signal is within what chance explains."
        return {"tone": "good", "head": "No drift found", "text": text}
    titles = [SIGNALS[name].title for name in report.moved]
    moved = titles[0] if len(titles) == 1 else f"{', '.join(titles[:-1])} and {titles[-1]}"
    return {"tone": "bad", "head": f"Drifted: {moved}", "text": f"{batch}. {chance}"}


def _histograms(judgement: Judgement) -> list[dict[str, Any]]:
    drawn = []
    for name, histogram in judgement.report.histograms.items():
        title, label = _AXES.get(name, (name.capitalize(), "value as the model reads it, from … on"))
        cells = [readable(cell, 24) for cell in histogram.cells]
        chart = paired_bars(cells, histogram.reference, histogram.batch, title=title, x_label=label)
        drawn.append(
            {
                "title": title,
                "chart": chart,
                "moved": name in judgement.report.moved
                or (name not in _AXES and "features" in judgement.report.moved),
            }
        )
    return drawn


def _timelines(history: Sequence[Judgement]) -> list[dict[str, Any]]:
    """One chart a signal over the batches that have it."""
    drawn = []
    for name, signal in SIGNALS.items():
        readings = [
            (readable(PurePath(one.batch).stem, 40), reading)
            for one in history
            for reading in one.report.readings
            if reading.signal == name
        ]
        if readings:
            chart = timeline(
                [reading.value for _, reading in readings],
                [reading.threshold for _, reading in readings],
                [batch for batch, _ in readings],
                title=f"{signal.title} over the batches",
            )
            drawn.append({"title": signal.title, "unit": signal.unit, "chart": chart})
    return drawn
