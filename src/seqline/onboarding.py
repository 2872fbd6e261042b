"""From somebody's file to data and a recipe in the project: everything or nothing."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqline.config import parse_recipe, write_yaml
from seqline.data.proposal import Survey, propose
from seqline.data.readers import Row
from seqline.data.samples.registry import SAMPLES, write_sample
from seqline.data.sources import import_file
from seqline.deployments import add_deployments, require_deployments
from seqline.errors import InputError, SeqlineError
from seqline.files import atomic_write, complete_folder
from seqline.graph import call_dvc
from seqline.workspace import Workspace

_FILE_NAME = "imported.jsonl"


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What a user asks for.

    Attributes:
        source: Rows to train on.
        test_source: Rows to test on, or None.
        task: What is predicted.
        input_column: Column of the text.
        target_column: Column of the label.
        group_column: Rows with the same value here stay in one split; or None.
    """

    source: Path
    test_source: Path | None
    task: str
    input_column: str
    target_column: str
    group_column: str | None


@dataclass(frozen=True, kw_only=True)
class Onboarded:
    """What was made of it.

    Attributes:
        train_rows: Rows to train on.
        test_rows: Rows to test on; None without a test file.
        labels: Each label with its train rows, the most frequent first.
        reasons: Why the recipe is what it is, one line each.
    """

    train_rows: int
    test_rows: int | None
    labels: list[tuple[str, int]]
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
    columns = [wish.input_column, wish.target_column, *([wish.group_column] if wish.group_column else [])]
    found = Survey(wish.input_column, wish.target_column)
    train = import_file(wish.source, staging / "train" / _FILE_NAME, required=columns, check=found.add)
    classes = found.classes(str(wish.source))

    def known_label(row: Row) -> None:
        label = str(row.values[wish.target_column])
        if label not in found.labels:
            where = f"{row.source} line {row.line}"
            raise InputError(where, f"label {label!r}", f"one of the training file's: {', '.join(classes)}")

    test_rows = None
    if wish.test_source is not None:
        test_file = staging / "test" / _FILE_NAME
        test_rows = import_file(wish.test_source, test_file, required=columns, check=known_label).rows
    values, reasons = propose(
        found, task=wish.task, classes=classes, has_test=test_rows is not None, group_column=wish.group_column
    )
    parse_recipe(values, f"the recipe proposed for {name}")
    made = Onboarded(
        train_rows=train.rows, test_rows=test_rows, labels=found.labels.most_common(), reasons=reasons
    )
    return values, made
