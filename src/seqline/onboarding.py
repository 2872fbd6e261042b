"""From somebody's file to data and a recipe in the project: everything or nothing."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from seqline.config import parse_recipe, write_yaml
from seqline.data.guess import ROWS, guess
from seqline.data.look import Given, Guess
from seqline.data.proposal import propose
from seqline.data.readers import Row, read_rows
from seqline.data.samples.registry import SAMPLES, write_sample
from seqline.data.shapes import shaped
from seqline.data.sources import import_file
from seqline.data.survey import shape_of, survey_of
from seqline.deployments import add_deployments, require_deployments
from seqline.errors import InputError, SeqlineError
from seqline.files import atomic_write, complete_folder
from seqline.graph import call_dvc
from seqline.workspace import Workspace

_FILE_NAME = "imported.jsonl"
_HEAD_CHARACTERS = 1 << 25


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What a user asks for.

    Attributes:
        source: Rows to train on.
        test_source: Rows to test on, or None.
        given: What the user said about the file; the rest is guessed.
        split_by: Rows with the same value in this column stay in one split; or None.
    """

    source: Path
    test_source: Path | None
    given: Given
    split_by: str | None = None


@dataclass(frozen=True, kw_only=True)
class Onboarded:
    """What was made of it.

    Attributes:
        task: What is predicted.
        kind: What the input is.
        train_rows: Rows to train on.
        test_rows: Rows to test on; None without a test file.
        labels: Each label with its train rows, the most frequent first; none where no labels are predicted.
        why: Why the file was taken for this, one line each.
        reasons: Why the recipe is what it is, one line each.
    """

    task: str
    kind: str
    train_rows: int
    test_rows: int | None
    labels: list[tuple[str, int]]
    why: tuple[str, ...]
    reasons: list[str]


def make_samples(workspace: Workspace) -> list[str]:
    """Write the rows of each embedded sample that `params.yaml` lists and that are not there; names those it wrote.

    `data.dvc` records all of `data/`, so one sample that is absent makes the record of the others untrue.
    """
    missing = [
        name
        for name in workspace.recipe_names()
        if name in SAMPLES and not workspace.data_folder(name).exists()
    ]
    for name in missing:
        with complete_folder(workspace.data_folder(name)) as staging:
            write_sample(name, staging)
    return missing


def take_sample(workspace: Workspace, name: str) -> bool:
    """Have an embedded sample's rows in the project, recorded by DVC; tells whether they were written now.

    Raises:
        InputError: No such sample, no recipe of that name, or rows that are not what data.dvc records.
    """
    if name in workspace.recipe_names():
        made = name in make_samples(workspace)
        prove_data(workspace)
        return made
    workspace.recipe(name)
    target = workspace.data_folder(name)
    if target.exists():
        raise InputError(f"name {name}", f"{target} is there already", "no rows where the sample's go")
    require_deployments(workspace)
    make_samples(workspace)
    prove_data(workspace)
    with complete_folder(target) as staging:
        write_sample(name, staging)
    try:
        _record(workspace, name)
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        raise
    return True


def _record(workspace: Workspace, name: str) -> None:
    """Rows of a new model into `data.dvc`, its name into `params.yaml`, its schedules into `prefect.yaml`."""
    added = call_dvc(workspace.root, "add", "--quiet", "data")
    if added.returncode != 0:
        raise SeqlineError("dvc add data", added.stderr.strip(), hint="mend what DVC says, then try again")
    workspace.add_recipe_name(name)
    add_deployments(workspace, name)


def prove_data(workspace: Workspace) -> None:
    """Refuse to go on while `data/` is not what `data.dvc` records: the next `dvc add` would forget the difference.

    DVC hashes the rows and compares. In a fresh clone its cache is empty, and then it does not compare; adding the
    rows to the cache does, because the record must come out as it was.
    """
    record = workspace.root / "data.dvc"
    if not record.is_file():
        return
    status = call_dvc(workspace.root, "status", "data.dvc")
    found = status.stdout + status.stderr
    if status.returncode == 0 and "not in cache" in found:
        recorded = record.read_bytes()
        added = call_dvc(workspace.root, "add", "--quiet", "data")
        if added.returncode == 0 and record.read_bytes() == recorded:
            return
        found = added.stderr or f"data.dvc would become\n{record.read_text(encoding='utf-8')}"
        atomic_write(record, recorded)
    elif status.returncode == 0 and "up to date" in found:
        return
    raise InputError(
        "data/",
        "it does not have the hash that data.dvc records\n" + found.strip(),
        "the recorded rows, byte for byte",
        "`dvc checkout` or `dvc pull` brings recorded rows back; `dvc add data` records what is there now",
    )


