"""What a person types as one input: text, a list in JSON, or the path of a sound file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqline.errors import InputError

if TYPE_CHECKING:
    from seqline.recipe import InputSection

SOUND_SUFFIX = ".wav"
MUSIC_SUFFIX = ".mid"
# Kinds of input that may be typed as text as well as lists.
_TEXTS = ("text", "symbols")


def typed_input(text: str, section: InputSection) -> Any:
    """Read one input as it was typed.

    Args:
        text: As it is for texts and symbols; a list in JSON for symbols, series, vectors and whatever else is made of lists;
            the path of a .wav file, or one in base64, for sound; the path of a .mid file for music.
        section: The recipe's input.

    Raises:
        InputError: A list is wanted and the text is none, or the sound file cannot be read.
    """
    if section.kind == "audio":
        return sound_file(Path(text)) if text.lower().endswith(SOUND_SUFFIX) else text
    if section.kind == "piano" and text.lower().endswith(MUSIC_SUFFIX):
        return music_file(Path(text), section)
    if section.kind == "text" or (section.kind in _TEXTS and not text.lstrip().startswith("[")):
        return text
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, list | dict):
        raise InputError(
            "predict",
            f"{text[:40]!r}, which is no list",
            f"a list in JSON: the input of this model is of kind {section.kind}",
            "quote it for the shell, as '[1.5, 2, 3]', or give rows with --file",
        )
    return value


def sound_file(path: Path) -> str:
    """A sound file as it stands in a row; what is in it is checked where it is read.

    Raises:
        InputError: There is no such file, or it cannot be read.
    """
    from seqline.data.audio import to_base64

    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise InputError(str(path), "no such file") from None
    except OSError as error:
        raise InputError(str(path), f"cannot be read: {error.strerror}") from None
    if not content:
        raise InputError(str(path), "an empty file", "a WAV file")
    return to_base64(content)


def music_file(path: Path, section: InputSection) -> list[list[int]]:
    """A MIDI file as it stands in a row: the notes of each step.

    Raises:
        InputError: There is no such file, or it is no MIDI file with notes of a piano.
    """
    from seqline.data.midi import notes_of_roll, read_midi

    return notes_of_roll(read_midi(path, steps_per_beat=getattr(section, "steps_per_beat", 1)))
