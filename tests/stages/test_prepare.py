"""prepare on real rows: splits without leaks, arrays that say what the rows said, the same bytes again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from seqline.config import parse_recipe
from seqline.data.arrays import read_arrays
from seqline.data.rows import read_split
from seqline.data.splits import SPLITS, normalise
from seqline.data.tokenization import TOKENIZER_FILE, TextTokenizer
from seqline.errors import InputError
from seqline.files import files_below, verify_manifest
from seqline.recipe import Recipe
from seqline.stages import prepare


def recipe(**sections: dict[str, Any]) -> Recipe:
    values: dict[str, Any] = {
        "task": "classification",
        "input": {"column": "text", "min_count": 1},
        "target": {"column": "label", "classes": ["neg", "pos"]},
        **{name: {} for name in ("validation", "model", "training", "evaluation", "gate")},
        "split": {"valid": 0.2, "test": 0.2},
    }
    for name, changes in sections.items():
        values[name] = {**values[name], **changes}
    return parse_recipe(values, "test")


def write_rows(folder: Path, rows: list[dict[str, Any]]) -> None:
    folder.mkdir(parents=True)
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def make_rows(count: int, prefix: str = "r") -> list[dict[str, Any]]:
    return [
        {
            "id": f"{prefix}{i}",
            "text": f"text number {prefix} {i} is {'good' if i % 2 else 'bad'}",
            "label": "pos" if i % 2 else "neg",
            "shop": f"s{i % 7}",
        }
        for i in range(count)
    ]


def test_arrays_and_rows_agree_and_every_row_is_somewhere(tmp_path: Path) -> None:
    write_rows(tmp_path / "data" / "train", make_rows(200))
    statistics = prepare.run(recipe(), data_folder=tmp_path / "data", output_folder=tmp_path / "out")
    tokenizer = TextTokenizer.load(tmp_path / "out" / TOKENIZER_FILE, recipe().input)
    seen = []
    for split in SPLITS:
        rows, arrays = read_split(tmp_path / "out", split), read_arrays(tmp_path / "out", split)
        seen += rows.ids
        assert [ids.tolist() for ids in tokenizer.encode(rows.inputs)] == [
            arrays.sequence(i).tolist() for i in range(len(arrays))
        ]
        assert rows.targets.tolist() == arrays.targets.tolist()
        assert all(
            ("good" in text) == bool(target) for text, target in zip(rows.inputs, rows.targets, strict=True)
        )
        assert rows.columns["shop"] == [f"s{int(i[1:]) % 7}" for i in rows.ids]
        assert statistics["splits"][split]["rows"] == len(rows)
    assert sorted(seen) == sorted(row["id"] for row in make_rows(200))
    verify_manifest(tmp_path / "out")


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    write_rows(tmp_path / "data" / "train", make_rows(120))
    for name in ("a", "b"):
        prepare.run(recipe(), data_folder=tmp_path / "data", output_folder=tmp_path / name)
    first, second = ({p.name: p.read_bytes() for p in files_below(tmp_path / name)} for name in ("a", "b"))
    assert first == second


def test_the_tokenizer_has_seen_train_only(tmp_path: Path) -> None:
    write_rows(tmp_path / "data" / "train", make_rows(200))
    prepare.run(recipe(), data_folder=tmp_path / "data", output_folder=tmp_path / "out")
    vocabulary = TextTokenizer.load(tmp_path / "out" / TOKENIZER_FILE, recipe().input).tokenizer.get_vocab()
    for split in ("valid", "test"):
        for identifier in read_split(tmp_path / "out", split).ids:
            assert identifier[1:] not in vocabulary


def test_altered_copies_never_straddle_splits(tmp_path: Path) -> None:
    rows = make_rows(150)
    copies = [{**row, "id": f"copy-{row['id']}", "text": f"  {row['text'].upper()} "} for row in rows[:100]]
    write_rows(tmp_path / "data" / "train", rows + copies)
    prepare.run(recipe(), data_folder=tmp_path / "data", output_folder=tmp_path / "out")
    texts = {split: {normalise(t) for t in read_split(tmp_path / "out", split).inputs} for split in SPLITS}
    assert not texts["train"] & texts["valid"]
    assert not (texts["train"] | texts["valid"]) & texts["test"]


def test_rows_of_one_group_stay_together(tmp_path: Path) -> None:
    write_rows(
        tmp_path / "data" / "train", [{**row, "shop": f"s{i // 4}"} for i, row in enumerate(make_rows(400))]
    )
    prepare.run(recipe(split={"by": "shop"}), data_folder=tmp_path / "data", output_folder=tmp_path / "out")
    shops = {split: set(read_split(tmp_path / "out", split).columns["shop"]) for split in SPLITS}
    assert not shops["train"] & shops["valid"]
    assert not (shops["train"] | shops["valid"]) & shops["test"]


def test_train_rows_that_the_test_file_holds_are_left_out_and_counted(tmp_path: Path) -> None:
    train = make_rows(100)
    write_rows(tmp_path / "data" / "train", train)
    write_rows(
        tmp_path / "data" / "test",
        [{**row, "id": f"t{row['id']}", "text": row["text"].title()} for row in train[:7]]
        + make_rows(20, "t"),
    )
    statistics = prepare.run(
        recipe(split={"test": 0.0}), data_folder=tmp_path / "data", output_folder=tmp_path / "out"
    )
    assert statistics["left_out_as_leaks"] == 7
    assert statistics["splits"]["test"]["rows"] == 27


def test_statistics_tell_what_was_cut_and_unknown(tmp_path: Path) -> None:
    write_rows(tmp_path / "data" / "train", make_rows(100))
    write_rows(
        tmp_path / "data" / "test", [{"id": "t", "text": "unseen " * 3 + "good", "label": "pos", "shop": "s"}]
    )
    statistics = prepare.run(
        recipe(input={"max_length": 3}, split={"test": 0.0}),
        data_folder=tmp_path / "data",
        output_folder=tmp_path / "out",
    )
    assert statistics["splits"]["test"]["unknown_share"] == 0.75
    assert statistics["splits"]["test"]["truncated_share"] == 1.0
    assert statistics["splits"]["test"]["length_quantiles"]["50%"] == 4
    assert statistics["splits"]["test"]["labels"] == {"neg": 0, "pos": 1}


@pytest.mark.parametrize(
    ("changes", "test_rows", "found"),
    [
        ({"split": {"test": 0.2}}, True, "a test set, while the recipe takes 20% of train"),
        ({"split": {"test": 0.0}}, False, "no test set"),
        ({"target": {"classes": ["neg", "other"]}}, False, "label 'pos'"),
        ({"input": {"column": "body"}}, False, "no column 'body'"),
        ({"split": {"by": "film"}}, False, "no column 'film'"),
    ],
)
def test_what_does_not_fit_is_refused_and_the_old_output_stays(
    tmp_path: Path, changes: dict[str, Any], test_rows: bool, found: str
) -> None:
    write_rows(tmp_path / "data" / "train", make_rows(60))
    if test_rows:
        write_rows(tmp_path / "data" / "test", make_rows(10, "t"))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "old").write_text("old")
    with pytest.raises(InputError, match=found):
        prepare.run(recipe(**changes), data_folder=tmp_path / "data", output_folder=tmp_path / "out")
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["old"]
