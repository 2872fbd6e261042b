import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from seqline.config import parse_recipe
from seqline.data.rows import SplitRows
from seqline.errors import SeqlineError
from seqline.evaluation.baselines import Problem, answer_all
from seqline.evaluation.behaviours import Probe
from seqline.evaluation.metrics import METRICS, measures_of
from seqline.evaluation.report import render_report, verdict
from seqline.evaluation.summary import Evaluation, details, evaluate_model, flat_metrics, require_rows
from seqline.evaluation.wording import flatten, readable
from seqline.files import to_json
from seqline.recipe import Recipe

NAUGHTY = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</style><script>x()</script>",
    "</title></head><body><h1>mine</h1>",
    '" onmouseover="alert(1)" x="',
    "' autofocus onfocus=alert(1) '",
    "<svg/onload=alert(1)>",
    "</svg><iframe src=//evil.example></iframe>",
    "<!-- comment --><b>bold</b>",
    "<![CDATA[<a href=x>]]>",
    "{{ 7 * 7 }}{% for x in y %}",
    "&lt;script&gt;&#60;b&#62;",
    "\x00<b>\x1b[31m\x7f",
    "\u202egnikrow <i>\u2066",
    "\ud800<b>half a pair",
    "<a href='javascript:alert(1)'>x</a>",
    "<plaintext>",
    "<textarea>",
    "\r\n<meta http-equiv=refresh content=0>",
    "𝒳 <u>é</u> 日本語",
    "=HYPERLINK(1)<b>",
    "",
]
OF_CLASSES = measures_of([name for name, metric in METRICS.items() if "classification" in metric.tasks])
HISTORY = {
    "epochs": [
        {"epoch": 1, "train_loss": 0.7, "valid_loss": 0.6, "valid_accuracy": 0.6, "valid_macro_f1": 0.5},
        {"epoch": 2, "train_loss": 0.5, "valid_loss": 0.4, "valid_accuracy": 0.8, "valid_macro_f1": 0.8},
    ],
    "best_epoch": 2,
}


def _recipe(classes: list[str], **evaluation: object) -> Recipe:
    sections = {name: {} for name in ("validation", "split", "model", "training")}
    values = {
        **sections,
        "task": "classification",
        "input": {"column": "text"},
        "target": {"column": "label", "classes": classes},
        "gate": {"baseline": "none"},
        "evaluation": {"bootstrap_rounds": 100, **evaluation},
    }
    return parse_recipe(values, "test")


def _evaluate(
    *,
    classes: list[str],
    words: list[str],
    num_rows: int = 66,
    wrong: float = 0.2,
    city: list[str] | None = None,
    **evaluation: object,
) -> Evaluation:
    """A made-up model that is right on all but a share of rows; `words` are parts of texts and ids."""
    rng = np.random.default_rng(0)
    targets = rng.integers(0, len(classes), num_rows)
    cues = ["good", "bad", "odd", "new"]
    texts = [f"It is {cues[t % 4]} {words[i % len(words)]} {i}" for i, t in enumerate(targets)]
    said = np.where(rng.random(num_rows) < wrong, (targets + 1) % len(classes), targets)
    known = dict(zip(texts, said, strict=True))

    def predict(asked: list[str]) -> np.ndarray:
        sure = [0.5 + (len(text) % 40) / 100 for text in asked]
        places = [known.get(text, len(text) % len(classes)) for text in asked]
        rest = [(1 - s) / (len(classes) - 1) for s in sure]
        rows = [
            np.where(np.arange(len(classes)) == p, s, r) for p, s, r in zip(places, sure, rest, strict=True)
        ]
        return np.array(rows, dtype=np.float32)

    names = [words[i % len(words)] for i in range(num_rows)]
    truths = targets.tolist()
    test = SplitRows([f"{name}{i}" for i, name in enumerate(names)], texts, truths, {"city": city or names})
    recipe = _recipe(classes, slices=["length", "city"], **evaluation)
    problem = Problem(recipe, test, SplitRows([], [], [], {}), test)
    return evaluate_model(
        recipe,
        OF_CLASSES,
        test=test,
        values=predict(texts),
        baselines=answer_all(recipe.evaluation.baselines, problem),
        ask=predict,
    )


def _page(evaluation: Evaluation, word: str = "plain") -> str:
    return render_report(
        evaluation,
        title=word,
        history=HISTORY,
        statistics={"rows": {"train": 10, word: 2.5}, "longest": [1, 2, 3], "empty": {}, "note": word},
        recipe={"task": "classification", "input": {"column": word}},
    )


class _Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.attributes: set[str] = set()
        self.shown: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.shown.append(data)


def _elements(page: str) -> _Elements:
    parser = _Elements()
    parser.feed(page)
    parser.close()
    return parser


def _spelled(evaluation: Evaluation, word: str) -> Evaluation:
    """The same evaluation with a word put into everything that comes from data."""
    behaviours = [
        replace(
            result,
            by_kind={f"{word}{kind}": counts for kind, counts in result.by_kind.items()},
            failures=[replace(f, probe=Probe(word, f"{word} b", f"a {word}")) for f in result.failures],
        )
        for result in evaluation.classes.behaviours
    ]
    labels = [f"{word}{label}" for label in evaluation.classes.labels]
    return replace(
        evaluation,
        classes=replace(evaluation.classes, labels=labels, behaviours=behaviours),
        ids=[f"{word}{row_id}" for row_id in evaluation.ids],
        inputs=[f"{word}{text}" for text in evaluation.inputs],
        slices=[
            replace(part, column=f"{word}{part.column}", name=f"{word}{part.name}")
            for part in evaluation.slices
        ],
    )


