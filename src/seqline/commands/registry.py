"""Commands about versions: register, promote, rollback, history, models."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict

import click

from seqline.workspace import Workspace

_REASON_CHARACTERS = 90


@click.command()
@click.argument("name")
@click.option("--run-id", help="MLflow run to register from; by default a new one.")
def register(name: str, run_id: str | None) -> None:
    """Make a version of the trained model of NAME; the same content is never registered twice.

    Example: seqline register sentiment
    """
    from seqline.tracking.journey import register_artifacts
    from seqline.tracking.runs import connect

    workspace = Workspace.find()
    version = register_artifacts(connect(workspace.root), name, recipe=workspace.recipe(name), run_id=run_id)
    state = "new" if version.created else "there already: the same content"
    click.echo(f"{version.uri}  {state}; content {version.content_key[:12]}")
    click.echo(f"next     seqline promote {name}")


@click.command()
@click.argument("name")
@click.option("--again", is_flag=True, help="Let a version pass that a rollback took the alias from.")
def promote(name: str, again: bool) -> None:
    """Make the challenger of NAME champion if it passes the gate; exit code 4 if it does not.

    Example: seqline promote sentiment
    """
    from seqline.tracking.journey import promote_artifacts
    from seqline.tracking.runs import connect

    workspace = Workspace.find()
    decision = promote_artifacts(connect(workspace.root), name, recipe=workspace.recipe(name), again=again)
    if decision.verdicts:
        click.echo(decision.table())
    click.echo(f"champion of {name}: version {decision.version} ({decision.outcome}: {decision.reason})")


@click.command()
@click.argument("name")
@click.option("--to", type=int, help="Version to go back to; by default the champion before this one.")
@click.option("--reason", default="", help="Why, for the ledger.")
def rollback(name: str, to: int | None, reason: str) -> None:
    """Give the alias champion back to the version that had it before.

    Example: seqline rollback sentiment --reason "wrong on short reviews"
    """
    from seqline.tracking.promotion import rollback as go_back
    from seqline.tracking.runs import connect

    workspace = Workspace.find()
    workspace.recipe(name)
    decision = go_back(connect(workspace.root), name, to=to, reason=reason)
    click.echo(
        f"champion of {name}: version {decision.version} again (it was {decision.previous}); {decision.reason}"
    )


@click.command()
@click.argument("name")
@click.option(
    "--json", "as_json", is_flag=True, help="One JSON object a line with every number, nothing else."
)
def history(name: str, as_json: bool) -> None:
    """Show who became champion of NAME, who was refused, when, and on which evidence.

    Example: seqline history sentiment
    """
    from seqline.tracking.promotion import history as entries_of

    workspace = Workspace.find()
    workspace.recipe(name)
    entries = entries_of(workspace.root, name)
    if as_json:
        for entry in entries:
            click.echo(json.dumps(asdict(entry), allow_nan=False))
        return
    if not entries:
        click.echo(f"no decision about {name} yet; `seqline run {name}` makes the first")
        return
    room = max(_REASON_CHARACTERS, shutil.get_terminal_size().columns - 60)
    for entry in entries:
        before = "" if entry.previous is None else f"was {entry.previous}"
        click.echo(
            f"{entry.time}  {entry.who:<10} {entry.outcome:<12} version {entry.version:<4} {before:<8} {entry.reason[:room]}"
        )


@click.command()
def models() -> None:
    """List the registered models with their champions.

    Example: seqline models
    """
    from seqline.tracking.promotion import models as summaries
    from seqline.tracking.runs import connect

    found = summaries(connect(Workspace.find().root))
    if not found:
        click.echo("no model registered yet; `seqline run sentiment` makes the first")
        return
    click.echo(
        f"{'model':<20} {'versions':>8} {'champion':>9} {'challenger':>11} {'accuracy':>9}  last decision"
    )
    for model in found:
        accuracy = "" if model.accuracy is None else f"{model.accuracy:.4f}"
        click.echo(
            f"{model.name:<20} {model.versions:>8} {model.champion or '-':>9} {model.challenger or '-':>11}"
            f" {accuracy:>9}  {model.decided}"
        )


COMMANDS = [register, promote, rollback, history, models]
