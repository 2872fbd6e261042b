"""Commands that make a registered model again: rebuild."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from seqline.workspace import Workspace

if TYPE_CHECKING:
    from seqline.rebuilding import Rebuild

_DIGEST_CHARACTERS = 16


def table(result: Rebuild) -> str:
    """File, recorded and rebuilt digest, and whether they are the same."""
    lines = [f"{'file':<22} {'recorded':<16} {'rebuilt':<16} same"]
    for file in result.files:
        recorded, rebuilt = file.recorded[:_DIGEST_CHARACTERS], file.rebuilt[:_DIGEST_CHARACTERS] or "missing"
        lines.append(f"{file.name:<22} {recorded:<16} {rebuilt:<16} {'yes' if file.same else 'NO'}")
    return "\n".join(lines)


@click.command()
@click.argument("target", metavar="NAME@VERSION")
@click.option(
    "--into",
    type=click.Path(path_type=Path),
    help="Folder to rebuild in, empty or absent; by default a temporary one.",
)
def rebuild(target: str, into: Path | None) -> None:
    """Make a registered version again from its registry entry alone, and compare the bytes.

    NAME@champion, NAME@challenger or NAME@3. Exit code 1: other bytes came out.

    Example: seqline rebuild sentiment@champion
    """
    from seqline.rebuilding import find_version
    from seqline.rebuilding import rebuild as make_again
    from seqline.tracking.runs import connect

    tracking = connect(Workspace.find().root)
    version = find_version(tracking, target)
    result = make_again(tracking, version, into=into, on_line=click.echo)
    click.echo(table(result))
    for line in result.differences:
        click.echo(f"differs  {line}")
    what = f"{version.name} version {version.version}"
    if result.same:
        click.echo(f"{what}: the same bytes again, from commit {result.commit}")
        if into is None:
            shutil.rmtree(result.folder, ignore_errors=True)
    else:
        click.echo(f"{what}: other bytes came out; what was made is in {result.folder}")
    sys.exit(0 if result.same else 1)


COMMANDS = [rebuild]
