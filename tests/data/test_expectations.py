"""Each rule passes on sound data and refuses its own fault, through Great Expectations itself."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from seqline.config import parse_recipe
from seqline.data.checks import is_blank, row_tables, shown
from seqline.data.expectations import Check, Verdict, check_rules, self_contained
from seqline.data.readers import Row
from seqline.data.rules import champion_rules, rules_for
from seqline.recipe import Recipe

Values = dict[str, Any]


def make_recipe(**sections: Any) -> Recipe:
    empty: Values = {name: {} for name in ("validation", "split", "model", "training", "evaluation", "gate")}
    given: Values = {
        "task": "classification",
        "input": {"column": "text"},
        "target": {"column": "label", "classes": ["negative", "positive"]},
    }
    return parse_recipe({**given, **empty, **sections}, "recipe of the test")


def sound(split: str, count: int) -> list[Values]:
    labels = ("negative", "positive")
    return [
        {
            "id": f"{split}-{i}",
            "text": f"review number {i} of {split}, which says a thing of its own",
            "label": labels[i % 2],
            "film": f"{split}{i}",
            "city": "Rome",
        }
        for i in range(count)
    ]


def rows_of(values: list[Values]) -> Iterator[Row]:
    return (Row(line, value, "rows.jsonl") for line, value in enumerate(values, start=1))


def judge(
    recipe: Recipe, train: list[Values], test: list[Values] | None = None, docs: Path | None = None
) -> Verdict:
    splits = {"train": rows_of(train)} | ({} if test is None else {"test": rows_of(test)})
    tables = row_tables(recipe, splits)
    return check_rules(rules_for(recipe, tables), tables, docs_folder=docs)


def failures(verdict: Verdict) -> list[Check]:
    return [check for check in verdict.checks if not check.success]


FULL = {"split": {"by": "film"}, "evaluation": {"slices": ["length", "city"]}}


def test_sound_data_pass_every_check() -> None:
    verdict = judge(make_recipe(**FULL), sound("train", 60), sound("test", 20))
    assert failures(verdict) == []
    assert verdict.worst is None
    assert len(verdict.checks) == 47
    assert verdict.page is None


# What is put into row 3 (and 7) of train or test, and the one check that must fail, with what it finds.
FAULTS = {
    "missing text": ("train", {"text": None}, "no missing values", "text", "critical", None),
    "missing label": ("test", {"label": None}, "no missing values", "label", "critical", None),
    "missing group": ("train", {"film": None}, "no missing values", "film", "critical", None),
    "missing slice": ("train", {"city": None}, "no missing values", "city", "warning", None),
    "number as text": ("train", {"text": 7}, "inputs are text", "text: not text", "critical", "int"),
    "blank": (
        "train",
        {"text": " \u00a0\t"},
        "texts are not blank",
        "text: blank",
        "critical",
        "3 characters, none visible",
    ),
    "foreign label": (
        "train",
        {"label": "neutral"},
        "labels are classes of the recipe",
        "label",
        "critical",
        "neutral",
    ),
    "number as label": ("test", {"label": 1}, "labels are classes of the recipe", "label", "critical", "1"),
    "empty label": ("test", {"label": ""}, "labels are classes of the recipe", "label", "critical", ""),
    "NUL": (
        "train",
        {"text": "a\0b"},
        "no NUL, no lone surrogate",
        "text: NUL or surrogate",
        "critical",
        "U+0000",
    ),
    "surrogate": (
        "test",
        {"text": "a\ud800b"},
        "no NUL, no lone surrogate",
        "text: NUL or surrogate",
        "critical",
        "U+D800",
    ),
    "control characters": (
        "train",
        {"text": "a\x1b[31m red\x85"},
        "no control characters",
        "text: control characters",
        "warning",
        "U+001B U+0085",
    ),
    "replacement character": (
        "test",
        {"text": "caf\ufffd"},
        "no odd characters",
        "text: odd characters",
        "warning",
        "U+FFFD",
    ),
    "repeated id": (
        "train",
        {"id": "train-0"},
        "ids are unique in train and test together",
        "id: used before",
        "critical",
        "train/rows.jsonl line 1",
    ),
    "id of train in test": (
        "test",
        {"id": "train-1"},
        "ids are unique in train and test together",
        "id: used before",
        "critical",
        "train/rows.jsonl line 2",
    ),
    "repeated text": (
        "train",
        {"text": "Review  number 1 of TRAIN, which says a thing of its own"},
        "texts occur once",
        "text: same text before",
        "info",
        "train-1",
    ),
    "group of train in test": (
        "test",
        {"film": "train1"},
        "test values of film are not in train",
        "film: in train too",
        "warning",
        "train-1",
    ),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=list(FAULTS))
def test_a_fault_fails_its_check_alone_and_names_the_row(fault: tuple[Any, ...]) -> None:
    split, change, name, column, severity, found = fault
    splits = {"train": sound("train", 60), "test": sound("test", 20)}
    splits[split][3] |= change
    verdict = judge(make_recipe(**FULL), splits["train"], splits["test"])
    (check,) = failures(verdict)
    assert (check.name, check.split, check.column, check.severity) == (name, split, column, severity)
    assert (check.rows, check.unexpected) == (len(splits[split]), 1)
    (example,) = check.examples
    assert example.id == splits[split][3]["id"]
    assert (example.place, example.found) == (f"{split}/rows.jsonl line 4", found)
    assert verdict.worst == severity


def test_tab_line_feed_carriage_return_and_joiners_are_ordinary() -> None:
    train = sound("train", 60)
    train[0]["text"] = "one\ttwo\r\nthree, a family \U0001f468\u200d\U0001f469\u200d\U0001f467 and na\u00efve"
    assert failures(judge(make_recipe(), train)) == []


@pytest.mark.parametrize("identifier", [None, "", "  "])
def test_a_row_without_an_id_is_named_by_its_place(identifier: str | None) -> None:
    train = sound("train", 60)
    train[5]["id"] = identifier
    train[8]["id"] = identifier
    (check,) = failures(judge(make_recipe(), train))
    assert (check.name, check.column, check.unexpected) == ("no missing values", "id", 2)
    assert [example.id for example in check.examples] == [
        "train/rows.jsonl line 6",
        "train/rows.jsonl line 9",
    ]


@pytest.mark.parametrize("column", ["id", "text", "label", "film", "city"])
def test_an_absent_column_fails_one_check(column: str) -> None:
    train = [{key: value for key, value in row.items() if key != column} for row in sound("train", 60)]
    failed = failures(judge(make_recipe(**FULL), train))
    named = [check for check in failed if check.name == "column exists"]
    assert [(check.column, check.severity) for check in named] == [(column, "critical")]
    assert {check.name for check in failed} <= {"column exists", "each class frequent enough in train"}


def test_integer_labels_are_compared_as_text() -> None:
    train = [row | {"label": int(row["label"] == "positive")} for row in sound("train", 60)]
    recipe = make_recipe(target={"column": "label", "classes": ["0", "1"]})
    assert failures(judge(recipe, train)) == []
    assert shown(1) == "1"


BOUNDS = {
    "too few rows": ({"min_rows": 61}, {"min_rows": 60}, "enough rows, not too many", 60),
    "too many rows": ({"max_rows": 59}, {"max_rows": 60}, "enough rows, not too many", 60),
    "short": ({"median_words": [13, 20]}, {"median_words": [12, 20]}, "median words within bounds", 12),
    "long": ({"median_words": [1, 11]}, {"median_words": [1, 12]}, "median words within bounds", 12),
    "p95": ({"p95_words": [1, 11]}, {"p95_words": [1, 12]}, "95th percentile of words within bounds", 12),
}


@pytest.mark.parametrize("bound", BOUNDS.values(), ids=list(BOUNDS))
def test_a_number_outside_its_bound_is_critical_and_on_it_passes(bound: tuple[Any, ...]) -> None:
    outside, inside, name, observed = bound
    train = sound("train", 60)
    (check,) = failures(judge(make_recipe(validation=outside), train))
    assert (check.name, check.severity, check.observed, check.unexpected) == (
        name,
        "critical",
        observed,
        None,
    )
    assert failures(judge(make_recipe(validation=inside), train)) == []


def test_a_rare_class_is_critical_and_named() -> None:
    train = [row | {"label": "negative"} for row in sound("train", 100)]
    train[0]["label"] = "positive"
    assert failures(judge(make_recipe(validation={"min_class_share": 0.01}), train)) == []
    (check,) = failures(judge(make_recipe(validation={"min_class_share": 0.011}), train))
    assert (check.split, check.severity, check.rows, check.unexpected) == ("classes", "critical", 2, 1)
    assert [(example.id, example.found) for example in check.examples] == [("positive", "0.01")]


def test_a_class_absent_from_test_is_a_warning() -> None:
    test = [row | {"label": "negative"} for row in sound("test", 20)]
    (check,) = failures(judge(make_recipe(), sound("train", 60), test))
    assert (check.name, check.severity) == ("each class present in test", "warning")
    assert [example.id for example in check.examples] == ["positive"]


@pytest.mark.parametrize(("allowed", "blank"), [(0.02, 2), (0.07, 7), (0.29, 29), (1.0, 100)])
def test_a_share_of_exactly_the_bound_passes_and_one_row_more_refuses(allowed: float, blank: int) -> None:
    recipe = make_recipe(
        validation={"max_blank_share": allowed, "median_words": [0, 99], "p95_words": [0, 99]}
    )
    train = sound("train", 100)
    for row in train[:blank]:
        row["text"] = ""
    name = "texts are not blank"
    assert [check for check in failures(judge(recipe, train)) if check.name == name] == []
    if blank < len(train):
        train[blank]["text"] = " "
        (check,) = [check for check in failures(judge(recipe, train)) if check.name == name]
        assert (check.unexpected, check.share) == (blank + 1, round((blank + 1) / 100, 6))


def test_conflicting_duplicates_warn_below_the_bound_and_refuse_above() -> None:
    train = sound("train", 100)
    train[1]["text"] = train[0]["text"].upper()
    train[3]["text"] = train[1]["text"]
    verdict = judge(make_recipe(validation={"max_conflict_share": 0.03}), train)
    warning = next(check for check in failures(verdict) if check.severity == "warning")
    assert [example.id for example in warning.examples] == ["train-0", "train-1", "train-3"]
    assert {example.found for example in warning.examples} == {"negative, positive"}
    assert verdict.worst == "warning"
    assert judge(make_recipe(validation={"max_conflict_share": 0.02}), train).worst == "critical"


def test_equal_texts_with_equal_labels_do_not_conflict() -> None:
    train = sound("train", 60)
    train[2]["text"] = train[0]["text"]
    assert [check.severity for check in failures(judge(make_recipe(), train))] == ["info"]


def test_blank_texts_are_neither_duplicates_nor_overlap() -> None:
    recipe = make_recipe(validation={"max_blank_share": 0.5})
    train, test = sound("train", 60), sound("test", 20)
    for row in (train[0], train[1], test[0]):
        row["text"] = " "
    assert failures(judge(recipe, train, test)) == []


def altered(text: str, kind: int) -> str:
    if kind == 0:
        return text.upper()
    if kind == 1:
        return "  " + text.replace(" ", " \u00a0\t") + "\n"
    # The full-width twins of ASCII stand 0xFEE0 further on.
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


def test_100_of_100_planted_altered_duplicates_are_found_across_splits() -> None:
    choose = random.Random(0)
    train, test = sound("train", 1000), sound("test", 1000)
    planted = dict(zip(choose.sample(range(1000), 100), choose.sample(range(1000), 100), strict=True))
    for number, (into, source) in enumerate(planted.items()):
        test[into]["text"] = altered(train[source]["text"], number % 3)
    tables = row_tables(make_recipe(), {"train": rows_of(train), "test": rows_of(test)})
    marks = list(tables["test"]["text: in train too"])
    found = {index: mark for index, mark in enumerate(marks) if mark is not None}
    assert found == {into: f"train-{source}" for into, source in planted.items()}

    verdict = judge(make_recipe(validation={"max_overlap_share": 0.1}), train, test)
    (check,) = failures(verdict)
    assert (check.severity, check.unexpected, check.rows, check.share) == ("warning", 100, 1000, 0.1)
    assert [example.id for example in check.examples] == [f"test-{into}" for into in sorted(planted)[:20]]
    assert judge(make_recipe(validation={"max_overlap_share": 0.099}), train, test).worst == "critical"


def test_the_champion_rule_reports_the_share_and_refuses_above_the_bound() -> None:
    import pandas as pd

    rules = champion_rules(make_recipe(validation={"max_unknown_share": 0.25}))
    passing = check_rules(rules, {"champion": pd.DataFrame({"unknown share": [0.25]})})
    refusing = check_rules(rules, {"champion": pd.DataFrame({"unknown share": [0.26]})})
    assert (passing.worst, passing.checks[0].observed) == (None, 0.25)
    assert (refusing.worst, refusing.checks[0].observed) == ("critical", 0.26)


class Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


NAUGHTY = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "$text ${column} $$ %s {0} {{7*7}} {% raw %}",
    "&lt;b&gt; &amp;amp; \"quoted\" 'single'",
]


def test_data_docs_show_naughty_values_as_text_and_results_keep_them_exact(tmp_path: Path) -> None:
    recipe = make_recipe(target={"column": "label", "classes": ["negative", "positive", "<b>&amp;</b>"]})
    train = sound("train", 60)
    for number, text in enumerate(NAUGHTY):
        train[number] |= {"id": f"{text} {number}", "text": text, "label": text}
    train[10]["label"] = "<b>&amp;</b>"
    verdict = judge(recipe, train, docs=tmp_path / "docs")
    (check,) = failures(verdict)
    assert [example.found for example in check.examples] == NAUGHTY
    assert [example.id for example in check.examples] == [f"{text} {n}" for n, text in enumerate(NAUGHTY)]

    assert verdict.page == tmp_path / "docs" / "index.html"
    pages = {page: page.read_text(encoding="utf-8") for page in (tmp_path / "docs").rglob("*.html")}
    assert any(page.match("expectations/train.html") for page in pages)
    assert any(page.match("validations/train/*/*/*.html") for page in pages)
    for page in pages.values():
        elements = Elements()
        elements.feed(page)
        assert "script" not in elements.seen
        assert "img" not in elements.seen
        assert "Content-Security-Policy" in page
    index = Elements()
    index.feed(pages[verdict.page])
    assert "labels are classes of the recipe" in index.text
    assert NAUGHTY[0] in index.text
    suite = Elements()
    suite.feed(next(text for page, text in pages.items() if page.match("expectations/train.html")))
    assert "A short file is often an export that broke off." in suite.text


def test_self_contained_leaves_nothing_that_loads_from_a_network() -> None:
    page = (
        '<head><link rel="x" href="https://a.example/b.css"><SCRIPT src="https://c.example"></SCRIPT></head>'
    )
    assert "example" not in self_contained(page)


def test_telemetry_is_off_even_when_the_environment_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GX_ANALYTICS_ENABLED", "true")
    judge(make_recipe(), sound("train", 60))
    assert os.environ["GX_ANALYTICS_ENABLED"] == "false"


@pytest.mark.parametrize(("text", "expected"), [("", True), ("\u00a0\u200b\x07\n", True), (".", False)])
def test_is_blank(text: str, expected: bool) -> None:
    assert is_blank(text) is expected
