from __future__ import annotations

import base64
import io
import struct
import wave

import numpy as np
import pytest

from seqline.data.audio import read_recording, recording_fault, to_base64, to_wav
from seqline.errors import InputError

RATE = 8000


def tone(*, hz: float = 440.0, seconds: float = 0.1, level: float = 0.5) -> np.ndarray:
    return level * np.sin(2 * np.pi * hz * np.arange(int(RATE * seconds)) / RATE)


def wav(samples: np.ndarray, *, width: int = 2, channels: int = 1, rate: int = RATE) -> bytes:
    """A WAV file of float samples (S,) or (S, channels), written another way than the package does."""
    peak = 2 ** (8 * width - 1) - 1
    levels = np.rint(np.asarray(samples) * peak).astype(int).ravel()
    if width == 1:
        data = bytes((levels + 128).tolist())
    else:
        data = b"".join(int(level).to_bytes(width, "little", signed=True) for level in levels)
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setparams((channels, width, rate, 0, "NONE", ""))
        file.writeframes(data)
    return target.getvalue()


def with_format(content: bytes, code: int) -> bytes:
    place = content.index(b"fmt ") + 8
    return content[:place] + struct.pack("<H", code) + content[place + 2 :]


@pytest.mark.parametrize(("width", "error"), [(1, 1 / 100), (2, 1 / 30_000), (3, 1 / 8_000_000)])
def test_each_width_gives_the_samples_that_were_written(width: int, error: float) -> None:
    recording = read_recording(wav(tone(), width=width))
    assert recording.samples.dtype == np.float32
    assert (recording.sample_rate, recording.seconds) == (RATE, pytest.approx(0.1))
    np.testing.assert_allclose(recording.samples, tone(), atol=error)


def test_negative_full_scale_is_minus_one_at_every_width() -> None:
    for width, lowest in ((1, b"\0"), (2, b"\0\x80"), (3, b"\0\0\x80")):
        content = wav(np.zeros(1), width=width)
        content = content[: -len(content[44:])] + lowest + b"\0" * (len(content) - 44 - width)
        assert read_recording(content).samples[0] == -1.0


def test_two_channels_become_their_mean() -> None:
    both = np.stack([tone(), np.zeros(len(tone()))], axis=1)
    np.testing.assert_allclose(read_recording(wav(both, channels=2)).samples, tone() / 2, atol=1e-4)


def test_base64_with_line_breaks_is_read() -> None:
    text = base64.encodebytes(wav(tone())).decode()
    np.testing.assert_array_equal(read_recording(text).samples, read_recording(wav(tone())).samples)


def test_what_is_written_is_read_back() -> None:
    content = to_wav(tone(level=0.9), sample_rate=RATE)
    np.testing.assert_allclose(read_recording(to_base64(content)).samples, tone(level=0.9), atol=1e-4)
    loud = read_recording(to_wav(np.asarray([2.0, -3.0]), sample_rate=RATE))
    np.testing.assert_allclose(loud.samples, [1.0, -1.0], atol=1e-4)


def test_clipping_and_silence_are_measured() -> None:
    clipped = read_recording(wav(np.clip(tone(level=2.0), -1, 1)))
    assert 0.5 < clipped.clipped_share < 0.75  # |2 sin| >= 1 for two thirds of the time
    assert read_recording(wav(tone())).clipped_share == 0.0
    assert read_recording(wav(np.zeros(5))).is_flat
    assert not read_recording(wav(tone())).is_flat


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("", "an empty text"),
        ("   ", "an empty text"),
        ("not base64!", "no base64"),
        ("héhé", "no base64"),
        (b"", "an empty file"),
        (b"ID3\x04 an mp3 file", "no WAV file"),
        (to_base64(b"\x89PNG\r\n\x1a\n and more"), "no WAV file"),
        (b"RIFF\x24\0\0\0WAVE", "does not say its format"),
        (with_format(wav(tone()), 3), "floating-point"),
        (with_format(wav(tone()), 7), "mu-law"),
        (with_format(wav(tone()), 999), "format 999"),
        (wav(tone(), width=4), "32 bits"),
        (wav(np.zeros(0)), "without samples"),
        (wav(tone())[:-100], "cut off: 750 of 800 samples"),
        (wav(tone())[:40], "WAV file"),
    ],
)
def test_each_fault_of_a_recording_is_refused_with_a_sentence(value: str | bytes, sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        read_recording(value, where="row 7")
    assert str(caught.value).startswith("row 7: ")
    assert sentence in caught.value.found
    assert sentence in (recording_fault(value) or "")


def test_another_sample_rate_is_refused() -> None:
    with pytest.raises(InputError, match="16000 samples a second") as caught:
        read_recording(wav(tone(), rate=16_000), sample_rate=RATE)
    assert "resample" in caught.value.hint


def test_a_recording_that_is_too_long_is_refused() -> None:
    assert recording_fault(wav(tone(seconds=0.5)), max_seconds=0.5) is None
    assert recording_fault(wav(tone(seconds=0.6)), max_seconds=0.5) == "0.6 seconds; expected at most 0.5"


def test_a_value_that_is_no_text_is_no_recording() -> None:
    assert recording_fault(3.5) == "float instead of a WAV file in base64"


def test_extensible_pcm_is_read() -> None:
    samples = np.asarray([1000, -1000], dtype="<i2").tobytes()
    guid = struct.pack("<H", 1) + bytes.fromhex("000000001000800000aa00389b71")
    chunk = struct.pack("<HHLLHH", 0xFFFE, 1, RATE, 2 * RATE, 2, 16) + struct.pack("<HHL", 22, 16, 4) + guid
    body = b"WAVEfmt " + struct.pack("<L", len(chunk)) + chunk + b"data" + struct.pack("<L", 4) + samples
    content = b"RIFF" + struct.pack("<L", len(body)) + body
    extensible = wave.open.__module__ == "wave" and recording_fault(content)
    # Python reads the extensible format from 3.12 on; before it, the refusal has words too.
    assert extensible is None or "WAV file" in extensible
