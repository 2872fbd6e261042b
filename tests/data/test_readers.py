"""Every file is read exactly or refused with the line and the reason."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import subprocess
import sys
import tempfile
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqline.data import streams
from seqline.data.readers import read_rows, rows_in
from seqline.data.streams import Limits
from seqline.errors import InputError

SHARED = Path(__file__).parents[2].parent / "shared" / "data"

# Strings that have broken readers: quoting, white space, direction marks, line separators that end no line,
# words that other readers take for missing values or numbers, formulas, markup, control characters.
NAUGHTY = [
    "",
    " ",
    "  leading and trailing  ",
    "null",
    "NULL",
    "None",
    "NA",
    "N/A",
    "nan",
    "-",
    "true",
    "007",
    "1e5",
    "0x1F",
    "1,000.00",
    '"',
    '""',
    '"quoted"',
    'he said "no", twice',
    "a,b",
    "a;b",
    "a\nb",
    "a\r\nb",
    "a\rb",
    "\n",
    "\r",
    "\t",
    "tab\there",
    "back\\slash",
    "\\n",
    "'; DROP TABLE reviews; --",
    "=1+1",
    "@SUM(A1)",
    "<br /><script>alert(1)</script>",
    "next\u0085line",
    "line\u2028separator",
    "paragraph\u2029separator",
    "vertical\x0btab",
    "form\x0cfeed",
    "bell\x07escape\x1b[31m",
    "non\u00a0breaking",
    "zero\u200bwidth",
    "\ufeffmark inside",
    "\u202eright to left",
    "e\u0301 and \u00e9",
    "日本語、テキスト",
    "اَلْعَرَبِيَّةُ",
    "👩‍👩‍👧‍👦🇺🇳",
    "𝕳𝖊𝖑𝖑𝖔",
    "\U0010ffff\ufffe",
    "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢",
    "x" * 100_000,
]


def write(path: Path, content: str | bytes, *, packed: bool = False) -> Path:
    data = content.encode() if isinstance(content, str) else content
    path = path.with_name(path.name + ".gz") if packed else path
    path.write_bytes(gzip.compress(data) if packed else data)
    return path


def values(path: Path) -> list[dict[str, object]]:
    return [row.values for row in read_rows(path)]


def refusal(path: Path, **limits: float) -> InputError:
    with pytest.raises(InputError) as caught:
        list(read_rows(path, limits=Limits(**limits)))
    assert caught.value.exit_code == 2
    assert str(path) in caught.value.where
    return caught.value


# Name, content, the line the message names (None: the file as a whole), parts of the message.
DIRTY = [
    ("empty.csv", b"", None, ["empty file"]),
    ("mark_only.csv", b"\xef\xbb\xbf", None, ["empty file"]),
    ("header_only.csv", b"id,text\n", 1, ["a header and no rows"]),
    ("long_row.csv", b"a,b\n1,2\n1,2,3\n", 3, ["3 fields", "expected: 2", "'a', 'b'"]),
    ("short_row.csv", b"a,b,c\n1,2,3\n1,2\n", 3, ["2 fields", "expected: 3"]),
    ("comma_at_end.csv", b"a,b\n1,2,\n", 2, ["3 fields"]),
    ("long_after_newline.csv", b'a,b\n"1\n\n",2\n"x\ny",2,3\n', 5, ["3 fields"]),
    ("empty_line.csv", b"a,b\n1,2\n\n3,4\n", 3, ["an empty line"]),
    ("empty_last_line.csv", b"a,b\n1,2\n\n", 3, ["an empty line"]),
    ("empty_line_one_column.csv", b"a\n1\n\n", 3, ["an empty line", '""']),
    ("empty_header.csv", b"\na,b\n", 1, ["no column names"]),
    ("latin1.csv", b"a,b\n1,caf\xe9\n", 2, ["not UTF-8", "byte 0xe9 at byte 9 of the file", "iconv"]),
    ("latin1_after_mark.csv", b"\xef\xbb\xbfa\n\xff\n", 2, ["byte 0xff at byte 5"]),
    ("latin1_first_line.csv", b"\xef\xbb\xbfa\xff\n", 1, ["byte 0xff at byte 4"]),
    ("cut_character.csv", b"a\n1\n\xe2\x82", 3, ["not UTF-8", "byte 4"]),
    ("surrogate_bytes.csv", b"a\n\xed\xa0\x80\n", 2, ["not UTF-8", "0xed"]),
    ("overlong.csv", b"a\n\xc0\xaf\n", 2, ["not UTF-8"]),
    ("utf16.csv", "a,b\n1,2\n".encode("utf-16"), 1, ["UTF-16", "save the file as UTF-8"]),
    ("utf16_be.csv", b"\xfe\xff\x00a", 1, ["UTF-16"]),
    ("utf16_without_mark.csv", "a,b\n1,2\n".encode("utf-16-le"), 1, ["NUL", "byte 1"]),
    ("nul.csv", b'a,b\n1,"x\x00y"\n', 2, ["NUL character (U+0000)", "byte 8"]),
    ("really_gzip.csv", gzip.compress(b"a\n1\n"), 1, ["gzip data", ".gz"]),
    ("really_excel.csv", b"PK\x03\x04...\n", 1, ["zip", "CSV"]),
    ("never_closed.csv", b'a,b\n1,2\n3,"open\n4,5\n6,7\n', 3, ["opens at character 3", "never closed"]),
    ("never_closed_header.csv", b'a,"b\n1,2\n', 1, ["never closed"]),
    ("never_closed_escaped.csv", b'a,b\n1,"x""\n', 2, ["never closed"]),
    ("text_after_quote.csv", b'a,b\n"x"y,2\n', 2, ["text after a closing quote", "'y,2'"]),
    ("space_after_quote.csv", b'a,b\n"x" ,2\n', 2, ["text after a closing quote"]),
    ("opened_earlier.csv", b'a,b\n1,"open\n2,"x"\n', 3, ["text after a closing quote", "opened on line 2"]),
    ("bare_quote.csv", b'a,b\n1,say "no"\n', 2, ["a bare quote", "character 7"]),
    ("space_before_quote.csv", b'a,b\n1, "x"\n', 2, ["a bare quote"]),
    ("old_mac.csv", b"a,b\r1,2\r", 1, ["carriage return", "character 4"]),
    ("lone_return.csv", b"a,b\n1,x\ry\n", 2, ["carriage return"]),
    ("lone_return_before_quote.csv", b'a,b,c\nx\ry,2,"3"\n', 2, ["carriage return", "character 2"]),
    ("lone_return_at_end.csv", b'a,b\n"1",x\ry\n', 2, ["carriage return", "character 6"]),
    ("return_after_quote.csv", b'a,b\n"x"\r,2\n', 2, ["carriage return"]),
    ("twice.csv", b"id,text,id\n1,2,3\n", 1, ["column 3 repeats the name 'id' of column 1"]),
    ("blank_name.csv", b"id, ,text\n1,2,3\n", 1, ["column 2 of 3 has a blank name"]),
    ("long_row.tsv", b"a\tb\n1\t2\t3\n", 2, ["3 fields"]),
    ("lone_return.tsv", b"a\tb\n1\tx\ry\n", 2, ["carriage return"]),
    ("empty_line.tsv", b"a\tb\n\n", 2, ["an empty line"]),
    ("empty.jsonl", b"", None, ["empty file"]),
    ("broken.jsonl", b'{"a": 1}\n{"a": 1,}\n', 2, ["not JSON", "character"]),
    ("python.jsonl", b"{'a': 1}\n", 1, ["not JSON"]),
    ("two_on_a_line.jsonl", b'{"a": 1} {"a": 2}\n', 1, ["not JSON: Extra data at character 10"]),
    ("spread.jsonl", b'{\n"a": 1\n}\n', 1, ["not JSON"]),
    ("array.jsonl", b"[1, 2]\n", 1, ["a list instead of an object"]),
    ("scalar.jsonl", b'{"a": 1}\n3\n', 2, ["instead of an object"]),
    ("null.jsonl", b"null\n", 1, ["null instead of an object"]),
    ("empty_line.jsonl", b'{"a": 1}\n\n', 2, ["an empty line"]),
    ("no_keys.jsonl", b"{}\n", 1, ["no column names"]),
    ("blank_key.jsonl", b'{"": 1}\n', 1, ["blank name"]),
    ("other_keys.jsonl", b'{"a": 1, "b": 2}\n{"a": 1, "c": 3}\n', 2, ["missing 'b'", "extra 'c'", "line 1"]),
    ("missing_key.jsonl", b'{"a": 1, "b": 2}\n{"a": 1}\n', 2, ["missing 'b'"]),
    ("nested.jsonl", b'{"a": {"b": 1}}\n', 1, ["a nested object under the key 'a'"]),
    ("list.jsonl", b'{"a": [1, {}]}\n', 1, ["a nested object in item 2 under the key 'a'"]),
    ("cube.jsonl", b'{"a": [[[1]]]}\n', 1, ["lists in lists in lists in item 1 in item 1 under the key 'a'"]),
    ("nan_in_list.jsonl", b'{"a": [1, NaN]}\n', 1, ["NaN, which is not a JSON number"]),
    ("infinite.jsonl", b'{"a": [[1e999]]}\n', 1, ["not finite", "in item 1 in item 1 under the key 'a'"]),
    ("truths.jsonl", b'{"a": [true]}\n', 1, ["a truth value in item 1"]),
    ("deep.jsonl", b'{"a":' + b"[" * 100_000 + b"\n", 1, ["nested too deeply"]),
    ("nan.jsonl", b'{"a": NaN}\n', 1, ["NaN", "null"]),
    ("infinity.jsonl", b'{"a": 1}\n{"a": -Infinity}\n', 2, ["-Infinity"]),
    ("overflow.jsonl", b'{"a": 1e999}\n', 1, ["not finite", "'a'"]),
    ("big.jsonl", b'{"a": 9223372036854775808}\n', 1, ["9223372036854775808", "64 bits"]),
    ("huge.jsonl", b'{"a": ' + b"9" * 5000 + b"}\n", 1, ["thousands of digits"]),
    ("key_twice.jsonl", b'{"a": 1}\n{"a": 1, "a": 2}\n', 2, ["'a' appears twice"]),
    ("lone_surrogate.jsonl", b'{"a": "x\\ud800y"}\n', 1, ["lone surrogate U+D800", "'a'"]),
    ("surrogate_key.jsonl", b'{"a\\udfff": 1}\n', 1, ["lone surrogate U+DFFF"]),
    ("escaped_nul.jsonl", b'{"a": "\\u0000"}\n', 1, ["NUL"]),
    ("raw_newline.jsonl", b'{"a": "x\ty"}\n', 1, ["not JSON: Invalid control character"]),
    ("latin1.jsonl", b'{"a": 1}\n{"a": "\xe9"}\n', 2, ["not UTF-8"]),
    ("no_break_space.jsonl", '{"a": 1}\u00a0\n'.encode(), 1, ["not JSON"]),
]


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gz"])
@pytest.mark.parametrize(("name", "content", "line", "parts"), DIRTY, ids=[case[0] for case in DIRTY])
def test_dirty_file_is_refused_with_its_line(
    tmp_path: Path, name: str, content: bytes, line: int | None, parts: list[str], packed: bool
) -> None:
    path = write(tmp_path / name, content, packed=packed)
    error = refusal(path)
    assert error.where == (str(path) if line is None else f"{path} line {line}")
    for part in parts:
        assert part in str(error)


CLEAN = [
    ("plain.csv", b"a,b\n1,2\n", [{"a": "1", "b": "2"}]),
    ("no_last_newline.csv", b"a,b\n1,2", [{"a": "1", "b": "2"}]),
    ("crlf.csv", b"a,b\r\n1,2\r\n", [{"a": "1", "b": "2"}]),
    ("mixed_ends.csv", b"a,b\r\n1,2\n3,4", [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]),
    ("mark.csv", b"\xef\xbb\xbfa,b\n1,2\n", [{"a": "1", "b": "2"}]),
    ("mark_quoted.csv", b'\xef\xbb\xbf"a",b\n1,2\n', [{"a": "1", "b": "2"}]),
    ("empty_values.csv", b'a,b,c\n,"",\n', [{"a": "", "b": "", "c": ""}]),
    ("one_column_empty.csv", b'a\n""\n', [{"a": ""}]),
    ("newlines.csv", b'a,b\n"x\n\ny\r\nz\r",2\r\n', [{"a": "x\n\ny\r\nz\r", "b": "2"}]),
    ("quotes.csv", b'a,b\n"""x"", he said",""""""""\n', [{"a": '"x", he said', "b": '"""'}]),
    ("quoted_newline_quote.csv", b'a,b\n"""\n""",2\n', [{"a": '"\n"', "b": "2"}]),
    ("quoted_header.csv", b'"a\nb","c,d"\n1,2\n', [{"a\nb": "1", "c,d": "2"}]),
    (
        "text_stays_text.csv",
        b"a,b,c,d\n007,NA,null,1.0\n",
        [{"a": "007", "b": "NA", "c": "null", "d": "1.0"}],
    ),
    ("semicolons.csv", b'a;b\r\n1,5;"x;""y"""\r\n', [{"a": "1,5", "b": 'x;"y"'}]),
    ("tabs.csv", b'a\tb\n1,5\t"x\ty"\n', [{"a": "1,5", "b": "x\ty"}]),
    ("comma_in_quoted_name.csv", b'"a,b";c\n1;2,3\n', [{"a,b": "1", "c": "2,3"}]),
    ("semicolon_in_quoted_name.csv", b'"a;b"\nx;y\n', [{"a;b": "x;y"}]),
    ("semicolons_in_values.csv", b"a,b\nx;y,z\n", [{"a": "x;y", "b": "z"}]),
    ("spaces.csv", b"a,b\n x , y\n", [{"a": " x ", "b": " y"}]),
    ("UPPER.CSV", b"a\n1\n", [{"a": "1"}]),
    ("quotes.tsv", b'a\tb\n"x\ty"z"\n', [{"a": '"x', "b": 'y"z"'}]),
    ("empty_values.tsv", b"a\tb\r\n\t\r\n", [{"a": "", "b": ""}]),
    ("one_column_empty.tsv", b"a\n\n", [{"a": ""}]),
    ("order.jsonl", b'{"a": 1, "b": "x"}\n{"b": "y", "a": 2}', [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]),
    ("crlf.ndjson", b'{"a": null}\r\n', [{"a": None}]),
    (
        "lists.jsonl",
        b'{"tokens": ["a", "\\u00e9"], "series": [[1, 2.5], [null, -3]], "line": [0], "none": []}\n',
        [{"tokens": ["a", "é"], "series": [[1, 2.5], [None, -3]], "line": [0], "none": []}],
    ),
    (
        "kinds.jsonl",
        b'{"s": "\\u00e9\\ud83d\\ude00\\n", "i": -9223372036854775808, "f": 1e-300, "t": true, "n": null}\n',
        [{"s": "é😀\n", "i": -(2**63), "f": 1e-300, "t": True, "n": None}],
    ),
]


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gz"])
@pytest.mark.parametrize(("name", "content", "expected"), CLEAN, ids=[case[0] for case in CLEAN])
def test_clean_file_is_read_exactly(
    tmp_path: Path, name: str, content: bytes, expected: list[dict[str, object]], packed: bool
) -> None:
    found = values(write(tmp_path / name, content, packed=packed))
    assert found == expected
    assert [list(row) for row in found] == [list(row) for row in expected]
    assert [[type(v) for v in row.values()] for row in found] == [
        [type(v) for v in row.values()] for row in expected
    ]


