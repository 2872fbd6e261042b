"""Commands, their help and the docs say the same."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from seqline.cli import cli

ROOT = Path(__file__).parents[2]
COMMANDS = sorted(cli.commands.items())
PAGE = ROOT / "docs" / "commands.md"


def example_of(command: click.Command) -> str:
    found = re.search(r"Example: (seqline .+?)(?:\n|$)", command.help or "")
    assert found, f"{command.name}: help without a line `Example: seqline ...`"
    return found[1]


@pytest.mark.parametrize(("name", "command"), COMMANDS)
def test_the_example_in_the_help_is_a_call_the_command_accepts(name: str, command: click.Command) -> None:
    words = shlex.split(example_of(command))
    assert words[:2] == ["seqline", name]
    command.make_context(name, words[2:], resilient_parsing=False)


@pytest.mark.parametrize(("name", "command"), COMMANDS)
def test_the_commands_page_shows_every_command_its_example_and_its_options(
    name: str, command: click.Command
) -> None:
    page = PAGE.read_text(encoding="utf-8")
    section = re.search(rf"^## `seqline {name}\b.*?(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    assert section, f"docs/commands.md has no section for {name}"
    assert example_of(command) in section[0]
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert f"`{parameter.opts[0]}" in section[0], f"{name} {parameter.opts[0]}"


def test_the_commands_page_shows_no_command_that_is_gone() -> None:
    shown = set(re.findall(r"^## `seqline (\w+)", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    assert shown == {name for name, _ in COMMANDS}


def test_calls_of_seqline_in_the_docs_are_commands_that_exist() -> None:
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]:
        if page.name == "log.md":
            continue
        for block in re.findall(r"```(?:sh|console)?\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
            for name in re.findall(r"^(?:\.venv/bin/)?seqline (\w+)", block, re.MULTILINE):
                assert name in cli.commands, f"{page.name}: seqline {name}"


def test_links_between_pages_lead_somewhere() -> None:
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_help_loads_no_heavy_library() -> None:
    heavy = [
        "torch",
        "mlflow",
        "great_expectations",
        "prefect",
        "pandas",
        "sklearn",
        "numpy",
        "pydantic",
        "dvc",
    ]
    code = f"import sys, seqline.cli; print([m for m in {heavy!r} if m in sys.modules])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
