"""The report, the figures and the details of a task whose values are row statistics."""

import json
import math
from html.parser import HTMLParser

import numpy as np
import pytest

from seqline.config import parse_recipe
from seqline.data.rows import SplitRows
from seqline.errors import SeqlineError
from seqline.evaluation.figures import draw
from seqline.evaluation.measures import Measures, summed
from seqline.evaluation.report import render_report, verdict
from seqline.evaluation.sections import Band, HeatMap, Line, LineChart, Section
from seqline.evaluation.summary import Answers, Evaluation, details, evaluate_model, flat_metrics
from seqline.evaluation.sums import exp_ratio, ratio
from seqline.evaluation.wording import distance, gain, shown_input, told
from seqline.files import to_json

COLUMNS = ("nll", "tokens")
MEASURES = Measures(
    {
        "perplexity": summed(exp_ratio, COLUMNS, "lower", "", (1.0, math.inf), ("made-up",)),
        "nats_per_token": summed(ratio, COLUMNS, "lower", "nats", (0.0, math.inf), ("made-up",)),
    },
    COLUMNS,
)
ROWS = 60
NAUGHTY = "<script>alert(1)</script>\u202e"
HISTORY = {
    "epochs": [
        {"epoch": e, "train_loss": 2.0 / e, "valid_loss": 2.5 / e, "valid_perplexity": 9.0 / e}
        for e in (1, 2)
    ],
    "best_epoch": 2,
}


def recipe():
    sections = {name: {} for name in ("validation", "split", "model", "training", "evaluation")}
    values = {
        **sections,
        "task": "classification",
        "input": {"kind": "symbols", "column": "tokens"},
        "target": {"column": "label", "classes": ["a", "b"]},
        "gate": {"baseline": "none"},
        "evaluation": {"slices": ["length", "city"], "bootstrap_rounds": 100},
    }
    return parse_recipe(values, "test")


def values_of(nats: float) -> np.ndarray:
    rng = np.random.default_rng(0)
    tokens = rng.integers(2, 9, ROWS).astype(float)
    return np.stack([tokens * nats * rng.uniform(0.8, 1.2, ROWS), tokens], axis=1)


