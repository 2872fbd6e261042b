"""Each check finds the fault it is for, and nothing in a healthy project."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tiny_project import Project, make_recipe

from seqline.config import write_yaml
from seqline.diagnosis import files_on_disk, installation
from seqline.diagnosis.checks import CHECKS, diagnose
from seqline.diagnosis.findings import Finding, Situation
from seqline.files import atomic_write, write_json
from seqline.tracking.registry import CHAMPION
from seqline.tracking.runs import connect
from seqline.workspace import Workspace

ROOT = Path(__file__).parents[2]
NOBODY_LISTENS = "http://127.0.0.1:9"


def dvc(root: Path, *words: str) -> None:
    subprocess.run([sys.executable, "-m", "dvc", *words], cwd=root, check=True, capture_output=True)


def dead_pid() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project with data, a remote, artifacts and a champion, and beside it a copy to restore it from."""
    root = tmp_path_factory.mktemp("healthy") / "project"
    (root / "data" / "toy" / "train").mkdir(parents=True)
    atomic_write(
        root / "data" / "toy" / "train" / "imported.jsonl", '{"id": "1", "text": "a", "label": "negative"}\n'
    )
    write_yaml(root / "recipes" / "toy.yaml", make_recipe().model_dump(mode="json"))
    write_yaml(root / "params.yaml", {"recipes": ["toy"]})
    for name in ("dvc.yaml", "requirements.lock"):
        shutil.copy(ROOT / name, root / name)
    dvc(root, "init", "--no-scm", "--quiet")
    dvc(root, "add", "data")
    dvc(root, "remote", "add", "--default", "copy", str(root.parent / "remote"))
    dvc(root, "push")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("MLFLOW_TRACKING_URI", "PREFECT_API_URL"):
            patch.delenv(name, raising=False)
        project = Project(connect(root))
        project.add()
        shutil.copytree(root, root.parent / "pristine")
        yield project


