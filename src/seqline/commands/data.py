"""Commands about rows and recipes: new, get, sample, recipe, recipes."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import click

from seqline.errors import InputError, SeqlineError
from seqline.workspace import Workspace

FILE = click.Path(path_type=Path)


def _track_data(workspace: Workspace) -> None:
    """Let `data.dvc` say what `data/` holds now."""
    done = subprocess.run(
        [sys.executable, "-m", "dvc", "add", "--quiet", "data"],
        cwd=workspace.root,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise SeqlineError(
            "dvc add data", done.stderr.strip(), hint="mend what DVC says, then run `dvc add data`"
        )


@click.command()
@click.argument("name")
@click.option(
    "--from",
    "source",
    type=FILE,
    required=True,
    help="Rows to train on: CSV, TSV, JSON lines, Parquet, .gz of each.",
)
@click.option(
    "--test", "test_source", type=FILE, help="Rows to test on; without it a fifth of --from is held out."
)
@click.option("--task", type=click.Choice(["classification"]), required=True, help="What is predicted.")
@click.option("--input", "input_column", required=True, help="Column of the text.")
@click.option("--target", "target_column", required=True, help="Column of the label.")
@click.option(
    "--group", "group_column", help="Rows with the same value here stay in one split (a film, a customer)."
)
def new(
    name: str,
    source: Path,
    test_source: Path | None,
    task: str,
    input_column: str,
    target_column: str,
    group_column: str | None,
) -> None:
    """Make a recipe and data from your own file.

    Example: seqline new spam --from messages.csv --task classification --input text --target label
    """
    from seqline.config import parse_recipe, write_yaml
    from seqline.data.proposal import Survey, propose
    from seqline.data.readers import Row
    from seqline.data.sources import import_file

    workspace = Workspace.find()
    recipe_path, target = workspace.recipe_path(name), workspace.data_folder(name)
    for taken in (recipe_path, target):
        if taken.exists():
            raise InputError(f"name {name}", f"{taken} is there already", "a new name", "choose another name")
    required = [input_column, target_column, *([group_column] if group_column else [])]
    found = Survey(input_column, target_column)
    staging = workspace.state / "staging" / name
    shutil.rmtree(staging, ignore_errors=True)
    try:
        report = import_file(source, staging / "train" / "imported.jsonl", required=required, check=found.add)
        classes = found.classes(str(source))

        def known_label(row: Row) -> None:
            label = str(row.values[target_column])
            if label not in found.labels:
                where = f"{row.source} line {row.line}"
                raise InputError(
                    where, f"label {label!r}", f"one of the training file's: {', '.join(classes)}"
                )

        test_report = None
        if test_source is not None:
            test_file = staging / "test" / "imported.jsonl"
            test_report = import_file(test_source, test_file, required=required, check=known_label)
        values, reasons = propose(
            found, classes=classes, has_test=test_report is not None, group_column=group_column
        )
        parse_recipe(values, f"the recipe proposed for {name}")
        target.parent.mkdir(exist_ok=True)
        staging.replace(target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    try:
        write_yaml(recipe_path, values)
        _track_data(workspace)
        workspace.add_recipe_name(name)
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        recipe_path.unlink(missing_ok=True)
        raise
    click.echo(f"data     {target.relative_to(workspace.root)}/  {report.rows:,} rows to train on", nl=False)
    click.echo(f", {test_report.rows:,} to test on" if test_report else ", a fifth of them will be held out")
    shares = ", ".join(f"{label} {count:,}" for label, count in found.labels.most_common(8))
    click.echo(f"labels   {shares}{', ...' if len(found.labels) > 8 else ''}")
    click.echo(
        f"recipe   {recipe_path.relative_to(workspace.root)}  (edit it; `seqline recipe {name}` shows every default)"
    )
    for reason in reasons:
        click.echo(f"         - {reason}")
    click.echo(f"next     seqline run {name}")


@click.command()
@click.argument("dataset")
@click.option("--from", "local", type=FILE, help="A copy of the official archive, instead of its address.")
def get(dataset: str, local: Path | None) -> None:
    """Fetch a public data set by its official address and digest, or from a local copy of its archive.

    Example: seqline get imdb --from aclImdb_v1.tar.gz
    """
    from seqline.data.sources import get as fetch

    workspace = Workspace.find()
    target = workspace.root / "incoming" / dataset
    with click.progressbar(length=1, label="downloading") as bar:

        def progress(done: int, total: int | None) -> None:
            bar.length = total or done
            bar.update(done - bar.pos)

        report = fetch(
            dataset, into=target, local=local, progress=progress, downloads=workspace.state / "downloads"
        )
    for file, rows in report.rows.items():
        click.echo(f"{rows:>9,} rows  incoming/{dataset}/{file}")
    click.echo(f"archive  {report.archive} ({report.digest})")
    click.echo(
        f"next     seqline new {dataset} --from incoming/{dataset}/train/... --test incoming/{dataset}/test/... "
    )


@click.command()
@click.argument("name", default="sentiment", type=click.Choice(["sentiment"]))
def sample(name: str) -> None:
    """Write the embedded sample's rows and prove with DVC that they have the recorded hash.

    Example: seqline sample sentiment
    """
    from seqline.data.samples.reviews import write_reviews
    from seqline.files import complete_folder

    workspace = Workspace.find()
    folder = workspace.data_folder(name)
    made = not folder.exists()
    if made:
        with complete_folder(folder) as staging:
            write_reviews(staging)
    status = subprocess.run(
        [sys.executable, "-m", "dvc", "status", "data.dvc"],
        cwd=workspace.root,
        capture_output=True,
        text=True,
        check=False,
    )
    if status.returncode != 0 or "up to date" not in status.stdout:
        raise SeqlineError(
            "data/",
            "it does not have the hash that data.dvc records\n" + (status.stdout + status.stderr).strip(),
            "the recorded rows, byte for byte",
            "`dvc checkout` or `dvc pull` brings recorded data back; `dvc add data` records what is there now",
        )
    click.echo(f"data     data/{name}/  {'made' if made else 'there already'}; DVC: the recorded hash")


@click.command()
@click.argument("name", required=False)
@click.option("--schema", is_flag=True, help="Print the JSON Schema of a recipe, for editors.")
def recipe(name: str | None, schema: bool) -> None:
    """Print a recipe with all defaults filled in, or the schema of all recipes.

    Example: seqline recipe sentiment
    """
    from seqline.config import recipe_schema, to_yaml
    from seqline.files import to_json

    if schema:
        click.echo(to_json(recipe_schema()), nl=False)
        return
    if name is None:
        raise InputError("recipe", "no name", "a name, or --schema", "`seqline recipes` lists the names")
    values = Workspace.find().recipe(name).model_dump(mode="json")
    click.echo(to_yaml(values), nl=False)


@click.command()
def recipes() -> None:
    """List the recipes with their task, cell and last test result.

    Example: seqline recipes
    """
    from seqline.files import read_json

    workspace = Workspace.find()
    for name in workspace.recipe_names():
        chosen = workspace.recipe(name)
        metrics_path = workspace.artifact_folder(name, "evaluate") / "metrics.json"
        result = "not evaluated yet"
        if metrics_path.is_file():
            result = f"{chosen.gate.metric} {read_json(metrics_path)[chosen.gate.metric]:.4f} on test"
        click.echo(f"{name:<20} {chosen.task:<16} {chosen.model.cell:<6} {result}")


COMMANDS = [new, get, sample, recipe, recipes]
