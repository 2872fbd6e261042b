"""Commands about versions: register, shadow, promote, rollback, delete, history, models."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from seqline.commands.shadowing import shadow
from seqline.errors import InputError
from seqline.workspace import Workspace

if TYPE_CHECKING:
    from seqline.tracking.chronicle import Service
    from seqline.tracking.ledger import Entry

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
@click.option("--approve", is_flag=True, help="Approve the challenger that passed and is held.")
@click.option("--reason", default="", help="Why it is approved, for the ledger.")
def promote(name: str, again: bool, approve: bool, reason: str) -> None:
    """Make the challenger of NAME champion if it passes the gate; exit code 4 if it does not.

    Where the recipe says `gate.approval: manual`, a challenger that passes is held until --approve.

    Example: seqline promote sentiment
    """
    from seqline.tracking.journey import approve_artifacts, promote_artifacts
    from seqline.tracking.runs import connect

    if reason and not approve:
        raise InputError("promote", "--reason without --approve", "a reason for an approval")
    if again and approve:
        raise InputError(
            "promote", "both --again and --approve", "one of them: --again judges, --approve follows"
        )
    workspace = Workspace.find()
    recipe, tracking = workspace.recipe(name), connect(workspace.root)
    decision = (
        approve_artifacts(tracking, name, recipe=recipe, reason=reason)
        if approve
        else promote_artifacts(tracking, name, recipe=recipe, again=again)
    )
    if decision.verdicts:
        click.echo(decision.table())
    if decision.outcome == "held":
        stays = (
            "there is no champion"
            if decision.previous is None
            else f"version {decision.previous} stays champion"
        )
        click.echo(f"version {decision.version} of {name} is held: {decision.reason}; {stays}")
        click.echo(f"next     seqline promote {name} --approve")
    else:
        click.echo(f"champion of {name}: version {decision.version} ({decision.outcome}: {decision.reason})")


@click.command()
@click.argument("name")
@click.option("--to", type=int, help="Version to go back to; by default the champion before this one.")
@click.option("--reason", default="", help="Why, for the ledger.")
def rollback(name: str, to: int | None, reason: str) -> None:
    """Give the alias champion back to the version that had it before.

    Example: seqline rollback sentiment --reason "wrong on short reviews"
    """
    from seqline.tracking.rollback import roll_back
    from seqline.tracking.runs import connect

    workspace = Workspace.find()
    workspace.recipe(name)
    decision = roll_back(connect(workspace.root), name, to=to, reason=reason)
    click.echo(
        f"champion of {name}: version {decision.version} again (it was {decision.previous}); {decision.reason}"
    )


@click.command()
@click.argument("name")
@click.argument("version", type=click.IntRange(min=1))
def delete(name: str, version: int) -> None:
    """Delete a version of NAME that bears no alias; the ledger keeps what was decided about it.

    Example: seqline delete sentiment 3
    """
    from seqline.tracking.registry import delete_version
    from seqline.tracking.runs import connect

    delete_version(connect(Workspace.find().root), name, version)
    click.echo(f"deleted version {version} of {name}; no rollback goes back to it")


@click.command()
@click.argument("name")
@click.option("--on", "moment", help="Who served then: a date (its end) or a time, UTC.")
@click.option("--decisions", is_flag=True, help="Whether to train again: every answer, and what came of it.")
@click.option(
    "--json", "as_json", is_flag=True, help="One JSON object a line with every number, nothing else."
)
def history(name: str, moment: str | None, decisions: bool, as_json: bool) -> None:
    """Show who became champion of NAME, who was refused, when, and on which evidence.

    Example: seqline history sentiment
    """
    from seqline.tracking.chronicle import history as entries_of

    workspace = Workspace.find()
    workspace.recipe(name)
    if decisions and moment is not None:
        raise InputError("history", "both --on and --decisions", "one of them")
    if decisions:
        _show_decisions(workspace, name, as_json=as_json)
        return
    entries = entries_of(workspace.root, name)
    if moment is not None:
        _show_service(workspace, name, entries, moment, as_json=as_json)
        return
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


def _show_decisions(workspace: Workspace, name: str, *, as_json: bool) -> None:
    from seqline.retraining import decisions_journal

    records = decisions_journal(workspace.root, name).records()
    if as_json:
        for record in records:
            click.echo(json.dumps(record, allow_nan=False))
        return
    if not records:
        click.echo(f"nobody asked yet whether to train {name} again; `seqline retrain {name}` does")
    for record in records:
        if record["kind"] == "decision":
            click.echo(f"{record['time']}  {record['answer']:<5} {record['because']}  [{record['trigger']}]")
            continue
        version = "" if record["version"] is None else f" version {record['version']}"
        lines = record["detail"].splitlines() or [""]
        click.echo(f"{record['time']}    ->  {record['outcome']}{version}: {lines[0]}")


def _show_service(
    workspace: Workspace, name: str, entries: list[Entry], moment: str, *, as_json: bool
) -> None:
    import dataclasses

    from seqline.tracking.chronicle import lineage_of, parse_moment, serving_at

    asked = parse_moment(moment)
    service = serving_at(entries, name, asked)
    if service is not None:
        service = dataclasses.replace(service, lineage=lineage_of(workspace.root, service))
    if as_json:
        nobody = {"name": name, "moment": asked.isoformat(), "version": None}
        click.echo(json.dumps(nobody if service is None else service.record(), allow_nan=False))
    elif service is None:
        first = next((entry for entry in entries if entry.moves_alias), None)
        began = f"; the first promotion was on {first.time}" if first else "; nobody was ever promoted"
        click.echo(f"nobody served as {name} at {asked.isoformat(timespec='seconds')}{began}")
    else:
        for label, value in _facts(service):
            click.echo(f"{label:<9} {value}")


def _facts(service: Service) -> list[tuple[str, str]]:
    """Label and value, in reading order."""
    decision, judged = service.decision, service.judged
    until = f"until {service.until.time}" if service.until else "to this day"
    facts = [
        ("served", f"version {decision.version} of {service.name}, from {decision.time} {until}"),
        ("decision", f"{decision.outcome.replace('_', ' ')} by {decision.who}: {decision.reason}"),
    ]
    if judged is None:
        facts.append(("evidence", "none in the ledger: it became champion outside seqline"))
    else:
        passed = sum(bool(verdict["passed"]) for verdict in judged.verdicts)
        rows = judged.evidence.get("rows", "?")
        facts.append(
            (
                "evidence",
                f"{passed} of {len(judged.verdicts)} rules passed on {rows} test rows, {judged.time}",
            )
        )
    facts += [("content", decision.content_key), ("run", decision.run_id or "unknown")]
    known = {"git_commit": "commit", "data_md5": "data", "recipe_sha256": "recipe"}
    facts += [(label, service.lineage[tag]) for tag, label in known.items() if service.lineage.get(tag)]
    return facts


@click.command()
def models() -> None:
    """List the registered models with their champions.

    Example: seqline models
    """
    from seqline.tracking.overview import models as summaries
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
            f" {accuracy:>9}  {model.fault and 'ledger damaged: '}{model.fault or model.decided}"
        )


COMMANDS = [register, shadow, promote, rollback, delete, history, models]
