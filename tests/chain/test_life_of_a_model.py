"""The life of one model, as a user lives it: new, run, again, predict, a worse challenger, a better one, rollback.

The tests of this module run in order and each goes on from the state the one before left.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from chain_project import Project, standing_prefect

from seqline.config import read_yaml
from seqline.files import files_below, sha256_file
from seqline.tracking.registry import aliases_of
from seqline.tracking.store import connect, experiment_id


def history(project: Project) -> list[dict]:  # type: ignore[type-arg]
    return [json.loads(line) for line in project.seqline("history", "tiny", "--json").stdout.splitlines()]


def champion(project: Project) -> int | None:
    return aliases_of(connect(project.root), "tiny").get("champion")


def runs_by_status(project: Project) -> list[str]:
    tracking = connect(project.root)
    runs = tracking.client.search_runs([experiment_id(tracking, "tiny")])
    return [run.info.status for run in runs]


@pytest.fixture(scope="module")
def served(project: Project) -> Iterator[Project]:
    with standing_prefect(project) as same:
        yield same


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


def test_a_second_run_changes_nothing(served: Project) -> None:
    before = {
        path: sha256_file(path)
        for path in [served.root / "dvc.lock", *files_below(served.root / "artifacts")]
    }
    told = served.seqline("run", "tiny")
    assert "nothing to do for tiny" in told.stdout
    assert "version 1" in told.stdout
    assert {path: sha256_file(path) for path in before} == before
    assert len(history(served)) == 1
    assert "up to date" in served.dvc("repro", "evaluate@tiny").stdout


def test_dvc_knows_every_file_evaluate_writes_and_shows_metrics_and_plots(
    served: Project, tmp_path: Path
) -> None:
    tracked = {
        entry["path"] for entry in read_yaml(served.root / "dvc.lock")["stages"]["evaluate@tiny"]["outs"]
    }
    written = {
        str(path.relative_to(served.root)) for path in files_below(served.root / "artifacts/tiny/evaluate")
    }
    assert tracked == written
    shown = json.loads(served.dvc("metrics", "show", "--json").stdout)
    metrics = next(iter(shown.values()))["data"]["artifacts/tiny/evaluate/metrics.json"]["data"]
    assert metrics["accuracy"] > metrics["baseline.majority.accuracy"]
    served.dvc("plots", "show", "--out", str(tmp_path / "plots"))
    assert "confusion" in (tmp_path / "plots" / "index.html").read_text()


def test_dvc_alone_gives_the_same_bytes(served: Project) -> None:
    lock = (served.root / "dvc.lock").read_bytes()
    served.dvc("repro", "--force", "evaluate@tiny")
    assert (served.root / "dvc.lock").read_bytes() == lock
    assert "nothing to do" in served.seqline("run", "tiny").stdout


def test_the_champion_answers_arguments_files_and_standard_input(
    served: Project, tmp_path: Path, csv_files: tuple[Path, Path]
) -> None:
    lines = [
        json.loads(line)
        for line in served.seqline("predict", "tiny", "--json", "The food is good.", "").stdout.splitlines()
    ]
    assert [line["text"] for line in lines] == ["The food is good.", ""]
    assert all(set(line["probabilities"]) == {"negative", "positive"} for line in lines)
    from_file = [
        json.loads(line)
        for line in served.seqline(
            "predict", "tiny", "--json", "--file", str(csv_files[1])
        ).stdout.splitlines()
    ]
    assert len(from_file) == 300
    (tmp_path / "texts.txt").write_text(
        "".join(f"{' '.join(line['text'].split())}\n" for line in from_file[:5]), encoding="utf-8"
    )
    from_lines = [
        json.loads(line)
        for line in served.seqline(
            "predict", "tiny", "--json", "--file", str(tmp_path / "texts.txt")
        ).stdout.splitlines()
    ]
    assert [line["label"] for line in from_lines] == [line["label"] for line in from_file[:5]]
    predictions = [
        json.loads(line)
        for line in (served.root / "artifacts/tiny/evaluate/predictions.jsonl").read_text().splitlines()
    ]
    classes = ["negative", "positive"]
    assert [classes[row["prediction"]] for row in predictions] == [line["label"] for line in from_file]


def test_bad_files_to_predict_are_refused_and_a_reader_may_leave(
    served: Project, tmp_path: Path, csv_files: tuple[Path, Path]
) -> None:
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9\n")
    for name, found in (("missing.txt", "no such file"), ("latin.txt", "UTF-8")):
        told = served.seqline("predict", "tiny", "--file", str(tmp_path / name), check=2)
        assert found in told.stderr
        assert "Traceback" not in told.stderr
    told = served.call("sh", "-c", 'seqline predict tiny --file "$0" | head -1', str(csv_files[1]), check=0)
    assert len(told.stdout.splitlines()) == 1
    assert told.stderr == ""


def test_mlflow_loads_the_champion_from_a_folder_outside_the_project(served: Project, tmp_path: Path) -> None:
    code = (
        "import mlflow, sys; mlflow.set_tracking_uri(sys.argv[1]);"
        "m = mlflow.pyfunc.load_model('models:/tiny@champion'); print(m.predict(['The food is good.', 'bad'])[0]['label'])"
    )
    told = served.call(
        "python", "-c", code, f"sqlite:///{served.root}/.seqline/mlflow.db", cwd=tmp_path, check=0
    )
    expected = json.loads(served.seqline("predict", "tiny", "--json", "The food is good.").stdout)["label"]
    assert told.stdout.strip() == expected


def test_a_registered_model_holds_no_pickle(served: Project) -> None:
    names = [path.name for path in (served.root / ".seqline" / "mlartifacts").rglob("*")]
    assert "weights.safetensors" in names
    assert not [name for name in names if name.endswith((".pkl", ".pth", ".bin", ".pt"))]


def test_a_worse_challenger_is_refused_with_reasons_and_the_alias_stays(served: Project) -> None:
    served.change_recipe("tiny", training={"learning_rate": 1.0e-6, "epochs": 1})
    told = served.seqline("run", "tiny", check=4)
    assert "refused" in told.stdout
    assert champion(served) == 1
    last = history(served)[-1]
    assert (last["outcome"], last["version"], last["previous"]) == ("refused", 2, 1)
    assert [verdict["rule"] for verdict in last["verdicts"] if not verdict["passed"]]
    again = served.seqline("promote", "tiny", check=4)
    assert "refused" in again.stderr
    assert len(history(served)) == 2


def test_another_gate_is_another_question(served: Project) -> None:
    assert "nothing to do" in served.seqline("run", "tiny", check=4).stdout
    served.change_recipe("tiny", gate={"min_test_rows": 150})
    assert "nothing to do" not in served.seqline("run", "tiny", check=4).stdout
    assert [entry["outcome"] for entry in history(served)] == ["promoted", "refused", "refused"]
    assert "up to date" in served.dvc("status", "evaluate@tiny").stdout


def test_a_passing_challenger_takes_over_and_a_rollback_brings_the_old_one_back(served: Project) -> None:
    served.change_recipe(
        "tiny",
        training={"learning_rate": 0.025, "epochs": 6},
        gate={"champion": "not_worse", "margin": 1.0, "max_slice_drop": 1.0, "approval": "manual"},
    )
    assert "waits for a person's approval" in served.seqline("run", "tiny").stdout
    assert champion(served) == 1
    again = served.seqline("run", "tiny").stdout
    assert "nothing to do" in again
    assert "seqline promote tiny --approve" in again
    assert "promoted: approved" in served.seqline("promote", "tiny", "--approve").stdout
    assert champion(served) == 3
    assert "version 1 again" in served.seqline("rollback", "tiny", "--reason", "test").stdout
    assert champion(served) == 1
    told = served.seqline("run", "tiny", check=4)
    assert "a rollback took the alias from this content" in told.stdout
    assert champion(served) == 1
    assert [entry["outcome"] for entry in history(served)] == [
        "promoted",
        "refused",
        "refused",
        "held",
        "promoted",
        "rolled_back",
        "refused",
    ]
    models = served.seqline("models").stdout.splitlines()
    assert models[1].split()[:4] == ["tiny", "3", "1", "3"]


def test_data_that_break_the_contract_end_with_3_and_nothing_new(served: Project) -> None:
    served.change_recipe("tiny", validation={"min_rows": 5000})
    told = served.seqline("run", "tiny", check=3)
    assert "600" in told.stderr
    assert "Traceback" not in told.stdout + told.stderr
    assert champion(served) == 1
    assert len(history(served)) == 7


def test_verify_finds_an_altered_artifact(served: Project) -> None:
    served.seqline("verify")
    weights = served.root / "artifacts" / "tiny" / "train" / "weights.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.chmod(0o644)
    weights.write_bytes(bytes(content))
    assert "weights.safetensors was altered" in served.seqline("verify", check=1).stdout
