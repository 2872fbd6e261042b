"""Commands that ask a model: predict."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import uuid
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seqline.commands.file_inputs import shaped_rows
from seqline.commands.typed_inputs import SOUND_SUFFIX, sound_file, typed_input
from seqline.commands.writing import asked_drawing, drawing, drawing_options, streamed
from seqline.errors import InputError
from seqline.files import atomic_write
from seqline.workspace import Workspace

if TYPE_CHECKING:
    from seqline.recipe import InputSection, Recipe
    from seqline.serving.predictor import Predictor
    from seqline.tasks.base import Answer, Task
    from seqline.tracking.registry import RegisteredVersion

    _Log = Callable[[list[tuple[str, Any]], list[Answer]], None]

# Rows in memory at a time, so that a file of any size streams.
_CHUNK_ROWS = 512
_SHOWN_CHARACTERS = 60
_LONGEST_NAME = 100


def _from_file(
    path: Path, column: str | None, section: InputSection, task: Task, data_folder: Path
) -> Iterator[tuple[str | None, Any]]:
    """Row id and input of each row of a file, turned as `seqline ingest` turns it.

    A `.txt` file has a text a line, a `.wav` file is one input.
    """
    from seqline.data.streams import require_file, text_lines

    if path.suffix == ".txt":
        require_file(path)
        for _, line in text_lines(path):
            yield None, typed_input(line.rstrip("\r\n"), section)
        return
    if path.suffix.lower() == SOUND_SUFFIX:
        yield None, sound_file(path)
        return

    for row in shaped_rows(path, section.column, data_folder, given_as=column):
        identifier = row.values.get("id")
        yield None if identifier is None else str(identifier), task.input_of(row.values, section)


def _answer(
    predictor: Predictor,
    rows: Iterable[tuple[str | None, Any]],
    as_json: bool,
    log: _Log | None = None,
    horizon: int | None = None,
    save: Path | None = None,
) -> Iterator[str]:
    """One line a row, a chunk at a time; with a log, rows without an id get one and the chunk is logged first."""
    iterator = iter(rows)
    count = 0
    # A recording in base64 tells people nothing.
    repeated = predictor.input_section.kind != "audio"
    while chunk := list(islice(iterator, _CHUNK_ROWS)):
        answers = predictor.answers([value for _, value in chunk])
        if horizon is not None:
            answers = [answer.until(horizon) for answer in answers]  # type: ignore[attr-defined]
        if log is not None:
            chunk = [(identifier or uuid.uuid4().hex, value) for identifier, value in chunk]
            log([(str(identifier), value) for identifier, value in chunk], answers)
        for (identifier, value), answer in zip(chunk, answers, strict=True):
            count += 1
            if save is not None:
                _save(answer, save, identifier or f"answer-{count}")
            if not as_json:
                named = "" if log is None else f"{identifier}  "
                yield f"{answer.line()}  {named}{_shortened(value) if repeated else ''}".rstrip()
                continue
            record = {
                **({} if identifier is None else {"id": identifier}),
                **({"text": value} if isinstance(value, str) and repeated else {}),
                **answer.record(),
            }
            yield json.dumps(record, ensure_ascii=False, allow_nan=False)


def _save(answer: Answer, folder: Path, name: str) -> None:
    """Write an answer that is a file (sound, music) under a name that cannot leave the folder."""
    attachment = getattr(answer, "attachment", None)
    if attachment is None:
        raise InputError(
            "predict --save", "answers that are no files", "a model whose answers are sound or music"
        )
    suffix, content = attachment()
    atomic_write(folder / f"{file_name(name)}{suffix}", content)


def file_name(identifier: str) -> str:
    """A file's name for a row's id: the id itself where it is one, else its ASCII letters and a digest, so that no two meet.

    >>> file_name("take-7"), file_name("a/1") == file_name("a?1"), len(file_name("字" * 200)) <= 100
    ('take-7', False, True)
    """
    safe = "".join(
        letter if letter.isascii() and (letter.isalnum() or letter in "-_.") else "_" for letter in identifier
    )
    if safe == identifier and len(safe) <= _LONGEST_NAME and not safe.startswith(".") and safe:
        return safe
    digest = hashlib.sha256(identifier.encode("utf-8", errors="surrogatepass")).hexdigest()[:12]
    return f"{safe[: _LONGEST_NAME - len(digest) - 1].lstrip('.') or 'answer'}-{digest}"


def _shortened(value: Any) -> str:
    shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return " ".join(shown[: 4 * _SHOWN_CHARACTERS].split())[:_SHOWN_CHARACTERS]


def _log_of(workspace: Workspace, name: str, version: RegisteredVersion) -> _Log:
    from seqline.labels import LoggedAnswer, log_answers

    def log(rows: list[tuple[str, Any]], answers: list[Answer]) -> None:
        moment = datetime.now(UTC).isoformat(timespec="seconds")
        logged = [
            LoggedAnswer(
                id=identifier,
                time=moment,
                version=version.version,
                content_key=version.content_key,
                label=str(answer.record().get("label")),
                probability=float(answer.record().get("probability", 0.0)),
                text=str(text),
            )
            for (identifier, text), answer in zip(rows, answers, strict=True)
        ]
        log_answers(workspace, name, logged)

    return log


def _refuse_idle_options(recipe: Recipe, name: str, *, horizon: int | None, is_logged: bool) -> None:
    """Refuse options that say nothing to a recipe's task."""
    if horizon is not None and not hasattr(recipe.target, "horizon"):
        raise InputError(
            "predict", f"--horizon, but the task of {name} is {recipe.task}", "a recipe that forecasts"
        )
    if is_logged and not recipe.classes:
        raise InputError(
            "predict", f"--log, but the task of {name} is {recipe.task}", "a recipe whose answers are labels"
        )


