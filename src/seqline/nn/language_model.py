"""Networks that predict the next step of a sequence, and carry their state from one batch to the next.

`RecurrentLanguageModel` reads token ids and predicts the next token; `RecurrentPianoModel` reads piano rolls (which
keys sound at a step) and predicts the keys of the next step. Both give scores, not logits, from `forward`: a
vocabulary of 33,000 words has too many logits to hand around, and loss and metrics are sums of what each step costs.
`logits` gives them where they are wanted.

A long text is learnt in pieces (truncated backpropagation): row b of a batch may go on where row b of the batch before
ended. `SequenceBatch.extras["continues"]`, bool (B,), says which rows do; the others start from zero states, and
without the entry all of them do. The gradient ends at the piece's first step, the state does not. The carried state is
no weight: it is in `carried`, for checkpoints, and not in the state dict.

Legend: B batch, T steps, E embedding, F features, V vocabulary, D keys, L layers, S parts of a state, H hidden.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from seqline.batch import PADDING_ID, UNKNOWN_ID, SequenceBatch
from seqline.nn.alignment import align_left
from seqline.nn.dropout import FeatureDropout, StepDropout
from seqline.nn.recurrent import Recurrent

CONTINUES = "continues"
# Logits of this many steps at a time are held when nothing has to be kept for a gradient: 10 MB for 10,000 words.
_STEPS_AT_ONCE = 256


class CarriedStack(nn.Module):
    """Recurrent layers in one direction that go on from where the batch before ended.

    Args:
        cell: A key of `seqline.nn.cells.CELLS`.
        nonlinearity: Of cell rnn.
        input_size: E.
        hidden_size: H.
        num_layers: Recurrent layers.
        layer_dropout: Rate between layers, one mask of features for all steps of a piece.
    """

    def __init__(
        self,
        *,
        cell: str,
        nonlinearity: str,
        input_size: int,
        hidden_size: int,
        num_layers: int,
        layer_dropout: float,
    ) -> None:
        super().__init__()
        self.recurrent = Recurrent(
            cell=cell,
            nonlinearity=nonlinearity,
            input_size=input_size,
            hidden_size=hidden_size,
            num_layers=num_layers,
            bidirectional=False,
            layer_dropout=layer_dropout,
        )
        self.carried: dict[str, Tensor] = {}

    def forward(self, inputs: Tensor, lengths: Tensor, continues: Tensor | None) -> Tensor:
        """Read a left-aligned batch.

        Args:
            inputs: float (B, T, E).
            lengths: int64 (B,). A row that ends before T cannot be gone on from.
            continues: bool (B,), True = from the state that row b of the batch before ended in; None: no row does,
                and nothing is kept.

        Returns:
            States (B, T, H).

        Raises:
            ValueError: A row goes on from a row that was not there, or that had ended.
        """
        if continues is None:
            return self.recurrent(inputs, lengths)
        state = self.recurrent.initial_state(inputs.shape[0])
        if bool(continues.any()):
            state = torch.where(continues[:, None], self._state_of(continues), state)
        states, after = self.recurrent.read(inputs, state)
        self.carried = {"state": after.detach().float(), "open": lengths == inputs.shape[1]}
        return states

    def _state_of(self, continues: Tensor) -> Tensor:
        rows = len(continues)
        if not self.carried or self.carried["open"].shape[0] < rows:
            raise ValueError(f"{rows} rows cannot go on: the batch before had fewer, or there was none")
        if bool((continues & ~self.carried["open"][:rows]).any()):
            raise ValueError("a row cannot go on from one that ended before the last step of its batch")
        return self.carried["state"][:, :, :rows]


class _NextStep(nn.Module):
    """What both networks share: aligned steps, targets and the carried state."""

    stack: CarriedStack

    @property
    def carried(self) -> dict[str, Tensor]:
        """State that the next batch may go on from: `state` float32 (L, S, B, H), `open` bool (B,); or nothing."""
        return dict(self.stack.carried)

    def restore_carried(self, carried: dict[str, Tensor]) -> None:
        """Take up what `carried` gave, so that the next batch goes on as if nothing had happened."""
        device = next(self.parameters()).device
        self.stack.carried = {name: value.to(device) for name, value in carried.items()}

    def initial_state(self, batch_size: int) -> Tensor:
        """Zero states for `step`: float32 (L, S, B, H)."""
        return self.stack.recurrent.initial_state(batch_size)


class RecurrentLanguageModel(_NextStep):
    """Token ids to the next token.

    Args:
        vocab_size: V; id 0 is padding and never predicted.
        embedding_dim: E.
        embedding_std: Standard deviation that token vectors start with.
        hidden_size: H.
        num_layers: Recurrent layers.
        cell: A key of `seqline.nn.cells.CELLS`.
        nonlinearity: Of cell rnn.
        tie_weights: Whether the token vectors also are the output weights; where H is not E a linear map stands
            between.
        dropout: Rate on the features that logits are made from, one mask for all steps.
        embedding_dropout: Rate on embedding features, one mask for all steps.
        word_dropout: Rate of whole steps set to zero.
        layer_dropout: Rate between recurrent layers, one mask for all steps.

    Source: Mikolov et al., "Recurrent neural network based language model", 2010; Press and Wolf, "Using the output
        embedding to improve language models", 2017 (tied weights); Gal and Ghahramani, 2016 (dropout).
    """

    def __init__(
        self,
        *,
        vocab_size: int,
        embedding_dim: int,
        embedding_std: float,
        hidden_size: int,
        num_layers: int,
        cell: str,
        nonlinearity: str,
        tie_weights: bool,
        dropout: float,
        embedding_dropout: float,
        word_dropout: float,
        layer_dropout: float,
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embedding_dim, padding_idx=PADDING_ID)
        nn.init.normal_(self.embedding.weight, std=embedding_std)
        nn.init.zeros_(self.embedding.weight[PADDING_ID])
        self.word_dropout = StepDropout(rate=word_dropout)
        self.embedding_dropout = FeatureDropout(rate=embedding_dropout)
        self.stack = CarriedStack(
            cell=cell,
            nonlinearity=nonlinearity,
            input_size=embedding_dim,
            hidden_size=hidden_size,
            num_layers=num_layers,
            layer_dropout=layer_dropout,
        )
        self.projection = (
            nn.Linear(hidden_size, embedding_dim) if tie_weights and hidden_size != embedding_dim else None
        )
        self.dropout = FeatureDropout(rate=dropout)
        self.token_bias = nn.Parameter(torch.zeros(vocab_size))
        self.output = None if tie_weights else nn.Linear(hidden_size, vocab_size, bias=False)
        for linear in (self.projection, self.output):
            if linear is not None:
                nn.init.xavier_uniform_(linear.weight)
        if self.projection is not None:
            nn.init.zeros_(self.projection.bias)

    def forward(self, batch: SequenceBatch) -> Tensor:
        """What each step of a batch costs.

        Args:
            batch: inputs int64 (B, T) on either side of the padding; targets int64 (B, T), the token that follows
                each of them, 0 where none does or none counts. Without targets each row's own next token.

        Returns:
            float32 (B, W, 3), W the longest row: the target's negative log-likelihood in nats; 1 where there is a
            target and 0 where not; how many tokens were more probable than the target (its rank from 0; infinite for
            the unknown token, which names no word; 0 while training, where it is not worked out). Steps without a
            target are 0 throughout.
        """
        batch = aligned(batch)
        targets = _next_tokens(batch)
        rows, steps = targets.nonzero(as_tuple=True)
        features, wanted = self._features(batch)[rows, steps], targets[rows, steps]
        if torch.is_grad_enabled():
            found = self._costs(features, wanted)
        else:
            pieces = zip(features.split(_STEPS_AT_ONCE), wanted.split(_STEPS_AT_ONCE), strict=True)
            found = torch.cat([self._costs(*piece) for piece in pieces] or [features.new_zeros(0, 3)])
        return found.new_zeros(*targets.shape, 3).index_put((rows, steps), found)

    def logits(self, batch: SequenceBatch) -> Tensor:
        """Unnormalised log-probabilities of the token after each step, float32 (B, W, V); padding has -inf."""
        return self._logits(self._features(aligned(batch)))

    def read(self, ids: Tensor, lengths: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Read prompts.

        Args:
            ids: int64 (B, T), left-aligned.
            lengths: int64 (B,), at least 1.
            state: float32 (L, S, B, H).

        Returns:
            Logits of the token after each row's last one, float32 (B, V), and the state there.
        """
        states, state = self.stack.recurrent.read_ragged(self.embedding(ids), lengths, state)
        last = states[torch.arange(len(ids), device=ids.device), lengths - 1]
        return self._logits(self._projected(last.unsqueeze(1)))[:, 0], state

    def step(self, ids: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Read one token a row: ids int64 (B,), state (L, S, B, H) to logits float32 (B, V) and the state after."""
        output, state = self.stack.recurrent.step(self.embedding(ids), state)
        return self._logits(self._projected(output.unsqueeze(1)))[:, 0], state

    def _features(self, batch: SequenceBatch) -> Tensor:
        embedded = self.embedding(batch.inputs.masked_fill(~batch.mask, PADDING_ID))
        embedded = self.embedding_dropout(self.word_dropout(embedded, batch.mask))
        return self._projected(self.stack(embedded, batch.lengths, batch.extras.get(CONTINUES)))

    def _projected(self, states: Tensor) -> Tensor:
        features = states if self.projection is None else self.projection(states)
        return self.dropout(features)

    def _logits(self, features: Tensor) -> Tensor:
        weight = self.embedding.weight if self.output is None else self.output.weight
        logits = F.linear(features, weight, self.token_bias).float()
        never = torch.arange(logits.shape[-1], device=logits.device) == PADDING_ID
        return logits.masked_fill(never, -torch.inf)

    def _costs(self, features: Tensor, targets: Tensor) -> Tensor:
        """float32 (N, 3) of features (N, F) and targets int64 (N,)."""
        logits = self._logits(features)
        nll = F.cross_entropy(logits, targets, reduction="none")
        rank = torch.zeros_like(nll)
        if not self.training:
            rank = (logits > logits.gather(1, targets.unsqueeze(1))).sum(dim=1).to(nll.dtype)
            rank = rank.masked_fill(targets == UNKNOWN_ID, torch.inf)
        return torch.stack([nll, torch.ones_like(nll), rank], dim=1)


class RecurrentPianoModel(_NextStep):
    """Piano rolls to the keys that sound at the next step, each key an independent yes or no.

    Args:
        num_keys: D, 88 for a piano.
        embedding_dim: E, features of a linear map from keys.
        hidden_size: H.
        num_layers: Recurrent layers.
        cell: A key of `seqline.nn.cells.CELLS`.
        nonlinearity: Of cell rnn.
        dropout: Rate on the features that logits are made from, one mask for all steps.
        embedding_dropout: Rate on the mapped keys, one mask for all steps.
        layer_dropout: Rate between recurrent layers, one mask for all steps.

    Source: Boulanger-Lewandowski et al., "Modeling temporal dependencies in high-dimensional sequences", 2012 (the
        measure; their RNN baseline has this output).
    """

    def __init__(
        self,
        *,
        num_keys: int,
        embedding_dim: int,
        hidden_size: int,
        num_layers: int,
        cell: str,
        nonlinearity: str,
        dropout: float,
        embedding_dropout: float,
        layer_dropout: float,
    ) -> None:
        super().__init__()
        self.keys = nn.Linear(num_keys, embedding_dim)
        self.embedding_dropout = FeatureDropout(rate=embedding_dropout)
        self.stack = CarriedStack(
            cell=cell,
            nonlinearity=nonlinearity,
            input_size=embedding_dim,
            hidden_size=hidden_size,
            num_layers=num_layers,
            layer_dropout=layer_dropout,
        )
        self.dropout = FeatureDropout(rate=dropout)
        self.output = nn.Linear(hidden_size, num_keys)
        for linear in (self.keys, self.output):
            nn.init.xavier_uniform_(linear.weight)
            nn.init.zeros_(linear.bias)

    def forward(self, batch: SequenceBatch) -> Tensor:
        """What each step of a batch costs.

        Args:
            batch: inputs float (B, T, D), 1 = the key sounds; each row's own next step is its target.

        Returns:
            float32 (B, W, 4), W the longest row: negative log-likelihood of the next step in nats, summed over keys;
            1 where there is a next step; keys that sound and were more likely than not; keys that sound or were more
            likely than not. The last step of a row has no target: 0 throughout.
        """
        batch = aligned(batch)
        follows = batch.mask[:, 1:].unsqueeze(-1)
        logits, keys = self._logits(batch)[:, :-1], batch.inputs[:, 1:].float()
        nll = F.binary_cross_entropy_with_logits(logits, keys, reduction="none").sum(dim=2)
        guessed, sounds = logits.detach() > 0, keys > 0
        parts = (nll, torch.ones_like(nll), (guessed & sounds).sum(dim=2), (guessed | sounds).sum(dim=2))
        costs = torch.stack([part.to(nll.dtype) for part in parts], dim=2).masked_fill(~follows, 0.0)
        return F.pad(costs, (0, 0, 0, 1))

    def logits(self, batch: SequenceBatch) -> Tensor:
        """Log-odds of each key at the step after each step, float32 (B, W, D)."""
        return self._logits(aligned(batch))

    def step(self, keys: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Read one step a row: keys float (B, D), state (L, S, B, H) to log-odds (B, D) and the state after."""
        output, state = self.stack.recurrent.step(self.keys(keys), state)
        return self.output(output).float(), state

    def _logits(self, batch: SequenceBatch) -> Tensor:
        mapped = self.embedding_dropout(self.keys(batch.inputs.masked_fill(~batch.mask.unsqueeze(-1), 0.0)))
        states = self.dropout(self.stack(mapped, batch.lengths, batch.extras.get(CONTINUES)))
        return self.output(states).float()


def aligned(batch: SequenceBatch) -> SequenceBatch:
    """The batch with each row's real steps first, as wide as its longest row; targets of steps move along, others go."""
    width = batch.mask.shape[1]
    places = torch.arange(width, device=batch.mask.device).expand_as(batch.mask)
    index, mask = align_left(places, batch.lengths, batch.mask)
    rows = torch.arange(len(index), device=index.device).unsqueeze(1)
    targets = batch.targets
    return replace(
        batch,
        inputs=batch.inputs[rows, index],
        mask=mask,
        targets=targets[rows, index] if targets is not None and targets.ndim > 1 else None,
    )


def _next_tokens(batch: SequenceBatch) -> Tensor:
    """Targets int64 (B, T), 0 where there is none."""
    targets = batch.targets
    if targets is None:
        targets = F.pad(batch.inputs[:, 1:].masked_fill(~batch.mask[:, 1:], PADDING_ID), (0, 1))
    return targets.masked_fill(~batch.mask, PADDING_ID)
