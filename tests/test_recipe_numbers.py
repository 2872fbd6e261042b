"""No recipe takes a number that is none, whatever its task and wherever it stands; sizes that no memory holds are refused."""

from __future__ import annotations

import copy
import math
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from seqline.config import load_recipe, parse_recipe
from seqline.errors import InputError
from seqline.evaluation.metrics import METRICS
from seqline.recipe import RECIPES as TASKS

ROOT = Path(__file__).parents[1]
RECIPES = {path.stem: load_recipe(path) for path in sorted((ROOT / "recipes").glob("*.yaml"))}


def numbers(section: BaseModel, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Where a recipe holds a number with a fraction, or could."""
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        if isinstance(value, BaseModel):
            yield from numbers(value, (*path, name))
        elif float in (field.annotation, *typing.get_args(field.annotation)):
            # A mapping of metrics to numbers gets one more, of a metric that the task has.
            yield (*path, name)


def metric_of(recipe: str, key: str) -> str | None:
    choices = type(RECIPES[recipe]).CHOICES
    return next(iter(choices.higher if key == "floors" else choices.lower), None)


PLACES = [
    (recipe, (*path, metric) if path[-1] in ("floors", "ceilings") else path)
    for recipe, read in RECIPES.items()
    for path in numbers(read)
    if (metric := metric_of(recipe, path[-1])) or path[-1] not in ("floors", "ceilings")
]


def put(recipe: str, path: tuple[str | None, ...], value: object) -> dict[str, Any]:
    values: dict[str, Any] = copy.deepcopy(RECIPES[recipe].model_dump(mode="json"))
    place = values
    for name in path[:-1]:
        place = place[str(name)]
    place[str(path[-1])] = value
    return values


def test_the_places_cover_every_task_and_the_well_known_ones() -> None:
    assert {RECIPES[recipe].task for recipe, _ in PLACES} == set(TASKS)
    known = {path for _, path in PLACES}
    assert {("training", "learning_rate"), ("gate", "alpha"), ("gate", "floors", "accuracy")} <= known
    assert ("input", "window_ms") in known
    assert ("model", "decoding", "length_penalty") in known


@given(place=st.sampled_from(PLACES), value=st.sampled_from([math.nan, math.inf, -math.inf]))
def test_no_key_of_any_section_takes_nan_or_infinity(
    place: tuple[str, tuple[str, ...]], value: float
) -> None:
    recipe, path = place
    with pytest.raises(InputError) as caught:
        parse_recipe(put(recipe, path, value), "r.yaml")
    assert f"{'.'.join(path)}: found {value}" in str(caught.value)


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("key", ["hidden_size", "embedding_dim"])
def test_no_size_of_a_network_is_beyond_all_memory(recipe: str, key: str) -> None:
    with pytest.raises(InputError, match=f"model.{key}: found 1000000000000"):
        parse_recipe(put(recipe, ("model", key), 10**12), "r.yaml")


@pytest.mark.parametrize("task", TASKS)
def test_floors_and_ceilings_are_bounded_where_the_metrics_are(task: str) -> None:
    choices = TASKS[task].CHOICES
    assert {name: choices.largest(name) for name in choices.higher} == {
        name: METRICS[name].bounds[1] for name in choices.higher
    }
    assert all(METRICS[name].bounds[0] >= 0 for name in choices.lower)
