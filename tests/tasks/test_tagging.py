from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from seqline.batch import IGNORED
from seqline.config import parse_recipe
from seqline.data.collate import bucketed, collate
from seqline.data.rows import read_split
from seqline.data.samples.tagging import requests
from seqline.data.tag_schemes import first_breach
from seqline.errors import InputError
from seqline.evaluation.spans import COLUMNS
from seqline.serving.predictor import Predictor
from seqline.stages import prepare, train
from seqline.tasks import task_named
from seqline.tasks.tagging import Tagging, bytes_of

pytestmark = pytest.mark.usefixtures("one_thread_and_a_seed")


def recipe_of(**sections: dict[str, Any]) -> Any:
    values: dict[str, Any] = {
        "task": "tagging",
        "input": {"kind": "symbols", "column": "tokens"},
        "target": {"column": "tags"},
        "validation": {},
        "split": {"valid": 0.2},
        "model": {},
        "training": {},
        "evaluation": {},
        "gate": {},
    }
    for name, section in sections.items():
        values[name] = {**values[name], **section}
    return parse_recipe(values, "tagging.yaml")


TINY = {
    "model": {
        "embedding_dim": 24,
        "hidden_size": 24,
        "characters": {"embedding_dim": 8, "features": 8},
        "dropout": 0.1,
        "embedding_dropout": 0.0,
    },
    "training": {
        "epochs": 6,
        "batch_size": 16,
        "learning_rate": 2.0e-2,
        "precision": "fp32",
        "threads": 1,
        "monitor": "span_f1",
    },
}


def write_rows(folder: Path, rows: list[dict[str, Any]], split: str) -> None:
    (folder / split).mkdir(parents=True)
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / split / "2026-01.jsonl").write_text(lines, encoding="utf-8")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tagging")
    write_rows(folder / "data", requests(rows=400, seed=1, split="train"), "train")
    write_rows(folder / "data", requests(rows=80, seed=1, split="test"), "test")
    recipe = recipe_of(**TINY)
    prepare.run(recipe, data_folder=folder / "data", output_folder=folder / "prepare")
    train.run(
        recipe,
        prepare_folder=folder / "prepare",
        output_folder=folder / "train",
        checkpoint_folder=folder / "checkpoint",
        report=lambda event: None,
    )
    return folder


@pytest.mark.parametrize("crf", [True, False])
def test_the_toy_is_solved_depth_of_brackets(crf: bool) -> None:
    task = task_named("tagging")
    section = recipe_of(
        model={
            "crf": crf,
            "hidden_size": 24,
            "bidirectional": False,
            "embedding_dim": 8,
            "characters": {"kind": "cnn", "embedding_dim": 4, "features": 4},
            "dropout": 0.0,
            "embedding_dropout": 0.0,
            "word_dropout": 0.0,
        }
    )
    examples, sizes = task.toy(examples=200, seed=1)
    network = task.build(section.model, sizes)
    loss = task.loss(section.training, examples, sizes)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.02)
    rng = np.random.default_rng(0)
    for _ in range(20):
        for indices in bucketed(examples.lengths, batch_size=32, rng=rng):
            batch = collate(examples, indices, padding="bucket", max_length=0, target_fill=IGNORED)
            optimizer.zero_grad()
            loss(network(batch), batch).backward()
            optimizer.step()
    unseen, _ = task.toy(examples=100, seed=2)
    every = np.arange(len(unseen))
    batch = collate(unseen, every, padding="bucket", max_length=0, target_fill=IGNORED)
    with torch.inference_mode():
        figures = task.score(task.tally(network.eval()(batch), batch, sizes))
    assert figures["token_accuracy"] == figures["exact_match"] == figures["span_f1"] == 1.0
    assert figures["loss"] < 0.05


def test_prepare_keeps_tokens_tags_and_bytes(trained: Path) -> None:
    statistics = json.loads((trained / "prepare" / "statistics.json").read_text())
    assert statistics["tags"][-1] == "O"
    assert statistics["splits"]["train"]["truncated_share"] == 0
    rows = read_split(trained / "prepare", "test")
    assert all(len(tokens) == len(tags) for tokens, tags in zip(rows.inputs, rows.truths, strict=True))
    assert (trained / "prepare" / "train.steps.characters.npy").is_file()


def test_a_model_answers_with_tags_that_its_scheme_allows(trained: Path) -> None:
    predictor = Predictor.load(trained / "train")
    rows = read_split(trained / "prepare", "test")
    answers = predictor.answers(rows.inputs)
    for answer, tokens in zip(answers, rows.inputs, strict=True):
        record = answer.record()
        assert record["tokens"] == tokens
        assert len(record["tags"]) == len(record["probabilities"]) == len(tokens)
        assert first_breach(record["tags"], "iob2") is None
        assert all(0 <= share <= 1 for share in record["probabilities"])
        for span in record["spans"]:
            assert record["tags"][span["start"]] == f"B-{span['kind']}"
            assert span["text"] == " ".join(tokens[span["start"] : span["stop"]])
    sums = dict(zip(COLUMNS, predictor.measure(rows).sum(axis=0), strict=True))
    assert sums["tokens"] == sum(map(len, rows.inputs))
    assert sums["correct"] / sums["tokens"] > 0.6
    assert json.dumps([answer.record() for answer in answers[:3]])


