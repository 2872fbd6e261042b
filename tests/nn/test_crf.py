from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor

from seqline.batch import IGNORED
from seqline.nn.crf import (
    FORBIDDEN,
    Chain,
    Transitions,
    log_likelihood,
    log_partition,
    marginals,
    scores,
    viterbi,
)

TAGS, STEPS = 3, 5
LENGTHS = torch.tensor([5, 1, 3, 2])


def some_chain(scale: float = 1.0) -> Chain:
    return Chain(
        emissions=scale * torch.randn(len(LENGTHS), STEPS, TAGS, dtype=torch.float64),
        transitions=scale * torch.randn(TAGS, TAGS, dtype=torch.float64),
        start=scale * torch.randn(TAGS, dtype=torch.float64),
        end=scale * torch.randn(TAGS, dtype=torch.float64),
    )


def score(chain: Chain, row: int, tags: tuple[int, ...]) -> float:
    total = float(chain.start[tags[0]] + chain.end[tags[-1]])
    total += sum(float(chain.emissions[row, step, tag]) for step, tag in enumerate(tags))
    return total + sum(float(chain.transitions[a, b]) for a, b in itertools.pairwise(tags))


def every_path(chain: Chain, row: int) -> dict[tuple[int, ...], float]:
    paths = itertools.product(range(TAGS), repeat=int(LENGTHS[row]))
    return {path: score(chain, row, path) for path in paths}


@pytest.mark.parametrize("scale", [1.0, 30.0])
def test_partition_likelihood_marginals_and_best_path_equal_enumeration(scale: float) -> None:
    chain = some_chain(scale)
    tags = torch.randint(0, TAGS, (len(LENGTHS), STEPS))
    total, likelihood = log_partition(chain, LENGTHS), log_likelihood(chain, tags, LENGTHS)
    shares, best = marginals(chain, LENGTHS), viterbi(chain, LENGTHS)
    for row, length in enumerate(LENGTHS.tolist()):
        paths = every_path(chain, row)
        values = torch.tensor(list(paths.values()), dtype=torch.float64)
        expected = float(values.logsumexp(0))
        assert float(total[row]) == pytest.approx(expected, abs=1e-9)
        truth = tuple(tags[row, :length].tolist())
        assert float(likelihood[row]) == pytest.approx(paths[truth] - expected, abs=1e-9)
        assert tuple(best[row, :length].tolist()) == max(paths, key=paths.__getitem__)
        weights = (values - expected).exp()
        for step in range(length):
            for tag in range(TAGS):
                chosen = torch.tensor([path[step] == tag for path in paths])
                assert float(shares[row, step, tag]) == pytest.approx(float(weights[chosen].sum()), abs=1e-9)
    assert not shares[1, 1:].any()
    assert not best[1, 1:].any()


def test_a_step_without_a_tag_may_bear_any() -> None:
    chain = some_chain()
    tags = torch.randint(0, TAGS, (len(LENGTHS), STEPS))
    tags[0, 1], tags[0, 3], tags[1, 0] = IGNORED, IGNORED, IGNORED
    found = log_likelihood(chain, tags, LENGTHS)
    for row, length in enumerate(LENGTHS.tolist()):
        wanted = tags[row, :length].tolist()
        paths = every_path(chain, row)
        agreeing = [
            value
            for path, value in paths.items()
            if all(w in (IGNORED, tag) for w, tag in zip(wanted, path, strict=True))
        ]
        expected = torch.tensor(agreeing).logsumexp(0) - torch.tensor(list(paths.values())).logsumexp(0)
        assert float(found[row]) == pytest.approx(float(expected), abs=1e-5)


def test_gradients_equal_finite_differences() -> None:
    chain = some_chain()
    leaves = [chain.emissions, chain.transitions, chain.start, chain.end]
    for leaf in leaves:
        leaf.requires_grad_()

    def partition(*parts: Tensor) -> Tensor:
        return log_partition(Chain(*parts), LENGTHS)

    assert torch.autograd.gradcheck(partition, leaves)


