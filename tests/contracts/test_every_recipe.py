"""Every embedded recipe goes through the whole chain: checks, arrays, training, evaluation, registry, gate, rollback, answers.

Few rows, a tiny network, one epoch: what is tested is that each use keeps the promises of the chain, not how well it learns.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seqline.config import parse_recipe, read_yaml, write_yaml
from seqline.data.rows import read_split
from seqline.data.samples.registry import SAMPLES, write_sample
from seqline.errors import GateRefused, InputError, ValidationFailed
from seqline.files import files_below
from seqline.recipe import Recipe
from seqline.serving.predictor import Predictor
from seqline.stages import evaluate, prepare, train, validate
from seqline.tracking.journey import promote_artifacts, register_artifacts
from seqline.tracking.registry import champion
from seqline.tracking.rollback import roll_back
from seqline.tracking.store import Tracking, connect
from seqline.workspace import Workspace

ROOT = Path(__file__).parents[2]
NAMES = sorted(SAMPLES)
ROWS = {"train": 120, "test": 24}
# A row is a whole history, of which many windows are made.
HISTORIES = {"forecast": 12, "sales": 12}


def small(name: str, seed: int = 0) -> Recipe:
    """The embedded recipe with a network and a training so small that only the chain is left."""
    values = read_yaml(ROOT / "recipes" / f"{name}.yaml")
    values["validation"] = {**values["validation"], "min_rows": 1, "min_class_share": 0.0}
    values["model"] = {**values["model"], "hidden_size": 8, "embedding_dim": 8}
    values["training"] = {**values["training"], "epochs": 1, "threads": 1, "seed": seed, "precision": "fp32"}
    values["evaluation"] = {**values["evaluation"], "bootstrap_rounds": 100}
    first = parse_recipe({**values, "gate": {"baseline": "none"}}, name).evaluation.baselines[:1]
    values["evaluation"] = {**values["evaluation"], "baselines": first}
    values["gate"] = {
        "baseline": "none",
        "champion": "not_worse",
        "margin": 1.0,
        "max_slice_drop": 1.0,
        "min_test_rows": 1,
        "max_latency_ms": 1e6,
    }
    return parse_recipe(values, name)


def write_rows(name: str, folder: Path) -> None:
    """The first rows of the sample."""
    whole = folder.with_name(f"{name}-whole")
    write_sample(name, whole)
    for split, count in ROWS.items():
        for path in files_below(whole):
            if path.parent.name == split:
                target = folder / split / path.name
                target.parent.mkdir(parents=True, exist_ok=True)
                lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
                target.write_text("".join(lines[: HISTORIES.get(name, count)]), encoding="utf-8")
                break


@pytest.fixture(scope="module")
def tracking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tracking]:
    yield connect(tmp_path_factory.mktemp("every"))


def make(workspace: Workspace, name: str, recipe: Recipe) -> dict[str, Any]:
    """All four stages; the metrics."""
    data, folder = workspace.data_folder(name), workspace.artifact_folder
    validate.run(recipe, data_folder=data, output_folder=folder(name, "validate"))
    prepare.run(recipe, data_folder=data, output_folder=folder(name, "prepare"))
    train.run(
        recipe,
        prepare_folder=folder(name, "prepare"),
        output_folder=folder(name, "train"),
        checkpoint_folder=workspace.checkpoint_folder(name),
        report=lambda event: None,
    )
    return evaluate.run(
        recipe,
        prepare_folder=folder(name, "prepare"),
        train_folder=folder(name, "train"),
        output_folder=folder(name, "evaluate"),
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_lives_through_the_chain(name: str, tracking: Tracking) -> None:
    workspace = Workspace(tracking.root)
    write_rows(name, workspace.data_folder(name))
    first = small(name)
    workspace.recipe_path(name).parent.mkdir(exist_ok=True)
    write_yaml(workspace.recipe_path(name), first.model_dump(mode="json"))

    metrics = make(workspace, name, first)
    assert metrics[first.gate.metric] is not None
    assert metrics[f"baseline.{first.evaluation.baselines[0]}.{first.gate.metric}"] is not None
    register_artifacts(tracking, name, recipe=first)
    assert promote_artifacts(tracking, name, recipe=first).outcome == "promoted"

    before = {
        path.name: path.read_bytes() for path in files_below(workspace.artifact_folder(name, "evaluate"))
    }
    evaluate.run(
        first,
        prepare_folder=workspace.artifact_folder(name, "prepare"),
        train_folder=workspace.artifact_folder(name, "train"),
        output_folder=workspace.artifact_folder(name, "evaluate"),
    )
    after = {
        path.name: path.read_bytes() for path in files_below(workspace.artifact_folder(name, "evaluate"))
    }
    assert before == after

    second = small(name, seed=1)
    make(workspace, name, second)
    assert register_artifacts(tracking, name, recipe=second).version == 2
    try:
        assert promote_artifacts(tracking, name, recipe=second).outcome == "promoted"
        assert roll_back(tracking, name).version == 1
    except GateRefused as refusal:
        # Of two models that have learnt next to nothing either may be the better one; the reason is about their scores.
        assert "champion" in str(refusal)
    bearer = champion(tracking, name)
    assert bearer is not None
    assert bearer.version == 1

    answers(workspace, name)


def answers(workspace: Workspace, name: str) -> None:
    """Answers are JSON, and none depends on the others of the call."""
    predictor = Predictor.load(workspace.artifact_folder(name, "train"))
    rows = read_split(workspace.artifact_folder(name, "prepare"), "test").take([0, 1, 2])
    together = [answer.record() for answer in predictor.answers(rows.inputs)]
    assert len(together) == 3
    assert all(answer.line() for answer in predictor.answers(rows.inputs[:1]))
    json.dumps(together, allow_nan=False)
    measured = predictor.measure(rows)
    alone = np.concatenate([predictor.measure(rows.take([index])) for index in range(3)])
    assert np.allclose(measured, alone, atol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_a_row_without_its_input_is_refused_and_nothing_is_written(name: str, tmp_path: Path) -> None:
    workspace, recipe = Workspace(tmp_path), small(name)
    write_rows(name, workspace.data_folder(name))
    path = next(iter(sorted((workspace.data_folder(name) / "train").iterdir())))
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    row = json.loads(lines[0])
    row[recipe.input.column] = None
    path.write_text(json.dumps(row) + "\n" + "".join(lines[1:]), encoding="utf-8")
    output = workspace.artifact_folder(name, "validate")
    with pytest.raises((ValidationFailed, InputError)) as caught:
        validate.run(recipe, data_folder=workspace.data_folder(name), output_folder=output)
    assert recipe.input.column in str(caught.value)
    assert not output.exists()


def test_the_recipes_and_the_samples_are_the_same_names() -> None:
    assert {path.stem for path in (ROOT / "recipes").glob("*.yaml")} >= set(NAMES)
    for name in NAMES:
        assert small(name).task
