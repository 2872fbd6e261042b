"""One pass over somebody's rows: refusing what cannot be used, and counting what a recipe is proposed from."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from seqline.data.audio import read_recording
from seqline.data.calendar import infer_frequency
from seqline.data.column_facts import MAX_CLASSES
from seqline.data.history import TIMESTAMPS
from seqline.data.kinds import Kind, kind_for
from seqline.data.kinds.audio import AudioKind
from seqline.data.kinds.base import shown
from seqline.data.kinds.recording import RecordingKind
from seqline.data.kinds.targets import NumberKind, SequenceKind, TagsKind, TargetKind
from seqline.data.look import Guess
from seqline.data.readers import Row
from seqline.data.series_frequency import TELLING
from seqline.data.shapes import Shape
from seqline.errors import InputError
from seqline.recipe import INPUTS, InputSection, ValidationSection

_MARKUP = re.compile(r"<(?:br|p|div|a|b|i|span|/)[\s>/]", re.IGNORECASE)
_INPUT_NAME = {"long": "series", "wide": "features"}
_ITEMS = "items"


def shape_of(found: Guess) -> Shape:
    """How the rows of a guessed file become rows of a recipe."""
    if found.form == "rows":
        return Shape(column=found.inputs[0], lists=found.lists, numbers=_numbers_of(found))
    keeps_times = found.form == "long" and found.target is None
    return Shape(
        form=found.form,
        column=_made_column(found),
        columns=found.inputs,
        group=found.group,
        order=found.order,
        beside=(found.target,) if found.form == "tokens" and found.target is not None else found.beside,
        order_column=TIMESTAMPS if keeps_times else None,
        numbers=_numbers_of(found),
    )


def _numbers_of(found: Guess) -> tuple[str, ...]:
    """Columns whose text is read as a number: what is estimated."""
    return (found.target,) if found.task == "estimation" and found.target is not None else ()


def _made_column(found: Guess) -> str:
    """Name of the input that is made of several columns or rows."""
    if found.form == "joined":
        return "_".join(found.inputs)
    if found.form == "events":
        return _ITEMS
    if found.form == "tokens":
        return found.inputs[0]
    return found.inputs[0] if found.form == "long" and len(found.inputs) == 1 else _INPUT_NAME[found.form]


@dataclass
class Survey:
    """What one pass over the rows tells; a row at a time, so memory hardly grows with the file.

    Attributes:
        input_column: Column of the input.
        target_column: Column of the label, tags or text; None where the input itself is predicted.
        kind: Of the input, to refuse what is none; text is judged by `seqline validate` alone.
        target: Of what is predicted, where it is no label.
        split_by: Column whose values must not straddle splits; None.
    """

    input_column: str
    target_column: str | None
    kind: Kind
    target: TargetKind | None = None
    split_by: str | None = None
    lengths: list[int] = field(default_factory=list)
    with_markup: int = 0
    with_missing: int = 0
    with_gaps: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    letters: set[str] = field(default_factory=set)
    groups: Counter[str] = field(default_factory=Counter)
    stamps: list[Any] = field(default_factory=list)
    frequencies: set[str] = field(default_factory=set)
    tags: set[str] = field(default_factory=set)
    out_of_order: int = 0

    @property
    def sample_rate(self) -> int | None:
        """Of the recordings that are predicted; None where none are."""
        return self.target.audio.sample_rate if isinstance(self.target, RecordingKind) else None

    @property
    def rows(self) -> int:
        """Rows seen."""
        return len(self.lengths)

    @property
    def has_labels(self) -> bool:
        """Whether labels are what is predicted."""
        return self.target_column is not None and self.target is None

    def add(self, row: Row) -> None:
        """Count one row.

        Raises:
            InputError: The input is none of its kind, what is predicted is missing or unusable, or there are too many
                different labels to be classes.
        """
        self.check(row)
        value = row.values[self.input_column]
        self.lengths.append(self.kind.length("" if value is None else value) or 0)
        if isinstance(value, str):
            self.with_markup += bool(_MARKUP.search(value))
            if self.kind.unit == "symbols":
                self.letters.update(value)
        self.with_missing += bool(self.kind.facts(value).get("missing"))
        self.with_gaps += any(finding.fact == "gaps" for finding in self.kind.beside(row.values))
        if isinstance(stamps := row.values.get(TIMESTAMPS), list):
            if len(stamps) > 1:
                frequency = _frequency(stamps, f"{row.source} line {row.line}")
                if len(stamps) >= TELLING:
                    self.frequencies.add(frequency)
            if len(stamps) > len(self.stamps):
                self.stamps = list(stamps)
        if self.split_by is not None:
            self.groups[str(row.values[self.split_by])] += 1
        if isinstance(self.target, TagsKind):
            tags: list[str] = row.values[str(self.target_column)]  # type: ignore[assignment]
            self.tags.update(tags)
            self.out_of_order += bool(_WITH_BEGINNINGS.faults(tags, tags))
        if self.has_labels:
            self.labels[str(row.values[str(self.target_column)])] += 1
            if len(self.labels) > MAX_CLASSES:
                raise InputError(
                    f"{row.source} line {row.line}",
                    f"more than {MAX_CLASSES} different values in column {self.target_column!r} so far",
                    "the classes of a classification",
                    "name another column with --target",
                )

    def check(self, row: Row) -> None:
        """Refuse a row that cannot be used.

        Raises:
            InputError: As `add`.
        """
        where = f"{row.source} line {row.line}"
        given = row.values[self.input_column]
        if self.kind.singular != "text":
            self.kind = self.kind.settled(given)
            _refuse(where, self.input_column, self.kind.faults(given))
        if self.target_column is None:
            return
        target = row.values[self.target_column]
        if self.target is not None:
            _refuse(where, self.target_column, self.target.faults(target, given))
        elif target is None or not shown(target).strip():
            raise InputError(where, f"no value in column {self.target_column!r}", "a label in every row")

    def classes(self, where: str) -> list[str]:
        """All labels, sorted.

        Raises:
            InputError: There is only one.
        """
        if len(self.labels) < 2:
            only = next(iter(self.labels), "")
            raise InputError(
                f"{where} column {self.target_column!r}", f"only the value {only!r}", "2 classes or more"
            )
        return sorted(self.labels)


def survey_of(found: Guess, shape: Shape, head: Sequence[Row]) -> Survey:
    """An empty survey for rows of a guessed use.

    Args:
        found: The use.
        shape: What is made of the rows.
        head: The first rows as the file has them; a recording says the sample rate.
    """
    return Survey(
        input_column=shape.column,
        target_column=found.target,
        kind=kind_for(_bare_input(found, shape, head), _LENIENT),
        target=_target_kind(found, head),
        split_by=found.split_by,
    )


def _frequency(stamps: list[Any], where: str) -> str:
    try:
        return str(infer_frequency(stamps))
    except InputError as error:
        raise InputError(f"{where}, {error.where}", error.found, error.expected, error.hint) from None


def _refuse(where: str, column: str, faults: Sequence[str]) -> None:
    if faults:
        raise InputError(f"{where} column {column!r}", "; ".join(faults), hint="mend the row, or take it out")


def _bare_input(found: Guess, shape: Shape, head: Sequence[Row]) -> InputSection:
    """The input section of a guess with nothing but what it needs."""
    values: dict[str, Any] = {"column": shape.column, "kind": found.kind}
    if found.kind == "audio":
        values["sample_rate"] = sample_rate_of(found.inputs[0], head)
    if found.kind == "history":
        values |= {"context_length": 2, "past": list(found.beside)}
    return INPUTS[found.kind].model_validate(values)


def _target_kind(found: Guess, head: Sequence[Row]) -> TargetKind | None:
    """What is predicted, where it is no label."""
    if found.task == "synthesis" and found.target is not None:
        rate = sample_rate_of(found.target, head)
        return RecordingKind(AudioKind(sample_rate=rate, max_seconds=_LENIENT.max_seconds))
    return _TARGETS.get(found.task)


def sample_rate_of(column: str, head: Sequence[Row]) -> int:
    """The sample rate of the first recording in a column."""
    first = head[0]
    where = f"{first.source} line {first.line} column {column!r}"
    return read_recording(str(first.values[column]), where=where).sample_rate


# Lets missing numbers and long recordings pass: what the recipe should allow is not known yet.
_LENIENT = ValidationSection.model_validate(
    {"max_missing_share": 1.0, "max_seconds": 3_600.0, "min_seconds": 0.0}
)
# What takes no I- but after a B- or I- of its kind.
_WITH_BEGINNINGS = TagsKind(scheme="iob2")
# Kinds of target by task, where it is no label.
_TARGETS: Mapping[str, TargetKind] = {
    "estimation": NumberKind(),
    "tagging": TagsKind(),
    "translation": SequenceKind(),
    "answering": SequenceKind(),
    "dialogue": SequenceKind(),
    "captioning": SequenceKind(),
}
