"""dvc.yaml tells the truth: every dependency exists, and all code a stage imports is among its dependencies."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_layers import PACKAGE, ROOT, imports_of

from seqline.config import read_yaml
from seqline.evaluation.baselines import BASELINES
from seqline.evaluation.metrics import METRICS
from seqline.recipe import RECIPES, Recipe
from seqline.tasks import task_named

STAGES = read_yaml(ROOT / "dvc.yaml")["stages"]


def file_of(module: str) -> Path | None:
    base = ROOT / "src" / Path(*module.split("."))
    if base.with_suffix(".py").is_file():
        return base.with_suffix(".py")
    return base / "__init__.py" if (base / "__init__.py").is_file() else None


def closure(start: Path) -> set[Path]:
    """All files of the package that importing `start` can bring in, the packages on the way included."""
    seen: set[Path] = set()
    todo = [start]
    while todo:
        path = todo.pop()
        if path in seen:
            continue
        seen.add(path)
        for module in imports_of(path):
            if module.split(".")[0] == "seqline" and (found := file_of(module)) is not None:
                todo.append(found)
                todo += [
                    p
                    for p in (parent / "__init__.py" for parent in found.parents)
                    if p.is_file() and PACKAGE in p.parents
                ]
    return seen - {PACKAGE / "__init__.py"}


@pytest.mark.parametrize("stage", sorted(STAGES))
def test_the_code_a_stage_imports_is_among_its_dependencies(stage: str) -> None:
    declared = [ROOT / path for path in STAGES[stage]["deps"] if path.startswith("src/")]
    for path in declared:
        assert path.exists(), f"{path} does not exist"
    for needed in closure(PACKAGE / "stages" / f"{stage}.py") - {PACKAGE / "stages" / "__init__.py"}:
        assert any(needed == path or path in needed.parents for path in declared), f"{stage} imports {needed}"


@pytest.mark.parametrize("stage", sorted(STAGES))
def test_no_dependency_is_idle(stage: str) -> None:
    needed = closure(PACKAGE / "stages" / f"{stage}.py")
    for path in (ROOT / path for path in STAGES[stage]["deps"] if path.startswith("src/")):
        assert any(path == file or path in file.parents for file in needed), f"{stage} does not import {path}"


@pytest.mark.parametrize("stage", sorted(STAGES))
def test_a_stage_depends_on_sections_that_exist_and_writes_below_artifacts(stage: str) -> None:
    (sections,) = STAGES[stage]["params"][0].values()
    assert set(sections) <= set(Recipe.model_fields)
    for kind in ("outs", "metrics", "plots"):
        for out in STAGES[stage].get(kind, []):
            path = out if isinstance(out, str) else next(iter(out))
            assert path.startswith("artifacts/${item.name}/" + stage)


def test_the_sections_a_stage_declares_are_those_its_code_reads() -> None:
    from seqline.stages import evaluate, prepare, train, validate

    for module in (validate, prepare, train, evaluate):
        stage = module.__name__.rsplit(".", 1)[-1]
        (sections,) = STAGES[stage]["params"][0].values()
        assert set(sections) == set(module.SECTIONS)


def test_the_sample_data_are_tracked() -> None:
    recorded = read_yaml(ROOT / "data.dvc")
    assert recorded["outs"][0]["path"] == "data"


@pytest.mark.parametrize("task", RECIPES)
def test_a_recipe_bounds_every_metric_of_its_task_on_its_own_side(task: str) -> None:
    choices, metrics = RECIPES[task].CHOICES, task_named(task).metrics
    assert set(choices.higher) == {name for name in metrics if METRICS[name].direction == "higher"}
    assert set(choices.lower) == {name for name in metrics if METRICS[name].direction == "lower"}
    assert set(choices.compared) <= set(metrics)


@pytest.mark.parametrize("task", RECIPES)
def test_a_recipe_knows_which_way_each_monitored_figure_is_better(task: str) -> None:
    rising = {"key_accuracy"}  # figures on valid that are no metrics of the test rows
    for monitor in RECIPES[task].CHOICES.monitors:
        if monitor in METRICS:
            lower = METRICS[monitor].direction == "lower"
        else:
            assert monitor in rising | {"loss", "frame_error"}, f"{task}: which way is {monitor} better?"
            lower = monitor not in rising
        assert RECIPES[task].CHOICES.falls(monitor) == lower, f"{task}: {monitor}"


@pytest.mark.parametrize("task", RECIPES)
def test_a_recipe_offers_the_baselines_of_its_task_and_kind(task: str) -> None:
    for kind, names in RECIPES[task].CHOICES.baselines.items():
        offered = {
            name
            for name, baseline in BASELINES.items()
            if task in baseline.tasks and (not baseline.kinds or kind in baseline.kinds)
        }
        assert set(names) <= offered, f"{task} over {kind}"
