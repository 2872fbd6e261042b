"""A row a time step becomes a row a sequence; what cannot be read as it stands is refused with its line."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from seqline.data.long_tables import LongTable, sequences_of
from seqline.data.readers import Row, read_rows
from seqline.errors import InputError

TABLE = LongTable(group="id", order="step", values=("x", "y"), column="series")
HEADER = "id,subject,label,step,x,y\n"


def read(path: Path, text: str, table: LongTable = TABLE) -> list[Row]:
    path.write_text(text, encoding="utf-8")
    return list(sequences_of(read_rows(path), table))


def lines(name: str, label: str, count: int) -> list[str]:
    return [f"{name},s1,{label},{i},{i * 0.5},{-i}\n" for i in range(count)]


def test_steps_of_a_group_become_one_row_whatever_their_order(tmp_path: Path) -> None:
    given = lines("a", "walk", 4) + lines("b", "sit", 2)
    expected = [
        {"id": "a", "series": [[0, 0], [0.5, -1], [1, -2], [1.5, -3]], "subject": "s1", "label": "walk"},
        {"id": "b", "series": [[0, 0], [0.5, -1]], "subject": "s1", "label": "sit"},
    ]
    found = read(tmp_path / "t.csv", HEADER + "".join(given))
    assert [row.values for row in found] == expected
    assert [(row.source, row.line) for row in found] == [("t.csv", 2), ("t.csv", 6)]
    random.Random(0).shuffle(given)
    shuffled = read(tmp_path / "t.csv", HEADER + "".join(given))
    assert sorted((row.values for row in shuffled), key=lambda values: values["id"]) == expected


def test_one_value_column_gives_a_plain_list_and_empty_values_are_missing(tmp_path: Path) -> None:
    table = LongTable(group="series", order="day", values=("sales",), column="history")
    text = "day,series,sales\n2026-01-31,a,3\n2026-02-28,a,\n2026-03-31,a,5.5\n2026-01-01,b,7\n"
    found = [row.values for row in read(tmp_path / "t.csv", text, table)]
    assert found == [{"id": "a", "history": [3, None, 5.5]}, {"id": "b", "history": [7]}]


def test_with_its_times_kept_a_table_may_have_gaps_and_columns_beside_the_values(tmp_path: Path) -> None:
    table = LongTable(
        group=None,
        order="day",
        values=("sales",),
        column="sales",
        beside=("heat",),
        order_column="timestamps",
    )
    text = "day,sales,heat\n2026-01-09,3,1\n2026-01-01,,2\n2026-01-02,5,2.5\n"
    assert [row.values for row in read(tmp_path / "t.csv", text, table)] == [
        {
            "id": "series",
            "timestamps": ["2026-01-01", "2026-01-02", "2026-01-09"],
            "sales": [None, 5, 3],
            "heat": [2, 2.5, 1],
        }
    ]


def test_timestamps_are_steps_of_their_frequency(tmp_path: Path) -> None:
    table = LongTable(group="g", order="t", values=("v",), column="values")
    regular = {
        "months": ["1949-01", "1949-02", "1949-03"],
        "business days": ["2026-11-19", "2026-11-20", "2026-11-23"],
        "hours": ["2026-11-19 22:00:00", "2026-11-19 23:00:00", "2026-11-20 00:00:00"],
        "years": ["1980", "1981", "1982"],
        "fractions": ["0.02", "0.0401", "0.06"],
        "every second": ["0", "2", "4"],
    }
    text = "g,t,v\n" + "".join(f"{name},{t},1\n" for name, times in regular.items() for t in times)
    assert len(read(tmp_path / "t.csv", text, table)) == len(regular)


# What is put in place of a line, and what the refusal says.
FAULTS: dict[str, tuple[str, str]] = {
    "a step twice": (
        "a,s1,walk,2,0,0\n",
        "line 5: step 2 of the sequence 'a' a second time; it is on line 4 too",
    ),
    "a gap": ("a,s1,walk,9,0,0\n", "line 5: a gap in the sequence 'a': 9 follows 2 (line 4)"),
    "another label": (
        "a,s1,sit,3,0,0\n",
        "line 5: column 'label' says 'sit', on line 2 of the same sequence 'a' it says 'walk'",
    ),
    "another subject": ("a,s2,walk,3,0,0\n", "line 5: column 'subject' says 's2', on line 2"),
    "no number": ("a,s1,walk,3,0,fast\n", "line 5: column 'y' holds text 'fast', not a number"),
    "a comma": ('a,s1,walk,3,"0,5",0\n', "line 5: column 'x' holds text '0,5', not a number"),
    "not finite": ("a,s1,walk,3,nan,0\n", "line 5: column 'x' holds text 'nan', not a number"),
    "no step": ("a,s1,walk,,0,0\n", "line 5: no step in column 'step' but text ''"),
    "a name as step": ("a,s1,walk,third,0,0\n", "line 5: numbers and other text in column 'step'"),
    "no group": (",s1,walk,3,0,0\n", "line 5: no value in column 'id'"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_cannot_be_read_is_refused_with_its_line(tmp_path: Path, fault: str) -> None:
    line, message = FAULTS[fault]
    with pytest.raises(InputError) as caught:
        read(tmp_path / "t.csv", HEADER + "".join([*lines("a", "walk", 3), line, *lines("b", "sit", 2)]))
    assert f"t.csv {message}" in str(caught.value)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (LongTable(group="who", order="step", values=("x",), column="s"), "no column 'who'"),
        (LongTable(group="id", order="time", values=("x",), column="s"), "no column 'time'"),
        (LongTable(group="id", order="step", values=("x", "z"), column="s"), "no column 'z'"),
        (LongTable(group="id", order="step", values=("x", "y"), column="label"), "a column 'label' besides"),
        (
            LongTable(group="subject", order="step", values=("x", "y"), column="s"),
            "a column 'id' that is not",
        ),
    ],
)
def test_columns_that_do_not_fit_are_refused(tmp_path: Path, table: LongTable, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(tmp_path / "t.csv", HEADER + "".join(lines("a", "walk", 3)), table)


def test_irregular_timestamps_name_the_sequence() -> None:
    times = ["2026-01-01T00:00:07", "2026-01-01T00:00:08"]
    rows = [Row(i, {"g": "a", "t": t, "v": 1}, "t.jsonl") for i, t in enumerate(times, start=1)]
    with pytest.raises(InputError, match=r"t\.jsonl line 1, sequence 'a', timestamps: no regular frequency"):
        list(sequences_of(rows, LongTable(group="g", order="t", values=("v",), column="values")))


def test_dates_without_dashes_are_refused_where_they_are_steps_and_left_where_they_are_kept() -> None:
    rows = [Row(i, {"g": "a", "t": t, "v": i}, "t.jsonl") for i, t in enumerate((20260201, 20260131), 1)]
    table = LongTable(group="g", order="t", values=("v",), column="values")
    with pytest.raises(
        InputError, match=r"line 1, sequence 'a', timestamps: 20260131 to 20260201, whole numbers"
    ):
        list(sequences_of(rows, table))
    # Whoever reads the times knows the recipe, which may say that they are counters.
    (kept,) = sequences_of(rows, replace(table, order_column="timestamps"))
    assert kept.values == {"id": "a", "timestamps": [20260131, 20260201], "values": [2, 1]}


def test_numbers_and_labels_of_json_lines_are_taken_as_they_are() -> None:
    rows: list[dict[str, Any]] = [{"g": 7, "t": i, "v": i / 4, "label": 1} for i in range(3)]
    table = LongTable(group="g", order="t", values=("v",), column="values")
    found = list(sequences_of([Row(i, values, "t.jsonl") for i, values in enumerate(rows, 1)], table))
    assert [row.values for row in found] == [{"id": "7", "values": [0, 0.25, 0.5], "label": 1}]
