"""Prefect's server, asked over HTTP: Prefect itself takes seconds to import and belongs to the flows."""

from __future__ import annotations

import base64
import http.client
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from seqline.addresses import without_password
from seqline.errors import SeqlineError

_SECONDS = 10.0


@dataclass(frozen=True)
class PrefectServer:
    """A server that is asked.

    Attributes:
        url: `PREFECT_API_URL`, such as http://127.0.0.1:4200/api.
        login: `PREFECT_API_AUTH_STRING`, USER:PASSWORD; "" for none.
    """

    url: str
    login: str = ""

    def ask(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """GET, or POST where there is a body.

        Raises:
            SeqlineError: It does not answer, refuses the login, or answers something else than JSON.
        """
        where = f"Prefect at {without_password(self.url)}"
        status, content = self._request(path, body, {})
        if status == http.client.FORBIDDEN and body is not None:
            status, content = self._request(path, body, self._csrf_headers())
        if status in {http.client.UNAUTHORIZED, http.client.FORBIDDEN}:
            found = "refuses the login" if self.login else "asks for a login, and none is set"
            hint = "set PREFECT_API_AUTH_STRING=USER:PASSWORD (docs/operations.md)"
            raise SeqlineError(where, f"{found} ({status})", hint=hint)
        try:
            if not http.client.OK <= status < http.client.MULTIPLE_CHOICES:
                raise ValueError(status)
            return json.loads(content) if content else None
        except ValueError:
            found = f"answered {status} for {path}, not as Prefect does"
            raise SeqlineError(where, found, hint="is PREFECT_API_URL right?") from None

    def deployments(self) -> dict[str, dict[str, Any]]:
        """Its deployments by FLOW/NAME."""
        flows = {flow["id"]: flow["name"] for flow in self.ask("flows/filter", {})}
        found = {f"{flows[d['flow_id']]}/{d['name']}": d for d in self.ask("deployments/filter", {})}
        return dict(sorted(found.items()))

    def _csrf_headers(self) -> dict[str, str]:
        """What a server with CSRF protection wants beside every POST."""
        client = uuid.uuid4().hex
        status, content = self._request(f"csrf-token?client={client}", None, {})
        token = json.loads(content).get("token", "") if status == http.client.OK else ""
        return {"Prefect-Csrf-Client": client, "Prefect-Csrf-Token": token}

    def _request(
        self, path: str, body: Mapping[str, Any] | None, headers: Mapping[str, str]
    ) -> tuple[int, bytes]:
        parts = urlsplit(self.url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        sent_headers = {"Content-Type": "application/json", **headers}
        if self.login:
            sent_headers["Authorization"] = f"Basic {base64.b64encode(self.login.encode()).decode()}"
        try:
            connection = kind(parts.hostname or "", parts.port, timeout=_SECONDS)
            sent = None if body is None else json.dumps(body)
            connection.request("GET" if body is None else "POST", f"{parts.path}/{path}", sent, sent_headers)
            answer = connection.getresponse()
            content = answer.read()
            connection.close()
        except (OSError, http.client.HTTPException, ValueError) as error:
            hint = "make up starts one here; else set PREFECT_API_URL to the right address, or unset it"
            where = f"Prefect at {without_password(self.url)}"
            raise SeqlineError(where, f"does not answer ({error})", hint=hint) from None
        return answer.status, content


def require_prefect(environment: Mapping[str, str]) -> None:
    """Ask the server that `PREFECT_API_URL` names, before a flow starts: Prefect itself ends in a traceback.

    Raises:
        SeqlineError: It does not answer, or refuses the login.
    """
    server = server_named_by(environment)
    if server is not None:
        server.ask("admin/version")


def server_named_by(environment: Mapping[str, str]) -> PrefectServer | None:
    """The server of `PREFECT_API_URL`, with the login of `PREFECT_API_AUTH_STRING`; None without an address."""
    url = environment.get("PREFECT_API_URL", "").strip().rstrip("/")
    return PrefectServer(url, environment.get("PREFECT_API_AUTH_STRING", "")) if url else None
