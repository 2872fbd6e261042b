"""Checks of MLflow's store, its runs, the champions and the ledger."""

from __future__ import annotations

from seqline.diagnosis.findings import Findings, NoStoreError, Situation, ok, one_line, problem, warning
from seqline.errors import SeqlineError


def store(situation: Situation) -> Findings:
    """Whether MLflow's store answers."""
    from seqline.addresses import without_password

    try:
        tracking = situation.tracking
    except NoStoreError as error:
        yield warning("no registry yet", error.hint)
        return
    models = tracking.client.search_registered_models()
    yield ok(f"{without_password(tracking.uri)} answers, {len(models)} registered models")


def runs(situation: Situation) -> Findings:
    """Runs whose process is gone and that MLflow still calls RUNNING."""
    from seqline.tracking.runs import left_running

    dead = left_running(situation.workspace.root)
    if dead:
        yield warning(
            f"{len(dead)} runs belong to processes that are gone: {', '.join(run[:8] for run in dead)}",
            "seqline run NAME (the next start marks them FAILED)",
        )
    else:
        yield ok("no run without its process")


def champions(situation: Situation) -> Findings:
    """Each recipe's champion: there, reachable, every byte as registered."""
    from seqline.tracking.registry import champion
    from seqline.tracking.storage import package_folder

    try:
        tracking = situation.tracking
    except NoStoreError:
        yield warning("no champions yet", "seqline run NAME")
        return
    for name in situation.names:
        version = champion(tracking, name)
        if version is None:
            yield warning(
                f"{name}: no champion, so predict and serve have nothing to ask", f"seqline run {name}"
            )
            continue
        try:
            package_folder(tracking, version)
        except SeqlineError as error:
            yield problem(f"{name}: {one_line(error)}", f"seqline rollback {name}, or restore its files")
        else:
            yield ok(f"{name}: version {version.version}, package as registered")


def ledger(situation: Situation) -> Findings:
    """The ledger: readable, nothing half done, and its replay is the alias."""
    from seqline.tracking.ledger import champions as replay
    from seqline.tracking.registry import CHAMPION, aliases_of, ledger_of

    try:
        tracking = situation.tracking
    except NoStoreError:
        tracking = None
    for name in situation.names:
        book = ledger_of(situation.workspace.root, name)
        try:
            entries = book.entries()
        except SeqlineError as error:
            yield problem(one_line(error), f"restore .seqline/ledger/{name}.jsonl from a backup")
            continue
        if (book.folder / f"{name}.pending.json").is_file():
            yield warning(f"{name}: a decision was cut off in the middle", f"seqline promote {name}")
        line = replay(entries)
        if tracking is None:
            if entries:
                yield problem(
                    f"{name}: {len(entries)} decisions, but no registry", "restore .seqline from a backup"
                )
            continue
        alias = aliases_of(tracking, name).get(CHAMPION)
        last = line[-1] if line else None
        if alias == last:
            yield ok(
                f"{name}: {len(entries)} decisions, replay gives {f'version {last}' if last else 'no champion'}"
            )
        elif not entries:
            yield warning(
                f"{name}: version {alias} is champion, and this folder's ledger is empty: decided elsewhere",
                "copy .seqline/ledger from the folder that decides",
            )
        else:
            there = "no version bears the alias" if alias is None else f"version {alias} bears the alias"
            yield problem(
                f"{name}: the ledger says version {last}, {there}: somebody moved it past seqline",
                f"seqline rollback {name} --to {last}, or seqline promote {name}",
            )
