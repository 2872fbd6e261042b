"""Reading on behind a record at fault: what follows is read exactly, or the file is refused."""

from __future__ import annotations

import gzip
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqline.data.readers import read_rows
from seqline.data.refusals import RefusedRecord
from seqline.data.streams import Limits
from seqline.errors import InputError


def sorted_out(path: Path, **limits: int) -> tuple[list[tuple[int, dict[str, object]]], list[RefusedRecord]]:
    refused: list[RefusedRecord] = []
    rows = [(r.line, r.values) for r in read_rows(path, limits=Limits(**limits), on_refused=refused.append)]
    return rows, refused


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


# Name, content, good rows as (line, value of the first column), refused as (line, raw text, part of the reason).
MIXED = [
    ("short.csv", b"a,b\n1\n2,2\n", [(3, "2")], [(2, "1\n", "1 field")]),
    ("long.csv", b"a,b\n1,1\n2,2,2\n3,3\n", [(2, "1"), (4, "3")], [(3, "2,2,2\n", "3 fields")]),
    ("empty_line.csv", b"a,b\n\n2,2\n", [(3, "2")], [(2, "\n", "an empty line")]),
    ("bare_quote.csv", b'a,b\n1,5" or 6"\n2,2\n', [(3, "2")], [(2, '1,5" or 6"\n', "a bare quote")]),
    ("after_quote.csv", b'a,b\n"1"x,1\n2,2\n', [(3, "2")], [(2, '"1"x,1\n', "text after a closing")]),
    ("return.csv", b"a,b\n1,x\ry\n2,2\n", [(3, "2")], [(2, "1,x\ry\n", "carriage return")]),
    ("latin1.csv", b"a,b\n1,caf\xe9\n2,2\n", [(3, "2")], [(2, "1,caf\udce9\n", "byte 0xe9 at byte 9")]),
    ("nul.csv", b"a,b\n1,\x00\n2,2\n", [(3, "2")], [(2, "1,\x00\n", "NUL")]),
    (
        "latin1_in_quotes.csv",
        b'a,b\n1,"x\ncaf\xe9\n"\n2,"y\nz"\n',
        [(5, "2")],
        [(2, '1,"x\ncaf\udce9\n"\n', "not UTF-8: byte 0xe9 at byte 12")],
    ),
    ("short_quoted.csv", b'a,b\n"x\ny"\n2,2\n', [(4, "2")], [(2, '"x\ny"\n', "1 field")]),
    ("short.tsv", b"a\tb\n1\n2\t2\n", [(3, "2")], [(2, "1\n", "1 field")]),
    ("latin1.tsv", b"a\tb\n1\t\xe9\n2\t2\n", [(3, "2")], [(2, "1\t\udce9\n", "not UTF-8")]),
    ("packed.csv.gz", b"a,b\n1\n2,2\n", [(3, "2")], [(2, "1\n", "1 field")]),
    ("broken.jsonl", b'{"a":1}\n{"a":\n{"a":3}\n', [(1, 1), (3, 3)], [(2, '{"a":\n', "not JSON")]),
    ("first_broken.jsonl", b'{"a"\n{"a":2}\n', [(2, 2)], [(1, '{"a"\n', "not JSON")]),
    ("latin1.jsonl", b'{"a":"\xe9"}\n{"a":2}\n', [(2, 2)], [(1, '{"a":"\udce9"}\n', "not UTF-8")]),
    (
        "first_other.jsonl",
        b'{"b":1}\n{"a":2}\n{"a":3}\n{"a":4,"b":5}\n',
        [(2, 2), (3, 3)],
        [(1, '{"b":1}\n', "missing 'a'; extra 'b'"), (4, '{"a":4,"b":5}\n', "extra 'b'")],
    ),
    (
        "all_broken.jsonl",
        b"1\nNaN\n",
        [],
        [(1, "1\n", "instead of an object"), (2, "NaN\n", "not a JSON number")],
    ),
]


