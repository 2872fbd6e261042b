"""Notifications: silent unless asked for; a webhook gets the message; a dead address holds nothing up."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from seqline.notifications import ADDRESSES_VARIABLE, KINDS, notify


@pytest.fixture
def webhook() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    received: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"json://127.0.0.1:{server.server_port}/hook", received
    server.shutdown()
    server.server_close()


def test_off_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ADDRESSES_VARIABLE, raising=False)
    assert notify("failed", title="a", body="b") is None


@pytest.mark.parametrize("event", sorted(KINDS))
def test_a_webhook_gets_title_and_body(
    event: str, webhook: tuple[str, list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, received = webhook
    monkeypatch.setenv(ADDRESSES_VARIABLE, address)
    assert notify(event, title="seqline: tiny refused", body="accuracy 0.5 < 0.9 & <b>") is True
    [message] = received
    assert message["title"] == "seqline: tiny refused"
    assert message["message"] == "accuracy 0.5 < 0.9 & <b>"
    assert message["type"] == KINDS[event]


def test_an_address_that_does_not_answer_is_reported_and_the_others_get_it(
    webhook: tuple[str, list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, received = webhook
    monkeypatch.setenv(ADDRESSES_VARIABLE, f"json://127.0.0.1:9/nobody {address} nonsense")
    assert notify("promoted", title="a", body="b") is False
    assert len(received) == 1
