"""All checks, by name, and how they are run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from seqline.diagnosis import files_on_disk, installation, prefect_state, registry_state
from seqline.diagnosis.findings import Finding, Findings, Situation, one_line, problem
from seqline.errors import SeqlineError

Check = Callable[[Situation], Findings]
_THREADS = 4
_ELSE = "see docs/operations.md"


def diagnose(situation: Situation, checks: Mapping[str, Check] | None = None) -> list[Finding]:
    """Run checks, several at a time: most of them wait for a program or a server.

    Args:
        situation: What to look at.
        checks: Which; by default all.

    Returns:
        What they found, in the order of the checks. A check that fails is a problem found, never an exception.
    """
    chosen = CHECKS if checks is None else checks
    with ThreadPoolExecutor(_THREADS) as pool:
        results = pool.map(lambda name: _run(situation, name, chosen[name]), chosen)
        return [finding for found in results for finding in found]


def _run(situation: Situation, name: str, check: Check) -> list[Finding]:
    found: list[Finding] = []
    try:
        found.extend(check(situation))
    except SeqlineError as error:
        found.append(problem(one_line(error), error.hint or _ELSE))
    except Exception as error:
        # Whoever asks what is wrong is not helped by a traceback; a file in an unheard-of state is a finding too.
        text = " ".join(str(error).split())[:200]
        found.append(
            problem(f"could not be looked at: {type(error).__name__}: {text}", "see docs/operations.md")
        )
    return [replace(finding, check=name) for finding in found]


CHECKS: dict[str, Check] = {
    "python": installation.python,
    "packages": installation.packages,
    "disk": installation.disk,
    "telemetry": installation.telemetry,
    "recipes": files_on_disk.recipes,
    "data": files_on_disk.data,
    "remote": files_on_disk.remote,
    "artifacts": files_on_disk.artifacts,
    "locks": files_on_disk.locks,
    "leftovers": files_on_disk.leftovers,
    "store": registry_state.store,
    "runs": registry_state.runs,
    "champions": registry_state.champions,
    "ledger": registry_state.ledger,
    "prefect": prefect_state.prefect,
    "schedules": prefect_state.schedules,
    "workers": prefect_state.workers,
}
