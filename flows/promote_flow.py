"""promote: the challenger against the champion, when a person asks for it away from a terminal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger

from seqline.commands.outcome import describe
from seqline.owner import own_workspace
from seqline.workspace import Workspace
from train_flow import bury_the_dead, decide, quiet_refusals


@flow(name="promote", flow_run_name="promote-{name}", persist_result=False, validate_parameters=True)
def promote_flow(name: str, approve: bool = False, root: str = ".") -> dict[str, Any]:
    """Promote one model's challenger if it passes the gate.

    Args:
        name: A recipe.
        approve: Promote the challenger that passed and is held for approval.
        root: The project folder.

    Returns:
        The outcome's summary, JSON values.
    """
    quiet_refusals()
    workspace = Workspace.find(Path(root))
    workspace.recipe(name)
    with own_workspace(workspace, f"promote {name}", on_wait=get_run_logger().info):
        bury_the_dead(workspace)
        decide(str(workspace.root), name)
        outcome = describe(workspace, name)
    return outcome.summary
