"""Interpolated Kneser-Ney n-grams over token ids: the baseline of everything that writes sequences.

Written with numpy throughout (Penn Treebank, order 5: seconds). An n-gram has a number within its order; the key of an
n-gram is the number of its first n - 1 tokens times V plus its last token, so keys of any order and vocabulary fit 64
bits, and what may follow a context stands in one block of the sorted keys.

Counts follow Chen and Goodman: n-grams of the highest order count how often they occur; shorter ones count how many
different tokens come before them, plus how often they begin a sequence, where nothing can come before.

Legend: T tokens, V vocabulary, G n-grams of one order, N sequences.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_HIGHEST_COUNT_OF_ITS_OWN = 3
_DISCOUNT_WITHOUT_EVIDENCE = 0.5
# Distributions of this many probabilities are held at once: 16 MB.
_CELLS_AT_ONCE = 2_000_000


@dataclass(frozen=True)
class _Order:
    """The n-grams of one order.

    Attributes:
        keys: int64 (G,), sorted.
        shares: float64 (G,), discounted count over the count of the context.
        backoff: float64, one for each context (n-gram of the order below): what is left for that order.
    """

    keys: Integers
    shares: Floats
    backoff: Floats

    def find(self, keys: Integers) -> Integers:
        """Numbers of n-grams, -1 for those never seen."""
        if not len(self.keys):
            return np.full(len(keys), -1, dtype=np.int64)
        places = np.searchsorted(self.keys, keys).clip(max=len(self.keys) - 1)
        return np.where(self.keys[places] == keys, places, -1)


@dataclass(frozen=True)
class NgramModel:
    """Probabilities of the next token given the last `order - 1`.

    Attributes:
        vocab_size: V.
        unigrams: float64 (V,), probabilities without a context; tokens that are never predicted have 0.
        orders: N-grams of order 2, 3, ...

    Source: Kneser and Ney, "Improved backing-off for m-gram language modeling", 1995; Chen and Goodman, "An empirical
        study of smoothing techniques for language modeling", 1999 (interpolation, three discounts an order).
    """

    vocab_size: int
    unigrams: Floats
    orders: tuple[_Order, ...]

    @classmethod
    def fit(
        cls,
        sequences: Iterable[npt.NDArray[np.integer]],
        *,
        order: int,
        vocab_size: int,
        never: Collection[int] = (0, 2),
        discount: float | None = None,
    ) -> NgramModel:
        """Count.

        Args:
            sequences: Token ids (T,) each, begin and end marks among them where they are wanted. The first token of a
                sequence is context only.
            order: Of the longest n-grams, at least 1.
            vocab_size: V.
            never: Ids that are never predicted (padding, begin). All others get a probability, seen or not.
            discount: Taken from every count, in [0, 1]; None estimates three for each order.

        Raises:
            ValueError: No sequence has two tokens, or the order is below 1.
        """
        tokens, places = _laid_end_to_end(sequences)
        if order < 1 or not (places > 0).any():
            raise ValueError(f"order {order} and {len(tokens)} tokens leave nothing to count")
        keys, counts = _counted(tokens, places, order=order, vocab_size=vocab_size)
        unigrams = _unigrams(counts[0], vocab_size=vocab_size, never=never, discount=discount)
        sizes = [vocab_size, *(len(own) for own in keys)]
        orders = tuple(
            _order(own, count, vocab_size=vocab_size, contexts=size, discount=discount)
            for own, count, size in zip(keys, counts[1:], sizes, strict=False)
        )
        return cls(vocab_size, unigrams, orders)

    @property
    def order(self) -> int:
        """Length of the longest n-grams; below the order asked for where no sequence is so long."""
        return len(self.orders) + 1

    def log_probs(self, sequence: npt.NDArray[np.integer]) -> Floats:
        """Log-probability in nats of each token but the first, given those before it: (T,) ids to float64 (T - 1,)."""
        tokens = np.asarray(sequence, dtype=np.int64)
        found = self.unigrams[tokens[1:]]
        for grams, contexts, numbers in self._walk(tokens):
            own = np.where(numbers >= 0, grams.shares[numbers], 0.0)
            found = np.where(contexts >= 0, own + grams.backoff[contexts] * found, found)
        with np.errstate(divide="ignore"):
            return np.log(found)

    def _walk(self, tokens: Integers) -> Iterator[tuple[_Order, Integers, Integers]]:
        """For each order: the context of each token but the first, and the n-gram that it ends; -1 where there is none."""
        contexts = tokens[:-1]
        for length, grams in enumerate(self.orders, start=2):
            numbers = np.full(len(contexts), -1, dtype=np.int64)
            known = contexts >= 0
            numbers[known] = grams.find(contexts[known] * self.vocab_size + tokens[1:][known])
            yield grams, contexts, numbers
            # The context of the next order ends at the same token; the first tokens have none so long.
            contexts = np.concatenate([[-1], numbers])[: len(numbers)]
            contexts[: length - 1] = -1

    def next_probabilities(self, context: Sequence[int] | Integers) -> Floats:
        """Probabilities of the token after a context of any length: float64 (V,), they sum to 1."""
        last = np.asarray(context[-(self.order - 1) :] if self.order > 1 else [], dtype=np.int64)
        found = self.unigrams.copy()
        for length in range(1, len(last) + 1):
            number = self._number(last[-length:])
            if number < 0:
                break
            grams = self.orders[length - 1]
            start, end = np.searchsorted(
                grams.keys, [number * self.vocab_size, (number + 1) * self.vocab_size]
            )
            found *= grams.backoff[number]
            found[grams.keys[start:end] - number * self.vocab_size] += grams.shares[start:end]
        return found

    def statistics(
        self, sequences: Iterable[npt.NDArray[np.integer]], *, best: int = 0, unknown: int | None = None
    ) -> Floats:
        """What each sequence adds to perplexity and hits.

        Args:
            sequences: Token ids (T,) each; the first token is not predicted.
            best: Count how often the token was among so many most probable ones; 0: not worked out (it takes a
                distribution over the vocabulary for each token).
            unknown: The token that stands for all that the vocabulary lacks: foretelling it names no word, so it is
                never a hit.

        Returns:
            float64 (N, 4): negative log-likelihood in nats, tokens, tokens that were the most probable one, tokens
            among the `best` most probable.
        """
        rows = []
        for sequence in sequences:
            nll = -float(self.log_probs(sequence).sum())
            tokens = np.asarray(sequence, dtype=np.int64)
            ranks = self._ranks(tokens)[tokens[1:] != unknown] if best else np.zeros(0)
            rows.append((nll, max(len(sequence) - 1, 0), int((ranks < 1).sum()), int((ranks < best).sum())))
        return np.asarray(rows, dtype=np.float64).reshape(-1, 4)

    def _number(self, tokens: Integers) -> int:
        number = int(tokens[0])
        for length in range(2, len(tokens) + 1):
            key = np.asarray([number * self.vocab_size + tokens[length - 1]])
            number = int(self.orders[length - 2].find(key)[0])
            if number < 0:
                return -1
        return number

    def _ranks(self, tokens: Integers) -> Integers:
        """How many tokens were more probable than each but the first, int64 (T - 1,)."""
        walked = [(grams, contexts) for grams, contexts, _ in self._walk(tokens)]
        rows = max(1, _CELLS_AT_ONCE // self.vocab_size)
        ranks = []
        for start in range(0, len(tokens) - 1, rows):
            wanted = tokens[1 + start : 1 + start + rows]
            shares = np.tile(self.unigrams, (len(wanted), 1))
            for grams, contexts in walked:
                _go_up(shares, grams, contexts[start : start + rows], self.vocab_size)
            ranks.append((shares > shares[np.arange(len(wanted)), wanted][:, None]).sum(axis=1))
        return np.concatenate(ranks) if ranks else np.zeros(0, dtype=np.int64)


def _go_up(shares: Floats, grams: _Order, contexts: Integers, vocab_size: int) -> None:
    """Turn distributions (T, V) into those of the next order, in place; contexts int64 (T,), -1 for none."""
    rows = np.flatnonzero(contexts >= 0)
    known = contexts[rows]
    shares[rows] *= grams.backoff[known][:, None]
    starts = np.searchsorted(grams.keys, known * vocab_size)
    counts = np.searchsorted(grams.keys, (known + 1) * vocab_size) - starts
    # The places starts[i], starts[i] + 1, ... of every row's block, laid end to end.
    places = np.arange(counts.sum()) + np.repeat(starts - np.cumsum(counts) + counts, counts)
    shares[np.repeat(rows, counts), grams.keys[places] % vocab_size] += grams.shares[places]


def perplexity(statistics: Floats) -> float:
    """Perplexity: exp of the mean negative log-likelihood; from 1, lower is better, NaN for no tokens.

    >>> round(perplexity(np.array([[2 * np.log(4.0), 2.0, 0, 0]])), 6)
    4.0
    """
    nll, tokens = statistics[:, 0].sum(), statistics[:, 1].sum()
    return float(np.exp(nll / tokens)) if tokens else float("nan")


def _laid_end_to_end(sequences: Iterable[npt.NDArray[np.integer]]) -> tuple[Integers, Integers]:
    """All tokens, int64 (T,), and the place of each within its sequence, from 0."""
    pieces = [np.asarray(sequence, dtype=np.int64) for sequence in sequences]
    if not pieces:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    return np.concatenate(pieces), np.concatenate([np.arange(len(piece)) for piece in pieces])


def _counted(
    tokens: Integers, places: Integers, *, order: int, vocab_size: int
) -> tuple[list[Integers], list[Integers]]:
    """N-grams and their counts.

    Args:
        tokens: int64 (T,), sequences end to end.
        places: int64 (T,), the place of each token within its sequence.
        order: Of the longest n-grams.
        vocab_size: V.

    Returns:
        Sorted keys of order 2, 3, ..., and counts of order 1, 2, ... as Kneser and Ney want them, int64 (G,) each.
    """
    keys: list[Integers] = []
    counts: list[Integers] = []
    occurring = np.bincount(tokens[places > 0], minlength=vocab_size)
    # Of the n-gram that ends at each token: its number among those of its order, -1 where it would begin too early.
    numbers = tokens
    for length in range(2, order + 1):
        valid = places[1:] >= length - 1
        if not valid.any():
            break
        own, first, inverse, occurring_here = np.unique(
            (numbers[:-1] * vocab_size + tokens[1:])[valid],
            return_index=True,
            return_inverse=True,
            return_counts=True,
        )
        # The n-gram without its first token has one more token that comes before it.
        before = np.bincount(numbers[1:][valid][first], minlength=len(occurring))
        # A single token that begins a sequence is never predicted.
        begins = numbers[places == length - 2] if length > 2 else numbers[:0]
        counts.append(before + np.bincount(begins, minlength=len(occurring)))
        keys.append(own)
        occurring = occurring_here
        numbers = np.full(len(tokens), -1, dtype=np.int64)
        numbers[1:][valid] = inverse
    return keys, [*counts, occurring]


def _discounts(counts: Integers, fixed: float | None) -> Floats:
    """What is taken from a count of 0, 1, 2 and of 3 or more."""
    if fixed is not None:
        return np.array([0.0, fixed, fixed, fixed])
    n1, n2, n3, n4 = (int((counts == times).sum()) for times in range(1, 5))
    if not n1 or not n2:
        return np.array([0.0, *[_DISCOUNT_WITHOUT_EVIDENCE] * 3])
    base = n1 / (n1 + 2 * n2)
    steps = ((1, n1, n2), (2, n2, n3), (3, n3, n4))
    estimates = [times - (times + 1) * base * above / own if own else -1.0 for times, own, above in steps]
    # Small data give counts of counts that do not fall; then one discount serves all.
    sound = all(0 < value < times for times, value in enumerate(estimates, start=1))
    return np.array([0.0, *(estimates if sound else [base] * 3)])


def _discounted(counts: Integers, fixed: float | None) -> tuple[Floats, Floats]:
    """Counts less their discounts, and the discounts."""
    taken = _discounts(counts, fixed)[np.minimum(counts, _HIGHEST_COUNT_OF_ITS_OWN)]
    return np.maximum(counts - taken, 0.0), np.minimum(taken, counts)


def _unigrams(counts: Integers, *, vocab_size: int, never: Collection[int], discount: float | None) -> Floats:
    possible = np.ones(vocab_size, dtype=bool)
    possible[list(never)] = False
    counts = np.where(possible, counts, 0)
    kept, taken = _discounted(counts, discount)
    return np.where(possible, (kept + taken.sum() / possible.sum()) / max(counts.sum(), 1), 0.0)


def _order(
    keys: Integers, counts: Integers, *, vocab_size: int, contexts: int, discount: float | None
) -> _Order:
    context = keys // vocab_size
    totals: npt.NDArray[Any] = np.bincount(context, weights=counts, minlength=contexts)
    kept, taken = _discounted(counts, discount)
    left = np.bincount(context, weights=taken, minlength=contexts)
    # A context that nothing was ever seen after leaves everything to the order below.
    backoff = np.divide(left, totals, out=np.ones(contexts), where=totals > 0)
    return _Order(keys, kept / totals[context], backoff)