def test_rows_know_the_line_they_start_on(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", 'a,b\n"x\ny",1\nz,2\n"\n\n",3\nw,4\n')
    assert [(row.line, row.values["b"], row.source) for row in read_rows(path)] == [
        (2, "1", "t.csv"),
        (4, "2", "t.csv"),
        (5, "3", "t.csv"),
        (8, "4", "t.csv"),
    ]


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gz"])
@pytest.mark.parametrize("text", NAUGHTY, ids=range(len(NAUGHTY)))
def test_naughty_string_survives_each_format(tmp_path: Path, text: str, packed: bool) -> None:
    buffer = io.StringIO()
    csv.writer(buffer).writerows([["id", "text"], ["1", text]])
    assert values(write(tmp_path / "t.csv", buffer.getvalue(), packed=packed)) == [{"id": "1", "text": text}]
    for ascii_only in (True, False):
        line = json.dumps({"text": text}, ensure_ascii=ascii_only)
        assert values(write(tmp_path / "t.jsonl", line, packed=packed)) == [{"text": text}]
    if not set(text) & set("\t\r\n"):
        assert values(write(tmp_path / "t.tsv", f"text\n{text}\n", packed=packed)) == [{"text": text}]


CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12) | st.text(
    '",\r\n \ta', max_size=8
)


