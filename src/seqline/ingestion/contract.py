"""What a row must be to come in: the recipe's demands on one row, and its likeness to the rows that are there."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from seqline.data.checks import ID_COLUMN, UNUSABLE, characters_found, is_blank, required_columns, shown
from seqline.data.csv_rows import listed
from seqline.data.json_rows import Value
from seqline.data.readers import rows_in
from seqline.errors import InputError
from seqline.recipe import Recipe

_DIGEST_BYTES = 16


def digest_of(*values: Value) -> bytes:
    """16-byte digest of values as text: the number 1 is the text "1", a null is no text at all."""
    spelled = json.dumps([None if value is None else shown(value) for value in values])
    return hashlib.blake2b(spelled.encode("ascii"), digest_size=_DIGEST_BYTES).digest()


@dataclass(frozen=True, kw_only=True)
class RowContract:
    """What files and rows must be.

    Attributes:
        recipe: Names input, target and what the split and the slices need.
        columns: All columns of the rows that are there, in their order, `id` among them.
    """

    recipe: Recipe
    columns: tuple[str, ...]

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
        return [*self._text_faults(values), *self._label_faults(values), *self._other_faults(values)]

    def content(self, values: Mapping[str, Value]) -> bytes:
        """Digest of all its columns except `id`: two rows with the same one are the same row."""
        return digest_of(*(values.get(column) for column in self.columns if column != ID_COLUMN))

    def _text_faults(self, values: Mapping[str, Value]) -> list[str]:
        text, column = values[self.recipe.input.column], self.recipe.input.column
        if text is None:
            return [f"{column}: no value"]
        if not isinstance(text, str):
            return [f"{column}: not text but {type(text).__name__} {shown(text)}"]
        if unusable := characters_found(UNUSABLE, text):
            return [f"{column}: NUL or surrogate {unusable}"]
        return [f"{column}: blank, {len(text)} characters, none visible"] if is_blank(text) else []

    def _label_faults(self, values: Mapping[str, Value]) -> list[str]:
        label, target = values[self.recipe.target.column], self.recipe.target
        if label is None or shown(label) == "":
            return [f"{target.column}: no value"]
        if shown(label) in target.classes:
            return []
        return [f"{target.column}: {shown(label)!r} is none of {', '.join(target.classes)}"]

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
    """

    contents: set[bytes] = field(default_factory=set)
    ids: dict[bytes, bytes] = field(default_factory=dict)

    def add(self, contract: RowContract, values: Mapping[str, Value]) -> None:
        """Take in a row."""
        content = contract.content(values)
        self.contents.add(content)
        if ID_COLUMN in values:
            self.ids[digest_of(values[ID_COLUMN])] = content

    def update(self, other: Seen) -> None:
        """Take in all rows of another."""
        self.contents |= other.contents
        self.ids |= other.ids


def columns_there(data_folder: Path) -> tuple[str, ...]:
    """Columns of the training rows; empty where there is none yet."""
    folder = data_folder / "train"
    if not folder.is_dir() or not any(not path.name.startswith(".") for path in folder.iterdir()):
        return ()
    columns = tuple(next(rows_in(folder)).values)
    if ID_COLUMN not in columns:
        raise InputError(
            str(folder), f"rows without a column {ID_COLUMN!r}", "rows as `seqline new` makes them"
        )
    return columns


def rows_there(data_folder: Path, contract: RowContract) -> Seen:
    """Every row of `train/` and `test/`: the row that is tested on must not come in to be learnt from."""
    seen = Seen()
    for folder in (data_folder / "train", data_folder / "test"):
        if folder.is_dir() and any(not path.name.startswith(".") for path in folder.iterdir()):
            for row in rows_in(folder):
                seen.add(contract, row.values)
    return seen
