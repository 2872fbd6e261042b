"""How rows are dealt into train, valid and test, so that nothing of one leaks into another."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from seqline.data.kinds import kind_of
from seqline.data.splits import SPLITS, Split, assign, leaks, normalise
from seqline.errors import InputError
from seqline.recipe import Recipe

Row = Mapping[str, Any]
Dealt = Mapping[Split, Sequence[Row]]


def key_of(value: Any) -> str:
    """The form under which two values count as the same: normalised text, or the digest of a list."""
    if isinstance(value, list | dict):
        return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()
    return normalise(str(value))


def deal_by_key(recipe: Recipe, train_rows: Sequence[Row], test_rows: Sequence[Row]) -> tuple[Dealt, int]:
    """Deal rows by a stable hash of the recipe's split key.

    Args:
        recipe: Its split section decides; rows with one input, or one value of the key, are never in two splits.
        train_rows: Rows of `train/`.
        test_rows: Rows of `test/`; without any, `split.test` of the train rows.

    Returns:
        The rows of each split, and how many were left out because a held-out split has them.
    """
    share = recipe.split
    rows = [*train_rows, *test_rows]
    kind, column = kind_of(recipe), recipe.input.column
    same = [kind.key(row[column]) or key_of(row[column]) for row in rows]
    keys = same if recipe.split_key == column else [key_of(row[recipe.split_key]) for row in rows]
    splits: list[Split] = [
        assign(key, valid=share.valid, test=share.test, seed=share.seed) for key in keys[: len(train_rows)]
    ]
    splits += ["test"] * len(test_rows)
    left_out = leaks(splits, keys)
    if recipe.split_key != column:
        left_out = [a or b for a, b in zip(left_out, leaks(splits, same), strict=True)]
    dealt: dict[Split, list[Row]] = {name: [] for name in SPLITS}
    for row, split, leak in zip(rows, splits, left_out, strict=True):
        if not leak:
            dealt[split].append(row)
    return require_rows(dealt), sum(left_out)


def require_rows(dealt: Dealt) -> Dealt:
    """The same splits; `InputError` for an empty one."""
    for name in SPLITS:
        if not dealt[name]:
            raise InputError(
                f"split {name}", "no rows", "at least one", "add rows, or change the shares in `split`"
            )
    return dealt
