"""Sound as it stands in a row: a WAV file in base64, read into samples and written from them.

Linear PCM of 8 to 32 bits and floating-point numbers are read, several channels are averaged. Everything else is refused with
a sentence, sample rates other than the recipe's too: resampling silently would make two recordings alike that a microphone
tells apart. The parts of a file are found here: Python 3.11's `wave` knows neither the extensible format nor numbers with a
point, and scipy tells a file that is cut off by a warning only, which a server with threads cannot catch.

Legend: S samples.
"""

from __future__ import annotations

import base64
import binascii
import io
import struct
import wave
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seqline.errors import InputError

# A peak that a converter cut off stays at full scale for several samples; this near to it counts as there.
CLIPPED_LEVEL = 0.999
_EXPECTED = "a WAV file with linear PCM of 8, 16, 24 or 32 bits, or with floating-point numbers"
_CONVERT = "convert it, for example with `ffmpeg -i IN -c:a pcm_s16le OUT.wav`"
_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_FORMATS = {2: "ADPCM", 6: "A-law", 7: "mu-law", 17: "ADPCM", 85: "MP3"}
_OTHER_FILES = {
    b"ID3": "an MP3 file",
    b"\xff\xfb": "an MP3 file",
    b"\xff\xf3": "an MP3 file",
    b"OggS": "an Ogg file",
    b"fLaC": "a FLAC file",
    b"RF64": "a WAV file of more than 4 GiB",
    b"FORM": "an AIFF file",
}
# In a file of the extensible format: where, in its format chunk, the number of the real format stands.
_SUBFORMAT_BYTE = 24
# Bytes of a sample by encoding.
_WIDTHS = {_PCM: (1, 2, 3, 4), _FLOAT: (4, 8)}
_HEADER_BYTES = 12
_CHUNK_HEAD = struct.Struct("<4sL")
_FORMAT = struct.Struct("<HHLLHH")
# Music that was mixed too loud passes 1 a little; beyond this the numbers are steps of a converter.
_LOUDEST_FLOAT = 4.0

Samples = npt.NDArray[np.float32]


@dataclass(frozen=True)
class _Format:
    """What a WAV file says of its samples: how they are coded, how many channels, how often, how many bytes each."""

    encoding: int
    channels: int
    sample_rate: int
    width: int


@dataclass(frozen=True)
class Recording:
    """Sound of one channel.

    Attributes:
        samples: float32 (S,) in [-1, 1].
        sample_rate: Samples a second.
    """

    samples: Samples
    sample_rate: int

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.samples) / self.sample_rate

    @property
    def clipped_share(self) -> float:
        """Share of samples at full scale, in [0, 1]; speech recorded well has none."""
        return float(np.mean(np.abs(self.samples) >= CLIPPED_LEVEL))

    @property
    def is_flat(self) -> bool:
        """Whether nothing is heard: all samples are the same."""
        return bool(self.samples.max() == self.samples.min())


def read_recording(
    value: str | bytes,
    *,
    where: str = "audio",
    sample_rate: int | None = None,
    max_seconds: float | None = None,
) -> Recording:
    """Read a WAV file.

    Args:
        value: The file in base64, or its bytes.
        where: Named in the message of a refusal.
        sample_rate: The only rate that is taken; None takes any.
        max_seconds: Longest recording; None takes any.

    Raises:
        InputError: It is no base64, no WAV file, in another encoding, cut off, without samples, too long or of another
            sample rate, or its numbers are no sound. Floating-point samples beyond full scale are cut to it, as a
            converter does.
    """
    content = value if isinstance(value, bytes) else _from_base64(value, where)
    form, data, declared = _parts(content, where)
    rate, channels, width = form.sample_rate, form.channels, form.width
    if sample_rate is not None and rate != sample_rate:
        raise InputError(
            where,
            f"{rate} samples a second",
            f"{sample_rate}",
            "resample the file, or set input.sample_rate in the recipe",
        )
    if max_seconds is not None and declared > max_seconds * rate:
        raise InputError(where, f"{declared / rate:.1f} seconds", f"at most {max_seconds:g}")
    if declared == 0:
        raise InputError(where, "a recording without samples", "at least one")
    held = len(data) // (width * channels)
    if held < declared:
        raise InputError(where, f"cut off: {held} of {declared} samples", "a whole file", "copy it again")
    levels = _levels(data[: declared * width * channels], form.encoding, width)
    if form.encoding == _FLOAT:
        _check_floats(levels, where)
    return Recording(np.clip(levels, -1.0, 1.0).reshape(-1, channels).mean(axis=1, dtype=np.float32), rate)


def recording_fault(
    value: object, *, sample_rate: int | None = None, max_seconds: float | None = None
) -> str | None:
    """Say what makes a value no recording that can be read, or None where it is one; arguments as in `read_recording`."""
    if not isinstance(value, str | bytes):
        return f"{type(value).__name__} instead of a WAV file in base64"
    try:
        read_recording(value, sample_rate=sample_rate, max_seconds=max_seconds)
    except InputError as error:
        return error.found if not error.expected else f"{error.found}; expected {error.expected}"
    return None


