"""The whole chain against a team's servers: MLflow and Prefect on PostgreSQL, artifacts and data on S3, logins on both.

The tests go through one project's life in order. All servers are real.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from chain_project import Project, make_tiny, write_rows
from team_servers import (
    COMMANDS,
    DATA_BUCKET,
    DATABASES,
    MODELS_BUCKET,
    PASSWORDS,
    ROOT,
    SECRETS,
    Servers,
    example_settings,
    postgres_programs,
    status_of,
)

from seqline.config import read_yaml, write_yaml
from seqline.diagnosis.checks import CHECKS, diagnose
from seqline.diagnosis.findings import Situation
from seqline.errors import SeqlineError
from seqline.serving.predictor import Predictor
from seqline.tracking.runs import log_metrics, start_run
from seqline.tracking.store import connect
from seqline.workspace import Workspace

# 40 calls of 5 metrics each: one call a metric takes a minute where the machine is busy.
WRITERS, METRICS_EACH, METRICS_A_CALL = 8, 200, 5
QUESTION = "The food is good."


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    programs = postgres_programs()
    if programs is None:
        pytest.skip("no PostgreSQL: install the package postgresql, or `pip install pgserver` into .venv")
    made = Servers(tmp_path_factory.mktemp("servers"))
    try:
        made.start_all(programs)
        yield made
    finally:
        made.end()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, servers: Servers) -> Project:
    folder = tmp_path_factory.mktemp("team")
    made = make_tiny(folder / "project", write_rows(folder))
    made.dvc("remote", "add", "--default", "team", f"s3://{DATA_BUCKET}/dvc")
    made.dvc("remote", "modify", "team", "endpointurl", servers.endpoint)
    return dataclasses.replace(made, settings=servers.client())


@pytest.fixture
def client(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """This very process as a client of the servers."""
    for name, value in servers.client().items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def without(project: Project, *names: str) -> Project:
    return dataclasses.replace(
        project, settings={key: value for key, value in project.settings.items() if key not in names}
    )


def test_the_chain_promotes_a_champion_on_the_servers(project: Project, servers: Servers) -> None:
    outcome = json.loads(project.seqline("run", "tiny", "--json").stdout)
    assert (outcome["verdict"], outcome["champion"]) == ("promoted", 1)
    # nothing of the project's own store: all of it is on the servers
    assert not (project.root / ".seqline" / "mlflow.db").exists()
    assert not (project.root / ".seqline" / "mlartifacts").exists()
    keys = servers.bucket_keys(MODELS_BUCKET)
    assert any(key.endswith("artifacts/model/weights.safetensors") for key in keys)
    assert any(key.endswith("report.html") for key in keys)
    finished = servers.ask_prefect("flow_runs/filter", {})
    assert [(run["name"], run["state"]["type"]) for run in finished] == [("train-tiny", "COMPLETED")]


def test_predict_reads_the_champion_from_s3_through_the_server(project: Project) -> None:
    shutil.rmtree(project.root / ".seqline" / "cache")
    # not even keys to the bucket: the server holds them
    keyless = without(project, "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    answer = json.loads(keyless.seqline("predict", "tiny", "--json", QUESTION).stdout)
    trained = Predictor.load(project.root / "artifacts" / "tiny" / "train").probabilities([QUESTION])[0]
    assert list(answer["probabilities"].values()) == pytest.approx(trained.tolist(), abs=1e-5)


def test_a_clone_pulls_from_s3_what_was_pushed(project: Project, servers: Servers, tmp_path: Path) -> None:
    project.dvc("push")
    assert len(servers.bucket_keys(DATA_BUCKET)) > 5
    clone = dataclasses.replace(project, root=tmp_path / "clone")
    left_out = shutil.ignore_patterns("cache", "tmp", "data", "artifacts", ".seqline")
    shutil.copytree(project.root, clone.root, ignore=left_out)
    # `data` names a package of seqline too
    shutil.copytree(project.root / "src", clone.root / "src", dirs_exist_ok=True)
    clone.dvc("pull")
    for folder in ("data", "artifacts"):
        files = [path for path in (project.root / folder).rglob("*") if path.is_file()]
        assert files
        for path in files:
            assert (clone.root / path.relative_to(project.root)).read_bytes() == path.read_bytes()
    assert json.loads(clone.seqline("predict", "tiny", "--json", QUESTION).stdout)["label"]


def test_the_doctor_finds_the_servers_well(project: Project) -> None:
    told = project.seqline("doctor", "--json", check=None)
    findings = json.loads(told.stdout)["findings"]
    levels = {found["check"]: found["level"] for found in findings}
    for check in ("data", "remote", "store", "champions", "ledger", "prefect"):
        assert levels[check] == "ok", [found for found in findings if found["check"] == check]


def test_the_doctor_finds_what_is_paused_not_deployed_and_without_a_worker(
    project: Project, servers: Servers
) -> None:
    def look(check: str) -> list[tuple[str, str]]:
        found = diagnose(Situation(Workspace(project.root), project.environment()), {check: CHECKS[check]})
        return [(finding.level, finding.found) for finding in found]

    flows = {name: servers.ask_prefect("flows/", {"name": name})["id"] for name in ("retrain", "monitor")}
    servers.ask_prefect("work_pools/", {"name": "seqline", "type": "process"})
    nightly = {"schedule": {"cron": "0 3 * * *"}, "active": False}
    shared = {"name": "tiny", "work_pool_name": "seqline"}
    servers.ask_prefect("deployments/", {**shared, "flow_id": flows["retrain"], "schedules": [nightly]})
    entries = [{"name": "tiny", "entrypoint": f"flows/{name}_flow.py:{name}_flow"} for name in flows]
    write_yaml(project.root / "prefect.yaml", {"deployments": entries})
    assert look("schedules") == [
        ("problem", "not deployed: monitor/tiny"),
        ("warning", "paused: retrain/tiny"),
    ]
    assert look("workers") == [("problem", "pool seqline: no worker online")]
    nightly["active"] = True
    for flow in flows.values():
        servers.ask_prefect("deployments/", {**shared, "flow_id": flow, "schedules": [nightly]})
    servers.ask_prefect("work_pools/seqline/workers/heartbeat", {"name": "worker-1"})
    assert look("schedules") == [("ok", "2 deployments, none paused")]
    assert look("workers") == [("ok", "pool seqline: 1 workers online")]


@pytest.mark.parametrize(
    ("names", "server"),
    [
        (("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"), "MLflow"),
        (("PREFECT_API_AUTH_STRING",), "Prefect"),
    ],
)
def test_without_a_login_a_run_is_refused_in_one_line(
    project: Project, names: tuple[str, ...], server: str
) -> None:
    stranger = without(project, *names)
    # something to do, or the run would say that nothing is
    stranger.change_recipe("tiny", training={"epochs": 5})
    told = stranger.seqline("run", "tiny", check=1)
    assert told.stderr.splitlines()[-2].startswith(f"error: {server} at http://127.0.0.1:")
    assert "asks for a login" in told.stderr
    assert "401" in told.stderr
    assert "Traceback" not in told.stderr


def test_the_servers_themselves_refuse_strangers(servers: Servers) -> None:
    assert status_of(f"{servers.mlflow}/api/2.0/mlflow/experiments/get?experiment_id=0") == 401
    assert status_of(f"{servers.prefect}/admin/version") == 401
    admin = f"admin:{PASSWORDS['MLFLOW_AUTH_ADMIN_PASSWORD']}"
    assert status_of(f"{servers.mlflow}/", login=admin) == 200
    # a name that MLflow's own default accepts
    assert status_of(f"{servers.mlflow}/", login=admin, host="10.attacker.example") == 403
    login = PASSWORDS["PREFECT_SERVER_API_AUTH_STRING"]
    assert status_of(f"{servers.prefect}/admin/version", login=login) == 200
    # CSRF: a change without the token that Prefect's own client asks for
    assert status_of(f"{servers.prefect}/variables/", login=login, body={"name": "a", "value": "b"}) == 403


def test_a_user_without_permission_is_told_so(
    servers: Servers, client: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    servers.make_user("reader", "of-the-reader-42b1")
    client.setenv("MLFLOW_TRACKING_USERNAME", "reader")
    client.setenv("MLFLOW_TRACKING_PASSWORD", "of-the-reader-42b1")
    tracking = connect(tmp_path)
    assert tracking.client.search_registered_models() == []
    with pytest.raises(SeqlineError, match=r"reader may not get model version \(403\)"):
        tracking.client.get_model_version("tiny", "1")


def test_eight_writers_lose_no_metric(client: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tracking = connect(tmp_path)
    run_id = start_run(tracking, "writers")
    failures: list[BaseException] = []

    def write(writer: int) -> None:
        try:
            for step in range(METRICS_EACH // METRICS_A_CALL):
                values = {f"writer{writer}.{part}": part + step / 1000 for part in range(METRICS_A_CALL)}
                log_metrics(tracking, run_id, values, step=step)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    for writer, part in itertools.product(range(WRITERS), range(METRICS_A_CALL)):
        points = tracking.client.get_metric_history(run_id, f"writer{writer}.{part}")
        assert sorted((point.step, point.value) for point in points) == [
            (step, part + step / 1000) for step in range(METRICS_EACH // METRICS_A_CALL)
        ]


def test_no_password_is_written_anywhere(project: Project, servers: Servers) -> None:
    searched = 0
    folders = [project.root / name for name in (".seqline", ".dvc", "artifacts", "recipes")]
    for folder in [*folders, servers.folder]:
        for path in folder.rglob("*"):
            if path.is_file() and ".dvc/cache" not in path.as_posix():
                content = path.read_bytes()
                searched += 1
                assert [secret for secret in SECRETS if secret.encode() in content] == [], path
    assert searched > 20


def test_the_compose_file_runs_the_commands_and_names_that_are_tested_here() -> None:
    compose = read_yaml(ROOT / "deploy" / "compose.yaml")
    services = compose["services"]
    assert {name: services[name]["command"] for name in COMMANDS} == COMMANDS
    known = example_settings("server.env.example").keys()
    for name in COMMANDS:
        assert services[name]["env_file"] == "server.env"
        # only what differs between a container and a machine, under the same names
        assert set(services[name]["environment"]) <= known
        assert set(services[name]["depends_on"]) == {"postgres"}
    creating = (ROOT / "deploy" / "databases.sql").read_text(encoding="utf-8")
    assert [line.split()[2].rstrip(";") for line in creating.splitlines() if line.startswith("CREATE")] == [
        *DATABASES
    ]


def test_the_operations_page_shows_the_same_commands_and_every_setting() -> None:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    for command in COMMANDS.values():
        assert f"{command}\n" in page
    for example in ("server.env.example", "client.env.example"):
        for name in example_settings(example):
            assert f"`{name}`" in page, name
