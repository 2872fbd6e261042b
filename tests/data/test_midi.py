"""Piano rolls, notes and MIDI files: there and back, and refusals of bad files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mido
import numpy as np
import pytest

from seqline.data.midi import notes_of_roll, read_midi, roll_of_notes, write_midi
from seqline.errors import InputError

CADENCE = [[48, 64, 67, 72], [48, 64, 67, 72], [43, 62, 67, 71], [], [48, 60, 64, 72]]


def some_roll(seed: int, steps: int = 40) -> np.ndarray:
    roll = (np.random.default_rng(seed).random((steps, 88)) < 0.05).astype(np.float32)
    roll[0, 40] = 1.0
    return roll


@pytest.mark.parametrize("hold", [True, False])
@pytest.mark.parametrize("steps_per_beat", [1, 4])
def test_a_roll_survives_the_way_to_a_file_and_back(tmp_path: Path, steps_per_beat: int, hold: bool) -> None:
    roll = some_roll(0)
    roll[-3:] = 0.0
    write_midi(tmp_path / "a.mid", roll, steps_per_beat=steps_per_beat, hold=hold)
    assert np.array_equal(read_midi(tmp_path / "a.mid", steps_per_beat=steps_per_beat), roll)


def test_what_a_player_finds_in_the_file(tmp_path: Path) -> None:
    write_midi(tmp_path / "a.mid", roll_of_notes(CADENCE), beats_per_minute=60)
    file = mido.MidiFile(tmp_path / "a.mid")
    assert file.length == pytest.approx(5.0)
    starts = [message.note for message in file if message.type == "note_on"]
    # 67 goes on sounding through three steps: it is struck once before the rest, as are the others of a chord.
    assert sorted(starts) == sorted([48, 64, 67, 72, 43, 62, 71, 48, 60, 64, 72])
    struck = tmp_path / "struck.mid"
    write_midi(struck, roll_of_notes(CADENCE), hold=False)
    assert sum(message.type == "note_on" for message in mido.MidiFile(struck)) == sum(map(len, CADENCE))
    assert (tmp_path / "a.mid").read_bytes()[:4] == b"MThd"


def test_notes_and_rolls_say_the_same() -> None:
    assert notes_of_roll(roll_of_notes(CADENCE)) == CADENCE
    assert roll_of_notes([[21, 108]])[0, [0, 87]].tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("steps", "found"),
    [
        ([], "no steps"),
        ([[60], [20]], "step 2: 20"),
        ([[109]], "109"),
        ([[60.0]], "60.0"),
        ([[True]], "True"),
        ([["C4"]], "C4"),
        ([60], "60"),
        (["60"], "60"),
    ],
)
def test_what_is_no_note_of_a_piano_is_refused(steps: list[Any], found: str) -> None:
    with pytest.raises(InputError, match=found):
        roll_of_notes(steps)


def midi_file(path: Path, *messages: Any, kind: int = 1, ticks: int = 480) -> Path:
    file = mido.MidiFile(type=kind, ticks_per_beat=ticks)
    file.tracks.append(mido.MidiTrack(messages))
    file.save(path)
    return path


def note(kind: str, number: int, time: int, **more: int) -> mido.Message:
    return mido.Message(kind, note=number, time=time, **more)


def test_files_of_other_programs_are_read_to_the_nearest_step(tmp_path: Path) -> None:
    path = midi_file(
        tmp_path / "a.mid",
        note("note_on", 60, 10),
        note("note_on", 38, 0, channel=9),  # a drum
        note("note_on", 64, 480),
        note("note_on", 60, 5, velocity=0),  # an old way to end a note
        note("note_on", 64, 500),  # struck again while it sounds
        note("note_on", 67, 10),  # never ended
        note("note_off", 64, 40),  # a grace note: one step at least
    )
    assert notes_of_roll(read_midi(path)) == [[60], [64], [64, 67]]


@pytest.mark.parametrize("content", [b"", b"MThd", b"RIFF" + bytes(40), b"not music at all" * 9])
def test_a_file_that_is_no_midi_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.mid").write_bytes(content)
    with pytest.raises(InputError, match="not a MIDI file"):
        read_midi(tmp_path / "a.mid")


def test_every_cut_of_a_file_is_read_or_refused(tmp_path: Path) -> None:
    write_midi(tmp_path / "whole.mid", some_roll(1, 6))
    whole = (tmp_path / "whole.mid").read_bytes()
    for end in range(0, len(whole), 7):
        (tmp_path / "cut.mid").write_bytes(whole[:end])
        with pytest.raises(InputError):
            read_midi(tmp_path / "cut.mid")


def test_files_without_usable_notes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_midi(tmp_path / "missing.mid")
    with pytest.raises(InputError, match="no notes"):
        read_midi(midi_file(tmp_path / "silent.mid", note("note_on", 38, 0, channel=9)))
    with pytest.raises(InputError, match="note 109"):
        read_midi(midi_file(tmp_path / "high.mid", note("note_on", 109, 0), note("note_off", 109, 480)))
    with pytest.raises(InputError, match="type 2"):
        read_midi(midi_file(tmp_path / "two.mid", note("note_on", 60, 0), kind=2))
    with pytest.raises(InputError, match="steps"):
        read_midi(
            midi_file(tmp_path / "long.mid", note("note_on", 60, 0), note("note_off", 60, 200_000), ticks=1)
        )
    (tmp_path / "large.mid").write_bytes(bytes(4_000_001))
    with pytest.raises(InputError, match="at most 4000000"):
        read_midi(tmp_path / "large.mid")
