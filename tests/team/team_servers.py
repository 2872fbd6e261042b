"""A team's servers for tests: PostgreSQL, an S3 server, MLflow and Prefect, each a real process on a free loopback port.

They get the settings of deploy/server.env.example, only ports and passwords filled in, so what is tested is what that
file says.
"""

from __future__ import annotations

import base64
import http.client
import importlib.util
import json
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import psycopg2

from seqline.prefect_server import PrefectServer

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
START_SECONDS = 150.0
PASSWORDS = {
    "PGPASSWORD": "of-postgres-3f1c",
    "MLFLOW_AUTH_ADMIN_PASSWORD": "of-the-admin-9b2d",
    "MLFLOW_FLASK_SERVER_SECRET_KEY": "of-the-sessions-77aa",
    "AWS_ACCESS_KEY_ID": "key-of-tests",
    "AWS_SECRET_ACCESS_KEY": "of-the-bucket-51ce",
    "PREFECT_SERVER_API_AUTH_STRING": "team:of-prefect-c0de",
}
TRAINER, TRAINER_PASSWORD = "trainer", "of-the-trainer-8e4f"
# A key's name is no secret: it is in every request.
SECRETS = [value for name, value in PASSWORDS.items() if name != "AWS_ACCESS_KEY_ID"] + [TRAINER_PASSWORD]
DATABASES = ("mlflow", "mlflow_auth", "prefect")
MODELS_BUCKET, DATA_BUCKET = "seqline-models", "seqline-data"
# The plain commands of docs/operations.md and deploy/compose.yaml.
COMMANDS = {"mlflow": "mlflow server --app-name basic-auth", "prefect": "prefect server start"}


def example_settings(name: str) -> dict[str, str]:
    """Names and values of an example in deploy/, as a shell would read them."""
    lines = (ROOT / "deploy" / name).read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def bare_environment() -> dict[str, str]:
    """This process's environment without what would point seqline and its libraries anywhere."""
    prefixes = ("MLFLOW_", "PREFECT_", "SEQLINE_", "AWS_", "PG")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(prefixes)}
    return {**kept, "PATH": f"{BIN}{os.pathsep}{kept['PATH']}"}


def postgres_programs() -> Path | None:
    """The folder of PostgreSQL's programs: of this machine, or else of the wheel `pgserver`."""
    found = shutil.which("pg_ctl")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    wheel = importlib.util.find_spec("pgserver")
    if wheel and wheel.submodule_search_locations:
        folders.append(Path(wheel.submodule_search_locations[0]) / "pginstall" / "bin")
    return next((folder for folder in folders if (folder / "initdb").is_file()), None)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def status_of(url: str, *, login: str = "", host: str = "", body: object = None) -> int:
    """HTTP status of a GET, or of a POST of `body` as JSON; 0 where nobody answers.

    Args:
        url: The address.
        login: USER:PASSWORD.
        host: Another Host header than the address's.
        body: What to post.
    """
    parts = urlsplit(url)
    headers = {"Authorization": f"Basic {base64.b64encode(login.encode()).decode()}"} if login else {}
    headers |= {"Host": host} if host else {}
    headers |= {"Content-Type": "application/json"} if body is not None else {}
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    try:
        sent = None if body is None else json.dumps(body)
        connection.request("GET" if body is None else "POST", path, body=sent, headers=headers)
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


