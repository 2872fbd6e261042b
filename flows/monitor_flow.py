"""monitor: compare the newest batches with what the champion was made from, and say when they drift."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger, task
from prefect.artifacts import create_table_artifact

from seqline.journal import Journal
from seqline.monitoring.judgements import Judgement
from seqline.notifications import notify
from seqline.surveillance import NothingToWatchError, monitor, page_path
from seqline.workspace import Workspace
from train_flow import artifact_key, failures_told, quiet_refusals


@task(task_run_name="drift", persist_result=False)
def drift(root: str, name: str) -> list[Judgement]:
    """Judge the batches that the champion was not fitted on, the oldest first."""
    try:
        judgements = monitor(Workspace(Path(root)), name)
    except NothingToWatchError as nothing:
        # Before the first promotion that is how it should be, not a failure every hour.
        get_run_logger().info("nothing to watch: %s", nothing.found)
        return []
    for judgement in judgements:
        moved = ", ".join(judgement.report.moved) or "nothing moved"
        get_run_logger().info("%s: %s (%s)", judgement.batch, judgement.verdict, moved)
    return judgements


def _tell_once(workspace: Workspace, name: str, drifted: list[Judgement]) -> None:
    """A batch that drifted is news once for each champion, however often the schedule looks at it."""
    journal = Journal(workspace.monitor_folder(name) / "told.jsonl")
    told = {(record["sha256"], record["content_key"]) for record in journal.records()}
    for judgement in drifted:
        if (judgement.sha256, judgement.content_key) in told:
            continue
        body = (
            f"{judgement.batch} drifted from version {judgement.version}: {', '.join(judgement.report.moved)}"
        )
        notify("drifted", title=f"seqline: {name} drifted", body=f"{body}\n{page_path(workspace, name)}")
        journal.append({"sha256": judgement.sha256, "content_key": judgement.content_key})


@flow(name="monitor", flow_run_name="monitor-{name}", persist_result=False, validate_parameters=True)
def monitor_flow(name: str, root: str = ".") -> list[dict[str, Any]]:
    """Judge the drift of one model's new batches.

    Args:
        name: A recipe.
        root: The project folder.

    Returns:
        One record a batch, JSON values.
    """
    quiet_refusals()
    workspace = Workspace.find(Path(root))
    workspace.recipe(name)
    with failures_told("monitor", name):
        judgements = drift(str(workspace.root), name)
    _tell_once(workspace, name, [judgement for judgement in judgements if judgement.drifted])
    create_table_artifact(
        table=[
            {
                "batch": judgement.batch,
                "verdict": judgement.verdict,
                "moved": ", ".join(judgement.report.moved),
                "champion": judgement.version,
            }
            for judgement in judgements
        ],
        key=artifact_key("drift", name),
        description=f"Batches of {name} against its champion's profile; page: {page_path(workspace, name)}",
    )
    return [judgement.to_dict() for judgement in judgements]
