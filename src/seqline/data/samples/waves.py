"""Waves and noise for the generated signals, the same bits on every machine.

A platform's own sine may differ from another's in the last digit, and a rounded sample with it. Sums and products may not: so
the sine is a polynomial.
"""

from __future__ import annotations

from seqline.data.samples.grammar import Stream

_PI = 3.141592653589793
_DRAW = 1 << 20
# Variance of the sum of four draws from [-0.5, 0.5) is 4 / 12.
_SUMMED = 4
_UNIT = 3.0**0.5


def sine(turns: float) -> float:
    """Sine of an angle in whole turns, within 1e-9.

    >>> round(sine(1 / 12), 8), round(sine(2.75), 8)
    (0.5, -1.0)
    """
    part = turns - (turns // 1.0)
    if part > 0.5:
        return -sine(part - 0.5)
    if part > 0.25:
        part = 0.5 - part
    angle = 2.0 * _PI * part
    square = angle * angle
    term, total = angle, angle
    for factor in (6.0, 20.0, 42.0, 72.0, 110.0, 156.0, 210.0):
        term = -term * square / factor
        total += term
    return total


def cosine(turns: float) -> float:
    """Cosine of an angle in whole turns."""
    return sine(turns + 0.25)


def decay(rate: float) -> float:
    """exp(-rate) for a rate from 0 to 2, within 1e-9.

    >>> round(decay(1.0), 8)
    0.36787944
    """
    term, total = 1.0, 1.0
    for order in range(1, 22):
        term = -term * rate / order
        total += term
    return total


def between(stream: Stream, low: float, high: float) -> float:
    """Draw a number in [low, high), all equally likely."""
    return low + (high - low) * stream.below(_DRAW) / _DRAW


def noise(stream: Stream) -> float:
    """Draw a number of mean 0 and variance 1, nearly normal, never beyond 3.5."""
    total = sum(stream.below(_DRAW) for _ in range(_SUMMED)) / _DRAW - _SUMMED / 2
    return total * _UNIT


def smooth(part: float) -> float:
    """Go from 0 to 1 without a jerk while `part` does; 0 before, 1 after."""
    if part <= 0.0:
        return 0.0
    if part >= 1.0:
        return 1.0
    return part * part * (3.0 - 2.0 * part)
