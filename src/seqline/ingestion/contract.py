"""What a row must be to come in: the recipe's demands on one row, and its likeness to the rows that are there."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from seqline.data.checks import ID_COLUMN, UNUSABLE, characters_found, is_blank, required_columns, shown
from seqline.data.csv_rows import listed
from seqline.data.json_rows import Value
from seqline.data.kinds import Kind, TargetKind, kind_of, target_kind_of
from seqline.data.kinds.base import critical_sentences
from seqline.data.readers import rows_in
from seqline.errors import InputError
from seqline.recipe import Recipe

_DIGEST_BYTES = 16


def digest_of(*values: Value) -> bytes:
    """16-byte digest of values as text: the number 1 is the text "1", a null is no text at all, in a list 1 is 1.0."""
    spelled = json.dumps([None if value is None else _spelled(value) for value in values])
    return hashlib.blake2b(spelled.encode("ascii"), digest_size=_DIGEST_BYTES).digest()


def _spelled(value: Value) -> str | list[Any]:
    if not isinstance(value, list):
        return shown(value)
    return [
        item if item is None else _spelled(float(item) if type(item) in (int, float) else item)
        for item in value
    ]


@dataclass(frozen=True, kw_only=True)
class RowContract:
    """What files and rows must be.

    Attributes:
        recipe: Names input, target and what the split and the slices need.
        columns: All columns of the rows that are there, in their order, `id` among them.
        kind: What an input must be; the rows that are there have settled what the recipe leaves open.
        target: What a target must be; None where the input itself is predicted.
    """

    recipe: Recipe
    columns: tuple[str, ...]
    kind: Kind
    target: TargetKind | None

    @classmethod
    def of(cls, recipe: Recipe, columns: Sequence[str]) -> RowContract:
        """The contract of a recipe, before any row settled anything."""
        return cls(recipe=recipe, columns=tuple(columns), kind=kind_of(recipe), target=target_kind_of(recipe))

    def settled(self, values: Mapping[str, Value]) -> RowContract:
        """The contract after a good row."""
        kind = self.kind.settled(values.get(self.recipe.input.column))
        return self if kind is self.kind else replace(self, kind=kind)

    def check_columns(self, found: Sequence[str], where: str) -> None:
        """Refuse a file whose columns are not those of the rows that are there; only `id` may be absent.

        Raises:
            InputError: Naming every column that is missing and every one too many.
        """
        missing = [column for column in self.columns if column not in found and column != ID_COLUMN]
        extra = [column for column in found if column not in self.columns]
        if not missing and not extra:
            return
        faults = [f"no column {listed(missing)}"] if missing else []
        faults += [f"unknown column {listed(extra)}"] if extra else []
        nearest = [
            f"did you mean {match[0]!r} by {name!r}?"
            for name in extra
            if (match := difflib.get_close_matches(name, missing, n=1))
        ]
        raise InputError(
            where,
            "; ".join(faults),
            f"the columns of the rows that are there: {listed(self.columns)} (id may be absent)",
            "; ".join(nearest) or "rename, add or remove columns of the file",
        )

    def faults(self, values: Mapping[str, Value]) -> list[str]:
        """All that is wrong with a row taken by itself; empty for a good one."""
        recipe = self.recipe
        given = values[recipe.input.column]
        faults = [f"{recipe.input.column}: {fault}" for fault in self.kind.faults(given)]
        if not faults:
            beside = critical_sentences(self.kind.demands, self.kind.beside(values))
            faults = [f"{recipe.input.column}: {fault}" for fault in beside]
        if self.target is not None:
            told = self.target.faults(values[recipe.target.column], given)
            faults += [f"{recipe.target.column}: {fault}" for fault in told]
        return [*faults, *self._other_faults(values)]

    def content(self, values: Mapping[str, Value]) -> bytes:
        """Digest of all its columns except `id`: two rows with the same one are the same row."""
        return digest_of(*(values.get(column) for column in self.columns if column != ID_COLUMN))

    def _other_faults(self, values: Mapping[str, Value]) -> list[str]:
        judged = {self.recipe.input.column, self.recipe.target.column}
        faults = []
        for column in required_columns(self.recipe):
            if column in judged or column not in values:
                continue
            value = values[column]
            if value is None or (column == ID_COLUMN and is_blank(shown(value))):
                faults.append(f"{column}: no value")
            elif unusable := characters_found(UNUSABLE, str(value)):
                faults.append(f"{column}: NUL or surrogate {unusable}")
        return faults


@dataclass
class Seen:
    """Rows that are there already, by digest: texts are not kept.

    Attributes:
        contents: `RowContract.content` of each row.
        ids: Digest of each id, with the content of its row.
        moments: Of each series, the timestamps that are there; empty where rows are no stretches.
    """

    contents: set[bytes] = field(default_factory=set)
    ids: dict[bytes, bytes] = field(default_factory=dict)
    moments: dict[str, set[int | str]] = field(default_factory=dict)

    def add(
        self, values: Mapping[str, Value], *, content: bytes, held: tuple[str, list[int | str]] | None
    ) -> None:
        """Take in a row.

        Args:
            values: The row.
            content: Its `RowContract.content`.
            held: Its `Kind.moments`.
        """
        self.contents.add(content)
        if ID_COLUMN in values:
            self.ids[digest_of(values[ID_COLUMN])] = content
        if held is not None:
            series, stamps = held
            self.moments.setdefault(series, set()).update(stamps)

    def update(self, other: Seen) -> None:
        """Take in all rows of another."""
        self.contents |= other.contents
        self.ids |= other.ids
        for series, stamps in other.moments.items():
            self.moments.setdefault(series, set()).update(stamps)


def contract_there(recipe: Recipe, data_folder: Path) -> RowContract | None:
    """What rows must be to join those of `train/`; None where there is none yet."""
    folder = data_folder / "train"
    if not folder.is_dir() or not any(not path.name.startswith(".") for path in folder.iterdir()):
        return None
    first = next(rows_in(folder)).values
    if ID_COLUMN not in first:
        raise InputError(
            str(folder), f"rows without a column {ID_COLUMN!r}", "rows as `seqline new` makes them"
        )
    return RowContract.of(recipe, tuple(first)).settled(first)


def rows_there(data_folder: Path, contract: RowContract) -> Seen:
    """Every row of `train/` and `test/`: the row that is tested on must not come in to be learnt from."""
    seen = Seen()
    for folder in (data_folder / "train", data_folder / "test"):
        if folder.is_dir() and any(not path.name.startswith(".") for path in folder.iterdir()):
            for row in rows_in(folder):
                content, held = contract.content(row.values), contract.kind.moments(row.values)
                seen.add(row.values, content=content, held=held)
    return seen
