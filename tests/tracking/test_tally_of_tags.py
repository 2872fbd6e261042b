"""Shadow mode where answers are no labels: two small taggers on the same rows."""

import numpy as np
import pytest
import torch

from seqline.config import parse_recipe
from seqline.data.rows import SplitRows
from seqline.serving.predictor import Predictor
from seqline.tasks import task_named
from seqline.tasks.base import sizes_of
from seqline.tasks.model import FittedModel
from seqline.tracking.tally import MAX_EXAMPLES, Pair, ShadowRow, Tally

SENTENCES = [["call", "anna", "at", "nine"], ["ask", "ben"], ["nine", "and", "ten"]] * 10
TAGS = [["O", "B-name", "O", "B-time"], ["O", "B-name"], ["B-time", "O", "B-time"]] * 10


def tagger(seed: int) -> Predictor:
    sections = {name: {} for name in ("validation", "split", "training", "evaluation")}
    values = {
        **sections,
        "task": "tagging",
        "input": {"column": "tokens", "kind": "symbols"},
        "target": {"column": "tags"},
        "model": {"hidden_size": 4, "embedding_dim": 4},
        "gate": {"baseline": "none"},
    }
    recipe, task = parse_recipe(values, "test"), task_named("tagging")
    rows = [{"tokens": tokens, "tags": tags} for tokens, tags in zip(SENTENCES, TAGS, strict=True)]
    encoder, targets = task.fit_encoder(recipe, SENTENCES), task.fit_targets(recipe, rows)
    torch.manual_seed(seed)
    network = task.build(recipe.model, sizes_of(encoder, targets)).eval()
    return Predictor(task, FittedModel(network, encoder, targets, recipe.input, recipe.target, recipe.model))


@pytest.fixture(scope="module")
def pair() -> Pair:
    return Pair(tagger(0), tagger(1))


def rows(truths: int) -> list[ShadowRow]:
    return [
        ShadowRow(f"r{i}", tokens, tags if i < truths else None)
        for i, (tokens, tags) in enumerate(zip(SENTENCES, TAGS, strict=True))
    ]


def test_answers_that_differ_are_counted_and_the_first_ones_shown(pair: Pair) -> None:
    tally = Tally(pair)
    for start in range(0, 30, 7):
        tally.add(rows(0)[start : start + 7])
    champion, challenger = pair.lines(SENTENCES)
    different = [i for i in range(30) if champion[i] != challenger[i]]
    assert different
    assert (tally.rows, tally.differing, tally.distance) == (30, len(different), float(len(different)))
    shown = tally.examples()
    assert [example.id for example in shown] == [f"r{i}" for i in different[:MAX_EXAMPLES]]
    assert (shown[0].champion, shown[0].challenger) == (champion[different[0]], challenger[different[0]])
    assert shown[0].champion_probability is None
    assert tally.shifts() == {}
    assert tally.quality() is None


def test_quality_is_the_tasks_main_metric_on_the_rows_whose_truth_is_known(pair: Pair) -> None:
    tally = Tally(pair)
    tally.add(rows(truths=12))
    quality = tally.quality()
    known = SplitRows([f"r{i}" for i in range(12)], SENTENCES[:12], TAGS[:12], {})
    values = pair.predictors[1].measure(known)
    metric = pair.measures.metrics[pair.measures.main]
    assert (quality.rows, quality.metric) == (12, pair.measures.main)
    assert quality.challenger == metric.function(values, np.zeros(12, dtype=np.int64))
    assert quality.record()[f"challenger_{quality.metric}"] == quality.challenger
