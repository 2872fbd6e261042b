from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from sacrebleu.metrics.bleu import BLEU

from seqline.batch import END_ID, SequenceBatch
from seqline.config import parse_recipe
from seqline.data.collate import collate
from seqline.data.rows import SplitRows
from seqline.errors import InputError
from seqline.evaluation.baselines import BASELINES, Problem, answer_all
from seqline.evaluation.metrics import measures_of
from seqline.evaluation.sections import HeatMap
from seqline.recipe import RECIPES, Recipe, TrainingSection
from seqline.tasks import task_named
from seqline.tasks.base import sizes_of
from seqline.tasks.model import FittedModel
from seqline.tasks.translation import Translation, surprise_of

TASKS = ["translation", "answering", "dialogue", "captioning"]
PAIRS = [
    ("the dog runs", "der Hund läuft"), ("a dog runs", "ein Hund läuft"), ("the cat sleeps", "die Katze schläft"),
    ("a cat sleeps", "eine Katze schläft"), ("the dog sleeps , now", "jetzt schläft der Hund"), ("now", "jetzt"),
]  # fmt: skip


pytestmark = pytest.mark.usefixtures("one_thread_and_a_seed")


def recipe_of(task: str, **sections: dict[str, Any]) -> Recipe:
    numbers = task == "captioning"
    values: dict[str, Any] = {
        "task": task,
        "input": {"column": "x", **({"kind": "vector"} if numbers else {"min_count": 1, "max_length": 12})},
        "target": {"column": "y", "min_count": 1, "max_length": 8},
        "model": {"embedding_dim": 16, "hidden_size": 16, "dropout": 0.0, "embedding_dropout": 0.0},
        **{name: {} for name in ("validation", "split", "training", "evaluation", "gate")},
    }
    return parse_recipe({**values, **{name: {**values[name], **s} for name, s in sections.items()}}, "test")


def rows_of(task: str, pairs: list[tuple[str, str]]) -> SplitRows:
    inputs: list[Any] = [text for text, _ in pairs]
    if task == "captioning":
        inputs = [[float(len(text)), float(index)] for index, text in enumerate(inputs)]
    return SplitRows([str(i) for i in range(len(pairs))], inputs, [target for _, target in pairs], {})


def fitted(recipe: Recipe, rows: SplitRows, *, steps: int = 0) -> FittedModel:
    """The task's network with its encoders, after some steps on all rows at once."""
    task = task_named(recipe.task)
    encoder = task.fit_encoder(recipe, rows.inputs)
    targets = task.fit_targets(recipe, [{"y": truth} for truth in rows.truths])
    network = task.build(recipe.model, sizes_of(encoder, targets))
    arrays = task.arrays(task.encode(encoder, recipe.input, rows.inputs), encoder, targets, rows.truths)
    batch = collate(arrays, np.arange(len(rows)), padding="bucket", max_length=0, target_fill=targets.fill)
    loss = task.loss(recipe.training, arrays, sizes_of(encoder, targets))
    optimizer = torch.optim.AdamW(network.parameters(), lr=2e-2)
    for _ in range(steps):
        optimizer.zero_grad()
        loss(network(batch), batch).backward()
        optimizer.step()
    return FittedModel(network.eval(), encoder, targets, recipe.input, recipe.target, recipe.model)


@pytest.mark.parametrize("task", TASKS)
def test_every_writing_task_learns_its_rows_and_says_so_in_its_figures(task: str) -> None:
    recipe, rows = recipe_of(task), rows_of(task, PAIRS)
    model, verbs = fitted(recipe, rows, steps=120), task_named(task)
    assert [answer.text for answer in verbs.answers(model, rows.inputs)] == rows.truths
    values = verbs.measure(model, rows)
    assert values.shape == (len(rows), len(verbs.columns))
    figures = {
        name: metric.function(values, np.zeros(len(rows), dtype=np.int64))
        for name, metric in measures_of(verbs.metrics, verbs.columns).metrics.items()
    }
    assert figures["perplexity"] < 1.3
    assert figures["chrf"] == pytest.approx(100)
    assert figures.get("exact_match", 1.0) == 1.0
    assert set(RECIPES[task].CHOICES.compared) <= set(verbs.metrics)
    assert RECIPES[task].CHOICES.compared[0] == verbs.metrics[0]


