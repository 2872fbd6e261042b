"""Models of different vocabularies: what may be compared, and that the fair measure tells them apart."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from seqline.config import parse_recipe
from seqline.data.inputs import fit_input
from seqline.data.rows import SplitRows
from seqline.data.samples.suggestions import lines
from seqline.data.targets import fit_target
from seqline.evaluation.baselines import Problem, answer_all
from seqline.evaluation.metrics import METRICS, measures_of
from seqline.recipe import Recipe
from seqline.tasks import generation, task_named
from seqline.tasks.base import sizes_of
from seqline.tasks.model import FittedModel

TEXTS = ["cheap trains from here", "cheap boats from there", "late trains to town"] * 4
EMPTY: dict[str, Any] = {"validation": {}, "split": {}, "training": {}, "evaluation": {}, "gate": {}}


def recipe_of(task: str, **settings: Any) -> Recipe:
    column = "text" if task == "generation" else "answer"
    sections: dict[str, Any] = {
        "input": {"column": "text", "keep": "head", "min_count": 1},
        "target": {"column": column},
        "model": {"embedding_dim": 8, "hidden_size": 8},
    }
    if task != "generation":
        sections["target"]["min_count"] = 1
    for key, value in settings.items():
        section, _, name = key.partition("__")
        sections[section] = {**sections[section], name: value}
    return parse_recipe({"task": task, **sections, **EMPTY}, "test")


def model_of(recipe: Recipe, texts: list[str]) -> FittedModel:
    torch.manual_seed(0)
    encoder, targets = fit_input(texts, recipe.input), fit_target(texts, recipe.target)
    network = task_named(recipe.task).build(recipe.model, sizes_of(encoder, targets)).eval()
    return FittedModel(network, encoder, targets, recipe.input, recipe.target, recipe.model)


def unit_of(recipe: Recipe, metric: str, texts: list[str] = TEXTS) -> str:
    return task_named(recipe.task).unit(metric, model_of(recipe, texts))


@pytest.mark.parametrize("task", ["generation", "dialogue"])
def test_tokens_of_one_vocabulary_are_one_unit_and_those_of_another_are_not(task: str) -> None:
    recipe = recipe_of(task)
    more = [*TEXTS, "slow trams"]
    for metric in ("perplexity", "nats_per_token"):
        assert unit_of(recipe, metric) == unit_of(recipe, metric, list(TEXTS))
        assert unit_of(recipe, metric) != unit_of(recipe, metric, more)
    for metric in ("nats_per_character", "hit_at_5"):
        assert unit_of(recipe, metric) == unit_of(recipe, metric, more)


def test_hits_on_byte_pairs_are_those_of_one_vocabulary() -> None:
    recipe = recipe_of("generation", input__tokenizer="bpe")
    assert unit_of(recipe, "hit_at_5") != unit_of(recipe, "hit_at_5", [*TEXTS, "slow trams, slow trams"])
    assert unit_of(recipe, "hit_at_5") == unit_of(recipe, "hit_at_5", list(TEXTS))


def test_a_text_is_measured_whole_whatever_was_cut_to_learn_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    task = task_named("generation")
    lines = [" ".join(["cheap trains from here"] * count) for count in (1, 9, 4, 30)]
    rows = SplitRows(["1", "2", "3", "4"], lines, [None] * 4, {})
    whole = task.measure(model_of(recipe_of("generation"), TEXTS), rows)
    assert whole[:, 1].tolist() == [5, 37, 17, 121]
    assert whole[:, 5].tolist() == [len(line) for line in lines]
    cut = task.measure(model_of(recipe_of("generation", input__max_length=7), TEXTS), rows)
    np.testing.assert_array_equal(cut, whole)
    # In pieces with carried state, and the rows in batches of two.
    monkeypatch.setattr(generation, "_STEPS_AT_ONCE", 8)
    monkeypatch.setattr(generation, "_ROWS_AT_ONCE", 2)
    np.testing.assert_allclose(task.measure(model_of(recipe_of("generation"), TEXTS), rows), whole, rtol=1e-6)


@pytest.mark.parametrize(
    ("task", "setting"),
    [
        ("generation", {"input__lowercase": False}),
        ("generation", {"input__tokenizer": "bpe"}),
        ("dialogue", {"target__lowercase": True}),
        ("dialogue", {"target__max_length": 7}),
    ],
)
def test_models_that_read_another_text_share_no_measure_of_characters(
    task: str, setting: dict[str, Any]
) -> None:
    assert unit_of(recipe_of(task), "nats_per_character") != unit_of(
        recipe_of(task, **setting), "nats_per_character"
    )


@pytest.mark.parametrize(
    "setting",
    [
        {"target__vocab_size": 9},
        {"target__min_count": 3},
        {"input__vocab_size": 9},
        {"input__max_length": 7},
    ],
)
def test_the_size_of_a_vocabulary_changes_no_measure_of_characters(setting: dict[str, Any]) -> None:
    assert unit_of(recipe_of("dialogue"), "nats_per_character") == unit_of(
        recipe_of("dialogue", **setting), "nats_per_character"
    )


def test_answers_are_compared_by_bleu_whatever_their_words() -> None:
    recipe = recipe_of("dialogue", target__vocab_size=9)
    assert unit_of(recipe, "bleu") == unit_of(recipe_of("dialogue", target__lowercase=True), "bleu") == ""


def test_fewer_words_look_better_by_perplexity_and_are_worse_by_characters() -> None:
    train, test = (
        [row["text"] for row in lines(rows=count, seed=0, split=split)]
        for split, count in (("train", 300), ("test", 100))
    )
    figures = {}
    for size in (8, 2_000):
        recipe = recipe_of("generation", input__vocab_size=size)
        parts = [
            SplitRows([str(i) for i in range(len(part))], part, [None] * len(part), {})
            for part in (train, train[:2], test)
        ]
        values = answer_all(["kneser_ney"], Problem(recipe, *parts))["kneser_ney"]
        measures = measures_of(task_named("generation").metrics, task_named("generation").columns)
        nothing = np.zeros(len(values), dtype=np.int64)
        figures[size] = {name: metric.function(values, nothing) for name, metric in measures.metrics.items()}
    assert figures[8]["perplexity"] < figures[2_000]["perplexity"] / 2
    assert figures[8]["nats_per_character"] > 2 * figures[2_000]["nats_per_character"]
    # Of unknown words none is foretold.
    assert figures[8]["hit_at_5"] < figures[2_000]["hit_at_5"]


@pytest.mark.parametrize("task", ["generation", "translation", "answering", "dialogue"])
def test_every_figure_of_tokens_or_characters_has_a_unit(task: str) -> None:
    recipe = recipe_of(task)
    for name in task_named(task).metrics:
        counts = {"tokens", "characters"} & set(METRICS[name].columns)
        assert bool(unit_of(recipe, name)) == bool(counts), name


def test_the_network_foretells_no_unknown_word() -> None:
    recipe = recipe_of("generation")
    model = model_of(recipe, TEXTS)
    rows = SplitRows(["1"], ["zebra zebra"], [None], {})
    nll, tokens, correct, hits, spelling, characters = task_named("generation").measure(model, rows)[0]
    assert nll > 0 and tokens == 3 and characters == 11
    assert spelling == pytest.approx(12 * np.log(257))
    assert correct <= 1 and hits <= 1  # the end mark alone can be


def test_music_is_compared_over_the_same_steps() -> None:
    task = task_named("music")
    sections: dict[str, Any] = {
        "input": {"kind": "piano", "column": "notes", "keep": "head"},
        "target": {"column": "notes"},
    }
    units = []
    for steps in (50, 60):
        recipe = parse_recipe(
            {
                "task": "music",
                **sections,
                "input": {**sections["input"], "max_length": steps},
                "model": {},
                **EMPTY,
            },
            "test",
        )
        units.append(task.unit("nll_per_step", SimpleNamespace(input=recipe.input)))
    assert units == ["steps of pieces cut to 50", "steps of pieces cut to 60"]
