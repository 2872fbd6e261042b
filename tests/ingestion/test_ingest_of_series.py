"""Stretches of series that come in: whatever their length, they join the series they go on with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from planted_faults import write_json

from seqline.config import write_yaml
from seqline.data.rows import read_split
from seqline.data.window_store import read_windows
from seqline.errors import InputError
from seqline.ingestion import ingest
from seqline.stages import prepare, validate
from seqline.workspace import Workspace

NAME = "tiny"
STEPS = 60
RECIPE: dict[str, Any] = {
    "task": "forecasting",
    "input": {"kind": "history", "column": "value", "series": "shop", "context_length": 14},
    "target": {"column": "value", "horizon": 7},
    "validation": {"min_rows": 1},
    "split": {"valid": 0.15, "test": 0.15},
    **{section: {} for section in ("model", "training", "evaluation", "gate", "retrain")},
}


def days(first: int, count: int) -> list[str]:
    return [str(np.datetime64("2026-01-05") + first + step) for step in range(count)]


def row(number: int, shop: str, first: int, count: int) -> dict[str, Any]:
    values = [float(step % 7 + 10 * len(shop)) for step in range(first, first + count)]
    return {"id": f"{shop}/{number}", "shop": shop, "timestamps": days(first, count), "value": values}


@pytest.fixture
def shops(listed: Workspace) -> Workspace:
    """A project with two shops of sixty days; nothing but the timestamps says that they are days."""
    write_yaml(listed.recipe_path(NAME), RECIPE)
    for path in [*(listed.data_folder(NAME)).glob("*/*")]:
        path.unlink()
    (listed.data_folder(NAME) / "test").rmdir()
    write_json(
        listed.data_folder(NAME) / "train" / "2026-01.jsonl",
        [row(0, "a", 0, STEPS), row(0, "bb", 0, STEPS)],
    )
    from listing import record_listing

    record_listing(listed.root, "add")
    return listed


def dealt(workspace: Workspace, output: Path) -> Path:
    recipe, data = workspace.recipe(NAME), workspace.data_folder(NAME)
    validate.run(recipe, data_folder=data, output_folder=output / "validate")
    prepare.run(recipe, data_folder=data, output_folder=output / "prepare")
    return output / "prepare"


@pytest.mark.parametrize("lengths", [(1, 1, 1), (2, 1), (5,), (3, 14)])
def test_stretches_shorter_than_a_window_join_their_series(shops, tmp_path, lengths) -> None:
    before = read_windows(dealt(shops, tmp_path / "before"), "test")
    first = STEPS
    for number, length in enumerate(lengths, start=1):
        source = shops.incoming_folder(NAME) / f"day{number}.jsonl"
        write_json(source, [row(number, shop, first, length) for shop in ("a", "bb")])
        report = ingest(shops, NAME)
        assert (report.rows_in, report.quarantined) == (2, 0)
        first += length
    prepared = dealt(shops, tmp_path / "after")
    after = read_windows(prepared, "test")
    assert [len(one) for one in after.series] == [first, first] != [len(one) for one in before.series]
    assert {str(one.grid.frequency) for one in after.series} == {"D"}
    newest = read_split(prepared, "test")
    assert max(newest.ids).split("@")[0] == "bb" and len({one.split("@")[0] for one in newest.ids}) == 2
    last = max(one.split("@")[1] for one in newest.ids)
    assert days(first - 14, 8)[0] <= last <= days(first - 7, 1)[0]


def test_a_stretch_that_leaves_a_gap_comes_in_and_prepare_names_the_gap(shops, tmp_path) -> None:
    source = shops.incoming_folder(NAME) / "late.jsonl"
    write_json(source, [row(1, "a", STEPS + 2, 1)])
    assert ingest(shops, NAME).rows_in == 1
    with pytest.raises(InputError, match=f"series a: gaps at {days(STEPS, 1)[0]}, {days(STEPS + 1, 1)[0]}"):
        dealt(shops, tmp_path)
    assert not (tmp_path / "prepare").exists()


def test_a_timestamp_that_is_none_is_set_aside(shops) -> None:
    source = shops.incoming_folder(NAME) / "odd.jsonl"
    good = [row(number, "a", STEPS + number, 1) for number in range(60)]
    write_json(source, [*good, {**row(99, "a", 0, 1), "timestamps": ["yesterday"]}])
    report = ingest(shops, NAME)
    assert (report.rows_in, report.quarantined) == (60, 1)


def test_a_stretch_whose_days_are_there_already_is_set_aside(shops, tmp_path) -> None:
    source = shops.incoming_folder(NAME) / "again.jsonl"
    rows = [
        row(1, "a", STEPS, 3),
        row(2, "a", STEPS + 2, 4),  # one day is in the row before
        row(3, "bb", STEPS - 5, 10),  # five days are in train
        row(4, "bb", STEPS, 1),
        {**row(0, "a", 0, STEPS), "id": "a/9"},  # the same row under another id
    ]
    write_json(source, rows)
    report = ingest(shops, NAME)
    assert (report.rows_in, report.already_seen, report.quarantined) == (2, 1, 2)
    (quarantine,) = shops.quarantine_folder(NAME).glob("*")
    told = quarantine.read_text(encoding="utf-8")
    assert f"1 of 4 timestamps are in series 'a' already, the first is {days(STEPS + 2, 1)[0]}" in told
    assert f"5 of 10 timestamps are in series 'bb' already, the first is {days(STEPS - 5, 1)[0]}" in told
    assert [len(one) for one in read_windows(dealt(shops, tmp_path), "test").series] == [STEPS + 3, STEPS + 1]


def test_where_the_recipe_says_which_value_counts_a_day_may_come_again(shops, tmp_path) -> None:
    write_yaml(shops.recipe_path(NAME), {**RECIPE, "input": {**RECIPE["input"], "duplicates": "last"}})
    source = shops.incoming_folder(NAME) / "again.jsonl"
    write_json(source, [row(1, "a", STEPS - 5, 10)])
    assert ingest(shops, NAME).rows_in == 1
    assert len(read_windows(dealt(shops, tmp_path), "test").series[0]) == STEPS + 5
