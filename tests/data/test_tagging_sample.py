from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from pathlib import Path

import pytest

from seqline.data.kinds.targets import TagsKind
from seqline.data.samples import tagging
from seqline.data.samples.tagging import KINDS, TEST_ITEMS, requests, write_tagging
from seqline.evaluation.frequent_tags import FrequentTags
from seqline.evaluation.spans import spans_of, tag_statistics

# Made on CPython 3.11; a change of it changes what every fresh clone learns from.
SMALL_SHA256 = "4522296b7eaab02e14c5e14a0f411d50084695487849119d33c7bf05d93becd7"


@pytest.fixture(scope="module")
def train() -> list[dict]:
    return requests(rows=1500, seed=5, split="train")


@pytest.fixture(scope="module")
def test() -> list[dict]:
    return requests(rows=500, seed=5, split="test")


def test_its_bytes_are_those_of_its_seed() -> None:
    rows = [requests(rows=50, seed=7, split=split) for split in ("train", "test")]
    assert hashlib.sha256(json.dumps(rows).encode()).hexdigest() == SMALL_SHA256
    assert requests(rows=5, seed=8, split="train") != rows[0][:5]


def test_rows_are_distinct_and_keep_to_the_scheme(train: list[dict], test: list[dict]) -> None:
    texts = [" ".join(row["tokens"]).lower() for row in [*train, *test]]
    assert len(set(texts)) == len(texts)
    for row in [*train, *test]:
        assert TagsKind(scheme="iob2").faults(row["tags"], row["tokens"]) == []
    kinds = {span.kind for row in train for span in spans_of(row["tags"], "iob2")}
    assert kinds == set(KINDS.values())


def test_the_same_word_has_other_tags_in_other_places(train: list[dict]) -> None:
    tags: defaultdict[str, set[str]] = defaultdict(set)
    for row in train:
        for token, tag in zip(row["tokens"], row["tags"], strict=True):
            tags[token].add(tag)
    assert {"B-person", "B-origin", "B-destination"} <= tags["Jordan"]
    assert {"B-person", "B-date", "O"} <= tags["May"]
    assert {"B-amount", "B-time", "B-price", "I-date"} <= tags["5"]
    assert {"B-item", "O"} <= tags["order"] | tags["train"]


def test_test_holds_words_that_train_never_has(train: list[dict], test: list[dict]) -> None:
    known = {token.lower() for row in train for token in row["tokens"]}
    unseen = [token for row in test for token in row["tokens"] if token.lower() not in known]
    tokens = sum(len(row["tokens"]) for row in test)
    assert 0.04 < len(unseen) / tokens < 0.15
    held_out = {word for item in TEST_ITEMS for word in item.split()}
    assert "plums" not in known and "plums" in held_out


def test_most_frequent_tags_leave_much_to_learn(train: list[dict], test: list[dict]) -> None:
    known = FrequentTags.fit([row["tokens"] for row in train], [row["tags"] for row in train])
    truths, guesses = [row["tags"] for row in test], [known.answer(row["tokens"]) for row in test]
    correct, tokens, hits, predicted, true, _ = tag_statistics(truths, guesses, "iob2").sum(axis=0)
    assert 0.6 < correct / tokens < 0.85
    assert 2 * hits / (predicted + true) < 0.7


def test_a_name_that_the_request_is_not_about_has_no_tag() -> None:
    rows = requests(rows=400, seed=5, split="train")
    denied = [row for row in rows if " , not to " in " ".join(row["tokens"])]
    assert denied
    for row in denied:
        place = row["tokens"].index("not") + 2
        assert row["tags"][place] == "O" and row["tokens"][place][0].isalpha()


def test_the_files_of_a_sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tagging, "ROWS_PER_TRAIN_MONTH", 100)
    monkeypatch.setattr(tagging, "TEST_ROWS", 100)
    write_tagging(tmp_path)
    names = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.jsonl"))
    assert names == ["test/test.jsonl", *(f"train/2026-0{month}.jsonl" for month in range(1, 5))]
    rows = [json.loads(line) for name in names for line in (tmp_path / name).read_text().splitlines()]
    assert len({row["id"] for row in rows}) == len(rows) == 500
    assert {tuple(row) for row in rows} == {("id", "tokens", "tags", "intent")}
