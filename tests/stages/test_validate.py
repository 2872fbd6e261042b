"""The stage writes the same bytes for the same data, refuses with a table, and leaves a good output alone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from seqline.config import parse_recipe
from seqline.errors import InputError, ValidationFailed
from seqline.files import sha256_file, verify_manifest
from seqline.recipe import Recipe
from seqline.stages import validate


def make_recipe(**sections: Any) -> Recipe:
    names = ("validation", "split", "model", "training", "evaluation", "gate")
    given: dict[str, Any] = {
        "task": "classification",
        "input": {"column": "text"},
        "target": {"column": "label", "classes": ["bad", "good"]},
    }
    return parse_recipe({**given, **{name: {} for name in names}, **sections}, "recipe of the test")


def write_rows(folder: Path, rows: Sequence[dict[str, Any]]) -> None:
    folder.mkdir(parents=True)
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def rows(split: str, count: int) -> list[dict[str, Any]]:
    return [
        {"id": f"{split}-{i}", "text": f"{split} text {i}", "label": ("bad", "good")[i % 2]}
        for i in range(count)
    ]


def make_data(folder: Path, *, faulty: bool = False) -> Path:
    train = rows("train", 60)
    train[7]["text"] = "bell \x07"
    if faulty:
        train[4]["label"] = "so-so \x1b[31m"
        train[5]["label"] = "so-so"
    write_rows(folder / "train", train)
    write_rows(folder / "test", rows("test", 20))
    return folder


def test_result_has_the_same_bytes_for_the_same_data_anywhere(tmp_path: Path) -> None:
    for name in ("a", "b"):
        data = make_data(tmp_path / name / "data")
        validate.run(make_recipe(), data_folder=data, output_folder=tmp_path / name / "out")
    verify_manifest(tmp_path / "a" / "out")
    for file in ("result.json", "manifest.json"):
        assert sha256_file(tmp_path / "a" / "out" / file) == sha256_file(tmp_path / "b" / "out" / file)
    result = json.loads((tmp_path / "a" / "out" / "result.json").read_text())
    assert (result["passed"], result["worst_failure"], result["rows"]) == (
        True,
        "warning",
        {"train": 60, "test": 20},
    )
    assert result["totals"]["failed_warning"] == 1
    (warning,) = [check for check in result["checks"] if not check["success"]]
    assert warning["examples"] == [{"id": "train-7", "place": "train/rows.jsonl line 8", "found": "U+0007"}]


def test_a_critical_failure_refuses_with_a_table_and_leaves_the_output_alone(tmp_path: Path) -> None:
    output = tmp_path / "out"
    validate.run(make_recipe(), data_folder=make_data(tmp_path / "good"), output_folder=output)
    before = sha256_file(output / "manifest.json")
    docs = tmp_path / "docs"
    data = make_data(tmp_path / "faulty", faulty=True)
    with pytest.raises(ValidationFailed) as refusal:
        validate.run(make_recipe(), data_folder=data, output_folder=output, docs_folder=docs)
    assert refusal.value.exit_code == 3
    message = str(refusal.value)
    assert "1 critical check failed" in message
    assert "labels are classes of the recipe" in message
    assert "2 of 60 (3.3 %)" in message
    assert "train-4 (so-so ?[31m), train-5 (so-so)" in message
    assert str(docs / "index.html") in message
    assert "\x1b" not in message
    verify_manifest(output)
    assert sha256_file(output / "manifest.json") == before
    assert json.loads((docs / "result.json").read_text())["passed"] is False
    assert (docs / "index.html").is_file()


def test_a_first_failure_writes_no_output(tmp_path: Path) -> None:
    data = make_data(tmp_path / "faulty", faulty=True)
    with pytest.raises(ValidationFailed):
        validate.run(make_recipe(), data_folder=data, output_folder=tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["faulty"]


def test_table_shows_failures_and_everything(tmp_path: Path) -> None:
    result = validate.run(
        make_recipe(), data_folder=make_data(tmp_path / "data"), output_folder=tmp_path / "out"
    )
    short = validate.table(result, failures_only=True).splitlines()
    assert len(short) == 2
    assert short[1].split()[:2] == ["warning", "train"]
    assert "train-7 (U+0007)" in short[1]
    assert len(validate.table(result).splitlines()) == len(result.checks) + 1


def test_train_alone_needs_a_test_share(tmp_path: Path) -> None:
    write_rows(tmp_path / "data" / "train", rows("train", 60))
    with pytest.raises(InputError, match=r"split\.test is 0"):
        validate.run(make_recipe(), data_folder=tmp_path / "data", output_folder=tmp_path / "out")
    result = validate.run(
        make_recipe(split={"test": 0.2}), data_folder=tmp_path / "data", output_folder=tmp_path / "out"
    )
    assert result.rows == {"train": 60}


@pytest.mark.parametrize(
    ("file", "content"),
    [
        (None, None),
        ("rows.jsonl", b""),
        ("rows.jsonl", b'{"id": "a", "text": "b"'),
        ("rows.jsonl", b'{"id": "\xff"}\n'),
    ],
)
def test_unreadable_train_is_an_input_error_and_writes_nothing(
    tmp_path: Path, file: str | None, content: bytes | None
) -> None:
    data = tmp_path / "data"
    (data / "train").mkdir(parents=True)
    write_rows(data / "test", rows("test", 20))
    if file and content is not None:
        (data / "train" / file).write_bytes(content)
    with pytest.raises(InputError) as refusal:
        validate.run(
            make_recipe(), data_folder=data, output_folder=tmp_path / "out", docs_folder=tmp_path / "docs"
        )
    assert refusal.value.exit_code == 2
    assert str(data / "train") in str(refusal.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data"]


def test_a_missing_folder_is_an_input_error(tmp_path: Path) -> None:
    (tmp_path / "data" / "test").mkdir(parents=True)
    with pytest.raises(InputError, match="no such folder"):
        validate.run(make_recipe(), data_folder=tmp_path / "data", output_folder=tmp_path / "out")


class Vocabulary:
    """A real, tiny tokenizer: words apart from the given ones are unknown."""

    def __init__(self, *known: str) -> None:
        self.known = known

    def unknown_share(self, texts: Sequence[str]) -> float:
        words = [word for text in texts for word in text.split()]
        return sum(word not in self.known for word in words) / len(words)


def test_the_champions_tokenizer_must_know_the_words(tmp_path: Path) -> None:
    write_rows(tmp_path / "data" / "train", rows("train", 60))
    path = tmp_path / "champion.json"
    recipe = make_recipe(validation={"max_unknown_share": 0.34})
    data = tmp_path / "data"
    result = validate.run_against_champion(
        recipe, data_folder=data, tokenizer=Vocabulary("train", "text"), result_path=path
    )
    assert result.checks[0].observed == pytest.approx(1 / 3, abs=1e-6)
    with pytest.raises(ValidationFailed, match=r"found 0\.666667"):
        validate.run_against_champion(
            recipe, data_folder=data, tokenizer=Vocabulary("text"), result_path=path
        )
    assert json.loads(path.read_text())["passed"] is False
