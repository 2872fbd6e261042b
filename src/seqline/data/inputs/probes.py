"""Inputs to try a model with: valid ones of its kind, of many lengths, the same on every machine.

A reloaded package must answer them as the model in memory does.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from seqline.data.audio import to_base64, to_wav
from seqline.data.inputs.base import InputEncoder
from seqline.data.inputs.symbols import SymbolEncoder
from seqline.recipe import AudioInput, InputSection

_TYPICAL_STEPS = 20
_BEYOND = 50
# What is longer than this says nothing more.
_MOST_STEPS = 2_000
_SENTENCE = "the food was not bad but I expected it to be better than the film"
_SPECIAL_TOKENS = 2
_SECONDS = (0.1, 0.3, 1.0)
_TONE_HZ = 440.0
# No period of whole steps, so that no two of them are equal.
_PHASE = 0.37


def probe_inputs(section: InputSection, encoder: InputEncoder) -> list[Any]:
    """Inputs of many lengths and of the kind of a recipe's `input`.

    Args:
        section: The recipe's `input`.
        encoder: Fitted; knows the symbols, or the number of features.
    """
    return _PROBES[section.kind](section, encoder)


def probe_texts(max_length: int) -> list[str]:
    """Texts of many lengths and kinds: short, longer than the model reads, empty, unknown words, scripts."""
    words = _SENTENCE.split()
    return [
        "good",
        " ".join((words * 2)[:_TYPICAL_STEPS]),
        " ".join((words * (1 + (max_length + _BEYOND) // len(words)))[: max_length + _BEYOND]),
        "",
        "   ",
        "zqxv wvutq",
        "café naïve 食べ物 еда 🙂 e\u0301",
        "<b>not</b> bad!!!",
    ]


def _lengths(section: InputSection) -> list[int]:
    return [1, _TYPICAL_STEPS, min(section.max_length + _BEYOND, _MOST_STEPS)]


def _texts(section: InputSection, _: InputEncoder) -> list[Any]:
    return list(probe_texts(section.max_length))


def _symbols(section: InputSection, encoder: InputEncoder) -> list[Any]:
    """Strings of letters, or lists where symbols are whole words."""
    if not isinstance(encoder, SymbolEncoder):
        raise TypeError(f"{type(encoder).__name__} reads no symbols")
    known = [encoder.tokens([i])[0] for i in range(_SPECIAL_TOKENS, encoder.vocab_size)] or ["a"]
    if encoder.section.kmer == 1:
        symbols = known
    else:
        separate = any(" " in token for token in known)
        symbols = sorted({s for token in known for s in (token.split(" ") if separate else token)})
    rows = [[symbols[place * place % len(symbols)] for place in range(n)] for n in _lengths(section)]
    letters = all(len(symbol) == 1 for symbol in symbols)
    return ["".join(row) for row in rows] if letters else rows


def _steps(count: int, features: int) -> list[list[float]]:
    return [[math.sin(_PHASE * (step + 1) + feature) for feature in range(features)] for step in range(count)]


def _series(section: InputSection, encoder: InputEncoder) -> list[Any]:
    features = encoder.sizes["features"]
    rows = [_steps(n, features) for n in _lengths(section)]
    return [[step[0] for step in row] for row in rows] if features == 1 else rows


def _vectors(_: InputSection, encoder: InputEncoder) -> list[Any]:
    return _steps(3, encoder.sizes["features"])


def _recordings(section: InputSection, _: InputEncoder) -> list[Any]:
    if not isinstance(section, AudioInput):
        raise TypeError(f"{type(section).__name__} is no section of recordings")
    rate = section.sample_rate
    recordings = []
    for seconds in _SECONDS:
        times = np.arange(int(seconds * rate)) / rate
        tone = 0.5 * np.sin(2 * np.pi * _TONE_HZ * times) * np.linspace(0.2, 1.0, len(times))
        recordings.append(to_base64(to_wav(tone, sample_rate=rate)))
    return recordings


_PROBES: dict[str, Callable[[InputSection, InputEncoder], list[Any]]] = {
    "text": _texts,
    "symbols": _symbols,
    "series": _series,
    "vector": _vectors,
    "audio": _recordings,
}
