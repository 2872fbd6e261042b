"""Commands that run the chain or one of its stages: validate, prepare, train, evaluate, run, verify."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from seqline.commands.flows import load_flow
from seqline.errors import SeqlineError
from seqline.owner import own_workspace
from seqline.workspace import STAGES, Workspace

if TYPE_CHECKING:
    from seqline.commands.outcome import Outcome


@click.command()
@click.argument("name")
@click.option("--docs/--no-docs", default=True, help="Also write Data Docs pages (they take seconds).")
@click.option("--all", "show_all", is_flag=True, help="List the checks that passed as well.")
def validate(name: str, docs: bool, show_all: bool) -> None:
    """Check the rows of NAME against the expectations its recipe makes.

    Example: seqline validate sentiment
    """
    from seqline.stages.validate import run, table

    workspace = Workspace.find()
    result = run(
        workspace.recipe(name),
        data_folder=workspace.data_folder(name),
        output_folder=workspace.artifact_folder(name, "validate"),
        docs_folder=workspace.data_docs_folder(name) if docs else None,
    )
    if show_all or any(not check.success for check in result.checks):
        click.echo(table(result, failures_only=not show_all))
    good = sum(check.success for check in result.checks)
    rows = ", ".join(f"{count:,} {split}" for split, count in result.rows.items())
    click.echo(f"{good} of {len(result.checks)} checks passed, none critical failed; rows: {rows}")
    if result.page is not None:
        click.echo(f"look at  {result.page.relative_to(workspace.root)}  (it shows samples of the data)")


@click.command()
@click.argument("name")
def prepare(name: str) -> None:
    """Split, tokenise and encode the rows of NAME.

    Example: seqline prepare sentiment
    """
    from seqline.stages.prepare import run

    workspace = Workspace.find()
    output = workspace.artifact_folder(name, "prepare")
    statistics = run(workspace.recipe(name), data_folder=workspace.data_folder(name), output_folder=output)
    tokens = (
        f"vocabulary {statistics['vocab_size']:,} tokens, fitted on train; "
        if "vocab_size" in statistics
        else ""
    )
    click.echo(f"{tokens}left out as leaks: {statistics['left_out_as_leaks']}")
    click.echo(
        f"{'split':<6} {'rows':>9} {'steps':>12} {'median':>7} {'95 %':>6} {'unknown':>8} {'cut':>7} {'padding':>8}"
    )
    for split, facts in statistics["splits"].items():
        lengths = facts["length_quantiles"]
        click.echo(
            f"{split:<6} {facts['rows']:>9,} {facts['tokens']:>12,} {lengths['50%']:>7} {lengths['95%']:>6}"
            f" {facts['unknown_share']:>8.2%} {facts['truncated_share']:>7.2%} {facts['padding_share']:>8.2%}"
        )
    click.echo(f"look at  {output.relative_to(workspace.root)}/statistics.json")


@click.command()
@click.argument("name")
def train(name: str) -> None:
    """Train the network of NAME, or go on where an interrupted training stopped.

    Example: seqline train sentiment
    """
    from seqline.commands.progress import TrainingDisplay
    from seqline.stages.train import run

    workspace = Workspace.find()
    output = workspace.artifact_folder(name, "train")
    result = run(
        workspace.recipe(name),
        prepare_folder=workspace.artifact_folder(name, "prepare"),
        output_folder=output,
        checkpoint_folder=workspace.checkpoint_folder(name),
        report=TrainingDisplay(),
    )
    click.echo(f"best epoch {result.best_epoch}; {result.seconds:.0f} s in this process")
    click.echo(f"look at  {output.relative_to(workspace.root)}/history.json")


@click.command()
@click.argument("name")
def evaluate(name: str) -> None:
    """Measure the trained network of NAME on its test rows, beside simple baselines.

    Example: seqline evaluate sentiment
    """
    from seqline.commands.outcome import metrics_table
    from seqline.evaluation.metrics import METRICS
    from seqline.stages.evaluate import run

    workspace = Workspace.find()
    chosen = workspace.recipe(name)
    output = workspace.artifact_folder(name, "evaluate")
    metrics = run(
        chosen,
        prepare_folder=workspace.artifact_folder(name, "prepare"),
        train_folder=workspace.artifact_folder(name, "train"),
        output_folder=output,
    )
    click.echo(metrics_table(metrics, METRICS, cell=chosen.model.cell, baselines=chosen.evaluation.baselines))
    click.echo(f"look at  {output.relative_to(workspace.root)}/report.html")


def _run(workspace: Workspace, name: str, as_json: bool) -> Outcome:
    from seqline.commands.outcome import describe, settled

    if settled(workspace, name):
        click.echo(
            f"nothing to do for {name}: data, code and recipe are the same, and the gate has decided",
            err=as_json,
        )
        outcome = describe(workspace, name)
    else:
        outcome = load_flow(workspace, "train").run_here(workspace, name)
    return outcome


@click.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as one JSON object, nothing else.")
def run(name: str, as_json: bool) -> None:
    """Run the whole chain for NAME: validate, prepare, train, evaluate, register, promote.

    What did not change is not done again. An embedded recipe that is not in params.yaml yet is taken in with its sample.
    Exit code 3: validation failed; 4: the gate refused.

    Example: seqline run sentiment
    """
    workspace = Workspace.find()
    workspace.recipe(name)
    with own_workspace(workspace, f"seqline run {name}", on_wait=lambda line: click.echo(line, err=True)):
        _take_in(workspace, name)
        outcome = _run(workspace, name, as_json)
    click.echo(json.dumps(outcome.summary, indent=2, allow_nan=False) if as_json else outcome.table())
    sys.exit(outcome.exit_code)


def _take_in(workspace: Workspace, name: str) -> None:
    """Have the embedded sample of a recipe that nobody took in so far."""
    from seqline.data.samples.registry import SAMPLES
    from seqline.onboarding import take_sample

    if name in SAMPLES and name not in workspace.recipe_names():
        take_sample(workspace, name)
        click.echo(f"sample   {workspace.data_folder(name).relative_to(workspace.root)}/ made", err=True)


@click.command()
def verify() -> None:
    """Re-hash every artifact folder against its manifest and name what was altered.

    Example: seqline verify
    """
    from seqline.files import verify_manifest

    workspace = Workspace.find()
    problems = checked = 0
    for name in workspace.recipe_names():
        for stage in STAGES:
            folder = workspace.artifact_folder(name, stage)
            if not folder.is_dir():
                continue
            try:
                files = verify_manifest(folder)["files"]
            except SeqlineError as error:
                problems += 1
                click.echo(str(error))
            else:
                checked += len(files)
    click.echo(f"{checked} files as recorded, {problems} folders with problems")
    sys.exit(1 if problems else 0)


COMMANDS = [run, validate, prepare, train, evaluate, verify]
