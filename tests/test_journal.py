"""Journals: lines are whole or absent, whoever writes and whenever it is killed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from seqline.errors import SeqlineError
from seqline.journal import Journal


def test_what_was_appended_comes_back_in_order(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "new" / "a.jsonl")
    assert journal.records() == []
    journal.append({"n": 1, "text": "ü\n"})
    journal.append({"n": 2})
    assert journal.records() == [{"n": 1, "text": "ü\n"}, {"n": 2}]


def test_a_torn_last_line_never_counted_and_the_next_append_removes_it(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "a.jsonl")
    journal.append({"n": 1})
    with journal.path.open("ab") as handle:
        handle.write(b'{"n": 2, "te')
    assert journal.records() == [{"n": 1}]
    journal.append({"n": 3})
    assert journal.records() == [{"n": 1}, {"n": 3}]


@pytest.mark.parametrize("damage", [b"not json\n", b"[1]\n", b"\xff\n"])
def test_a_damaged_line_is_named(tmp_path: Path, damage: bytes) -> None:
    journal = Journal(tmp_path / "a.jsonl")
    journal.append({"n": 1})
    journal.path.write_bytes(journal.path.read_bytes() + damage)
    with pytest.raises(SeqlineError, match=r"a\.jsonl, line 2"):
        journal.records()


def test_writers_at_once_lose_no_line(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "a.jsonl")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: journal.append({"n": n, "fill": "x" * 500}), range(80)))
    assert sorted(record["n"] for record in journal.records()) == list(range(80))
