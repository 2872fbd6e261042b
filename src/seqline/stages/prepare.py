"""prepare: from checked rows to splits, a tokenizer and memory-mapped arrays."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from seqline.config import sections_of
from seqline.data.arrays import from_sequences, write_arrays
from seqline.data.batches import batches_in, in_window
from seqline.data.collate import bucketed
from seqline.data.readers import rows_in
from seqline.data.rows import write_split
from seqline.data.splits import SPLITS, Split, assign, leaks, normalise
from seqline.data.tokenization import TOKENIZER_FILE, UNKNOWN_ID, TextTokenizer, cut
from seqline.errors import InputError
from seqline.files import complete_folder, sha256_file, write_json, write_manifest
from seqline.recipe import Recipe
from seqline.tasks import task_named

SECTIONS = ("task", "input", "target", "split")
STATISTICS_FILE = "statistics.json"
_LENGTH_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
_DIGITS = 6


def _read(recipe: Recipe, data_folder: Path) -> tuple[list[dict[str, Any]], list[Split]]:
    """All rows with the split of each, before leaks are left out."""
    train_rows = [row.values for row in rows_in(data_folder / "train", window=recipe.split.window)]
    test_folder = data_folder / "test"
    test_rows = [row.values for row in rows_in(test_folder)] if test_folder.is_dir() else []
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
    share = recipe.split
    missing = [
        name
        for name in [recipe.input.column, recipe.target.column, recipe.split_key]
        if name not in train_rows[0]
    ]
    if missing:
        raise InputError(str(data_folder), f"no column {missing[0]!r}", f"one of {', '.join(train_rows[0])}")
    splits: list[Split] = [
        assign(normalise(str(row[recipe.split_key])), valid=share.valid, test=share.test, seed=share.seed)
        for row in train_rows
    ]
    return train_rows + test_rows, splits + ["test"] * len(test_rows)


def _deal(
    recipe: Recipe, rows: list[dict[str, Any]], splits: list[Split]
) -> tuple[dict[Split, list[dict[str, Any]]], int]:
    """Rows by split without leaks, and how many were left out."""
    left_out = leaks(splits, [normalise(str(row[recipe.input.column])) for row in rows])
    if recipe.split_key != recipe.input.column:
        same_group = leaks(splits, [normalise(str(row[recipe.split_key])) for row in rows])
        left_out = [a or b for a, b in zip(left_out, same_group, strict=True)]
    dealt: dict[Split, list[dict[str, Any]]] = {name: [] for name in SPLITS}
    for row, split, leak in zip(rows, splits, left_out, strict=True):
        if not leak:
            dealt[split].append(row)
    for name in SPLITS:
        if not dealt[name]:
            raise InputError(
                f"split {name}", "no rows", "at least one", "add rows, or change the shares in `split`"
            )
    return dealt, sum(left_out)


def _batches(recipe: Recipe, data_folder: Path) -> dict[str, str]:
    """What the rows were learnt from: sha256 of each batch in the window, by its name."""
    chosen = in_window(batches_in(data_folder / "train"), recipe.split.window)
    return {batch.name: sha256_file(batch.path) for batch in chosen}


def _describe(
    recipe: Recipe, whole: list[int], kept: list[int], unknown: int, labels: Counter[str]
) -> dict[str, Any]:
    """Statistics of one split: lengths in tokens before the cut, shares in [0, 1]."""
    lengths = np.asarray(kept, dtype=np.int64)
    batches = bucketed(lengths, batch_size=64, rng=None)
    padded = sum(int(lengths[batch].max()) * len(batch) for batch in batches)
    width = padded if recipe.input.padding == "bucket" else recipe.input.max_length * len(lengths)
    return {
        "rows": len(lengths),
        "tokens": int(np.sum(whole)),
        "length_quantiles": {f"{q:.0%}": int(np.quantile(whole, q)) for q in _LENGTH_QUANTILES},
        "length_mean": round(float(np.mean(whole)), _DIGITS),
        "unknown_share": round(unknown / max(1, int(np.sum(whole))), _DIGITS),
        "truncated_share": round(float(np.mean(np.asarray(whole) > lengths)), _DIGITS),
        "padding_share": round(1 - int(lengths.sum()) / width, _DIGITS),
        "labels": {label: labels.get(label, 0) for label in recipe.target.classes},
    }


def run(recipe: Recipe, *, data_folder: Path, output_folder: Path) -> dict[str, Any]:
    """Split, fit the tokenizer on train, encode, describe.

    Args:
        recipe: Its sections task, input, target and split decide, and the slice columns are kept for evaluate.
        data_folder: Holds `train/` and perhaps `test/`, canonical JSON lines.
        output_folder: Replaced as a whole when everything went well.

    Returns:
        The statistics, as written to `statistics.json`.
    """
    task = task_named(recipe.task)
    rows, splits = _read(recipe, data_folder)
    dealt, left_out = _deal(recipe, rows, splits)
    tokenizer = TextTokenizer.fit((str(row[recipe.input.column]) for row in dealt["train"]), recipe.input)
    statistics: dict[str, Any] = {
        "vocab_size": tokenizer.vocab_size,
        "left_out_as_leaks": left_out,
        "batches": _batches(recipe, data_folder),
        "splits": {},
    }
    with complete_folder(output_folder) as folder:
        tokenizer.save(folder / TOKENIZER_FILE)
        for split in SPLITS:
            members = dealt[split]
            texts = [str(row[recipe.input.column]) for row in members]
            targets = [task.target_index(row[recipe.target.column], recipe.target) for row in members]
            whole = list(tokenizer.encode_whole(texts))
            kept = [cut(ids, max_length=recipe.input.max_length, keep=recipe.input.keep) for ids in whole]
            write_arrays(folder, split, from_sequences(kept, targets, vocab_size=tokenizer.vocab_size))
            others = [name for name in members[0] if name not in (recipe.input.column, recipe.target.column)]
            write_split(
                folder,
                split,
                (
                    (str(row["id"]), text, target, {name: row[name] for name in others if name != "id"})
                    for row, text, target in zip(members, texts, targets, strict=True)
                ),
            )
            statistics["splits"][split] = _describe(
                recipe,
                [len(ids) for ids in whole],
                [len(ids) for ids in kept],
                sum(int((ids == UNKNOWN_ID).sum()) for ids in whole),
                Counter(str(row[recipe.target.column]) for row in members),
            )
        write_json(folder / STATISTICS_FILE, statistics)
        write_manifest(folder, recipe=sections_of(recipe, *SECTIONS))
    return statistics
