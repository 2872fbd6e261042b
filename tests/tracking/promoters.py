"""Many promoters at once, in processes of their own, with a right answer that does not depend on who comes first.

A round begins with a champion that is wrong on 40 of 400 rows. One promoter brings a model that is wrong on 2: under
`champion: better` it beats the champion however many were refused before it. All others bring models that are worse than
the first champion, so the gate refuses them before the best one is champion and after. Several bring the very same
content, as triggers that fire twice do: it becomes one version.

Eight losing contents, not more: bootstrap p-values end at 1 / 2,001, and look 10 at the same rows wants less.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
from collections import Counter
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import mlflow.pyfunc  # noqa: F401 (loaded once, before the processes part)
import pandas  # noqa: F401
from tiny_project import Project, make_evaluate, make_model, make_recipe

from seqline.errors import GateRefused
from seqline.tracking.chronicle import history
from seqline.tracking.ledger import champions
from seqline.tracking.promotion import promote
from seqline.tracking.registry import CHAMPION, aliases_of, register, versions
from seqline.tracking.runs import connect, finish_run, log_metrics, start_run

FIRST_ERRORS, BEST_ERRORS = 40, 2
LOSING_CONTENTS = 19
_SECONDS = 600


@dataclass(frozen=True)
class Round:
    """What a round left behind, and what each promoter was told."""

    told: list[str]
    alias: int | None
    replayed: int
    champion_errors: int
    versions: int
    outcomes: Counter[str]

    def check(self, promoters: int) -> None:
        """The best model is champion, once; the ledger says the same as the alias; one version a content."""
        losers = min(promoters - 1, LOSING_CONTENTS)
        assert sorted(self.told) == ["promoted"] + ["refused"] * (promoters - 1), self.told
        assert self.alias == self.replayed, self
        assert self.champion_errors == BEST_ERRORS, self
        assert self.versions == 2 + losers, self
        assert self.outcomes["promoted"] == 2, self
        assert self.outcomes["refused"] >= losers, self


def _context() -> Any:
    """Processes that import torch and MLflow once for all of them, and share no connection to a database."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["promoters"])
    before = os.environ.get("PYTHONPATH")
    # Python 3.11 does not tell its fork server our sys.path, and a preload that fails says nothing.
    os.environ["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parent), before or ""]).rstrip(os.pathsep)
    try:
        forkserver.ensure_running()
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before
    return context


def errors_of(promoter: int) -> int:
    """Rows the model of a promoter is wrong on; number 0 brings the best."""
    return BEST_ERRORS if promoter == 0 else FIRST_ERRORS + 4 * (1 + (promoter - 1) % LOSING_CONTENTS)


def start_round(root: Path, database: Path) -> None:
    """A project whose champion is wrong on 40 rows."""
    (root / ".seqline").mkdir(parents=True)
    shutil.copyfile(database, root / ".seqline" / "mlflow.db")
    Project(connect(root)).add(wrong=range(FIRST_ERRORS))


def run_rounds(folder: Path, database: Path, *, promoters: int, rounds: int) -> list[Round]:
    """Let so many processes register and promote at once, so many times, each round in a project of its own."""
    context = _context()
    roots = [folder / f"round-{number}" for number in range(rounds)]
    for root in roots:
        start_round(root, database)
    barrier = context.Barrier(promoters)
    answers = context.Queue()
    workers = [
        context.Process(target=_promoter, args=(number, roots, barrier, answers))
        for number in range(promoters)
    ]
    for worker in workers:
        worker.start()
    told: dict[int, list[str]] = {number: [] for number in range(rounds)}
    for _ in range(promoters * rounds):
        number, answer = answers.get(timeout=_SECONDS)
        told[number].append(answer)
    for worker in workers:
        worker.join()
    return [_round(root, told[number]) for number, root in enumerate(roots)]


def _round(root: Path, told: list[str]) -> Round:
    tracking = connect(root)
    alias = aliases_of(tracking, "toy").get(CHAMPION)
    entries = history(root, "toy")
    known = versions(tracking, "toy")
    accuracy = {version.version: float(version.tags["metric.accuracy"]) for version in known}
    return Round(
        told=told,
        alias=alias,
        replayed=champions(entries)[-1],
        champion_errors=round((1 - accuracy[alias or 0]) * 400),
        versions=len(known),
        outcomes=Counter(entry.outcome for entry in entries),
    )


def _promoter(number: int, roots: list[Path], barrier: Barrier, answers: Any) -> None:
    import torch

    torch.set_num_threads(1)
    os.environ.pop("MLFLOW_TRACKING_URI", None)
    model, evaluation = (roots[0].parent / f"promoter-{number}-{part}" for part in ("train", "evaluate"))
    make_model(model, wrong=range(errors_of(number)))
    make_evaluate(evaluation, model)
    for index, root in enumerate(roots):
        barrier.wait(_SECONDS)
        try:
            answers.put((index, _promote(root, model, evaluation)))
        except Exception as error:  # what went wrong belongs into the parent's report
            answers.put((index, f"{type(error).__name__}: {error}"))


def _promote(root: Path, model: Path, evaluation: Path) -> str:
    from seqline.tracking.lineage import Lineage

    tracking, recipe = connect(root), make_recipe(max_latency_ms=60_000.0)
    run_id = start_run(tracking, "toy")
    registered = register(
        tracking,
        "toy",
        model_folder=model,
        evaluate_folder=evaluation,
        recipe=recipe,
        lineage=Lineage(),
        run_id=run_id,
    )
    prepared = root / "artifacts" / "toy" / "prepare"
    try:
        return promote(
            tracking,
            "toy",
            recipe=recipe,
            prepare_folder=prepared,
            evaluate_folder=evaluation,
            version=registered.version,
        ).outcome
    except GateRefused:
        return "refused"
    finally:
        finish_run(tracking, run_id)


def write_metrics(root: Path, *, writers: int, metrics: int) -> list[int]:
    """Let so many processes log so many points each, a call a point, into one run; returns the points it has of each."""
    context = _context()
    tracking = connect(root)
    run_id = start_run(tracking, "toy")
    barrier = context.Barrier(writers)
    workers = [
        context.Process(target=_writer, args=(number, root, run_id, metrics, barrier))
        for number in range(writers)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return [
        len({point.step for point in tracking.client.get_metric_history(run_id, f"writer{number}")})
        for number in range(writers)
    ]


def _writer(number: int, root: Path, run_id: str, metrics: int, barrier: Barrier) -> None:
    os.environ.pop("MLFLOW_TRACKING_URI", None)
    tracking = connect(root)
    barrier.wait(_SECONDS)
    for step in range(metrics):
        log_metrics(tracking, run_id, {f"writer{number}": float(step)}, step=step)
