"""A small formant synthesiser: ten English digits, spoken by voices that nobody has.

A voice is a train of pulses or a noise, shaped by resonances (formants) that move from sound to sound as a mouth would
move them. Source: Klatt, "Software for a cascade/parallel formant synthesizer", 1980; formants of vowels after Peterson and
Barney, "Control methods used in a study of the vowels", 1952, rounded.

All recordings are computed side by side, one array a moment, because each sample needs the two before it. Only sums and
products are used, so the bits are the same everywhere.

Legend: N recordings, S samples, K control points, every 5 ms.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seqline.data.samples.waves import cosine, decay

SAMPLE_RATE = 8000
CONTROL = 40  # samples from one control point to the next
_PI = 3.141592653589793
_MOVE_POINTS = 3  # control points on each side of a border between sounds over which the formants move
_FORMANT_WIDTHS_HZ = (70.0, 100.0, 160.0)
_GLOTTAL_WIDTH_HZ = 120.0
_NOISE_WIDTH_HZ = 900.0
_PITCH_FALL = 0.15  # to the end of a word
# So that an open vowel is some 10 dB louder than an s, as people speak.
_VOICE_GAIN = 25.0
_HISS_GAIN = 0.4

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class _Sound:
    """One sound of a word.

    Attributes:
        formants: Hz, of an average voice.
        milliseconds: How long it lasts at a normal pace.
        voice: Strength of the pulses.
        hiss: Strength of the noise that is made in the mouth.
        hiss_hz: Where that noise is strongest.
    """

    formants: tuple[float, float, float]
    milliseconds: float
    voice: float = 1.0
    hiss: float = 0.0
    hiss_hz: float = 2500.0


_SOUNDS = {
    "iy": _Sound((280, 2250, 2900), 110),
    "ih": _Sound((400, 1950, 2550), 75),
    "eh": _Sound((550, 1800, 2500), 90),
    "e": _Sound((480, 1950, 2550), 80),
    "ah": _Sound((620, 1200, 2500), 85),
    "aa": _Sound((730, 1100, 2450), 90),
    "ao": _Sound((570, 850, 2450), 110),
    "o": _Sound((500, 950, 2400), 70),
    "uw": _Sound((310, 900, 2250), 120),
    "u": _Sound((350, 850, 2300), 60),
    "r": _Sound((330, 1100, 1500), 60, voice=0.8),
    "w": _Sound((300, 650, 2200), 60, voice=0.7),
    "n": _Sound((250, 1400, 2450), 70, voice=0.45),
    "v": _Sound((260, 1100, 2300), 50, voice=0.4, hiss=0.1, hiss_hz=2200),
    "z": _Sound((260, 1500, 2500), 70, voice=0.35, hiss=0.35, hiss_hz=3500),
    "s": _Sound((320, 1600, 2500), 80, voice=0.0, hiss=0.55, hiss_hz=3600),
    "f": _Sound((320, 1000, 2300), 70, voice=0.0, hiss=0.2, hiss_hz=2000),
    "th": _Sound((320, 1300, 2500), 60, voice=0.0, hiss=0.14, hiss_hz=2800),
    "pause": _Sound((320, 1500, 2500), 35, voice=0.0),
    "t": _Sound((350, 1700, 2600), 25, voice=0.0, hiss=0.8, hiss_hz=3400),
    "k": _Sound((350, 1700, 2300), 25, voice=0.0, hiss=0.8, hiss_hz=1800),
}
WORDS = {
    "0": ("z", "ih", "r", "o", "u"),
    "1": ("w", "ah", "n"),
    "2": ("t", "uw"),
    "3": ("th", "r", "iy"),
    "4": ("f", "ao", "r"),
    "5": ("f", "aa", "ih", "v"),
    "6": ("s", "ih", "pause", "k", "s"),
    "7": ("s", "eh", "v", "ah", "n"),
    "8": ("e", "ih", "pause", "t"),
    "9": ("n", "aa", "ih", "n"),
}


@dataclass(frozen=True, kw_only=True)
class Utterance:
    """One word, said once.

    Attributes:
        word: A key of `WORDS`.
        pitch_hz: Of the voice at the beginning.
        tract: Factor of all formants: about 1 for men, 1.15 for women.
        pace: Factor of all durations.
        breath: Share of noise in the voice.
        level: Of the loudest sample, at most 1.
        background: Level of a noise that is there all the time.
        before_ms: Silence before the word.
        after_ms: Silence after it.
        key: Decides the noise.
    """

    word: str
    pitch_hz: float
    tract: float
    pace: float
    breath: float
    level: float
    background: float
    before_ms: float
    after_ms: float
    key: str


def speak(utterances: list[Utterance]) -> list[npt.NDArray[np.float64]]:
    """Samples of each utterance, float64 (S,) in [-1, 1], 8,000 a second."""
    tracks = [_Track.of(utterance) for utterance in utterances]
    points = max(len(track.voice) for track in tracks)
    length = points * CONTROL
    hiss = np.stack([_hiss(f"{utterance.key}/hiss", length) for utterance in utterances])

    def spread(values: list[Array]) -> Array:
        """One value a control point to one a sample, silence behind the shorter ones: (N, S)."""
        padded = np.zeros((len(values), points))
        for row, value in enumerate(values):
            padded[row, : len(value)] = value
        return np.repeat(padded, CONTROL, axis=1)

    pulses = _pulses(spread([track.pitch for track in tracks]))
    breath = np.asarray([[utterance.breath] for utterance in utterances])
    voiced = _resonate(pulses, *_coefficients([[(0.0, _GLOTTAL_WIDTH_HZ)] * points] * len(tracks)))
    sound = (_VOICE_GAIN * voiced + breath * hiss) * spread([track.voice for track in tracks])
    for formant, width in enumerate(_FORMANT_WIDTHS_HZ):
        places = [[(hz, width) for hz in track.formants[formant].tolist()] for track in tracks]
        sound = _resonate(sound, *_coefficients(places, points))
    places = [[(hz, _NOISE_WIDTH_HZ) for hz in track.hiss_hz.tolist()] for track in tracks]
    rustle = hiss * spread([track.hiss for track in tracks])
    sound = sound + _HISS_GAIN * _resonate(rustle, *_coefficients(places, points), keep_power=True)
    finished = []
    for row, (utterance, track) in enumerate(zip(utterances, tracks, strict=True)):
        samples = sound[row, : len(track.voice) * CONTROL]
        samples = samples * (utterance.level / max(1e-9, float(np.abs(samples).max())))
        noise = _hiss(f"{utterance.key}/background", len(samples))
        finished.append(np.clip(samples + utterance.background * noise, -1.0, 1.0))
    return finished


@dataclass(frozen=True)
class _Track:
    """What the mouth does at each control point, (K,) each; formants (3, K)."""

    formants: Array
    voice: Array
    hiss: Array
    hiss_hz: Array
    pitch: Array

    @classmethod
    def of(cls, utterance: Utterance) -> _Track:
        sounds = [_SOUNDS[name] for name in WORDS[utterance.word]]
        silence = _Sound(sounds[0].formants, utterance.before_ms, voice=0.0)
        after = _Sound(sounds[-1].formants, utterance.after_ms, voice=0.0)
        spans = [utterance.before_ms, *(s.milliseconds * utterance.pace for s in sounds), utterance.after_ms]
        counts = [max(1, round(span * SAMPLE_RATE / 1000 / CONTROL)) for span in spans]
        held = [
            sound
            for sound, count in zip([silence, *sounds, after], counts, strict=True)
            for _ in range(count)
        ]
        total = len(held)
        fall = np.arange(total) / total
        return cls(
            formants=np.stack(
                [_moved([s.formants[i] * utterance.tract for s in held], _MOVE_POINTS) for i in range(3)]
            ),
            voice=_moved([s.voice for s in held], 1),
            hiss=_moved([s.hiss for s in held], 1),
            hiss_hz=np.asarray([min(3800.0, s.hiss_hz * utterance.tract) for s in held]),
            pitch=utterance.pitch_hz * (1.0 - _PITCH_FALL * fall),
        )


def _moved(held: list[float], reach: int) -> Array:
    """Let a value glide where it would jump: each point becomes the mean of its neighbours."""
    values = np.pad(np.asarray(held, dtype=np.float64), reach, mode="edge")
    total = np.zeros(len(held))
    for shift in range(2 * reach + 1):
        total = total + values[shift : shift + len(held)]
    return total / (2 * reach + 1)


def _hiss(key: str, length: int) -> Array:
    """Noise in [-1, 1), the same for the same key on every machine."""
    raw = hashlib.shake_256(key.encode("utf-8")).digest(2 * length)
    return np.frombuffer(raw, dtype="<u2").astype(np.float64) / 2.0**15 - 1.0


def _pulses(pitch: Array) -> Array:
    """A pulse wherever the voice has gone through another period, (N, S)."""
    periods = np.cumsum(pitch / SAMPLE_RATE, axis=1)
    whole = periods - np.remainder(periods, 1.0)
    return np.diff(whole, axis=1, prepend=0.0)


def _coefficients(places: list[list[tuple[float, float]]], points: int | None = None) -> tuple[Array, Array]:
    """Of resonances at (frequency, width) in Hz, at each control point: factors (N, K) of the two samples before."""
    width = points or len(places[0])
    once, twice = np.zeros((len(places), width)), np.zeros((len(places), width))
    known: dict[tuple[float, float], tuple[float, float]] = {}
    for row, track in enumerate(places):
        for point, place in enumerate(track):
            if place not in known:
                radius = decay(_PI * place[1] / SAMPLE_RATE)
                known[place] = (2.0 * radius * cosine(place[0] / SAMPLE_RATE), -radius * radius)
            once[row, point], twice[row, point] = known[place]
    return once, twice


def _resonate(sound: Array, once: Array, twice: Array, *, keep_power: bool = False) -> Array:
    """y_t = g x_t + a y_{t-1} + b y_{t-2} for all recordings at once.

    Args:
        sound: x, (N, S).
        once: a, (N, K).
        twice: b, (N, K).
        keep_power: Choose g so that noise keeps its power; otherwise a constant keeps its value.
    """
    constant = 1.0 - once - twice
    power = (1.0 + twice) * constant * (1.0 + once - twice) / (1.0 - twice)
    gains = np.sqrt(power) if keep_power else constant
    heard = np.empty_like(sound)
    last, before = np.zeros(len(sound)), np.zeros(len(sound))
    for point in range(once.shape[1]):
        a, b, gain = once[:, point], twice[:, point], gains[:, point]
        for step in range(point * CONTROL, (point + 1) * CONTROL):
            last, before = gain * sound[:, step] + a * last + b * before, last
            heard[:, step] = last
    return heard
