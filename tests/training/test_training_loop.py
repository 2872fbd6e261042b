from __future__ import annotations

import functools
import math
from collections.abc import Callable

import pytest
import torch
from toy_training import (
    SHORT,
    SHORT_EXAMPLES,
    SHORT_STEPS_PER_EPOCH,
    TASK,
    toy_batches,
    toy_loss,
    toy_network,
    train_toy,
)

from seqline.data.arrays import from_sequences
from seqline.errors import InputError, SeqlineError
from seqline.recipe import TrainingSection
from seqline.training.batches import SplitBatches
from seqline.training.events import EpochEnd, Progress, Started, StoppedEarly
from seqline.training.loop import fit
from seqline.training.optim import OPTIMIZERS, SCHEDULES


def with_settings(**changes: object) -> TrainingSection:
    return TrainingSection.model_validate({**SHORT.model_dump(), **changes})


def scripted(*values: float, monitor: str = "loss") -> Callable[..., dict[str, float]]:
    """Scores that follow a script, whatever the network answers."""
    curve = iter(values)

    def score(tallies: torch.Tensor) -> dict[str, float]:
        return {"loss": 1.0, "accuracy": 0.5, "macro_f1": 0.5, monitor: next(curve)}

    return score


RATES = {"adamw": 2e-2, "sgd": 0.3}


@pytest.mark.parametrize("schedule", sorted(SCHEDULES))
@pytest.mark.parametrize("optimizer", sorted(OPTIMIZERS))
def test_every_optimizer_and_schedule_learns_the_toy(tmp_path, optimizer, schedule):
    settings = with_settings(
        optimizer=optimizer,
        schedule=schedule,
        learning_rate=RATES[optimizer],
        epochs=8,
        batch_size=16,
        checkpoint_steps=10_000,
    )
    outcome = train_toy(tmp_path, settings=settings, examples=400)
    best = outcome.result.history[outcome.result.best_epoch - 1]
    assert best.valid["loss"] < 0.1
    assert best.valid["accuracy"] > 0.95


def test_best_state_is_that_of_the_best_epoch_and_not_of_the_last(tmp_path):
    states = []

    def keep(event: object) -> None:
        if isinstance(event, EpochEnd):
            states.append({name: value.clone() for name, value in network.state_dict().items()})

    network = toy_network()
    outcome = train_toy(
        tmp_path,
        settings=with_settings(epochs=5),
        network=network,
        score=scripted(0.9, 0.5, 0.3, 0.3, 0.4),
        report=keep,
    )
    assert outcome.result.best_epoch == 3
    assert [record.is_best for record in outcome.result.history] == [True, True, True, False, False]
    for name, value in outcome.result.best_state.items():
        assert torch.equal(value, states[2][name])
    assert any(not torch.equal(states[2][name], states[4][name]) for name in states[2])


@pytest.mark.parametrize("monitor", ["accuracy", "macro_f1"])
def test_more_is_better_for_accuracy_and_f1(tmp_path, monitor):
    settings = with_settings(epochs=4, monitor=monitor)
    outcome = train_toy(tmp_path, settings=settings, score=scripted(0.6, 0.8, 0.7, 0.8, monitor=monitor))
    assert outcome.result.best_epoch == 2


def test_early_stopping_ends_after_its_patience_and_says_so(tmp_path):
    settings = with_settings(epochs=9, early_stopping=2)
    outcome = train_toy(tmp_path, settings=settings, score=scripted(0.9, 0.5, 0.6, 0.4, 0.5, 0.4, 0.1))
    assert len(outcome.result.history) == 6
    assert outcome.result.best_epoch == 4
    assert outcome.events[-1] == StoppedEarly(epoch=6, best_epoch=4, patience=2)


def test_without_early_stopping_all_epochs_run(tmp_path):
    outcome = train_toy(tmp_path, settings=with_settings(epochs=4), score=scripted(0.1, 0.5, 0.6, 0.7))
    assert len(outcome.result.history) == 4
    assert outcome.result.best_epoch == 1


def test_events_tell_the_arithmetic_the_progress_and_the_epochs(tmp_path):
    outcome = train_toy(tmp_path)
    lengths = toy_batches(examples=SHORT_EXAMPLES, seed=1).arrays.lengths
    started = outcome.events[0]
    assert isinstance(started, Started)
    assert started.parameters == sum(p.numel() for p in outcome.network.parameters())
    assert (started.examples, started.valid_examples) == (SHORT_EXAMPLES, 30)
    assert (started.steps_per_epoch, started.tokens_per_epoch) == (SHORT_STEPS_PER_EPOCH, int(lengths.sum()))
    assert 0.0 < started.padding_share < 0.5
    assert (started.device, started.precision, started.threads) == ("cpu", "fp32", 1)
    assert (
        outcome.kinds() == ["started"] + (["progress"] * SHORT_STEPS_PER_EPOCH + ["epoch_end"]) * SHORT.epochs
    )
    last = [event for event in outcome.events if isinstance(event, Progress)][-1]
    assert last.train_loss == outcome.result.history[-1].train_loss
    assert [record.step for record in outcome.result.history] == [5, 10, 15]
    assert outcome.result.resumed_from is None


def test_progress_is_throttled_in_long_epochs(tmp_path):
    settings = with_settings(epochs=1, batch_size=2, checkpoint_steps=10_000)
    outcome = train_toy(tmp_path, settings=settings, examples=210)
    assert outcome.kinds().count("progress") == 105 // 2 + 1


