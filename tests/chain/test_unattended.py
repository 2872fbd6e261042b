"""A model left alone: servers, schedules, triggers at once, batches that arrive, a flow killed in the middle.

The tests go through one project's life in order. Prefect, MLflow and the worker are real.
"""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from chain_project import Project, free_port

from seqline.config import write_yaml
from seqline.data.samples.reviews import reviews
from seqline.retraining import decisions_journal
from seqline.services import MARK, services
from seqline.tracking.store import connect
from seqline.workspace import Workspace

PATIENCE_SECONDS = 240


def records(project: Project, kind: str) -> list[dict[str, Any]]:
    found = decisions_journal(project.root, "tiny").records()
    return [record for record in found if record["kind"] == kind]


def answers(project: Project) -> Counter[str]:
    return Counter(record["answer"] for record in records(project, "decision"))


def running(project: Project) -> list[str]:
    client = connect(project.root).client
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    return [run.info.run_id for run in client.search_runs(experiments, "attributes.status = 'RUNNING'")]


def drop_batch(project: Project, *, month: str, rows: int) -> None:
    folder = project.root / "incoming" / "tiny"
    folder.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(row) for row in reviews(rows=rows, seed=5, split="train", month=month)]
    staged = folder.parent / "arriving.jsonl"
    staged.write_text("\n".join(lines) + "\n", encoding="utf-8")
    staged.replace(folder / f"{month}.jsonl")


def ask(project: Project, path: str, body: object) -> Any:
    [address] = [s.address for s in services(Workspace(project.root)) if s.name == "prefect"]
    for _ in range(20):
        answer = httpx.post(f"{address}/api/{path}", json=body, timeout=30)
        # The server's way to say that its sqlite file is busy; Prefect's own client asks again too.
        if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
            break
        time.sleep(0.5)
    answer.raise_for_status()
    return answer.json()


def flow_runs(project: Project) -> list[tuple[str, str]]:
    return [(run["name"], run["state_type"]) for run in ask(project, "flow_runs/filter", {})]


def trigger(project: Project, **parameters: object) -> str:
    [deployment] = [d for d in ask(project, "deployments/filter", {}) if d["name"] == "tiny"]
    made = ask(project, f"deployments/{deployment['id']}/create_flow_run", {"parameters": parameters})
    return str(made["id"])


def wait_for(project: Project, flow_run: str, *states: str) -> str:
    limit = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < limit:
        [run] = ask(project, "flow_runs/filter", {"flow_runs": {"id": {"any_": [flow_run]}}})
        if run["state_type"] in states:
            return str(run["state_type"])
        time.sleep(0.5)
    raise AssertionError(f"{flow_run} is {run['state_type']}, expected one of {states}")


@pytest.fixture(scope="module")
def served(project: Project) -> Iterator[Project]:
    deployment = {
        "name": "tiny",
        "entrypoint": "flows/retrain_flow.py:retrain_flow",
        "parameters": {"name": "tiny"},
        "work_pool": {"name": "seqline"},
        "concurrency_limit": {"limit": 1, "collision_strategy": "CANCEL_NEW"},
        "schedules": [{"cron": "0 3 1 1 *", "timezone": "Europe/Berlin", "slug": "yearly", "active": True}],
    }
    write_yaml(project.root / "prefect.yaml", {"name": "tiny", "deployments": [deployment]})
    ports = ["--mlflow-port", str(free_port()), "--prefect-port", str(free_port())]
    told = project.seqline("up", *ports)
    assert "retrain/tiny" in told.stdout
    assert "0 3 1 1 * Europe/Berlin" in told.stdout
    yield project
    project.seqline("down")


def test_the_servers_answer_and_a_second_up_is_refused(served: Project) -> None:
    found = services(Workspace(served.root))
    assert [service.name for service in found] == ["mlflow", "prefect", "worker"]
    assert all(service.is_alive for service in found)
    [mlflow] = [service for service in found if service.name == "mlflow"]
    assert httpx.get(f"{mlflow.address}/health").text == "OK"
    assert "run already" in served.seqline("up", check=2).stderr
    assert ask(served, "automations/filter", {}) != []


