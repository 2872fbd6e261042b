"""Attention: which steps of a memory a query looks at, and what it reads there.

A decoder that must squeeze its whole source into one vector forgets long sources. With attention it reads the
encoder's states anew at every step: each state gets a score against the decoder's state (the query), a
softmax over the real steps turns scores into weights, and the weighted mean of the states is the context.
The three scores are the classic ones; they differ in how a query q and a memory step m are compared:

* additive: v . tanh(W q + U m + b), for any sizes; the most work;
* dot: q . m, no weights to learn, for equal sizes only;
* general: q . (W m), a learnt product, for any sizes.

What stands in the padding of the memory has weight 0, whatever it is, as long as it is finite.

Legend: B batch, U query steps, T memory steps, Q query features, M memory features, A features of a score.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Attention(nn.Module):
    """What the attentions share: keys made once for each memory, weights over real steps, the weighted mean.

    Args:
        query_size: Q.
        memory_size: M.
        hidden_size: A, of the additive score; the others do not use it.
    """

    def __init__(self, *, query_size: int, memory_size: int, hidden_size: int) -> None:
        super().__init__()
        self.query_size, self.memory_size, self.hidden_size = query_size, memory_size, hidden_size

    def keys(self, memory: Tensor) -> Tensor:
        """What of a memory float (B, T, M) does not depend on the query, computed once: here itself."""
        return memory

    def scores(self, queries: Tensor, keys: Tensor) -> Tensor:
        """How well each query fits each step, not yet normalised: (B, U, T)."""
        raise NotImplementedError

    def weights(self, queries: Tensor, keys: Tensor, mask: Tensor) -> Tensor:
        """How much each query looks at each step.

        Args:
            queries: float (B, U, Q).
            keys: What `keys` gave for the memory.
            mask: bool (B, T), True = real step, at least one in each row.

        Returns:
            float32 (B, U, T), 0 on padding, 1 in sum over T.
        """
        scores = self.scores(queries, keys)
        scores = scores.to(torch.promote_types(scores.dtype, torch.float32))
        return scores.masked_fill(~mask.unsqueeze(1), -torch.inf).softmax(dim=-1)

    def forward(self, queries: Tensor, keys: Tensor, memory: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Read the memory.

        Args:
            queries: float (B, U, Q).
            keys: What `keys` gave for this memory.
            memory: float (B, T, M), finite also in the padding.
            mask: bool (B, T), True = real step, at least one in each row.

        Returns:
            Contexts float (B, U, M) and weights float32 (B, U, T), 0 on padding, 1 in sum over T.
        """
        weights = self.weights(queries, keys, mask)
        return torch.bmm(weights.to(memory.dtype), memory), weights


class AdditiveAttention(Attention):
    """The score v . tanh(W q + U m + b) of a hidden layer with A units.

    Source: Bahdanau, Cho and Bengio, "Neural machine translation by jointly learning to align and translate",
        2015.
    """

    def __init__(self, *, query_size: int, memory_size: int, hidden_size: int) -> None:
        super().__init__(query_size=query_size, memory_size=memory_size, hidden_size=hidden_size)
        self.query_layer = nn.Linear(query_size, hidden_size, bias=False)
        self.memory_layer = nn.Linear(memory_size, hidden_size)
        self.score_layer = nn.Linear(hidden_size, 1, bias=False)  # softmax would cancel a bias
        for layer in (self.query_layer, self.memory_layer, self.score_layer):
            nn.init.xavier_uniform_(layer.weight)
        nn.init.zeros_(self.memory_layer.bias)

    def keys(self, memory: Tensor) -> Tensor:
        """Project a memory float (B, T, M) to (B, T, A)."""
        projected: Tensor = self.memory_layer(memory)
        return projected

    def scores(self, queries: Tensor, keys: Tensor) -> Tensor:
        """Score queries (B, U, Q) against keys (B, T, A): (B, U, T)."""
        hidden = torch.tanh(self.query_layer(queries).unsqueeze(2) + keys.unsqueeze(1))
        scores: Tensor = self.score_layer(hidden).squeeze(-1)
        return scores


class DotAttention(Attention):
    """The score q . m: queries and memory live in one space.

    Raises:
        ValueError: Q and M differ.

    Source: Luong, Pham and Manning, "Effective approaches to attention-based neural machine translation", 2015.
    """

    def __init__(self, *, query_size: int, memory_size: int, hidden_size: int) -> None:
        super().__init__(query_size=query_size, memory_size=memory_size, hidden_size=hidden_size)
        if query_size != memory_size:
            raise ValueError(
                f"attention dot compares a query of {query_size} with a memory of {memory_size} features; "
                "make them equal, or use general or additive"
            )

    def scores(self, queries: Tensor, keys: Tensor) -> Tensor:
        """Score queries (B, U, M) against keys (B, T, M): (B, U, T)."""
        return torch.bmm(queries, keys.to(queries.dtype).transpose(1, 2))


class GeneralAttention(DotAttention):
    """The score q . (W m), a learnt comparison.

    Source: Luong, Pham and Manning, "Effective approaches to attention-based neural machine translation", 2015.
    """

    def __init__(self, *, query_size: int, memory_size: int, hidden_size: int) -> None:
        super().__init__(query_size=query_size, memory_size=query_size, hidden_size=hidden_size)
        self.memory_size = memory_size
        self.memory_layer = nn.Linear(memory_size, query_size, bias=False)  # q . b: the same for all steps
        nn.init.xavier_uniform_(self.memory_layer.weight)

    def keys(self, memory: Tensor) -> Tensor:
        """Project a memory float (B, T, M) to (B, T, Q)."""
        projected: Tensor = self.memory_layer(memory)
        return projected


class MeanContext(Attention):
    """No attention: every step has the same weight, so each query reads the mean of the memory.

    The encoder-decoder without attention, to compare with.

    Source: Cho et al., "Learning phrase representations using RNN encoder-decoder for statistical machine
        translation", 2014 (one context for all steps; there the last state).
    """

    def scores(self, queries: Tensor, keys: Tensor) -> Tensor:
        """Score all steps alike: zeros (B, U, T)."""
        return keys.new_zeros(queries.shape[0], queries.shape[1], keys.shape[1])


ATTENTIONS: dict[str, type[Attention]] = {
    "additive": AdditiveAttention,
    "dot": DotAttention,
    "general": GeneralAttention,
    "none": MeanContext,
}