@settings(max_examples=100, deadline=None)
@given(data=st.data(), width=st.integers(1, 4), quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
def test_any_table_survives_csv_writer(data: st.DataObject, width: int, quoting: int) -> None:
    table = data.draw(st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=1, max_size=6))
    # With "\n" and minimal quoting the writer does not quote a lone carriage return: no reader can tell.
    ending = "\r\n" if quoting == csv.QUOTE_MINIMAL else data.draw(st.sampled_from(["\n", "\r\n"]))
    names = [f"c{i}" for i in range(width)]
    buffer = io.StringIO(newline="")
    csv.writer(buffer, quoting=quoting, lineterminator=ending).writerows([names, *table])
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder) / "t.csv", buffer.getvalue())
        assert [list(row.values()) for row in values(path)] == table


@settings(max_examples=300, deadline=None)
@given(st.text('",;\r\nab', max_size=30), st.sampled_from([",", ";", "\t"]))
def test_any_csv_text_is_read_as_the_csv_module_does_or_refused(text: str, separator: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder) / "t.csv", f"h{separator}i\n" + text)
        try:
            found = [list(row.values()) for row in values(path)]
        except InputError:
            return
    assert found == list(csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=separator))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60), st.sampled_from(["t.csv", "t.tsv", "t.jsonl", "t.csv.gz", "t.parquet"]))