@pytest.fixture
def project(healthy: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """The healthy project, restored afterwards; MLflow keeps its database open, so that stays where it is."""
    for name in ("MLFLOW_TRACKING_URI", "PREFECT_API_URL", "MLFLOW_ALLOW_PICKLE_DESERIALIZATION"):
        monkeypatch.delenv(name, raising=False)
    yield healthy
    root, pristine = healthy.root, healthy.root.parent / "pristine"
    for path in list(root.iterdir()):
        if path.name != ".seqline":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for path in list((root / ".seqline").iterdir()):
        if not path.name.startswith("mlflow."):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    shutil.copytree(
        pristine, root, dirs_exist_ok=True, ignore=shutil.ignore_patterns("mlflow.db", "mlflow.lock")
    )


def look(project: Project, check: str, **environment: str) -> list[Finding]:
    situation = Situation(Workspace(project.root), {**os.environ, **environment})
    return diagnose(situation, {check: CHECKS[check]})


def test_a_healthy_project_has_no_problem_and_no_warning(project: Project) -> None:
    findings = diagnose(Situation(Workspace(project.root), dict(os.environ)))
    assert {found.check for found in findings} == set(CHECKS)
    # the machine is not the project's: its disk may be as full as it likes
    assert [found for found in findings if found.level != "ok" and found.check != "disk"] == []


def break_recipe(project: Project) -> None:
    write_yaml(project.root / "recipes" / "toy.yaml", {"taks": "classification"})


def lose_recipe(project: Project) -> None:
    (project.root / "recipes" / "toy.yaml").unlink()


def break_recipe_list(project: Project) -> None:
    (project.root / "params.yaml").write_text("recipes: toy\n")


def idle_recipe(project: Project) -> None:
    (project.root / "recipes" / "forgotten.yaml").write_text("{}\n")


def change_data(project: Project) -> None:
    (project.root / "data" / "toy" / "train" / "more.jsonl").write_text("{}\n")


def lose_cache_and_data(project: Project) -> None:
    shutil.rmtree(project.root / ".dvc" / "cache")
    shutil.rmtree(project.root / "data")


def lose_data(project: Project) -> None:
    shutil.rmtree(project.root / "data")


def lose_cache_object(project: Project) -> None:
    files = (project.root / ".dvc" / "cache" / "files" / "md5").rglob("*")
    next(path for path in files if path.is_file() and path.suffix != ".dir").unlink()


def lose_dvc(project: Project) -> None:
    shutil.rmtree(project.root / ".dvc")


def no_remote(project: Project) -> None:
    dvc(project.root, "remote", "remove", "copy")


def empty_remote(project: Project) -> None:
    dvc(project.root, "remote", "modify", "copy", "url", str(project.root.parent / "empty"))


def unreachable_remote(project: Project) -> None:
    blocker = project.root.parent / "a-file"
    blocker.write_text("")
    dvc(project.root, "remote", "modify", "copy", "url", str(blocker / "below"))


def lose_weights(project: Project) -> None:
    (project.model_folder / "weights.safetensors").unlink()


def cut_predictions(project: Project) -> None:
    (project.evaluate_folder / "predictions.jsonl").write_text("{}\n")


def lose_manifest(project: Project) -> None:
    (project.prepare_folder / "manifest.json").unlink()


def break_manifest(project: Project) -> None:
    (project.prepare_folder / "manifest.json").write_text('{"files": [')


def dead_owner(project: Project) -> None:
    owner = {
        "token": "t",
        "what": "seqline run toy",
        "pid": dead_pid(),
        "host": "here",
        "since": "2026-11-01",
    }
    write_json(
        project.root / ".seqline" / "locks" / "owner.json", {**owner, "flow_runs": [], "left_behind": []}
    )


def dead_dvc(project: Project) -> None:
    entry = {"pid": dead_pid(), "cmd": "dvc repro"}
    write_json(project.root / ".dvc" / "tmp" / "rwlock", {"write": {"/data": entry}, "read": {}})


def leave_half_a_folder(project: Project) -> None:
    (project.root / "artifacts" / "toy" / ".train.abc123").mkdir()


def leave_a_killed_backtest(project: Project) -> None:
    (project.root / ".seqline" / "scratch-backtest-abc123").mkdir()


def cut_ingest(project: Project) -> None:
    write_json(project.root / ".seqline" / "ingested" / "toy.pending.json", {})


def dead_run(project: Project) -> None:
    import socket

    record = {"run_id": "a" * 32, "name": "toy", "uri": "x", "host": socket.gethostname(), "started": 1.0}
    write_json(project.root / ".seqline" / "runs" / f"{'a' * 32}.json", {**record, "pid": dead_pid()})


def alter_package(project: Project) -> None:
    path = next((project.root / ".seqline" / "mlartifacts").rglob("weights.safetensors"))
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(bytes(content))


def lose_package(project: Project) -> None:
    shutil.rmtree(project.root / ".seqline" / "mlartifacts")


def no_champion(project: Project) -> None:
    write_yaml(project.root / "recipes" / "other.yaml", make_recipe().model_dump(mode="json"))
    write_yaml(project.root / "params.yaml", {"recipes": ["toy", "other"]})


def damage_ledger(project: Project) -> None:
    (project.root / ".seqline" / "ledger" / "toy.jsonl").write_text("nonsense\n")


def forge_ledger(project: Project) -> None:
    path = project.root / ".seqline" / "ledger" / "toy.jsonl"
    path.write_text(path.read_text().replace('"version": 1', '"version": 7'))


def lose_ledger(project: Project) -> None:
    (project.root / ".seqline" / "ledger" / "toy.jsonl").unlink()


def cut_decision(project: Project) -> None:
    write_json(project.root / ".seqline" / "ledger" / "toy.pending.json", {})


def dead_services(project: Project) -> None:
    service = {"name": "worker", "pid": dead_pid(), "started": 1.0, "address": "", "log": "x"}
    write_json(project.root / ".seqline" / "services.json", {"mark": "m", "services": [service]})


def wrong_torch(project: Project) -> None:
    (project.root / "requirements.lock").write_text("torch==0.4.0\n")


def missing_package(project: Project) -> None:
    (project.root / "requirements.lock").write_text("no-such-package==1.0\n")


def no_lock(project: Project) -> None:
    (project.root / "requirements.lock").unlink()


FAULTS: list[tuple[str, Callable[[Project], None], str, str]] = [
    ("packages", wrong_torch, "problem", "locked 0.4.0"),
    ("packages", missing_package, "warning", "no-such-package missing"),
    ("packages", no_lock, "warning", "no requirements.lock"),
    ("recipes", break_recipe, "problem", "taks"),
    ("recipes", lose_recipe, "problem", "no file"),
    ("recipes", break_recipe_list, "problem", "no list of names"),
    ("recipes", idle_recipe, "warning", "forgotten"),
    ("data", change_data, "warning", "data/ modified"),
    ("data", lose_cache_object, "warning", "missing in DVC's cache"),
    ("data", lose_data, "problem", "gone, but in DVC's cache"),
    ("data", lose_cache_and_data, "problem", "gone, and DVC's cache lacks"),
    ("data", lose_dvc, "problem", "no DVC repository"),
    ("remote", no_remote, "warning", "this disk only"),
    ("remote", empty_remote, "warning", "not in the remote: data"),
    ("remote", unreachable_remote, "problem", "does not answer"),
    ("artifacts", lose_weights, "problem", "weights.safetensors missing"),
    ("artifacts", cut_predictions, "problem", "another size"),
    ("artifacts", lose_manifest, "problem", "not complete"),
    ("artifacts", break_manifest, "problem", "not JSON"),
    ("locks", dead_owner, "warning", "seqline run toy.* died"),
    ("locks", dead_dvc, "warning", "DVC's lock"),
    ("leftovers", leave_half_a_folder, "warning", ".train.abc123"),
    ("leftovers", leave_a_killed_backtest, "warning", "scratch-backtest-abc123"),
    ("leftovers", cut_ingest, "warning", "ingest was cut off: toy"),
    ("runs", dead_run, "warning", "processes that are gone: aaaaaaaa"),
    ("champions", alter_package, "problem", "altered"),
    ("champions", lose_package, "problem", "package is missing"),
    ("champions", no_champion, "warning", "other: no champion"),
    ("ledger", damage_ledger, "problem", "not a JSON object"),
    ("ledger", forge_ledger, "problem", "ledger says version 7, version 1 bears"),
    ("ledger", lose_ledger, "warning", "decided elsewhere"),
    ("ledger", cut_decision, "warning", "cut off in the middle"),
    ("prefect", dead_services, "problem", "worker of `seqline up` are gone"),
]


@pytest.mark.parametrize(
    ("check", "plant", "level", "text"), FAULTS, ids=[f"{row[0]}-{row[1].__name__}" for row in FAULTS]
)
def test_a_planted_fault_is_found_and_has_its_mend(
    project: Project, check: str, plant: Callable[[Project], None], level: str, text: str
) -> None:
    import re

    plant(project)
    found = [finding for finding in look(project, check) if finding.level != "ok"]
    assert [finding.level for finding in found] == [level], found
    assert re.search(text, found[0].found), found
    assert found[0].mend
    assert found[0].check == check


@pytest.mark.parametrize(
    ("check", "variables", "level", "text"),
    [
        ("telemetry", {"MLFLOW_DISABLE_TELEMETRY": "false"}, "warning", "MLFLOW_DISABLE_TELEMETRY"),
        ("telemetry", {"MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "true"}, "warning", "run code"),
        ("prefect", {"PREFECT_API_URL": f"{NOBODY_LISTENS}/api"}, "problem", "does not answer"),
        ("schedules", {"PREFECT_API_URL": f"{NOBODY_LISTENS}/api"}, "problem", "does not answer"),
        ("workers", {"PREFECT_API_URL": "http://user:secret@127.0.0.1:9/api"}, "problem", "does not answer"),
    ],
)
def test_a_variable_that_leads_astray_is_found(
    project: Project, check: str, variables: dict[str, str], level: str, text: str
) -> None:
    found = look(project, check, **variables)
    assert [finding.level for finding in found] == [level], found
    assert text in found[0].found
    assert found[0].mend
    assert "secret" not in found[0].found


def test_another_python_and_a_full_disk_are_problems(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installation, "PYTHON", (2, 7))
    assert [found.level for found in look(project, "python")] == ["problem"]
    monkeypatch.setattr(installation, "WARNING_BYTES", 1 << 60)
    monkeypatch.setattr(installation, "PROBLEM_BYTES", 0)
    assert [found.level for found in look(project, "disk")] == ["warning"]
    monkeypatch.setattr(installation, "PROBLEM_BYTES", 1 << 60)
    assert [found.level for found in look(project, "disk")] == ["problem"]


def test_events_of_many_runs_are_found(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    atomic_write(project.root / ".seqline" / "events" / "run.jsonl", "{}\n" * 10)
    assert [found.level for found in look(project, "leftovers")] == ["ok"]
    monkeypatch.setattr(files_on_disk, "EVENTS_BYTES", 20)
    assert [found.level for found in look(project, "leftovers")] == ["warning"]


def test_an_alias_that_was_moved_past_seqline_is_found(project: Project) -> None:
    client = project.tracking.client
    client.delete_registered_model_alias(project.name, CHAMPION)
    try:
        (found,) = look(project, "ledger")
        assert found.level == "problem"
        assert "no version bears the alias" in found.found
        assert [finding.level for finding in look(project, "champions")] == ["warning"]
    finally:
        client.set_registered_model_alias(project.name, CHAMPION, "1")


def test_the_owner_at_work_is_named_and_its_folders_left_alone(project: Project) -> None:
    program = (
        "import sys, time; from pathlib import Path; from seqline.owner import own_workspace; "
        "from seqline.workspace import Workspace\n"
        "with own_workspace(Workspace(Path(sys.argv[1])), 'seqline run toy'): print('in', flush=True); time.sleep(60)"
    )
    leave_half_a_folder(project)
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(project.root)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "in\n"
        (found,) = look(project, "locks")
        assert found.level == "ok"
        assert f"process {process.pid}" in found.found
        assert [finding.level for finding in look(project, "leftovers")] == ["ok"]
    finally:
        process.kill()
        process.communicate()


def test_a_store_that_cannot_be_read_or_reached_is_found(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(project.root / name, tmp_path / name)
    store = {"store": CHECKS["store"]}
    (found,) = diagnose(Situation(Workspace(tmp_path)), store)
    assert (found.level, found.found) == ("warning", "no registry yet")
    assert not (tmp_path / ".seqline").exists()
    atomic_write(tmp_path / ".seqline" / "mlflow.db", "this is no database, whatever its name says\n" * 40)
    (found,) = diagnose(Situation(Workspace(tmp_path)), store)
    assert (found.level, bool(found.mend)) == ("problem", True)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://user:secret@{NOBODY_LISTENS.partition('//')[2]}")
    (found,) = diagnose(Situation(Workspace(tmp_path)), store)
    assert found.level == "problem"
    assert "127.0.0.1:9 does not answer" in found.found
    assert "secret" not in found.found


def test_the_command_says_what_to_type_and_ends_with_1_only_for_problems(project: Project) -> None:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("MLFLOW_", "PREFECT_"))}
    words = [sys.executable, "-c", "from seqline.cli import main; main()", "doctor"]
    lose_weights(project)
    told = subprocess.run([*words], cwd=project.root, env=kept, capture_output=True, text=True, check=False)
    assert told.returncode == 1
    assert told.stderr == ""
    assert "mend: dvc checkout artifacts/toy/train, or seqline run toy" in told.stdout
    shutil.rmtree(project.model_folder)
    told = subprocess.run(
        [*words, "--json"], cwd=project.root, env=kept, capture_output=True, text=True, check=False
    )
    answer = json.loads(told.stdout)
    assert answer["counts"]["problem"] == 0, answer
    assert told.returncode == 0
