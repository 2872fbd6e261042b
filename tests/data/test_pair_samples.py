from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from seqline.data.samples import dialogue, questions, translation
from seqline.data.samples.caption import describe, write_caption
from seqline.data.samples.dialogue import GROUPS, write_dialogue
from seqline.data.samples.digits import digit_images
from seqline.data.samples.grammar import Stream
from seqline.data.samples.questions import PEOPLE, PLACES, UNKNOWN, write_questions
from seqline.data.samples.translation import SYLLABLES, compose, write_translation

SAMPLES: dict[str, tuple[Callable[..., None], str, str]] = {
    "translation": (write_translation, "english", "german"),
    "questions": (write_questions, "question", "answer"),
    "dialogue": (write_dialogue, "turn", "answer"),
    "caption": (write_caption, "features", "description"),
}
Rows = list[dict[str, str]]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    """The samples, those that are drawn with fewer rows than their users get."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (translation, questions, dialogue):
            patch.setattr(module, "TRAIN_ROWS", 1600)
            patch.setattr(module, "TEST_ROWS", 400)
        written = {}
        for name, (write, _, _) in SAMPLES.items():
            written[name] = tmp_path_factory.mktemp(name)
            write(written[name], seed=3)
        yield written


def rows_of(folder: Path, split: str) -> Rows:
    return [
        json.loads(line)
        for path in sorted((folder / split).iterdir())
        for line in path.open(encoding="utf-8")
    ]


def digest(folder: Path) -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(folder.rglob("*.jsonl")))).hexdigest()


@pytest.mark.parametrize("name", SAMPLES)
def test_the_bytes_are_the_same_every_time_and_no_input_stands_on_both_sides(
    name: str, folders: dict[str, Path], tmp_path: Path
) -> None:
    write, given, answer = SAMPLES[name]
    write(tmp_path / "again", seed=3)
    assert digest(tmp_path / "again") == digest(folders[name])
    train, test = rows_of(folders[name], "train"), rows_of(folders[name], "test")
    assert len(train) > 1000
    assert len(test) > 300
    assert {tuple(row) for row in train + test} == {("id", given, answer)}
    assert len({row["id"] for row in train + test}) == len(train) + len(test)
    seen = {json.dumps(row[given]) for row in train}
    if name != "caption":
        assert len(seen) == len(train)
    assert not seen & {json.dumps(row[given]) for row in test}
    assert sum(path.stat().st_size for path in folders[name].rglob("*.jsonl")) < 4_000_000


@pytest.mark.parametrize("name", ["translation", "dialogue", "questions"])
def test_texts_are_written_as_people_write_them(name: str, folders: dict[str, Path]) -> None:
    for row in rows_of(folders[name], "test"):
        for text in (row[SAMPLES[name][1]], row[SAMPLES[name][2]]):
            assert not re.search(r"[{}]| [,.?!]|  |\bi\b", text)
            assert text == text.strip() != ""
            assert text[0].isupper() or text in (*PLACES, UNKNOWN)


@pytest.mark.parametrize(
    ("english", "german"),
    [
        (
            r"(that|because) .*\b(has|have) (slept|waited|sung)",
            r"(geschlafen|gewartet|gesungen)\W* (hat|haben)",
        ),
        (r"^(Do|Does) .*sleep", r"^(Schläft|Schlafen) "),
        (r"^Today, .* sleeps", r"^Heute schläft "),
    ],
)
def test_german_puts_its_verbs_where_they_belong(english: str, german: str) -> None:
    stream = Stream("grammar")
    pairs = [compose(stream, "train") for _ in range(3000)]
    found = [theirs for ours, theirs in pairs if re.search(english, ours)]
    assert found
    assert [text for text in found if not re.search(german, text)] == []


def test_german_articles_agree_with_gender_case_and_number() -> None:
    stream = Stream("agreement")
    german = " ".join(compose(stream, "train")[1].lower() for _ in range(3000))
    for right, wrong in (
        (r"einen \w+en hut\b", r"\b(ein|der) \w+ hut\b"), (r"das \w+e buch\b", r"\b(der|den|die) \w+ buch\b"),
        (r"eine \w+e lampe\b", r"\b(ein|einen) \w+ lampe\b"), (r"die \w+en autos\b", r"die \w+e autos\b"),
        (r"der \w+e bäcker\b", r"\bden \w+ bäcker\b"), (r"ein \w+es pferd\b", r"ein \w+er pferd\b"),
    ):  # fmt: skip
        assert re.search(right, german), right
        assert not re.search(wrong, german), wrong


def test_rare_names_stand_in_both_languages_and_mostly_in_one_split(folders: dict[str, Path]) -> None:
    def rare_names(rows: Rows, column: str) -> list[list[str]]:
        pattern = "".join(f"(?:{'|'.join(part)})" for part in SYLLABLES)
        return [sorted(re.findall(rf"\b{pattern}\b", row[column])) for row in rows]

    train, test = (rows_of(folders["translation"], split) for split in ("train", "test"))
    seen = {name for names in rare_names(train, "english") for name in names}
    for rows in (train, test):
        assert rare_names(rows, "english") == rare_names(rows, "german")
    named = [names for names in rare_names(test, "english") if names]
    assert 0.05 < len(named) / len(test) < 0.3
    assert sum(name not in seen for names in named for name in names) > 10
    counts = Counter(name for names in rare_names(train, "english") for name in names)
    assert sum(count < 4 for count in counts.values()) / len(counts) > 0.9


def answered(story: str) -> str:
    """The answer of a reader who keeps the place of everybody."""
    question, *told = re.split(r"(?<=[.?]) ", story)
    where: dict[str, str] = {}
    for line in told:
        place = next((place for place in PLACES if line.endswith(f" the {place}.")), None)
        if place and not re.search(r"dislikes|talks|dreams|asks", line):
            where |= {person: place for person in PEOPLE if person in line}
    return where.get(re.findall(r"\w+", question)[-1], UNKNOWN)


def test_every_answer_follows_from_its_story(folders: dict[str, Path]) -> None:
    rows = rows_of(folders["questions"], "test")
    assert [row["id"] for row in rows if answered(row["question"]) != row["answer"]] == []
    assert {row["answer"] for row in rows} == {*PLACES, UNKNOWN}
    most = max(sum(row["answer"] == place for row in rows) for place in PLACES)
    assert most / len(rows) < 0.25


def test_answers_in_a_dialogue_take_words_over_from_the_turn(folders: dict[str, Path]) -> None:
    drinks = [
        row for row in rows_of(folders["dialogue"], "train") if any(d in row["turn"] for d in GROUPS["drink"])
    ]
    echoed = [
        row for row in drinks if any(d in row["turn"] and d in row["answer"].lower() for d in GROUPS["drink"])
    ]
    assert len(echoed) / len(drinks) > 0.6


def test_a_description_says_what_was_measured() -> None:
    image = np.zeros((8, 8), dtype=np.int64)
    image[:, 3] = 16
    assert describe(image, "1") == "a thin narrow one that stands straight"
    slanted = np.zeros((8, 8), dtype=np.int64)
    for row in range(8):
        slanted[row, 7 - row] = 16
    assert describe(slanted, "8") == "a thin wide eight that leans to the right"
    assert "leans to the left" in describe(slanted[:, ::-1], "8")
    image[4:, 2:5] = 16
    assert describe(image, "8") == "a thin narrow eight that stands straight and is heavier at the bottom"
    said = {describe(image, label) for image, label in zip(*digit_images(), strict=True)}
    assert len(said) > 100
    assert any(text.startswith("an eight") for text in said)
