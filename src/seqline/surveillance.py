"""Watching a champion: which batches came after it was fitted, and whether they drifted from its profile."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from seqline.data.batches import batches_in
from seqline.data.readers import read_rows
from seqline.data.shapes import Shape, shaped
from seqline.errors import InputError
from seqline.files import atomic_write, read_json, sha256_file
from seqline.monitoring.drift import drift
from seqline.monitoring.judgements import Judgement
from seqline.monitoring.profile import PROFILE_FILE, Profile
from seqline.serving.model_folder import MODEL_FILE, WEIGHTS_FILE
from seqline.serving.predictor import Predictor
from seqline.tracking.packaging import model_folder_of
from seqline.tracking.registry import champion
from seqline.tracking.storage import package_folder
from seqline.tracking.store import connect
from seqline.workspace import Workspace

PAGE_FILE = "report.html"
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_.-]+")
_NAME_CHARACTERS, _DIGEST_CHARACTERS = 64, 12


@dataclass(frozen=True)
class _Watcher:
    """The champion with its profile; the network is loaded when the first batch needs it."""

    workspace: Workspace
    name: str
    version: int
    content_key: str
    folder: Path
    profile: Profile

    @cached_property
    def predictor(self) -> Predictor:
        return Predictor.load(self.folder)

    def unseen(self) -> list[tuple[Path, str]]:
        """Batches that came after those the champion was fitted on, with their sha256, the oldest first.

        What is older and was not learnt from was left out by the recipe's window: it says nothing about today.
        """
        fitted = set(self.profile.batches.values())
        batches = batches_in(self.workspace.data_folder(self.name) / "train")
        digests = [(batch.path, sha256_file(batch.path)) for batch in batches]
        newest = max((place for place, (_, digest) in enumerate(digests) if digest in fitted), default=-1)
        return digests[newest + 1 :]

    def judge(self, path: Path, digest: str) -> Judgement:
        """Judge a file, or find that this was done."""
        shown = _NOT_IN_NAMES.sub("_", path.name)[-_NAME_CHARACTERS:]
        kept = (
            self.workspace.monitor_folder(self.name)
            / f"{shown}-{digest[:_DIGEST_CHARACTERS]}-v{self.version}.json"
        )
        found = Judgement.load(kept)
        if found is not None and (found.sha256, found.content_key, found.batch) == (
            digest,
            self.content_key,
            path.name,
        ):
            return found
        inputs, labels = self._read(path)
        report = drift(self.profile, inputs, labels, self.predictor)
        judgement = Judgement(self.name, self.version, self.content_key, path.name, digest, report)
        judgement.save(kept)
        return judgement

    def _read(self, path: Path) -> tuple[list[Any], list[str | None] | None]:
        """Inputs and labels of a file; None for labels where it has none, or the model answers none."""
        section, task = self.predictor.input_section, self.predictor.task
        target = read_json(self.folder / MODEL_FILE)["target"]["column"]
        inputs: list[Any] = []
        labels: list[str | None] = []
        for row in shaped(read_rows(path), Shape.load(self.workspace.data_folder(self.name))):
            if section.column not in row.values:
                raise InputError(
                    str(path),
                    f"no column {section.column!r}",
                    f"one of {', '.join(row.values)} with that name",
                    "rename it",
                )
            value, label = row.values[section.column], row.values.get(target)
            inputs.append("" if value is None else task.input_of(row.values, section))
            labels.append(None if label is None or label == "" else str(label))
        labelled = bool(self.predictor.classes) and any(label is not None for label in labels)
        return inputs, (labels if labelled else None)

    def history(self, shown: Judgement) -> list[Judgement]:
        """What is known of the batches the champion was not fitted on, the oldest first, with `shown` among them.

        Files that were judged once by hand would be no part of a line over time.
        """
        wanted = {digest for _, digest in self.unseen()} | {shown.sha256}
        found = (Judgement.load(path) for path in self.workspace.monitor_folder(self.name).glob("*.json"))
        own = [one for one in found if one is not None and one.content_key == self.content_key]
        return sorted((one for one in own if one.sha256 in wanted), key=lambda one: (one.batch, one.sha256))


def monitor(workspace: Workspace, name: str, batch: Path | None = None) -> list[Judgement]:
    """Judge batches with the champion, and write the page.

    What was judged before with the same champion is not computed again.

    Args:
        workspace: The project.
        name: The model.
        batch: A file with the input column, and the label column perhaps; by default every batch of data/NAME/train that
            the champion was not fitted on.

    Returns:
        One judgement a batch, the oldest first; none where there is no batch the champion does not know.

    Raises:
        InputError: No champion, one without profile, or a file that cannot be read.
        SeqlineError: The champion's package is missing or was altered.
    """
    watcher = _watcher(workspace, name)
    if batch is not None and not batch.is_file():
        raise InputError(str(batch), "no such file", "a file with rows to judge")
    chosen = watcher.unseen() if batch is None else [(batch, sha256_file(batch))]
    judgements = [watcher.judge(path, digest) for path, digest in chosen]
    if judgements:
        from seqline.monitoring.page import render_page

        page = render_page(judgements[-1], watcher.history(judgements[-1]), watcher.profile)
        atomic_write(page_path(workspace, name), page)
    return judgements


def page_path(workspace: Workspace, name: str) -> Path:
    """Where the page about a model's batches is."""
    return workspace.monitor_folder(name) / PAGE_FILE


def recent_drift(workspace: Workspace, name: str, windows: int) -> list[Judgement]:
    """Judge the newest batches that the champion was not fitted on, the newest last.

    Args:
        workspace: The project.
        name: The model.
        windows: How many at most.

    Returns:
        Batches with too few rows to judge are passed over. Fewer than `windows` where there are fewer; none without a
        champion, or with one that has no profile: to a decision about training, drift that cannot be known is no reason.
    """
    try:
        watcher = _watcher(workspace, name)
    except NothingToWatchError:
        return []
    found: list[Judgement] = []
    for path, digest in reversed(watcher.unseen()):
        judgement = watcher.judge(path, digest)
        if judgement.judged:
            found.insert(0, judgement)
        if len(found) == windows:
            break
    return found


class NothingToWatchError(InputError):
    """There is no champion, or it has no profile."""


def _watcher(workspace: Workspace, name: str) -> _Watcher:
    tracking = connect(workspace.root)
    version = champion(tracking, name)
    if version is None:
        raise NothingToWatchError(
            name, "no champion yet", hint=f"run `seqline run {name}`, or see `seqline history {name}`"
        )
    folder = model_folder_of(package_folder(tracking, version))
    profile = _profile(workspace, name, folder)
    return _Watcher(workspace, name, version.version, version.content_key, folder, profile)


def _profile(workspace: Workspace, name: str, folder: Path) -> Profile:
    """Read the champion's profile, for a version from before there were profiles that of the same weights trained again.

    A version is its content, so training the same data again gives no new version that would hold the profile.
    """
    if (folder / PROFILE_FILE).is_file():
        return Profile.load(folder)
    trained = workspace.artifact_folder(name, "train")
    if (trained / PROFILE_FILE).is_file() and _weights(trained) == _weights(folder):
        return Profile.load(trained)
    raise NothingToWatchError(
        f"champion of {name}",
        "registered before profiles existed",
        f"a version with {PROFILE_FILE}",
        f"retrain: `seqline run {name}`",
    )


def _weights(folder: Path) -> str:
    return sha256_file(folder / WEIGHTS_FILE)
