"""Checks of what is installed and set: Python, packages, disk, variables that report home."""

from __future__ import annotations

import re
import shutil
import sys
from importlib.metadata import PackageNotFoundError, version

from seqline.diagnosis.findings import Findings, Situation, ok, problem, warning

PYTHON = (3, 11)
# A run of the sample leaves about 100 MB; PyTorch and its caches need more than that to work at all.
PROBLEM_BYTES, WARNING_BYTES = 500 * 1024**2, 5 * 1024**3
# With another version of these, artifacts are not the same bytes, or nothing starts.
DECISIVE = {
    "dvc", "fastapi", "great_expectations", "mlflow", "numpy", "pandas", "prefect", "safetensors", "scikit-learn",
    "scipy", "sqlalchemy", "tokenizers", "torch",
}  # fmt: skip
# Variable -> the value that keeps a library quiet; the command line sets each that is not set.
TELEMETRY = {
    "DO_NOT_TRACK": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DVC_NO_ANALYTICS": "true",
    "GX_ANALYTICS_ENABLED": "false",
}
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;]+)")
_NAMED = 6


def python(_: Situation) -> Findings:
    """The version that everything is tested with."""
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] == PYTHON:
        yield ok(f"Python {found} at {sys.prefix}")
    else:
        yield problem(f"Python {found}; seqline needs 3.11", "rm -r .venv && make venv PYTHON=python3.11")


def packages(situation: Situation) -> Findings:
    """What is installed against requirements.lock."""
    lock = situation.workspace.root / "requirements.lock"
    if not lock.is_file():
        yield warning("no requirements.lock to compare with", "git checkout requirements.lock")
        return
    pins = [match for line in lock.read_text(encoding="utf-8").splitlines() if (match := _PIN.match(line))]
    decisive: list[str] = []
    others: list[str] = []
    for pin in pins:
        try:
            installed = version(pin[1])
        except PackageNotFoundError:
            installed = "missing"
        # torch 2.13.0+cpu is a build of 2.13.0.
        if installed.partition("+")[0] != pin[2].partition("+")[0]:
            name = pin[1].lower()
            (decisive if name in DECISIVE else others).append(f"{pin[1]} {installed}, locked {pin[2]}")
    mend = "rm .venv/lock.sha256 && make venv"
    if decisive:
        yield problem("; ".join(decisive), mend)
    if others:
        more = f"; {len(others) - _NAMED} more" if len(others) > _NAMED else ""
        yield warning("; ".join(others[:_NAMED]) + more, mend)
    if not decisive and not others:
        yield ok(f"{len(pins)} packages as in requirements.lock")


def disk(situation: Situation) -> Findings:
    """Room for checkpoints, artifacts and DVC's cache."""
    free = shutil.disk_usage(situation.workspace.root).free
    text = f"{free / 1024**3:.1f} GB free"
    mend = "dvc gc --workspace (the cache keeps only what is in use); make clean"
    if free < PROBLEM_BYTES:
        yield problem(text, mend)
    elif free < WARNING_BYTES:
        yield warning(text, mend)
    else:
        yield ok(text)


def telemetry(situation: Situation) -> Findings:
    """Libraries that would report home because a variable asks them to."""
    loud = [
        name
        for name, quiet in TELEMETRY.items()
        if name in situation.environment and _truth(situation.environment[name]) != _truth(quiet)
    ]
    if loud:
        yield warning(f"{', '.join(loud)} let libraries report home", f"unset {' '.join(loud)}")
    if _truth(situation.environment.get("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")):
        yield warning(
            "MLFLOW_ALLOW_PICKLE_DESERIALIZATION is on: MLflow's own commands run code out of models",
            "unset MLFLOW_ALLOW_PICKLE_DESERIALIZATION",
        )
    elif not loud:
        yield ok("no library reports home")


def _truth(value: str) -> bool:
    return value.strip().lower() in {"1", "true", "yes", "on"}
