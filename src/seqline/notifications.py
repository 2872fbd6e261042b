"""Messages to people about what happened unattended: off unless addresses are set.

`SEQLINE_NOTIFY` holds addresses in the notation of the library apprise, separated by white space:
`json://host:port/path` and `jsons://...` are webhooks, `mailto://...` is mail.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Literal

ADDRESSES_VARIABLE = "SEQLINE_NOTIFY"

Kind = Literal["info", "success", "warning", "failure"]
# What happened -> how a message is marked.
KINDS: Mapping[str, Kind] = {
    "promoted": "success",
    "held": "info",
    "rolled_back": "warning",
    "refused": "warning",
    "drifted": "warning",
    "failed": "failure",
}


def addresses() -> list[str]:
    """Where messages go; empty: nowhere."""
    return os.environ.get(ADDRESSES_VARIABLE, "").split()


def notify(event: str, *, title: str, body: str) -> bool | None:
    """Send a message to every address.

    Args:
        event: A key of `KINDS`.
        title: One line.
        body: Plain text.

    Returns:
        None when no address is set; else whether every address took it. An address that fails holds nothing up.
    """
    given = addresses()
    if not given:
        return None
    import apprise

    sender = apprise.Apprise()
    unusable = [address for address in given if not sender.add(address)]
    sent = sender.notify(
        title=title, body=body, notify_type=KINDS[event], body_format=apprise.NotifyFormat.TEXT
    )
    return bool(sent and not unusable)
