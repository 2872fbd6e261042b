"""Files with faults planted at known lines: ten kinds in a CSV, ten in JSON lines, a hundred in all."""

from __future__ import annotations

import csv
import io
import json
import random
from pathlib import Path

from seqline.data.samples.reviews import reviews

PER_KIND = 10
Row = dict[str, str]

# What the reason of each kind says.
CSV_REASONS = {
    "cut short": "2 fields",
    "one field too many": "6 fields",
    "not UTF-8": "not UTF-8: byte 0xe9",
    "NUL": "NUL character",
    "bare quote": "a bare quote inside an unquoted field",
    "carriage return": "a carriage return that does not end a line",
    "blank text": "text: blank",
    "unknown label": "label: 'meh' is none of negative, positive",
    "no id": "id: no value",
    "id of another row": "is the id of another row",
}
JSON_REASONS = {
    "torn": "not JSON",
    "missing key": "missing 'label'",
    "extra key": "extra 'stars'",
    "nested": "a nested object under the key 'text'",
    "not UTF-8": "not UTF-8: byte 0xff",
    "half a surrogate pair": "lone surrogate U+D800",
    "number for text": "text: not text but int 5",
    "null label": "label: no value",
    "unknown label": "label: 'meh' is none of negative, positive",
    "id of another row": "is the id of another row",
}


def plant_csv(path: Path, rows: list[Row], *, seed: int) -> dict[int, str]:
    """Write rows with every kind of fault; returns the kind by the line it is on."""
    lines = [_csv_line(list(row.values())) for row in rows]
    planted = {}
    for index, kind in _places(len(rows), list(CSV_REASONS), seed):
        row = rows[index]
        lines[index] = {
            "cut short": lambda row=row: _csv_line([row["id"], "short"]),
            "one field too many": lambda row=row: _csv_line([*row.values(), "more"]),
            "not UTF-8": lambda row=row: _csv_line(list({**row, "text": "caf\udce9"}.values())),
            "NUL": lambda row=row: _csv_line(list({**row, "text": "a\0b"}.values())),
            "bare quote": lambda row=row: f'{row["id"]},a 5" or 6" disk,positive,film,2026-01-01\n',
            "carriage return": lambda row=row: f"{row['id']},a\rb,positive,film,2026-01-01\n",
            "blank text": lambda row=row: _csv_line(list({**row, "text": "\u200b "}.values())),
            "unknown label": lambda row=row: _csv_line(list({**row, "label": "meh"}.values())),
            "no id": lambda row=row: _csv_line(list({**row, "id": " "}.values())),
            "id of another row": lambda row=row: _csv_line(list({**row, "id": rows[0]["id"]}.values())),
        }[kind]()
        planted[index + 2] = kind
    header = _csv_line(list(rows[0]))
    path.write_bytes((header + "".join(lines)).encode("utf-8", "surrogateescape"))
    return planted


def plant_json(path: Path, rows: list[Row], *, seed: int) -> dict[int, str]:
    """The same for JSON lines."""
    lines = [json.dumps(row) for row in rows]
    planted = {}
    for index, kind in _places(len(rows), list(JSON_REASONS), seed):
        row = rows[index]
        lines[index] = {
            "torn": lines[index][:-9],
            "missing key": json.dumps({k: v for k, v in row.items() if k != "label"}),
            "extra key": json.dumps({**row, "stars": 5}),
            "nested": json.dumps({**row, "text": {"a": "b"}}),
            "not UTF-8": json.dumps({**row, "text": "\udcff"}, ensure_ascii=False),
            "half a surrogate pair": json.dumps({**row, "text": "a\ud800b"}),
            "number for text": json.dumps({**row, "text": 5}),
            "null label": json.dumps({**row, "label": None}),
            "unknown label": json.dumps({**row, "label": "meh"}),
            "id of another row": json.dumps({**row, "id": rows[0]["id"]}),
        }[kind]
        planted[index + 1] = kind
    path.write_bytes("".join(line + "\n" for line in lines).encode("utf-8", "surrogateescape"))
    return planted


def distinct_reviews(count: int, *, seed: int, month: str) -> list[Row]:
    """Reviews of which no two have the same text."""
    return list(
        {row["text"]: row for row in reviews(rows=2 * count, seed=seed, split="train", month=month)}.values()
    )[:count]


def write_csv(path: Path, rows: list[Row]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        "".join(_csv_line(list(row)) for row in [rows[0], *(r.values() for r in rows)]), encoding="utf-8"
    )
    return path


def write_json(path: Path, rows: list[Row]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def _csv_line(fields: list[str]) -> str:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator="\n").writerow(fields)
    return buffer.getvalue()


def _places(count: int, kinds: list[str], seed: int) -> list[tuple[int, str]]:
    # Not the first row: it lends its id.
    indices = random.Random(seed).sample(range(1, count), PER_KIND * len(kinds))
    return [(index, kinds[place % len(kinds)]) for place, index in enumerate(indices)]
