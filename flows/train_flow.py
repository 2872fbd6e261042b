"""train: the whole chain for one model. Each stage of dvc.yaml's graph is a task; then register, then promote.

The graph is DVC's, the work is the stages', the decision is the gate's. What this file adds is Prefect: tasks with
names, live lines in its log, a retry where one can help, a table as an artifact, and one MLflow run id through all of it.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from prefect import Task, flow, get_run_logger, runtime, task
from prefect.artifacts import create_table_artifact
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State, TaskRun
from prefect.exceptions import ObjectNotFound
from prefect.states import Crashed

from seqline.commands.outcome import Outcome, describe
from seqline.commands.progress import EVENTS_VARIABLE
from seqline.data.inputs import load_input
from seqline.data.inputs.base import Vocabulary
from seqline.errors import GateRefused, SeqlineError
from seqline.graph import StageFailed, reproduce, stage_order
from seqline.notifications import KINDS, notify
from seqline.owner import forget_left_behind, note_flow_run, own_workspace
from seqline.stages.validate import run_against_champion
from seqline.stages.validate import table as validation_table
from seqline.tracking.journey import promote_artifacts, register_artifacts
from seqline.tracking.registry import champion_folder
from seqline.tracking.runs import connect, finish_run, log_epoch, reconcile, start_run
from seqline.workspace import Workspace

LAST_STAGE = "evaluate"
_TOLD = "People were told."


class _MessageOnly(logging.Filter):
    """Leaves the traceback out of Prefect's log where the error's own message says where, what and what to do."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and isinstance(record.exc_info[1], SeqlineError):
            record.exc_info = None
        return True


def quiet_refusals() -> None:
    """What seqline refuses shows in Prefect's log as its message."""
    for logger_name in ("prefect.task_runs", "prefect.flow_runs"):
        logging.getLogger(logger_name).addFilter(_MessageOnly())


def artifact_key(what: str, name: str) -> str:
    """Prefect allows lower-case letters, digits and dashes."""
    return f"{what}-{''.join(c if c.isalnum() else '-' for c in name.lower())}"


def bury_the_dead(workspace: Workspace) -> None:
    """Declare flow runs crashed whose process died while it owned the folder: Prefect would call them Running for ever."""
    left = note_flow_run(workspace, str(runtime.flow_run.id))
    with get_client(sync_client=True) as client:
        for flow_run in left:
            try:
                state = client.read_flow_run(UUID(flow_run)).state
                if state is not None and state.is_final():
                    continue
                client.set_flow_run_state(UUID(flow_run), Crashed(message="its process is gone"), force=True)
                get_run_logger().warning("flow run %s belonged to a process that is gone: Crashed", flow_run)
            except ObjectNotFound:
                continue
    forget_left_behind(workspace)


@contextmanager
def failures_told(what: str, name: str) -> Iterator[None]:
    """Send people the error that ends the block, once, however many flows it ends."""
    try:
        yield
    except Exception as error:
        if _TOLD not in getattr(error, "__notes__", []):
            error.add_note(_TOLD)
            notify("failed", title=f"seqline: {what} {name} failed", body=str(error))
        raise


@contextmanager
def owned_workspace(what: str, name: str, root: str) -> Iterator[Workspace]:
    """The project folder of a flow run that changes it: the recipe checked, the folder owned, the dead declared so."""
    quiet_refusals()
    workspace = Workspace.find(Path(root))
    workspace.recipe(name)
    with own_workspace(workspace, f"{what} {name}", on_wait=get_run_logger().info):
        bury_the_dead(workspace)
        with failures_told(what, name):
            yield workspace


def tell(outcome: Outcome) -> None:
    """Send people what a decision came to, if they asked for that."""
    facts = outcome.summary
    if facts["verdict"] in KINDS:
        notify(facts["verdict"], title=f"seqline: {facts['name']} {facts['verdict']}", body=outcome.table())


def _error_of(state: State[Any]) -> Any:
    return state.data.data if hasattr(state.data, "data") else state.data


def _was_killed(_task: Task[Any, Any], _run: TaskRun, state: State[Any]) -> bool:
    """A stage that was killed (out of memory, a node that went away) goes on from its checkpoint; other failures stay."""
    error = _error_of(state)
    return isinstance(error, StageFailed) and error.exit_code < 0


def _may_pass_by_itself(_task: Task[Any, Any], _run: TaskRun, state: State[Any]) -> bool:
    """A server that was away for a moment; never what seqline itself refuses."""
    return not isinstance(_error_of(state), SeqlineError)


@dataclass
class _EventTail:
    """Carries the epochs that a stage writes down over to MLflow, while the stage runs."""

    root: Path
    run_id: str
    path: Path
    read_bytes: int = field(default=0)

    def forward(self) -> None:
        """Log what came since the last call."""
        if not self.path.is_file():
            return
        with self.path.open("rb") as handle:
            handle.seek(self.read_bytes)
            fresh = handle.read()
        complete = fresh[: fresh.rfind(b"\n") + 1]
        self.read_bytes += len(complete)
        for line in complete.splitlines():
            log_epoch(connect(self.root), self.run_id, json.loads(line))


