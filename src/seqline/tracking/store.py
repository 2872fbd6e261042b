"""The MLflow store of a project: which one it is, and how it is opened."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from seqline.errors import InputError, SeqlineError
from seqline.files import check_name

if TYPE_CHECKING:
    from mlflow import MlflowClient

STATE_FOLDER = ".seqline"
_URI_VARIABLE = "MLFLOW_TRACKING_URI"
_FORCED = {"MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false"}
_DEFAULTS = {
    "DO_NOT_TRACK": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SKIP_PIP_REQUIREMENTS_CHECK": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    # The defaults (7 retries, doubling) keep a user waiting for minutes before a wrong address is reported.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
}


@dataclass(frozen=True)
class Tracking:
    """A connection to the MLflow store of one project.

    Attributes:
        root: Root folder of the project, absolute.
        uri: Tracking and registry URI.
        client: MLflow client of both.
    """

    root: Path
    uri: str
    client: MlflowClient

    @property
    def state(self) -> Path:
        """Folder of the project's runtime state."""
        return self.root / STATE_FOLDER


def tracking_uri(root: Path) -> str:
    """`MLFLOW_TRACKING_URI` if set, else the sqlite file in the project's `.seqline/`.

    A URI is always explicit: without one MLflow takes a `./mlruns` of the working directory if there is one.

    Raises:
        InputError: The variable names a folder; MLflow 3.17 does not keep models in folders.
    """
    given = os.environ.get(_URI_VARIABLE, "").strip()
    if not given:
        return own_uri(root)
    if "://" not in given or given.startswith("file:"):
        raise InputError(
            _URI_VARIABLE,
            f"{given!r}, a folder",
            "http://HOST:PORT, sqlite:////absolute/path.db or postgresql://...",
            f"unset {_URI_VARIABLE} to use the project's own database",
        )
    return given


def own_uri(root: Path) -> str:
    """Name the sqlite file in the project's `.seqline/`."""
    return f"sqlite:///{_database(root)}"


def _database(root: Path) -> Path:
    return root.resolve() / STATE_FOLDER / "mlflow.db"


def _make_database(root: Path) -> None:
    """Make the tables beside and move them into place whole: MLflow does not mend a database half made."""
    import mlflow
    from filelock import FileLock

    database = _database(root)
    database.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(database.with_suffix(".lock")):
        if database.is_file():
            return
        staging = database.with_name(".mlflow.db.new")
        staging.unlink(missing_ok=True)
        mlflow.MlflowClient(tracking_uri=f"sqlite:///{staging}").search_experiments(max_results=1)
        staging.replace(database)


def connect(root: Path) -> Tracking:
    """Open the project's MLflow store, made on first use (some seconds: it creates its tables).

    Args:
        root: Root folder of the project.

    Raises:
        InputError: `MLFLOW_TRACKING_URI` is not usable.
        SeqlineError: The store does not answer.
    """
    uri = tracking_uri(root)
    os.environ.update(_FORCED)
    for key, value in _DEFAULTS.items():
        os.environ.setdefault(key, value)
    import mlflow
    from mlflow.exceptions import MlflowException

    before = os.environ.get(_URI_VARIABLE)
    # The local registry looks models up through the process-wide URI, so it has to be set as well.
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    # set_tracking_uri also writes the variable, which would then look like the user's own wish.
    if before is None:
        os.environ.pop(_URI_VARIABLE, None)
    else:
        os.environ[_URI_VARIABLE] = before
    try:
        if uri == own_uri(root):
            _make_database(root)
        client = mlflow.MlflowClient(tracking_uri=uri, registry_uri=uri)
        client.search_experiments(max_results=1)
    except (MlflowException, OSError) as error:
        reason = str(error).splitlines()[0][:300]
        raise SeqlineError(
            "MLflow", f"{without_password(uri)} does not answer ({reason})", hint="see mlflow/README.md"
        ) from None
    return Tracking(root.resolve(), uri, client)


def without_password(uri: str) -> str:
    scheme, separator, rest = uri.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"


def experiment_id(tracking: Tracking, name: str) -> str:
    """Find the experiment of a model, made on first use.

    With a database MLflow would put artifacts into `./mlruns` of the working directory: the experiment says
    where they go. A server decides for itself.
    """
    from mlflow.exceptions import MlflowException

    check_name(name)
    found = tracking.client.get_experiment_by_name(name)
    if found is None:
        remote = tracking.uri.startswith(("http://", "https://"))
        location = None if remote else (tracking.state / "mlartifacts" / name).as_uri()
        try:
            return tracking.client.create_experiment(name, artifact_location=location)
        except MlflowException:
            # Two first runs at once: the other one made it.
            found = tracking.client.get_experiment_by_name(name)
            if found is None:
                raise
    if found.lifecycle_stage == "deleted":
        tracking.client.restore_experiment(found.experiment_id)
    return str(found.experiment_id)
