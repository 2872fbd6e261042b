from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from seqline.commands.answers import _answer, _from_file, file_name
from seqline.commands.typed_inputs import sound_file, typed_input
from seqline.data.audio import read_recording, to_wav
from seqline.errors import InputError
from seqline.recipe import AudioInput, SeriesInput, SymbolsInput, TextInput, VectorInput
from seqline.tasks.classification import Classification

TEXT, SERIES = TextInput(column="text"), SeriesInput(column="trace")
SOUND = AudioInput(column="audio")


@pytest.fixture
def wav(tmp_path: Path) -> Path:
    path = tmp_path / "seven.wav"
    path.write_bytes(to_wav(np.sin(np.arange(800)), sample_rate=8000))
    return path


def test_each_kind_is_read_as_it_is_typed(wav: Path) -> None:
    assert typed_input("[not a list]", TEXT) == "[not a list]"
    assert typed_input("ACGT", SymbolsInput(column="dna")) == "ACGT"
    assert typed_input('["7", "ada"]', SymbolsInput(column="said")) == ["7", "ada"]
    assert typed_input("[[1, 2], [3, 4]]", SERIES) == [[1, 2], [3, 4]]
    assert typed_input(" [1.5, 2]", VectorInput(column="v")) == [1.5, 2]
    assert len(read_recording(typed_input(str(wav), SOUND)).samples) == 800
    assert typed_input("UklGRg==", SOUND) == "UklGRg=="


@pytest.mark.parametrize("typed", ["1, 2, 3", "[1, 2", "", "7", "null"])
def test_what_is_no_list_is_refused_where_a_list_is_wanted(typed: str) -> None:
    with pytest.raises(InputError, match="list"):
        typed_input(typed, SERIES)


def test_sound_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        typed_input(str(tmp_path / "gone.wav"), SOUND)
    (tmp_path / "empty.wav").write_bytes(b"")
    with pytest.raises(InputError, match="empty file"):
        sound_file(tmp_path / "empty.wav")


def test_a_sound_file_is_one_input(wav: Path, tmp_path: Path) -> None:
    ((identifier, value),) = _from_file(wav, None, SOUND, Classification(), tmp_path)
    assert identifier is None
    assert read_recording(value).sample_rate == 8000


@dataclass(frozen=True)
class Said:
    content: bytes | None

    def record(self) -> dict[str, Any]:
        return {"said": True}

    def line(self) -> str:
        return "said"

    def attachment(self) -> tuple[str, bytes]:
        return ".wav", self.content or b""


@dataclass(frozen=True)
class Plain:
    def record(self) -> dict[str, Any]:
        return {}

    def line(self) -> str:
        return "plain"


def asked(kind: str, answer: Any) -> Any:
    return SimpleNamespace(
        input_section=SimpleNamespace(kind=kind), answers=lambda values: [answer for _ in values]
    )


def test_answers_that_are_files_are_saved_by_id_inside_the_folder(tmp_path: Path) -> None:
    rows = [("7-ada", ["7"]), ("../../up", ["8"]), (None, ["9"])]
    lines = list(_answer(asked("symbols", Said(b"RIFF")), rows, as_json=False, save=tmp_path / "out"))
    assert len(lines) == 3
    found = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert len(found) == 3
    assert {"7-ada.wav", "answer-3.wav"} < set(found)
    (changed,) = set(found) - {"7-ada.wav", "answer-3.wav"}
    assert re.fullmatch(r"_\.\._up-[0-9a-f]{12}\.wav", changed)
    assert (tmp_path / "out" / "7-ada.wav").read_bytes() == b"RIFF"


def test_ids_that_are_no_file_names_never_share_one() -> None:
    names = [file_name(identifier) for identifier in ("a/1", "a?1", "a_1", "字" * 200, ".hidden", "")]
    assert len(set(names)) == len(names)
    assert all(len(name.encode()) <= 100 and not name.startswith(".") for name in names)
    assert file_name("take-7") == "take-7"


def test_saving_answers_that_are_no_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no files"):
        list(_answer(asked("text", Plain()), [("a", "b")], as_json=False, save=tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_sound_is_not_repeated_beside_its_answer(wav: Path) -> None:
    rows = [("a", sound_file(wav))]
    assert list(_answer(asked("audio", Plain()), rows, as_json=False)) == ["plain"]
    (line,) = _answer(asked("audio", Plain()), rows, as_json=True)
    assert json.loads(line) == {"id": "a"}
