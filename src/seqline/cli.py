"""The command line: one group, one way to report errors, the exit codes of the contract.

0 done, 2 bad input or recipe (nothing written), 3 validation failed, 4 gate refused, 1 anything else.
"""

from __future__ import annotations

import inspect
import os
import sys

import click

from seqline import __version__
from seqline.commands import (
    answers,
    backtesting,
    batches,
    data,
    drift,
    health,
    pipeline,
    rebuilding,
    registry,
    retraining,
    services,
)
from seqline.errors import SeqlineError

# Libraries in the chain report home unless told not to; whoever wants that can set these variables otherwise.
QUIET = {
    "DO_NOT_TRACK": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    # The first start makes a database; on a busy machine the default of 20 s is too short.
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    "DVC_NO_ANALYTICS": "1",
    "GX_ANALYTICS_ENABLED": "false",
    "TOKENIZERS_PARALLELISM": "true",
    # Idle OpenMP threads spin briefly, then sleep: spinning on costs a multiple on a busy machine, sleeping at once
    # a multiple on a quiet one (docs/decisions.md).
    "GOMP_SPINCOUNT": "2000",
}
_INTERRUPTED = 130


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="seqline")
def cli() -> None:
    """Keep recurrent models trained, tested and promoted on your sequence data.

    \b
    seqline run sentiment                     the whole chain on the embedded sample
    seqline new NAME --from FILE ...          a recipe and data from your own file
    seqline predict NAME "some text"          the champion's answer
    """  # noqa: D301 (the backslash is click's mark for lines it must not join)


for module in (
    data,
    batches,
    pipeline,
    backtesting,
    retraining,
    registry,
    rebuilding,
    answers,
    drift,
    services,
    health,
):
    for command in module.COMMANDS:
        # click must not break an example: people paste it.
        command.help = inspect.cleandoc(command.help or "").replace("Example:", "\b\nExample:")
        cli.add_command(command)


def main() -> None:
    """Run a command; a user's mistake ends with its message and exit code, never with a traceback."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    try:
        sys.exit(cli.main(standalone_mode=False) or 0)
    except SeqlineError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
    except click.exceptions.Abort as abort:
        # A command that keeps nothing says so itself.
        click.echo(f"interrupted; {abort or 'the same command goes on from where it was'}", err=True)
        sys.exit(_INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
