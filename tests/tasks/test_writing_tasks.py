"""Generation and music as tasks: pieces, marks, row statistics, answers, streams, files, toys."""

from __future__ import annotations

import io
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import mido
import numpy as np
import pytest
import torch

from seqline.config import parse_recipe
from seqline.data.collate import collate
from seqline.data.inputs import fit_input
from seqline.data.midi import notes_of_roll, read_midi
from seqline.data.rows import SplitRows
from seqline.data.targets import fit_target
from seqline.errors import InputError
from seqline.recipe import NextTokenTarget, Recipe
from seqline.tasks import task_named
from seqline.tasks.generation import Continuation, Generation, Suggestions, mean_cost, sampling_of
from seqline.tasks.model import FittedModel
from seqline.tasks.music import Music, MusicGeneration

LINES = ["cheap trains to rome", "cheap trains to riga", "late flights to rome, please", "cheap tea"]
PIECES = [[[48, 64, 67], [47, 62, 67], [48, 64, 67]], [[60], [], [62]], [[50, 57]] * 6]
SECTIONS: dict[str, Any] = {"validation": {}, "split": {}, "training": {}, "evaluation": {}, "gate": {}}


def recipe_of(**changed: dict[str, Any]) -> Recipe:
    values: dict[str, Any] = {
        "task": "generation",
        "input": {"column": "text", "tokenizer": "word", "min_count": 1, "keep": "head"},
        "target": {"column": "text", "context_length": 3, "length": 12},
        "model": {"cell": "gru", "embedding_dim": 6, "hidden_size": 8},
    }
    for name, section in changed.items():
        values[name] = {**values[name], **section} if isinstance(section, dict) else section
    return parse_recipe({**SECTIONS, **values}, "test")


def music_recipe(**target: Any) -> Recipe:
    values = {
        "task": "music",
        "input": {"kind": "piano", "column": "notes", "keep": "head", "steps_per_beat": 2},
        "target": {"column": "notes", "length": 10, **target},
        "model": {"cell": "gru", "embedding_dim": 6, "hidden_size": 8},
    }
    return parse_recipe({**SECTIONS, **values}, "test")


def fitted(recipe: Recipe, inputs: list[Any]) -> FittedModel:
    torch.manual_seed(0)
    encoder = fit_input(inputs, recipe.input)
    network = task_named(recipe.task).build(recipe.model, encoder.sizes).eval()
    return FittedModel(
        network, encoder, fit_target([], recipe.target), recipe.input, recipe.target, recipe.model
    )


def rows_of(inputs: list[Any]) -> SplitRows:
    return SplitRows([str(i) for i in range(len(inputs))], inputs, [None] * len(inputs), {})


def test_rows_become_marked_pieces_that_go_on() -> None:
    recipe = recipe_of()
    model = fitted(recipe, LINES)
    task = Generation()
    encoded = task.encode(model.encoder, recipe.input, LINES)
    arrays = task.arrays(encoded, model.encoder, model.targets, LINES)
    size = model.encoder.sizes["vocab_size"]
    words = encoded.sequences[0].tolist()
    assert arrays.sequence(0).tolist() == [size, *words[:2]]
    assert arrays.target(0).tolist() == words[:3]
    assert arrays.sequence(1).tolist() == words[2:]
    assert arrays.target(1).tolist() == [words[3], size + 1]
    assert arrays.row_extras["continues"].tolist() == [False, True, False, True, False, True, True, False]
    assert int(arrays.lengths.sum()) == sum(len(ids) + 1 for ids in encoded.sequences)


def test_pieces_with_carried_state_and_whole_rows_cost_the_same() -> None:
    recipe = recipe_of()
    model = fitted(recipe, LINES)
    task = Generation()
    arrays = task.arrays(task.encode(model.encoder, recipe.input, LINES), model.encoder, model.targets, LINES)
    found = []
    with torch.inference_mode():
        for places in ([0, 2, 4, 7], [1, 3, 5], [6]):
            batch = collate(arrays, np.array(places), padding="bucket", max_length=0)
            if len(places) == 1:  # the lane of the third row alone goes on
                model.network.stack.carried = {  # type: ignore[union-attr]
                    name: value[..., [2], :] if value.ndim == 4 else value[[2]]
                    for name, value in model.network.carried.items()  # type: ignore[union-attr]
                }
            found.append(task.tally(model.network(batch), batch, {}))
    pieces = torch.cat(found).sum(dim=0)
    whole = task.measure(model, rows_of(LINES))
    assert pieces.tolist() == pytest.approx(whole.sum(axis=0)[:4].tolist(), abs=1e-4)
    assert whole[:, 1].tolist() == [5, 5, 7, 3]
    assert task.score(pieces.unsqueeze(0))["perplexity"] == pytest.approx(
        math.exp(whole[:, 0].sum() / whole[:, 1].sum())
    )