def test_what_stands_in_the_padding_changes_nothing() -> None:
    chain = some_chain()
    tags = torch.randint(0, TAGS, (len(LENGTHS), STEPS))
    padding = torch.arange(STEPS) >= LENGTHS.unsqueeze(1)
    junk = Chain(
        chain.emissions.masked_fill(padding.unsqueeze(2), 1e6), chain.transitions, chain.start, chain.end
    )
    assert torch.equal(
        log_likelihood(junk, tags.masked_fill(padding, -100), LENGTHS), log_likelihood(chain, tags, LENGTHS)
    )
    assert torch.equal(viterbi(junk, LENGTHS), viterbi(chain, LENGTHS))
    assert torch.equal(marginals(junk, LENGTHS), marginals(chain, LENGTHS))


def test_a_row_alone_has_the_same_answer() -> None:
    chain = some_chain()
    together, best = log_partition(chain, LENGTHS), viterbi(chain, LENGTHS)
    for row, length in enumerate(LENGTHS.tolist()):
        alone = Chain(chain.emissions[row : row + 1, :length], chain.transitions, chain.start, chain.end)
        assert float(log_partition(alone, LENGTHS[row : row + 1])) == pytest.approx(float(together[row]))
        assert viterbi(alone, LENGTHS[row : row + 1])[0].tolist() == best[row, :length].tolist()


def test_no_forbidden_move_is_ever_answered() -> None:
    allowed = torch.tensor([[True, True, False], [True, True, True], [True, True, False]])
    start, end = torch.tensor([True, True, False]), torch.tensor([False, True, True])
    for scale in (1.0, 100.0):
        chain = some_chain(scale).constrained(start=start, end=end, transitions=allowed)
        best = viterbi(chain, LENGTHS)
        for row, length in enumerate(LENGTHS.tolist()):
            path = best[row, :length].tolist()
            assert start[path[0]] and end[path[-1]]
            assert all(allowed[a, b] for a, b in itertools.pairwise(path))
        assert torch.isfinite(marginals(chain, LENGTHS)).all()
    chain = some_chain().constrained(start=start, end=end, transitions=allowed)
    assert float(marginals(chain, LENGTHS)[:, 0, 2].max()) < 1e-30


def test_where_everything_is_forbidden_there_is_still_an_answer_and_a_gradient() -> None:
    nothing = torch.zeros(TAGS, dtype=torch.bool)
    chain = some_chain().constrained(start=nothing, end=nothing, transitions=torch.zeros(TAGS, TAGS).bool())
    chain.emissions.requires_grad_()
    tags = torch.randint(0, TAGS, (len(LENGTHS), STEPS))
    loss = log_likelihood(chain, tags, LENGTHS).sum()
    loss.backward()
    assert torch.isfinite(loss)
    assert chain.emissions.grad is not None
    assert torch.isfinite(chain.emissions.grad).all()
    assert viterbi(chain, LENGTHS).shape == (len(LENGTHS), STEPS)
    assert float(chain.start[0]) == FORBIDDEN


def test_free_moves_give_each_steps_best_tag_and_its_softmax() -> None:
    chain = Chain.of_emissions(some_chain().emissions)
    real = torch.arange(STEPS) < LENGTHS.unsqueeze(1)
    assert torch.equal(viterbi(chain, LENGTHS)[real], chain.emissions.argmax(2)[real])
    torch.testing.assert_close(marginals(chain, LENGTHS)[real], chain.emissions.softmax(2)[real])


def test_packing_keeps_every_number_and_lets_gradients_through() -> None:
    chain = some_chain()
    found = Chain.unpacked(chain.packed())
    for part in ("emissions", "transitions", "start", "end"):
        assert torch.equal(getattr(found, part), getattr(chain, part))
    module = Transitions(num_tags=TAGS)
    tags = torch.zeros(len(LENGTHS), STEPS, dtype=torch.int64)
    outputs = module(chain.emissions.float()).packed()
    (-log_likelihood(Chain.unpacked(outputs), tags, LENGTHS).mean()).backward()
    assert module.transitions.grad is not None
    # More of the moves that stand in the tags, less of the others; what is expected sums to what is there.
    assert float(module.transitions.grad[0, 0]) < 0
    assert float(module.transitions.grad.sum()) == pytest.approx(0, abs=1e-6)


def test_scores_of_single_steps_are_a_softmax() -> None:
    chain = some_chain()
    one = torch.ones(len(LENGTHS), dtype=torch.int64)
    every = torch.stack(
        [scores(chain, torch.full((len(LENGTHS), STEPS), tag), one) for tag in range(TAGS)], 1
    )
    torch.testing.assert_close(every, chain.emissions[:, 0] + chain.start + chain.end)
