"""Checks of the project's files: recipes, data and DVC, artifacts, locks, what killed commands left."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from seqline.config import read_yaml
from seqline.diagnosis.findings import Findings, Situation, ok, one_line, problem, warning
from seqline.errors import SeqlineError
from seqline.files import MANIFEST_NAME, read_json
from seqline.owner import OWNER_VARIABLE, current_owner
from seqline.processes import marked
from seqline.recipe import Recipe
from seqline.scratch import abandoned, is_held
from seqline.workspace import STAGES

_NAMED = 4
EVENTS_BYTES = 100 * 1024**2


def recipes(situation: Situation) -> Findings:
    """params.yaml and each recipe it names."""
    try:
        situation.workspace.recipe_names()
    except SeqlineError as error:
        yield problem(one_line(error), "git checkout params.yaml, or write `recipes: [NAME, ...]` into it")
        return
    good = 0
    for name, found in situation.recipes.items():
        if isinstance(found, Recipe):
            good += 1
        else:
            yield problem(
                f"recipe {name}: {one_line(found)}", f"edit recipes/{name}.yaml; seqline recipe {name}"
            )
    folder = situation.workspace.root / "recipes"
    idle = sorted({path.stem for path in folder.glob("*.yaml")} - set(situation.names))
    if idle:
        yield warning(f"recipes that params.yaml does not name: {', '.join(idle)}", "add them to params.yaml")
    if good == len(situation.recipes):
        yield ok(f"{good} recipes: {', '.join(situation.names) or 'none'}")


def data(situation: Situation) -> Findings:
    """data/ against data.dvc, and the objects that DVC's cache should hold."""
    root = situation.workspace.root
    if not (root / ".dvc").is_dir():
        yield problem("no DVC repository here", "git checkout .dvc (in a clone) or dvc init")
        return
    told = situation.dvc("data", "status", "--json")
    if told.returncode != 0:
        yield problem(f"DVC: {_last_line(told.stderr)}", "mend what DVC says; dvc doctor")
        return
    # What stages make is theirs to keep up to date; here it is about what people and ingest put down.
    pointers = tuple(path.stem for path in root.glob("*.dvc") if path.is_file())
    changed = json.loads(told.stdout or "{}").get("uncommitted", {})
    named = [
        f"{path} {kind}"
        for kind, paths in changed.items()
        for path in paths
        if kind != "unknown" and path.partition("/")[0] in pointers
    ]
    missing = list(_missing_objects(root))
    gone = [path for path in pointers if not (root / path).exists()]
    if gone:
        where = (
            "and DVC's cache lacks objects of it too" if set(gone) & set(missing) else "but in DVC's cache"
        )
        mend = f"dvc pull {gone[0]}.dvc" if set(gone) & set(missing) else f"dvc checkout {gone[0]}.dvc"
        yield problem(f"{', '.join(gone)} is gone, {where}", mend)
        return
    if named:
        yield warning(
            f"not as recorded: {', '.join(named[:_NAMED])}",
            "dvc add data (keep it so), or dvc checkout data.dvc (as recorded)",
        )
    if missing:
        yield warning(
            f"{len(missing)} objects missing in DVC's cache, of {', '.join(sorted(set(missing))[:_NAMED])}",
            "dvc pull (a remote has them), else dvc commit --force (the folder has them)",
        )
    if not named and not missing:
        yield ok("data/ as in data.dvc, every recorded object in the cache")


def _missing_objects(root: Path) -> Iterator[str]:
    """The output's path for each object that data.dvc or dvc.lock records and the cache lacks."""
    cache = root / ".dvc" / "cache" / "files" / "md5"
    for path, digest in _recorded_outputs(root):
        stored = cache / digest[:2] / digest[2:]
        if not stored.is_file():
            yield path
        elif digest.endswith(".dir"):
            for entry in read_json(stored):
                if not (cache / entry["md5"][:2] / entry["md5"][2:]).is_file():
                    yield path


def _recorded_outputs(root: Path) -> Iterator[tuple[str, str]]:
    outputs: list[dict[str, Any]] = []
    for pointer in sorted(root.glob("*.dvc")):
        if pointer.is_file():
            outputs += (read_yaml(pointer) or {}).get("outs", [])
    if (root / "dvc.lock").is_file():
        for stage in ((read_yaml(root / "dvc.lock") or {}).get("stages") or {}).values():
            outputs += stage.get("outs", [])
    for output in outputs:
        if output.get("md5"):
            yield output["path"], output["md5"]


def remote(situation: Situation) -> Findings:
    """Where copies of the data go."""
    if not (situation.workspace.root / ".dvc").is_dir():
        return
    told = situation.dvc("remote", "list")
    if told.returncode != 0:
        yield problem(f"DVC: {_last_line(told.stderr)}", "mend .dvc/config")
        return
    if not told.stdout.strip():
        yield warning(
            "no DVC remote: data and artifacts exist on this disk only",
            "dvc remote add --default NAME s3://BUCKET/PATH (docs/operations.md)",
        )
        return
    status = situation.dvc("data", "status", "--json", "--not-in-remote")
    if status.returncode != 0:
        yield problem(
            f"the DVC remote does not answer: {_last_line(status.stderr)}", "dvc remote list; check its keys"
        )
        return
    absent = json.loads(status.stdout or "{}").get("not_in_remote", [])
    if absent:
        yield warning(f"not in the remote: {', '.join(absent[:_NAMED])}", "dvc push")
    else:
        yield ok(f"remote {told.stdout.split()[0]} answers and has what is recorded")


