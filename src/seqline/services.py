"""The servers of one machine: MLflow, Prefect and a worker, on loopback, started and ended together.

The MLflow server shows the project's own store, so that commands with and without it see the same registry. What was
started is written down as it starts; `down` ends exactly that, also after an `up` that was cut off.
"""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from filelock import FileLock, Timeout

from seqline.config import read_yaml
from seqline.errors import InputError, SeqlineError
from seqline.files import read_json, write_json
from seqline.prefect_server import PrefectServer, server_named_by
from seqline.processes import ProcessId, alive, end, family, marked
from seqline.tracking.store import connect, own_uri
from seqline.workspace import Workspace

MARK = "SEQLINE_SERVICES"
POOL = "seqline"
HOST = "127.0.0.1"
MLFLOW_PORT, PREFECT_PORT = 5000, 4200
_START_SECONDS = 120.0
_POLL_SECONDS = 0.25
_DEPLOY_SECONDS = 300
_LOG_LINES = 15
_HEALTH = {"mlflow": "/health", "prefect": "/api/health"}


@dataclass(frozen=True)
class Service:
    """A server or worker that `up` started.

    Attributes:
        name: mlflow, prefect or worker.
        pid: Its process.
        started: When that process started, seconds since 1970.
        address: Where people look; "" for the worker.
        log: Its output.
    """

    name: str
    pid: int
    started: float
    address: str
    log: str

    @property
    def process(self) -> ProcessId:
        """Its process."""
        return ProcessId(self.pid, self.started)

    @property
    def is_alive(self) -> bool:
        """Whether it still runs."""
        return self.process.is_alive()


@dataclass(frozen=True)
class Deployment:
    """A flow that runs by itself.

    Attributes:
        name: FLOW/DEPLOYMENT.
        schedules: As text, such as `0 3 * * * Europe/Berlin`; paused ones say so.
    """

    name: str
    schedules: tuple[str, ...]


def services(workspace: Workspace) -> list[Service]:
    """What `up` wrote down, running or not."""
    try:
        return [Service(**service) for service in read_json(_record_path(workspace))["services"]]
    except (InputError, KeyError, TypeError):
        return []


def environment_of(workspace: Workspace) -> dict[str, str]:
    """Variables that point Prefect at the project: its folder, and the server of `up` where that runs."""
    home = workspace.state / "prefect"
    # Prefect's server waits for ever where the folder above is missing.
    home.mkdir(parents=True, exist_ok=True)
    found = {"PREFECT_HOME": str(home)}
    for service in services(workspace):
        if service.name == "prefect" and service.is_alive:
            found["PREFECT_API_URL"] = f"{service.address}/api"
    return found


def up(
    workspace: Workspace,
    *,
    mlflow_port: int = MLFLOW_PORT,
    prefect_port: int = PREFECT_PORT,
    on_line: Callable[[str], None],
) -> list[Deployment]:
    """Start the servers and a worker, and deploy what prefect.yaml lists.

    A server whose address is set already (`MLFLOW_TRACKING_URI`, `PREFECT_API_URL`) is used and not started.

    Args:
        workspace: The project folder.
        mlflow_port: Of MLflow's server, on loopback.
        prefect_port: Of Prefect's server, on loopback.
        on_line: Told what happens.

    Returns:
        The deployments with their schedules.

    Raises:
        InputError: They run already, a port is taken, or there is no prefect.yaml.
        SeqlineError: One did not start; what had started is ended again.
    """
    with _only_one(workspace):
        return _up(workspace, mlflow_port, prefect_port, on_line)


@contextmanager
def _only_one(workspace: Workspace) -> Iterator[None]:
    """Two at once would each end what the other started."""
    path = workspace.state / "locks" / "services.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(path, timeout=0):
            yield
    except Timeout:
        raise InputError(str(workspace.root), "another `seqline up` is at work here") from None


def _up(
    workspace: Workspace, mlflow_port: int, prefect_port: int, on_line: Callable[[str], None]
) -> list[Deployment]:
    if any(service.is_alive for service in services(workspace)):
        raise InputError(
            str(workspace.root), "its servers run already", hint="`seqline down` (make down) ends them"
        )
    if not (workspace.root / "prefect.yaml").is_file():
        raise InputError(str(workspace.root / "prefect.yaml"), "no such file", "the deployments")
    starting = _Start(workspace, uuid.uuid4().hex, on_line)
    try:
        return starting.all(mlflow_port, prefect_port)
    except BaseException:
        down(workspace)
        raise


def down(workspace: Workspace) -> list[Service]:
    """End what `up` started; returns what was still running.

    The flow runs at work first, while worker and server can still be told how they ended.
    """
    running = [service for service in services(workspace) if service.is_alive]
    path = _record_path(workspace)
    if not path.is_file():
        return running
    mark = str(read_json(path).get("mark"))
    servers = [service for service in running if service.name != "worker"]
    kept = family(service.process for service in servers) | {service.pid for service in running}
    end(process for process in marked(MARK, mark) if process.pid not in kept)
    end(alive(service.process for service in running if service.name == "worker"))
    for server in reversed(servers):
        end(alive([server.process]))
    # What a server had started and left, such as uvicorn's workers.
    end(marked(MARK, mark))
    path.unlink()
    return running


