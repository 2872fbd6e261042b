"""Commands about the servers of a project: up, down."""

from __future__ import annotations

import click

from seqline.workspace import Workspace


@click.command()
@click.option("--mlflow-port", type=click.IntRange(1, 65535), default=5000, show_default=True)
@click.option("--prefect-port", type=click.IntRange(1, 65535), default=4200, show_default=True)
def up(mlflow_port: int, prefect_port: int) -> None:
    """Start MLflow's and Prefect's servers and a worker on this machine, with the schedules of prefect.yaml.

    Example: seqline up
    """
    from seqline.services import up as start

    found = start(Workspace.find(), mlflow_port=mlflow_port, prefect_port=prefect_port, on_line=click.echo)
    for deployment in found:
        click.echo(
            f"{'deployed':<9} {deployment.name:<24} {'; '.join(deployment.schedules) or 'no schedule'}"
        )
    click.echo("next      seqline history NAME --decisions; end it all with `make down` (seqline down)")


@click.command()
def down() -> None:
    """End the servers and the worker that `seqline up` started, and nothing else.

    Example: seqline down
    """
    from seqline.services import down as stop

    ended = stop(Workspace.find())
    for service in ended:
        click.echo(f"ended     {service.name} (process {service.pid})")
    if not ended:
        click.echo("nothing of this project was running")


COMMANDS = [up, down]
