"""The embedded sample of handwritten digits: images read row by row, as a pen would be seen from above.

The images are those that scikit-learn brings along: 1,797 of 8 x 8 pixels with 17 shades, from the test part of "Optical
Recognition of Handwritten Digits" (Alpaydin and Kaynak, 1998). A row of eight pixels is one step, so a network sees
the digit grow from top to bottom.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from seqline.data.samples.grammar import Stream
from seqline.files import atomic_write

DEFAULT_SEED = 20260101
TEST_SHARE = 0.2


def digit_images() -> tuple[npt.NDArray[np.int64], list[str]]:
    """The images, int64 (1797, 8, 8) with shades 0 to 16, and their digits as text."""
    from sklearn.datasets import load_digits

    bundled = load_digits()
    return bundled.images.astype(np.int64), [str(digit) for digit in bundled.target]


def dealt(
    rows: list[dict[str, Any]], *, seed: int, name: str
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows for training and for the test: each row is drawn on its own, so a row more moves no other."""
    train: list[dict[str, Any]] = []
    test: list[dict[str, Any]] = []
    for row in rows:
        is_test = Stream(f"{name}/{seed}/{row['id']}").chance(TEST_SHARE)
        (test if is_test else train).append(row)
    return train, test


def write_rows(path: Path, rows: list[dict[str, Any]]) -> None:
    """Write JSON lines, atomically."""
    lines = (json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows)
    atomic_write(path, "".join(f"{line}\n" for line in lines))


def write_digits(folder: Path, *, seed: int = DEFAULT_SEED) -> None:
    """Write `train/digits.jsonl` and `test/digits.jsonl` under `folder`.

    A row has `id`, `rows` (8 lists of 8 numbers from 0 to 16, top to bottom) and `label` ("0" to "9").

    Args:
        folder: Gets the two files.
        seed: Decides which rows are held out.
    """
    images, labels = digit_images()
    rows = [
        {"id": f"digit-{number:04d}", "rows": image.tolist(), "label": label}
        for number, (image, label) in enumerate(zip(images, labels, strict=True), start=1)
    ]
    train, test = dealt(rows, seed=seed, name="digits")
    write_rows(folder / "train" / "digits.jsonl", train)
    write_rows(folder / "test" / "digits.jsonl", test)
