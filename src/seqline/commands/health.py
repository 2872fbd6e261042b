"""Commands that explain what is wrong with a set-up: doctor."""

from __future__ import annotations

import click

COMMANDS: list[click.Command] = []
