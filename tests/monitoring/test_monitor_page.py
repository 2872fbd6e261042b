"""The page is self-contained, shows what was found, and gives words from data no chance to be more than words."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from seqline.data.samples.reviews import reviews
from seqline.monitoring.charts import against_bound, paired_bars, timeline
from seqline.monitoring.drift import WordShift, drift
from seqline.monitoring.judgements import Judgement
from seqline.monitoring.page import render_page
from seqline.monitoring.profile import Profile
from seqline.serving.predictor import Predictor

NAUGHTY = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</style><script>x()</script>",
    '" onmouseover="alert(1)" x="',
    "</svg><iframe src=//evil.example></iframe>",
    "{{ 7 * 7 }}{% for x in y %}",
    "\x00<b>\x1b[31m\x7f",
    "\u202egnikrow <i>\u2066",
    "\ud800<b>half a pair",
]


class Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str | None]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def parsed(page: str) -> Elements:
    elements = Elements()
    elements.feed(page)
    return elements


def judged(
    profile: Profile, predictor: Predictor, *, name: str, seed: int, level: float, rows: int = 100
) -> Judgement:
    batch = reviews(rows=rows, seed=seed, split="train", month="2026-06", drift=level)
    report = drift(profile, [r["text"] for r in batch], [r["label"] for r in batch], predictor)
    return Judgement("tiny", 3, "key", name, f"{seed:064d}", report)


@pytest.fixture(scope="module")
def history(profile: Profile, predictor: Predictor) -> list[Judgement]:
    levels = [0.0, 0.0, 1.0]
    return [
        judged(profile, predictor, name=f"2026-0{6 + index}.jsonl", seed=index, level=level)
        for index, level in enumerate(levels)
    ]


def test_the_page_shows_the_signals_the_words_and_the_batches_before(
    history: list[Judgement], profile: Profile
) -> None:
    page = parsed(render_page(history[-1], history, profile))
    text = " ".join(" ".join(page.text).split())
    assert "Drifted: " in text
    for words in ("The signals", "Reference and batch", "Words", "Over the batches", "version 3", "cringe"):
        assert words in text
    for judgement in history:
        assert judgement.batch in text
    # Six signals over time, four histograms; a bar for each signal.
    assert page.tags["figure"] == 10
    assert page.tags["svg"] == 16


def test_the_page_loads_nothing_and_its_policy_allows_its_own_style_only(
    history: list[Judgement], profile: Profile
) -> None:
    page = render_page(history[-1], history, profile)
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    assert style
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"default-src 'none'; style-src &#39;sha256-{digest}&#39;" in page.replace(
        "default-src &#39;none&#39;", "default-src 'none'"
    )
    elements = parsed(page)
    assert not {"script", "link", "img", "iframe", "object", "a"} & set(elements.tags)
    assert not [
        name for name, _ in elements.attributes if name in {"src", "href", "style"} or name.startswith("on")
    ]
    assert "url(" not in style[1]
    assert "@import" not in style[1]


def test_naughty_words_add_no_element(history: list[Judgement], profile: Profile) -> None:
    last = history[-1]
    calm = replace(
        last.report,
        new_words=[("word", 3)] * len(NAUGHTY),
        words=[WordShift("word", 0.1, 0.2)] * len(NAUGHTY),
        notes=["note"] * len(NAUGHTY),
    )
    naughty = replace(
        last.report,
        new_words=[(word, 3) for word in NAUGHTY],
        words=[WordShift(word, 0.1, 0.2) for word in NAUGHTY],
        notes=list(NAUGHTY),
        readings=[
            replace(reading, what=NAUGHTY[0], direction=NAUGHTY[1]) for reading in last.report.readings
        ],
        histograms={
            name: replace(part, cells=[NAUGHTY[index % len(NAUGHTY)] for index in range(len(part.cells))])
            for name, part in last.report.histograms.items()
        },
    )
    pages = [
        parsed(render_page(shown, [*history[:-1], shown], profile))
        for shown in (
            replace(last, report=calm),
            replace(last, report=naughty, batch="<b>x</b>.csv", model="<script>"),
        )
    ]
    assert pages[0].tags == pages[1].tags
    assert {name for name, _ in pages[0].attributes} == {name for name, _ in pages[1].attributes}
    assert "49" not in " ".join(pages[1].text).split()


def test_the_same_judgement_gives_the_same_bytes(history: list[Judgement], profile: Profile) -> None:
    assert render_page(history[0], history, profile) == render_page(history[0], history, profile)


def test_a_batch_that_was_not_judged_has_a_page(profile: Profile, predictor: Predictor) -> None:
    few = judged(profile, predictor, name="few.csv", seed=0, level=0.0, rows=5)
    page = render_page(few, [few], profile)
    assert "Too few rows to judge" in page
    assert "The signals" not in page


def test_charts_mark_what_is_above_its_bound() -> None:
    drawn = timeline([0.1, 0.5], [0.3, 0.3], ["a", "b"], title="x")
    assert (drawn.count("dot warn"), drawn.count("dot accent")) == (1, 1)
    assert 'width="50.00"' in against_bound(0.3, 0.3)
    assert 'fill warn" x="0" y="6" width="100.00"' in against_bound(9.0, 0.3)
    assert timeline([], [], [], title="x") == paired_bars([], [], [], title="x", x_label="") == ""
    assert "NaN" not in timeline([0.0], [0.0], ["a"], title="x")
