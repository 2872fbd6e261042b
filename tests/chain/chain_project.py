"""A project folder of its own for whole-chain tests: real DVC, Prefect, MLflow and Great Expectations on a few hundred rows."""

from __future__ import annotations

import csv
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from seqline.config import read_yaml, write_yaml
from seqline.data.samples.reviews import reviews
from seqline.errors import SeqlineError
from seqline.prefect_server import PrefectServer
from seqline.processes import ProcessId, alive, end

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
Told = subprocess.CompletedProcess[str]


@dataclass(frozen=True)
class Project:
    """A project folder and how commands are called in it.

    Attributes:
        root: The folder.
        settings: Variables of the environment that its commands get besides; the caller's own are kept from them.
    """

    root: Path
    settings: Mapping[str, str] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        kept = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(("MLFLOW_", "PREFECT_", "SEQLINE_", "AWS_"))
        }
        return {**kept, "PATH": f"{BIN}{os.pathsep}{kept['PATH']}", **self.settings}

    def call(self, *words: str, cwd: Path | None = None, check: int | None = None) -> Told:
        told = subprocess.run(
            words,
            cwd=cwd or self.root,
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        if check is not None:
            assert told.returncode == check, (
                f"{words} ended with {told.returncode}:\n{told.stdout}\n{told.stderr}"
            )
        return told

    def seqline(self, *words: str, check: int | None = 0, cwd: Path | None = None) -> Told:
        return self.call("seqline", *words, check=check, cwd=cwd)

    def dvc(self, *words: str) -> Told:
        return self.call("dvc", *words, check=0)

    def change_recipe(self, name: str, **sections: dict[str, object]) -> None:
        path = self.root / "recipes" / f"{name}.yaml"
        values = read_yaml(path)
        for section, changes in sections.items():
            values[section] = {**values[section], **changes}
        write_yaml(path, values)


def write_csv(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def make_project(root: Path) -> Project:
    for name in ("src", "flows"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    for name in ("dvc.yaml", ".dvcignore", "requirements.lock"):
        shutil.copy(ROOT / name, root / name)
    write_yaml(root / "params.yaml", {"recipes": []})
    (root / "recipes").mkdir()
    project = Project(root)
    project.dvc("init", "--no-scm", "--quiet")
    project.dvc("config", "core.analytics", "false")
    return project


def write_rows(folder: Path) -> tuple[Path, Path]:
    """Training and test rows as files."""
    write_csv(folder / "train.csv", reviews(rows=600, seed=5, split="train"))
    write_csv(folder / "test.csv", reviews(rows=300, seed=5, split="test"))
    return folder / "train.csv", folder / "test.csv"


def make_tiny(root: Path, csv_files: tuple[Path, Path]) -> Project:
    """A project with the recipe `tiny`, made by `seqline new`, without any runtime state."""
    made = make_project(root)
    train, test = csv_files
    made.seqline(
        "new", "tiny", "--from", str(train), "--test", str(test),
        "--task", "classification", "--input", "text", "--target", "label",
    )  # fmt: skip
    made.change_recipe(
        "tiny",
        model={
            "hidden_size": 16,
            "embedding_dim": 16,
            "dropout": 0.1,
            "embedding_dropout": 0.0,
            "word_dropout": 0.0,
        },
        training={"epochs": 6, "batch_size": 32, "learning_rate": 0.02, "threads": 1},
        evaluation={
            "bootstrap_rounds": 100,
            "baselines": ["majority", "tfidf_unigram"],
            "slices": ["length", "domain"],
        },
        gate={"baseline": "majority", "floors": {"accuracy": 0.5}, "min_test_rows": 100},
    )
    # As in a fresh clone: no runtime state at all.
    shutil.rmtree(made.root / ".seqline")
    return made


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def standing_prefect(project: Project) -> Iterator[Project]:
    """The same project with a Prefect server that stays: a temporary one for each run takes ten seconds of it."""
    url = f"http://127.0.0.1:{free_port()}/api"
    port = url.rpartition(":")[2].partition("/")[0]
    home = {"PREFECT_HOME": str(project.root / ".seqline" / "prefect")}
    server = subprocess.Popen(
        ["prefect", "server", "start", "--host", "127.0.0.1", "--port", port, "--no-ui"],
        env={**project.environment(), **home},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    identity = ProcessId.of(server.pid)
    try:
        for _ in range(600):
            try:
                PrefectServer(url).ask("health")
                break
            except SeqlineError:
                assert server.poll() is None, "Prefect's server ended"
                time.sleep(0.2)
        yield replace(project, settings={**project.settings, "PREFECT_API_URL": url})
    finally:
        end(alive([identity]))
        server.wait()