def test_any_bytes_are_read_or_refused_never_a_crash(data: bytes, name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        try:
            list(read_rows(path))
        except InputError as error:
            assert str(path) in error.where


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | CELLS
)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.fixed_dictionaries({"a": SCALARS, "b": SCALARS}), min_size=1, max_size=5))
def test_any_flat_objects_survive_json_lines(rows: list[dict[str, object]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder) / "t.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
        found = values(path)
    assert found == rows
    for row, expected in zip(found, rows, strict=True):
        assert {key: type(value) for key, value in row.items()} == {
            key: type(v) for key, v in expected.items()
        }


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("missing.csv", "no such file"),
        ("notes.txt", "unknown file ending '.txt'"),
        ("noending", "without an ending"),
    ],
)
def test_wrong_path_is_refused_at_the_call(tmp_path: Path, name: str, part: str) -> None:
    with pytest.raises(InputError, match=part):
        read_rows(tmp_path / name)


def test_unknown_ending_names_the_known_ones(tmp_path: Path) -> None:
    error = refusal(write(tmp_path / "sheet.xlsx", b"x"))
    assert ".csv, .tsv, .jsonl, .ndjson, .parquet, each also with .gz" in str(error)
    assert "unknown file ending '.zip'" in str(refusal(write(tmp_path / "t.csv.zip", b"x")))


