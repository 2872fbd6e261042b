"""One MLflow run for one journey through the chain: its life, and what is written into it.

Everything goes through a client and a run id. MLflow's "active run" belongs to a thread and a process;
tasks of a flow share neither, so nothing here relies on it.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from seqline.addresses import without_password
from seqline.errors import InputError
from seqline.files import check_name, read_json, write_json
from seqline.processes import ProcessId
from seqline.tracking.store import STATE_FOLDER, Tracking, connect, experiment_id

__all__ = [
    "Tracking",
    "connect",
    "finish_run",
    "left_running",
    "log_artifacts",
    "log_epoch",
    "log_epochs",
    "log_metrics",
    "log_params",
    "log_tags",
    "reconcile",
    "resume_run",
    "start_run",
]

RUN_TAG = "seqline.name"
# Limits of MLflow's log-batch request and of one parameter's value.
_BATCH_ITEMS = 100
_BATCH_METRICS = 1000
_PARAM_CHARACTERS = 6000

RunStatus = Literal["FINISHED", "FAILED", "KILLED"]


@dataclass(frozen=True)
class _RunRecord:
    """Which process writes into a run; what `reconcile` needs to see that it died. The address bears no password."""

    run_id: str
    name: str
    uri: str
    host: str
    pid: int
    started: float


def start_run(tracking: Tracking, name: str, *, tags: Mapping[str, str] | None = None) -> str:
    """Start a run in the model's experiment and write down which process it belongs to.

    Returns:
        The run id.
    """
    run = tracking.client.create_run(
        experiment_id(tracking, name), run_name=name, tags={RUN_TAG: name, **(tags or {})}
    )
    _remember(tracking, name, run.info.run_id)
    return str(run.info.run_id)


def resume_run(tracking: Tracking, name: str, run_id: str) -> str:
    """Take a run over into this process, open again if it had ended.

    Raises:
        InputError: There is no such run.
    """
    from mlflow.exceptions import MlflowException

    try:
        run = tracking.client.get_run(run_id)
    except MlflowException:
        raise InputError(f"run {run_id}", f"not in {without_password(tracking.uri)}") from None
    if run.info.status != "RUNNING":
        tracking.client.update_run(run_id, status="RUNNING")
    _remember(tracking, name, run_id)
    return run_id


def finish_run(tracking: Tracking, run_id: str, *, status: RunStatus = "FINISHED") -> None:
    """End a run and forget its process."""
    tracking.client.set_terminated(run_id, status=status)
    _record_path(tracking, run_id).unlink(missing_ok=True)


def reconcile(tracking: Tracking) -> list[str]:
    """Mark the runs of processes that are gone as FAILED. Call it at every start.

    Returns:
        The ids of the runs that were marked.
    """
    from mlflow.exceptions import MlflowException

    marked = []
    for path, record in _dead_records(tracking.state):
        try:
            if tracking.client.get_run(record.run_id).info.status == "RUNNING":
                tracking.client.set_tag(record.run_id, "seqline.ended", f"process {record.pid} is gone")
                tracking.client.set_terminated(record.run_id, status="FAILED")
                marked.append(record.run_id)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            if record.uri != without_password(tracking.uri):
                # Most likely a run of another store. The same store has several addresses: its file, its server.
                continue
        path.unlink(missing_ok=True)
    return marked


def left_running(root: Path) -> list[str]:
    """The ids of runs of this machine whose process is gone; `reconcile` marks them."""
    return [record.run_id for _, record in _dead_records(root / STATE_FOLDER)]


def _dead_records(state: Path) -> Iterator[tuple[Path, _RunRecord]]:
    for path in sorted((state / "runs").glob("*.json")):
        record = _RunRecord(**read_json(path))
        if record.host == socket.gethostname() and not ProcessId(record.pid, record.started).is_alive():
            yield path, record


def log_params(tracking: Tracking, run_id: str, values: Mapping[str, Any]) -> None:
    """Log settings, nested ones under dotted names; a value logged before stays."""
    from mlflow.entities import Param

    known = tracking.client.get_run(run_id).data.params
    flat = {key: str(value)[:_PARAM_CHARACTERS] for key, value in _flatten(values)}
    fresh = [Param(key, value) for key, value in flat.items() if key not in known]
    for start in range(0, len(fresh), _BATCH_ITEMS):
        tracking.client.log_batch(run_id, params=fresh[start : start + _BATCH_ITEMS])


def log_metrics(
    tracking: Tracking, run_id: str, values: Mapping[str, float | None], *, step: int = 0
) -> None:
    """Log numbers of one step in as few requests as MLflow allows; a figure that is None is left out."""
    from mlflow.entities import Metric

    now = int(time.time() * 1000)
    metrics = [
        Metric(key, float(value), now, step) for key, value in sorted(values.items()) if value is not None
    ]
    for start in range(0, len(metrics), _BATCH_METRICS):
        tracking.client.log_batch(run_id, metrics=metrics[start : start + _BATCH_METRICS])


def log_epoch(tracking: Tracking, run_id: str, record: Mapping[str, Any]) -> bool:
    """Log the figures of one epoch as `epoch.NAME`, the step being its number; an epoch is logged once.

    The run's own points tell what it has: a journey that resumed logs its later epochs live and the earlier ones
    afterwards.

    Args:
        tracking: Where.
        run_id: Which run.
        record: `epoch` (from 1) and figures, nested ones under dotted names; what is no number is left out.

    Returns:
        Whether it was new.
    """
    number = int(record["epoch"])
    figures = {
        f"epoch.{key}": float(value)
        for key, value in _flatten(record)
        if isinstance(value, int | float) and not isinstance(value, bool) and key != "epoch"
    }
    if not figures:
        return False
    known = tracking.client.get_metric_history(run_id, min(figures))
    if number in {point.step for point in known}:
        return False
    log_metrics(tracking, run_id, figures, step=number)
    return True


def log_epochs(tracking: Tracking, run_id: str, records: Sequence[Mapping[str, Any]]) -> int:
    """Log the epochs of a history that the run does not have; returns how many."""
    return sum(log_epoch(tracking, run_id, record) for record in records)


def log_tags(tracking: Tracking, run_id: str, tags: Mapping[str, str]) -> None:
    """Set tags, `seqline.` in front of each name."""
    from mlflow.entities import RunTag

    items = [RunTag(f"seqline.{key}", value) for key, value in sorted(tags.items())]
    for start in range(0, len(items), _BATCH_ITEMS):
        tracking.client.log_batch(run_id, tags=items[start : start + _BATCH_ITEMS])


def log_artifacts(
    tracking: Tracking, run_id: str, paths: Iterable[Path], *, folder: str | None = None
) -> None:
    """Copy files and folders into the run; those that do not exist are left out."""
    for path in paths:
        if path.is_dir():
            inside = path.name if folder is None else f"{folder}/{path.name}"
            tracking.client.log_artifacts(run_id, str(path), artifact_path=inside)
        elif path.is_file():
            tracking.client.log_artifact(run_id, str(path), artifact_path=folder)


def _flatten(values: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _record_path(tracking: Tracking, run_id: str) -> Path:
    return tracking.state / "runs" / f"{check_name(run_id)}.json"


def _remember(tracking: Tracking, name: str, run_id: str) -> None:
    own = ProcessId.of()
    address = without_password(tracking.uri)
    record = _RunRecord(run_id, name, address, socket.gethostname(), own.pid, own.started)
    write_json(_record_path(tracking, run_id), asdict(record))
