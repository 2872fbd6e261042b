"""Commands about the servers of a project: up, down."""

from __future__ import annotations

import click

COMMANDS: list[click.Command] = []
