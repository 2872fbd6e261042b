"""Piano rolls to MIDI files that a person can play, and MIDI files to piano rolls.

A piano roll says for each step which of the 88 keys sound. A key that sounds at neighbouring steps is one long note, or
one note a step.

Legend: T steps, D keys (88, MIDI notes 21 to 108).
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from seqline.errors import InputError
from seqline.files import atomic_write

if TYPE_CHECKING:
    from mido import MidiFile

LOWEST_NOTE = 21
NUM_KEYS = 88
MAX_BYTES = 4_000_000
MAX_STEPS = 100_000
_TICKS_PER_BEAT = 480
_VELOCITY = 72
_DRUMS = 9
_ASYNCHRONOUS_TRACKS = 2

Roll = npt.NDArray[np.float32]


def roll_of_notes(steps: Sequence[Sequence[int]], *, where: str = "notes") -> Roll:
    """The piano roll of MIDI notes.

    Args:
        steps: For each step the notes that sound, 21 to 108; none is silence.
        where: Named in the refusal.

    Returns:
        float32 (T, 88), 1 = the key sounds.

    Raises:
        InputError: No step, or something that is no note of a piano.

    >>> roll_of_notes([[60, 64], []]).sum(axis=1).tolist()
    [2.0, 0.0]
    """
    if not steps:
        raise InputError(where, "no steps", "at least one step")
    roll = np.zeros((len(steps), NUM_KEYS), dtype=np.float32)
    for number, notes in enumerate(steps):
        if isinstance(notes, str) or not isinstance(notes, Sequence):
            raise InputError(f"{where}, step {number + 1}", repr(notes), "a list of MIDI notes")
        for note in notes:
            is_note = isinstance(note, int) and not isinstance(note, bool)
            if not is_note or not LOWEST_NOTE <= note < LOWEST_NOTE + NUM_KEYS:
                raise InputError(
                    f"{where}, step {number + 1}",
                    f"{note!r}",
                    f"MIDI notes of a piano, whole numbers from {LOWEST_NOTE} to {LOWEST_NOTE + NUM_KEYS - 1}",
                )
            roll[number, note - LOWEST_NOTE] = 1.0
    return roll


def notes_of_roll(roll: Roll) -> list[list[int]]:
    """For each step the MIDI notes that sound, lowest first: (T, 88) to T lists."""
    return [(np.flatnonzero(keys) + LOWEST_NOTE).tolist() for keys in roll]


def write_midi(
    path: Path, roll: Roll, *, steps_per_beat: int = 1, beats_per_minute: int = 72, hold: bool = True
) -> None:
    """Write a piano roll as a MIDI file, whole or not at all; arguments as of `midi_bytes`."""
    content = midi_bytes(roll, steps_per_beat=steps_per_beat, beats_per_minute=beats_per_minute, hold=hold)
    atomic_write(path, content)


def midi_bytes(
    roll: Roll, *, steps_per_beat: int = 1, beats_per_minute: int = 72, hold: bool = True
) -> bytes:
    """A piano roll as a MIDI file of one piano track.

    Args:
        roll: (T, 88), more than 0 = the key sounds.
        steps_per_beat: 1 for quarter notes, 4 for sixteenths; divides 480.
        beats_per_minute: Tempo.
        hold: A key that goes on sounding is one long note; else it is struck at every step.
    """
    import mido

    ticks = _TICKS_PER_BEAT // steps_per_beat
    track = mido.MidiTrack(
        [
            mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(beats_per_minute), time=0),
            mido.Message("program_change", program=0, time=0),
        ]
    )
    sounding = np.zeros(NUM_KEYS, dtype=bool)
    last = 0
    for step, keys in enumerate([*(np.asarray(roll) > 0), np.zeros(NUM_KEYS, dtype=bool)]):
        ending, starting = (sounding & ~keys, keys & ~sounding) if hold else (sounding, keys)
        for kind, which in (("note_off", ending), ("note_on", starting)):
            for key in np.flatnonzero(which):
                track.append(
                    mido.Message(
                        kind, note=int(key) + LOWEST_NOTE, velocity=_VELOCITY, time=step * ticks - last
                    )
                )
                last = step * ticks
        sounding = keys
    # Silence at the end has its length too.
    track.append(mido.MetaMessage("end_of_track", time=len(roll) * ticks - last))
    buffer = io.BytesIO()
    mido.MidiFile(type=0, ticks_per_beat=_TICKS_PER_BEAT, tracks=[track]).save(file=buffer)
    return buffer.getvalue()


def read_midi(path: Path, *, steps_per_beat: int = 1) -> Roll:
    """Read a MIDI file as a piano roll, all tracks and channels but drums together.

    A note begins at the step nearest to its start and sounds at least for one step.

    Args:
        path: The file.
        steps_per_beat: 1 for quarter notes, 4 for sixteenths.

    Returns:
        float32 (T, 88), 1 = the key sounds.

    Raises:
        InputError: No MIDI file, too large or too long, without notes, or with notes that a piano does not have.
    """
    import mido

    file = _opened(path)
    ticks = file.ticks_per_beat / steps_per_beat
    notes: list[tuple[int, int, int]] = []
    begun: dict[tuple[int, int], int] = {}
    now = 0
    for message in mido.merge_tracks(file.tracks):
        now += message.time
        if message.type not in ("note_on", "note_off") or message.channel == _DRUMS:
            continue
        voice = (message.channel, message.note)
        if voice in begun:
            notes.append((begun.pop(voice), now, message.note))
        if message.type == "note_on" and message.velocity > 0:
            begun[voice] = now
    notes += [(start, now, note) for (_, note), start in begun.items()]
    if not notes:
        raise InputError(str(path), "no notes", "a MIDI file with notes")
    return _quantised(path, notes, ticks, round(now / ticks))


def _quantised(path: Path, notes: list[tuple[int, int, int]], ticks: float, steps: int) -> Roll:
    ends = [max(round(end / ticks), round(start / ticks) + 1) for start, end, _ in notes]
    steps = max(steps, *ends)
    if steps > MAX_STEPS:
        raise InputError(str(path), f"{steps} steps", f"at most {MAX_STEPS}")
    roll = np.zeros((steps, NUM_KEYS), dtype=np.float32)
    for (start, _, note), end in zip(notes, ends, strict=True):
        if not LOWEST_NOTE <= note < LOWEST_NOTE + NUM_KEYS:
            raise InputError(
                str(path), f"note {note}", f"notes of a piano, {LOWEST_NOTE} to {LOWEST_NOTE + NUM_KEYS - 1}"
            )
        roll[round(start / ticks) : end, note - LOWEST_NOTE] = 1.0
    return roll


def _opened(path: Path) -> MidiFile:
    import mido

    if not path.is_file():
        raise InputError(str(path), "no such file")
    if path.stat().st_size > MAX_BYTES:
        raise InputError(str(path), f"{path.stat().st_size} bytes", f"at most {MAX_BYTES}")
    try:
        file = mido.MidiFile(path)
    # mido has no error of its own: a broken file ends in whatever its parser trips over.
    except (OSError, EOFError, ValueError, KeyError, IndexError, TypeError) as error:
        raise InputError(str(path), f"not a MIDI file ({error or type(error).__name__})") from None
    if file.type == _ASYNCHRONOUS_TRACKS:
        raise InputError(
            str(path), "a MIDI file of type 2, whose tracks are pieces of their own", "type 0 or 1"
        )
    if not 0 < file.ticks_per_beat < 2**15:
        raise InputError(str(path), "time in SMPTE frames, not in beats", "ticks for each quarter note")
    return file
