"""Commands that explain what is wrong with a set-up: doctor."""

from __future__ import annotations

import json
import sys

import click

from seqline.workspace import Workspace


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the findings as one JSON object, nothing else.")
def doctor(as_json: bool) -> None:
    """Say what is wrong with this set-up, and the command that mends it. Changes nothing.

    Exit code 1 if there is a problem; warnings alone give 0.

    Example: seqline doctor
    """
    from dataclasses import asdict

    from seqline.diagnosis.checks import CHECKS, diagnose
    from seqline.diagnosis.findings import Situation

    findings = diagnose(Situation(Workspace.find()))
    counts = {
        level: sum(found.level == level for found in findings) for level in ("ok", "warning", "problem")
    }
    if as_json:
        records = [asdict(found) for found in findings]
        click.echo(json.dumps({"counts": counts, "findings": records}, indent=2, ensure_ascii=False))
    else:
        width = max(len(name) for name in CHECKS)
        for found in findings:
            click.echo(f"{found.level:<8} {found.check:<{width}}  {found.found}")
            if found.mend:
                click.echo(f"{'':<8} {'':<{width}}  mend: {found.mend}")
        click.echo(f"{counts['problem']} problems, {counts['warning']} warnings, {counts['ok']} in order")
    sys.exit(1 if counts["problem"] else 0)


COMMANDS = [doctor]
