"""Simple models that stand beside a synthesised voice.

Legend: N test rows, U frames, M mel bands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from seqline.data.dealing import key_of
from seqline.data.targets.recording import RecordingEncoder
from seqline.evaluation.alignment import speech_statistics

if TYPE_CHECKING:
    from seqline.evaluation.baselines import Problem
    from seqline.recipe import RecordingTarget


def mean_frame(problem: Problem) -> NDArray[np.float64]:
    """A hum: the mean frame of all recordings, for as long as they last in the mean; float64 (N, 2)."""
    encoder, seen = _seen(problem)
    return _measured(problem, encoder, [_hum(seen)] * len(problem.test))


def same_labels(problem: Problem) -> NDArray[np.float64]:
    """A playback: the first known recording with the labels of the row, the hum where there is none; float64 (N, 2).

    The distance between two takes of one word: a voice that speaks for all takes comes nearer.
    """
    encoder, seen = _seen(problem)
    first: dict[str, NDArray[np.float64]] = {}
    for value, frames in zip(problem.inputs, seen, strict=True):
        first.setdefault(_labels(value), frames)
    hum = _hum(seen)
    return _measured(problem, encoder, [first.get(_labels(value), hum) for value in problem.test.inputs])


def _seen(problem: Problem) -> tuple[RecordingEncoder, list[NDArray[np.float64]]]:
    """Frames of the rows of train and valid."""
    truths = [*problem.train.truths, *problem.valid.truths]
    encoder = RecordingEncoder.fit(truths[:1], cast("RecordingTarget", problem.recipe.target))
    return encoder, [encoder.frames(value).astype(np.float64) for value in truths]


def _hum(seen: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    length = round(float(np.mean([len(frames) for frames in seen])))
    return np.tile(np.concatenate(seen).mean(axis=0), (length, 1))


def _labels(value: Any) -> str:
    """The labels of a row whatever their order."""
    return key_of(sorted(value))


def _measured(
    problem: Problem, encoder: RecordingEncoder, spoken: list[NDArray[np.float64]]
) -> NDArray[np.float64]:
    true = [encoder.frames(value) for value in problem.test.truths]
    return speech_statistics(spoken, true, hop_ms=encoder.section.hop_ms)
