"""Commands that decide by themselves: retrain."""

from __future__ import annotations

import json
import sys

import click

from seqline.commands.flows import load_flow
from seqline.errors import GateRefused
from seqline.owner import own_workspace
from seqline.workspace import Workspace


@click.command()
@click.argument("name")
@click.option("--force", is_flag=True, help="A reason of its own; nothing is trained twice all the same.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as one JSON object, nothing else.")
def retrain(name: str, force: bool, as_json: bool) -> None:
    """Take in new files of NAME, decide whether to train again, and train if the answer is yes.

    The recipe's section `retrain` is the policy. Every answer is recorded with its numbers: `seqline history NAME
    --decisions`. Exit code 4: it was trained, and the gate refused it.

    Example: seqline retrain sentiment
    """
    workspace = Workspace.find()
    workspace.recipe(name)
    with own_workspace(workspace, f"seqline retrain {name}", on_wait=lambda line: click.echo(line, err=True)):
        told = load_flow(workspace, "retrain").run_here(workspace, name, force=force)
    outcome = told["outcome"]
    if as_json:
        click.echo(json.dumps(told, indent=2, allow_nan=False))
    else:
        click.echo(f"train again?  {told['answer']}, because {told['because']}")
        if outcome is not None:
            click.echo(
                f"outcome       version {outcome['version']} {outcome['verdict']}: {outcome['reason']}"
            )
        click.echo(f"history       seqline history {name} --decisions")
    refused = outcome is not None and outcome["verdict"] == "refused"
    sys.exit(GateRefused.exit_code if refused else 0)


COMMANDS = [retrain]
