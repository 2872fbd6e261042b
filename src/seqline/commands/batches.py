"""Commands about rows that come in: ingest, label."""

from __future__ import annotations

import click

COMMANDS: list[click.Command] = []