def artifacts(situation: Situation) -> Findings:
    """Artifact folders against their manifests: existence and size; `seqline verify` re-hashes."""
    files = 0
    damaged = False
    for name in situation.names:
        for stage in STAGES:
            folder = situation.workspace.artifact_folder(name, stage)
            if not folder.is_dir():
                continue
            shown = folder.relative_to(situation.workspace.root)
            mend = f"dvc checkout {shown}, or seqline run {name}"
            if not (folder / MANIFEST_NAME).is_file():
                damaged = True
                yield problem(f"{shown} is not complete: no manifest.json", mend)
                continue
            try:
                recorded = read_json(folder / MANIFEST_NAME)["files"]
            except SeqlineError as error:
                damaged = True
                yield problem(one_line(error), mend)
                continue
            wrong = [
                inside
                for inside, entry in recorded.items()
                if not (folder / inside).is_file() or (folder / inside).stat().st_size != entry["bytes"]
            ]
            files += len(recorded)
            if wrong:
                damaged = True
                yield problem(f"{shown}: {', '.join(wrong[:_NAMED])} missing or of another size", mend)
    if not damaged:
        yield ok(f"{files} files there; seqline verify re-hashes them")


def locks(situation: Situation) -> Findings:
    """Who owns the folder, and whether that process still lives."""
    quiet = True
    owner = current_owner(situation.workspace)
    if owner is not None:
        quiet = False
        text = f"`{owner.what}` (process {owner.pid} on {owner.host}, since {owner.since})"
        if _at_work(situation):
            yield ok(f"{text} is at work")
        else:
            left = len(marked(OWNER_VARIABLE, owner.token))
            yield warning(
                f"{text} died; it left {left} processes and its entry",
                "seqline run NAME (the next owner ends what is left), or wait for the schedule",
            )
    held = situation.workspace.root / ".dvc" / "tmp" / "rwlock"
    if held.is_file():
        entries: dict[str, Any] = read_json(held)
        writers = list(entries.get("write", {}).values())
        readers = [entry for listed in entries.get("read", {}).values() for entry in listed]
        dead = [entry for entry in (*writers, *readers) if not _runs(int(entry["pid"]))]
        if dead:
            quiet = False
            yield warning(
                f"DVC's lock names processes that are gone: {', '.join(str(entry['pid']) for entry in dead[:_NAMED])}",
                "rm .dvc/tmp/rwlock (while no dvc command runs)",
            )
    if quiet:
        yield ok("nobody is at work, nothing is held")


def leftovers(situation: Situation) -> Findings:
    """Folders and files that a killed command did not put into place."""
    if _at_work(situation):
        yield ok("not looked at while somebody is at work")
        return
    root, state = situation.workspace.root, situation.workspace.state
    found = [path for path in (root / "artifacts").glob("*/.*.*") if path.is_dir()]
    found += list((root / "data").rglob(".*.tmp"))
    found += [path for folder in (state, root / "recipes") for path in folder.rglob(".*.tmp")]
    found += list((state / "staging").glob("*"))
    found += abandoned(situation.workspace)
    if found:
        shown = [path.relative_to(root).as_posix() for path in sorted(found)]
        more = f" and {len(shown) - _NAMED} more" if len(shown) > _NAMED else ""
        yield warning(
            f"left by a command that was killed: {', '.join(shown[:_NAMED])}{more}",
            f"rm -r {' '.join(shown)}",
        )
    cut = sorted(
        path.name.removesuffix(".pending.json") for path in (state / "ingested").glob("*.pending.json")
    )
    if cut:
        yield warning(f"an ingest was cut off: {', '.join(cut)}", f"seqline ingest {cut[0]}")
    events = sum(path.stat().st_size for path in (state / "events").glob("*.jsonl"))
    if events > EVENTS_BYTES:
        yield warning(
            f".seqline/events holds {events / 1024**2:.0f} MB of old runs", "rm .seqline/events/*.jsonl"
        )
    if not found and not cut and events <= EVENTS_BYTES:
        yield ok("nothing left behind")


def _at_work(situation: Situation) -> bool:
    """Whether somebody holds the folder's lock; the system frees it when its owner dies, whatever the entry says."""
    return is_held(situation.workspace.state / "locks" / "owner.lock")


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _last_line(text: str) -> str:
    """DVC's own error among its advice."""
    lines = [line for line in text.splitlines() if line.startswith("ERROR")] or text.strip().splitlines()
    if not lines:
        raise SeqlineError("dvc", "failed without a word")
    return lines[-1].removeprefix("ERROR: ")[:300]