def test_an_answer_does_not_depend_on_the_others_and_a_text_is_its_tokens(trained: Path) -> None:
    predictor = Predictor.load(trained / "train")
    inputs: list[Any] = ["ship 5 boxes from Jordan to Austin", ["May"], ["order", "AB-123", "from", "Kent"]]
    together = predictor.answers(inputs)
    for given, answer in zip(inputs, together, strict=True):
        (alone,) = predictor.answers([given])
        assert alone.tags == answer.tags
        np.testing.assert_allclose(alone.probabilities, answer.probabilities, atol=1e-5)
    (as_list,) = predictor.answers([["ship", "5", "boxes", "from", "Jordan", "to", "Austin"]])
    assert as_list.record() == together[0].record()
    assert len(together[0].line().split()) == 7
    assert predictor.answers([]) == []


def test_probes_are_answered(trained: Path) -> None:
    predictor = Predictor.load(trained / "train")
    probes = predictor.task.probes(predictor.model)
    assert len(predictor.answers(probes)) == len(probes)
    assert max(map(len, probes)) == 300


def test_sections_tell_of_each_kind_of_span(trained: Path) -> None:
    predictor = Predictor.load(trained / "train")
    rows = read_split(trained / "prepare", "test")
    answers, values = predictor.answers(rows.inputs), predictor.measure(rows)
    spans, confusions = predictor.task.sections(recipe_of(**TINY), rows, answers, values)
    sums = dict(zip(COLUMNS, values.sum(axis=0), strict=True))
    assert sum(row[4] for row in spans.rows) == sums["true_spans"]
    assert sum(row[5] for row in spans.rows) == sums["predicted_spans"]
    assert all(truth != guess and count > 0 for truth, guess, count in confusions.rows)


def test_long_and_empty_inputs_are_refused(trained: Path) -> None:
    predictor = Predictor.load(trained / "train")
    for given, found in ((["a"] * 401, "401 tokens"), ([], "no token"), ("  ", "no token"), ([3], r"\[3\]")):
        with pytest.raises(InputError, match=found):
            predictor.answers([given])


@pytest.mark.parametrize(
    ("tokens", "tags", "message"),
    [
        (["a", "b"], ["O"], "1 tags in column 'tags' for 2 tokens"),
        (["a"], ["B"], "tag 'B' is not of scheme iob2"),
        ([], [], "no token"),
    ],
)
def test_prepare_refuses_bad_rows_and_writes_nothing(
    tmp_path: Path, tokens: list[str], tags: list[str], message: str
) -> None:
    rows = requests(rows=30, seed=1, split="train")
    write_rows(tmp_path / "data", [*rows, {**rows[0], "id": "bad", "tokens": tokens, "tags": tags}], "train")
    write_rows(tmp_path / "data", requests(rows=5, seed=1, split="test"), "test")
    with pytest.raises(InputError, match=message):
        prepare.run(recipe_of(), data_folder=tmp_path / "data", output_folder=tmp_path / "prepare")
    assert not (tmp_path / "prepare").exists()


def test_bytes_of_long_words_keep_both_ends() -> None:
    found = bytes_of(["é", "abcdefgh"], 6)
    assert found[0].tolist() == [257, 0xC3 + 1, 0xA9 + 1, 258, 0, 0]
    assert [chr(value - 1) for value in found[1, 1:5]] == ["a", "b", "g", "h"]


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"input": {"alphabet": "abc"}}, "a tag stands for one token"),
        ({"input": {"characters": 2}}, "characters 2: 0, or at least 4"),
        ({"input": {"characters": 0}}, "set both to 0 and none, or neither"),
        ({"model": {"characters": {"kind": "lstm", "features": 7}}}, "features 7 is odd"),
        ({"target": {"scheme": "bio"}}, "target.scheme"),
        ({"target": {"tags": ["A", "A"]}}, "tags holds 'A' twice"),
        ({"training": {"label_smoothing": 0.1}}, "training.label_smoothing 0.1 acts on labels"),
        ({"gate": {"metric": "accuracy"}}, "gate.metric"),
        ({"input": {"kind": "text"}}, "input"),
    ],
)
def test_recipes_that_cannot_work_are_refused(sections: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        recipe_of(**sections)
    assert message in str(caught.value)


def test_the_verbs_declare_what_they_give() -> None:
    assert Tagging.columns == COLUMNS
    assert recipe_of().gate.metric == Tagging.metrics[0] == "span_f1"
    assert recipe_of().gate.baseline == "frequent_tag"
