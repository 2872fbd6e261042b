"""Writing: the distribution that is drawn from, streams and batches, beams against exhaustive search."""

from __future__ import annotations

import itertools
import math
from collections import Counter

import pytest
import torch
from torch import Tensor

from seqline.errors import InputError
from seqline.nn.language_model import RecurrentLanguageModel, RecurrentPianoModel
from seqline.nn.sampling import (
    Sampling,
    complete,
    draw,
    most_probable,
    probabilities,
    stream,
    write,
    write_piano,
)

V, END = 7, 3
FORBIDDEN = (1, 2)
PROMPTS = [[2, 4], [2, 5, 6, 4, 4], [6]]


@pytest.fixture
def network() -> RecurrentLanguageModel:
    return RecurrentLanguageModel(
        vocab_size=V,
        embedding_dim=5,
        embedding_std=2.0,
        hidden_size=6,
        num_layers=2,
        cell="lstm",
        nonlinearity="tanh",
        tie_weights=True,
        dropout=0.5,
        embedding_dropout=0.0,
        word_dropout=0.0,
        layer_dropout=0.0,
    ).eval()


def log_prob(network: RecurrentLanguageModel, prompt: list[int], ending: list[int]) -> float:
    """Of an ending, token by token, forbidden tokens left out of each distribution."""
    total = 0.0
    for place in range(len(ending)):
        ids = torch.tensor([prompt + ending[:place]])
        logits, _ = network.read(ids, torch.tensor([ids.shape[1]]), network.initial_state(1))
        logits[0, list(FORBIDDEN)] = -torch.inf
        total += float(logits[0].double().log_softmax(dim=0)[ending[place]])
    return total


LOGITS = torch.tensor([[math.log(0.1), math.log(0.4), math.log(0.2), math.log(0.3)]])


@pytest.mark.parametrize(
    ("sampling", "expected"),
    [
        (Sampling(), [0.1, 0.4, 0.2, 0.3]),
        (Sampling(temperature=0), [0, 1, 0, 0]),
        (Sampling(temperature=0.5), [0.01 / 0.3, 0.16 / 0.3, 0.04 / 0.3, 0.09 / 0.3]),
        (Sampling(top_k=2), [0, 4 / 7, 0, 3 / 7]),
        (Sampling(top_p=0.7), [0, 4 / 7, 0, 3 / 7]),
        (Sampling(top_p=0.71), [0, 4 / 9, 2 / 9, 3 / 9]),
        (Sampling(top_p=1e-9), [0, 1, 0, 0]),
        (Sampling(top_k=3, top_p=0.5), [0, 4 / 7, 0, 3 / 7]),
        (Sampling(top_k=99), [0.1, 0.4, 0.2, 0.3]),
    ],
)
def test_the_distribution_drawn_from(sampling: Sampling, expected: list[float]) -> None:
    assert probabilities(LOGITS, sampling)[0].tolist() == pytest.approx(expected, abs=1e-6)


def test_draws_follow_the_distribution() -> None:
    shares = torch.tensor([[0.0, 0.5, 0.2, 0.3, 0.0]], dtype=torch.float64)
    generator = torch.Generator().manual_seed(0)
    found = Counter(int(draw(shares, [generator])) for _ in range(4000))
    assert set(found) == {1, 2, 3}
    assert found[1] / 4000 == pytest.approx(0.5, abs=0.03)
    assert found[2] / 4000 == pytest.approx(0.2, abs=0.03)


@pytest.mark.parametrize(
    "sampling", [Sampling(length=40), Sampling(temperature=0.7, top_k=4, top_p=0.9, seed=5)]
)
def test_a_stream_equals_its_row_of_a_batch(network: RecurrentLanguageModel, sampling: Sampling) -> None:
    batch = list(write(network, PROMPTS, sampling, end_id=END, forbidden=FORBIDDEN))
    for row, prompt in enumerate(PROMPTS):
        own = Sampling(
            temperature=sampling.temperature,
            top_k=sampling.top_k,
            top_p=sampling.top_p,
            seed=sampling.seed + row,
            length=sampling.length,
        )
        alone = list(stream(network, prompt, own, end_id=END, forbidden=FORBIDDEN))
        column = [step[row] for step in batch]
        assert alone == [token for token in column if token is not None]
        assert column[len(alone) :] == [None] * (len(batch) - len(alone))


def test_writing_depends_on_the_seed_alone(network: RecurrentLanguageModel) -> None:
    first = list(stream(network, [2, 4], Sampling(length=50, seed=1)))
    torch.manual_seed(99)
    torch.rand(7)
    assert list(stream(network, [2, 4], Sampling(length=50, seed=1))) == first
    assert list(stream(network, [2, 4], Sampling(length=50, seed=2))) != first
    assert len(first) == 50


