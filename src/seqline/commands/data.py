"""Commands about rows and recipes: new, get, sample, recipe, recipes."""

from __future__ import annotations

from pathlib import Path

import click

from seqline.errors import InputError
from seqline.workspace import Workspace

FILE = click.Path(path_type=Path)
_LABELS_SHOWN = 8


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
@click.option("--task", help="What is predicted; by default guessed from the columns, as all that follows.")
@click.option("--kind", help="What an input is: text, symbols, series, vector, audio, history or piano.")
@click.option("--input", "inputs", help="Column of the input; several columns of numbers or texts as a,b,c.")
@click.option("--target", help="Column of what is predicted.")
@click.option(
    "--group",
    help="Of a file with a row a time step: the column that names the sequence. Of others: as --split-by.",
)
@click.option("--order", help="Of a file with a row a time step: the column that sorts the steps.")
@click.option(
    "--split-by", help="Rows with the same value here stay in one split (a film, a customer, a speaker)."
)
def new(
    name: str,
    source: Path,
    test_source: Path | None,
    task: str | None,
    kind: str | None,
    inputs: str | None,
    target: str | None,
    group: str | None,
    order: str | None,
    split_by: str | None,
) -> None:
    """Make a recipe and data from your own file; says what it takes the file for, and why.

    Example: seqline new spam --from messages.csv --input text --target label
    """
    from seqline.data.look import Given
    from seqline.onboarding import Wish, onboard
    from seqline.recipe import INPUTS, RECIPES

    for option, value, known in (("--task", task, RECIPES), ("--kind", kind, INPUTS)):
        if value is not None and value not in known:
            raise InputError(option, repr(value), f"one of {', '.join(known)}")
    workspace = Workspace.find()
    columns = tuple(column.strip() for column in inputs.split(",")) if inputs else ()
    given = Given(task=task, kind=kind, inputs=columns, target=target, group=group, order=order)
    wish = Wish(source=source, test_source=test_source, given=given, split_by=split_by)
    made = onboard(workspace, name, wish)
    folder = workspace.data_folder(name).relative_to(workspace.root)
    tested = (
        "a fifth of them will be held out" if made.test_rows is None else f"{made.test_rows:,} to test on"
    )
    click.echo(
        f"guess    {made.task} of {made.kind}; say otherwise with --task, --kind, --input, --target, --group, --order"
    )
    for reason in made.why:
        click.echo(f"         - {reason}")
    click.echo(f"data     {folder}/  {made.train_rows:,} rows to train on, {tested}")
    if made.labels:
        shares = ", ".join(f"{label} {count:,}" for label, count in made.labels[:_LABELS_SHOWN])
        click.echo(f"labels   {shares}{', ...' if len(made.labels) > _LABELS_SHOWN else ''}")
    click.echo(f"recipe   recipes/{name}.yaml  (edit it; `seqline recipe {name}` shows every default)")
    for reason in made.reasons:
        click.echo(f"         - {reason}")
    click.echo(f"next     seqline run {name}")


@click.command()
@click.argument("dataset")
@click.option("--from", "local", type=FILE, help="A copy of the official archive, instead of its address.")
def get(dataset: str, local: Path | None) -> None:
    """Fetch a public data set by its official address and digest, or from a local copy of its archive.

    Example: seqline get imdb --from aclImdb_v1.tar.gz
    """
    from seqline.data.sources import SOURCES
    from seqline.data.sources import get as fetch

    workspace = Workspace.find()
    target = workspace.root / "incoming" / dataset
    bar = click.progressbar(length=1, label="downloading")

    def progress(done: int, total: int | None) -> None:
        bar.length = total or done
        bar.update(done - bar.pos)

    report = fetch(
        dataset, into=target, local=local, progress=progress, downloads=workspace.state / "downloads"
    )
    bar.render_finish()
    for file, rows in report.rows.items():
        click.echo(f"{rows:>9,} rows  incoming/{dataset}/{file}")
    click.echo(f"archive  {report.archive} ({report.digest})")
    files = {file.split("/")[0]: f"incoming/{dataset}/{file}" for file in report.rows}
    source = SOURCES[dataset]
    click.echo(
        f"next     seqline new {dataset} --from {files['train']} --test {files['test']} --task classification"
        f" --input {source.input_column} --target {source.target_column}"
    )


@click.command()
@click.argument("name", default="sentiment")
def sample(name: str) -> None:
    """Write an embedded sample's rows for the recipe of its name, and have DVC record them or prove their recorded hash.

    Example: seqline sample sentiment
    """
    from seqline.data.samples.registry import require_sample
    from seqline.onboarding import take_sample

    require_sample(name)
    workspace = Workspace.find()
    made = take_sample(workspace, name)
    state = "made" if made else "there already"
    click.echo(
        f"data     {workspace.data_folder(name).relative_to(workspace.root)}/  {state}; DVC: the recorded hash"
    )


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
    """List the recipes with task, shape, input, cell, rows to learn from and last test result.

    Example: seqline recipes
    """
    workspace = Workspace.find()
    for name in workspace.recipe_names():
        chosen = workspace.recipe(name)
        shape = type(chosen).CHOICES.shape
        click.echo(
            f"{name:<16} {chosen.task:<15} {shape:<13} {chosen.input.kind:<8} {chosen.model.cell:<5} "
            f"{_data_of(workspace, name):<14} {_result_of(workspace, name, chosen.gate.metric)}"
        )


def _data_of(workspace: Workspace, name: str) -> str:
    """Rows to learn from as `validate` counted them, or whether there are any."""
    from seqline.files import read_json

    counted = workspace.artifact_folder(name, "validate") / "result.json"
    if counted.is_file():
        return f"{read_json(counted)['rows']['train']:,} rows"
    return "not validated" if workspace.data_folder(name).exists() else "no data"


def _result_of(workspace: Workspace, name: str, metric: str) -> str:
    """The last figure on test of the metric that the gate compares by."""
    from seqline.files import read_json

    measured = workspace.artifact_folder(name, "evaluate") / "metrics.json"
    figure = read_json(measured).get(metric) if measured.is_file() else None
    return f"{metric} {figure:.4f} on test" if isinstance(figure, int | float) else "not evaluated yet"


COMMANDS = [new, get, sample, recipe, recipes]
