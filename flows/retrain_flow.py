"""retrain: take in what has come, decide whether to train again, and train if the answer is yes.

What decides is `seqline.retraining`; what trains is the flow `train`. Every answer is written down, the "no" as well.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger, runtime, task
from prefect.artifacts import create_markdown_artifact

from seqline.errors import InputError, SeqlineError, ValidationFailed
from seqline.graph import StageFailed
from seqline.ingestion import IngestReport
from seqline.ingestion import ingest as take_in
from seqline.retraining import RetrainDecision, conclude, outcome_of
from seqline.retraining import decide as answer
from seqline.tracking.registry import champion
from seqline.tracking.runs import connect
from seqline.workspace import Workspace
from train_flow import artifact_key, owned_workspace, train_flow

_DETAIL_CHARACTERS = 500
_INVALID = (InputError.exit_code, ValidationFailed.exit_code)


@task(task_run_name="ingest", persist_result=False)
def ingest(root: str, name: str) -> IngestReport:
    """New files of incoming/NAME become a batch; what cannot be read stays where it is and holds nothing up."""
    report = take_in(Workspace(Path(root)), name)
    for line in report.lines():
        get_run_logger().info(line)
    return report


@task(task_run_name="decide", persist_result=False)
def decide(root: str, name: str, force: bool, trigger: str) -> RetrainDecision:
    """Train again? The answer with its numbers goes into the journal and onto an artifact page."""
    workspace = Workspace(Path(root))
    decision = answer(workspace, connect(workspace.root), name, forced=force, trigger=trigger)
    get_run_logger().info("%s, because %s", decision.answer, decision.because)
    create_markdown_artifact(
        decision.markdown(), key=artifact_key("retrain", name), description=f"Train {name} again?"
    )
    return decision


def _is_invalid(error: SeqlineError) -> bool:
    """Whether the data or the recipe were refused: the same trigger would be refused again."""
    return error.exit_code in _INVALID and isinstance(error, InputError | ValidationFailed | StageFailed)


def _train(workspace: Workspace, decision: RetrainDecision) -> dict[str, Any]:
    """Train, and write down what came of it whatever it is."""
    name = decision.name
    try:
        summary = train_flow(name, str(workspace.root))
    except SeqlineError as error:
        _conclude(workspace, decision, "invalid" if _is_invalid(error) else "failed", str(error))
        raise
    except Exception as error:
        _conclude(workspace, decision, "failed", repr(error)[:_DETAIL_CHARACTERS])
        raise
    version = int(summary["version"])
    outcome = outcome_of(workspace, name, version=version, verdict=summary["verdict"])
    _conclude(workspace, decision, outcome, summary["reason"], version)
    return summary


def _conclude(
    workspace: Workspace, decision: RetrainDecision, outcome: str, detail: str, version: int | None = None
) -> None:
    best = champion(connect(workspace.root), decision.name)
    content = best.content_key if best else None
    conclude(workspace, decision, outcome=outcome, champion=content, version=version, detail=detail)


@flow(name="retrain", flow_run_name="retrain-{name}", persist_result=False, validate_parameters=True)
def retrain_flow(name: str, force: bool = False, root: str = ".") -> dict[str, Any]:
    """Ingest, decide, and train one model again if the decision is yes.

    Args:
        name: A recipe.
        force: A reason of its own to train; the same data, code and recipe are never trained twice all the same.
        root: The project folder.

    Returns:
        The answer, why, and the outcome of the training if there was one; JSON values.
    """
    trigger = f"flow run {runtime.flow_run.name} {runtime.flow_run.id}"
    with owned_workspace("retrain", name, root) as workspace:
        here = str(workspace.root)
        if workspace.incoming_folder(name).is_dir():
            ingest(here, name)
        decision = decide(here, name, force, trigger)
        told: dict[str, Any] = {"name": name, "answer": decision.answer, "because": decision.because}
        told["run_key"] = decision.run_key
        told["outcome"] = _train(workspace, decision) if decision.answer == "yes" else None
    return told


def run_here(workspace: Workspace, name: str, *, force: bool) -> dict[str, Any]:
    """Run the flow in this process."""
    return retrain_flow(name, force=force, root=str(workspace.root))