@pytest.fixture(scope="module", params=[2, 3, 16], ids="{} classes".format)
def plain(request: pytest.FixtureRequest) -> Evaluation:
    evaluation = _evaluate(classes=[f"c{i}" for i in range(request.param)], words=["plain"], num_rows=90)
    assert any(result.failures for result in evaluation.classes.behaviours)
    return evaluation


def test_no_word_from_data_adds_an_element(plain):
    expected = _elements(_page(_spelled(plain, "plain")))
    for word in NAUGHTY:
        page = _elements(_page(_spelled(plain, word), word))
        assert page.found == expected.found, word
        assert page.attributes == expected.attributes, word
    assert "script" not in expected.found


def test_naughty_words_do_not_break_behaviours_and_baselines():
    page = _page(_evaluate(classes=["no", "yes"], words=NAUGHTY))
    allowed = set(_elements(_page(_evaluate(classes=["no", "yes"], words=["plain"]))).found)
    assert set(_elements(page).found) <= allowed


def test_the_page_loads_nothing_and_its_policy_allows_its_own_style_only():
    page = _page(_evaluate(classes=["no", "yes"], words=["plain"]))
    attributes = _elements(page).attributes
    assert not [name for name in attributes if name in {"src", "href", "style"} or name.startswith("on")]
    assert not re.search(r"url\(|@import|https?:", page)
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL).group(1)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"default-src &#39;none&#39;; style-src &#39;sha256-{digest}&#39;" in page


def test_every_section_is_there():
    shown = " ".join(_elements(_page(_evaluate(classes=["no", "yes"], words=["plain"]))).shown)
    for heading in (
        "Beside the baselines",
        "How it learned",
        "What it gets wrong",
        "Does it know when it is unsure?",
        "Parts of the test split",
        "Behaviour",
        "Worth reading",
        "Data and recipe",
    ):
        assert heading in shown, heading


def test_the_same_evaluation_gives_the_same_bytes():
    first, second = (_evaluate(classes=["a", "b", "c"], words=["plain"]) for _ in range(2))
    assert _page(first) == _page(second)
    assert to_json(details(first)) == to_json(details(second))
    assert flat_metrics(first) == flat_metrics(second)


def test_the_verdict_says_plainly_who_wins():
    best = _evaluate(classes=["no", "yes"], words=["plain"], wrong=0.0, baselines=["majority"])
    assert verdict(best)["head"] == "The model beats every baseline"
    assert "100.0\u00a0% of 66 test rows" in verdict(best)["text"]
    # The cue words give the label away, and the baselines are fitted on these very rows.
    beaten = _evaluate(classes=["no", "yes"], words=["plain"], wrong=0.5)
    assert verdict(beaten)["head"] == "A baseline beats the model"
    assert "A baseline beats the model" in _page(beaten)
    even = _evaluate(classes=["no", "yes"], words=["plain"], wrong=0.0, baselines=["tfidf_unigram"])
    assert verdict(even)["head"] == "No clear winner"
    alone = _evaluate(classes=["no", "yes"], words=["plain"], baselines=[])
    assert verdict(alone)["head"] == "No baseline to compare with"
    assert "No baseline" in _page(alone)


def test_flat_metrics_follow_from_the_parts():
    evaluation = _evaluate(classes=["no", "yes"], words=["plain"], baselines=["majority"])
    flat = flat_metrics(evaluation)
    right = float((evaluation.predictions == evaluation.targets).mean())
    assert flat["accuracy"] == round(right, 6)
    assert flat["accuracy.low"] <= flat["accuracy"] <= flat["accuracy.high"]
    difference = flat["accuracy"] - flat["baseline.majority.accuracy"]
    assert flat["delta.majority.accuracy"] == pytest.approx(difference, abs=2e-6)
    assert flat["rows"] == 66
    assert sum(part["n"] for part in details(evaluation)["slices"]) == 2 * 66


def test_a_model_that_answers_nan_is_refused_with_the_row():
    test = SplitRows(["r1", "r2"], ["a", "b"], [0, 1], {})
    values = np.array([[0.5, 0.5], [np.nan, 1.0]])
    with pytest.raises(SeqlineError, match=r"test row r2: the model answers NaN"):
        evaluate_model(_recipe(["no", "yes"]), OF_CLASSES, test=test, values=values, baselines={})


def test_no_test_rows_are_refused():
    with pytest.raises(SeqlineError, match="no rows"):
        require_rows(SplitRows([], [], [], {}))


def test_a_test_split_of_one_class_has_a_report():
    evaluation = _evaluate(classes=["no", "yes"], words=["plain"], wrong=0.0, num_rows=1)
    assert flat_metrics(evaluation)["auroc"] is None
    assert "–" in _page(evaluation)


def test_many_classes_have_a_report():
    page = _page(_evaluate(classes=[f"class {i}" for i in range(16)], words=["plain"], num_rows=200))
    assert "Most frequent confusions" in page


def test_readable_shortens_and_shows_control_characters():
    assert readable("a\nb\tc  d") == "a b c d"
    assert readable("x" * 300, 10) == "x" * 9 + "…"
    assert readable("a\x00b\u202ec\ud800") == "a�b�c�"


def test_flatten_names_nested_values():
    assert flatten({"a": {"b": 1, "c": [1, 2]}, "d": None, "e": {}}) == [
        ("a.b", "1"),
        ("a.c", "1, 2"),
        ("d", "–"),
        ("e", "none"),
    ]
