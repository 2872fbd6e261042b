"""Commands that decide by themselves: retrain."""

from __future__ import annotations

import click

COMMANDS: list[click.Command] = []