def test_folder_and_pipe_are_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    os.mkfifo(tmp_path / "pipe.csv")
    assert "a folder" in str(refusal(tmp_path / "folder.csv"))
    assert "not a regular file" in str(refusal(tmp_path / "pipe.csv"))


PACKED = gzip.compress(b"a,b\n" + b"".join(b"%d,%d\n" % (i, i * i) for i in range(5000)), mtime=0)


@pytest.mark.parametrize("kept", [1, 5, 12, len(PACKED) // 2, len(PACKED) - 8, len(PACKED) - 1])
def test_cut_gzip_is_refused(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "t.csv.gz"
    path.write_bytes(PACKED[:kept])
    assert ("truncated gzip" if kept > 1 else "not gzip data") in str(refusal(path))


@pytest.mark.parametrize(
    ("place", "part"), [(2, "damaged"), (-5, "incorrect data check"), (-1, "incorrect length check")]
)
def test_damaged_gzip_is_refused(tmp_path: Path, place: int, part: str) -> None:
    data = bytearray(PACKED)
    data[place] ^= 0xFF
    path = tmp_path / "t.csv.gz"
    path.write_bytes(data)
    assert part in str(refusal(path))


def test_gzip_that_is_not_gzip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.csv.gz"
    path.write_bytes(b"a,b\n1,2\n")
    assert "61 2c 62 0a" in str(refusal(path))
    path.write_bytes(gzip.compress(b"a\n1\n") + b"tail")
    assert "damaged" in str(refusal(path))


def test_joined_and_padded_gzip_members_are_one_file(tmp_path: Path) -> None:
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(b"a\n1") + b"\0" * 700_000 + gzip.compress(b"2\n3\n") + b"\0" * 512)
    assert values(path) == [{"a": "12"}, {"a": "3"}]


# The high-water mark of this program image alone: ru_maxrss of a child would begin with its parent's.
PEAK = "def peak(): return int(Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0])\n"
needs_proc = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="peak memory is read from /proc"
)


@needs_proc
def test_bomb_is_refused_with_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "bomb.csv.gz"
    with gzip.open(path, "wb", compresslevel=9) as handle:
        for _ in range(100):
            handle.write(b"0" * 1_000_000)
    program = (
        "import sys; from pathlib import Path\n" + PEAK + "from seqline.data.readers import read_rows\n"
        "from seqline.data.streams import Limits\n"
        "from seqline.errors import InputError\n"
        "try: list(read_rows(Path(sys.argv[1]), limits=Limits(decompressed_bytes=10_000_000)))\n"
        "except InputError as error: print(error)\n"
        "print(peak())\n"
    )
    done = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, check=True)
    *message, kilobytes = done.stdout.splitlines()
    assert "unpacks to more than 10,000,000 bytes" in message[0]
    assert int(kilobytes) < 200_000


