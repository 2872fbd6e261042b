"""promote: the challenger against the champion, or the approval of one that is held, away from a terminal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger, task

from seqline.commands.outcome import describe
from seqline.tracking.journey import approve_artifacts, promote_artifacts
from seqline.tracking.runs import connect
from seqline.workspace import Workspace
from train_flow import owned_workspace, tell


@task(task_run_name="decide", persist_result=False)
def decide(root: str, name: str, approve: bool, reason: str) -> None:
    """The gate's answer, or a person's; a refusal fails this run, for somebody asked for the promotion."""
    workspace = Workspace(Path(root))
    tracking, recipe = connect(workspace.root), workspace.recipe(name)
    if approve:
        decision = approve_artifacts(tracking, name, recipe=recipe, reason=reason)
    else:
        decision = promote_artifacts(tracking, name, recipe=recipe)
    get_run_logger().info("%s: %s", decision.outcome, decision.reason)


@flow(name="promote", flow_run_name="promote-{name}", persist_result=False, validate_parameters=True)
def promote_flow(name: str, approve: bool = False, reason: str = "", root: str = ".") -> dict[str, Any]:
    """Promote one model's challenger if it passes the gate.

    Args:
        name: A recipe.
        approve: Promote the challenger that passed and is held for approval.
        reason: Why it is approved, for the ledger.
        root: The project folder.

    Returns:
        The outcome's summary, JSON values.
    """
    with owned_workspace("promote", name, root) as workspace:
        decide(str(workspace.root), name, approve, reason)
        outcome = describe(workspace, name)
    tell(outcome)
    return outcome.summary
