"""A one-dimensional convolutional network as a baseline: what the texts compare recurrent networks with.

Windows of a few steps, the largest response of each filter over all steps, one linear layer. A fixed seed, a tenth held
out to stop early, and a bound on the steps it may read, so that it stays a baseline in its cost too.

Source: Kim, 2014; Wang, Yan and Oates, 2017 for series.

Legend: M training sequences, N test sequences, B batch, T steps, D features, F filters, C classes.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from seqline.data.collate import bucketed
from seqline.evaluation.measures import Ints

_EMBEDDING = 64
_FILTERS = 64
_DROPOUT = 0.5
_BATCH = 64
_LEARNING_RATE = 2e-3
_SMALL_BATCH = 16
# With fewer sequences than this, a batch of 64 leaves too few updates an epoch.
_FEW = 1_000
_MAX_EPOCHS = 30
_PATIENCE = 5
# Nats on the tenth held out.
_NOTHING_LEFT = 0.02
_HELD_OUT = 0.1
_MAX_STEPS = 1_000
# Steps read and updates made in training, all epochs together: at most about a minute on one core.
_STEPS_READ = 4_000_000
_UPDATES = 3_000


class ConvolutionalClassifier(nn.Module):
    """Filters over windows of steps, maximum over time, dropout, linear.

    Args:
        vocab_size: Token ids, 0 is padding; None where inputs are features.
        features: D of the inputs; unused with tokens.
        widths: Steps each group of filters sees.
        num_classes: C.
    """

    def __init__(
        self, *, vocab_size: int | None, features: int, widths: Sequence[int], num_classes: int
    ) -> None:
        super().__init__()
        self.embedding = None if vocab_size is None else nn.Embedding(vocab_size, _EMBEDDING, padding_idx=0)
        size = features if vocab_size is None else _EMBEDDING
        self.filters = nn.ModuleList(nn.Conv1d(size, _FILTERS, width, padding=width // 2) for width in widths)
        self.dropout = nn.Dropout(_DROPOUT)
        self.head = nn.Linear(_FILTERS * len(widths), num_classes)

    def forward(self, inputs: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Logits float32 (B, C) of ids int64 (B, T) or features float32 (B, T, D); mask bool (B, T), True = real step."""
        steps = inputs if self.embedding is None else self.embedding(inputs)
        steps = (steps * mask[..., None]).transpose(1, 2)
        hidden = ~mask[:, None]
        pooled = []
        for convolve in self.filters:
            # An even width gives a step too many.
            found = functional.relu(convolve(steps)[..., : mask.shape[1]])
            pooled.append(found.masked_fill(hidden, 0.0).amax(dim=2))
        logits: torch.Tensor = self.head(self.dropout(torch.cat(pooled, dim=1)))
        return logits


def convolve(
    seen: Sequence[NDArray[Any]],
    targets: Ints,
    asked: Sequence[NDArray[Any]],
    *,
    vocab_size: int | None,
    widths: Sequence[int],
    num_classes: int,
    seed: int,
) -> NDArray[np.float64]:
    """Train on some sequences and answer others.

    Args:
        seen: M sequences: int64 (T,) ids from 1, or float32 (T, D) features; only the first 1,000 steps are read.
        targets: int64 (M,).
        asked: N sequences of the same kind.
        vocab_size: Token ids, padding included; None for features.
        widths: Steps each group of filters sees.
        num_classes: C.
        seed: Of weights, order, dropout and the tenth held out.

    Returns:
        float64 (N, C) probabilities, rows sum to 1.
    """
    rng = np.random.default_rng(seed)
    seen, asked = ([sequence[:_MAX_STEPS] for sequence in part] for part in (seen, asked))
    order = rng.permutation(len(seen))
    held = max(1, round(_HELD_OUT * len(seen))) if len(seen) > 1 else 0
    valid, train = order[:held], order[held:]
    features = seen[0].shape[1] if vocab_size is None else 0
    with torch.random.fork_rng(devices=[]), _one_thread():
        torch.manual_seed(seed)
        network = ConvolutionalClassifier(
            vocab_size=vocab_size, features=features, widths=widths, num_classes=num_classes
        )
        _train(network, seen, targets, train, valid, rng)
        return _probabilities(network, asked)


@contextmanager
def _one_thread() -> Iterator[None]:
    """One and two threads do not give the same bits, and a baseline's do not depend on the recipe's threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _train(
    network: ConvolutionalClassifier,
    sequences: Sequence[NDArray[Any]],
    targets: Ints,
    train: Ints,
    valid: Ints,
    rng: np.random.Generator,
) -> None:
    lengths = np.array([len(sequence) for sequence in sequences])
    batch_size = _SMALL_BATCH if len(train) < _FEW else _BATCH
    affordable = _STEPS_READ // max(1, int(lengths[train].sum())), _UPDATES * batch_size // max(1, len(train))
    epochs = max(1, min(_MAX_EPOCHS, *affordable))
    optimizer = torch.optim.AdamW(network.parameters(), lr=_LEARNING_RATE)
    best, best_loss, waited = copy.deepcopy(network.state_dict()), float("inf"), 0
    for _ in range(epochs):
        network.train()
        for places in bucketed(lengths[train], batch_size=batch_size, rng=rng):
            picked = train[places]
            logits = network(*_batch([sequences[i] for i in picked]))
            loss = functional.cross_entropy(logits, torch.from_numpy(targets[picked]))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        if not len(valid):
            return
        probs = _probabilities(network, [sequences[i] for i in valid])
        loss_now = float(-np.log(probs[np.arange(len(valid)), targets[valid]].clip(1e-12)).mean())
        waited = 0 if loss_now < best_loss else waited + 1
        if not waited:
            best, best_loss = copy.deepcopy(network.state_dict()), loss_now
        if waited >= _PATIENCE or best_loss < _NOTHING_LEFT:
            break
    network.load_state_dict(best)


@torch.inference_mode()
def _probabilities(
    network: ConvolutionalClassifier, sequences: Sequence[NDArray[Any]]
) -> NDArray[np.float64]:
    network.eval()
    answers = np.zeros((len(sequences), network.head.out_features))
    lengths = np.array([len(sequence) for sequence in sequences], dtype=np.int64)
    for places in bucketed(lengths, batch_size=4 * _BATCH, rng=None):
        logits = network(*_batch([sequences[i] for i in places]))
        answers[places] = functional.softmax(logits.double(), dim=1).numpy()
    return answers


def _batch(sequences: Sequence[NDArray[Any]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Padded inputs and their mask, True = real step."""
    width = max(1, *(len(sequence) for sequence in sequences))
    first = sequences[0]
    whole = first.ndim == 1
    padded = np.zeros((len(sequences), width, *first.shape[1:]), dtype=np.int64 if whole else np.float32)
    mask = np.zeros((len(sequences), width), dtype=bool)
    for row, sequence in enumerate(sequences):
        padded[row, : len(sequence)] = sequence
        mask[row, : len(sequence)] = True
    return torch.from_numpy(padded), torch.from_numpy(mask)
