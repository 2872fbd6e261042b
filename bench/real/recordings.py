"""Recordings of spoken digits."""

from __future__ import annotations

import base64
import tarfile
from pathlib import Path

import numpy as np
from bench.real.rows import Row, Rows

from seqline.data.recordings import RecordingReader
from seqline.recipe import AudioInput

FSDD_TEST_TAKES = 5
DIGIT_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def fsdd(data: Path) -> Rows:
    """Spoken digits: 3,000 recordings of six people; the first five takes of each digit and speaker are test."""
    parts: dict[bool, list[Row]] = {False: [], True: []}
    with tarfile.open(data / "fsdd/fsdd_wavs.tar.gz") as archive:
        for member in sorted(archive.getmembers(), key=lambda found: found.name):
            file = archive.extractfile(member)
            if file is None or not member.name.endswith(".wav"):
                continue
            name = Path(member.name).stem
            digit, speaker, take = name.split("_")
            row = {
                "id": name,
                "audio": base64.b64encode(file.read()).decode("ascii"),
                "digit": digit,
                "speaker": speaker,
                "said": [digit, speaker],
            }
            parts[int(take) < FSDD_TEST_TAKES].append(row)
    return Rows(parts[False], parts[True])


def captions(data: Path) -> Rows:
    """Mean and deviation of a recording's log-mel bands, and a sentence that says who says which digit."""
    reader = RecordingReader(AudioInput(column="audio"))

    def row(spoken: Row) -> Row:
        frames = reader.frames(spoken["audio"])
        numbers = np.concatenate([frames.mean(axis=0), frames.std(axis=0)])
        return {
            "id": spoken["id"],
            "sound": [round(float(number), 4) for number in numbers],
            "sentence": f"{spoken['speaker']} says the digit {DIGIT_WORDS[int(spoken['digit'])]}",
            "speaker": spoken["speaker"],
        }

    rows = fsdd(data)
    return Rows([row(spoken) for spoken in rows.train], [row(spoken) for spoken in rows.test])