def test_statistics_of_a_row_do_not_depend_on_its_neighbours() -> None:
    model = fitted(recipe_of(), LINES)
    whole = Generation().measure(model, rows_of(LINES))
    for place, line in enumerate(LINES):
        assert Generation().measure(model, rows_of([line]))[0] == pytest.approx(whole[place], abs=1e-5)


def test_a_continuation_is_the_same_alone_among_others_and_as_a_stream() -> None:
    recipe = recipe_of(input={"tokenizer": "char", "lowercase": False})
    model = fitted(recipe, LINES)
    task = Generation()
    prompts = ["cheap", "late flights to", ""]
    answers = task.answers(model, prompts)
    assert all(isinstance(answer, Continuation) for answer in answers)
    for prompt, answer in zip(prompts, answers, strict=True):
        assert task.answers(model, [prompt]) == [answer]
        assert "".join(task.stream(model, prompt)) == answer.continuation
        assert len(answer.continuation) == 12 or answer.ended
    other = replace(model, target=recipe.target.model_copy(update={"seed": 5}))
    assert task.answers(other, prompts) != answers


def test_words_come_with_spaces_where_they_belong() -> None:
    texts = []
    for seed in range(6):
        model = fitted(recipe_of(target={"length": 30, "seed": seed}), LINES)
        texts.append("".join(Generation().stream(model, "cheap")))
        assert Generation().answers(model, ["cheap"])[0].continuation == texts[-1]
        assert " ," not in texts[-1] and "  " not in texts[-1]
        assert set(texts[-1].replace(",", " ").split()) <= set(" ".join(LINES).replace(",", " ").split())
    assert all(text[0] in " ," for text in texts if text)
    assert sum(map(len, texts)) > 50


def test_bytes_of_a_bpe_vocabulary_stream_as_whole_characters() -> None:
    recipe = recipe_of(input={"tokenizer": "bpe", "vocab_size": 300}, target={"length": 40})
    model = fitted(recipe, ["naïve café ☕ über 食べ物"] * 3)
    answer = Generation().answers(model, ["café"])[0]
    pieces = list(Generation().stream(model, "café"))
    assert "".join(pieces) == answer.continuation
    # Only the last piece may end within a character: nothing follows it.
    assert not any(piece.endswith("\ufffd") for piece in pieces[:-1])


def test_completions_finish_the_word_that_was_begun() -> None:
    model = fitted(recipe_of(target={"answer": "completions", "count": 3}), LINES)
    (answer,) = Generation().answers(model, ["cheap tr"])
    assert isinstance(answer, Suggestions)
    assert answer.texts and all(text.startswith("trains") for text in answer.texts)
    assert answer.probabilities == sorted(answer.probabilities, reverse=True)
    (free,) = Generation().answers(model, ["cheap "])
    assert any(not text.startswith("cheap") for text in free.texts)
    assert Generation().answers(model, ["cheap zq"])[0].texts == []
    for begun in ("cheap (tr", '"tr', "cheap-tr"):
        (after_a_sign,) = Generation().answers(model, [begun])
        assert after_a_sign.texts and all(text.startswith("trains") for text in after_a_sign.texts), begun
    assert len(Generation().answers(model, [""])[0].texts) == 3


def test_next_items_of_symbols() -> None:
    baskets = [["tent", "stove", "gas"], ["flour", "eggs", "sugar"]]
    recipe = parse_recipe(
        {
            **SECTIONS,
            "task": "generation",
            "input": {"kind": "symbols", "column": "items", "keep": "head"},
            "target": {"column": "items", "answer": "next", "count": 2},
            "model": {"embedding_dim": 6, "hidden_size": 8},
        },
        "test",
    )
    model = fitted(recipe, baskets)
    (answer,) = Generation().answers(model, [["tent"]])
    assert len(answer.texts) == 2 and set(answer.texts) <= {item for basket in baskets for item in basket}
    shares = Generation().answers(
        replace(model, target=recipe.target.model_copy(update={"count": 99})), [["tent"]]
    )
    assert len(shares[0].texts) == 6
    assert 0 < sum(shares[0].probabilities) < 1


