from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seqline.data.audio import read_recording
from seqline.data.kinds.series import SeriesKind
from seqline.data.kinds.vector import VectorKind
from seqline.data.samples import plain, sensors, speech
from seqline.data.samples.digits import write_digits
from seqline.data.samples.formants import WORDS, Utterance, speak
from seqline.data.samples.grammar import Stream
from seqline.data.samples.waves import between, cosine, decay, noise, sine


def rows_of(folder: Path, split: str) -> list[dict[str, Any]]:
    return [
        json.loads(line)
        for path in sorted((folder / split).iterdir())
        for line in path.read_text().splitlines()
    ]


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("digits")
    write_digits(folder)
    return folder


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sensors")
    sensors.write_sensors(folder)
    return folder


@pytest.fixture(scope="module")
def voices(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("speech")
    speech.write_speech(folder)
    return folder


def test_digits_hold_each_bundled_image_once(digits: Path) -> None:
    train, test = rows_of(digits, "train"), rows_of(digits, "test")
    assert len(train) + len(test) == 1797
    assert 300 < len(test) < 420
    assert len({row["id"] for row in train + test}) == 1797
    assert all(not SeriesKind(features=8).faults(row["rows"]) and len(row["rows"]) == 8 for row in train)
    assert {value for row in test for step in row["rows"] for value in step} == set(range(17))
    assert set(Counter(row["label"] for row in test)) == set("0123456789")


def test_a_seed_decides_which_digits_are_held_out(digits: Path, tmp_path: Path) -> None:
    write_digits(tmp_path / "same")
    write_digits(tmp_path / "other", seed=1)
    held_out = {row["id"] for row in rows_of(digits, "test")}
    assert {row["id"] for row in rows_of(tmp_path / "same", "test")} == held_out
    assert {row["id"] for row in rows_of(tmp_path / "other", "test")} != held_out


@pytest.mark.parametrize(
    ("write", "column", "width", "rows"),
    [(plain.write_plain, "pixels", 64, 1797), (plain.write_wine, "analysis", 13, 178)],
)
def test_vectors_have_one_width(
    tmp_path: Path, write: Callable[[Path], None], column: str, width: int, rows: int
) -> None:
    write(tmp_path)
    found = [*rows_of(tmp_path, "train"), *rows_of(tmp_path, "test")]
    assert len(found) == rows
    assert not any(VectorKind(features=width).faults(row[column]) for row in found)


def test_people_of_the_test_are_strangers(people: Path) -> None:
    train, test = rows_of(people, "train"), rows_of(people, "test")
    assert not {row["person"] for row in train} & {row["person"] for row in test}
    assert len(test) == sensors.TEST_PEOPLE * len(sensors.ACTIVITIES) * sensors.TAKES
    assert set(Counter(row["activity"] for row in train).values()) == {84}
    lengths = [len(row["trace"]) for row in train]
    assert min(lengths) >= 40
    assert max(lengths) <= 100
    assert not any(SeriesKind(features=3).faults(row["trace"]) for row in test)


def test_a_sensor_at_rest_feels_one_g(people: Path) -> None:
    still = [row for row in rows_of(people, "train") if row["activity"] == "still"]
    size = [np.linalg.norm(np.mean(row["trace"], axis=0)) for row in still]
    np.testing.assert_allclose(size, 1000.0, rtol=0.02)


def test_sitting_down_ends_where_standing_up_begins(people: Path) -> None:
    rows = rows_of(people, "train")

    def lean(activity: str, part: slice) -> float:
        found = [np.mean(np.asarray(row["trace"])[part, 0]) for row in rows if row["activity"] == activity]
        return float(np.mean(found))

    assert lean("sit_down", slice(-3, None)) == pytest.approx(lean("stand_up", slice(3)), abs=25)
    assert lean("sit_down", slice(-3, None)) - lean("sit_down", slice(3)) > 200


def test_speech_is_short_readable_and_not_silent(voices: Path) -> None:
    train, test = rows_of(voices, "train"), rows_of(voices, "test")
    assert (len(train), len(test)) == (360, 120)
    for row in train + test:
        recording = read_recording(row["audio"], sample_rate=8000, max_seconds=1.0)
        assert 0.15 < recording.seconds < 0.75
        assert recording.clipped_share < 0.01
        assert not recording.is_flat
        assert row["said"] == [row["digit"], row["speaker"]]
    assert len({row["audio"] for row in train + test}) == 480
    assert sum(path.stat().st_size for path in voices.rglob("*.jsonl")) < 4_000_000


def test_the_samples_are_the_same_bytes_everywhere(people: Path, voices: Path) -> None:
    def digest(folder: Path) -> str:
        files = sorted(folder.rglob("*.jsonl"))
        return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]

    assert digest(people) == "b168e85f43a2080a"
    assert digest(voices) == "8f2bf77ad6ae4501"


def test_a_voice_has_its_pitch() -> None:
    said = Utterance(
        word="1", pitch_hz=125.0, tract=1.0, pace=1.0, breath=0.1, level=0.5, background=0.0, before_ms=20.0,
        after_ms=20.0, key="pitch",
    )  # fmt: skip
    (samples,) = speak([said])
    assert np.abs(samples).max() == pytest.approx(0.5)
    vowel = samples[600:1400]
    echo = np.correlate(vowel, vowel, "full")[len(vowel) - 1 :]
    period = 40 + int(echo[40:100].argmax())
    assert 8000 / period == pytest.approx(125.0, rel=0.1)


def test_recordings_do_not_depend_on_those_beside_them() -> None:
    several = [
        Utterance(
            word=word, pitch_hz=110.0, tract=1.0, pace=1.0, breath=0.2, level=0.4, background=0.01,
            before_ms=10.0, after_ms=10.0, key=word,
        )
        for word in WORDS
    ]  # fmt: skip
    together = speak(several)
    np.testing.assert_array_equal(speak(several[6:7])[0], together[6])


def test_own_sine_and_exponential_are_near_the_true_ones() -> None:
    turns = np.linspace(-3, 3, 1001)
    np.testing.assert_allclose([sine(t) for t in turns.tolist()], np.sin(2 * np.pi * turns), atol=1e-9)
    np.testing.assert_allclose([cosine(t) for t in turns.tolist()], np.cos(2 * np.pi * turns), atol=1e-9)
    rates = np.linspace(0, 2, 101)
    np.testing.assert_allclose([decay(r) for r in rates.tolist()], np.exp(-rates), atol=1e-12)


def test_noise_has_mean_zero_and_variance_one() -> None:
    stream = Stream("noise")
    drawn = np.asarray([noise(stream) for _ in range(20_000)])
    assert drawn.mean() == pytest.approx(0.0, abs=0.03)
    assert drawn.var() == pytest.approx(1.0, abs=0.03)
    assert np.abs(drawn).max() <= 3.5
    assert all(2.0 <= between(stream, 2.0, 5.0) < 5.0 for _ in range(100))