def test_forbidden_tokens_and_padding_are_never_written(network: RecurrentLanguageModel) -> None:
    hot = Sampling(length=300, temperature=50.0)
    found = set(stream(network, [4], hot, forbidden=FORBIDDEN))
    assert found == {3, 4, 5, 6}


def test_a_stream_comes_token_by_token(network: RecurrentLanguageModel) -> None:
    endless = stream(network, [4], Sampling(length=1_000_000))
    assert len(list(itertools.islice(endless, 5))) == 5


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"temperature": -0.1}, "temperature"),
        ({"temperature": math.nan}, "temperature"),
        ({"top_k": -1}, "top_k"),
        ({"top_p": 0.0}, "top_p"),
        ({"top_p": 1.5}, "top_p"),
        ({"seed": -1}, "seed"),
        ({"length": 0}, "length"),
    ],
)
def test_settings_out_of_bounds_are_refused(settings: dict[str, float], name: str) -> None:
    with pytest.raises(InputError, match=name):
        Sampling(**settings)


@pytest.mark.parametrize("prompt", PROMPTS)
def test_a_wide_beam_finds_what_exhaustive_search_finds(
    network: RecurrentLanguageModel, prompt: list[int]
) -> None:
    length = 3
    every = [
        (log_prob(network, prompt, [*ending, END]), ending)
        for n in range(1, length)
        for ending in itertools.product((4, 5, 6), repeat=n)
    ]
    best = sorted(every, reverse=True)[:5]
    found = complete(network, prompt, end_id=END, count=5, beam_size=50, length=length, forbidden=FORBIDDEN)
    assert [ending.ids for ending in found] == [ids for _, ids in best]
    assert [ending.log_prob for ending in found] == pytest.approx([score for score, _ in best], abs=1e-4)
    assert all(ending.ended for ending in found)


def test_a_beam_of_one_is_greedy(network: RecurrentLanguageModel) -> None:
    (found,) = complete(network, [4], end_id=END, count=1, beam_size=1, length=6, forbidden=(*FORBIDDEN, END))
    greedy = list(
        stream(network, [4], Sampling(temperature=0, length=6), end_id=END, forbidden=(*FORBIDDEN, END))
    )
    assert list(found.ids) == greedy
    assert not found.ended


def test_a_wider_beam_is_never_less_probable(network: RecurrentLanguageModel) -> None:
    for prompt in PROMPTS:
        scores = [
            complete(network, prompt, end_id=END, count=1, beam_size=k, length=8)[0].log_prob for k in (1, 5)
        ]
        assert scores[1] >= scores[0]


def test_a_first_token_can_be_asked_for(network: RecurrentLanguageModel) -> None:
    first = torch.zeros(V, dtype=torch.bool)
    first[5] = True
    settings = {"end_id": END, "count": 3, "beam_size": 10, "length": 4, "forbidden": FORBIDDEN}
    found = complete(network, [4], first=first, **settings)
    assert found and all(ending.ids[0] == 5 for ending in found)
    assert complete(network, [4], first=torch.zeros(V, dtype=torch.bool), **settings) == []


def test_the_most_probable_next_tokens(network: RecurrentLanguageModel) -> None:
    logits, _ = network.read(torch.tensor([[2, 4]]), torch.tensor([2]), network.initial_state(1))
    shares = logits[0].double().softmax(dim=0)
    expected = sorted((t for t in range(V) if t not in FORBIDDEN), key=lambda t: -float(shares[t]))[:3]
    found = most_probable(network, [2, 4], count=3, forbidden=FORBIDDEN)
    assert [token for token, _ in found] == expected
    assert [share for _, share in found] == pytest.approx([float(shares[t]) for t in expected])
    assert len(most_probable(network, [2, 4], count=99, forbidden=FORBIDDEN)) == V - len(FORBIDDEN)


@pytest.fixture
def piano() -> RecurrentPianoModel:
    return RecurrentPianoModel(
        num_keys=12,
        embedding_dim=5,
        hidden_size=6,
        num_layers=1,
        cell="gru",
        nonlinearity="tanh",
        dropout=0.0,
        embedding_dropout=0.0,
        layer_dropout=0.0,
    ).eval()


def test_piano_steps_are_drawn_by_seed_and_within_the_voices(piano: RecurrentPianoModel) -> None:
    prompt = torch.zeros(2, 12)
    prompt[:, 3] = 1.0

    def written(**settings: float) -> Tensor:
        return torch.stack(list(write_piano(piano, prompt, Sampling(length=30, **settings))))

    assert torch.equal(written(seed=4), written(seed=4))
    assert not torch.equal(written(seed=4), written(seed=5))
    assert written(seed=4).sum(dim=1).max() > 2
    assert written(seed=4, top_k=2).sum(dim=1).max() == 2
    state, logits = piano.initial_state(1), torch.zeros(1, 12)
    for keys in prompt.unsqueeze(1):
        logits, state = piano.step(keys, state)
    assert torch.equal(written(temperature=0)[0], (logits[0] > 0).float())