def test_measured_texts_and_surprise_are_those_of_the_answers_and_of_teacher_forcing() -> None:
    recipe, rows = recipe_of("translation"), rows_of("translation", PAIRS)
    model, task = fitted(recipe, rows, steps=15), Translation()
    values = dict(zip(task.columns, task.measure(model, rows).T, strict=True))
    written = [answer.text for answer in task.answers(model, rows.inputs)]
    bleu = measures_of(task.metrics, task.columns).metrics["bleu"].function
    assert bleu(task.measure(model, rows), np.zeros(6, dtype=np.int64)) == pytest.approx(
        BLEU().corpus_score(written, [rows.truths]).score
    )
    encoded = task.encode(model.encoder, model.input, rows.inputs)
    for indices, batch in model.batches(encoded, rows.truths):
        tallies = task.tally(model.network(batch).detach(), batch, {})
        np.testing.assert_allclose(values["nll"][indices], tallies[:, 0], rtol=1e-5)
        assert values["tokens"][indices].tolist() == [len(rows.truths[i].split()) + 1 for i in indices]
        score = task.score(tallies)
        assert score["loss"] == pytest.approx(float(values["nll"].sum() / values["tokens"].sum()), rel=1e-5)
        assert score["perplexity"] == pytest.approx(np.exp(score["loss"]))


def test_an_answer_alone_is_the_answer_among_others() -> None:
    recipe = recipe_of("translation", model={"decoding": {"beam_size": 4, "alternatives": 3}})
    rows = rows_of("translation", PAIRS)
    model, task = fitted(recipe, rows, steps=20), Translation()
    together = task.answers(model, rows.inputs)
    for text, answer in zip(rows.inputs, together, strict=True):
        (alone,) = task.answers(model, [text])
        assert [t for t, _ in alone.alternatives] == [t for t, _ in answer.alternatives]
        assert alone.log_probability == pytest.approx(answer.log_probability, abs=1e-4)
        assert answer.attention.shape == (len(answer.words), len(answer.source))
        record = answer.record()
        assert [r["answer"] for r in record["alternatives"]] == answer.line().split(" | ")
        assert record["answer"] == answer.text
    assert task.answers(model, []) == []


def test_a_name_never_seen_is_copied_as_it_was_spelled() -> None:
    known = ["Ada", "Karim", "Mei", "Otto", "Lena", "Ravi"]
    rare = ["Bela", "Dorka", "Falk", "Grit", "Hale", "Jorin", "Kelda", "Loris"]
    pairs = [
        (f"{name} runs {how}", f"{how} läuft {name}") for name in known for how in ("now", "here", "there")
    ]
    # Names of one sentence are below min_count, so the network learns that there are words it does not know.
    pairs += [(f"{name} runs here", f"here läuft {name}") for name in rare]
    recipe = recipe_of("translation", input={"min_count": 3, "lowercase": False}, target={"min_count": 3})
    model, task = fitted(recipe, rows_of("translation", pairs), steps=150), Translation()
    (answer,) = task.answers(model, ["Zoë runs here"])
    assert answer.text == "here läuft Zoë"
    assert answer.copied == 1
    plain = recipe_of(
        "translation",
        input={"min_count": 3, "lowercase": False},
        target={"min_count": 3},
        model={"decoding": {"copy_unknown": False}},
    )
    kept = FittedModel(model.network, model.encoder, model.targets, plain.input, plain.target, plain.model)
    assert task.answers(kept, ["Zoë runs here"])[0].text == "here läuft [UNK]"


def test_the_report_shows_answers_attention_and_how_varied_they_are() -> None:
    recipe = recipe_of("translation")
    rows = rows_of("translation", [*PAIRS, ("the cat runs here now", "jetzt läuft die Katze hier")])
    model, task = fitted(recipe, rows, steps=5), Translation()
    sections = task.sections(recipe, rows, task.answers(model, rows.inputs), task.measure(model, rows))
    assert [section.title for section in sections][:2] == ["Answers", "What was written"]
    assert sections[0].rows[0][:2] == PAIRS[0]
    assert "tok:13a" in sections[1].paragraphs[0]
    for section in sections:
        section.record()
        for chart in section.charts:
            assert isinstance(chart, HeatMap)
            assert len(chart.shades) == len(chart.down)
            for shades in chart.shades:
                assert len(shades) == len(chart.across)
                assert sum(shades) == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("task", TASKS)
