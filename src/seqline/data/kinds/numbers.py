"""Numbers in lists: how a value of a series or a vector becomes an array, and what can be wrong with it.

Legend: T steps, D features.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from seqline.data.kinds.base import named
from seqline.data.scaling import MAX_NUMBER, TOO_LARGE
from seqline.errors import InputError

Floats = npt.NDArray[np.float64]
_KEY_BYTES = 16


class NotNumbersError(ValueError):
    """A value that is no list of numbers; the message names the place."""


def numbers_of(values: Sequence[Any], place: str) -> Floats:
    """Numbers of one list as float64 (len,), NaN where one is missing (None).

    Args:
        values: Numbers and None.
        place: What a message calls one of them: `step`, `feature`.

    Raises:
        NotNumbersError: An item that is neither, or a number that is not finite or beyond float32.
    """
    if any(not _is_number(kind) for kind in {type(value) for value in values}):
        position, wrong = next((i, v) for i, v in enumerate(values, start=1) if not _is_number(type(v)))
        raise NotNumbersError(f"{place} {position} is {named(wrong)}, not a number")
    try:
        array = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    except OverflowError:
        raise NotNumbersError(f"an integer beyond a 64-bit float among the {place}s") from None
    for index in np.flatnonzero(~np.isfinite(array)).tolist():
        if values[index] is not None:
            raise NotNumbersError(f"{place} {index + 1} is {values[index]}, not a finite number")
    for index in np.flatnonzero(np.abs(array) > MAX_NUMBER).tolist():
        raise NotNumbersError(f"{place} {index + 1} is {array[index]:g}, {TOO_LARGE} for a network")
    return array


def _is_number(kind: type) -> bool:
    """Whether values of a type are numbers or missing ones; a truth value is none."""
    return kind in (int, float, type(None)) or issubclass(kind, np.integer | np.floating)


def steps_of(value: Any) -> Floats:
    """A series as float64 (T, D): T numbers have D = 1, T lists of numbers the length of the lists.

    Raises:
        NotNumbersError: It is none.
    """
    if not isinstance(value, list | tuple):
        raise NotNumbersError(f"{named(value)} instead of a list")
    if not value:
        raise NotNumbersError("no steps")
    nested = [isinstance(step, list | tuple) for step in value]
    if not any(nested):
        return numbers_of(value, "step")[:, None]
    if not all(nested):
        position = nested.index(not nested[0])
        others = "lists of numbers" if nested[0] else "numbers"
        raise NotNumbersError(f"step {position + 1} is {named(value[position])} among {others}")
    width = len(value[0])
    for position, step in enumerate(value, start=1):
        if len(step) != width:
            raise NotNumbersError(f"step {position} has {_count(len(step))}, step 1 has {width}")
    if not width:
        raise NotNumbersError("steps without numbers")
    flat = [number for step in value for number in step]
    try:
        return numbers_of(flat, "number").reshape(len(value), width)
    except NotNumbersError:
        # Once more with the place of the fault; sound series do not pay for it.
        for position, step in enumerate(value, start=1):
            try:
                numbers_of(step, "feature")
            except NotNumbersError as error:
                raise NotNumbersError(f"step {position} {error}") from None
        raise


def vector_of(value: Any) -> Floats:
    """A vector as float64 (D,).

    Raises:
        NotNumbersError: It is none.
    """
    if not isinstance(value, list | tuple):
        raise NotNumbersError(f"{named(value)} instead of a list")
    if not value:
        raise NotNumbersError("no numbers")
    return numbers_of(value, "feature")


def readable_steps(value: Any, *, vector: bool, where: str, features: int | None = None) -> Floats:
    """What a network reads of a series, or of a vector as one step: float64 (T, D), all finite.

    Args:
        value: T numbers (one feature) or T lists of D numbers; of a vector D numbers.
        vector: Whether it is a vector.
        where: Named in the message of a refusal.
        features: D that the model knows; None takes any.

    Raises:
        InputError: It is neither, a number is missing, or there are more or fewer than the model knows.
    """
    width = "numbers" if features is None else _count(features)
    expected = f"a list of {width}" if vector else f"a list of T steps: {width} a step"
    try:
        steps = vector_of(value)[None, :] if vector else steps_of(value)
    except NotNumbersError as error:
        raise InputError(where, str(error), expected) from None
    missing = np.argwhere(np.isnan(steps))
    if len(missing):
        step, feature = (int(place) + 1 for place in missing[0])
        place = f"feature {feature}" if vector else f"step {step}"
        raise InputError(where, f"{place} is missing (null)", f"{expected}, none of them missing")
    if features is not None and steps.shape[1] != features:
        found = f"{_count(steps.shape[1])}{'' if vector else ' a step'}, while the model knows {features}"
        raise InputError(where, found, expected)
    return steps


def _count(numbers: int) -> str:
    return f"{numbers} number" if numbers == 1 else f"{numbers} numbers"


def digest_of_numbers(array: Floats) -> str:
    """Hex digest of an array's shape and values: 1 and 1.0 are the same number."""
    plain = np.ascontiguousarray(array, dtype="<f8") + 0.0  # -0.0 becomes 0.0
    return hashlib.blake2b(repr(array.shape).encode() + plain.tobytes(), digest_size=_KEY_BYTES).hexdigest()


def numbers_excerpt(array: Floats, count: int) -> str:
    """The first numbers on one line."""
    head = " ".join("null" if np.isnan(number) else f"{number:g}" for number in array.ravel()[:count])
    return head + (" …" if array.size > count else "")
