"""A number of a sequence: learnt in deviations, answered and measured in its own unit, beside simple models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from seqline.batch import SequenceBatch
from seqline.config import parse_recipe
from seqline.data.collate import collate
from seqline.data.inputs import fit_input
from seqline.data.rows import SplitRows
from seqline.data.targets import fit_target, load_target
from seqline.data.targets.number import AmountEncoder
from seqline.errors import InputError
from seqline.evaluation.baselines import BASELINES, Problem
from seqline.evaluation.metrics import measures_of
from seqline.recipe import NumberTarget, Recipe, TrainingSection
from seqline.recipe.estimation import EstimatorModel
from seqline.tasks.estimation import Estimation
from seqline.tasks.model import FittedModel

TASK = Estimation()
PRICE = NumberTarget(column="price")


pytestmark = pytest.mark.usefixtures("one_thread_and_a_seed")


def recipe(**sections: Any) -> Recipe:
    values: dict[str, Any] = {
        "task": "estimation",
        "input": {"kind": "vector", "column": "house"},
        "target": {"column": "price"},
        **{name: {} for name in ("validation", "split", "model", "training", "evaluation", "gate")},
    }
    return parse_recipe({**values, **sections}, "recipe.yaml")


def split_rows(inputs: list[Any], truths: list[float]) -> SplitRows:
    return SplitRows(ids=[str(i) for i in range(len(inputs))], inputs=inputs, truths=truths, columns={})


def test_numbers_are_learnt_in_deviations_and_come_back(tmp_path: Path) -> None:
    encoder = fit_target([10.0, 20.0, 30], PRICE)
    assert isinstance(encoder, AmountEncoder)
    scaled = encoder.encode([20, 30.0], [1, 1])
    np.testing.assert_allclose(scaled, [0.0, 10 / np.sqrt(200 / 3)], rtol=1e-6)
    np.testing.assert_allclose(encoder.decode(scaled), [20.0, 30.0], rtol=1e-6)
    encoder.save(tmp_path / "target.json")
    assert load_target(tmp_path, PRICE).truth(7) == 7.0
    same = fit_target([5, 5], PRICE)
    assert same.encode([5, 6], [1, 1]).tolist() == [0.0, 1.0]  # type: ignore[union-attr]


@pytest.mark.parametrize("value", [None, "12", True, float("nan"), float("inf"), 1e300, 10**400, [1]])
def test_what_is_no_number_is_refused(value: Any) -> None:
    with pytest.raises(InputError, match="column 'price'"):
        fit_target([1.0, value], PRICE)


def test_the_toy_is_solved() -> None:
    examples, sizes = TASK.toy(examples=300, seed=1)
    model = EstimatorModel(cell="gru", hidden_size=16, bidirectional=False, pooling="last", dropout=0.0)
    network = TASK.build(model, sizes)
    loss = TASK.loss(TrainingSection(), examples, sizes)
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-2)
    batch = collate(examples, np.arange(300), padding="bucket", max_length=12)
    for _ in range(150):
        optimizer.zero_grad()
        value = loss(network(batch), batch)
        value.backward()
        optimizer.step()
    unseen, _ = TASK.toy(examples=200, seed=2)
    batch = collate(unseen, np.arange(200), padding="bucket", max_length=12)
    network.eval()
    with torch.inference_mode():
        figures = TASK.score(TASK.tally(network(batch), batch, sizes))
    # The difference of two standard normal numbers has variance 2: what the mean as the answer would leave.
    assert figures["loss"] < 0.2
    assert set(figures) == {"loss", "standard_mae"}
    assert figures["standard_mae"] < np.sqrt(figures["loss"])


class OneDeviationMore(torch.nn.Module):
    """Answers the mean of train and one deviation, whatever it is asked."""

    def forward(self, batch: SequenceBatch) -> torch.Tensor:
        return torch.ones(len(batch.lengths), 1)


def test_answers_and_errors_are_in_the_unit_of_the_target() -> None:
    made = recipe()
    model = FittedModel(
        network=OneDeviationMore(),
        encoder=fit_input([[1.0, 2.0], [3.0, 4.0]], made.input),
        targets=fit_target([100.0, 300.0], made.target),
        input=made.input,
        target=made.target,
        model=made.model,
    )
    first, second = TASK.answers(model, [[1.0, 2.0], [9.0, 9.0]])
    assert first.record() == {"value": 300.0}
    assert second.line() == "300"
    assert TASK.answers(model, []) == []
    values = TASK.measure(model, split_rows([[1.0, 2.0], [2.0, 2.0]], [290.0, 330.0]))
    assert values.tolist() == [[10.0, 100.0, 1.0], [30.0, 900.0, 1.0]]
    measured = measures_of(TASK.metrics, TASK.columns)
    figures = {
        name: float(measured.metrics[name].function(values, np.zeros(2, int))) for name in TASK.metrics
    }
    assert figures == {"mae": 20.0, "mse": 500.0, "rmse": pytest.approx(np.sqrt(500))}


def test_ridge_finds_a_line_and_the_mean_is_the_mean() -> None:
    rng = np.random.default_rng(0)
    houses = rng.normal(size=(80, 2))
    prices = 50 + 20 * houses[:, 0] - 5 * houses[:, 1]
    parts = [split_rows(houses[a:b].tolist(), prices[a:b].tolist()) for a, b in ((0, 50), (50, 60), (60, 80))]
    problem = Problem(
        recipe(), *parts, encode=lambda rows: [np.asarray([one], dtype=np.float32) for one in rows.inputs]
    )
    mean = BASELINES["mean_number"].answer(problem)
    np.testing.assert_allclose(mean[:, 0], np.abs(prices[60:] - prices[:60].mean()))
    line = BASELINES["ridge"].answer(problem)
    assert line[:, 0].max() < 2.0 < mean[:, 0].mean()


def test_ridge_reads_words() -> None:
    texts = [" ".join(["good"] * (i % 3) + ["bad"] * (2 - i % 3) + ["thing"]) for i in range(60)]
    stars = [float(i % 3) for i in range(60)]
    parts = [split_rows(texts[a:b], stars[a:b]) for a, b in ((0, 40), (40, 50), (50, 60))]
    made = recipe(input={"column": "text"}, target={"column": "stars"})
    problem = Problem(made, *parts, vocab_size=10, longest=2)
    assert BASELINES["ridge"].answer(problem)[:, 0].max() < 0.2


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"gate": {"metric": "accuracy"}}, "gate.metric: found 'accuracy'; expected one of mae, rmse, mse"),
        ({"training": {"monitor": "mae"}}, "training.monitor: found 'mae'"),
        ({"gate": {"floors": {"mae": 1.0}}}, "gate.floors: found 'mae'"),
        ({"training": {"class_weights": "balanced"}}, "acts on labels"),
        ({"evaluation": {"baselines": ["majority"]}}, "expected one of mean_number, ridge"),
        ({"target": {"column": "price", "classes": ["a", "b"]}}, "unknown key 'target.classes'"),
    ],
)
def test_recipes_that_cannot_work_are_refused(sections: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        recipe(**sections)
    assert message in str(caught.value)
