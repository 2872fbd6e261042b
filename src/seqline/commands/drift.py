"""Commands that watch a champion: monitor."""

from __future__ import annotations

import click

COMMANDS: list[click.Command] = []
