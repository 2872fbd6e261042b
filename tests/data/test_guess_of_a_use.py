"""What a file is for, told from its columns: each use is found, what the user says is taken for true, and the rest is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from seqline.data.guess import guess
from seqline.data.look import Given, Guess
from seqline.data.readers import Row
from seqline.errors import InputError


def guessed(values: list[dict[str, Any]], **given: Any) -> Guess:
    return guess([Row(i, value, "mine.csv") for i, value in enumerate(values, 2)], Given(**given))


def table(rows: int, **columns: Callable[[int], Any]) -> list[dict[str, Any]]:
    return [{name: make(i) for name, make in columns.items()} for i in range(rows)]


REVIEWS = table(40, text=lambda i: f"a thing said {i} times", label=lambda i: "no" if i % 3 else "yes")
LONG = [
    {"id": f"s{g}", "label": "ab"[g % 2], "subject": f"p{g % 3}", "step": str(t), "x": str(t / 2), "y": "1"}
    for g in range(6)
    for t in range(5)
]
SALES = [
    {"timestamp": f"2026-0{m}-01", "series": shop, "value": str(m * 1.5)}
    for m in range(1, 8)
    for shop in ("a", "b")
]
VECTORS = table(
    60,
    a=lambda i: str(i * 0.37),
    b=lambda i: str(-i),
    kind=lambda i: ["red", "green", "blue"][i % 3],
)
DAYS = [f"2026-{1 + i // 28:02d}-{1 + i % 28:02d}" for i in range(168)]
TICKETS = table(
    60,
    ticket_id=lambda i: f"T{i}",
    body=lambda i: f"the thing {i} is broken",
    priority=lambda i: ["low", "high", "mid"][i % 3],
    status=lambda i: ["open", "closed"][i % 2],
)
TOKENS = [
    {
        "Sentence #": f"Sentence: {i // 4}",
        "Word": ["in", "Rome", "it", "rained"][i % 4] + "s" * (i % 3),
        "POS": ["IN", "NNP", "PRP", "VBD"][i % 4],
        "Tag": ["O", "B-geo", "O", "O"][i % 4],
    }
    for i in range(80)
]
USES: dict[str, tuple[list[dict[str, Any]], dict[str, Any]]] = {
    "text and label": (
        REVIEWS,
        {"task": "classification", "kind": "text", "inputs": ("text",), "target": "label"},
    ),
    "letters of a small alphabet": (
        table(20, dna=lambda i: "ACGT" * 4 + "ACGT"[i % 4] * (i % 5), label=lambda i: i % 2),
        {
            "task": "classification",
            "kind": "symbols",
            "inputs": ("dna",),
            "target": "label",
            "alphabet": "ACGT",
        },
    ),
    "a long table with labels": (
        LONG,
        {
            "task": "classification",
            "kind": "series",
            "inputs": ("x", "y"),
            "target": "label",
            "group": "id",
            "order": "step",
            "split_by": "subject",
            "form": "long",
        },
    ),
    "a long table without": (
        SALES,
        {
            "task": "forecasting",
            "kind": "history",
            "inputs": ("value",),
            "target": None,
            "group": "series",
            "order": "timestamp",
            "form": "long",
        },
    ),
    "one series in columns": (
        table(9, date=lambda i: f"2026-01-0{i + 1}", power=str, heat=lambda i: str(-i)),
        {"task": "forecasting", "inputs": ("power", "heat"), "group": None, "order": "date", "form": "long"},
    ),
    "columns of numbers and a label": (
        VECTORS,
        {"task": "classification", "kind": "vector", "inputs": ("a", "b"), "target": "kind", "form": "wide"},
    ),
    "sales beside other numbers": (
        [{**row, "heat": "1.5"} for row in SALES],
        {"task": "forecasting", "inputs": ("value",), "beside": ("heat",), "group": "series"},
    ),
    "two texts": (
        table(20, source=lambda i: f"ein Satz {i} hier", target=lambda i: f"a sentence {i} here"),
        {"task": "translation", "kind": "text", "inputs": ("source",), "target": "target"},
    ),
    "two languages": (
        table(20, de=lambda i: f"ein Satz {i} hier", en=lambda i: f"a sentence {i} here"),
        {"task": "translation", "inputs": ("de",), "target": "en"},
    ),
    "tokens and tags": (
        table(20, tokens=lambda i: ["in", f"Rome{i}"], tags=lambda i: ["O", "LOC"]),
        {"task": "tagging", "kind": "symbols", "inputs": ("tokens",), "target": "tags"},
    ),
    "tokens and tags of a table": (
        table(20, tokens=lambda i: f"in Rome{i}", tags=lambda i: "O LOC"),
        {"task": "tagging", "kind": "symbols", "inputs": ("tokens",), "target": "tags"},
    ),
    "tokens and tags that are numbers": (
        table(20, tokens=lambda i: ["in", f"Rome{i}"], ner_tags=lambda i: [0, 1 + i % 2]),
        {"task": "tagging", "inputs": ("tokens",), "target": "ner_tags", "lists": ("ner_tags",)},
    ),
    "a table with a row a token": (
        TOKENS,
        {
            "task": "tagging",
            "kind": "symbols",
            "inputs": ("Word",),
            "target": "Tag",
            "group": "Sentence #",
            "form": "tokens",
        },
    ),
    "a table with a row a token, whose sentence is named once": (
        [{**row, "Sentence #": row["Sentence #"] if i % 4 == 0 else ""} for i, row in enumerate(TOKENS)],
        {"task": "tagging", "inputs": ("Word",), "target": "Tag", "group": "Sentence #", "form": "tokens"},
    ),
    "items with as many prices and two properties": (
        table(
            20,
            items=lambda i: ["tent", f"v{i % 3}"],
            prices=lambda i: [9, 7],
            hues=lambda i: ["red", "blue"],
            sizes=lambda i: ["s", "m"],
        ),
        {"task": "generation", "kind": "symbols", "inputs": ("items",)},
    ),
    "a text alone": (
        table(20, text=lambda i: f"line {i} of a play"),
        {"task": "generation", "kind": "text", "inputs": ("text",), "target": None},
    ),
    "lists of numbers, unequally long": (
        table(20, wave=lambda i: [0.5] * (i + 1), label=lambda i: "ab"[i % 2]),
        {"task": "classification", "kind": "series", "inputs": ("wave",), "target": "label"},
    ),
    "lists of numbers, equally long": (
        table(20, wave=lambda i: [0.5, i], label=lambda i: "ab"[i % 2]),
        {"task": "classification", "kind": "vector", "inputs": ("wave",), "target": "label"},
    ),
    "rows that are numbered, and a label": (
        [{"index": str(i), **row} for i, row in enumerate(VECTORS)],
        {"task": "classification", "kind": "vector", "inputs": ("a", "b"), "target": "kind", "form": "wide"},
    ),
    "rows that are numbered, and a label that is a number": (
        table(40, index=str, a=lambda i: str(i * 0.3), label=lambda i: str(i % 2)),
        {"task": "classification", "kind": "vector", "inputs": ("a",), "target": "label"},
    ),
    "one series whose steps are numbered": (
        table(40, index=str, value=lambda i: str(i * 0.3)),
        {"task": "forecasting", "inputs": ("value",), "group": None, "order": "index"},
    ),
    "customers, each in one row": (
        table(
            40,
            user=lambda i: f"u{i}",
            age=lambda i: str(18 + i * 7 % 50),
            country=lambda i: ["de", "fr"][i % 2],
            income=lambda i: str(900 + i * 13),
            churn=lambda i: ["yes", "no"][i % 2],
        ),
        {
            "task": "classification",
            "kind": "vector",
            "inputs": ("age", "income"),
            "target": "churn",
            "split_by": None,
        },
    ),
    "numbers of which the last is a label": (
        table(60, ph=lambda i: str(i * 0.1), rooms=lambda i: str(i % 5), quality=lambda i: str(3 + i % 4)),
        {"kind": "vector", "inputs": ("ph", "rooms"), "target": "quality"},
    ),
    "numbers of which some are spelled NA": (
        table(60, a=lambda i: "NA" if i % 4 == 0 else str(i), b=str, label=lambda i: "xy"[i % 2]),
        {"kind": "vector", "inputs": ("a",), "target": "label"},
    ),
    "numbers of which the last is a number": (
        table(60, rooms=lambda i: i % 5, area=lambda i: 40 + 3 * i, price=lambda i: 1000 * i * i),
        {
            "task": "estimation",
            "kind": "vector",
            "inputs": ("rooms", "area"),
            "target": "price",
            "form": "wide",
        },
    ),
    "many labels that are coded as numbers": (
        table(120, text=lambda i: f"please do {i} now", intent=lambda i: str(i % 40)),
        {"task": "classification", "kind": "text", "target": "intent"},
    ),
    "labels that a program wrote with a fraction of zero": (
        table(
            60,
            text=lambda i: f"please do {i} now",
            label=lambda i: ["0.0", "1.0", "nan"][i % 3 if i % 9 else 0],
        ),
        {"task": "classification", "kind": "text", "target": "label"},
    ),
    "many numbers that are whole but for their spelling": (
        table(60, a=lambda i: i * 0.3, price=lambda i: f"{i * 100}.0"),
        {"task": "estimation", "kind": "vector", "target": "price"},
    ),
    "long series with a number each": (
        [{**row, "label": str(int(row["id"][1:]) * 1.5)} for row in LONG],
        {"task": "estimation", "kind": "series", "target": "label", "form": "long"},
    ),
    "a story, a question and an answer": (
        table(
            40,
            story=lambda i: f"Ann went to room {i}. Bob stayed.",
            question=lambda i: f"Where is {['Ann', 'Bob'][i % 2]}?",
            answer=lambda i: ["attic", "cellar", "barn"][i % 3],
        ),
        {
            "task": "answering",
            "kind": "text",
            "inputs": ("question", "story"),
            "target": "answer",
            "form": "joined",
        },
    ),
    "numbered captions of pictures": (
        table(
            60,
            image=lambda i: f"{100 + i // 5}_ab.jpg",
            number=lambda i: str(i % 5),
            caption=lambda i: f"a child {i} runs",
        ),
        {"task": "generation", "kind": "text", "inputs": ("caption",), "target": None, "split_by": "image"},
    ),
    "turns of a conversation": (
        table(20, source=lambda i: f"what was said {i}", target=lambda i: f"what was said {i + 1}"),
        {"task": "dialogue", "inputs": ("source",), "target": "target"},
    ),
    "names with digits and a label": (
        table(60, password=lambda i: f"p{i}x", strength=lambda i: str(i * 7 % 3)),
        {"task": "classification", "kind": "text", "inputs": ("password",), "target": "strength"},
    ),
    "lists of items": (
        table(20, user=lambda i: f"u{i}", items=lambda i: ["tent", f"stove{i % 3}"]),
        {"task": "generation", "kind": "symbols", "inputs": ("items",), "target": None, "form": "rows"},
    ),
    "items with spaces between them": (
        table(20, session=str, items=lambda i: f"tent stove{i % 3} lamp"),
        {"task": "generation", "kind": "symbols", "inputs": ("items",), "lists": ("items",)},
    ),
    "events of users": (
        table(
            60,
            userId=lambda i: str(i // 6),
            movieId=lambda i: str(i * 7 % 11),
            rating=lambda i: str(i % 5),
            timestamp=lambda i: str(1_000_000 + i * 31 % 977),
        ),
        {
            "task": "generation",
            "kind": "symbols",
            "inputs": ("movieId",),
            "group": "userId",
            "order": "timestamp",
            "form": "events",
        },
    ),
    "reviews of products, which are no events": (
        table(
            60,
            user=lambda i: f"u{i // 6}",
            product=lambda i: f"p{i % 7}",
            date=lambda i: f"2026-01-{1 + i % 28:02d}",
            review=lambda i: f"it was as good as {i} others",
            verdict=lambda i: ["keep", "return"][i % 2],
        ),
        {
            "task": "classification",
            "kind": "text",
            "inputs": ("review",),
            "target": "verdict",
            "split_by": "user",
        },
    ),
    "pictures as numbers, and what is on them": (
        table(20, picture=lambda i: [i * 0.5, 1.0], caption=lambda i: f"a dog number {i}"),
        {"task": "captioning", "kind": "vector", "inputs": ("picture",), "target": "caption"},
    ),
    "labels and how they are spoken": (
        table(20, said=lambda i: ["seven", f"v{i % 3}"], audio=lambda i: f"UklGR{i:04d}"),
        {"task": "synthesis", "kind": "symbols", "inputs": ("said",), "target": "audio"},
    ),
    "notes of a piano": (
        table(20, notes=lambda i: [[60, 64], [], [40 + i]]),
        {"task": "music", "kind": "piano", "inputs": ("notes",), "target": None},
    ),
    "a price beside a text, which is not read": (
        [{**row, "price": f"${i}.50", "day": f"{1 + i % 28}/05/2026"} for i, row in enumerate(REVIEWS)],
        {"task": "classification", "kind": "text", "inputs": ("text",), "target": "label"},
    ),
    "words among numbers, which are left out": (
        table(
            60, a=lambda i: str(i * 0.7), b=lambda i: "x" if i % 2 else str(i), label=lambda i: "pq"[i % 2]
        ),
        {"kind": "vector", "inputs": ("a",), "target": "label"},
    ),
    "sound": (
        table(20, audio=lambda i: f"UklGR{i:04d}", digit=lambda i: str(i % 2), speaker=lambda i: f"v{i % 3}"),
        {
            "task": "classification",
            "kind": "audio",
            "inputs": ("audio",),
            "target": "digit",
            "split_by": "speaker",
        },
    ),
}


STOCK = table(60, date=lambda i: DAYS[i], open=lambda i: i * 0.7, close=lambda i: i * 0.3, volume=str)
FRAUD = table(
    60, Time=lambda i: str(i * 3 // 2), V1=lambda i: i * 0.37, Amount=lambda i: i / 4, Class=lambda i: i % 2
)
WEATHER = table(
    60,
    date=lambda i: DAYS[i],
    rain=lambda i: i * 0.1,
    heat=lambda i: i * 0.3,
    sky=lambda i: ["blue", "grey"][i * i % 7 % 2],
)
MOVES = table(
    60, timestamp=lambda i: i * 20, ax=lambda i: i * 0.1, activity=lambda i: ["run", "walk"][i // 10 % 2]
)


def test_a_named_target_is_what_is_predicted_of_a_table_with_times() -> None:
    found = guessed(STOCK, target="close")
    assert (found.task, found.inputs, found.beside) == ("forecasting", ("close",), ("open", "volume"))
    assert found.reasons[1] == "target 'close': you named it; its next values are what is predicted"
    found = guessed(STOCK, inputs=("open",), target="close", task="forecasting")
    assert (found.inputs, found.beside) == (("close",), ("open",))
    found = guessed(STOCK, inputs=("open",), target="close")
    assert (found.task, found.inputs, found.target) == ("estimation", ("open",), "close")
    assert guessed(FRAUD, target="Amount").inputs == ("Amount",)
    found = guessed(FRAUD, target="Class", task="forecasting")
    assert (found.inputs, found.beside) == (("Class",), ("V1", "Amount"))
    for given in ({"target": "Class"}, {}):
        found = guessed(FRAUD, **given)
        assert (found.task, found.inputs, found.target) == ("classification", ("V1", "Amount"), "Class")
    # Nor does another column take its place where it changes within a series.
    assert guessed(LONG, target="x").target in ("x", None)


def test_a_label_of_each_row_is_no_name_of_a_series() -> None:
    found = guessed(MOVES)
    assert (found.task, found.kind, found.inputs, found.target) == (
        "classification",
        "vector",
        ("ax",),
        "activity",
    )
    assert any("'timestamp' left out: when or whose" in reason for reason in found.reasons)
    owned = table(60, seq_id=lambda i: i // 10, f=lambda i: i * 7 % 13, kind=lambda i: "ab"[i // 10 % 2])
    assert guessed(owned).inputs == ("f",)
    assert guessed(owned, inputs=("seq_id", "f")).inputs == ("seq_id", "f")
    sold = table(60, date=lambda i: DAYS[i // 3], category=lambda i: "abc"[i % 3], sold=lambda i: i * 7 % 13)
    with pytest.raises(InputError, match=r"--group category to foretell .* --target category to tell"):
        guessed(sold)
    assert guessed(sold, group="category").group == "category"
    assert guessed(sold, kind="vector").target == guessed(sold, task="classification").target == "category"
    assert guessed(sold, target="category").target == "category"
    named = table(60, date=lambda i: DAYS[i], x=lambda i: i * 0.3, target=lambda i: i * 0.7)
    assert (guessed(named).inputs, guessed(named).beside) == (("target",), ("x",))
    assert guessed(MOVES, inputs=("timestamp", "ax")).inputs == ("timestamp", "ax")
    for given in ({}, {"target": "heat"}, {"task": "forecasting"}):
        with pytest.raises(InputError, match="--target sky if it is the label of each row"):
            guessed(WEATHER, **given)
    assert guessed(WEATHER, target="sky").inputs == ("rain", "heat")
    # Days of the week are a week apart each, and months one after the other: they are names of times.
    for name in (lambda i: ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"][i % 7], lambda i: f"m{i // 28}"):
        with pytest.raises(InputError, match="words that change from step to step of 'date'"):
            guessed(table(112, date=lambda i: DAYS[i], name_of_it=name, x=lambda i: i * 0.3))
    days = [date.fromordinal(739_000 + i) for i in range(112)]
    workdays = [
        {"date": str(day), "weekday": day.strftime("%A"), "x": str(day.day * 0.3)}
        for day in days
        if day.weekday() < 5
    ]
    with pytest.raises(InputError, match="--group weekday if it names series"):
        guessed(workdays)
    assert guessed(workdays, group="weekday").group == "weekday"
    opened = table(
        60, date=lambda i: DAYS[i // 2], shop=lambda i: "ab"[i % 2], x=str, door=lambda i: "yn"[i * i % 7 % 2]
    )
    with pytest.raises(InputError, match="--target door if it is the label of each row; to foretell"):
        guessed(opened)


@pytest.mark.parametrize(
    ("values", "group"),
    [
        # One after the other, in turn at distances of their own, and at the same times.
        (
            table(
                60, time=lambda i: i * 20 + i // 20 * 5_000, tour=lambda i: f"t{i // 20}", x=lambda i: i * 0.3
            ),
            "tour",
        ),
        (
            table(
                60,
                time=lambda i: i // 3 * 60 + (0, 10, 25)[i % 3],
                probe=lambda i: "abc"[i % 3],
                x=lambda i: i * 0.3,
            ),
            "probe",
        ),
        (table(60, date=lambda i: DAYS[i // 2], shop=lambda i: "ab"[i % 2], x=lambda i: i * 0.3), "shop"),
        # Of two columns of words the one that the times begin anew for.
        (
            table(
                60,
                date=lambda i: DAYS[i // 2],
                land=lambda i: "F",
                shop=lambda i: "ab"[i % 2],
                x=lambda i: i * 0.3,
            ),
            "shop",
        ),
    ],
)
def test_a_column_of_words_with_calendars_of_their_own_names_the_series(
    values: list[dict[str, Any]], group: str
) -> None:
    found = guessed(values)
    assert (found.task, found.group, found.inputs) == ("forecasting", group, ("x",))


@pytest.mark.parametrize("use", USES)
def test_each_use_is_found_and_says_why(use: str) -> None:
    values, expected = USES[use]
    found = guessed(values)
    assert {name: getattr(found, name) for name in expected} == expected
    assert found.reasons
    assert all("\n" not in reason for reason in found.reasons)


def test_what_the_user_says_is_taken_for_true() -> None:
    assert guessed(REVIEWS, kind="symbols").kind == "symbols"
    assert guessed(VECTORS, target="b", task="classification").target == "b"
    assert guessed(VECTORS, inputs=("a",)).inputs == ("a",)
    walk = guessed(LONG, inputs=("y",), target="subject", group="id", order="step")
    assert (walk.inputs, walk.target) == (("y",), "subject")
    assert guessed(LONG, task="forecasting").task == "forecasting"
    assert guessed(SALES, task="classification", target="value").kind != "history"
    rated = table(40, text=lambda i: f"it was {i} good", stars=lambda i: i / 8)
    assert (guessed(rated).task, guessed(rated).target) == ("estimation", "stars")
    assert any("'stars' not used; --target" in why for why in guessed(rated, task="generation").reasons)
    assert (guessed(rated, target="stars").task, guessed(rated, target="stars").kind) == (
        "estimation",
        "text",
    )
    assert guessed(VECTORS, target="b").task == "estimation"
    houses = guessed(USES["numbers of which the last is a number"][0])
    assert houses.reasons[0] == "target 'price': by its name, 60 different values"
    assert (
        guessed(table(60, a=lambda i: i % 5, b=lambda i: i * i)).reasons[0] == "target 'b': the last column"
    )
    assert not any("rooms" in reason for reason in houses.reasons)
    named = table(40, text=lambda i: f"it was {i} good", spam=lambda i: ["spam", "ham"][i % 2])
    assert guessed(named).target == "spam"
    titled = table(
        20, title=lambda i: f"thing {i}", body=lambda i: f"it is {i} long", label=lambda i: "ab"[i % 2]
    )
    both = guessed(titled, inputs=("title", "body"))
    assert (both.inputs, both.form, both.target) == (("title", "body"), "joined", "label")
    story = USES["a story, a question and an answer"][0]
    turned = guessed(story, inputs=("story", "question"), target="answer", task="answering")
    assert (turned.inputs, turned.task) == (("story", "question"), "answering")
    assert guessed(story, inputs=("story",), target="answer", task="classification").inputs == ("story",)
    taken = table(20, who=lambda i: f"n{i // 4}", what=lambda i: f"w{i % 3}")
    found = guessed(taken, inputs=("what",), group="who", task="generation", kind="symbols")
    assert (found.form, found.group, found.order) == ("events", "who", None)
    assert guessed(TOKENS, target="POS").target == "POS"
    assert guessed(TOKENS, task="classification", target="POS").task == "classification"
    equal = USES["lists of numbers, equally long"][0]
    assert guessed(equal, kind="series").kind == "series"


def test_a_target_is_told_by_its_name_or_is_the_only_one() -> None:
    passengers = table(
        60,
        PassengerId=lambda i: i + 1,
        Survived=lambda i: i % 2,
        Name=lambda i: f"Braund, Mr. Owen {i}",
        Sex=lambda i: ["male", "female"][i % 2],
        Age=lambda i: i * 7 % 60,
        Fare=lambda i: i * 0.3,
    )
    found = guessed(passengers)
    assert (found.task, found.inputs, found.target) == ("classification", ("Name",), "Survived")
    assert (
        "'Sex', 'Age', 'Fare' not read: a text is read alone (--target predicts one of them)" in found.reasons
    )
    assert guessed(TICKETS, target="priority").target == "priority"
    assert guessed(TICKETS, task="generation").task == "generation"
    # A label goes before a number, a usual name before the last column.
    voted = table(60, text=lambda i: f"it is {i}", good=lambda i: i % 2, votes=lambda i: i * 7 % 60)
    assert guessed(voted).target == "good"
    sold = table(60, price=lambda i: i * 900, rooms=lambda i: i % 5, area=lambda i: 40 + i)
    assert (guessed(sold).target, guessed(sold, target="area").target) == ("price", "area")
    ids = table(60, text=lambda i: f"it is {i} long", orderId=lambda i: i // 4, customer_ID=lambda i: i % 9)
    assert guessed(ids).task == "generation"


@pytest.mark.parametrize(
    ("values", "given", "message"),
    [
        (REVIEWS, {"target": "lable"}, "no column 'lable'; its columns are 'text', 'label'"),
        (REVIEWS, {"kind": "audio"}, "no use of its columns found for kind audio: 'text', 'label'"),
        (REVIEWS, {"task": "forecasting"}, "no use of its columns found for task forecasting"),
        (REVIEWS, {"target": "Label"}, "did you mean 'label'?"),
        (REVIEWS, {"target": "label", "inputs": ("label",)}, "it is --target and --input at once"),
        (LONG, {"target": "id", "group": "id"}, "it is --target and --group at once"),
        (table(20, tokens=lambda i: ["a", f"b{i}"]), {"target": "tokens"}, "no use of its columns found"),
        (
            table(60, x=lambda i: 7 if i == 9 else [1.5, i], label=lambda i: "ab"[i % 2]),
            {"kind": "text"},
            "no use of its columns found for kind text",
        ),
        (
            table(60, rooms=lambda i: f"{i},5", area=lambda i: "1.234,5", label=lambda i: "ab"[i % 2]),
            {},
            "column 'rooms': numbers that are not plain, as '0,5'",
        ),
        *(
            (table(60, a=lambda i, s=spelled: s.format(i), label=lambda i: "ab"[i % 2]), {}, "not plain")
            for spelled in ("${}.50", "{}%", "{},5", "1,{:03d}.5", "1.{:03d},5", "€ {}")
        ),
        *(
            (table(28, date=lambda i, s=spelled: s.format(i + 1), value=str), {}, "column 'date': dates as")
            for spelled in ("{:02d}/01/2026", "{:02d}.01.2026", "2026/01/{:02d}", "{}-1-2026 10:00")
        ),
        (table(60, **{"a": str, " b": str, "label": lambda i: "ab"[i % 2]}), {}, "the column name ' b'"),
        (
            table(
                60,
                **{
                    "a text without a header": lambda i: f"more text {i}",
                    "yes": lambda i: ["no", "yes"][i % 2],
                },
            ),
            {},
            "the column name 'yes'",
        ),
        (
            table(60, **{"0.25": lambda i: i * 0.1, "2": lambda i: i % 3}),
            {},
            "the column name '0.25', which is a number",
        ),
        (
            table(40, date=lambda i: f"2026-01-{1 + i // 2:02d}", value=str),
            {},
            "'date' has 20 values in 40 rows: steps that are there twice",
        ),
        (
            table(40, text=lambda i: "", label=lambda i: "ab"[i % 2]),
            {},
            "'text' is empty in the first 40 rows",
        ),
        (
            table(
                20,
                tokens=lambda i: ["in", f"Rome{i}"],
                pos_tags=lambda i: [0, 1],
                ner_tags=lambda i: ["O", "B-LOC"],
            ),
            {},
            "lists as long as 'tokens': 'pos_tags', 'ner_tags'",
        ),
        (TICKETS, {}, "could be what is predicted: 'priority', 'status'"),
        (TICKETS, {}, "--target status, or another one"),
        # Nor is a number chosen where there are labels, or one of two numbers beside a text.
        (
            table(
                60,
                town=lambda i: ["here", "there"][i % 2],
                rooms=lambda i: i * 7 % 60,
                size=lambda i: i * 11 % 60,
            ),
            {},
            "could be what is predicted: 'town', 'size'",
        ),
        (
            table(60, text=lambda i: f"it is {i} long", votes=lambda i: i * 7 % 60, shares=lambda i: i / 7),
            {},
            "could be what is predicted: 'votes', 'shares'",
        ),
        (
            table(
                60,
                order_id=lambda i: i // 2,
                product=lambda i: ["a big tent", "an oil lamp"][i % 2],
                order_date=lambda i: DAYS[i],
            ),
            {},
            "no numbers but 'order_id': an id tells nothing about a row",
        ),
        (
            table(60, quarter=lambda i: f"{1990 + i // 4}X{1 + i % 4}", gdp=lambda i: i * 0.3),
            {},
            "'quarter' holds names as '1990X1'",
        ),
        (REVIEWS[:1], {}, "1 row"),
        (table(5, a=lambda i: "same", b=lambda i: "same"), {}, "say what it is with --kind"),
    ],
)
def test_what_fits_no_use_is_refused(
    values: list[dict[str, Any]], given: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError) as caught:
        guessed(values, **given)
    assert message in str(caught.value)
    assert "mine.csv" in str(caught.value)
