"""Answers that were logged, and the true labels that arrive for them later, joined by id.

`.seqline/predictions/NAME/YYYY-MM.jsonl` has a line an answer; `labels.jsonl` beside them a line a label that was joined
to the last answer of its id, so that the quality of a version is that of the answers it gave.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock

from seqline.data.checks import ID_COLUMN, is_blank, shown
from seqline.data.csv_rows import listed
from seqline.data.readers import Row, read_rows
from seqline.errors import InputError
from seqline.files import atomic_write, sha256_file
from seqline.ingestion.quarantine import QuarantineWriter, quarantine_name
from seqline.journal import Journal
from seqline.workspace import Workspace

_LABELS_FILE = "labels.jsonl"
_TAIL_BYTES = 1 << 16
_KINDS_TOLD = 5


@dataclass(frozen=True, kw_only=True)
class LoggedAnswer:
    """One answer of a champion.

    Attributes:
        id: What a true label will name it by.
        time: UTC, ISO 8601.
        version: Version that gave it.
        content_key: What that version is; numbers begin anew in a new registry.
        label: The most probable class.
        probability: Its probability.
        text: The input.
    """

    id: str
    time: str
    version: int
    content_key: str
    label: str
    probability: float
    text: str


@dataclass(frozen=True, kw_only=True)
class LabelledQuality:
    """Answers whose true label is known.

    Attributes:
        version: Version that gave them; None for all versions.
        rows: How many; of several answers to one id the last.
        correct: How many were right.
    """

    version: int | None
    rows: int
    correct: int

    @property
    def accuracy(self) -> float:
        """Share that were right, 0 to 1."""
        return self.correct / self.rows


@dataclass(frozen=True, kw_only=True)
class LabelReport:
    """What became of the rows of a file with labels.

    Attributes:
        file: The file.
        joined: Labels joined to an answer now.
        known: Labels that were joined before, or came twice in the file.
        set_aside: Rows that could not be joined: unreadable, unknown ids, labels that are no class or contradict another.
        reasons: The most frequent reasons, each with the first row it holds for.
        quarantine: File with those rows; None when there are none.
    """

    file: str
    joined: int
    known: int
    set_aside: int
    reasons: tuple[str, ...]
    quarantine: str | None

    def to_dict(self) -> dict[str, Any]:
        """JSON values."""
        return {**asdict(self), "reasons": list(self.reasons)}


@dataclass(frozen=True)
class _Log(Journal):
    """A journal of many lines: written in one go, read one at a time."""

    def extend(self, records: Iterable[Mapping[str, Any]]) -> None:
        """Write lines to the disk; returns when they are there."""
        text = "".join(
            json.dumps(dict(r), ensure_ascii=False, sort_keys=True, allow_nan=False) + "\n" for r in records
        )
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(self.path.with_name(f".{self.path.name}.lock")), self.path.open("ab+") as handle:
            handle.truncate(self._end_of_last_line(handle.seek(0, os.SEEK_END)))
            handle.write(text.encode("utf-8"))
            handle.flush()
            os.fsync(handle.fileno())

    def _end_of_last_line(self, size: int) -> int:
        with self.path.open("rb") as handle:
            start = size
            while start > 0:
                start = max(0, start - _TAIL_BYTES)
                handle.seek(start)
                found = handle.read(min(_TAIL_BYTES, size - start)).rfind(b"\n")
                if found >= 0:
                    return start + found + 1
        return 0

    def each(self) -> Iterator[dict[str, Any]]:
        """All lines, the oldest first, one in memory at a time."""
        if not self.path.is_file():
            return
        with self.path.open("rb") as handle:
            for number, line in enumerate(handle, start=1):
                if not line.endswith(b"\n"):
                    return
                try:
                    yield dict(json.loads(line))
                except (ValueError, TypeError):
                    raise self.damaged(number, f"not a JSON object: {line[:60]!r}") from None


def log_answers(workspace: Workspace, name: str, answers: Sequence[LoggedAnswer]) -> None:
    """Write answers to the file of their month; returns when they are on the disk."""
    months: dict[str, list[LoggedAnswer]] = {}
    for answer in answers:
        months.setdefault(answer.time[: len("2026-01")], []).append(answer)
    for month, members in months.items():
        _Log(workspace.predictions_folder(name) / f"{month}.jsonl").extend(map(asdict, members))


def join_labels(
    workspace: Workspace,
    name: str,
    source: Path,
    *,
    id_column: str = ID_COLUMN,
    target_column: str | None = None,
    correct: bool = False,
    now: datetime | None = None,
) -> LabelReport:
    """Join the labels of a file to the last logged answer of each id; the same file again adds nothing.

    Every row that cannot be joined is set aside in a quarantine file with its line and reason. A label that contradicts
    one joined before, or another in the file, is set aside: nobody can say which is true.

    Args:
        workspace: The project.
        name: The recipe; its classes are the labels allowed.
        source: Rows with an id and a label, in any format of `readers.FORMATS`.
        id_column: Column of the id.
        target_column: Column of the label; by default the recipe's.
        correct: A label that contradicts one joined before takes its place.
        now: Time of the labels; by default the present.

    Raises:
        InputError: The file cannot be read, or lacks a column; or the recipe's answers are no labels.
    """
    recipe = workspace.recipe(name)
    if not recipe.classes:
        raise InputError(
            f"recipe {name}",
            f"task {recipe.task}, whose answers are no labels",
            "a recipe of classification",
            "bring the true values in as rows (`seqline ingest`), and train or evaluate again",
        )
    folder = workspace.predictions_folder(name)
    folder.mkdir(parents=True, exist_ok=True)
    # Not the workspace's owner: labels come in while a training runs.
    with FileLock(folder / f".{_LABELS_FILE}.join.lock"):
        columns = (id_column, target_column or recipe.target.column)
        return _join(workspace, name, source, columns, recipe.classes, correct, now or datetime.now(UTC))


def _join(
    workspace: Workspace,
    name: str,
    source: Path,
    columns: tuple[str, str],
    classes: Sequence[str],
    correct: bool,
    now: datetime,
) -> LabelReport:
    folder = workspace.predictions_folder(name)
    labels = _Log(folder / _LABELS_FILE)
    joined_before = {record["id"]: record for record in labels.each()}
    shelf = workspace.quarantine_folder(name) / f"labels-{quarantine_name(source, _sha256_of(source))}"
    fresh: list[dict[str, Any]] = []
    known = 0
    told: list[QuarantineWriter] = []

    def write(temporary: Path) -> None:
        nonlocal known
        with temporary.open("wb") as handle:
            aside = QuarantineWriter(handle, file=str(source))
            told.append(aside)
            wanted, known = _labels_of(source, columns, classes, aside)
            answers = _last_answers(folder, set(wanted))
            moment = now.isoformat(timespec="seconds")
            for identifier, (row, label) in wanted.items():
                earlier, answer = joined_before.get(identifier), answers.get(identifier)
                if answer is None:
                    _set_aside(aside, row, f"{columns[0]}: no logged answer has the id {identifier!r}")
                elif earlier is not None and earlier["label"] != label and not correct:
                    fault = f"label {label!r} contradicts {earlier['label']!r}, joined on {earlier['time']}"
                    _set_aside(aside, row, fault)
                elif earlier is not None and earlier["label"] == label and _is_of(earlier, answer):
                    known += 1
                else:
                    fresh.append(_joined(answer, label, moment, str(source)))

    atomic_write(shelf, write)
    aside = told[0]
    if not aside.rows:
        shelf.unlink()
    if fresh:
        labels.extend(fresh)
    return LabelReport(
        file=str(source),
        joined=len(fresh),
        known=known,
        set_aside=aside.rows,
        reasons=tuple(aside.most_frequent(_KINDS_TOLD)),
        quarantine=str(shelf.relative_to(workspace.root)) if aside.rows else None,
    )


def labelled_quality(
    workspace: Workspace, name: str, version: int | None = None, *, content_key: str | None = None
) -> LabelledQuality | None:
    """How right the labelled answers were; None when there is none.

    Args:
        workspace: The project.
        name: The model.
        version: Only answers this version gave; by default all.
        content_key: Only answers of a version with this content; by default any.
    """
    last: dict[str, bool] = {}
    for record in _Log(workspace.predictions_folder(name) / _LABELS_FILE).each():
        if version in (None, record["version"]) and content_key in (None, record["content_key"]):
            last[record["id"]] = record["label"] == record["answer"]
    return LabelledQuality(version=version, rows=len(last), correct=sum(last.values())) if last else None


def labelled_versions(workspace: Workspace, name: str) -> list[LabelledQuality]:
    """The quality of each version that gave labelled answers, by version."""
    records = _Log(workspace.predictions_folder(name) / _LABELS_FILE).each()
    found = (
        labelled_quality(workspace, name, version) for version in sorted({r["version"] for r in records})
    )
    return [quality for quality in found if quality is not None]


def _sha256_of(source: Path) -> str:
    """Digest of a user's file; one that is not there is the user's mistake."""
    try:
        return sha256_file(source)
    except OSError as error:
        raise InputError(
            str(source), f"cannot be read ({error.strerror})", "a file with ids and labels"
        ) from None


def _set_aside(aside: QuarantineWriter, row: Row, reason: str) -> None:
    aside.add(row.line, [reason], json.dumps(row.values, ensure_ascii=False))


def _labels_of(
    source: Path, columns: tuple[str, str], classes: Sequence[str], aside: QuarantineWriter
) -> tuple[dict[str, tuple[Row, str]], int]:
    """Usable labels by id, and how many came twice; ids with different labels are set aside, all of their rows."""
    id_column, target_column = columns
    by_id: dict[str, list[tuple[Row, str]]] = {}
    for row in read_rows(source, on_refused=lambda r: aside.add(r.line, [r.error.found], r.raw)):
        for column in columns:
            if column not in row.values:
                raise InputError(
                    str(source),
                    f"no column {column!r}; its columns are {listed(row.values)}",
                    "a column of ids and one of labels",
                    "name them with --id and --target",
                )
        identifier, label = row.values[id_column], row.values[target_column]
        if identifier is None or is_blank(shown(identifier)):
            _set_aside(aside, row, f"{id_column}: no value")
        elif label is None or shown(label) not in classes:
            _set_aside(aside, row, f"{target_column}: {shown(label)!r} is none of {', '.join(classes)}")
        else:
            by_id.setdefault(shown(identifier), []).append((row, shown(label)))
    repeated = 0
    usable = {}
    for identifier, rows in by_id.items():
        found = sorted({label for _, label in rows})
        if len(found) == 1:
            usable[identifier] = rows[0]
            repeated += len(rows) - 1
            continue
        for row, _ in rows:
            _set_aside(
                aside, row, f"{id_column}: {identifier!r} is labelled {' and '.join(found)} in this file"
            )
    return usable, repeated


def _last_answers(folder: Path, wanted: set[str]) -> dict[str, dict[str, Any]]:
    """The last logged answer of each id; months follow each other by name."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(folder.glob("[0-9]*.jsonl")):
        for record in _Log(path).each():
            if record["id"] in wanted:
                found[record["id"]] = record
    return found


def _is_of(joined: Mapping[str, Any], answer: Mapping[str, Any]) -> bool:
    """Whether a label was joined to this very answer."""
    return (joined["answered"], joined["version"]) == (answer["time"], answer["version"])


def _joined(answer: Mapping[str, Any], label: str, moment: str, file: str) -> dict[str, Any]:
    return {
        "id": answer["id"],
        "label": label,
        "answer": answer["label"],
        "probability": answer["probability"],
        "version": answer["version"],
        "content_key": answer["content_key"],
        "answered": answer["time"],
        "time": moment,
        "file": file,
    }