def made(nats: float = 1.0, word: str = "plain") -> Evaluation:
    inputs = [[f"{word}{i}", "b", "c"][: 1 + i % 3] for i in range(ROWS)]
    test = SplitRows(
        [f"{word}{i}" for i in range(ROWS)],
        inputs,
        [f"{word} wanted"] * ROWS,
        {"city": [word, "x"] * (ROWS // 2)},
    )
    chart = LineChart(
        f"{word} forecast",
        "step",
        (Line(f"{word} truth", "muted", [1, 2, 3], [1.0, math.nan, 2.0]),),
        (Band("80 %", "accent", [1, 2, 3], [0.5, 0.6, 0.7], [1.5, 1.6, 1.7]),),
    )
    attention = HeatMap(
        f"{word} attention", ("a", word), (word, "b", "c"), ((0.1, 0.9, 0.0), (2.0, math.nan, 1.0))
    )
    section = Section(
        f"{word} examples", (f"{word} said",), (word, "n"), ((word, 3), (None, 0.5)), (chart, attention)
    )
    return evaluate_model(
        recipe(),
        MEASURES,
        test=test,
        values=values_of(nats),
        baselines={"majority": values_of(1.5)},
        answers=Answers([{"text": word}] * ROWS, [f"{word} answer"] * ROWS),
        sections=[section],
    )


class Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(tag)


def page_of(evaluation: Evaluation) -> str:
    return render_report(
        evaluation, title="toy", history=HISTORY, statistics={}, recipe={"input": {"kind": "symbols"}}
    )


def elements(page: str) -> list[str]:
    parser = Elements()
    parser.feed(page)
    return parser.found


def test_the_page_shows_what_the_task_has_and_nothing_of_classes():
    page = page_of(made())
    for words in (
        "plain examples",
        "plain said",
        "plain forecast",
        "Worth reading",
        "plain answer",
        "plain wanted",
    ):
        assert words in page, words
    for words in ("Confusion", "Calibration", "label changed"):
        assert words not in page, words
    assert page.count('class="area accent"') == 1
    assert "lower is better" in page
    assert "Perplexity with its 95 % bootstrap interval" in page


def test_no_word_of_a_section_or_an_answer_adds_an_element():
    assert elements(page_of(made(word=NAUGHTY))) == elements(page_of(made()))


def test_the_verdict_knows_that_less_is_better():
    better, worse, even = verdict(made(1.0)), verdict(made(2.0)), verdict(made(1.5))
    assert (better["tone"], worse["tone"], even["tone"]) == ("good", "bad", "even")
    assert "The model reaches a perplexity of 2.7" in better["text"]
    assert "less than the best baseline" in better["text"]
    assert "less" in worse["text"]


def test_figures_and_details_follow_from_the_values():
    evaluation = made()
    flat = flat_metrics(evaluation)
    sums = evaluation.values.sum(axis=0)
    assert flat["perplexity"] == pytest.approx(math.exp(sums[0] / sums[1]), abs=1e-6)
    assert flat["perplexity.low"] < flat["perplexity"] < flat["perplexity.high"]
    assert flat["delta.majority.perplexity"] < 0
    assert flat["delta.majority.perplexity.high"] < 0
    told_of = json.loads(to_json(details(evaluation)))
    assert told_of["columns"] == ["nll", "tokens"]
    assert told_of["sections"][0]["rows"] == [["plain", 3], [None, 0.5]]
    assert told_of["sections"][0]["charts"] == ["plain forecast", "plain attention"]
    assert "mcnemar" not in told_of["baselines"]["majority"]
    assert {"confusion", "behaviours"} & set(told_of) == set()
    assert set(told_of["slices"][0]) == {"column", "name", "n", "metrics", "perplexity"}
    assert {part["name"] for part in told_of["slices"] if part["column"] == "length"} == {
        "1 symbols", "2 symbols", "3 symbols",
    }  # fmt: skip


def test_row_statistics_are_kept_to_nine_digits_whatever_their_size():
    values = np.array([[1e-7 / 3, 2e9 / 3]] * ROWS)
    test = SplitRows([str(i) for i in range(ROWS)], ["x"] * ROWS, [0] * ROWS, {"city": ["y"] * ROWS})
    kept = evaluate_model(recipe(), MEASURES, test=test, values=values, baselines={}).values[0]
    assert kept.tolist() == [3.33333333e-08, 666666667.0]


def test_a_model_that_answers_infinity_is_refused():
    test = SplitRows(["r1"], ["x"], [0], {"city": ["y"]})
    with pytest.raises(SeqlineError, match="test row r1: the model answers NaN or infinity"):
        evaluate_model(recipe(), MEASURES, test=test, values=np.array([[np.inf, 1.0]]), baselines={})


def test_numbers_are_told_in_their_unit():
    share = summed(ratio, COLUMNS, "lower", "", (0.0, 1.0), ())
    nats = MEASURES.metrics["nats_per_token"]
    assert told(0.1234, share) == "12.3\u00a0%"
    assert told(12.3456, nats) == "12.35"
    assert gain(-0.5, nats) == "+0.5"
    assert gain(0.02, share) == "−2.0"
    assert distance(-0.25, nats) == "0.25 nats"
    assert told(math.nan, nats) == "–"


def test_inputs_are_shown_by_their_kind():
    assert shown_input("a\nb") == "a b"
    assert shown_input([1.5, 2]) == "[1.5, 2]"
    assert shown_input("UklGRg==", "audio") == "a recording"


def test_an_empty_chart_draws_nothing():
    assert draw(LineChart("t", "x", (Line("a", "accent", [], []),))) == ""
    assert draw(HeatMap("t", (), (), ())) == ""
