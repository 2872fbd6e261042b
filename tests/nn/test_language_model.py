"""Next-step networks: what a step costs, carried state and its storage, answers that do not depend on the batch."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from seqline.batch import UNKNOWN_ID, SequenceBatch
from seqline.nn.language_model import RecurrentLanguageModel, RecurrentPianoModel

V, D = 11, 88
LENGTHS = [7, 3, 5]


def language_model(**changed: Any) -> RecurrentLanguageModel:
    settings: dict[str, Any] = {
        "vocab_size": V,
        "embedding_dim": 6,
        "embedding_std": 0.5,
        "hidden_size": 8,
        "num_layers": 2,
        "cell": "lstm",
        "nonlinearity": "tanh",
        "tie_weights": True,
        "dropout": 0.0,
        "embedding_dropout": 0.0,
        "word_dropout": 0.0,
        "layer_dropout": 0.0,
    }
    return RecurrentLanguageModel(**{**settings, **changed})


def piano_model(**changed: Any) -> RecurrentPianoModel:
    settings: dict[str, Any] = {
        "num_keys": D,
        "embedding_dim": 6,
        "hidden_size": 8,
        "num_layers": 1,
        "cell": "gru",
        "nonlinearity": "tanh",
        "dropout": 0.0,
        "embedding_dropout": 0.0,
        "layer_dropout": 0.0,
    }
    return RecurrentPianoModel(**{**settings, **changed})


def batch_of(
    rows: list[Tensor], *, width: int = 0, before: bool = False, targets: list[Tensor] | None = None
) -> SequenceBatch:
    width = width or max(len(row) for row in rows)

    def padded(values: list[Tensor], fill: float) -> Tensor:
        whole = []
        for value in values:
            padding = value.new_full((width - len(value), *value.shape[1:]), fill)
            whole.append(torch.cat([padding, value] if before else [value, padding]))
        return torch.stack(whole)

    mask = padded([torch.ones(len(row)) for row in rows], 0.0).bool()
    lengths = torch.tensor([len(row) for row in rows])
    # 9 is a token like any other, and a very loud key: what stands in the padding must not matter.
    return SequenceBatch(padded(rows, 9), lengths, mask, None if targets is None else padded(targets, 9))


def pieces(ids: Tensor, steps: int) -> list[SequenceBatch]:
    """A text a row, cut into batches that go on where the one before ended."""
    following = F.pad(ids[:, 1:], (0, 1))
    found = []
    for start in range(0, ids.shape[1], steps):
        part = ids[:, start : start + steps]
        found.append(
            SequenceBatch(
                part,
                torch.full((len(part),), part.shape[1]),
                torch.ones_like(part, dtype=torch.bool),
                following[:, start : start + steps],
                {"continues": torch.full((len(part),), start > 0)},
            )
        )
    return found


@pytest.mark.parametrize("changed", [{}, {"tie_weights": False}, {"embedding_dim": 8}])
def test_costs_are_those_of_the_logits(changed: dict[str, Any]) -> None:
    network = language_model(**changed).eval()
    rows = [torch.randint(1, V, (length,)) for length in LENGTHS]
    costs, logits = network(batch_of(rows)), network.logits(batch_of(rows))
    assert costs.dtype == torch.float32
    log_probs = logits.detach().log_softmax(dim=2)
    assert (log_probs[:, :, 0] == -math.inf).all()
    for row, ids in enumerate(rows):
        for step in range(7):
            if step + 1 >= len(ids):
                assert costs[row, step].tolist() == [0, 0, 0]
                continue
            mark = log_probs[row, step, ids[step + 1]]
            rank = float((log_probs[row, step] > mark).sum())
            if ids[step + 1] == UNKNOWN_ID:
                rank = math.inf
            assert costs[row, step].tolist() == pytest.approx([-float(mark), 1, rank], abs=1e-5)


def test_given_targets_count_and_zero_means_none() -> None:
    network = language_model().eval()
    ids = torch.randint(1, V, (1, 4))
    batch = batch_of([ids[0]], targets=[torch.tensor([5, 0, 7, 3])])
    costs = network(batch)
    expected = F.cross_entropy(network.logits(batch)[0, [0, 2, 3]], torch.tensor([5, 7, 3]), reduction="none")
    torch.testing.assert_close(costs[0, [0, 2, 3], 0], expected)
    assert costs[0, :, 1].tolist() == [1, 0, 1, 1]


@pytest.mark.parametrize("kind", ["tokens", "piano"])
def test_an_answer_does_not_depend_on_the_batch(kind: str) -> None:
    if kind == "tokens":
        network: torch.nn.Module = language_model().eval()
        rows = [torch.randint(1, V, (length,)) for length in LENGTHS]
    else:
        network = piano_model().eval()
        rows = [(torch.rand(length, D) < 0.1).float() for length in LENGTHS]
    expected = network(batch_of(rows))
    for width, before in ((0, True), (12, False), (12, True)):
        torch.testing.assert_close(network(batch_of(rows, width=width, before=before)), expected)
    for row, values in enumerate(rows):
        alone = network(batch_of([values], width=9, before=True))[0]
        torch.testing.assert_close(alone, expected[row, : len(values)], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_pieces_with_carried_state_cost_what_the_whole_text_costs(cell: str) -> None:
    network = language_model(cell=cell)
    ids = torch.randint(1, V, (3, 20))
    whole = network(batch_of(list(ids)))[:, :, 0]
    found = torch.cat([network(piece)[:, :, 0] for piece in pieces(ids, 6)], dim=1)
    torch.testing.assert_close(found, whole, rtol=0, atol=1e-5)
    fresh = torch.cat([network(batch_of(list(piece.inputs)))[:, :1, 0] for piece in pieces(ids, 6)], dim=1)
    assert (fresh[:, 1:] - whole[:, 6::6]).abs().max() > 1e-3


def test_a_row_that_begins_anew_starts_from_zero() -> None:
    network = language_model()
    first, second = pieces(torch.randint(1, V, (2, 12)), 6)
    network(first)
    mixed = SequenceBatch(
        second.inputs, second.lengths, second.mask, second.targets, {"continues": torch.tensor([True, False])}
    )
    found = network(mixed)
    network.restore_carried({})
    alone = network(SequenceBatch(second.inputs, second.lengths, second.mask, second.targets))
    torch.testing.assert_close(found[1], alone[1])
    assert (found[0] - alone[0]).abs().max() > 1e-3


def test_gradients_end_at_the_first_step_of_a_piece() -> None:
    network = language_model()
    first, second = pieces(torch.randint(1, V, (2, 12)), 6)
    network(first)
    assert all(not tensor.requires_grad for tensor in network.carried.values())
    network(second)[..., 0].sum().backward()


def test_carried_state_is_saved_and_restored_to_the_bit_and_is_no_weight() -> None:
    network = language_model()
    batches = pieces(torch.randint(1, V, (2, 18)), 6)
    network(batches[0])
    network(batches[1])
    saved = {name: tensor.clone() for name, tensor in network.carried.items()}
    expected = network(batches[2])
    other = language_model()
    other.load_state_dict(network.state_dict())
    other.restore_carried(saved)
    assert torch.equal(other(batches[2]), expected)
    assert not any("carried" in name or "state" in name for name in network.state_dict())


def test_scoring_in_between_leaves_the_carried_state_alone() -> None:
    network = language_model()
    first, second = pieces(torch.randint(1, V, (2, 12)), 6)
    network(first)
    before = network.carried["state"].clone()
    with torch.inference_mode():
        network(batch_of([torch.randint(1, V, (5,))]))
    assert torch.equal(network.carried["state"], before)
    network(second)[..., 0].sum().backward()


def test_a_row_cannot_go_on_from_nothing_or_from_an_end() -> None:
    network = language_model()
    first, second = pieces(torch.randint(1, V, (2, 12)), 6)
    with pytest.raises(ValueError, match="cannot go on"):
        network(second)
    ended = batch_of([first.inputs[0], first.inputs[1, :3]])
    network(
        SequenceBatch(
            ended.inputs, ended.lengths, ended.mask, None, {"continues": torch.tensor([False, False])}
        )
    )
    with pytest.raises(ValueError, match="ended before"):
        network(second)


def test_reading_prompts_and_stepping_equal_the_batch() -> None:
    network = language_model().eval()
    rows = [torch.randint(1, V, (length,)) for length in LENGTHS]
    batch = batch_of(rows)
    expected = network.logits(batch)
    logits, state = network.read(batch.inputs, batch.lengths, network.initial_state(3))
    for row, length in enumerate(LENGTHS):
        torch.testing.assert_close(logits[row], expected[row, length - 1], rtol=0, atol=1e-5)
    state = network.initial_state(3)
    for step in range(3):
        logits, state = network.step(batch.inputs[:, step], state)
        torch.testing.assert_close(logits, expected[:, step], rtol=0, atol=1e-5)


def test_a_piano_step_costs_the_sum_over_its_keys() -> None:
    network = piano_model().eval()
    rolls = [(torch.rand(length, D) < 0.05).float() for length in LENGTHS]
    with torch.no_grad():
        costs, logits = network(batch_of(rolls)), network.logits(batch_of(rolls))
    for row, roll in enumerate(rolls):
        assert costs[row, :, 1].tolist() == [1] * (len(roll) - 1) + [0] * (8 - len(roll))
        for step in range(len(roll) - 1):
            shares, keys = torch.sigmoid(logits[row, step].double()), roll[step + 1].double()
            nll = -(keys * shares.log() + (1 - keys) * (1 - shares).log()).sum()
            hits = int(((shares > 0.5) & (keys > 0)).sum())
            union = int(((shares > 0.5) | (keys > 0)).sum())
            assert costs[row, step].tolist() == pytest.approx([float(nll), 1, hits, union], abs=1e-4)


def test_a_piano_stream_equals_the_batch() -> None:
    network = piano_model().eval()
    roll = (torch.rand(9, D) < 0.05).float()
    expected = network.logits(batch_of([roll]))[0]
    state = network.initial_state(1)
    for step in range(9):
        logits, state = network.step(roll[step : step + 1], state)
        torch.testing.assert_close(logits[0], expected[step], rtol=0, atol=1e-5)


def test_dropout_acts_in_training_only_and_scores_are_float32_under_autocast() -> None:
    network = language_model(dropout=0.5, embedding_dropout=0.3, word_dropout=0.2, layer_dropout=0.4)
    batch = batch_of([torch.randint(1, V, (7,))])
    assert not torch.equal(network(batch), network(batch))
    network.eval()
    assert torch.equal(network(batch), network(batch))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = network(batch)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found[..., 0], network(batch)[..., 0], rtol=0, atol=0.1)


def markov_source(rows: int, steps: int) -> tuple[Tensor, float]:
    """Four states, each goes to two others: with 3/4 and 1/4. Entropy 0.5623 nats a step."""
    generator = torch.Generator().manual_seed(0)
    state, ids = torch.randint(4, (rows,), generator=generator), []
    for _ in range(steps):
        ids.append(state + 2)
        state = (state + torch.where(torch.rand(rows, generator=generator) < 0.25, 2, 1)) % 4
    return torch.stack(ids, dim=1), -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))


def test_it_learns_a_markov_source_to_within_2_percent_of_its_entropy() -> None:
    ids, entropy = markov_source(40, 600)
    network = language_model(vocab_size=6, cell="gru", num_layers=1, hidden_size=16)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.02)
    for _ in range(4):
        for piece in pieces(ids[:20], 30):
            costs = network(piece)
            optimizer.zero_grad()
            (costs[..., 0].sum() / costs[..., 1].sum()).backward()
            optimizer.step()
    network.eval()
    with torch.no_grad():
        costs = network(batch_of(list(ids[20:])))
    found = float(costs[..., 0].sum() / costs[..., 1].sum())
    assert found == pytest.approx(entropy, rel=0.02)
