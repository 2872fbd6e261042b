"""What a rebuild needs, kept inside a version's package: commit, data, recipe, packages and what the stages read.

An unattended run changes `data.dvc`, `dvc.lock` and sometimes a recipe without a commit, so their content is recorded;
of the code only the commit is, and which files differed from it.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from seqline.config import read_yaml
from seqline.errors import InputError
from seqline.files import read_json, sha256_file, write_json
from seqline.tracking.lineage import changed_code, git_commit
from seqline.workspace import STAGES, Workspace

ORIGIN_FILE = "origin.json"


@dataclass(frozen=True)
class Origin:
    """All that a version was made from. Empty: there is no such thing in its project.

    Attributes:
        name: The model.
        git_commit: Commit of the project folder.
        code_changed: Files of the code that differed from the commit, relative to the project folder.
        data_dvc: Content of `data.dvc`.
        recipe_yaml: Content of the recipe's file.
        requirements_sha256: Of `requirements.lock`.
        python: Version of the interpreter.
        machine: Processor architecture and what torch makes of it; weights are the same on the same kind only.
        packages: Installed version of every package in `requirements.lock`.
        inputs: Path -> md5 of everything that validate, prepare and train read, as `dvc.lock` has it.
    """

    name: str
    git_commit: str = ""
    code_changed: list[str] = field(default_factory=list)
    data_dvc: str = ""
    recipe_yaml: str = ""
    requirements_sha256: str = ""
    python: str = ""
    machine: str = ""
    packages: dict[str, str] = field(default_factory=dict)
    inputs: dict[str, str] = field(default_factory=dict)

    def write(self, package: Path) -> None:
        """Put it into a package, where its digest covers it."""
        write_json(package / ORIGIN_FILE, asdict(self))

    @classmethod
    def read(cls, package: Path) -> Origin | None:
        """Read it off a package; None for one that was registered before this was kept."""
        path = package / ORIGIN_FILE
        if not path.is_file():
            return None
        try:
            return cls(**read_json(path))
        except TypeError as error:
            raise InputError(str(path), f"not what this seqline understands ({error})") from None


def collect_origin(root: Path, name: str) -> Origin:
    """Read what a model was made from off the project's files.

    Args:
        root: Root folder of the project.
        name: The model.
    """
    workspace = Workspace(root)
    requirements = root / "requirements.lock"
    commit = git_commit(root)
    return Origin(
        name=name,
        git_commit=commit,
        code_changed=changed_code(root) if commit else [],
        data_dvc=_text(root / "data.dvc"),
        recipe_yaml=_text(workspace.recipe_path(name)),
        requirements_sha256=sha256_file(requirements) if requirements.is_file() else "",
        python=platform.python_version(),
        machine=this_machine(),
        packages=installed_packages(requirements),
        inputs=stage_inputs(root, name),
    )


def this_machine() -> str:
    """Architecture and the instruction set that torch's CPU kernels use here."""
    import torch

    return f"{platform.machine()} {torch.backends.cpu.get_cpu_capability()}"


def installed_packages(requirements: Path) -> dict[str, str]:
    """Installed version of each package that a lock file names; those that are not installed are left out."""
    found = {}
    for line in _text(requirements).splitlines():
        name = line.partition("==")[0].strip()
        if "==" in line and not name.startswith("#"):
            try:
                found[name] = version(name)
            except PackageNotFoundError:
                continue
    return found


def stage_inputs(root: Path, name: str) -> dict[str, str]:
    """Path -> md5 of what the stages up to train read, as `dvc.lock` recorded it at their last run."""
    lock = root / "dvc.lock"
    values: Any = (read_yaml(lock) if lock.is_file() else None) or {}
    stages: Mapping[str, Any] = values.get("stages", {})
    chosen = [stages.get(f"{stage}@{name}", {}) for stage in STAGES if stage != "evaluate"]
    return {str(dep["path"]): str(dep.get("md5", "")) for stage in chosen for dep in stage.get("deps", [])}


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""
