"""prefect.yaml tells the truth: every entry leads to a flow that takes its parameters, for a recipe that exists."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from seqline.config import read_yaml

ROOT = Path(__file__).parents[2]
DEPLOYMENTS = read_yaml(ROOT / "prefect.yaml")["deployments"]
AUTOMATIONS = read_yaml(ROOT / "flows" / "automations.yaml")["automations"]
IDS = [f"{d['entrypoint'].rpartition(':')[2]}-{d['name']}" for d in DEPLOYMENTS]


def function_of(deployment: dict[str, Any]) -> ast.FunctionDef:
    path, _, name = deployment["entrypoint"].partition(":")
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    [found] = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name]
    return found


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=IDS)
def test_the_entrypoint_is_a_flow_with_typed_parameters(deployment: dict[str, Any]) -> None:
    function = function_of(deployment)
    assert any("flow(" in ast.unparse(decorator) for decorator in function.decorator_list)
    names = {argument.arg for argument in function.args.args}
    assert all(argument.annotation is not None for argument in function.args.args)
    assert set(deployment["parameters"]) <= names


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=IDS)
def test_one_run_at_a_time_and_later_ones_are_not_queued(deployment: dict[str, Any]) -> None:
    assert deployment["concurrency_limit"] == {"limit": 1, "collision_strategy": "CANCEL_NEW"}
    assert deployment["work_pool"] == {"name": "seqline"}


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=IDS)
def test_the_model_has_a_recipe_and_every_schedule_its_time_zone(deployment: dict[str, Any]) -> None:
    assert deployment["parameters"]["name"] in read_yaml(ROOT / "params.yaml")["recipes"]
    for schedule in deployment["schedules"]:
        assert ZoneInfo(schedule["timezone"])
        assert schedule["slug"]


def test_every_recipe_is_retrained_and_watched() -> None:
    for name in read_yaml(ROOT / "params.yaml")["recipes"]:
        flows = {function_of(d).name for d in DEPLOYMENTS if d["parameters"]["name"] == name}
        assert flows >= {"retrain_flow", "monitor_flow", "promote_flow"}


def test_dead_flow_runs_are_declared_crashed() -> None:
    [automation] = AUTOMATIONS
    assert automation["trigger"]["posture"] == "Proactive"
    assert automation["actions"] == [
        {"type": "change-flow-run-state", "state": "CRASHED", "message": "No heartbeat for ten minutes."}
    ]
