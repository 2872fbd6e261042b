"""The embedded caption sample: 64 numbers of a handwritten digit, and a sentence that describes it.

The digits are those that come with scikit-learn. The sentence is written from the label and from what can be measured: how
much ink there is, how wide the figure is, which way it leans, and where its weight lies. A network must recognise the digit
and measure it, from one vector, and say both in good order.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from seqline.data.samples.digits import DEFAULT_SEED, dealt, digit_images, write_rows

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
# Bounds between the words, near the thirds of all digits; ink in shades, width in columns. All arithmetic is in whole
# numbers, so that no rounding decides a word.
INK_BOUNDS, INK_WORDS = (297, 326), ("thin", "", "bold")
WIDTH_BOUNDS, WIDTH_WORDS = (6, 7), ("narrow", "", "wide")
# Of the slope of the figure's axis, columns to the right per row upwards, in hundredths.
LEAN_BOUNDS, LEAN_WORDS = (-8, 1), ("leans to the left", "stands straight", "leans to the right")
# Of the centre of gravity, rows below the middle, in hundredths.
WEIGHT_BOUNDS, WEIGHT_WORDS = (-12, 9), ("heavier at the top", "", "heavier at the bottom")
# Shades from here on count as ink where the width is measured.
INK_SHADE = 4
SIDE = 8


def describe(image: npt.NDArray[np.int64], digit: str) -> str:
    """A sentence about one image.

    Args:
        image: int64 (8, 8), shades 0 to 16.
        digit: Its label, `0` to `9`.
    """
    shades = image.tolist()
    places = [(row, column, shades[row][column]) for row in range(SIDE) for column in range(SIDE)]
    ink = sum(shade for _, _, shade in places)
    columns = [column for _, column, shade in places if shade >= INK_SHADE]
    width = max(columns) - min(columns) + 1
    row_sum = sum(row * shade for row, _, shade in places)
    column_sum = sum(column * shade for _, column, shade in places)
    spread = sum(row * row * shade for row, _, shade in places) * ink - row_sum * row_sum
    joint = sum(row * column * shade for row, column, shade in places) * ink - row_sum * column_sum
    adjectives = [
        _word(ink, INK_BOUNDS, INK_WORDS), _word(width, WIDTH_BOUNDS, WIDTH_WORDS), DIGITS[int(digit)],
    ]  # fmt: skip
    # Rows are counted downwards: what leans to the right goes left as they grow.
    lean = _word(-100 * joint // spread, LEAN_BOUNDS, LEAN_WORDS)
    weight = _word((200 * row_sum - 100 * (SIDE - 1) * ink) // (2 * ink), WEIGHT_BOUNDS, WEIGHT_WORDS)
    figure = " ".join(word for word in adjectives if word)
    # "eight" is the only word that can follow the article and begins like a vowel.
    article = "an" if figure.startswith("eight") else "a"
    return f"{article} {figure} that {lean}" + (f" and is {weight}" if weight else "")


def write_caption(folder: Path, *, seed: int = DEFAULT_SEED) -> None:
    """Write `train/digits.jsonl` and `test/digits.jsonl` under `folder`.

    A row has `id`, `features` (64 numbers from 0 to 16) and `description`.

    Args:
        folder: Gets the two files.
        seed: Decides which rows are held out.
    """
    images, labels = digit_images()
    rows = [
        {
            "id": f"digit-{number:04d}",
            "features": image.ravel().tolist(),
            "description": describe(image, label),
        }
        for number, (image, label) in enumerate(zip(images, labels, strict=True), start=1)
    ]
    train, test = dealt(rows, seed=seed, name="caption")
    write_rows(folder / "train" / "digits.jsonl", train)
    write_rows(folder / "test" / "digits.jsonl", test)


def _word(value: int, bounds: tuple[int, int], words: tuple[str, str, str]) -> str:
    return words[sum(value >= bound for bound in bounds)]
