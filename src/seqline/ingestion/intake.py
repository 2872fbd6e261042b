"""From files to one staged batch: good rows in, known rows dropped, the others to quarantine with their reasons."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import orjson

from seqline.data.checks import ID_COLUMN, shown
from seqline.data.json_rows import Value
from seqline.data.readers import Row, read_rows
from seqline.data.refusals import RefusedRecord
from seqline.data.shapes import Shape, shaped
from seqline.data.streams import Limits
from seqline.errors import InputError
from seqline.files import atomic_write, sha256_file
from seqline.ingestion.contract import RowContract, Seen, contract_there, digest_of, rows_there
from seqline.ingestion.quarantine import QuarantineWriter, quarantine_name
from seqline.recipe import Recipe

# A file of which more than this share is at fault is another kind of file, not a good one with slips.
MAX_FAULTY_SHARE = 0.5
_REASONS_TOLD = 3


@dataclass(frozen=True, kw_only=True)
class Counts:
    """What became of a file's rows.

    Attributes:
        rows_in: Written to the batch.
        already_seen: Dropped.
        quarantined: Refused.
        quarantine: Name of the staged file with them; None when there are none.
    """

    rows_in: int
    already_seen: int
    quarantined: int
    quarantine: str | None


@dataclass
class _Sieve:
    """One file on its way through."""

    quarantine: QuarantineWriter
    seen: Seen = field(default_factory=Seen)
    rows_in: int = 0
    already_seen: int = 0

    @property
    def rows(self) -> int:
        return self.rows_in + self.already_seen + self.quarantine.rows


class Intake:
    """The batch that files are read into; use it as a context manager.

    Args:
        recipe: What the rows must be.
        data_folder: data/NAME: the rows that are there.
        staging: Gets the batch and the quarantine files.
        batch: Name of the batch.
        limits: What a file may cost.
        accept_bad: Take a file's good rows however many are at fault.
    """

    def __init__(
        self,
        *,
        recipe: Recipe,
        data_folder: Path,
        staging: Path,
        batch: str,
        limits: Limits,
        accept_bad: bool,
    ) -> None:
        self.recipe = recipe
        self.batch = staging / batch
        self.rows_in = 0
        self._staging = staging
        self._limits = limits
        self._accept_bad = accept_bad
        self._shape = Shape.load(data_folder)
        self._contract = contract_there(recipe, data_folder)
        self._seen = rows_there(data_folder, self._contract) if self._contract else Seen()
        self._handle: BinaryIO

    def __enter__(self) -> Intake:
        self._handle = self.batch.open("wb")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._handle.flush()
        os.fsync(self._handle.fileno())
        self._handle.close()
        if not self.rows_in:
            self.batch.unlink()

    def take(self, path: Path, *, sha256: str, shown_name: str) -> Counts:
        """Read one file into the batch, or refuse it and leave everything as it was before.

        Raises:
            InputError: It cannot be read exactly as a whole, its columns are others, or too many rows are at fault.
        """
        start, contract = self._handle.tell(), self._contract
        quarantine = self._staging / quarantine_name(path, sha256)
        sieve: list[_Sieve] = []

        def write(temporary: Path) -> None:
            with temporary.open("wb") as handle:
                sieve.append(_Sieve(QuarantineWriter(handle, file=shown_name)))
                self._pass_rows(path, sha256, shown_name, sieve[0])

        try:
            atomic_write(quarantine, write)
        except BaseException:
            self._handle.seek(start)
            self._handle.truncate()
            self._contract = contract
            raise
        found = sieve[0]
        if not found.quarantine.rows:
            quarantine.unlink()
        self._seen.update(found.seen)
        self.rows_in += found.rows_in
        return Counts(
            rows_in=found.rows_in,
            already_seen=found.already_seen,
            quarantined=found.quarantine.rows,
            quarantine=quarantine.name if found.quarantine.rows else None,
        )

    def _pass_rows(self, path: Path, sha256: str, shown_name: str, sieve: _Sieve) -> None:
        def refused(record: RefusedRecord) -> None:
            error = record.error
            reason = f"{error.found}; expected {error.expected}" if error.expected else error.found
            sieve.quarantine.add(record.line, [reason], record.raw)

        is_first = True
        rows = read_rows(path, limits=self._limits, on_refused=refused)
        for row in shaped(rows, self._shape):
            if is_first:
                self._check_columns(row, shown_name)
                is_first = False
            self._sort(row, sieve)
        if sha256_file(path) != sha256:
            raise InputError(
                shown_name,
                "it changed while it was read",
                "a complete file",
                "write files under a hidden name (.NAME) and rename them when they are complete",
            )
        if not self._accept_bad and sieve.quarantine.rows > MAX_FAULTY_SHARE * sieve.rows:
            raise InputError(
                shown_name,
                f"{sieve.quarantine.rows:,} of {sieve.rows:,} rows are at fault, most often\n    "
                + "\n    ".join(sieve.quarantine.most_frequent(_REASONS_TOLD)),
                f"at most {MAX_FAULTY_SHARE:.0%} of a file's rows at fault",
                "mend the file, or let `--accept-bad` put them into quarantine and take the others",
            )

    def _check_columns(self, row: Row, shown_name: str) -> None:
        found = [column for column in row.values if column != ID_COLUMN]
        if self._contract is None:
            # The very first rows of a model: they must have what the recipe names, and may have more.
            needed = [self.recipe.input.column, self.recipe.target.column, self.recipe.split_key]
            needed = list(dict.fromkeys([*needed, *self.recipe.slice_columns]))
            extra = [column for column in found if column not in needed]
            RowContract.of(self.recipe, (ID_COLUMN, *needed, *extra)).check_columns(found, shown_name)
            self._contract = RowContract.of(self.recipe, (ID_COLUMN, *found))
        self._contract.check_columns(found, shown_name)

    def _sort(self, row: Row, sieve: _Sieve) -> None:
        contract = self._contract
        if contract is None:
            raise AssertionError("the columns are checked with the first row")
        faults = contract.faults(row.values)
        content = contract.content(row.values)
        has_id = ID_COLUMN in row.values
        if has_id and not faults:
            key = digest_of(row.values[ID_COLUMN])
            known = sieve.seen.ids.get(key) or self._seen.ids.get(key)
            if known is not None and known != content and not contract.kind.rows_continue:
                faults = [f"{ID_COLUMN}: {shown(row.values[ID_COLUMN])!r} is the id of another row"]
        if faults:
            sieve.quarantine.add(row.line, faults, json.dumps(row.values, ensure_ascii=False))
            return
        if content in sieve.seen.contents or content in self._seen.contents:
            sieve.already_seen += 1
            return
        held = contract.kind.moments(row.values)
        if twice := self._moments_twice(held, sieve):
            sieve.quarantine.add(row.line, [twice], json.dumps(row.values, ensure_ascii=False))
            return
        sieve.rows_in += 1
        self._contract = contract.settled(row.values)
        self._write(contract, row.values, number=self.rows_in + sieve.rows_in)
        sieve.seen.add(row.values, content=content, held=held)

    def _moments_twice(self, held: tuple[str, list[int | str]] | None, sieve: _Sieve) -> str:
        """What of a stretch its series has already, in words; empty where nothing is."""
        if held is None:
            return ""
        series, stamps = held
        known = [seen.moments.get(series, set()) for seen in (self._seen, sieve.seen)]
        twice = [stamp for stamp in stamps if any(stamp in there for there in known)]
        if not twice:
            return ""
        return f"{len(twice)} of {len(stamps)} timestamps are in series {shown(series)!r} already, the first is {twice[0]}"

    def _write(self, contract: RowContract, values: dict[str, Value], *, number: int) -> None:
        given = {ID_COLUMN: f"{self.batch.stem}-{number:07d}", **values}
        ordered = {column: given[column] for column in contract.columns}
        self._handle.write(orjson.dumps(ordered, option=orjson.OPT_APPEND_NEWLINE))
