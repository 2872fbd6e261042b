"""The life of one model, as a user lives it: new, run, again, predict, a worse challenger, a better one, rollback.

The tests of this module run in order and each goes on from the state the one before left.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

from conftest import Project

from seqline.config import read_yaml
from seqline.files import files_below, sha256_file


def history(project: Project) -> list[dict]:  # type: ignore[type-arg]
    return [json.loads(line) for line in project.seqline("history", "tiny", "--json").stdout.splitlines()]


def champion(project: Project) -> int:
    code = (
        "import mlflow, sys; c = mlflow.MlflowClient(tracking_uri=sys.argv[1]);"
        "print(c.get_model_version_by_alias('tiny', 'champion').version)"
    )
    return int(
        project.call("python", "-c", code, f"sqlite:///{project.root}/.seqline/mlflow.db", check=0).stdout
    )


def runs_by_status(project: Project) -> list[str]:
    code = (
        "import mlflow, sys; c = mlflow.MlflowClient(tracking_uri=sys.argv[1]);"
        "e = c.get_experiment_by_name('tiny'); print(*[r.info.status for r in c.search_runs([e.experiment_id])])"
    )
    return project.call(
        "python", "-c", code, f"sqlite:///{project.root}/.seqline/mlflow.db", check=0
    ).stdout.split()


def test_a_killed_run_is_followed_by_one_that_ends_with_a_champion(project: Project) -> None:
    victim = subprocess.Popen(
        ["seqline", "run", "tiny"], cwd=project.root, env=project.environment(), start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    for _ in range(1200):
        if (project.root / ".seqline" / "checkpoints" / "tiny").is_dir() or victim.poll() is not None:
            break
        time.sleep(0.1)
    assert victim.poll() is None, "the run ended before it could be killed"
    os.killpg(victim.pid, signal.SIGKILL)
    victim.wait()

    other = subprocess.Popen(
        ["seqline", "run", "tiny"], cwd=project.root, env=project.environment(), stdout=subprocess.DEVNULL
    )
    told = project.seqline("run", "tiny")
    assert other.wait() == 0
    table = dict(line.split("  ", 1) for line in told.stdout.splitlines()[-8:])
    assert table["champion"].strip() == "version 1"
    assert table["gate"].strip().startswith("promoted")
    assert (project.root / table["report"].strip()).is_file()
    assert champion(project) == 1
    assert [entry["outcome"] for entry in history(project)] == ["promoted"]
    assert sorted(runs_by_status(project)) == ["FAILED", "FINISHED"]


def test_a_second_run_changes_nothing(project: Project) -> None:
    before = {
        path: sha256_file(path)
        for path in [project.root / "dvc.lock", *files_below(project.root / "artifacts")]
    }
    told = project.seqline("run", "tiny")
    assert "nothing to do for tiny" in told.stdout
    assert "version 1" in told.stdout
    assert {path: sha256_file(path) for path in before} == before
    assert len(history(project)) == 1
    assert "up to date" in project.dvc("repro", "evaluate@tiny").stdout


def test_dvc_knows_every_file_evaluate_writes_and_shows_metrics_and_plots(
    project: Project, tmp_path: Path
) -> None:
    tracked = {
        entry["path"] for entry in read_yaml(project.root / "dvc.lock")["stages"]["evaluate@tiny"]["outs"]
    }
    written = {
        str(path.relative_to(project.root)) for path in files_below(project.root / "artifacts/tiny/evaluate")
    }
    assert tracked == written
    shown = json.loads(project.dvc("metrics", "show", "--json").stdout)
    metrics = next(iter(shown.values()))["data"]["artifacts/tiny/evaluate/metrics.json"]["data"]
    assert metrics["accuracy"] > metrics["baseline.majority.accuracy"]
    project.dvc("plots", "show", "--out", str(tmp_path / "plots"))
    assert "confusion" in (tmp_path / "plots" / "index.html").read_text()


def test_dvc_alone_gives_the_same_bytes(project: Project) -> None:
    lock = (project.root / "dvc.lock").read_bytes()
    project.dvc("repro", "--force", "evaluate@tiny")
    assert (project.root / "dvc.lock").read_bytes() == lock
    assert "nothing to do" in project.seqline("run", "tiny").stdout


def test_the_champion_answers_arguments_files_and_standard_input(
    project: Project, tmp_path: Path, csv_files: tuple[Path, Path]
) -> None:
    lines = [
        json.loads(line)
        for line in project.seqline("predict", "tiny", "--json", "The food is good.", "").stdout.splitlines()
    ]
    assert [line["text"] for line in lines] == ["The food is good.", ""]
    assert all(set(line["probabilities"]) == {"negative", "positive"} for line in lines)
    from_file = [
        json.loads(line)
        for line in project.seqline(
            "predict", "tiny", "--json", "--file", str(csv_files[1])
        ).stdout.splitlines()
    ]
    assert len(from_file) == 300
    (tmp_path / "texts.txt").write_text(
        "".join(f"{' '.join(line['text'].split())}\n" for line in from_file[:5]), encoding="utf-8"
    )
    from_lines = [
        json.loads(line)
        for line in project.seqline(
            "predict", "tiny", "--json", "--file", str(tmp_path / "texts.txt")
        ).stdout.splitlines()
    ]
    assert [line["label"] for line in from_lines] == [line["label"] for line in from_file[:5]]
    predictions = [
        json.loads(line)
        for line in (project.root / "artifacts/tiny/evaluate/predictions.jsonl").read_text().splitlines()
    ]
    classes = ["negative", "positive"]
    assert [classes[row["prediction"]] for row in predictions] == [line["label"] for line in from_file]


def test_bad_files_to_predict_are_refused_and_a_reader_may_leave(
    project: Project, tmp_path: Path, csv_files: tuple[Path, Path]
) -> None:
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9\n")
    for name, found in (("missing.txt", "no such file"), ("latin.txt", "UTF-8")):
        told = project.seqline("predict", "tiny", "--file", str(tmp_path / name), check=2)
        assert found in told.stderr
        assert "Traceback" not in told.stderr
    told = project.call("sh", "-c", 'seqline predict tiny --file "$0" | head -1', str(csv_files[1]), check=0)
    assert len(told.stdout.splitlines()) == 1
    assert told.stderr == ""


def test_mlflow_loads_the_champion_from_a_folder_outside_the_project(
    project: Project, tmp_path: Path
) -> None:
    code = (
        "import mlflow, sys; mlflow.set_tracking_uri(sys.argv[1]);"
        "m = mlflow.pyfunc.load_model('models:/tiny@champion'); print(m.predict(['The food is good.', 'bad'])[0]['label'])"
    )
    told = project.call(
        "python", "-c", code, f"sqlite:///{project.root}/.seqline/mlflow.db", cwd=tmp_path, check=0
    )
    expected = json.loads(project.seqline("predict", "tiny", "--json", "The food is good.").stdout)["label"]
    assert told.stdout.strip() == expected


def test_a_registered_model_holds_no_pickle(project: Project) -> None:
    names = [path.name for path in (project.root / ".seqline" / "mlartifacts").rglob("*")]
    assert "weights.safetensors" in names
    assert not [name for name in names if name.endswith((".pkl", ".pth", ".bin", ".pt"))]


def test_a_worse_challenger_is_refused_with_reasons_and_the_alias_stays(project: Project) -> None:
    project.change_recipe("tiny", training={"learning_rate": 1.0e-6, "epochs": 1})
    told = project.seqline("run", "tiny", check=4)
    assert "refused" in told.stdout
    assert champion(project) == 1
    last = history(project)[-1]
    assert (last["outcome"], last["version"], last["previous"]) == ("refused", 2, 1)
    assert [verdict["rule"] for verdict in last["verdicts"] if not verdict["passed"]]
    again = project.seqline("promote", "tiny", check=4)
    assert "refused" in again.stderr
    assert len(history(project)) == 2


def test_another_gate_is_another_question(project: Project) -> None:
    assert "nothing to do" in project.seqline("run", "tiny", check=4).stdout
    project.change_recipe("tiny", gate={"min_test_rows": 150})
    assert "nothing to do" not in project.seqline("run", "tiny", check=4).stdout
    assert [entry["outcome"] for entry in history(project)] == ["promoted", "refused", "refused"]
    assert "up to date" in project.dvc("status", "evaluate@tiny").stdout


def test_a_passing_challenger_takes_over_and_a_rollback_brings_the_old_one_back(project: Project) -> None:
    project.change_recipe(
        "tiny",
        training={"learning_rate": 0.025, "epochs": 6},
        gate={"champion": "not_worse", "margin": 1.0, "max_slice_drop": 1.0, "approval": "manual"},
    )
    assert "waits for a person's approval" in project.seqline("run", "tiny").stdout
    assert champion(project) == 1
    again = project.seqline("run", "tiny").stdout
    assert "nothing to do" in again
    assert "seqline promote tiny --approve" in again
    assert "promoted: approved" in project.seqline("promote", "tiny", "--approve").stdout
    assert champion(project) == 3
    assert "version 1 again" in project.seqline("rollback", "tiny", "--reason", "test").stdout
    assert champion(project) == 1
    told = project.seqline("run", "tiny", check=4)
    assert "a rollback took the alias from this content" in told.stdout
    assert champion(project) == 1
    assert [entry["outcome"] for entry in history(project)] == [
        "promoted",
        "refused",
        "refused",
        "held",
        "promoted",
        "rolled_back",
        "refused",
    ]
    models = project.seqline("models").stdout.splitlines()
    assert models[1].split()[:4] == ["tiny", "3", "1", "3"]


def test_data_that_break_the_contract_end_with_3_and_nothing_new(project: Project) -> None:
    project.change_recipe("tiny", validation={"min_rows": 5000})
    told = project.seqline("run", "tiny", check=3)
    assert "600" in told.stderr
    assert "Traceback" not in told.stdout + told.stderr
    assert champion(project) == 1
    assert len(history(project)) == 7


def test_verify_finds_an_altered_artifact(project: Project) -> None:
    project.seqline("verify")
    weights = project.root / "artifacts" / "tiny" / "train" / "weights.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.chmod(0o644)
    weights.write_bytes(bytes(content))
    assert "weights.safetensors was altered" in project.seqline("verify", check=1).stdout