@click.command()
@click.argument("name")
@click.argument("texts", nargs=-1)
@click.option(
    "--file",
    "file",
    type=click.Path(path_type=Path),
    help="Rows to answer: CSV, TSV, JSON lines, Parquet, .txt, one .wav; - for standard input.",
)
@click.option("--column", help="Column of the text in --file; by default the recipe's.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, nothing else.")
@click.option(
    "--save",
    type=click.Path(path_type=Path),
    help="Folder to write answers to that are files (sound), by row id.",
)
@click.option(
    "--horizon",
    type=int,
    help="Steps to foretell, where the task is forecasting; by default all of the recipe's.",
)
@drawing_options
@click.option(
    "--log", "is_logged", is_flag=True, help="Keep the answers, so that `seqline label` can join true labels."
)
def predict(
    name: str,
    texts: tuple[str, ...],
    file: Path | None,
    column: str | None,
    as_json: bool,
    save: Path | None,
    horizon: int | None,
    is_logged: bool,
    **options: Any,
) -> None:
    """Answer texts with the champion of NAME: arguments, a file, or lines of standard input.

    Example: seqline predict sentiment --json "The food is good."
    """
    if texts and file is not None:
        raise InputError("predict", "both texts and --file", "one of them")
    if column and (file is None or file.suffix == ".txt" or str(file) == "-"):
        raise InputError(
            "predict", "--column without a file of columns", "CSV, TSV, JSON lines or Parquet as --file"
        )
    workspace = Workspace.find()
    chosen = workspace.recipe(name)
    _refuse_idle_options(chosen, name, horizon=horizon, is_logged=is_logged)
    settings = asked_drawing(chosen, options)
    rows: Iterable[tuple[str | None, Any]]
    if texts:
        rows = ((None, typed_input(text, chosen.input)) for text in texts)
    elif file is None or str(file) == "-":
        if file is None and sys.stdin.isatty():
            raise InputError("predict", "no text", "texts, --file, or lines on standard input")
        rows = ((None, typed_input(line.rstrip("\n"), chosen.input)) for line in sys.stdin)
    else:
        from seqline.tasks import task_named

        rows = _from_file(file, column, chosen.input, task_named(chosen.task), workspace.data_folder(name))
    from seqline.serving.predictor import Predictor
    from seqline.tracking.packaging import model_folder_of
    from seqline.tracking.registry import champion, champion_folder
    from seqline.tracking.storage import package_folder
    from seqline.tracking.store import connect

    tracking = connect(workspace.root)
    version = champion(tracking, name) if is_logged else None
    if version is None:
        predictor, log = Predictor.load(champion_folder(workspace.root, name)), None
    else:
        # The folder of this very version: asked for twice, the champion may be another the second time.
        predictor = Predictor.load(model_folder_of(package_folder(tracking, version)))
        log = _log_of(workspace, name, version)
    predictor = drawing(predictor, settings)
    pieces = None if as_json or is_logged or save else streamed(predictor, texts)
    if pieces is None:
        pieces = (f"{line}\n" for line in _answer(predictor, rows, as_json, log, horizon, save))
    try:
        for piece in pieces:
            click.echo(piece, nl=False)
    except BrokenPipeError:
        # The reader went away (`| head`): it has what it wanted. Nothing may be flushed into the closed pipe at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


COMMANDS = [predict]