def to_wav(samples: npt.NDArray[np.floating], *, sample_rate: int) -> bytes:
    """Write samples as a WAV file of one channel and 16 bits.

    Args:
        samples: float (S,); what lies outside [-1, 1] is cut to it.
        sample_rate: Samples a second.
    """
    levels = np.rint(np.clip(np.asarray(samples, dtype=np.float64), -1.0, 1.0) * np.iinfo(np.int16).max)
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sample_rate)
        file.writeframes(levels.astype("<i2").tobytes())
    return target.getvalue()


def to_base64(content: bytes) -> str:
    """A file's bytes as they stand in a row."""
    return base64.b64encode(content).decode("ascii")


def _from_base64(text: str, where: str) -> bytes:
    if not text.strip():
        raise InputError(where, "an empty text", "a WAV file in base64")
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise InputError(where, f"no base64: {text[:20]!r}", "a WAV file in base64") from None


def _parts(content: bytes, where: str) -> tuple[_Format, bytes, int]:
    """The format of a WAV file, its samples as they stand there, and how many there should be."""
    if not content:
        raise InputError(where, "an empty file", _EXPECTED)
    if len(content) < _HEADER_BYTES or content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        seems = next((name for start, name in _OTHER_FILES.items() if content.startswith(start)), "")
        told = f" ({seems}, whatever its name says)" if seems else ""
        raise InputError(where, f"no WAV file: it begins with {content[:12]!r}{told}", _EXPECTED, _CONVERT)
    form: _Format | None = None
    for name, size, held in _chunks(content):
        if name == b"fmt " and form is None:
            form = _format_of(held, where)
        if name == b"data" and form is not None:
            return form, held, size // (form.width * form.channels)
    if form is None:
        raise InputError(where, "a WAV file that does not say its format", _EXPECTED)
    raise InputError(where, "a broken WAV file (it ends before its samples)", _EXPECTED, "copy it again")


def _chunks(content: bytes) -> Iterator[tuple[bytes, int, bytes]]:
    """Name, declared size and content of each part of a RIFF file; the content is shorter where the file is cut off."""
    place = _HEADER_BYTES
    while place + _CHUNK_HEAD.size <= len(content):
        name, size = _CHUNK_HEAD.unpack_from(content, place)
        place += _CHUNK_HEAD.size
        yield name, size, content[place : place + size]
        place += size + size % 2  # parts begin at even places


def _format_of(chunk: bytes, where: str) -> _Format:
    """Refuse encodings that are not read, by their names where they have one."""
    if len(chunk) < _FORMAT.size:
        raise InputError(where, "a WAV file that does not say its format", _EXPECTED)
    encoding, channels, rate, _, block, bits = _FORMAT.unpack_from(chunk)
    if encoding == _EXTENSIBLE and len(chunk) >= _SUBFORMAT_BYTE + 2:
        (encoding,) = struct.unpack_from("<H", chunk, _SUBFORMAT_BYTE)
    width = (bits + 7) // 8
    if encoding not in _WIDTHS:
        named = _FORMATS.get(encoding, f"format {encoding}")
        raise InputError(where, f"a WAV file of {named}", _EXPECTED, _CONVERT)
    if width not in _WIDTHS[encoding]:
        kind = "floating-point numbers of " if encoding == _FLOAT else ""
        raise InputError(where, f"a WAV file of {kind}{bits} bits", _EXPECTED, _CONVERT)
    if not channels or not rate or block != channels * width:
        found = (
            f"a broken WAV file ({channels} channels, {rate} samples a second, {block} bytes a sample of all)"
        )
        raise InputError(where, found, _EXPECTED)
    return _Format(encoding, channels, rate, width)


def _check_floats(levels: Samples, where: str) -> None:
    """Refuse floating-point samples that no sound has, or that are counted in steps of a converter."""
    if not np.isfinite(levels).all():
        raise InputError(where, "samples that are no finite numbers", "numbers from -1 to 1")
    peak = float(np.abs(levels).max())
    if peak > _LOUDEST_FLOAT:
        raise InputError(
            where,
            f"samples up to {peak:g}",
            "floating-point samples from -1 to 1",
            "divide them by full scale",
        )


def _levels(data: bytes, encoding: int, width: int) -> Samples:
    """Samples of all channels, float32; those of whole numbers in [-1, 1]."""
    if encoding == _FLOAT:
        return np.frombuffer(data, dtype=f"<f{width}").astype(np.float32)
    raw = np.frombuffer(data, dtype=np.uint8)
    if width == 1:  # the only width without a sign
        return (raw.astype(np.float32) - 128.0) / 128.0
    if width != 3:
        return raw.view(f"<i{width}").astype(np.float32) / np.float32(2.0 ** (8 * width - 1))
    # The three bytes become the upper ones of 32 bits, so that the sign comes out by itself.
    wide = np.zeros((len(raw) // 3, 4), dtype=np.uint8)
    wide[:, 1:] = raw.reshape(-1, 3)
    return wide.view("<i4").reshape(-1).astype(np.float32) / np.float32(2.0**31)
