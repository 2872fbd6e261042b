"""Public data as rows: what each data set of bench.real gives, on files of a few lines in the same form."""

from __future__ import annotations

import csv
import gzip
import importlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from seqline.config import load_recipe

ROOT = Path(__file__).resolve().parents[2]
RECIPES = ROOT / "bench/real/recipes"


@pytest.fixture
def datasets(monkeypatch: pytest.MonkeyPatch) -> dict[str, Callable[[Path], Any]]:
    monkeypatch.syspath_prepend(ROOT)
    found: dict[str, Callable[[Path], Any]] = importlib.import_module("bench.real.datasets").DATASETS
    return found


def table(path: Path, lines: Sequence[Sequence[object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(lines)


def text(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write(content)


def test_every_data_set_has_a_recipe_and_every_recipe_a_data_set(datasets: dict[str, Any]) -> None:
    assert sorted(path.stem for path in RECIPES.glob("*.yaml")) == sorted(datasets)


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_recipe_is_right_and_trains_on_one_thread(path: Path) -> None:
    assert load_recipe(path).training.threads == 1


def test_repeated_messages_are_dropped_and_the_first_one_stays(
    tmp_path: Path, datasets: dict[str, Any]
) -> None:
    lines = [("id", "text", "label"), (1, "hi", "ham"), (2, "win", "spam"), (3, "hi", "ham")]
    table(tmp_path / "sms_spam/sms_spam.csv.gz", lines)
    rows = datasets["spam"](tmp_path)
    assert [(row["id"], row["text"]) for row in rows.train] == [
        ("message-00000", "hi"),
        ("message-00001", "win"),
    ]
    assert rows.test == []


def test_requests_of_unknown_intent_leave_test(tmp_path: Path, datasets: dict[str, Any]) -> None:
    for part, lines in (
        ("train", [("go", "flight")]),
        ("valid", [("eat", "meal")]),
        ("test", [("x", "meal"), ("y", "day")]),
    ):
        table(tmp_path / f"atis/atis_intent_{part}.csv.gz", [("text", "label"), *lines])
    rows = datasets["atis"](tmp_path)
    assert [row["label"] for row in rows.train] == ["flight", "meal"]
    assert [row["text"] for row in rows.test] == ["x"]


def test_runs_of_words_end_each_line_and_keep_the_published_parts(
    tmp_path: Path, datasets: dict[str, Any]
) -> None:
    text(tmp_path / "ptb/ptb.train.txt.gz", " a <unk> b \n" * 101)
    text(tmp_path / "ptb/ptb.valid.txt.gz", " b \n")
    text(tmp_path / "ptb/ptb.test.txt.gz", " a \n \n")
    rows = datasets["ptb"](tmp_path)
    assert [(row["part"], len(row["words"])) for row in rows.train] == [
        ("train", 400),
        ("train", 4),
        ("valid", 2),
    ]
    assert rows.train[1]["words"] == ["a", "<unk>", "b", "<eos>"]
    assert [row["words"] for row in rows.test] == [["a", "<eos>", "<eos>"]]


@pytest.mark.parametrize("name", ["ptb", "wikitext2"])
def test_published_valid_parts_fall_to_valid(name: str) -> None:
    from seqline.data.splits import assign

    split = load_recipe(RECIPES / f"{name}.yaml").split
    dealt = [assign(part, valid=split.valid, test=split.test, seed=split.seed) for part in ("train", "valid")]
    assert (split.by, dealt) == ("part", ["train", "valid"])


def test_months_of_counted_years_are_dates_and_short_series_hold_out_a_third(
    tmp_path: Path, datasets: dict[str, Any]
) -> None:
    months = [("shampoo_monthly", f"{year}-{month:02d}", month) for year in (1, 2) for month in range(1, 13)]
    others = [("births_daily", "1959-01-01", 35), ("water_yearly", "1885", 356)]
    lines = [(stamp, name, value) for name, stamp, value in [*months, *others]]
    table(tmp_path / "univariate_series/univariate_series.csv.gz", [("timestamp", "series", "value"), *lines])
    rows = datasets["univariate_monthly"](tmp_path)
    (train,), (test,) = rows.train, rows.test
    assert (train["timestamps"][0], train["timestamps"][-1]) == ("0001-01", "0002-04")
    assert (test["timestamps"][0], test["value"]) == ("0002-05", [5, 6, 7, 8, 9, 10, 11, 12])
    assert train["series"] == test["series"] == "shampoo_monthly"


def test_rates_of_a_day_are_channels_of_one_step(tmp_path: Path, datasets: dict[str, Any]) -> None:
    lines = [(step, name, step + shift) for name, shift in (("a", 0.0), ("b", 0.5)) for step in range(10)]
    table(tmp_path / "exchange_rate/exchange_rate.csv.gz", [("timestamp", "series", "value"), *lines])
    rows = datasets["exchange_rate"](tmp_path)
    (train,), (test,) = rows.train, rows.test
    assert train["value"][:2] == [[0.0, 0.5], [1.0, 1.5]]
    assert (len(train["value"]), test["start"], test["value"]) == (8, 8, [[8.0, 8.5], [9.0, 9.5]])


def test_pairs_of_both_directions_are_the_same_rows(tmp_path: Path, datasets: dict[str, Any]) -> None:
    lines = [("source", "target", "attribution"), ("Wow!", "वाह!", "somebody")]
    table(tmp_path / "tatoeba_en_hi/tatoeba_en_hi.csv.gz", lines)
    for name in ("tatoeba_en_hi", "tatoeba_hi_en"):
        assert datasets[name](tmp_path).train == [{"id": "pair-00000", "english": "Wow!", "hindi": "वाह!"}]
