"""The entries of prefect.yaml that keep one model retrained and watched."""

from __future__ import annotations

from typing import Any

from seqline.config import read_yaml
from seqline.errors import InputError
from seqline.files import atomic_write, check_name
from seqline.workspace import Workspace

_HEAD = """\
# What runs by itself: `make up` deploys it to the Prefect server of this machine, `prefect deploy --all` to another.
# Three entries for each model; `seqline new` adds those of a new one. One run of a deployment at a time: a run that
# comes while another is at work is cancelled, not queued. The next one looks at everything that has come since, so a
# day of missed runs is one run. docs/retraining.md
name: seqline
prefect-version: 3.8.8

deployments:
"""
_ENTRY = """\
- name: {name}
  description: {description}
  entrypoint: flows/{flow}_flow.py:{flow}_flow
  parameters: {{name: {name}}}
  work_pool: {{name: seqline}}
  concurrency_limit: {{limit: 1, collision_strategy: CANCEL_NEW}}
  schedules:{schedules}
"""
_FLOWS = {
    "retrain": (
        "Take in what has come, decide, and train again if the recipe's policy says so.",
        '\n  - {cron: "0 3 * * *", timezone: UTC, slug: nightly, active: true}',
    ),
    "monitor": (
        "Compare new batches with what the champion was made from.",
        '\n  - {cron: "30 * * * *", timezone: UTC, slug: hourly, active: true}',
    ),
    "promote": (
        "The challenger through the gate, or the approval of one that is held. Started by people.",
        " []",
    ),
}


def require_deployments(workspace: Workspace) -> list[dict[str, Any]]:
    """The entries of prefect.yaml; none where there is no such file.

    Raises:
        InputError: It cannot be read, or entries cannot be added at its end.
    """
    path = workspace.root / "prefect.yaml"
    if not path.is_file():
        return []
    values = read_yaml(path)
    if not isinstance(values, dict) or list(values)[-1:] != ["deployments"]:
        raise InputError(
            str(path), "no list `deployments` as its last key", "the key at the end, where entries are added"
        )
    entries = values["deployments"] or []
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise InputError(
            str(path), "`deployments` is no list of entries", "a list, as `seqline new` writes it"
        )
    return entries


def add_deployments(workspace: Workspace, name: str) -> bool:
    """Add the entries of a model that has none, after all that is in the file; tells whether it did.

    Raises:
        InputError: See `require_deployments`.
    """
    path = workspace.root / "prefect.yaml"
    text = path.read_text(encoding="utf-8") if path.is_file() else _HEAD
    present = require_deployments(workspace)
    if any((entry.get("parameters") or {}).get("name") == name for entry in present):
        return False
    entries = [
        # A name may look like a number to YAML.
        _ENTRY.format(name=_quoted(name), flow=flow, description=description, schedules=schedules)
        for flow, (description, schedules) in _FLOWS.items()
    ]
    atomic_write(path, "\n".join([text.rstrip("\n") + "\n", *entries]))
    return True


def _quoted(name: str) -> str:
    return f'"{check_name(name)}"'
