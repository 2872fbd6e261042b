"""The embedded samples without an order: a vector of numbers and a label.

A sequence of one step is what a recurrent network has in common with every other classifier: here it must answer as well as
logistic regression, and can hardly answer better. The vectors come with scikit-learn: the digits of
`seqline.data.samples.digits` as 64 numbers, and the chemical analysis of 178 Italian wines from three growers (Forina and
others, 1988).
"""

from __future__ import annotations

from pathlib import Path

from seqline.data.samples.digits import DEFAULT_SEED, dealt, digit_images, write_rows

WINE_GROWERS = ("first", "second", "third")


def write_plain(folder: Path, *, seed: int = DEFAULT_SEED) -> None:
    """Write `train/digits.jsonl` and `test/digits.jsonl` under `folder`.

    A row has `id`, `pixels` (64 numbers from 0 to 16) and `label` ("0" to "9").

    Args:
        folder: Gets the two files.
        seed: Decides which rows are held out.
    """
    images, labels = digit_images()
    rows = [
        {"id": f"digit-{number:04d}", "pixels": image.ravel().tolist(), "label": label}
        for number, (image, label) in enumerate(zip(images, labels, strict=True), start=1)
    ]
    train, test = dealt(rows, seed=seed, name="plain")
    write_rows(folder / "train" / "digits.jsonl", train)
    write_rows(folder / "test" / "digits.jsonl", test)


def write_wine(folder: Path, *, seed: int = DEFAULT_SEED) -> None:
    """Write `train/wine.jsonl` and `test/wine.jsonl` under `folder`.

    A row has `id`, `analysis` (13 numbers, each in its own unit) and `label`, the grower.

    Args:
        folder: Gets the two files.
        seed: Decides which rows are held out.
    """
    from sklearn.datasets import load_wine

    bundled = load_wine()
    rows = [
        {"id": f"wine-{number:03d}", "analysis": analysis.tolist(), "label": WINE_GROWERS[grower]}
        for number, (analysis, grower) in enumerate(zip(bundled.data, bundled.target, strict=True), start=1)
    ]
    train, test = dealt(rows, seed=seed, name="wine")
    write_rows(folder / "train" / "wine.jsonl", train)
    write_rows(folder / "test" / "wine.jsonl", test)
