"""Batches and windows: dates decide, not the alphabet."""

from __future__ import annotations

from pathlib import Path

import pytest

from seqline.data.batches import batches_in, in_window
from seqline.data.readers import rows_in
from seqline.errors import InputError
from seqline.recipe import WindowSection

NAMES = ["imported.jsonl", "2026-02.jsonl", "2026-01-31.jsonl", "2026-02-03T101500.jsonl", ".hidden"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in NAMES:
        (tmp_path / name).write_text(f'{{"id": "{name}"}}\n', encoding="utf-8")
    return tmp_path


def names(folder: Path, **window: object) -> list[str]:
    chosen = in_window(batches_in(folder), WindowSection.model_validate(window))
    return [batch.name for batch in chosen]


def test_a_batch_without_a_date_is_the_oldest(folder: Path) -> None:
    assert names(folder) == ["imported.jsonl", "2026-01-31.jsonl", "2026-02.jsonl", "2026-02-03T101500.jsonl"]


def test_the_last_k_batches_are_the_newest(folder: Path) -> None:
    assert names(folder, last=2) == ["2026-02.jsonl", "2026-02-03T101500.jsonl"]
    assert len(names(folder, last=9)) == 4


def test_since_takes_a_month_whole_and_leaves_out_what_has_no_date(folder: Path) -> None:
    assert names(folder, since="2026-02") == ["2026-02.jsonl", "2026-02-03T101500.jsonl"]
    assert names(folder, since="2026-02-02") == ["2026-02.jsonl", "2026-02-03T101500.jsonl"]
    assert names(folder, since="2026-01-31")[0] == "2026-01-31.jsonl"


def test_a_window_without_batches_is_refused_with_the_newest_date(folder: Path) -> None:
    with pytest.raises(InputError, match="2026-02-03T101500"):
        names(folder, since="2027-01")


def test_rows_come_from_the_window_in_the_order_of_batches(folder: Path) -> None:
    window = WindowSection.model_validate({"last": 3})
    assert [row.values["id"] for row in rows_in(folder, window=window)] == [*NAMES[2:0:-1], NAMES[3]]


def test_both_rules_at_once_are_refused() -> None:
    with pytest.raises(ValueError, match="last and since"):
        WindowSection.model_validate({"last": 1, "since": "2026-01"})
