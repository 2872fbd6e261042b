"""Commands that make a registered model again: rebuild."""

from __future__ import annotations

import click

COMMANDS: list[click.Command] = []