@dataclass
class Servers:
    """What runs; `end` ends it by process number, the last started first.

    Attributes:
        folder: Logs.
        settings: Of the servers: deploy/server.env.example, filled in.
        endpoint: Address of the S3 server.
    """

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    endpoint: str = ""
    _processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    _cleanup: list[Callable[[], None]] = field(default_factory=list)

    @property
    def mlflow(self) -> str:
        return f"http://127.0.0.1:{self.settings['MLFLOW_PORT']}"

    @property
    def prefect(self) -> str:
        return f"http://127.0.0.1:{self.settings['PREFECT_SERVER_API_PORT']}/api"

    def client(self) -> dict[str, str]:
        """What deploy/client.env.example asks a trainer for, filled in."""
        filled = {
            "MLFLOW_TRACKING_URI": self.mlflow,
            "MLFLOW_TRACKING_USERNAME": TRAINER,
            "MLFLOW_TRACKING_PASSWORD": TRAINER_PASSWORD,
            "PREFECT_API_URL": self.prefect,
            "PREFECT_API_AUTH_STRING": PASSWORDS["PREFECT_SERVER_API_AUTH_STRING"],
            "AWS_ACCESS_KEY_ID": PASSWORDS["AWS_ACCESS_KEY_ID"],
            "AWS_SECRET_ACCESS_KEY": PASSWORDS["AWS_SECRET_ACCESS_KEY"],
        }
        return {**example_settings("client.env.example"), **filled}

    def start_all(self, programs: Path) -> None:
        ports = {name: free_port() for name in ("postgres", "s3", "mlflow", "prefect")}
        self.endpoint = f"http://127.0.0.1:{ports['s3']}"
        mine = {
            "PGPORT": str(ports["postgres"]),
            "MLFLOW_PORT": str(ports["mlflow"]),
            "PREFECT_SERVER_API_PORT": str(ports["prefect"]),
            "MLFLOW_S3_ENDPOINT_URL": self.endpoint,
        }
        example = example_settings("server.env.example")
        for port, name in (("5000", "mlflow"), ("4200", "prefect")):
            example = {key: value.replace(f":{port}", f":{ports[name]}") for key, value in example.items()}
        self.settings = {**example, **PASSWORDS, **mine}
        self._start_postgres(programs)
        self._spawn(
            "s3", [str(BIN / "moto_server"), "-H", "127.0.0.1", "-p", str(ports["s3"])], bare_environment()
        )
        self._make_databases()
        environment = {**bare_environment(), **self.settings}
        for name, command in COMMANDS.items():
            home = {"PREFECT_HOME": str(self.folder / "prefect")} if name == "prefect" else {}
            self._spawn(name, command.split(), {**environment, **home})
        self._wait("s3", lambda: status_of(f"{self.endpoint}/moto-api/") == 200)
        self._make_buckets()
        self._wait("mlflow", lambda: status_of(f"{self.mlflow}/health") == 200)
        self.make_user(TRAINER, TRAINER_PASSWORD)
        login = PASSWORDS["PREFECT_SERVER_API_AUTH_STRING"]
        self._wait("prefect", lambda: status_of(f"{self.prefect}/health", login=login) == 200)

    def end(self) -> None:
        for process in reversed(self._processes.values()):
            process.terminate()
        for process in reversed(self._processes.values()):
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for step in self._cleanup:
            step()

    def bucket_keys(self, bucket: str) -> list[str]:
        listing = self._s3().list_objects_v2(Bucket=bucket)
        return [item["Key"] for item in listing.get("Contents", [])]

    def _start_postgres(self, programs: Path) -> None:
        # PostgreSQL refuses to run as root, and another user cannot pass through pytest's folders.
        data = Path(tempfile.mkdtemp(prefix="seqline-postgres-"))
        self._cleanup.append(lambda: shutil.rmtree(data, ignore_errors=True))
        user = pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None
        secret = data / "password"
        secret.write_text(self.settings["PGPASSWORD"], encoding="utf-8")
        if user is not None:
            for path in (data, secret):
                os.chown(path, user, -1)
        made = [
            str(programs / "initdb"),
            "-D",
            str(data / "base"),
            "-U",
            self.settings["PGUSER"],
            "--no-sync",
        ]
        made += ["--auth=scram-sha-256", f"--pwfile={secret}", "--encoding=UTF8", "--locale=C"]
        subprocess.run(
            made,
            check=True,
            capture_output=True,
            cwd="/",
            user=user,
            extra_groups=None if user is None else [],
        )
        words = [str(programs / "postgres"), "-D", str(data / "base"), "-p", self.settings["PGPORT"]]
        words += ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=off"]
        self._spawn("postgres", words, bare_environment(), user=user)

    def _make_databases(self) -> None:
        def connect() -> psycopg2.extensions.connection | None:
            names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD"}
            try:
                return psycopg2.connect(
                    dbname="postgres", **{key: self.settings[name] for key, name in names.items()}
                )
            except psycopg2.OperationalError:
                return None

        found: list[psycopg2.extensions.connection] = []
        self._wait("postgres", lambda: (made := connect()) is not None and not found.append(made))
        found[0].autocommit = True
        with found[0].cursor() as cursor:
            for name in DATABASES:
                cursor.execute(f"CREATE DATABASE {name}")
        found[0].close()

    def _s3(self):
        keys = {
            "aws_access_key_id": self.settings["AWS_ACCESS_KEY_ID"],
            "aws_secret_access_key": self.settings["AWS_SECRET_ACCESS_KEY"],
        }
        region = self.settings["AWS_DEFAULT_REGION"]
        return boto3.client("s3", endpoint_url=self.endpoint, region_name=region, **keys)

    def _make_buckets(self) -> None:
        where = {"LocationConstraint": self.settings["AWS_DEFAULT_REGION"]}
        for name in (MODELS_BUCKET, DATA_BUCKET):
            self._s3().create_bucket(Bucket=name, CreateBucketConfiguration=where)

    def make_user(self, name: str, password: str) -> None:
        """Someone who, with NO_PERMISSIONS for everybody, may do what he likes with what he makes himself."""
        admin = f"admin:{PASSWORDS['MLFLOW_AUTH_ADMIN_PASSWORD']}"
        made = {"username": name, "password": password}
        assert status_of(f"{self.mlflow}/api/2.0/mlflow/users/create", login=admin, body=made) == 200

    def ask_prefect(self, path: str, body: dict[str, Any]) -> Any:
        return PrefectServer(self.prefect, PASSWORDS["PREFECT_SERVER_API_AUTH_STRING"]).ask(path, body)

    def _spawn(
        self, name: str, words: list[str], environment: Mapping[str, str], *, user: int | None = None
    ) -> None:
        with (self.folder / f"{name}.log").open("wb") as log:
            self._processes[name] = subprocess.Popen(
                words,
                cwd="/" if name == "postgres" else ROOT,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=user,
                extra_groups=None if user is None else [],
            )

    def _wait(self, name: str, ready: Callable[[], bool]) -> None:
        limit = time.monotonic() + START_SECONDS
        while time.monotonic() < limit and self._processes[name].poll() is None:
            if ready():
                return
            time.sleep(0.1)
        log = (self.folder / f"{name}.log").read_text(encoding="utf-8", errors="replace")
        raise AssertionError(f"{name} did not start:\n{log[-4000:]}")
