"""Tables of events become lists of items, in the order of their times, or are refused with their line."""

from __future__ import annotations

from typing import Any

import pytest

from seqline.data.readers import Row
from seqline.data.sessions import EventTable, sessions_of
from seqline.data.shapes import Shape, shaped
from seqline.errors import InputError

TABLE = EventTable(owner="user", item="item", order="time", column="items")


def lists(table: EventTable, *events: tuple[Any, ...]) -> list[dict[str, Any]]:
    names = ("user", "time", "item", "price")
    rows = (Row(i, dict(zip(names, event, strict=False)), "t.csv") for i, event in enumerate(events, 2))
    return [row.values for row in sessions_of(rows, table)]


def test_items_stand_in_the_order_of_their_times_and_ties_in_that_of_the_file() -> None:
    found = lists(
        TABLE,
        ("b", "20", "tent", "9"),
        ("a", "3", "lamp", "1"),
        ("b", "5", " stove ", "2"),
        ("b", "20", "rope", "1"),
        ("a", "11", 7, "1"),
    )
    assert found == [
        {"id": "b", "items": ["stove", "tent", "rope"]},
        {"id": "a", "items": ["lamp", "7"]},
    ]


def test_timestamps_sort_by_their_time_and_without_an_order_the_file_does() -> None:
    events = [
        ("a", "2026-01-02T09:00", "late"),
        ("a", "2026-01-02T08:00", "early"),
        ("a", "2026-01-01", "first"),
    ]
    assert lists(TABLE, *events)[0]["items"] == ["first", "early", "late"]
    unsorted = EventTable(owner="user", item="item", order=None, column="items")
    assert lists(unsorted, *events)[0]["items"] == ["late", "early", "first"]


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (("", "1", "tent"), r"t\.csv line 3 column 'user': text ''"),
        (("a", "1", None), r"t\.csv line 3 column 'item': null"),
        (("a", "noon", "tent"), r"t\.csv line 3 column 'time': text 'noon'"),
        (("a", "2026-01-02", "tent"), r"t\.csv line 3: numbers and timestamps in column 'time'"),
        (("a", "1"), r"t\.csv line 3: no column 'item'"),
    ],
)
def test_events_that_cannot_be_read_are_refused(event: tuple[Any, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        lists(TABLE, ("a", "1", "tent"), event)


def test_lists_that_are_there_already_stay_and_parts_of_a_text_are_joined() -> None:
    events = Shape(form="events", column="items", columns=("item",), group="user", order="time")
    made = Row(1, {"id": "a", "items": ["tent"]}, "t.jsonl")
    assert [row.values for row in shaped([made], events)] == [made.values]
    joined = Shape(form="joined", column="question_story", columns=("question", "story"))
    parts = {"story": "Ann left. ", "id": "q1", "answer": "no", "question": "Is Ann here?"}
    (row,) = shaped([Row(2, parts, "t.csv")], joined)
    assert row.values == {"id": "q1", "question_story": "Is Ann here? Ann left.", "answer": "no"}
    assert [r.values for r in shaped([Row(1, row.values, "t.jsonl")], joined)] == [row.values]
    for wrong, message in (
        ({**parts, "question": 3}, "column 'question': number 3"),
        ({"story": "x"}, "no column 'question'"),
        ({**parts, "question_story": "x"}, "besides its parts"),
    ):
        with pytest.raises(InputError, match=message):
            list(shaped([Row(2, wrong, "t.csv")], joined))