def test_ratio_is_held_against_large_files_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "equal.csv", "a\n" + "0\n" * 100_000, packed=True)
    assert sum(1 for _ in read_rows(path)) == 100_000
    monkeypatch.setattr(streams, "RATIO_FLOOR_BYTES", 100_000)
    assert "times its size (a decompression bomb?)" in str(refusal(path))


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.jsonl"])
def test_caps_on_field_and_line(tmp_path: Path, name: str) -> None:
    text = '{"a": "' + "x" * 2000 + '"}\n' if name.endswith("jsonl") else "a\n" + "x" * 2000 + "\n"
    path = write(tmp_path / name, text)
    assert "2,000 characters" in str(refusal(path, field_characters=1999))
    assert "longer than 1,500 bytes" in str(refusal(path, row_bytes=1500))
    assert len(list(read_rows(path, limits=Limits(field_characters=2000)))) == 1


def test_caps_on_quoted_fields_rows_and_columns(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", 'a,b\n1,"' + "line\n" * 1000 + '"\n')
    assert refusal(path, field_characters=3000).where == f"{path} line 2"
    assert "goes on for more than 3,000 characters" in str(refusal(path, field_characters=3000))
    assert "a row of more than 2,000 characters" in str(refusal(path, row_bytes=2000))
    wide = write(tmp_path / "wide.csv", ",".join(f"c{i}" for i in range(50)) + "\n")
    assert "50 fields" in str(refusal(wide, fields=49))


@needs_proc
def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    with path.open("w") as handle:
        handle.write("id,text\n")
        handle.writelines(f'{i},"{"word, " * 100}"\n' for i in range(60_000))  # 37 MB
    program = (
        "import sys; from pathlib import Path\n" + PEAK + "from seqline.data.readers import read_rows\n"
        "before = peak()\n"
        "print(sum(1 for _ in read_rows(Path(sys.argv[1]))))\n"
        "print(peak() - before)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, check=True)
    rows, grown_kilobytes = map(int, done.stdout.split())
    assert rows == 60_000
    assert grown_kilobytes < 8_000


def parquet(path: Path, table: pa.Table, **options: object) -> Path:
    pq.write_table(table, path, **options)
    return path


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gz"])
def test_parquet_is_read_exactly(tmp_path: Path, packed: bool) -> None:
    moment = datetime(2024, 2, 29, 23, 59, 58, 123456)
    table = pa.table(
        {
            "text": ["a", None, "naïve\n"],
            "whole": pa.array([1, None, -(2**63)], pa.int64()),
            "real": [0.1, None, -0.0],
            "flag": [True, None, False],
            "kind": pa.array(["x", None, "x"]).dictionary_encode(),
            "day": [date(2024, 2, 29), None, date(1, 1, 1)],
            "moment": pa.array([moment, None, moment], pa.timestamp("ns")),
            "zoned": pa.array([moment.replace(tzinfo=UTC), None, None], pa.timestamp("us", "UTC")),
            "price": [Decimal("0.10"), None, Decimal("12.00")],
            "nothing": pa.nulls(3),
        }
    )
    path = parquet(tmp_path / "t.parquet", table)
    if packed:
        path = write(path, path.read_bytes(), packed=True)
    rows = list(read_rows(path))
    assert [row.line for row in rows] == [1, 2, 3]
    assert rows[0].values == {
        "text": "a",
        "whole": 1,
        "real": 0.1,
        "flag": True,
        "kind": "x",
        "day": "2024-02-29",
        "moment": "2024-02-29T23:59:58.123456000",
        "zoned": "2024-02-29T23:59:58.123456Z",
        "price": "0.10",
        "nothing": None,
    }
    assert set(rows[1].values.values()) == {None}
    assert rows[2].values["whole"] == -(2**63)
    assert str(rows[2].values["real"]) == "-0.0"


def test_lists_of_a_parquet_file_are_read_exactly(tmp_path: Path) -> None:
    table = pa.table(
        {
            "line": [[1.5, None], []],
            "steps": [[[1, 2], [3, 4]], [[5, 6]]],
            "tokens": [["a", "é"], None],
            "fixed": pa.array([[1, 2], [3, 4]], pa.list_(pa.int32(), 2)),
        }
    )
    rows = values(parquet(tmp_path / "t.parquet", table))
    assert rows == [
        {"line": [1.5, None], "steps": [[1, 2], [3, 4]], "tokens": ["a", "é"], "fixed": [1, 2]},
        {"line": [], "steps": [[5, 6]], "tokens": None, "fixed": [3, 4]},
    ]


def test_parquet_over_many_batches_keeps_order(tmp_path: Path) -> None:
    path = parquet(tmp_path / "t.parquet", pa.table({"n": range(5000)}), row_group_size=700)
    assert [(row.line, row.values["n"]) for row in read_rows(path)] == [(n + 1, n) for n in range(5000)]


@pytest.mark.parametrize(
    ("column", "place", "parts"),
    [
        (pa.array([[[[1]]], [[[2]]]]), " row 1", ["lists in lists in lists", "'x'"]),
        (pa.array([[b"a"], [b"b"]]), "", ["'x'", "list<"]),
        (pa.array([[1.0], [float("nan")]]), " row 2", ["not finite", "item 1"]),
        (pa.array([[date(2024, 2, 29)]]), "", ["'x'", "date"]),
        (pa.array([{"a": 1}, {"a": 2}]), "", ["'x'", "struct"]),
        (pa.array([b"a", b"b"]), "", ["binary"]),
        (pa.array([1, 2], pa.duration("s")), "", ["duration"]),
        (pa.array([1.0, float("nan")]), " row 2", ["not finite", "null"]),
        (pa.array([1, 2**63], pa.uint64()), " row 2", ["9223372036854775808", "64 bits"]),
        (pa.array(["a\0b", "c"]), " row 1", ["NUL"]),
        (pa.array([], pa.string()), "", ["no rows"]),
    ],
)
def test_dirty_parquet_is_refused(tmp_path: Path, column: pa.Array, place: str, parts: list[str]) -> None:
    path = parquet(tmp_path / "t.parquet", pa.table({"x": column}))
    error = refusal(path)
    assert error.where == f"{path}{place}"
    for part in parts:
        assert part in str(error)


def test_damaged_parquet_is_refused(tmp_path: Path) -> None:
    path = parquet(tmp_path / "t.parquet", pa.table({"x": ["text"] * 1000}))
    whole = path.read_bytes()
    for data in (whole[:-10], whole[: len(whole) // 2], b"not parquet at all", whole[4:]):
        path.write_bytes(data)
        assert "not an intact Parquet file" in str(refusal(path))
    invalid = pa.Array.from_buffers(
        pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\2\0\0\0"), pa.py_buffer(b"\xff\xfe")]
    )
    parquet(path, pa.table({"x": invalid}))
    assert "not an intact Parquet file" in str(refusal(path))
    parquet(path, pa.table({"x": [0] * 1_000_000}), use_dictionary=False)
    assert "at most 1,000,000 bytes" in str(refusal(path, decompressed_bytes=1_000_000))


def test_rows_in_reads_the_files_of_a_folder_in_order(tmp_path: Path) -> None:
    write(tmp_path / "b.jsonl", '{"b": "4", "a": "3"}\n')
    write(tmp_path / "a.csv", "a,b\n1,2\n")
    write(tmp_path / ".hidden.tmp", "junk")
    rows = list(rows_in(tmp_path))
    assert [(row.source, row.line, row.values) for row in rows] == [
        ("a.csv", 2, {"a": "1", "b": "2"}),
        ("b.jsonl", 1, {"a": "3", "b": "4"}),
    ]
    assert list(rows[1].values) == ["a", "b"]


def test_rows_in_names_both_files_when_columns_differ(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "id,text\n1,2\n")
    write(tmp_path / "b.csv", "id,review\n1,2\n")
    with pytest.raises(InputError) as caught:
        list(rows_in(tmp_path))
    assert caught.value.where == f"{tmp_path / 'b.csv'} line 2"
    assert str(tmp_path / "a.csv") in str(caught.value)
    assert "'review'" in str(caught.value)


def test_rows_in_refuses_missing_empty_and_foreign(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        list(rows_in(tmp_path / "absent"))
    with pytest.raises(InputError, match="an empty folder"):
        list(rows_in(tmp_path))
    write(tmp_path / "notes.md", "x")
    with pytest.raises(InputError, match=r"unknown file ending '\.md'"):
        list(rows_in(tmp_path))


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "count"), [("imdb/imdb_train.csv.gz", 25_000), ("sms_spam/sms_spam.csv.gz", 5_574)]
)
def test_real_file_equals_the_csv_module(name: str, count: int) -> None:
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"{path} is not here")
    found = 0
    with gzip.open(path, "rt", encoding="utf-8", newline="") as handle:
        for row, expected in zip(read_rows(path), csv.DictReader(handle, strict=True), strict=True):
            assert row.values == expected
            found += 1
    assert found == count


@pytest.mark.shared
def test_the_big_list_of_naughty_strings_survives_or_is_refused(tmp_path: Path) -> None:
    path = SHARED / "blns" / "blns.json"
    if not path.exists():
        pytest.skip(f"{path} is not here")
    texts = json.loads(path.read_text(encoding="utf-8"))
    for index, text in enumerate(texts):
        buffer = io.StringIO()
        csv.writer(buffer).writerows([["text", "x"], [text, "1"]])
        found = values(write(tmp_path / f"{index}.csv", buffer.getvalue()))
        assert found == [{"text": text, "x": "1"}]
