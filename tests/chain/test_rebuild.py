"""A registered model is made again in a clean folder, byte for byte, though data and recipe were never committed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from chain_project import Project, make_project

from seqline.files import sha256_file

IGNORED = [
    "/.venv",
    "/.seqline",
    "/artifacts",
    "/data",
    "__pycache__",
    "/.dvc/cache",
    "/.dvc/tmp",
    "/.dvc/config.local",
]


@pytest.fixture(scope="module")
def committed(tmp_path_factory: pytest.TempPathFactory, csv_files: tuple[Path, Path]) -> Project:
    """Only code is committed; recipe and data come later, as an unattended run leaves them, with version 1 as champion."""
    made = make_project(tmp_path_factory.mktemp("committed"))
    made.dvc("config", "--unset", "core.no_scm")
    (made.root / ".gitignore").write_text("\n".join(IGNORED) + "\n")
    git(made, "init", "--quiet")
    git(made, "add", ".")
    git(made, "commit", "--quiet", "--message", "code")
    train, test = csv_files
    made.seqline(
        "new", "tiny", "--from", str(train), "--test", str(test),
        "--task", "classification", "--input", "text", "--target", "label",
    )  # fmt: skip
    made.change_recipe(
        "tiny",
        model={"hidden_size": 8, "embedding_dim": 8},
        training={"epochs": 2, "batch_size": 32, "learning_rate": 0.02, "threads": 1},
        evaluation={
            "bootstrap_rounds": 100,
            "baselines": ["majority"],
            "slices": ["length"],
            "behaviours": [],
        },
        gate={"baseline": "none", "floors": {}, "min_test_rows": 100},
    )
    made.dvc("repro", "--quiet", "evaluate@tiny")
    made.seqline("register", "tiny")
    made.seqline("promote", "tiny")
    return made


def git(project: Project, *words: str) -> str:
    who = ["-c", "user.name=test", "-c", "user.email=test@example.invalid"]
    return project.call("git", *who, *words, check=0).stdout


def test_the_champion_is_made_again_from_its_registry_entry_alone(committed: Project, tmp_path: Path) -> None:
    weights = sha256_file(committed.root / "artifacts/tiny/train/weights.safetensors")
    # The project moves on: other data, another recipe, other code, no artifacts, no lock.
    committed.change_recipe("tiny", training={"epochs": 1, "seed": 7})
    with next((committed.root / "data/tiny/train").iterdir()).open("a") as handle:
        handle.write("")
    (committed.root / "data/tiny/train/2026-01-31.csv").write_text("id,text,label\nx,good food,positive\n")
    committed.dvc("add", "--quiet", "data")
    shutil.rmtree(committed.root / "artifacts")
    (committed.root / "dvc.lock").unlink()
    before = project_files(committed.root)

    told = committed.seqline("rebuild", "tiny@champion", "--into", str(tmp_path / "again"))

    assert "tiny version 1: the same bytes again" in told.stdout
    assert f"runs     {tmp_path / 'again' / 'src' / 'seqline'}" in told.stdout
    assert "differs" not in told.stdout
    lines = [line.split() for line in told.stdout.splitlines()]
    assert ["weights.safetensors", weights[:16], weights[:16], "yes"] in lines
    assert sha256_file(tmp_path / "again/artifacts/tiny/train/weights.safetensors") == weights
    assert not (tmp_path / "again/data/tiny/train/2026-01-31.csv").exists()
    assert project_files(committed.root) == before


def project_files(root: Path) -> dict[str, str]:
    """Digests of all that is the project's, its DVC cache among it."""
    return {
        str(path.relative_to(root)): sha256_file(path)
        for path in sorted(root.rglob("*"))
        if path.is_file() and not {".seqline", "__pycache__", "tmp"} & set(path.relative_to(root).parts)
    }
