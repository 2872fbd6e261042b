"""Writing sequences: drawing step after step from a network's predictions, and finding the most probable endings.

Every row draws from a `torch.Generator` of its own, by inverse distribution function in float64, so that what is
written depends on the prompt, the settings and the seed: not on torch's global random state, and not on the rows beside
it.

Legend: B batch, T steps, V vocabulary, D keys, L layers, S parts of a state, H hidden, K beams.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from seqline.errors import InputError


class TokenNetwork(Protocol):
    """What writing needs of a language model, see `seqline.nn.language_model.RecurrentLanguageModel`."""

    def initial_state(self, batch_size: int) -> Tensor:
        """Zero states (L, S, B, H)."""
        ...

    def read(self, ids: Tensor, lengths: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (B, V) after int64 (B, T) prompts, and the state there."""
        ...

    def step(self, ids: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (B, V) after one more token int64 (B,), and the state there."""
        ...


class PianoNetwork(Protocol):
    """What writing needs of a piano model, see `seqline.nn.language_model.RecurrentPianoModel`."""

    def initial_state(self, batch_size: int) -> Tensor:
        """Zero states (L, S, B, H)."""
        ...

    def step(self, keys: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Log-odds (B, D) after one more step of keys float (B, D), and the state there."""
        ...


@dataclass(frozen=True)
class Sampling:
    """How the next step is drawn.

    Attributes:
        temperature: Divides the logits: below 1 bolder, above 1 wilder; 0 takes the most probable step (greedy).
        top_k: Only this many of the most probable tokens; 0: all.
        top_p: Only the most probable tokens that together have this share, in (0, 1]; 1: all.
        seed: Of the drawing; row i of a batch draws as a single row of seed + i does.
        length: Steps to write at most.

    Raises:
        InputError: A value outside its bounds.

    Source: Holtzman et al., "The curious case of neural text degeneration", 2020 (top_p).
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    seed: int = 0
    length: int = 200

    def __post_init__(self) -> None:
        checks = (
            ("temperature", self.temperature, 0 <= self.temperature <= 100, "0 (greedy) to 100"),
            ("top_k", self.top_k, self.top_k >= 0, "0 (all tokens) or more"),
            ("top_p", self.top_p, 0 < self.top_p <= 1, "more than 0, at most 1 (all tokens)"),
            ("seed", self.seed, 0 <= self.seed < 2**63, "0 or more"),
            ("length", self.length, 1 <= self.length <= 1_000_000, "1 to 1000000"),
        )
        for name, value, holds, expected in checks:
            if not holds:
                raise InputError(name, str(value), expected)


@dataclass(frozen=True)
class Completion:
    """One ending of a prompt.

    Attributes:
        ids: The tokens after the prompt, without the end mark.
        log_prob: Of these tokens (and of the end mark, where it was reached) given the prompt, in nats.
        ended: Whether the end mark follows, or the length ran out.
    """

    ids: tuple[int, ...]
    log_prob: float
    ended: bool


def probabilities(logits: Tensor, sampling: Sampling) -> Tensor:
    """The distribution that is drawn from.

    Args:
        logits: float (B, V).
        sampling: Temperature, top_k and top_p; temperature 0 gives all to the most probable token.

    Returns:
        float64 (B, V); each row sums to 1. Of equally probable tokens the lower id comes first.
    """
    ordered, places = torch.sort(logits.double(), dim=1, descending=True, stable=True)
    if sampling.temperature == 0:
        shares = torch.zeros_like(ordered)
        shares[:, 0] = 1.0
    else:
        shares = torch.softmax(ordered / sampling.temperature, dim=1)
        if sampling.top_k:
            shares[:, sampling.top_k :] = 0.0
        before = shares.cumsum(dim=1) - shares
        shares = shares.masked_fill(before >= sampling.top_p * shares.sum(dim=1, keepdim=True), 0.0)
        shares = shares / shares.sum(dim=1, keepdim=True)
    return torch.zeros_like(shares).scatter(1, places, shares)


def draw(shares: Tensor, generators: Sequence[torch.Generator]) -> Tensor:
    """One token a row: shares float64 (B, V) and a generator for each row to int64 (B,)."""
    marks = torch.cat([torch.rand(1, generator=g, dtype=torch.float64) for g in generators]).to(shares.device)
    reached = shares.cumsum(dim=1)
    # The last sum may fall short of 1 by rounding: the mark is a share of it.
    chosen = torch.searchsorted(reached, (marks * reached[:, -1]).unsqueeze(1), right=True).squeeze(1)
    return chosen.clamp(max=shares.shape[1] - 1)


@torch.inference_mode()
def write(
    network: TokenNetwork,
    prompts: Sequence[Sequence[int]],
    sampling: Sampling,
    *,
    seeds: Sequence[int] | None = None,
    end_id: int | None = None,
    forbidden: Collection[int] = (),
) -> Iterator[list[int | None]]:
    """Continue prompts token by token.

    Args:
        network: In evaluation mode.
        prompts: Token ids, at least one each.
        sampling: How to draw.
        seeds: Of each row; by default row i has the sampling's seed + i.
        end_id: A row ends where this is drawn; None: rows go on to the full length.
        forbidden: Ids that are never written (unknown, begin).

    Yields:
        The next token of each row; None from where a row has ended. Stops when all rows have ended.
    """
    lengths = torch.tensor([len(prompt) for prompt in prompts])
    ids = torch.zeros(len(prompts), int(lengths.max()), dtype=torch.int64)
    for row, prompt in enumerate(prompts):
        ids[row, : len(prompt)] = torch.tensor(prompt)
    own = range(sampling.seed, sampling.seed + len(prompts)) if seeds is None else seeds
    generators = [torch.Generator().manual_seed(seed) for seed in own]
    logits, state = network.read(ids, lengths, network.initial_state(len(prompts)))
    going = [True] * len(prompts)
    for _ in range(sampling.length):
        chosen = draw(probabilities(_without(logits, forbidden), sampling), generators)
        tokens = chosen.tolist()
        going = [is_on and token != end_id for is_on, token in zip(going, tokens, strict=True)]
        if not any(going):
            return
        yield [token if is_on else None for token, is_on in zip(tokens, going, strict=True)]
        logits, state = network.step(chosen, state)


def stream(
    network: TokenNetwork,
    prompt: Sequence[int],
    sampling: Sampling,
    *,
    end_id: int | None = None,
    forbidden: Collection[int] = (),
) -> Iterator[int]:
    """Continue one prompt, a token at a time as it is drawn; arguments as of `write`."""
    for (token,) in write(network, [prompt], sampling, end_id=end_id, forbidden=forbidden):
        if token is not None:
            yield token


@torch.inference_mode()
def write_piano(network: PianoNetwork, prompt: Tensor, sampling: Sampling) -> Iterator[Tensor]:
    """Continue a piano roll step by step, every key drawn for itself.

    Args:
        network: In evaluation mode.
        prompt: float (T, D), T at least 1, 1 = the key sounds.
        sampling: Temperature, seed and length count; at temperature 0 the keys sound that are more likely than not.
            With top_k at most that many keys sound at a step, the most probable ones.

    Yields:
        float (D,), the keys of the next step.
    """
    generator = torch.Generator().manual_seed(sampling.seed)
    state = network.initial_state(1)
    for keys in prompt.unsqueeze(1):
        logits, state = network.step(keys, state)
    for _ in range(sampling.length):
        if sampling.temperature == 0:
            chosen = logits > 0
        else:
            shares = torch.sigmoid(logits.double() / sampling.temperature)
            chosen = torch.rand(shares.shape, generator=generator, dtype=torch.float64) < shares
        if sampling.top_k:
            likely = torch.zeros_like(chosen)
            likely[0, logits[0].topk(min(sampling.top_k, logits.shape[1])).indices] = True
            chosen = chosen & likely
        keys = chosen.to(prompt.dtype)
        yield keys[0]
        logits, state = network.step(keys, state)


@torch.inference_mode()
def most_probable(
    network: TokenNetwork, prompt: Sequence[int], *, count: int, forbidden: Collection[int] = ()
) -> list[tuple[int, float]]:
    """The most probable next tokens of a prompt, each with its probability, best first (next word, next item)."""
    logits, _ = network.read(torch.tensor([prompt]), torch.tensor([len(prompt)]), network.initial_state(1))
    shares = torch.softmax(logits[0].double(), dim=0)
    shares[list(forbidden)] = -1.0
    best = shares.topk(min(count, len(shares) - len(forbidden)))
    return [(int(token), float(share)) for token, share in zip(best.indices, best.values, strict=True)]


@torch.inference_mode()
def complete(
    network: TokenNetwork,
    prompt: Sequence[int],
    *,
    end_id: int,
    count: int,
    beam_size: int,
    length: int,
    forbidden: Collection[int] = (),
    first: Tensor | None = None,
) -> list[Completion]:
    """The most probable endings of a prompt, found by beam search.

    Args:
        network: In evaluation mode.
        prompt: Token ids, at least one.
        end_id: The end mark.
        count: Endings to give at most, best first.
        beam_size: K, unfinished endings kept at each step, at least `count`.
        length: Tokens of an ending at most.
        forbidden: Ids that are never written.
        first: bool (V,), True = may come first; for a prompt that ends within a word. None: anything may. Where no
            token may, there is no ending.

    Returns:
        Endings by their probability; unfinished ones only where fewer than `count` ended within the length.
    """
    logits, state = network.read(
        torch.tensor([prompt]), torch.tensor([len(prompt)]), network.initial_state(1)
    )
    if first is not None:
        if not bool(first.any()):
            return []
        logits = logits.masked_fill(~first, -torch.inf)
    written: list[tuple[int, ...]] = [()]
    totals = torch.zeros(1, dtype=torch.float64)
    ended: list[Completion] = []
    for _ in range(length):
        scores = totals.unsqueeze(1) + _log_probs(logits, forbidden)
        ended += [
            Completion(ids, float(score), True)
            for ids, score in zip(written, scores[:, end_id], strict=True)
            if ids and float(score) > -torch.inf
        ]
        scores[:, end_id] = -torch.inf
        totals, places = scores.flatten().topk(min(beam_size, scores.numel()))
        totals, places = totals[totals > -torch.inf], places[totals > -torch.inf]
        rows, tokens = places // scores.shape[1], places % scores.shape[1]
        written = [(*written[row], int(token)) for row, token in zip(rows.tolist(), tokens, strict=True)]
        worst = heapq.nlargest(count, (ending.log_prob for ending in ended))
        if not written or (len(worst) == count and float(totals[0]) <= worst[-1]):
            break
        logits, state = network.step(tokens, state[:, :, rows])
    best = sorted(ended, key=lambda ending: -ending.log_prob)[:count]
    unfinished = [Completion(ids, float(total), False) for ids, total in zip(written, totals, strict=True)]
    return best + unfinished[: count - len(best)]


def _log_probs(logits: Tensor, forbidden: Collection[int]) -> Tensor:
    return torch.log_softmax(_without(logits, forbidden).double(), dim=1)


def _without(logits: Tensor, forbidden: Collection[int]) -> Tensor:
    if not forbidden:
        return logits
    return logits.index_fill(1, torch.tensor(sorted(forbidden), device=logits.device), -torch.inf)
