"""Rebuild: the same model again, from its registry entry alone, in a clean folder, and the proof that it is the same.

The code comes from the recorded commit (a local clone, no network), the recipe and `data.dvc` from the version's package,
the data from the project's own DVC cache or its remote. The stages run there with that code; nothing of the project
changes, and no stage's output is taken from a cache.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqline.config import write_yaml
from seqline.errors import InputError, SeqlineError
from seqline.files import atomic_write, read_json, sha256_file
from seqline.graph import call_dvc, own_commands_first
from seqline.serving.model_folder import content_files
from seqline.tracking.origin import Origin, installed_packages, stage_inputs, this_machine
from seqline.tracking.packaging import model_folder_of
from seqline.tracking.registry import (
    CHALLENGER,
    CHAMPION,
    RegisteredVersion,
    get_version,
    with_alias,
)
from seqline.tracking.storage import package_folder
from seqline.tracking.store import Tracking
from seqline.workspace import Workspace

_TARGET = re.compile(r"(?P<name>[^@]+)@(?P<which>[^@]+)")


@dataclass(frozen=True)
class FileComparison:
    """One file of the model folder: sha256 as registered and as rebuilt; empty where it was not made."""

    name: str
    recorded: str
    rebuilt: str

    @property
    def same(self) -> bool:
        """Whether the bytes are the same."""
        return self.recorded == self.rebuilt


@dataclass(frozen=True)
class Rebuild:
    """What a rebuild came to.

    Attributes:
        version: The version that was rebuilt.
        commit: Commit of the code it ran.
        folder: Where the clone lies.
        code: The seqline package that ran there.
        files: Weights, tokenizer and description, compared.
        differences: What differs from when it was made, one line each: packages, machine, inputs of the stages.
    """

    version: RegisteredVersion
    commit: str
    folder: Path
    code: Path
    files: list[FileComparison]
    differences: list[str]

    @property
    def same(self) -> bool:
        """Whether every file has the recorded bytes."""
        return all(file.same for file in self.files)


def find_version(tracking: Tracking, target: str) -> RegisteredVersion:
    """The version that `NAME@champion`, `NAME@challenger` or `NAME@VERSION` means.

    Raises:
        InputError: It means none.
    """
    match = _TARGET.fullmatch(target)
    if match is None:
        raise InputError(target, "no version named", "NAME@champion, NAME@challenger or NAME@VERSION")
    name, which = match["name"], match["which"]
    if which in {CHAMPION, CHALLENGER}:
        version = with_alias(tracking, name, which)
        if version is None:
            raise InputError(target, f"no {which}", hint=f"see `seqline history {name}`")
        return version
    if not which.isdecimal():
        raise InputError(target, f"{which!r} is no version", f"a number, {CHAMPION} or {CHALLENGER}")
    return get_version(tracking, name, int(which))


def rebuild(
    tracking: Tracking,
    version: RegisteredVersion,
    *,
    into: Path | None = None,
    on_line: Callable[[str], None],
) -> Rebuild:
    """Make a version's model again in a clean folder and compare it with the version's package.

    Args:
        tracking: The project.
        version: What to rebuild.
        into: An empty or absent folder for the clone; by default a temporary one, the caller's to remove when it is
            returned.
        on_line: Told what is done, line by line.

    Raises:
        InputError: The version cannot be rebuilt, with the reason; or `into` is not empty.
        SeqlineError: Commit or data are not to be had any more, or a stage failed.
    """
    package = package_folder(tracking, version)
    origin = _usable_origin(version, package)
    clone = _clean_folder(into)
    try:
        return _rebuild_in(clone, tracking.root, version, package, origin, on_line)
    except BaseException:
        if into is None:
            shutil.rmtree(clone, ignore_errors=True)
        raise


def _rebuild_in(
    clone: Path,
    root: Path,
    version: RegisteredVersion,
    package: Path,
    origin: Origin,
    on_line: Callable[[str], None],
) -> Rebuild:
    project = _clone(root, clone, origin)
    on_line(f"code     commit {origin.git_commit}, in {project}")
    _restore_inputs(root, project, origin)
    on_line("data     as recorded in data.dvc")
    environment = _environment(project)
    code = _package_that_runs(project, environment)
    on_line(f"runs     {code}")
    _run_stages(project, f"train@{version.name}", environment, on_line)
    recorded = model_folder_of(package)
    made = Workspace(project).artifact_folder(version.name, "train")
    files = [
        FileComparison(name, sha256_file(recorded / name), _digest(made / name))
        for name in content_files(recorded)
    ]
    differences = _differences(origin, project) + _recipe_differences(recorded, made)
    return Rebuild(version, origin.git_commit, clone, code, files, differences)


def _usable_origin(version: RegisteredVersion, package: Path) -> Origin:
    origin = Origin.read(package)
    where = f"{version.name} version {version.version}"
    if origin is None:
        raise InputError(
            where,
            "registered before seqline kept what a rebuild needs: content of data.dvc, recipe, package versions",
            hint="versions that are registered from now on can be rebuilt",
        )
    if not origin.git_commit:
        raise InputError(
            where,
            "no commit recorded: the project was not under git when it was registered",
            hint="`git init` and commit src/, dvc.yaml and requirements.lock; then later versions can be rebuilt",
        )
    if origin.code_changed:
        raise InputError(
            where,
            f"cannot be rebuilt from commit {origin.git_commit}, these files differed from it: "
            + ", ".join(origin.code_changed),
            "code as committed",
            "commit code before training; what is on a schedule should run from a clean checkout",
        )
    missing = [name for name in ("data_dvc", "recipe_yaml") if not getattr(origin, name)]
    if missing:
        raise InputError(where, f"recorded without {' and '.join(missing)}: the project had none")
    return origin


def _clean_folder(into: Path | None) -> Path:
    if into is None:
        return Path(tempfile.mkdtemp(prefix="seqline-rebuild-"))
    folder = into.resolve()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(str(into), "not an empty folder", "a folder that is empty or does not exist")
    return folder


def _clone(root: Path, folder: Path, origin: Origin) -> Path:
    """Check the recorded commit out into `folder`; returns the project's folder in it."""
    top = _git(root, "rev-parse", "--show-toplevel").strip()
    prefix = _git(root, "rev-parse", "--show-prefix").strip()
    _git(root, "clone", "--quiet", "--no-checkout", top, str(folder))
    try:
        _git(folder, "checkout", "--quiet", "--detach", origin.git_commit)
    except SeqlineError as error:
        raise SeqlineError(
            f"commit {origin.git_commit}",
            f"not in the repository {top}",
            hint=f"fetch the branch it was on, then rebuild again ({error.found})",
        ) from None
    project = folder / prefix
    if not (project / "dvc.yaml").is_file():
        raise SeqlineError(f"commit {origin.git_commit}", f"holds no dvc.yaml in {prefix or 'its root'}")
    return project


