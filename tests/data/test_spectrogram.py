from __future__ import annotations

import numpy as np
import pytest

from seqline.data.spectrogram import Spectrogram, hz_to_mel, mel_to_hz
from seqline.errors import InputError

RATE = 8000


def tone(hz: float, *, seconds: float = 0.3, level: float = 0.5, rate: int = RATE) -> np.ndarray:
    return level * np.sin(2 * np.pi * hz * np.arange(int(rate * seconds)) / rate)


def test_mel_and_hertz_are_inverse() -> None:
    hz = np.asarray([0.0, 60.0, 999.0, 1000.0, 1001.0, 3999.0, 8000.0])
    np.testing.assert_allclose(mel_to_hz(hz_to_mel(hz)), hz, rtol=1e-12, atol=1e-9)


def test_bands_have_equal_area_and_cover_all_tones_between_the_outer_centres() -> None:
    sound = Spectrogram(sample_rate=RATE)
    assert sound.filters.shape == (40, sound.size // 2 + 1)
    area = sound.filters.sum(axis=1) * RATE / sound.size
    np.testing.assert_allclose(area, 1.0, atol=0.12)
    assert (sound.filters.sum(axis=0)[5:-5] > 0).all()


@pytest.mark.parametrize("hz", [150.0, 500.0, 1000.0, 2200.0, 3300.0])
def test_a_tone_is_loudest_in_the_band_around_it(hz: float) -> None:
    sound = Spectrogram(sample_rate=RATE)
    frames = sound.frames(tone(hz))
    corners = mel_to_hz(np.linspace(0.0, float(hz_to_mel(np.asarray(RATE / 2))), sound.mels + 2))
    band = int(frames[15].argmax())
    assert corners[band] < hz < corners[band + 2]


def test_frames_follow_the_formula_of_one_window() -> None:
    sound = Spectrogram(sample_rate=RATE)
    samples = np.random.default_rng(0).normal(size=1600) * 0.1
    frame, hop, window = 10, sound.hop, sound.window
    centre = frame * hop
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
    piece = samples[centre - window // 2 : centre + window // 2] * hann
    energy = np.abs(np.fft.rfft(piece, sound.size)) ** 2 * (2 / window) ** 2 * RATE / sound.size
    np.testing.assert_allclose(sound.frames(samples)[frame], np.log(sound.filters @ energy), rtol=1e-5)


def test_ten_times_the_level_is_a_hundred_times_the_energy() -> None:
    sound = Spectrogram(sample_rate=RATE)
    quiet, loud = sound.frames(tone(1000, level=0.05)), sound.frames(tone(1000, level=0.5))
    assert loud[15].max() - quiet[15].max() == pytest.approx(np.log(100), abs=1e-3)


def test_number_of_frames_silence_and_single_samples() -> None:
    sound = Spectrogram(sample_rate=RATE)
    assert sound.frames(np.zeros(800)).shape == (11, 40)
    np.testing.assert_allclose(sound.frames(np.zeros(800)), np.log(sound.floor), rtol=1e-6)
    assert sound.frames(np.asarray([0.3])).shape == (1, 40)
    assert sound.samples(sound.frames(np.asarray([0.3]))).shape == (0,)


def test_the_same_samples_give_the_same_bytes() -> None:
    sound = Spectrogram(sample_rate=RATE)
    first, again = sound.frames(tone(700)), Spectrogram(sample_rate=RATE).frames(tone(700))
    assert first.tobytes() == again.tobytes()
    assert sound.samples(first).tobytes() == sound.samples(again).tobytes()


def test_griffin_lim_gives_sound_with_the_energies_it_was_given() -> None:
    sound = Spectrogram(sample_rate=RATE)
    rng = np.random.default_rng(1)
    samples = tone(400) + tone(1500, level=0.2) * np.linspace(0, 1, 2400) + rng.normal(size=2400) * 0.01
    frames = sound.frames(samples)

    def distance(rounds: int) -> float:
        """Of the band amplitudes, as a share of theirs."""
        rebuilt = sound.samples(frames, rounds=rounds)
        assert rebuilt.dtype == np.float32
        assert len(rebuilt) == (len(frames) - 1) * sound.hop
        wanted, got = (np.exp(values[2:-2] / 2) for values in (frames, sound.frames(rebuilt)))
        return float(np.linalg.norm(got - wanted) / np.linalg.norm(wanted))

    assert distance(40) < 0.1
    assert distance(40) < distance(1) / 2


def test_settings_that_cannot_work_are_refused() -> None:
    with pytest.raises(InputError, match="hop"):
        Spectrogram(sample_rate=RATE, window_ms=10, hop_ms=20)
    with pytest.raises(InputError, match="bands"):
        Spectrogram(sample_rate=RATE, window_ms=10, hop_ms=5, mels=256)
