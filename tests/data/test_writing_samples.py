"""The samples of what is written: the same bytes, no row in two splits, and what makes them worth learning."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seqline.data.kinds.piano import PianoKind
from seqline.data.samples.chorales import RANGES, write_music
from seqline.data.samples.generation import PEOPLE, RHYMES, write_text
from seqline.data.samples.suggestions import CITIES, FAMILY, write_suggest
from seqline.files import sha256_file

SAMPLES: dict[str, Callable[..., None]] = {"text": write_text, "suggest": write_suggest, "music": write_music}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    made = {name: tmp_path_factory.mktemp(name) for name in SAMPLES}
    for name, write in SAMPLES.items():
        write(made[name])
    return made


@pytest.fixture(scope="module")
def written(folders: dict[str, Path]) -> dict[str, dict[str, list[dict[str, Any]]]]:
    found = {}
    for name, folder in folders.items():
        size = sum(path.stat().st_size for path in folder.rglob("*.jsonl"))
        assert 400_000 < size < 4_000_000
        found[name] = {
            split: [json.loads(line) for path in sorted((folder / split).iterdir()) for line in path.open()]
            for split in ("train", "test")
        }
    return found


@pytest.mark.parametrize(
    ("name", "digest"),
    [
        ("text", "895b98bed15d464d"),
        ("suggest", "342e109e9d7e132e"),
        ("music", "59582f1f6919237a"),
    ],
)
def test_the_bytes_are_always_the_same(name: str, digest: str, folders: dict[str, Path]) -> None:
    assert sha256_file(folders[name] / "test" / "test.jsonl")[:16] == digest


@pytest.mark.parametrize(("name", "column"), [("text", "text"), ("suggest", "text"), ("music", "notes")])
def test_no_row_is_in_both_splits_and_ids_are_distinct(written: Any, name: str, column: str) -> None:
    train, test = ({json.dumps(row[column]) for row in written[name][split]} for split in ("train", "test"))
    assert not train & test
    ids = [row["id"] for split in written[name].values() for row in split]
    assert len(set(ids)) == len(ids)
    assert len(written[name]["test"]) >= 200


def test_who_is_addressed_speaks_next_and_the_scene_ends_in_a_rhyme(written: Any) -> None:
    for row in written["text"]["test"][:50]:
        speeches = [speech.split("\n", 1) for speech in row["text"].strip().split("\n\n")]
        for (speaker, words), (listener, _) in itertools.pairwise(speeches):
            last = words.strip().splitlines()[-1]
            assert listener.rstrip(":").capitalize() in last
            assert PEOPLE[speaker.rstrip(":").capitalize()][2] in last or last.startswith("What say you")
        first, second = (line.rstrip(";.").split()[-1] for line in speeches[-1][1].splitlines())
        assert first != second and any(first in family and second in family for family in RHYMES)


def test_the_end_of_a_line_answers_its_beginning(written: Any) -> None:
    texts = [row["text"] for row in written["suggest"]["test"]]
    for text in texts:
        words = text.split()
        if "from" in words and words[words.index("from") + 1] in CITIES:
            start, end = words[words.index("from") + 1], words[words.index("to") + 1]
            assert start != end and ("back" not in words or words[words.index("back") + 2] == start)
        for person, own in FAMILY.items():
            if f"{person} for " in text:
                assert f"{person} for {own} " in text
    assert len(set(texts)) > 300


def test_music_keeps_to_its_voices_and_ends_in_a_cadence(written: Any) -> None:
    kind = PianoKind()
    for row in written["music"]["test"][:60]:
        notes = row["notes"]
        assert kind.faults(notes) == []
        assert all(RANGES[0][0] <= note <= RANGES[3][1] for step in notes for note in step)
        assert notes[-1] == notes[-2]
        held = [step for step, following in itertools.pairwise(notes) if step == following]
        assert len(held) >= 3
        # The piece ends on its first degree, the bass on the root, which is where it began.
        assert notes[-1][0] % 12 == notes[0][0] % 12


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ([[60], [61]], ""),
        ([[60], []], ""),
        (None, "no value"),
        ("C4", "instead of a list"),
        ([[60], [20]], "step 2"),
        ([[60], [60.5]], "step 2"),
        ([], "no steps"),
        ([[60]], "single step"),
        ([[], []], "silent"),
        ([60, 61], "step 1"),
    ],
)
def test_what_is_no_piece_of_music_is_named(value: Any, fault: str) -> None:
    found = " ".join(PianoKind().faults(value))
    assert fault in found if fault else found == ""


def test_a_piece_is_known_again_whatever_the_order_of_its_notes() -> None:
    kind = PianoKind()
    assert kind.key([[60, 64], [62]]) == kind.key([[64, 60], [62]]) != kind.key([[60], [62]])
    assert kind.length([[60], []]) == 2 and kind.length("x") is None
    assert kind.facts([[60, 64], []]) == {"steps": 2, "notes": 2}
    assert "60 64" in kind.excerpt([[60, 64], []])