@task(retries=1, retry_delay_seconds=5, retry_condition_fn=_was_killed, persist_result=False)
def run_stage(root: str, stage: str, run_id: str) -> None:
    """Let DVC run one stage, or skip or restore it."""
    logger = get_run_logger()
    events = Workspace(Path(root)).state / "events" / f"{run_id}.jsonl"
    events.parent.mkdir(parents=True, exist_ok=True)
    tail = _EventTail(Path(root), run_id, events, events.stat().st_size if events.is_file() else 0)

    def on_line(line: str) -> None:
        logger.info(line)
        tail.forward()

    reproduce(Path(root), stage, environment={**os.environ, EVENTS_VARIABLE: str(events)}, on_line=on_line)
    tail.forward()


@task(task_run_name="compare-with-champion", persist_result=False)
def compare_with_champion(root: str, name: str) -> None:
    """Refuse rows whose words the champion's tokenizer does not know: most likely they are not what they were.

    No stage of the graph, because its answer depends on who is champion.
    """
    workspace, logger = Workspace(Path(root)), get_run_logger()
    recipe = workspace.recipe(name)
    try:
        encoder = load_input(champion_folder(workspace.root, name), recipe.input)
    except SeqlineError as error:
        logger.info("no champion to compare the rows with: %s", error.found)
        return
    if not isinstance(encoder, Vocabulary):
        logger.info("inputs of kind %s have no vocabulary to compare the rows with", recipe.input.kind)
        return
    result = run_against_champion(
        recipe,
        data_folder=workspace.data_folder(name),
        tokenizer=encoder,
        result_path=workspace.data_docs_folder(name) / "against_champion.json",
    )
    logger.info("%s", validation_table(result))


@task(
    task_run_name="register",
    retries=2,
    retry_delay_seconds=5,
    retry_condition_fn=_may_pass_by_itself,
    persist_result=False,
)
def register(root: str, name: str, run_id: str) -> int:
    """One model version of this content."""
    workspace = Workspace(Path(root))
    version = register_artifacts(connect(workspace.root), name, recipe=workspace.recipe(name), run_id=run_id)
    get_run_logger().info(
        "%s, %s", version.uri, "new" if version.created else "there already: the same content"
    )
    return version.version


@task(task_run_name="promote", persist_result=False)
def decide(root: str, name: str, version: int) -> str:
    """The version just made against the champion. A refusal is an answer, not a failure: the run did what it is for."""
    workspace = Workspace(Path(root))
    try:
        decision = promote_artifacts(
            connect(workspace.root), name, recipe=workspace.recipe(name), version=version
        )
    except GateRefused as refusal:
        get_run_logger().warning("%s", refusal)
        return "refused"
    table = f"\n{decision.table()}" if decision.verdicts else ""
    get_run_logger().info("%s: %s%s", decision.outcome, decision.reason, table)
    return decision.outcome


@flow(name="train", flow_run_name="train-{name}", persist_result=False, validate_parameters=True)
def train_flow(name: str, root: str = ".") -> dict[str, Any]:
    """Validate, prepare, train, evaluate, register and promote one model.

    Args:
        name: A recipe.
        root: The project folder.

    Returns:
        The outcome's summary, JSON values.
    """
    with owned_workspace("train", name, root) as workspace:
        outcome = _train(workspace, name)
    create_table_artifact(
        table=[{"what": what, "value": value} for what, value in outcome.rows()],
        key=artifact_key("outcome", name),
        description=f"Outcome of train for {name}",
    )
    tell(outcome)
    return outcome.summary


def _train(workspace: Workspace, name: str) -> Outcome:
    """The chain as tasks, under one MLflow run."""
    here = str(workspace.root)
    tracking = connect(workspace.root)
    for dead in reconcile(tracking):
        get_run_logger().warning("MLflow run %s belonged to a process that is gone: marked FAILED", dead)
    run_id = start_run(tracking, name)
    try:
        for stage in stage_order(workspace.root, f"{LAST_STAGE}@{name}"):
            run_stage.with_options(name=stage, task_run_name=stage)(here, stage, run_id)
            if stage.startswith("validate@"):
                compare_with_champion(here, name)
        version = register(here, name, run_id)
        decide(here, name, version)
    except BaseException:
        finish_run(tracking, run_id, status="FAILED")
        raise
    finish_run(tracking, run_id)
    return describe(workspace, name)


def run_here(workspace: Workspace, name: str) -> Outcome:
    """Run the flow in this process."""
    train_flow(name, str(workspace.root))
    return describe(workspace, name)
