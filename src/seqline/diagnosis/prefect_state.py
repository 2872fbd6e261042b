"""What Prefect's server says about itself, its deployments and its workers."""

from __future__ import annotations

from typing import Any

from seqline.addresses import without_password
from seqline.config import read_yaml
from seqline.diagnosis.findings import Findings, Situation, ok, problem, warning
from seqline.prefect_server import PrefectServer, server_named_by


def prefect(situation: Situation) -> Findings:
    """Whether the server answers that the flows report to."""
    from seqline.services import services

    recorded = services(situation.workspace)
    dead = [service.name for service in recorded if not service.is_alive]
    if dead:
        yield problem(f"{', '.join(dead)} of `seqline up` are gone", "make down && make up")
    server = _server(situation)
    if server is None:
        if not dead:
            yield ok("no server: seqline run starts a temporary one; make up starts one with schedules")
        return
    yield ok(f"{without_password(server.url)} answers, version {server.ask('admin/version')}")


def schedules(situation: Situation) -> Findings:
    """What prefect.yaml wants deployed: there, and its schedules not paused."""
    server = _server(situation)
    if server is None:
        yield ok("nothing runs by itself; make up deploys prefect.yaml")
        return
    deployed = server.deployments()
    file = situation.workspace.root / "prefect.yaml"
    wanted = set(_wanted(read_yaml(file))) if file.is_file() else set()
    missing = sorted(wanted - deployed.keys())
    if missing:
        yield problem(f"not deployed: {', '.join(missing)}", "prefect deploy --all")
    paused = [
        (name, schedule["id"])
        for name, record in sorted(deployed.items())
        for schedule in record["schedules"]
        if record["paused"] or not schedule["active"]
    ]
    if paused:
        first, schedule_id = paused[0]
        yield warning(
            f"paused: {', '.join(sorted({name for name, _ in paused}))}",
            f"prefect deployment schedule resume {first} {schedule_id}",
        )
    if not missing and not paused:
        yield ok(f"{len(deployed)} deployments, none paused")


def workers(situation: Situation) -> Findings:
    """Whether somebody carries out what is scheduled."""
    server = _server(situation)
    pools = {} if server is None else {record["work_pool_name"] for record in server.deployments().values()}
    if server is None or not pools:
        yield ok("no deployments, so no worker is needed")
        return
    for pool in sorted(pool for pool in pools if pool):
        found = server.ask(f"work_pools/{pool}/workers/filter", {})
        online = [record["name"] for record in found if record["status"] == "ONLINE"]
        if online:
            yield ok(f"pool {pool}: {len(online)} workers online")
        else:
            yield problem(
                f"pool {pool}: no worker online", f"prefect worker start --pool {pool} (or make up)"
            )
    late = server.ask("flow_runs/count", {"flow_runs": {"state": {"name": {"any_": ["Late"]}}}})
    if late:
        yield warning(f"{late} scheduled runs are late", "prefect flow-run ls --state Late")


def _server(situation: Situation) -> PrefectServer | None:
    from seqline.services import services

    named = server_named_by(situation.environment)
    if named is not None:
        return named
    here = [s for s in services(situation.workspace) if s.name == "prefect" and s.is_alive]
    return (
        PrefectServer(f"{here[0].address}/api", situation.environment.get("PREFECT_API_AUTH_STRING", ""))
        if here
        else None
    )


def _wanted(values: Any) -> list[str]:
    """FLOW/NAME of each entry of prefect.yaml; a flow is named as its function without `_flow`."""
    entries = (values or {}).get("deployments") or []
    return [
        f"{str(entry['entrypoint']).rpartition(':')[2].removesuffix('_flow')}/{entry['name']}"
        for entry in entries
    ]