@pytest.mark.parametrize(("name", "content", "good", "refused"), MIXED, ids=[case[0] for case in MIXED])
def test_the_records_around_one_at_fault_are_read(
    tmp_path: Path,
    name: str,
    content: bytes,
    good: list[tuple[int, object]],
    refused: list[tuple[int, str, str]],
) -> None:
    rows, found = sorted_out(write(tmp_path / name, content))
    assert [(line, next(iter(values.values()))) for line, values in rows] == good
    assert [(record.line, record.raw) for record in found] == [(line, raw) for line, raw, _ in refused]
    for record, (line, _, part) in zip(found, refused, strict=True):
        assert part in record.error.found
        assert record.error.where.endswith(f" line {line}") or "\n" in record.raw.rstrip("\n")


# Where the next record begins is a guess, or no row could be told from another.
REFUSED_WHOLE = [
    ("never_closed.csv", b'a,b\n1,1\n2,"x\n3,3\n4,4\n', "never closed"),
    ("swallowed.csv", b'a,b\n1,"x\n2,2\n3,3\n4,"y"\n', "text after a closing quote"),
    ("odd_quote.csv", b'a,b\n1,5" disk\n2,2\n', "a bare quote"),
    ("header.csv", b"a,a\n1,1\n", "repeats the name"),
    ("header_latin1.csv", b"a,\xe9\n1,1\n", "not UTF-8"),
    ("header_only.csv", b"a,b\n", "no rows"),
    ("utf16.csv", "a,b\n1,2\n".encode("utf-16"), "UTF-16"),
    ("empty.jsonl", b"", "empty file"),
]


@pytest.mark.parametrize(("name", "content", "part"), REFUSED_WHOLE, ids=[case[0] for case in REFUSED_WHOLE])
def test_a_file_without_a_certain_next_record_is_refused(
    tmp_path: Path, name: str, content: bytes, part: str
) -> None:
    with pytest.raises(InputError, match=part):
        sorted_out(write(tmp_path / name, content))


def test_a_field_beyond_the_cap_is_refused_with_its_row(tmp_path: Path) -> None:
    long = b"x" * 50
    for name, content in [
        ("t.csv", b"a,b\n1," + long + b"\n2,2\n"),
        ("quoted.csv", b'a,b\n1,"' + long + b'"\n2,2\n'),
        ("t.jsonl", b'{"a":"2"}\n{"a":"' + long + b'"}\n'),
    ]:
        rows, found = sorted_out(write(tmp_path / name, content), field_characters=20)
        assert [values["a"] for _, values in rows] == ["2"]
        assert "50 characters" in found[0].error.found


def test_a_parquet_row_at_fault_is_refused_by_its_number(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": ["x", "y\0", "z"], "b": [1.0, 2.0, float("nan")]}), tmp_path / "t.parquet")
    rows, found = sorted_out(tmp_path / "t.parquet")
    assert rows == [(1, {"a": "x", "b": 1.0})]
    assert [(record.line, record.error.found.split(" ")[0]) for record in found] == [(2, "NUL"), (3, "a")]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.text('",\rab', max_size=8), max_size=8))
def test_the_rows_are_those_of_the_file_without_the_refused_lines(lines: list[str]) -> None:
    text = "h,i\n" + "".join(line + "\n" for line in ["1,2", *lines, "3,4"])
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder) / "t.csv", text.encode())
        try:
            rows, refused = sorted_out(path)
        except InputError:
            return
        kept = text.split("\n")[:-1]
        for record in reversed(refused):
            count = record.raw.count("\n")
            assert "\n".join(kept[record.line - 1 : record.line - 1 + count]) + "\n" == record.raw
            del kept[record.line - 1 : record.line - 1 + count]
        write(path, "".join(line + "\n" for line in kept).encode())
        assert [row.values for row in read_rows(path)] == [values for _, values in rows]
