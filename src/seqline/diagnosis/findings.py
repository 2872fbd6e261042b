"""What a check says, and what it may look at."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from seqline.errors import InputError, SeqlineError
from seqline.workspace import Workspace

if TYPE_CHECKING:
    from seqline.recipe import Recipe
    from seqline.tracking.store import Tracking

Level = Literal["ok", "warning", "problem"]
_DVC_SECONDS = 15.0


@dataclass(frozen=True)
class Finding:
    """One thing a check found.

    Attributes:
        level: `problem` keeps something from working, `warning` may.
        found: What was found, in one line.
        mend: A command to type, or what else to do; "" where nothing is to be done.
        check: Name of the check.
    """

    level: Level
    found: str
    mend: str = ""
    check: str = ""


Findings = Iterator[Finding]


def ok(found: str) -> Finding:
    """All is well."""
    return Finding("ok", found)


def warning(found: str, mend: str = "") -> Finding:
    """It works, but not as it should, or not for long."""
    return Finding("warning", found, mend)


def problem(found: str, mend: str = "") -> Finding:
    """Something does not work."""
    return Finding("problem", found, mend)


class NoStoreError(SeqlineError):
    """The project has no MLflow store yet; opening it would make one."""


@dataclass
class Situation:
    """What checks look at. Several look at once: what is costly is made by the first and shared.

    Attributes:
        workspace: The project folder.
        environment: Variables.
    """

    workspace: Workspace
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _dvc_lock: threading.Lock = field(default_factory=threading.Lock)

    @cached_property
    def names(self) -> list[str]:
        """Recipes of params.yaml; none where it cannot be read, which is the check `recipes`' to say."""
        try:
            return self.workspace.recipe_names()
        except SeqlineError:
            return []

    @cached_property
    def recipes(self) -> dict[str, Recipe | SeqlineError]:
        """Each name's recipe, or why it cannot be read."""
        found: dict[str, Recipe | SeqlineError] = {}
        for name in self.names:
            try:
                found[name] = self.workspace.recipe(name)
            except SeqlineError as error:
                found[name] = error
        return found

    @property
    def tracking(self) -> Tracking:
        """The MLflow store.

        Raises:
            NoStoreError: There is none yet.
            SeqlineError: It does not answer.
        """
        with self._lock:
            return self._tracking

    @cached_property
    def _tracking(self) -> Tracking:
        from seqline.tracking.store import connect, own_uri, tracking_uri

        uri = tracking_uri(self.workspace.root)
        if uri == own_uri(self.workspace.root) and not (self.workspace.state / "mlflow.db").is_file():
            raise NoStoreError(".seqline/mlflow.db", "no registry yet", hint="seqline run NAME")
        try:
            return connect(self.workspace.root)
        except SeqlineError:
            raise
        except Exception as error:
            # SQLAlchemy's own errors, for a file that is no database: its first line says it.
            found = str(error).splitlines()[0][:200]
            hint = "restore .seqline/mlflow.db from a backup (docs/operations.md)"
            raise SeqlineError("MLflow's store", found, hint=hint) from None

    def dvc(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Ask DVC something that changes nothing, one question at a time: DVC locks its own folder.

        Raises:
            SeqlineError: It did not answer in 15 s.
        """
        with self._dvc_lock:
            try:
                return subprocess.run(  # noqa: S603 (fixed words)
                    [sys.executable, "-m", "dvc", *words],
                    cwd=self.workspace.root,
                    env=dict(self.environment),
                    capture_output=True,
                    text=True,
                    check=False,
                    stdin=subprocess.DEVNULL,
                    timeout=_DVC_SECONDS,
                )
            except subprocess.TimeoutExpired:
                raise SeqlineError(
                    f"dvc {' '.join(words)}",
                    f"no answer within {_DVC_SECONDS:.0f} s",
                    hint="is the remote's address right? `dvc remote list`",
                ) from None


def one_line(error: SeqlineError) -> str:
    """Where and what, without the rest."""
    where = "" if isinstance(error, InputError) and error.where in error.found else f"{error.where}: "
    return " ".join(f"{where}{error.found}".split())