def onboard(workspace: Workspace, name: str, wish: Wish) -> Onboarded:
    """Read the file strictly, propose a recipe, record the data with DVC.

    Raises:
        InputError: The name is taken, a file cannot be read exactly, a column or label is not what it must be.
            Nothing is written then.
    """
    recipe_path, target = workspace.recipe_path(name), workspace.data_folder(name)
    for taken in (recipe_path, target):
        if taken.exists():
            raise InputError(
                f"name {name}",
                f"{taken} is there already",
                "a new name",
                "choose another name; docs/your-own-file.md says how a model is removed",
            )
    require_deployments(workspace)
    staging = workspace.state / "staging" / name
    shutil.rmtree(staging, ignore_errors=True)
    try:
        values, made = _stage(staging, name, wish)
        make_samples(workspace)
        prove_data(workspace)
        target.parent.mkdir(exist_ok=True)
        staging.replace(target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    try:
        write_yaml(recipe_path, values)
        _record(workspace, name)
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        recipe_path.unlink(missing_ok=True)
        raise
    return made


def _stage(staging: Path, name: str, wish: Wish) -> tuple[dict[str, Any], Onboarded]:
    """The rows in a folder aside, the recipe's values, and what to tell the user."""
    head = _head(wish.source)
    use = _use(head, wish)
    shape = shape_of(use)
    found = survey_of(use, shape, head)
    columns = [column for column in (shape.column, use.target, use.split_by) if column is not None]

    def turn(rows: Iterator[Row]) -> Iterator[Row]:
        return shaped(rows, shape)

    train = import_file(
        wish.source, staging / "train" / _FILE_NAME, required=columns, check=found.add, turn=turn
    )
    classes = found.classes(str(wish.source)) if found.has_labels else []

    def known_label(row: Row) -> None:
        found.check(row)
        label = str(row.values[found.target_column]) if found.has_labels and found.target_column else ""
        if found.has_labels and label not in found.labels:
            where = f"{row.source} line {row.line}"
            raise InputError(where, f"label {label!r}", f"one of the training file's: {', '.join(classes)}")

    test_rows = None
    if wish.test_source is not None:
        test_file = staging / "test" / _FILE_NAME
        test_rows = import_file(
            wish.test_source, test_file, required=columns, check=known_label, turn=turn
        ).rows
    if not shape.changes_nothing:
        shape.save(staging)
    values, reasons = propose(found, use, head=head, has_test=test_rows is not None)
    parse_recipe(values, f"the recipe proposed for {name}")
    made = Onboarded(
        task=use.task,
        kind=use.kind,
        train_rows=train.rows,
        test_rows=test_rows,
        labels=found.labels.most_common(),
        why=use.reasons,
        reasons=reasons,
    )
    return values, made


def _head(source: Path) -> list[Row]:
    """The first rows: enough to tell what the file is, few enough to hold where they are recordings."""
    head: list[Row] = []
    characters = 0
    for row in islice(read_rows(source), ROWS):
        head.append(row)
        characters += sum(len(value) for value in row.values.values() if isinstance(value, str | list))
        if characters > _HEAD_CHARACTERS:
            break
    return head


def _use(head: Sequence[Row], wish: Wish) -> Guess:
    """What the file is for, by what the user said and by a guess for the rest."""
    use = guess(head, wish.given)
    grouped = None if use.group else wish.given.group
    split_by = wish.split_by or grouped
    if split_by is None:
        return use
    if split_by not in head[0].values:
        raise InputError(
            head[0].source,
            f"no column {split_by!r}; its columns are {', '.join(map(repr, head[0].values))}",
            f"a column {split_by!r}",
        )
    if split_by == use.target:
        raise InputError(
            f"{head[0].source} column {split_by!r}",
            "it is what is predicted, and rows would be split by it",
            "another column for --split-by or --group, or another --target",
        )
    return replace(use, split_by=split_by)