def test_train_loss_is_the_mean_over_examples_with_a_small_last_batch(tmp_path):
    sizes = []

    def loss(logits: torch.Tensor, batch: object) -> torch.Tensor:
        sizes.append(len(logits))
        return logits.sum() * 0.0 + len(logits)

    outcome = train_toy(tmp_path, settings=with_settings(epochs=1, batch_size=9), loss=loss)
    assert sorted(sizes) == [4, 9, 9, 9, 9]
    assert outcome.result.history[0].train_loss == (4 * 4 + 4 * 9 * 9) / 40


def test_valid_is_scored_in_its_own_order_without_dropout(tmp_path):
    seen = []

    def score(tallies: torch.Tensor) -> dict[str, float]:
        seen.append(tallies)
        return TASK.score(tallies)

    settings = with_settings(epochs=1, precision="bf16")
    outcome = train_toy(tmp_path, settings=settings, score=score)
    valid = toy_batches(examples=30, seed=2).arrays
    from seqline.data.collate import collate

    outcome.network.eval()
    for index in range(30):
        batch = collate(valid, torch.tensor([index]).numpy(), padding="bucket", max_length=12)
        alone = outcome.network(batch)[0]
        assert torch.allclose(seen[0][index, :-1].float(), alone, atol=1e-6)
    assert seen[0][:, -1].tolist() == valid.targets.tolist()


def test_two_runs_are_the_same_bits(tmp_path):
    for precision, threads in (("fp32", 1), ("bf16", 2)):
        settings = with_settings(threads=threads, precision=precision, epochs=1)
        first = train_toy(tmp_path / precision / "a", settings=settings, examples=16)
        second = train_toy(tmp_path / precision / "b", settings=settings, examples=16)
        first.assert_same_bits(second)
    other = train_toy(tmp_path / "c", settings=with_settings(seed=1, precision="bf16", epochs=1), examples=16)
    assert other.result.history != first.result.history


def planted(value: float) -> torch.nn.Module:
    network = toy_network()
    with torch.no_grad():
        network.embedding.weight[3, 0] = value
    return network


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_planted_nan_stops_before_the_first_step(tmp_path, value):
    network = planted(value)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    with pytest.raises(SeqlineError, match=r"epoch 1, step 1: the .* is nan; stopped before") as caught:
        train_toy(tmp_path, network=network)
    assert caught.value.exit_code == 1
    assert "training.learning_rate" in caught.value.hint
    assert "training.clip_norm" in caught.value.hint
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, before[name]) or name == "embedding.weight"
    assert not list(tmp_path.iterdir())


def test_a_gradient_that_is_not_finite_stops_and_names_the_step(tmp_path):
    calls = []

    def loss(logits: torch.Tensor, batch: object) -> torch.Tensor:
        calls.append(1)
        finite = toy_loss(logits, batch)
        return finite + torch.sqrt(logits.sum() * 0.0) if len(calls) == 7 else finite

    network = toy_network()
    with pytest.raises(
        SeqlineError, match=r"epoch 2, step 7: the gradient norm is (nan|inf); stopped before"
    ):
        train_toy(tmp_path, network=network, loss=loss)
    assert all(torch.isfinite(tensor).all() for tensor in network.state_dict().values())


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_a_learning_rate_of_a_million_stops(tmp_path, optimizer):
    settings = with_settings(optimizer=optimizer, clip_norm=0.0, epochs=20)
    # A recipe may not ask for it; what a recipe may ask for can diverge too, only later.
    settings = settings.model_copy(update={"learning_rate": 1e6})
    with pytest.raises(SeqlineError, match="stopped before the optimiser step"):
        train_toy(tmp_path, settings=settings)


def test_a_score_that_is_not_finite_stops(tmp_path):
    with pytest.raises(SeqlineError, match=r"epoch 2, .*the loss on valid is nan"):
        train_toy(tmp_path, score=scripted(0.5, math.nan))


@pytest.mark.parametrize(("falls", "best"), [(True, 2), (False, 1)])
def test_the_best_epoch_follows_the_direction_of_the_monitor(tmp_path, falls, best):
    result = fit(
        network=toy_network(),
        train=toy_batches(examples=8, seed=1),
        valid=toy_batches(examples=8, seed=2),
        loss=toy_loss,
        tally=functools.partial(TASK.tally, sizes={}),
        score=scripted(0.9, 0.5, 0.7, monitor="macro_f1"),
        settings=with_settings(epochs=3, monitor="macro_f1"),
        falls=falls,
        checkpoint_folder=tmp_path,
        digest="",
        report=lambda event: None,
    )
    assert result.best_epoch == best


@pytest.mark.parametrize("empty", ["train", "valid"])
def test_an_empty_split_is_refused(tmp_path, empty):
    splits = {"train": toy_batches(examples=8, seed=1), "valid": toy_batches(examples=8, seed=2)}
    splits[empty] = SplitBatches(from_sequences([], [], vocab_size=10), 8, "bucket", 12)
    with pytest.raises(InputError, match=f"split {empty}"):
        fit(
            network=toy_network(),
            **splits,
            loss=toy_loss,
            tally=functools.partial(TASK.tally, sizes={}),
            score=TASK.score,
            settings=SHORT,
            falls=True,
            checkpoint_folder=tmp_path,
            digest="",
            report=lambda event: None,
        )
