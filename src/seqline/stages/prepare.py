"""prepare: from checked rows to splits, fitted encoders and memory-mapped arrays."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from seqline.config import sections_of
from seqline.data.batches import batches_in, in_window
from seqline.data.collate import bucketed
from seqline.data.dealing import Dealt, Row
from seqline.data.inputs import ENCODER_FILES
from seqline.data.readers import rows_in
from seqline.data.splits import SPLITS
from seqline.data.targets import TARGET_FILE
from seqline.errors import InputError
from seqline.files import complete_folder, sha256_file, write_json, write_manifest
from seqline.recipe import Recipe
from seqline.tasks import task_named
from seqline.tasks.base import Kept, sizes_of

SECTIONS = ("task", "input", "target", "split")
STATISTICS_FILE = "statistics.json"
_LENGTH_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
_DIGITS = 6


def _read(recipe: Recipe, data_folder: Path) -> tuple[list[Row], list[Row]]:
    """All rows of `train/` and of `test/`."""
    train_rows: list[Row] = [row.values for row in rows_in(data_folder / "train", window=recipe.split.window)]
    test_folder = data_folder / "test"
    test_rows: list[Row] = [row.values for row in rows_in(test_folder)] if test_folder.is_dir() else []
    if test_rows and recipe.split.test > 0:
        raise InputError(
            str(test_folder),
            f"a test set, while the recipe takes {recipe.split.test:.0%} of train for one",
            "one test set",
            "set split.test to 0 in the recipe, or remove the folder",
        )
    if not test_rows and recipe.split.test == 0:
        raise InputError(
            str(test_folder),
            "no test set",
            "rows to test on",
            "set split.test in the recipe, for example to 0.2",
        )
    missing = [
        name
        for name in [recipe.input.column, recipe.target.column, recipe.split_key]
        if name not in train_rows[0]
    ]
    if missing:
        raise InputError(str(data_folder), f"no column {missing[0]!r}", f"one of {', '.join(train_rows[0])}")
    return train_rows, test_rows


def _batches(recipe: Recipe, data_folder: Path) -> dict[str, str]:
    """What the rows were learnt from: sha256 of each batch in the window, by its name."""
    chosen = in_window(batches_in(data_folder / "train"), recipe.split.window)
    return {batch.name: sha256_file(batch.path) for batch in chosen}


def _describe(recipe: Recipe, kept: Kept) -> dict[str, Any]:
    """Statistics of one split: lengths in steps before the cut, shares in [0, 1]."""
    whole, lengths = kept.whole_lengths, kept.examples.lengths
    batches = bucketed(lengths, batch_size=64, rng=None)
    padded = sum(int(lengths[batch].max()) * len(batch) for batch in batches)
    width = padded if recipe.input.padding == "bucket" else recipe.input.max_length * len(lengths)
    return {
        "rows": len(whole),
        "tokens": int(np.sum(whole)),
        "length_quantiles": {f"{q:.0%}": int(np.quantile(whole, q)) for q in _LENGTH_QUANTILES},
        "length_mean": round(float(np.mean(whole)), _DIGITS),
        "unknown_share": round(kept.unknown / max(1, int(np.sum(whole))), _DIGITS),
        "truncated_share": round(float(np.mean(np.asarray(whole) > np.asarray(kept.kept_lengths))), _DIGITS),
        "padding_share": round(1 - int(lengths.sum()) / width, _DIGITS),
    }


def run(recipe: Recipe, *, data_folder: Path, output_folder: Path) -> dict[str, Any]:
    """Split, fit the encoders on train, encode, describe.

    Args:
        recipe: Its sections task, input, target and split decide, and the slice columns are kept for evaluate.
        data_folder: Holds `train/` and perhaps `test/`, canonical JSON lines.
        output_folder: Replaced as a whole when everything went well.

    Returns:
        The statistics, as written to `statistics.json`.
    """
    task = task_named(recipe.task)
    dealt: Dealt
    dealt, left_out = task.deal(recipe, *_read(recipe, data_folder))
    encoder = task.fit_encoder(recipe, task.inputs_of(dealt["train"], recipe.input))
    targets = task.fit_targets(recipe, dealt["train"])
    statistics: dict[str, Any] = {
        **sizes_of(encoder, targets),
        "left_out_as_leaks": left_out,
        "batches": _batches(recipe, data_folder),
        "splits": {},
    }
    column = recipe.target.column
    with complete_folder(output_folder) as folder:
        encoder.save(folder / ENCODER_FILES[recipe.input.kind])
        targets.save(folder / TARGET_FILE)
        for split in SPLITS:
            kept = task.keep(folder, split, recipe, encoder, targets, dealt[split])
            statistics["splits"][split] = _describe(recipe, kept)
            if recipe.classes:
                labels = Counter(str(row[column]) for row in dealt[split])
                statistics["splits"][split]["labels"] = {name: labels[name] for name in recipe.classes}
        write_json(folder / STATISTICS_FILE, statistics)
        write_manifest(folder, recipe=sections_of(recipe, *SECTIONS))
    return statistics