class _Start:
    """One `up`: each service is written down as it starts."""

    def __init__(self, workspace: Workspace, mark: str, on_line: Callable[[str], None]) -> None:
        self._workspace = workspace
        self._mark = mark
        self._on_line = on_line
        self._services: list[Service] = []
        # MLflow's job runners (eight processes) serve features that no recurrent model has.
        quiet = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        self._environment = {**quiet, **os.environ, **environment_of(workspace), MARK: mark}

    def all(self, mlflow_port: int, prefect_port: int) -> list[Deployment]:
        """Servers, then deployments, then the worker: it finds its pool and its work."""
        needed = {"MLFLOW_TRACKING_URI": mlflow_port, "PREFECT_API_URL": prefect_port}
        for variable, port in needed.items():
            if variable not in os.environ:
                _require_free(port)
        if "MLFLOW_TRACKING_URI" not in os.environ:
            self._start_mlflow(mlflow_port)
        if "PREFECT_API_URL" not in os.environ:
            self._start_prefect(prefect_port)
        # Both were started before either is waited for: they take their seconds at the same time.
        for service in self._services:
            self._wait_for(service)
            self._on_line(f"{service.name:<9} {service.address}")
        self._deploy()
        log = self._spawn("worker", (*_PREFECT, "worker", "start", "--pool", POOL, "--type", "process"), "")
        self._on_line(f"{'worker':<9} pool {POOL}, log {log.log}")
        return deployments(self._server)

    def _start_mlflow(self, port: int) -> None:
        connect(self._workspace.root)
        artifacts = self._workspace.state / "mlartifacts"
        artifacts.mkdir(parents=True, exist_ok=True)
        address = f"http://{HOST}:{port}"
        names = [f"{name}:{port}" for name in (HOST, "localhost")]
        words = [sys.executable, "-m", "mlflow", "server", "--host", HOST, "--port", str(port)]
        words += ["--workers", "1", "--backend-store-uri", own_uri(self._workspace.root)]
        # Files are read and written where they lie, by the server's users too: all are on this machine.
        words += ["--default-artifact-root", artifacts.as_uri(), "--no-serve-artifacts"]
        words += ["--allowed-hosts", ",".join(names)]
        words += ["--cors-allowed-origins", ",".join(f"http://{name}" for name in names)]
        self._spawn("mlflow", words, address)
        self._environment["MLFLOW_TRACKING_URI"] = address

    def _start_prefect(self, port: int) -> None:
        address = f"http://{HOST}:{port}"
        words = (*_PREFECT, "server", "start", "--host", HOST, "--port", str(port))
        self._environment["PREFECT_API_URL"] = f"{address}/api"
        self._spawn("prefect", words, address)

    def _spawn(self, name: str, words: Sequence[str], address: str) -> Service:
        log = self._workspace.state / "logs" / f"{name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603 (fixed words and numbers)
                list(words),
                cwd=self._workspace.root,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        shown = str(log.relative_to(self._workspace.root))
        service = Service(name, process.pid, ProcessId.of(process.pid).started, address, shown)
        self._services.append(service)
        record = {"mark": self._mark, "services": [asdict(service) for service in self._services]}
        write_json(_record_path(self._workspace), record)
        return service

    def _wait_for(self, service: Service) -> None:
        limit = time.monotonic() + _START_SECONDS
        while time.monotonic() < limit:
            if not service.is_alive:
                break
            if _answers(service):
                return
            time.sleep(_POLL_SECONDS)
        state = "does not answer" if service.is_alive else "ended at once"
        log = self._workspace.root / service.log
        tail = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_LINES:])
        raise SeqlineError(f"{service.name} server", f"{state}; the end of {service.log}:\n{tail}")

    def _deploy(self) -> None:
        self._prefect("work-pool", "create", POOL, "--type", "process", "--overwrite")
        self._prefect("deploy", "--all")
        automations = self._workspace.root / "flows" / "automations.yaml"
        if not automations.is_file():
            return
        present = {record["name"] for record in self._server.ask("automations/filter", {})}
        for automation in read_yaml(automations)["automations"]:
            if automation["name"] in present:
                self._prefect("automation", "delete", automation["name"])
        self._prefect("automation", "create", "--from-file", str(automations))

    @property
    def _server(self) -> PrefectServer:
        server = server_named_by(self._environment)
        if server is None:
            raise SeqlineError("Prefect", "no address: neither started nor set")
        return server

    def _prefect(self, *words: str) -> None:
        done = subprocess.run(  # noqa: S603 (fixed words)
            [*_PREFECT, *words],
            cwd=self._workspace.root,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=_DEPLOY_SECONDS,
        )
        if done.returncode != 0:
            raise SeqlineError(
                f"prefect {' '.join(words)}",
                (done.stdout + done.stderr).strip()[-2000:],
                hint="see prefect.yaml",
            )


_PREFECT = (sys.executable, "-m", "prefect", "--no-prompt")


def deployments(server: PrefectServer) -> list[Deployment]:
    """What a Prefect server runs by itself, by name."""
    return [
        Deployment(name, tuple(_schedule_text(schedule) for schedule in record["schedules"]))
        for name, record in server.deployments().items()
    ]


def _schedule_text(record: Mapping[str, Any]) -> str:
    schedule = record["schedule"]
    when = schedule.get("cron") or schedule.get("rrule") or f"every {schedule.get('interval'):g} s"
    return f"{when} {schedule.get('timezone') or 'UTC'}{'' if record['active'] else ' (paused)'}"


def _answers(service: Service) -> bool:
    port = urlsplit(service.address).port
    connection = http.client.HTTPConnection(HOST, port, timeout=_POLL_SECONDS * 8)
    try:
        connection.request("GET", _HEALTH[service.name])
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            raise InputError(
                f"port {port} of {HOST}",
                "another program listens there",
                "a free port",
                "choose others: make up MLFLOW_PORT=5001 PREFECT_PORT=4201",
            ) from None


def _record_path(workspace: Workspace) -> Path:
    return workspace.state / "services.json"
