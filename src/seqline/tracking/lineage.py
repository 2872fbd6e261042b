"""Where a model comes from: commit, data, recipe and the digest of every stage's outputs."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seqline.config import read_yaml, sections_of
from seqline.files import MANIFEST_NAME, sha256_file, sha256_json
from seqline.recipe import Recipe

_STAGES = ("validate", "prepare", "train", "evaluate")
_GIT_SECONDS = 20
# What the bytes of a model depend on besides data and recipe.
CODE = ("src", "dvc.yaml", "requirements.lock")
_STATUS_CHARACTERS = len("XY ")


@dataclass(frozen=True)
class Lineage:
    """What a model was made from. Empty text: there is no such thing here (no git, no dvc.lock yet).

    Attributes:
        git_commit: Commit of the working tree.
        code_dirty: "true" when code differs from that commit; data and recipes may, they are recorded themselves.
        dvc_lock_sha256: Of dvc.lock.
        data_md5: DVC's digest of the data folder that `train@NAME` or `prepare@NAME` depends on.
        recipe_sha256: Of all sections with their defaults.
        manifests: Stage -> sha256 of its manifest.json.
    """

    git_commit: str = ""
    code_dirty: str = ""
    dvc_lock_sha256: str = ""
    data_md5: str = ""
    recipe_sha256: str = ""
    manifests: Mapping[str, str] = field(default_factory=dict)

    def tags(self) -> dict[str, str]:
        """As tags of a run or a version."""
        named = {
            "git_commit": self.git_commit,
            "code_dirty": self.code_dirty,
            "dvc_lock_sha256": self.dvc_lock_sha256,
            "data_md5": self.data_md5,
            "recipe_sha256": self.recipe_sha256,
        }
        return {**named, **{f"manifest.{stage}": digest for stage, digest in self.manifests.items()}}


def collect_lineage(root: Path, name: str, recipe: Recipe) -> Lineage:
    """Read the lineage of a model from the project's files.

    Args:
        root: Root folder of the project.
        name: The model.
        recipe: Its recipe.
    """
    lock = root / "dvc.lock"
    folders = {stage: root / "artifacts" / name / stage / MANIFEST_NAME for stage in _STAGES}
    commit = git_commit(root)
    return Lineage(
        git_commit=commit,
        code_dirty=str(bool(changed_code(root))).lower() if commit else "",
        dvc_lock_sha256=sha256_file(lock) if lock.is_file() else "",
        data_md5=_data_md5(read_yaml(lock), name) if lock.is_file() else "",
        recipe_sha256=sha256_json(sections_of(recipe, *type(recipe).model_fields)),
        manifests={stage: sha256_file(path) for stage, path in folders.items() if path.is_file()},
    )


def _data_md5(lock: Any, name: str) -> str:
    stage = (lock or {}).get("stages", {}).get(f"prepare@{name}", {})
    for dependency in stage.get("deps", []):
        if str(dependency.get("path", "")).startswith(f"data/{name}"):
            return str(dependency.get("md5", ""))
    return ""


def git_commit(root: Path) -> str:
    """Commit of the working tree; empty where there is none."""
    return _git(root, "rev-parse", "HEAD").strip()


def changed_code(root: Path) -> list[str]:
    """Files of the code that differ from the commit or are not in it, relative to the project folder."""
    prefix = _git(root, "rev-parse", "--show-prefix").strip()
    told = _git(root, "status", "--porcelain", "-z", "--no-renames", "--untracked-files=all", "--", *CODE)
    paths = [entry[_STATUS_CHARACTERS:] for entry in told.split("\0") if entry]
    return sorted(path.removeprefix(prefix) for path in paths)


def _git(root: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603
            ["git", "-C", str(root), *arguments],  # noqa: S607
            capture_output=True,
            text=True,
            timeout=_GIT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""
