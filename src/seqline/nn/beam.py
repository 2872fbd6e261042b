"""Decoding: from a network that predicts one word after the other to whole sequences.

Greedy decoding takes the likeliest word at each step. Beam search keeps the k likeliest beginnings; one that
ends leaves its place empty, so the beam narrows as sequences complete, and a beam of 1 is greedy decoding
whatever the length penalty. No sequence is empty, and every one ends: where `max_length` words are written the next
must be END, and its probability counts. So a hypothesis's log-probability is always that of its words and END, the
figure that teacher forcing gives for them.

A beam may lose the greedy sequence on its way. `beam_search` decodes greedily too and lets that sequence compete,
so its best hypothesis never has a lower score. With length penalty 0 the score is the log-probability; with a
positive one a longer sequence of lower log-probability may win.

Legend: B batch, K beam size, U steps so far, T memory steps, V vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, Self, TypeVar

import torch
from torch import Tensor

# Of the length penalty ((5 + length) / (5 + 1)) ^ alpha (Wu et al., 2016): short sequences differ less in it.
PENALTY_OFFSET = 5


class Movable(Protocol):
    """The state of a decoder: a row for each sequence."""

    def select(self, rows: Tensor) -> Self:
        """The state of some rows, int64 (R,); a row may be taken more than once."""
        ...

    def follow(self, rows: Tensor) -> Self:
        """Like `select`, where each row is replaced by one that reads the same source."""
        ...


S = TypeVar("S", bound=Movable)


class StepNetwork(Protocol[S]):
    """What a decoding needs of a network."""

    def step(self, ids: Tensor, state: S) -> tuple[Tensor, Tensor, S]:
        """From the words before, int64 (B,): log-probabilities (B, V), attention weights (B, T), state after."""
        ...


@dataclass(frozen=True)
class Marks:
    """Ids with a meaning of their own.

    Attributes:
        begin: The word before the first.
        end: Ends a sequence.
        forbidden: Never written, such as padding and begin. Their probability is lost, not shared out.
    """

    begin: int
    end: int
    forbidden: tuple[int, ...]


@dataclass(frozen=True)
class Hypothesis:
    """One written sequence.

    Attributes:
        tokens: int64 (U,), without begin and end marks, U at least 1.
        log_prob: Natural logarithm of the probability of the tokens and END.
        score: `log_prob` divided by the length penalty of U + 1 tokens; hypotheses are ordered by it.
        was_cut: Whether END came only because `max_length` was reached.
        attention: float32 (U, T): how much each token looked at each step of the source, 0 on padding.
    """

    tokens: Tensor
    log_prob: float
    score: float
    was_cut: bool
    attention: Tensor


def length_penalty(length: int, alpha: float) -> float:
    """Divisor of a log-probability: 1 at alpha 0, larger for longer sequences at larger alpha.

    Args:
        length: Tokens, END included.
        alpha: At least 0; 0.6 to 1 are usual.

    Source: Wu et al., "Google's neural machine translation system", 2016, equation 14.

    Example:
        >>> length_penalty(7, 1.0), length_penalty(7, 0.0)
        (2.0, 1.0)
    """
    return float(((PENALTY_OFFSET + length) / (PENALTY_OFFSET + 1)) ** alpha)


def _allowed(log_probs: Tensor, marks: Marks, *, position: int, max_length: int) -> Tensor:
    """Log-probabilities (R, V) with -inf for what may not stand at a position.

    Forbidden ids nowhere, END not at the first position (no text is empty), nothing but END after `max_length` tokens.
    """
    if position == max_length:
        only = torch.full_like(log_probs, -torch.inf)
        only[:, marks.end] = log_probs[:, marks.end]
        return only
    allowed = log_probs.clone()
    allowed[:, list(marks.forbidden if position else (*marks.forbidden, marks.end))] = -torch.inf
    return allowed


@torch.inference_mode()
def greedy(
    network: StepNetwork[S], state: S, *, rows: int, marks: Marks, max_length: int, alpha: float = 0.0
) -> list[Hypothesis]:
    """Write the likeliest word at each step.

    Args:
        network: Predicts the next words.
        state: Where it stands before the first word.
        rows: B.
        marks: Ids with a meaning.
        max_length: Most tokens of a sequence, END not counted; at least 1.
        alpha: Of the length penalty; changes the reported score only.

    Returns:
        One hypothesis a row.
    """
    words = torch.full((rows,), marks.begin, dtype=torch.int64)
    log_prob = torch.zeros(rows)
    length = torch.full((rows,), -1, dtype=torch.int64)
    was_cut = torch.zeros(rows, dtype=torch.bool)
    written, looked = [], []
    for position in range(max_length + 1):
        log_probs, weights, state = network.step(words, state)
        is_last = position == max_length
        # topk, not max, as in the beam: both then choose the same of equally likely words.
        best, words = _allowed(log_probs, marks, position=position, max_length=max_length).topk(1, dim=1)
        words = words.squeeze(1)
        running = length < 0
        log_prob = torch.where(running, log_prob + best.squeeze(1), log_prob)
        ends = running & (words == marks.end)
        length = torch.where(ends, position, length)
        was_cut |= ends & is_last
        if bool((length >= 0).all()):
            break
        written.append(words)
        looked.append(weights)
    tokens, attention = torch.stack(written, dim=1), torch.stack(looked, dim=1)
    answers = []
    for row, count in enumerate(length.tolist()):
        value = float(log_prob[row])
        answers.append(
            Hypothesis(
                tokens=tokens[row, :count],
                log_prob=value,
                score=value / length_penalty(count + 1, alpha),
                was_cut=bool(was_cut[row]),
                attention=attention[row, :count],
            )
        )
    return answers


@dataclass
class _Beams:
    """The beginnings of a search, K rows for each of B sources, source by source.

    Attributes:
        log_prob: float32 (B, K); -inf for an empty place.
        tokens: int64 (B, K, U).
        attention: float32 (B, K, U, T).
        places: int64 (B,): how many sequences may still be written.
    """

    log_prob: Tensor
    tokens: Tensor
    attention: Tensor
    places: Tensor


@torch.inference_mode()
def beam_search(
    network: StepNetwork[S],
    state: S,
    *,
    rows: int,
    marks: Marks,
    max_length: int,
    beam_size: int,
    alpha: float = 0.0,
    n_best: int = 1,
) -> list[list[Hypothesis]]:
    """Keep the likeliest beginnings and return the best sequences.

    Args:
        network: Predicts the next words.
        state: Where it stands before the first word.
        rows: B.
        marks: Ids with a meaning.
        max_length: Most tokens of a sequence, END not counted; at least 1.
        beam_size: K; 1 is greedy decoding, exactly.
        alpha: Of the length penalty, at least 0.
        n_best: Most hypotheses a row, at most K + 1: the beam's and the greedy one.

    Returns:
        For each row hypotheses of different tokens, best score first, at least one. The first one's score is
        never below the greedy one's; with alpha 0 that is its log-probability.

    Raises:
        ValueError: A number outside these bounds.

    Source: Graves, "Sequence transduction with recurrent neural networks", 2012; Sutskever, Vinyals and Le,
        2014 (a complete sequence leaves the beam, which narrows).
    """
    if beam_size < 1 or max_length < 1 or alpha < 0 or not 1 <= n_best <= beam_size + 1:
        raise ValueError(
            f"beam_size {beam_size}, max_length {max_length}, alpha {alpha}, n_best {n_best}; expected at least "
            "1, 1, 0 and 1 to beam_size + 1"
        )
    plain = greedy(network, state, rows=rows, marks=marks, max_length=max_length, alpha=alpha)
    found: list[list[Hypothesis]] = [[answer] for answer in plain]
    if beam_size == 1:
        return found
    state = state.select(torch.arange(rows).repeat_interleave(beam_size))
    words = torch.full((rows * beam_size,), marks.begin, dtype=torch.int64)
    beams: _Beams | None = None
    for position in range(max_length + 1):
        log_probs, weights, state = network.step(words, state)
        if beams is None:
            beams = _first_beams(rows, beam_size, width=weights.shape[1])
        allowed = _allowed(log_probs, marks, position=position, max_length=max_length)
        parents = _advance(
            beams, allowed, weights, found, end=marks.end, alpha=alpha, is_last=position == max_length
        )
        _close_hopeless(beams, found, max_length=max_length, alpha=alpha, n_best=n_best)
        if not bool(torch.isfinite(beams.log_prob).any()):
            break
        state = state.follow(parents)
        words = beams.tokens[:, :, -1].reshape(-1)
    return [_ranked(hypotheses)[:n_best] for hypotheses in found]


def _first_beams(rows: int, beam_size: int, *, width: int) -> _Beams:
    # One beginning a source: K equal ones would all choose the same words.
    log_prob = torch.full((rows, beam_size), -torch.inf)
    log_prob[:, 0] = 0.0
    return _Beams(
        log_prob=log_prob,
        tokens=torch.zeros(rows, beam_size, 0, dtype=torch.int64),
        attention=torch.zeros(rows, beam_size, 0, width),
        places=torch.full((rows,), beam_size),
    )


def _advance(
    beams: _Beams,
    log_probs: Tensor,
    weights: Tensor,
    found: list[list[Hypothesis]],
    *,
    end: int,
    alpha: float,
    is_last: bool,
) -> Tensor:
    """Write one word to each beginning, and put the ones that end among the found.

    Args:
        beams: Changed in place.
        log_probs: float32 (B * K, V) of allowed words.
        weights: float32 (B * K, T).
        found: Complete sequences by source; gets those that end here.
        end: Id of END.
        alpha: Of the length penalty.
        is_last: Whether END came by force.

    Returns:
        int64 (B * K,): which row each beginning goes on from.
    """
    rows, beam_size = beams.log_prob.shape
    vocab_size = log_probs.shape[1]
    candidates = beams.log_prob.unsqueeze(2) + log_probs.view(rows, beam_size, vocab_size)
    best, flat = candidates.flatten(1).topk(beam_size, dim=1)
    parent, word = flat // vocab_size, flat % vocab_size
    in_place = torch.isfinite(best) & (torch.arange(beam_size) < beams.places.unsqueeze(1))
    ends = in_place & (word == end)
    source = torch.arange(rows).unsqueeze(1)
    for row, rank in ends.nonzero().tolist():
        chosen = int(parent[row, rank])
        value, tokens = float(best[row, rank]), beams.tokens[row, chosen]
        found[row].append(
            Hypothesis(
                tokens=tokens.clone(),
                log_prob=value,
                score=value / length_penalty(len(tokens) + 1, alpha),
                was_cut=is_last,
                attention=beams.attention[row, chosen].clone(),
            )
        )
    beams.places -= ends.sum(dim=1)
    beams.log_prob = best.masked_fill(~in_place | ends, -torch.inf)
    looked = weights.view(rows, beam_size, -1)
    beams.tokens = torch.cat([beams.tokens[source, parent], word.unsqueeze(2)], dim=2)
    beams.attention = torch.cat([beams.attention[source, parent], looked[source, parent].unsqueeze(2)], dim=2)
    return (source * beam_size + parent).flatten()


def _close_hopeless(
    beams: _Beams, found: list[list[Hypothesis]], *, max_length: int, alpha: float, n_best: int
) -> None:
    """Empty the places of a source none of whose beginnings can still enter its n best.

    A log-probability only falls, and the penalty is largest at the greatest length: together they bound what a
    beginning can score.
    """
    bounds = beams.log_prob.amax(dim=1) / length_penalty(max_length + 1, alpha)
    for row, bound in enumerate(bounds.tolist()):
        if bound == -torch.inf:
            continue
        best = _ranked(found[row])[:n_best]
        if len(best) == n_best and bound <= best[-1].score:
            beams.log_prob[row] = -torch.inf


def _ranked(hypotheses: list[Hypothesis]) -> list[Hypothesis]:
    """Best score first, each sequence of tokens once."""
    kept: dict[tuple[int, ...], Hypothesis] = {}
    for answer in sorted(hypotheses, key=lambda answer: -answer.score):
        kept.setdefault(tuple(answer.tokens.tolist()), answer)
    return list(kept.values())


def copy_unknown(
    hypothesis: Hypothesis,
    words: list[str],
    source: list[str],
    *,
    unknown: int,
    dictionary: dict[str, str] | None = None,
) -> list[str]:
    """Replace each unknown word by the source word it looked at most.

    Args:
        hypothesis: Its tokens and attention.
        words: The tokens as words, as many.
        source: The source's words, one for each real step; a later step is never copied.
        unknown: Id of the unknown word.
        dictionary: Source word to target word, asked first; a word that it lacks is copied as it is.

    Returns:
        The words, none of them for an unknown id.

    Source: Luong et al., "Addressing the rare word problem in neural machine translation", 2015; Jean et al.,
        "On using very large target vocabulary for neural machine translation", 2015 (by attention).
    """
    known = dictionary or {}
    copied = list(words)
    for place in (hypothesis.tokens == unknown).nonzero().flatten().tolist():
        original = source[int(hypothesis.attention[place, : len(source)].argmax())]
        copied[place] = known.get(original, original)
    return copied
