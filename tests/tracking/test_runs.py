import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from tiny_project import Project

from seqline.errors import InputError
from seqline.tracking.runs import (
    connect,
    finish_run,
    log_artifacts,
    log_epoch,
    log_epochs,
    log_metrics,
    log_params,
    log_tags,
    reconcile,
    resume_run,
    start_run,
)
from seqline.tracking.store import tracking_uri

EPOCHS = [{"epoch": n, "train_loss": 1 / n, "valid": {"loss": 2 / n}, "is_best": True} for n in (1, 2, 3)]


def test_a_run_keeps_settings_curves_tags_and_files(project: Project, tmp_path: Path) -> None:
    tracking = project.tracking
    run_id = start_run(tracking, "toy")
    log_params(tracking, run_id, {"model": {"cell": "lstm", "sizes": {"hidden": 8}}, "many": list(range(9))})
    log_params(tracking, run_id, {"model": {"cell": "gru"}, "new": 1})
    log_metrics(tracking, run_id, {f"m{i}": float(i) for i in range(250)})
    log_tags(tracking, run_id, {"git_commit": "abc"})
    (tmp_path / "plots").mkdir()
    (tmp_path / "plots" / "roc.json").write_text("{}")
    log_artifacts(tracking, run_id, [tmp_path / "plots", tmp_path / "missing.txt"])
    finish_run(tracking, run_id)
    run = tracking.client.get_run(run_id)
    assert run.info.status == "FINISHED"
    assert run.data.params["model.cell"] == "lstm"
    assert run.data.params["model.sizes.hidden"] == "8"
    assert run.data.params["new"] == "1"
    assert run.data.metrics["m249"] == 249
    assert run.data.tags["seqline.git_commit"] == "abc"
    assert [item.path for item in tracking.client.list_artifacts(run_id, "plots")] == ["plots/roc.json"]
    assert str(project.root / ".seqline" / "mlartifacts") in run.info.artifact_uri


def test_epochs_are_logged_once_live_or_afterwards(project: Project) -> None:
    run_id = start_run(project.tracking, "toy")
    assert log_epoch(project.tracking, run_id, EPOCHS[0])
    assert not log_epoch(project.tracking, run_id, EPOCHS[0])
    assert log_epochs(project.tracking, run_id, EPOCHS) == 2
    history = project.tracking.client.get_metric_history(run_id, "epoch.valid.loss")
    assert [(point.step, point.value) for point in history] == [(1, 2.0), (2, 1.0), (3, 2 / 3)]


def test_the_run_of_a_dead_process_is_marked_failed_and_a_living_one_is_left(project: Project) -> None:
    alive = start_run(project.tracking, "toy")
    program = (
        "import sys, os; from pathlib import Path; from seqline.tracking.runs import connect, start_run;"
        "print(start_run(connect(Path(sys.argv[1])), 'toy'), flush=True); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(project.root)], capture_output=True, text=True, check=False
    )
    dead = done.stdout.strip()
    assert project.tracking.client.get_run(dead).info.status == "RUNNING"
    assert reconcile(project.tracking) == [dead]
    assert project.tracking.client.get_run(dead).info.status == "FAILED"
    assert project.tracking.client.get_run(alive).info.status == "RUNNING"
    assert reconcile(project.tracking) == []
    resume_run(project.tracking, "toy", dead)
    assert project.tracking.client.get_run(dead).info.status == "RUNNING"
    assert reconcile(project.tracking) == []


def test_a_number_taken_by_another_process_does_not_keep_a_dead_run_alive(project: Project) -> None:
    run_id = start_run(project.tracking, "toy")
    path = project.root / ".seqline" / "runs" / f"{run_id}.json"
    import json

    record = json.loads(path.read_text())
    path.write_text(json.dumps({**record, "started": record["started"] - 3600}))
    assert reconcile(project.tracking) == [run_id]


def test_an_unknown_run_is_not_resumed(project: Project) -> None:
    with pytest.raises(InputError, match="not in"):
        resume_run(project.tracking, "toy", "0" * 32)


def test_writers_in_parallel_lose_nothing(project: Project) -> None:
    run_id = start_run(project.tracking, "toy")

    def write(worker: int) -> None:
        for step in range(10):
            log_metrics(project.tracking, run_id, {f"w{worker}": float(step)}, step=step)

    threads = [threading.Thread(target=write, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counts = [len(project.tracking.client.get_metric_history(run_id, f"w{worker}")) for worker in range(4)]
    assert counts == [10] * 4


def test_the_store_is_the_projects_own_unless_the_variable_says_otherwise(
    open_project: Callable[[], Project], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    project = open_project()
    assert project.tracking.uri == f"sqlite:///{project.root / '.seqline' / 'mlflow.db'}"
    # connecting leaves the variable alone, or the next project would be taken for this one
    assert connect(project.root).uri == project.tracking.uri
    assert tracking_uri(tmp_path).endswith(f"{tmp_path.name}/.seqline/mlflow.db")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:5000")
    assert tracking_uri(project.root) == "http://127.0.0.1:5000"


@pytest.mark.parametrize("uri", ["./mlruns", "file:///tmp/mlruns", "mlruns"])
def test_a_folder_as_store_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uri: str) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    with pytest.raises(InputError, match="a folder"):
        connect(tmp_path)