def _git(folder: Path, *arguments: str) -> str:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    done = subprocess.run(  # noqa: S603 (fixed words, paths of ours, a commit that git itself gave)
        ["git", "-C", str(folder), *arguments],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
        env=clean,
    )
    if done.returncode != 0:
        said = done.stderr.strip().splitlines()
        raise SeqlineError(f"git {arguments[0]}", said[-1] if said else f"exit code {done.returncode}")
    return done.stdout


def _restore_inputs(root: Path, project: Path, origin: Origin) -> None:
    """Recipe and data as recorded, the data out of the project's own cache, or else of its remote."""
    atomic_write(project / "recipes" / f"{origin.name}.yaml", origin.recipe_yaml)
    atomic_write(project / "data.dvc", origin.data_dvc)
    write_yaml(project / "params.yaml", {"recipes": [origin.name]})
    (project / ".dvc").mkdir(exist_ok=True)
    _dvc(project, "cache", "dir", "--local", _dvc(root, "cache", "dir").strip())
    if call_dvc(project, "checkout", "--quiet", "--force", "data.dvc").returncode == 0:
        return
    remotes = _borrow_remotes(root, project)
    if not remotes:
        raise SeqlineError(
            "data.dvc",
            "the recorded data are not in the project's DVC cache, and no remote is set",
            hint="`dvc remote add` where they were pushed to, then rebuild again",
        )
    told = call_dvc(project, "pull", "--quiet", "--force", "data.dvc")
    if told.returncode != 0:
        raise SeqlineError(
            "data.dvc",
            f"the recorded data are neither in the project's DVC cache nor on {', '.join(remotes)}",
            hint=_last_line(told.stderr),
        )


