"""The embedded sample of a number for each row: how far diabetes has gone on a year after ten figures were taken.

442 patients, with age, sex, body mass index, blood pressure and six values of the serum, as scikit-learn brings them along
(Efron, Hastie, Johnstone and Tibshirani, "Least angle regression", 2004). The figures stand in their own units.
"""

from __future__ import annotations

from pathlib import Path

from seqline.data.samples.digits import DEFAULT_SEED, dealt, write_rows


def write_progress(folder: Path, *, seed: int = DEFAULT_SEED) -> None:
    """Write `train/progress.jsonl` and `test/progress.jsonl` under `folder`.

    A row has `id`, `figures` (10 numbers) and `progress`, a number from 25 to 346.

    Args:
        folder: Gets the two files.
        seed: Decides which rows are held out.
    """
    from sklearn.datasets import load_diabetes

    bundled = load_diabetes(scaled=False)
    rows = [
        {"id": f"patient-{number:03d}", "figures": figures.tolist(), "progress": float(progress)}
        for number, (figures, progress) in enumerate(zip(bundled.data, bundled.target, strict=True), start=1)
    ]
    train, test = dealt(rows, seed=seed, name="progress")
    write_rows(folder / "train" / "progress.jsonl", train)
    write_rows(folder / "test" / "progress.jsonl", test)
