"""Options of `predict` for models that write: how the next step is drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar

import click

from seqline.errors import InputError

if TYPE_CHECKING:
    from seqline.recipe import Recipe
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
    from pydantic import ValidationError

    from seqline.recipe import NextKeysTarget, NextTokenTarget

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


def streamed(predictor: Predictor, texts: Sequence[str]) -> Iterator[str] | None:
    """A single prompt and its continuation, piece by piece as it is drawn; None where answers are of another kind."""
    from seqline.recipe import NextTokenTarget
    from seqline.tasks.generation import Generation

    target = predictor.model.target
    if len(texts) != 1 or predictor.model.input.kind != "text" or not isinstance(predictor.task, Generation):
        return None
    if not isinstance(target, NextTokenTarget) or target.answer != "continuation":
        return None
    return chain(texts, predictor.task.stream(predictor.model, texts[0]), ["\n"])