@pytest.mark.parametrize(
    ("section", "change", "found"),
    [
        ("target", {"column": "other"}, "learns to go on with its input"),
        ("input", {"keep": "tail"}, "from its beginning"),
        ("input", {"padding": "before"}, "from its beginning"),
        ("training", {"label_smoothing": 0.1}, "acts on labels"),
        ("model", {"bidirectional": True}, "bidirectional"),
        ("gate", {"metric": "accuracy"}, "gate.metric"),
        ("target", {"top_p": 0.0}, "top_p"),
        ("target", {"temperature": -1.0}, "temperature"),
    ],
)
def test_recipes_that_cannot_be_are_refused(section: str, change: dict[str, Any], found: str) -> None:
    base = {name: {} for name in ("training", "gate")}
    values: dict[str, Any] = {
        **base,
        "input": {"column": "text", "keep": "head"},
        "target": {"column": "text"},
    }
    values |= {"model": {}, "validation": {}, "split": {}, "evaluation": {}, "task": "generation"}
    values[section] = {**values[section], **change}
    with pytest.raises(InputError, match=found):
        parse_recipe(values, "test")


@pytest.mark.parametrize("task", [Generation(), MusicGeneration()])
def test_the_toy_is_learnt_to_its_entropy(task: Any) -> None:
    is_music = isinstance(task, MusicGeneration)
    recipe = music_recipe() if is_music else recipe_of()
    arrays, sizes = task.toy(examples=120, seed=0)
    torch.manual_seed(0)
    torch.set_num_threads(1)
    section = recipe.model.model_copy(update={"hidden_size": 24, "dropout": 0.0})
    network = task.build(section, sizes)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.02)
    for step in range(80):
        places = np.arange(24) + 24 * (step % 4)
        batch = collate(arrays, places, padding="bucket", max_length=0)
        optimizer.zero_grad()
        mean_cost(network(batch), batch).backward()
        optimizer.step()
    network.eval()
    batch = collate(arrays, np.arange(96, 120), padding="bucket", max_length=0)
    with torch.no_grad():
        costs = network(batch)
    first = 0 if is_music else 1  # the first letter of the source is anyone's guess
    found = float(costs[:, first:, 0].sum() / costs[:, first:, 1].sum())
    entropy = math.log(2) if is_music else -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    assert found == pytest.approx(entropy, rel=0.1)
    assert task.score(task.tally(costs, batch, {}))["loss"] < 1.0


def test_music_is_answered_alike_alone_and_as_a_file_that_plays(tmp_path: Path) -> None:
    recipe = music_recipe(temperature=1.0)
    model = fitted(recipe, PIECES)
    task = MusicGeneration()
    answers = task.answers(model, PIECES)
    assert all(isinstance(answer, Music) and len(answer.notes) == 10 for answer in answers)
    assert [task.answers(model, [piece])[0].notes for piece in PIECES] == [answer.notes for answer in answers]
    assert max(len(step) for answer in answers for step in answer.notes) <= 4
    suffix, content = answers[0].attachment()
    path = tmp_path / f"a{suffix}"
    path.write_bytes(content)
    assert notes_of_roll(read_midi(path, steps_per_beat=2)) == PIECES[0] + answers[0].notes
    assert mido.MidiFile(file=io.BytesIO(content)).length > 0
    other = replace(model, target=recipe.target.model_copy(update={"seed": 1}))
    assert task.answers(other, PIECES)[0].notes != answers[0].notes


def test_music_statistics_leave_the_given_first_step_out() -> None:
    model = fitted(music_recipe(), PIECES)
    found = MusicGeneration().measure(model, rows_of(PIECES))
    assert found[:, 1].tolist() == [2, 2, 5]
    for place, piece in enumerate(PIECES):
        alone = MusicGeneration().measure(model, rows_of([piece]))[0]
        assert alone == pytest.approx(found[place], rel=1e-5)


def test_bad_music_is_refused() -> None:
    model = fitted(music_recipe(), PIECES)
    for bad in ([], [[5]], [60], "C4", [["60"]]):
        with pytest.raises(InputError):
            MusicGeneration().answers(model, [bad])


def test_probes_of_music_are_music() -> None:
    model = fitted(music_recipe(), PIECES)
    probes = MusicGeneration().probes(model)
    assert len(MusicGeneration().answers(model, probes)) == len(probes)


def test_the_target_section_says_how_to_draw() -> None:
    target = NextTokenTarget(column="text", temperature=0.5, top_k=3, top_p=0.9, length=7, seed=2)
    found = sampling_of(target)
    assert (found.temperature, found.top_k, found.top_p, found.length, found.seed) == (0.5, 3, 0.9, 7, 2)
