"""Reading and writing YAML, recipes above all: strict, and with faults in words.

An unknown key, a wrong type or a conflict is an `InputError` that names the place, the nearest valid key and what to do.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError
from pydantic.json_schema import models_json_schema

from seqline.errors import InputError
from seqline.files import atomic_write
from seqline.recipe import INPUTS, RECIPES, Recipe

_POWER_OF_TEN = re.compile(r"[+-]?\d+(?:\.\d*)?[eE][+-]?\d+")


class _UniqueKeyLoader(yaml.SafeLoader):
    """Safe YAML that refuses a key given twice instead of silently taking the last."""


def _mapping_without_duplicates(
    loader: _UniqueKeyLoader, node: yaml.MappingNode, deep: bool = False
) -> dict[Any, Any]:
    mapping: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=deep)
        if key in mapping:
            raise yaml.constructor.ConstructorError(
                None, None, f"key {key!r} is given twice", key_node.start_mark
            )
        mapping[key] = loader.construct_object(value_node, deep=True)
    return mapping


_UniqueKeyLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping_without_duplicates)


def read_yaml(path: Path) -> Any:
    """Read a YAML file, safe tags only, duplicate keys refused; a missing or broken file is an `InputError`."""
    try:
        return _UniqueKeyLoader(path.read_text(encoding="utf-8")).get_single_data()
    except FileNotFoundError:
        raise InputError(str(path), "no such file") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(str(path), f"not readable as YAML: {error}") from None


def to_yaml(value: Mapping[str, Any]) -> str:
    """A mapping as YAML text, in its own order."""
    return yaml.safe_dump(dict(value), sort_keys=False, allow_unicode=True, width=110)


def write_yaml(path: Path, value: Mapping[str, Any]) -> None:
    """Write a mapping as YAML, atomically."""
    atomic_write(path, to_yaml(value))


def _section_at(recipe: type[Recipe], location: tuple[str | int, ...]) -> type[BaseModel] | None:
    """The section class that holds the key at `location`."""
    section: type[BaseModel] = recipe
    path = location[:-1]
    if path[:1] == ("input",) and len(path) > 1:
        # pydantic names the kind after `input`.
        section, path = INPUTS[str(path[1])], path[2:]
    for part in path:
        field = section.model_fields.get(str(part))
        annotation = field.annotation if field else None
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return None
        section = annotation
    return section


def _explain(error: Any, recipe: type[Recipe]) -> str:
    """One line for one pydantic error: dotted key, what was found, the nearest valid key or the expectation."""
    location = tuple(error["loc"])
    section = _section_at(recipe, location) if location else None
    # pydantic names the kind of the input after it; the file has no such level.
    shown = location[:1] + location[2:] if location[:1] == ("input",) and len(location) > 1 else location
    key = ".".join(str(part) for part in shown) or "recipe"
    if error["type"] == "extra_forbidden" and section is not None:
        valid = list(section.model_fields)
        nearest = difflib.get_close_matches(str(location[-1]), valid, n=1, cutoff=0.5)
        where = ".".join(str(part) for part in shown[:-1]) or "the recipe"
        hint = f"did you mean {nearest[0]!r}?" if nearest else f"valid keys of {where}: {', '.join(valid)}"
        return f"unknown key {key!r}; {hint}"
    if error["type"] == "missing":
        empty_is_fine = len(location) == 1 and location[0] not in {"task", "input", "target"}
        return f"key {key!r} is missing" + (
            f"; write `{key}: {{}}` for its defaults" if empty_is_fine else ""
        )
    if error["type"] == "union_tag_invalid":
        return f"input.kind: found {error['ctx']['tag']!r}; expected one of {', '.join(INPUTS)}"
    if error["type"] == "value_error":
        return f"{key}: {error['ctx']['error']}" if location else str(error["ctx"]["error"])
    found = error.get("input")
    quoting = "; quote the word in YAML" if isinstance(found, bool) and error["type"] == "string_type" else ""
    if isinstance(found, str) and _POWER_OF_TEN.fullmatch(found):
        quoting = "; YAML reads a power of ten as a number only with a point and a sign: 2.0e-3, 1.0e+6"
    return f"{key}: found {found!r}; {error['msg'].lower()}{quoting}"


def _class_of(values: Mapping[str, Any], where: str) -> type[Recipe]:
    """The recipe class of a task."""
    task = values.get("task")
    if task is None:
        nearest = difflib.get_close_matches("task", [str(key) for key in values], n=1)
        mistyped = [key for key in nearest if key not in Recipe.model_fields]
        found = f"; unknown key {mistyped[0]!r}, did you mean 'task'?" if mistyped else ""
        raise InputError(where, f"key 'task' is missing{found}", f"a task: one of {', '.join(RECIPES)}")
    if not isinstance(task, str) or task not in RECIPES:
        nearest = difflib.get_close_matches(str(task), RECIPES, n=1)
        raise InputError(
            where,
            f"task: found {task!r}",
            f"one of {', '.join(RECIPES)}",
            f"did you mean {nearest[0]!r}?" if nearest else "`seqline recipe --schema` lists every key",
        )
    return RECIPES[task]


def parse_recipe(values: Any, where: str) -> Recipe:
    """Check a recipe's values.

    Args:
        values: What the YAML file holds.
        where: Name of the file for messages.

    Raises:
        InputError: With one line for each fault.
    """
    if not isinstance(values, dict):
        raise InputError(where, f"found {type(values).__name__}", "a mapping of recipe sections")
    recipe = _class_of(values, where)
    try:
        return recipe.model_validate(values)
    except ValidationError as error:
        faults = [_explain(item, recipe) for item in error.errors()]
        raise InputError(
            where, "\n  ".join(faults), hint="`seqline recipe --schema` lists every key and its default"
        ) from None


def load_recipe(path: Path) -> Recipe:
    """Read and check one recipe file."""
    return parse_recipe(read_yaml(path), str(path))


def sections_of(recipe: Recipe, *names: str) -> dict[str, Any]:
    """The named sections with all defaults filled in, as JSON values: what a stage's outcome may depend on."""
    full = recipe.model_dump(mode="json")
    return {name: full[name] for name in names}


def recipe_schema() -> dict[str, Any]:
    """JSON Schema of a recipe, for editors: one part a task."""
    parts, definitions = models_json_schema([(recipe, "validation") for recipe in RECIPES.values()])
    return {**definitions, "oneOf": [parts[recipe, "validation"] for recipe in RECIPES.values()]}