# Keys of a remote are for their owner's eyes.
_SECRET_FILE = 0o600


def _borrow_remotes(root: Path, project: Path) -> list[str]:
    """Give the clone the project's remotes: addresses relative to the project and local secrets are not in git."""
    secrets = root / ".dvc" / "config.local"
    cache = _dvc(root, "cache", "dir").strip()
    if secrets.is_file():
        copy = project / ".dvc" / "config.local"
        copy.touch(mode=_SECRET_FILE)
        copy.write_bytes(secrets.read_bytes())
        _dvc(project, "cache", "dir", "--local", cache)
    names = []
    for line in _dvc(root, "remote", "list").splitlines():
        name, address = line.split()[:2]
        _dvc(project, "remote", "modify", "--local", name, "url", address)
        names.append(name)
    return names


def _dvc(folder: Path, *arguments: str) -> str:
    told = call_dvc(folder, *arguments)
    if told.returncode != 0:
        raise SeqlineError(f"dvc {arguments[0]} in {folder}", _last_line(told.stderr))
    return told.stdout


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip() if lines else "no message"


def _environment(project: Path) -> dict[str, str]:
    """The clone's source first, this interpreter's commands first, no setting that points back at the project."""
    kept = {
        key: value for key, value in os.environ.items() if not key.startswith(("GIT_", "SEQLINE_", "MLFLOW_"))
    }
    return own_commands_first({**kept, "PYTHONPATH": str(project / "src")})


def _package_that_runs(project: Path, environment: dict[str, str]) -> Path:
    """Where `seqline` is imported from in the clone; the installed one may be the project's own source.

    Raises:
        SeqlineError: It is not the clone's.
    """
    done = subprocess.run(
        [sys.executable, "-c", "import seqline; print(seqline.__file__)"],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    found = Path(done.stdout.strip() or ".").resolve().parent
    if not found.is_relative_to((project / "src").resolve()):
        raise SeqlineError(
            str(project),
            f"seqline is imported from {found}",
            f"from {project / 'src'}",
            _last_line(done.stderr),
        )
    return found


def _run_stages(
    project: Path, stage: str, environment: dict[str, str], on_line: Callable[[str], None]
) -> None:
    # Forced and without the run cache: an output out of a cache would prove nothing. Not committed: the cache is the project's.
    command = ["repro", "--force", "--no-run-cache", "--no-commit", stage]
    process = subprocess.Popen(  # noqa: S603 (fixed words and a stage of dvc.yaml)
        [sys.executable, "-m", "dvc", *command],
        cwd=project,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    told = []
    with process:
        for line in process.stdout or ():
            told.append(line.rstrip())
            on_line(f"  {line.rstrip()}")
    if process.returncode != 0:
        raise SeqlineError(f"{stage} in {project}", "\n".join(line for line in told[-20:] if line))


def _digest(path: Path) -> str:
    return sha256_file(path) if path.is_file() else ""


def _differences(origin: Origin, project: Path) -> list[str]:
    """What is not as it was when the version was made: where the bytes differ, the reason is among them."""
    now = installed_packages(project / "requirements.lock")
    found = [
        f"package {name}: {origin.packages.get(name, 'absent')} then, {now.get(name, 'absent')} now"
        for name in sorted(origin.packages.keys() | now.keys())
        if origin.packages.get(name) != now.get(name)
    ]
    if origin.machine != this_machine():
        found.append(f"machine: {origin.machine} then, {this_machine()} now")
    inputs = stage_inputs(project, origin.name)
    # Outputs of one stage are inputs of the next; only what came from outside is a cause.
    found += [
        f"input {path}: md5 {origin.inputs[path]} then, {inputs.get(path, 'absent')} now"
        for path in sorted(origin.inputs)
        if not path.startswith("artifacts/") and inputs.get(path) != origin.inputs[path]
    ]
    return found


def _recipe_differences(recorded: Path, made: Path) -> list[str]:
    """Sections of the recipe that were not what they are in the recorded file when the version was trained."""
    if not (made / "manifest.json").is_file():
        return []
    then, now = (
        dict[str, Any](read_json(folder / "manifest.json").get("recipe", {})) for folder in (recorded, made)
    )
    return [
        f"recipe section {name}: changed between training and registration"
        for name in sorted(then)
        if then[name] != now.get(name)
    ]
