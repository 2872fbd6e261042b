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


def made_of(
    samples: np.ndarray, *, code: int, bits: int, channels: int = 1, subformat: int | None = None
) -> bytes:
    """A WAV file of an array's own bytes, with a part before the format that holds the word `fmt `."""
    block = channels * bits // 8
    chunk = struct.pack("<HHLLHH", code, channels, RATE, RATE * block, block, bits)
    if subformat is not None:
        guid = struct.pack("<H", subformat) + bytes.fromhex("000000001000800000aa00389b71")
        chunk += struct.pack("<HHL", 22, bits, 4) + guid
    data = samples.tobytes()
    note = b"LIST" + struct.pack("<L", 7) + b"fmt was\0"
    parts = b"fmt " + struct.pack("<L", len(chunk)) + chunk + b"data" + struct.pack("<L", len(data)) + data
    return b"RIFF" + struct.pack("<L", 4 + len(note) + len(parts)) + b"WAVE" + note + parts


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
        (b"\xff\xfb\x90\x00 an mp3 file", "an MP3 file, whatever its name says"),
        (b"fLaC\0\0\0\x22 and more", "a FLAC file"),
        (to_base64(b"\x89PNG\r\n\x1a\n and more"), "no WAV file"),
        (b"RIFF\x24\0\0\0WAVE", "does not say its format"),
        (with_format(wav(tone()), 3), "floating-point numbers of 16 bits"),
        (with_format(wav(tone()), 7), "mu-law"),
        (with_format(wav(tone()), 999), "format 999"),
        (made_of(np.zeros(4, dtype="<i8"), code=1, bits=64), "64 bits"),
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


SIXTEEN = np.asarray([16_384, -8_192, 0, 32_767], dtype="<i2")


def test_the_extensible_format_is_read_as_what_is_inside_it() -> None:
    plain = read_recording(made_of(SIXTEEN, code=1, bits=16))
    np.testing.assert_array_equal(plain.samples, np.float32([0.5, -0.25, 0.0, 32_767 / 32_768]))
    inside = read_recording(made_of(SIXTEEN, code=0xFFFE, bits=16, subformat=1))
    np.testing.assert_array_equal(inside.samples, plain.samples)
    both = read_recording(made_of(SIXTEEN, code=0xFFFE, bits=16, channels=2, subformat=1))
    np.testing.assert_array_equal(both.samples, np.float32([0.125, 32_767 / 65_536]))
    floats = np.asarray([0.5, -0.25, 1.5], dtype="<f4")
    found = read_recording(made_of(floats, code=0xFFFE, bits=32, subformat=3)).samples
    np.testing.assert_array_equal(found, np.float32([0.5, -0.25, 1.0]))
    assert "mu-law" in (recording_fault(made_of(SIXTEEN, code=0xFFFE, bits=16, subformat=7)) or "")


@pytest.mark.parametrize(("dtype", "code", "bits"), [("<i4", 1, 32), ("<f4", 3, 32), ("<f8", 3, 64)])
def test_32_bits_and_floating_point_numbers_are_read(dtype: str, code: int, bits: int) -> None:
    scale = 2**31 if code == 1 else 1
    recording = read_recording(made_of((tone() * scale).astype(dtype), code=code, bits=bits))
    np.testing.assert_allclose(recording.samples, tone(), atol=1e-7)


@pytest.mark.parametrize(
    ("samples", "sentence"),
    [
        (np.asarray([0.1, np.nan], dtype="<f4"), "no finite numbers"),
        (np.asarray([0.1, -np.inf], dtype="<f4"), "no finite numbers"),
        (np.asarray([0.0, 12_000.0], dtype="<f4"), "samples up to 12000"),
    ],
)
def test_floating_point_numbers_that_are_no_sound_are_refused(samples: np.ndarray, sentence: str) -> None:
    assert sentence in (recording_fault(made_of(samples, code=3, bits=32)) or "")


def test_a_format_that_contradicts_itself_is_refused() -> None:
    content = made_of(SIXTEEN, code=1, bits=16)
    place = content.index(b"fmt \x10") + 8
    for value, at in ((0, 2), (3, 2), (0, 4)):
        broken = content[: place + at] + struct.pack("<H", value) + content[place + at + 2 :]
        assert "a broken WAV file" in (recording_fault(broken) or "")
