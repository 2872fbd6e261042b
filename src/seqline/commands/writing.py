"""Options of `predict` for models that write: how the next step is drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import click
from pydantic import ValidationError

from seqline.errors import InputError
from seqline.recipe import NextKeysTarget, NextTokenTarget, Recipe

if TYPE_CHECKING:
    from seqline.serving.predictor import Predictor

_Command = TypeVar("_Command", bound=Callable[..., Any])
_OPTIONS = (
    click.option("--temperature", type=float, help="Of text and music: below 1 bolder, above 1 wilder, 0 never by chance."),
    click.option("--top-k", type=int, help="Of text: only the k most probable tokens; of music: k voices."),
    click.option("--top-p", type=float, help="Of text: only the most probable tokens up to this share."),
    click.option("--seed", type=int, help="Of the drawing; the same one writes the same."),
    click.option("--length", type=int, help="Tokens or steps to write at most."),
)  # fmt: skip


def drawing_options(command: _Command) -> _Command:
    """Give a command the options of drawing; they stand in for the recipe's section `target`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def asked_drawing(recipe: Recipe, options: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that were given, by their names in the recipe's target.

    Raises:
        InputError: A setting that this recipe's models do not have, or one out of its bounds.
    """
    given = {name: value for name, value in options.items() if value is not None}
    target = recipe.target
    for name in given:
        if not isinstance(target, NextTokenTarget | NextKeysTarget):
            raise InputError(
                "predict",
                f"--{name.replace('_', '-')}, but the task is {recipe.task}",
                "a recipe that writes",
            )
        if isinstance(target, NextKeysTarget) and name == "top_p":
            raise InputError("predict", "--top-p, but keys are drawn one by one", "--temperature or --top-k")
    if isinstance(target, NextKeysTarget) and "top_k" in given:
        given["voices"] = given.pop("top_k")
    try:
        type(target).model_validate({**target.model_dump(), **given})
    except ValidationError as error:
        first = error.errors()[0]
        where = {"voices": "top-k"}.get(str(first["loc"][0]), str(first["loc"][0]).replace("_", "-"))
        raise InputError(f"predict --{where}", f"{first['input']}", first["msg"]) from None
    return given


def drawing(predictor: Predictor, settings: Mapping[str, Any]) -> Predictor:
    """The same model, drawing by other settings."""
    if not settings:
        return predictor
    target = predictor.model.target
    changed = type(target).model_validate({**target.model_dump(), **settings})
    return replace(predictor, model=replace(predictor.model, target=changed))


def streamed(predictor: Predictor, prompt: str) -> Iterator[str] | None:
    """Pieces of a prompt's continuation as they are drawn; None where answers are of another kind."""
    from seqline.tasks.generation import Generation

    target = predictor.model.target
    if not isinstance(predictor.task, Generation) or not isinstance(target, NextTokenTarget):
        return None
    return predictor.task.stream(predictor.model, prompt) if target.answer == "continuation" else None
