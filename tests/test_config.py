"""Recipes: what is right loads, what is wrong is named with its place and the way to mend it."""

from __future__ import annotations

from pathlib import Path

import pytest

from seqline.config import load_recipe, parse_recipe, recipe_schema, sections_of, write_yaml
from seqline.errors import InputError
from seqline.recipe import RECIPES as TASKS
from seqline.recipe import Recipe

ROOT = Path(__file__).parents[1]
RECIPES = Path(__file__).parent / "recipes"


@pytest.mark.parametrize(
    "path",
    sorted([*(RECIPES / "valid").glob("*.yaml"), *(ROOT / "recipes").glob("*.yaml")]),
    ids=lambda p: p.stem,
)
def test_valid_recipes_load(path: Path) -> None:
    assert isinstance(load_recipe(path), Recipe)


@pytest.mark.parametrize("path", sorted((RECIPES / "invalid").glob("*.yaml")), ids=lambda p: p.stem)
def test_invalid_recipes_fail_with_the_message_in_their_first_line(path: Path) -> None:
    expected = path.read_text(encoding="utf-8").splitlines()[0].removeprefix("# expect: ")
    with pytest.raises(InputError) as caught:
        load_recipe(path)
    assert expected in str(caught.value)
    assert str(path) in str(caught.value)
    assert caught.value.exit_code == 2


def test_the_effective_recipe_is_the_file_plus_defaults(tmp_path: Path) -> None:
    recipe = load_recipe(ROOT / "recipes" / "sentiment.yaml")
    write_yaml(tmp_path / "full.yaml", recipe.model_dump(mode="json"))
    assert load_recipe(tmp_path / "full.yaml") == recipe


def test_a_recipe_does_not_change_after_loading() -> None:
    recipe = load_recipe(ROOT / "recipes" / "sentiment.yaml")
    with pytest.raises(Exception, match="frozen"):
        recipe.training.epochs = 3  # type: ignore[misc]


def test_every_fault_is_named_at_once() -> None:
    with pytest.raises(InputError) as caught:
        parse_recipe({"task": "classification", "input": {"column": 3}, "tarjet": {}}, "r.yaml")
    for part in (
        "input.column",
        "'tarjet'; did you mean 'target'?",
        "'target' is missing",
        "write `gate: {}`",
    ):
        assert part in str(caught.value)


def test_sections_hold_all_defaults() -> None:
    recipe = load_recipe(RECIPES / "valid" / "shortest.yaml")
    assert sections_of(recipe, "model")["model"]["hidden_size"] == 128
    assert set(sections_of(recipe, "model", "task")) == {"model", "task"}


@pytest.mark.parametrize("task", TASKS)
def test_the_schema_names_every_section(task: str) -> None:
    part = recipe_schema()["$defs"][TASKS[task].__name__]
    assert set(part["properties"]) == set(TASKS[task].model_fields)
    assert part["properties"]["task"]["const"] == task
