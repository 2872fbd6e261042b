"""The MLflow store of a project: which one it is, and how it is opened."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from seqline.addresses import without_password
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
    # Where a server keeps the runs, MLflow prints their addresses: between the lines of a `--json` answer.
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
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
        client = cast("MlflowClient", _Client(mlflow.MlflowClient(tracking_uri=uri, registry_uri=uri), uri))
        client.search_experiments(max_results=1)
    except (MlflowException, OSError) as error:
        reason = _without_password_of(uri, str(error)).splitlines()[0][:300]
        raise SeqlineError(
            "MLflow", f"{without_password(uri)} does not answer ({reason})", hint="see mlflow/README.md"
        ) from None
    return Tracking(root.resolve(), uri, client)


class _Client:
    """MLflow's client, whose refusals of a login or of a permission say so in one line.

    Args:
        client: MLflow's own.
        uri: Of its server.
    """

    def __init__(self, client: MlflowClient, uri: str) -> None:
        self._client = client
        self._uri = uri

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        if not callable(found):
            return found
        from mlflow.exceptions import MlflowException

        @functools.wraps(found)
        def call(*arguments: Any, **named: Any) -> Any:
            try:
                return found(*arguments, **named)
            except MlflowException as error:
                refusal = _refusal(self._uri, error.error_code, name)
                if refusal is None:
                    raise
                raise refusal from None

        return call


def _refusal(uri: str, code: str, what: str) -> SeqlineError | None:
    """The error for a login that the server does not know or that may not do something; None for all others."""
    user = os.environ.get("MLFLOW_TRACKING_USERNAME", "")
    if code == "UNAUTHENTICATED":
        return SeqlineError(
            f"MLflow at {without_password(uri)}",
            f"refuses the login of {user!r} (401)" if user else "asks for a login (401), and none is set",
            hint="set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD (docs/operations.md)",
        )
    if code == "PERMISSION_DENIED":
        return SeqlineError(
            f"MLflow at {without_password(uri)}",
            f"{user or 'this login'} may not {what.replace('_', ' ')} (403)",
            hint="whoever made it, or the admin, gives the permission (docs/operations.md)",
        )
    return None


def _without_password_of(uri: str, text: str) -> str:
    """A library's message without the login that stands in an address."""
    login, at, _ = uri.partition("://")[2].partition("/")[0].rpartition("@")
    return text.replace(login + at, "") if login else text


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
