"""The embedded speech sample: the ten digits, said by six voices that a formant synthesiser makes.

Each voice has a pitch, a mouth and a pace of its own, and says each digit a little differently each time, at another level and
before another noise. The same rows teach a network to recognise digits (`speech`) and to say them (`speak`). Nobody was
recorded.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqline.data.audio import to_base64, to_wav
from seqline.data.samples.digits import DEFAULT_SEED, write_rows
from seqline.data.samples.formants import SAMPLE_RATE, WORDS, Utterance, speak
from seqline.data.samples.grammar import Stream
from seqline.data.samples.waves import between

TAKES = 8
TEST_TAKES = 2


@dataclass(frozen=True)
class _Voice:
    """Pitch in Hz; factors of an average mouth and pace; share of breath."""

    pitch_hz: float
    tract: float
    pace: float
    breath: float


VOICES = {
    "ada": _Voice(205.0, 1.16, 1.0, 0.3),
    "bruno": _Voice(105.0, 1.0, 1.1, 0.15),
    "chen": _Voice(130.0, 1.04, 0.85, 0.2),
    "dalia": _Voice(230.0, 1.2, 0.9, 0.4),
    "emil": _Voice(88.0, 0.94, 1.0, 0.25),
    "farah": _Voice(180.0, 1.1, 1.15, 0.2),
}


def write_speech(folder: Path, *, seed: int = DEFAULT_SEED) -> None:
    """Write `train/voices.jsonl` and `test/voices.jsonl` under `folder`.

    A row has `id`, `audio` (a WAV file in base64: one channel, 16 bits, 8,000 samples a second, about a third of a second),
    `digit` ("0" to "9"), `speaker`, `said` (digit and speaker as a list, what is to be synthesised). Of each digit and voice
    the test holds the last two takes.

    Args:
        folder: Gets the two files.
        seed: Decides every sample.
    """
    utterances: list[tuple[dict[str, Any], bool, Utterance]] = []
    for speaker, voice in VOICES.items():
        for digit in WORDS:
            for take in range(1, TAKES + 1):
                name = f"{digit}-{speaker}-{take}"
                row = {"id": name, "digit": digit, "speaker": speaker, "said": [digit, speaker]}
                utterances.append(
                    (row, take > TAKES - TEST_TAKES, _utterance(voice, digit, f"{seed}/{name}"))
                )
    sounds = speak([utterance for _, _, utterance in utterances])
    rows: dict[bool, list[dict[str, Any]]] = {False: [], True: []}
    for (row, is_test, _), samples in zip(utterances, sounds, strict=True):
        audio = to_base64(to_wav(samples, sample_rate=SAMPLE_RATE))
        rows[is_test].append({"id": row["id"], "audio": audio, **row})
    write_rows(folder / "train" / "voices.jsonl", rows[False])
    write_rows(folder / "test" / "voices.jsonl", rows[True])


def _utterance(voice: _Voice, digit: str, key: str) -> Utterance:
    stream = Stream(f"speech/{key}")
    level = between(stream, 0.15, 0.9)
    return Utterance(
        word=digit,
        pitch_hz=voice.pitch_hz * between(stream, 0.85, 1.15),
        tract=voice.tract * between(stream, 0.9, 1.1),
        pace=voice.pace * between(stream, 0.7, 1.3),
        breath=voice.breath,
        level=level,
        background=level * between(stream, 0.02, 0.3),
        before_ms=between(stream, 10.0, 60.0),
        after_ms=between(stream, 10.0, 60.0),
        key=key,
    )
