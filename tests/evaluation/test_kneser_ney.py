"""Kneser-Ney: sums to 1, hand-computed values, an independent reference, row statistics."""

from __future__ import annotations

import math
from collections import Counter, defaultdict

import numpy as np
import pytest

from seqline.evaluation.kneser_ney import NgramModel, perplexity

BEGIN, END = 2, 3
A, B, C = 4, 5, 6
V = 7


def reference(
    sequences: list[list[int]], order: int, discount: float, context: list[int], word: int
) -> float:
    """The recursion as it stands in the paper, with dicts and one fixed discount."""
    grams: dict[int, Counter[tuple[int, ...]]] = defaultdict(Counter)
    for sequence in sequences:
        for length in range(1, order + 1):
            for end in range(max(length, 2), len(sequence) + 1):
                grams[length][tuple(sequence[end - length : end])] += 1
    counts: dict[int, dict[tuple[int, ...], int]] = {order: dict(grams[order])}
    for length in range(1, order):
        before: Counter[tuple[int, ...]] = Counter(gram[1:] for gram in grams[length + 1])
        begins = Counter(tuple(s[:length]) for s in sequences if length > 1 and len(s) >= length)
        counts[length] = before + begins
    possible = [token for token in range(V) if token not in (0, BEGIN)]

    def probability(context: tuple[int, ...]) -> float:
        own = counts[len(context) + 1]
        seen = {gram[-1]: n for gram, n in own.items() if gram[:-1] == context}
        if context:
            lower = probability(context[1:])
        else:
            seen = {token: n for token, n in seen.items() if token in possible}
            lower = 1 / len(possible)
        total = sum(seen.values())
        if not total:
            return lower
        return max(seen.get(word, 0) - discount, 0) / total + discount * len(seen) / total * lower

    return probability(tuple(context[-(order - 1) :] if order > 1 else ()))


def random_lines(seed: int, lines: int = 40) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [
        np.array([BEGIN, *rng.choice([A, B, C], size=rng.integers(1, 9), p=[0.6, 0.3, 0.1]), END])
        for _ in range(lines)
    ]


def test_a_bigram_model_worked_out_by_hand() -> None:
    # a b | a c | b: bigrams ^a 2, ab 1, b$ 2, ac 1, c$ 1, ^b 1, discount 1/2.
    lines = [np.array(line) for line in ([BEGIN, A, B, END], [BEGIN, A, C, END], [BEGIN, B, END])]
    model = NgramModel.fit(lines, order=2, vocab_size=V, discount=0.5)
    # Tokens before: a {^}, b {a, ^}, c {a}, $ {b, c}: 6 in all; each gives up 1/2 for 5 possible tokens (1, $, a, b, c).
    spread = 4 * 0.5 / 6 / 5
    unigrams = {A: 0.5 / 6, B: 1.5 / 6, C: 0.5 / 6, END: 1.5 / 6, 1: 0.0}
    for token, share in unigrams.items():
        assert model.unigrams[token] == pytest.approx(share + spread)
    after_a = model.next_probabilities([A])
    assert after_a[B] == pytest.approx(0.5 / 2 + 0.5 * (1.5 / 6 + spread))
    assert after_a[A] == pytest.approx(0.5 * (0.5 / 6 + spread))
    assert model.next_probabilities([BEGIN])[A] == pytest.approx(1.5 / 3 + 1 / 3 * (0.5 / 6 + spread))
    expected = [
        math.log(model.next_probabilities([left])[right]) for left, right in ((BEGIN, A), (A, B), (B, END))
    ]
    assert model.log_probs(lines[0]) == pytest.approx(expected)


@pytest.mark.parametrize("order", [1, 2, 3, 4, 5])
def test_every_distribution_sums_to_one(order: int) -> None:
    model = NgramModel.fit(random_lines(0), order=order, vocab_size=V)
    for context in ([BEGIN], [BEGIN, A], [A, A, B, C], [C, C, C, C, C], [1, B], [END], [A, B, A, B, A, A]):
        shares = model.next_probabilities(context)
        assert shares.sum() == pytest.approx(1.0, abs=1e-12)
        assert shares[[0, BEGIN]].tolist() == [0.0, 0.0]
        assert (shares[[1, END, A, B, C]] > 0).all()


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_it_equals_the_recursion_of_the_paper(order: int) -> None:
    lines = random_lines(1, 12)
    model = NgramModel.fit(lines, order=order, vocab_size=V, discount=0.75)
    plain = [line.tolist() for line in lines]
    for context in ([BEGIN], [BEGIN, B], [A, B], [B, A, A], [C, C, B], [1, A]):
        found = model.next_probabilities(context)
        for word in (1, END, A, B, C):
            assert found[word] == pytest.approx(reference(plain, order, 0.75, context, word)), (context, word)