def test_the_same_trigger_three_times_at_once_is_one_training_and_two_skips(served: Project) -> None:
    with ThreadPoolExecutor(3) as pool:
        told = list(
            pool.map(lambda _: served.seqline("retrain", "tiny", "--force", "--json").stdout, range(3))
        )
    given = [json.loads(text) for text in told]
    assert Counter(answer["answer"] for answer in given) == {"yes": 1, "skip": 2}
    assert len({answer["run_key"] for answer in given}) == 1
    assert answers(served) == {"yes": 1, "skip": 2}
    [outcome] = records(served, "outcome")
    assert (outcome["outcome"], outcome["version"]) == ("promoted", 1)
    assert all("trained on" in a["because"] for a in given if a["answer"] == "skip")
    assert len(connect(served.root).client.search_model_versions("name = 'tiny'")) == 1


def test_without_anything_new_the_answer_is_no_and_says_why(served: Project) -> None:
    told = served.seqline("retrain", "tiny").stdout
    assert "no, because 0 new rows (500 wanted)" in told
    assert answers(served)["no"] == 1
    shown = served.seqline("history", "tiny", "--decisions").stdout.splitlines()
    assert [line.split()[1] for line in shown] == ["yes", "->", "skip", "skip", "no"]


def test_a_batch_that_arrives_is_trained_on_by_the_deployment(served: Project) -> None:
    drop_batch(served, month="2026-06", rows=550)
    assert wait_for(served, trigger(served), "COMPLETED", "FAILED", "CRASHED") == "COMPLETED"
    decision = records(served, "decision")[-1]
    assert decision["answer"] == "yes"
    assert "flow run retrain-tiny" in decision["trigger"]
    [new_rows] = [reason for reason in decision["reasons"] if reason["rule"] == "new_rows"]
    assert new_rows["fired"]
    assert 500 <= new_rows["value"] <= 550
    outcome = records(served, "outcome")[-1]
    assert outcome["run_key"] == decision["run_key"]
    assert outcome["version"] == 2
    keys = {artifact["key"] for artifact in ask(served, "artifacts/filter", {})}
    assert {"retrain-tiny", "outcome-tiny"} <= keys


def test_runs_that_were_missed_become_one(served: Project) -> None:
    before = len(records(served, "decision"))
    runs = [trigger(served) for _ in range(6)]
    states = Counter(wait_for(served, run, "COMPLETED", "CANCELLED", "FAILED", "CRASHED") for run in runs)
    assert set(states) <= {"COMPLETED", "CANCELLED"}
    fresh = records(served, "decision")[before:]
    assert len(fresh) == states["COMPLETED"] >= 1
    assert {decision["answer"] for decision in fresh} == {"no"}


def test_a_flow_killed_in_the_middle_holds_nothing_up(served: Project) -> None:
    served.change_recipe("tiny", training={"seed": 8})
    decided = len(records(served, "decision"))
    killed = subprocess.Popen(
        ["seqline", "retrain", "tiny", "--force"],
        cwd=served.root,
        env=served.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    owner = served.root / ".seqline" / "locks" / "owner.json"
    limit = time.monotonic() + PATIENCE_SECONDS
    while not owner.is_file() and time.monotonic() < limit:
        time.sleep(0.05)
    while len(records(served, "decision")) == decided and time.monotonic() < limit:
        time.sleep(0.05)
    time.sleep(3)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    before = len(records(served, "outcome"))
    # Not forced: what was decided on and came to no end is a reason of its own.
    told = json.loads(served.seqline("retrain", "tiny", "--json", check=None).stdout)
    assert told["answer"] == "yes"
    assert "came to no end" in told["because"]
    assert len(records(served, "outcome")) == before + 1
    assert running(served) == []
    assert not owner.exists()
    assert not [state for _, state in flow_runs(served) if state == "RUNNING"]


def test_down_leaves_no_process(served: Project) -> None:
    mark = json.loads((served.root / ".seqline" / "services.json").read_text(encoding="utf-8"))["mark"]
    told = served.seqline("down").stdout
    assert [line.split()[1] for line in told.splitlines()] == ["mlflow", "prefect", "worker"]
    left = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark:
                left.append(process.pid)
        except (psutil.Error, OSError):
            continue
    assert left == []
    assert "nothing" in served.seqline("down").stdout


def test_a_taken_port_is_refused_and_nothing_starts(project: Project) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        told = project.seqline("up", "--mlflow-port", str(port), check=2)
    assert f"port {port}" in told.stderr
    assert not (project.root / ".seqline" / "services.json").exists()
    assert Path(project.root / "prefect.yaml").is_file()
