from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from seqline.batch import IGNORED
from seqline.data.audio import to_base64, to_wav
from seqline.data.kinds.audio import AudioKind
from seqline.data.kinds.recording import RecordingKind
from seqline.data.targets.recording import RecordingEncoder
from seqline.errors import InputError
from seqline.recipe import RecordingTarget

SECTION = RecordingTarget(column="audio", mels=12, max_frames=30)


def sound(seconds: float, *, hz: float = 500.0, rate: int = 8000) -> str:
    steps = np.arange(int(rate * seconds))
    samples = 0.3 * np.sin(2 * np.pi * hz * steps / rate) * np.linspace(0, 1, len(steps))
    return to_base64(to_wav(samples, sample_rate=rate))


def test_frames_are_scaled_by_train_cut_and_ragged(tmp_path: Path) -> None:
    values = [sound(0.1), sound(0.2, hz=900), sound(0.5)]
    encoder = RecordingEncoder.fit(values, SECTION)
    frames = encoder.encode(values, [2, 2, 2])
    assert [len(part) for part in frames] == [11, 21, 30]
    assert all(part.dtype == np.float32 for part in frames)
    np.testing.assert_allclose(np.concatenate(frames).mean(axis=0), 0.0, atol=1e-4)
    assert encoder.sizes == {"bands": 12}
    assert encoder.fill == IGNORED
    assert min(float(part.min()) for part in frames) > IGNORED / 2
    encoder.save(tmp_path / "target.json")
    again = RecordingEncoder.load(tmp_path / "target.json", SECTION)
    np.testing.assert_array_equal(again.encode(values, [1, 1, 1])[1], frames[1])


def test_frames_become_sound_again() -> None:
    encoder = RecordingEncoder.fit([sound(0.2)], SECTION)
    samples = encoder.sound(encoder.frames(sound(0.2)))
    assert len(samples) == 20 * 80
    spectrum = np.abs(np.fft.rfft(samples[800:]))
    assert abs(float(spectrum.argmax()) * 8000 / 800 - 500.0) < 120


def test_another_sample_rate_names_the_column() -> None:
    encoder = RecordingEncoder.fit([sound(0.1)], SECTION)
    with pytest.raises(InputError, match="column 'audio': 16000 samples a second"):
        encoder.encode([sound(0.1, rate=16_000)], [1])


def test_a_recording_to_be_learnt_is_checked_like_any_other() -> None:
    kind = RecordingKind(AudioKind(sample_rate=8000))
    assert kind.faults(sound(0.2), ["7", "ada"]) == []
    assert kind.faults(None, ["7"]) == ["no value"]
    assert "not a recording" in kind.faults("!!!", ["7"])[0]
    assert "16000" in kind.faults(sound(0.2, rate=16_000), ["7"])[0]
    assert kind.meaning(sound(0.2)) == kind.meaning(sound(0.2)) != kind.meaning(sound(0.3))
    assert kind.reading(sound(0.2)).after_train() == kind
