"""Options of `predict` for models that write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from seqline.commands.typed_inputs import typed_input
from seqline.commands.writing import asked_drawing, drawing, streamed
from seqline.config import load_recipe
from seqline.data.inputs import fit_input
from seqline.data.midi import roll_of_notes, write_midi
from seqline.data.targets import fit_target
from seqline.errors import InputError
from seqline.recipe import Recipe
from seqline.serving.predictor import Predictor
from seqline.tasks import task_named
from seqline.tasks.model import FittedModel

ROOT = Path(__file__).parents[2]


def recipe_of(name: str) -> Recipe:
    return load_recipe(ROOT / "recipes" / f"{name}.yaml")


def predictor_of(name: str, inputs: list[Any]) -> Predictor:
    recipe = recipe_of(name)
    torch.manual_seed(0)
    encoder = fit_input(inputs, recipe.input)
    small = recipe.model.model_copy(update={"hidden_size": 8, "embedding_dim": 8})
    network = task_named(recipe.task).build(small, encoder.sizes).eval()
    targets = fit_target([], recipe.target)
    model = FittedModel(network, encoder, targets, recipe.input, recipe.target, small)
    return Predictor(task_named(recipe.task), model)


def test_options_stand_in_for_the_recipe() -> None:
    predictor = predictor_of("text", ["BRAM:\nIt is gone.\n"] * 3)
    options = {"temperature": 0.0, "top_k": None, "top_p": None, "seed": None, "length": 15}
    changed = drawing(predictor, asked_drawing(recipe_of("text"), options))
    pieces = list(streamed(changed, ["BRAM"]) or [])
    assert pieces[0] == "BRAM" and pieces[-1] == "\n"
    assert len("".join(pieces)) <= len("BRAM") + 15 + 1
    assert "".join(pieces[1:-1]) == changed.answers(["BRAM"])[0].record()["continuation"]
    assert drawing(predictor, {}) is predictor


def test_only_single_prompts_of_continuing_models_are_streamed() -> None:
    text = predictor_of("text", ["It is gone."])
    assert streamed(text, ["one", "two"]) is None
    assert streamed(predictor_of("suggest", ["cheap trains"]), ["cheap"]) is None


def test_music_takes_top_k_as_voices() -> None:
    predictor = predictor_of("music", [[[60], [62]]])
    settings = asked_drawing(recipe_of("music"), {"top_k": 1, "length": 6, "temperature": 5.0, "seed": 1})
    notes = drawing(predictor, settings).answers([[[60]]])[0].record()["notes"]
    assert len(notes) == 6
    assert {len(step) for step in notes} <= {0, 1}


@pytest.mark.parametrize(
    ("name", "options", "found"),
    [
        ("sentiment", {"temperature": 0.5}, "the task is classification"),
        ("text", {"temperature": -0.5}, "--temperature"),
        ("text", {"top_p": 1.5}, "--top-p"),
        ("text", {"length": 0}, "--length"),
        ("text", {"seed": -1}, "--seed"),
        ("music", {"top_p": 0.5}, "one by one"),
        ("music", {"top_k": 89}, "--top-k"),
    ],
)
def test_settings_that_cannot_be_are_refused(name: str, options: dict[str, Any], found: str) -> None:
    with pytest.raises(InputError, match=found):
        asked_drawing(recipe_of(name), options)


def test_a_midi_file_can_be_the_opening(tmp_path: Path) -> None:
    section = recipe_of("music").input
    write_midi(tmp_path / "a.mid", roll_of_notes([[60, 64], [62]]))
    assert typed_input(str(tmp_path / "a.mid"), section) == [[60, 64], [62]]
    assert typed_input("[[60, 64], [62]]", section) == [[60, 64], [62]]
    (tmp_path / "b.mid").write_bytes(b"no music")
    for bad in (str(tmp_path / "b.mid"), str(tmp_path / "none.mid"), "C4 E4"):
        with pytest.raises(InputError):
            typed_input(bad, section)