def test_baselines_stand_beside_the_network_in_the_same_columns(task: str) -> None:
    recipe = recipe_of(task)
    rows = rows_of(task, PAIRS)
    kind = recipe.input.kind
    numbers = {
        "0": [1.0, 2.0],
        "1": [5.0, 1.0],
        "2": [9.0, 9.0],
        "3": [2.0, 3.0],
        "4": [4.0, 4.0],
        "5": [4.5, 4.0],
    }
    problem = Problem(
        recipe=recipe,
        train=rows.take([0, 1, 2]),
        valid=rows.take([3, 5]),
        test=rows.take([0, 4]),
        encode=lambda part: [np.array([numbers[name]]) for name in part.ids],
    )
    names = recipe.evaluation.baselines
    assert all(task in BASELINES[name].tasks and kind in BASELINES[name].kinds for name in names)
    columns = task_named(task).columns
    metrics = measures_of(task_named(task).metrics, columns).metrics
    figures = {
        name: {metric: metrics[metric].function(values, np.zeros(2, dtype=np.int64)) for metric in metrics}
        for name, values in answer_all(names, problem).items()
    }
    for values in answer_all(names, problem).values():
        assert values.shape == (2, len(columns))
        assert np.isfinite(values).all()
    if task == "translation":
        assert figures["copy"]["bleu"] == pytest.approx(0.0, abs=1e-9)
        assert 0 < figures["word_by_word"]["chrf"] < 100
        assert np.isnan(figures["copy"]["perplexity"])
    if task == "dialogue":
        assert 1 < figures["target_bigram"]["perplexity"] < figures["target_unigram"]["perplexity"]
        assert np.isnan(figures["target_bigram"]["bleu"])
    if task == "captioning":
        assert figures["nearest_numbers"]["exact_match"] == 0.5
    if task == "answering":
        assert figures["nearest_text"]["exact_match"] == 0.5


def test_the_toy_problem_is_solved() -> None:
    task = Translation()
    arrays, sizes = task.toy(examples=400, seed=1)
    recipe = recipe_of("translation", model={"embedding_dim": 32, "hidden_size": 32, "decoder_size": 48})
    network = task.build(recipe.model, sizes)
    loss = task.loss(TrainingSection.model_validate({}), arrays, sizes)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, total_steps=200)
    draw = np.random.default_rng(0)
    for _ in range(200):
        batch = collate(arrays, draw.integers(0, 400, 32), padding="bucket", max_length=0)
        optimizer.zero_grad()
        loss(network(batch), batch).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    network.eval()
    fresh, _ = task.toy(examples=200, seed=2)
    batch = collate(fresh, np.arange(200), padding="bucket", max_length=0)
    with torch.inference_mode():
        tallies = task.tally(network(batch), batch, sizes)
    assert task.score(tallies)["token_accuracy"] > 0.98


def test_surprise_counts_real_tokens_only() -> None:
    logits = torch.zeros(2, 3, 5)
    targets = torch.tensor([[4, END_ID, 0], [4, 4, END_ID]])
    batch = SequenceBatch(torch.ones(2, 1).long(), torch.ones(2).long(), torch.ones(2, 1).bool(), targets)
    expected = [[2 * np.log(5), 2], [3 * np.log(5), 3]]
    np.testing.assert_allclose(surprise_of(logits, batch), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("task", "wrong"), [("translation", 7), ("translation", ["a", "b"]), ("captioning", "text")]
)
def test_inputs_of_another_kind_are_refused(task: str, wrong: Any) -> None:
    recipe, rows = recipe_of(task), rows_of(task, PAIRS)
    model = fitted(recipe, rows)
    with pytest.raises(InputError):
        task_named(task).answers(model, [rows.inputs[0], wrong])


@pytest.mark.parametrize("task", TASKS)
def test_known_answers_are_not_searched_for_again(task: str, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe, rows = recipe_of(task), rows_of(task, PAIRS)
    model, verbs = fitted(recipe, rows), task_named(task)
    answers, values = verbs.answers(model, rows.inputs), verbs.measure(model, rows)
    monkeypatch.setattr(type(verbs), "answers", lambda *_: pytest.fail("searched again"))
    np.testing.assert_array_equal(verbs.measure(model, rows, answers), values)