@pytest.mark.parametrize("order", [1, 3, 5])
def test_log_probs_of_a_sequence_are_those_of_its_contexts(order: int) -> None:
    model = NgramModel.fit(random_lines(2), order=order, vocab_size=V)
    for line in [*random_lines(3, 5), np.array([BEGIN, 1, 1, C, END]), np.array([A])]:
        expected = [math.log(model.next_probabilities(line[:i])[line[i]]) for i in range(1, len(line))]
        assert model.log_probs(line) == pytest.approx(expected)


def test_three_discounts_are_estimated_from_counts_of_counts() -> None:
    # 8 bigrams seen once, 4 twice, 3 three times, 2 four times: Y = 8 / 16.
    counts = [1] * 8 + [2] * 4 + [3] * 3 + [4] * 2
    lines = [np.array([20 + i, 4]) for i, n in enumerate(counts) for _ in range(n)]
    model = NgramModel.fit(lines, order=2, vocab_size=40)
    shares = [model.orders[0].shares[index] * count for index, count in ((0, 1), (8, 2), (12, 3), (15, 4))]
    found = [count - share for count, share in zip((1, 2, 3, 4), shares, strict=True)]
    expected = [1 - 2 * 0.5 * 4 / 8, 2 - 3 * 0.5 * 3 / 4, 3 - 4 * 0.5 * 2 / 3, 3 - 4 * 0.5 * 2 / 3]
    assert found == pytest.approx(expected)


def test_a_text_without_begin_marks_counts_from_its_second_token() -> None:
    text = np.array([A, B, A, B, A, C, A, B])
    model = NgramModel.fit([text], order=3, vocab_size=V)
    assert len(model.log_probs(text)) == len(text) - 1
    assert model.next_probabilities([A, B]).sum() == pytest.approx(1.0)


def test_row_statistics_give_perplexity_and_hits() -> None:
    lines = random_lines(4)
    model = NgramModel.fit(lines, order=3, vocab_size=V)
    rows = model.statistics(lines, best=2)
    assert rows.shape == (len(lines), 4)
    assert rows[:, 1].tolist() == [len(line) - 1 for line in lines]
    shares = [model.next_probabilities(lines[0][:i]) for i in range(1, len(lines[0]))]
    places = [int((share > share[t]).sum()) for share, t in zip(shares, lines[0][1:], strict=True)]
    assert rows[0].tolist() == [
        pytest.approx(-model.log_probs(lines[0]).sum()),
        len(places),
        sum(place < 1 for place in places),
        sum(place < 2 for place in places),
    ]
    assert perplexity(rows) == pytest.approx(math.exp(rows[:, 0].sum() / rows[:, 1].sum()))
    assert math.isnan(perplexity(rows[:0]))


def test_more_order_knows_a_markov_source_of_that_order_better() -> None:
    rng = np.random.default_rng(5)
    text = [A, B]
    for _ in range(4000):
        other = A if text[-2] == B else B
        text.append(int(other if rng.random() < 0.9 else text[-2]))
    found = [
        perplexity(
            NgramModel.fit([np.array(text[:3000])], order=order, vocab_size=V).statistics(
                [np.array(text[3000:])]
            )
        )
        for order in (1, 2, 3)
    ]
    entropy = -(0.9 * math.log(0.9) + 0.1 * math.log(0.1))
    assert found[2] == pytest.approx(math.exp(entropy), rel=0.05)
    assert found[2] < found[1] - 0.3 and found[2] < found[0] - 0.3


def test_nothing_to_count_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing to count"):
        NgramModel.fit([np.array([A])], order=2, vocab_size=V)
    with pytest.raises(ValueError, match="order 0"):
        NgramModel.fit([np.array([A, B])], order=0, vocab_size=V)


def test_an_order_longer_than_every_sequence_is_the_longest_there_is() -> None:
    model = NgramModel.fit([np.array([BEGIN, A, END]), np.array([BEGIN, B, END])], order=5, vocab_size=V)
    assert model.order == 3
    assert model.next_probabilities([BEGIN, A]).sum() == pytest.approx(1.0)
