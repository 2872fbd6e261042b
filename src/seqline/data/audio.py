"""Sound as it stands in a row: a WAV file in base64, read into samples and written from them.

Linear PCM of 8, 16 and 24 bits is read, several channels are averaged. Everything else is refused with a sentence, sample
rates other than the recipe's too: resampling silently would make two recordings alike that a microphone tells apart.

Legend: S samples.
"""

from __future__ import annotations

import base64
import binascii
import io
import struct
import wave
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seqline.errors import InputError

# A peak that a converter cut off stays at full scale for several samples; this near to it counts as there.
CLIPPED_LEVEL = 0.999
_EXPECTED = "a WAV file with linear PCM of 8, 16 or 24 bits"
_PCM, _EXTENSIBLE = 1, 0xFFFE
_FORMATS = {2: "ADPCM", 3: "floating-point numbers", 6: "A-law", 7: "mu-law", 85: "MP3"}
# In a file of the extensible format: where, in its format chunk, the number of the real format stands.
_SUBFORMAT_BYTE = 24
_WIDTHS = (1, 2, 3)

Samples = npt.NDArray[np.float32]


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
            sample rate.
    """
    content = value if isinstance(value, bytes) else _from_base64(value, where)
    _check_format(content, where)
    try:
        with wave.open(io.BytesIO(content)) as file:
            width, channels, rate, declared = (
                file.getsampwidth(),
                file.getnchannels(),
                file.getframerate(),
                file.getnframes(),
            )
            if sample_rate is not None and rate != sample_rate:
                raise InputError(
                    where,
                    f"{rate} samples a second",
                    f"{sample_rate}",
                    "resample the file, or set input.sample_rate in the recipe",
                )
            if max_seconds is not None and declared > max_seconds * rate:
                raise InputError(where, f"{declared / rate:.1f} seconds", f"at most {max_seconds:g}")
            data = file.readframes(declared)
    except (wave.Error, EOFError, struct.error) as error:
        raise InputError(where, f"a broken WAV file ({error or 'it ends too early'})", _EXPECTED) from None
    if declared == 0:
        raise InputError(where, "a recording without samples", "at least one")
    if len(data) < declared * width * channels:
        held = len(data) // (width * channels)
        raise InputError(where, f"cut off: {held} of {declared} samples", "a whole file", "copy it again")
    return Recording(_levels(data, width).reshape(-1, channels).mean(axis=1, dtype=np.float32), rate)


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


def _check_format(content: bytes, where: str) -> None:
    """Refuse what is no WAV file, and encodings that `wave` names by a number at best."""
    if not content:
        raise InputError(where, "an empty file", _EXPECTED)
    if len(content) < 12 or content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        raise InputError(where, f"no WAV file: it begins with {content[:12]!r}", _EXPECTED)
    place = content.find(b"fmt ", 12)
    if place < 0 or len(content) < place + 24:
        raise InputError(where, "a WAV file that does not say its format", _EXPECTED)
    encoding, _, _, _, _, bits = struct.unpack_from("<HHLLHH", content, place + 8)
    if encoding == _EXTENSIBLE and len(content) >= place + 8 + _SUBFORMAT_BYTE + 2:
        (encoding,) = struct.unpack_from("<H", content, place + 8 + _SUBFORMAT_BYTE)
    if encoding != _PCM:
        raise InputError(
            where,
            f"a WAV file of {_FORMATS.get(encoding, f'format {encoding}')}",
            _EXPECTED,
            "convert it, for example with `ffmpeg -i IN -c:a pcm_s16le OUT.wav`",
        )
    if (bits + 7) // 8 not in _WIDTHS:
        raise InputError(where, f"a WAV file of {bits} bits", _EXPECTED)


def _levels(data: bytes, width: int) -> Samples:
    """Samples of all channels in [-1, 1], float32."""
    raw = np.frombuffer(data, dtype=np.uint8)
    if width == 1:  # the only width without a sign
        return (raw.astype(np.float32) - 128.0) / 128.0
    if width == 2:
        return raw.view("<i2").astype(np.float32) / 2.0**15
    # The three bytes become the upper ones of 32 bits, so that the sign comes out by itself.
    wide = np.zeros((len(raw) // 3, 4), dtype=np.uint8)
    wide[:, 1:] = raw.reshape(-1, 3)
    return wide.view("<i4").reshape(-1).astype(np.float32) / np.float32(2.0**31)
