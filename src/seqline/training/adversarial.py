"""Adversarial training on embeddings: each step is learned twice, once as it is and once moved where it hurts most.

Legend: B batch, T steps, E embedding.

Source: Miyato, Dai and Goodfellow, 2017, "Adversarial training methods for semi-supervised text classification". They
normalise the embeddings so that a network cannot outgrow the perturbation; here their scale is fixed by the initialisation
and the short training.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from seqline.errors import InputError


class EmbeddingAdversary:
    """Watches a network's embedding layer, and moves its outputs on request.

    Args:
        network: Has exactly one `nn.Embedding`.
        radius: Euclidean norm of the perturbation of one sequence, all its steps together.

    Raises:
        InputError: The network does not read tokens.
    """

    def __init__(self, network: nn.Module, *, radius: float) -> None:
        layers = [module for module in network.modules() if isinstance(module, nn.Embedding)]
        if len(layers) != 1:
            raise InputError(
                "training.adversarial_radius",
                f"a network with {len(layers)} embedding layers",
                "one",
                "set it to 0",
            )
        self._radius = radius
        self._embedded: Tensor | None = None
        self._perturbation: Tensor | None = None
        layers[0].register_forward_hook(self._intercept)

    def _intercept(self, _layer: nn.Module, _inputs: object, embedded: Tensor) -> Tensor:
        if self._perturbation is not None:
            return embedded + self._perturbation
        if embedded.requires_grad:
            embedded.retain_grad()
            self._embedded = embedded
        return embedded

    @contextmanager
    def attacking(self) -> Iterator[None]:
        """Within the block the network sees each sequence moved along the gradient of the loss just computed.

        The gradient is that of the last backward pass: (B, T, E), scaled to the radius for each sequence.
        """
        if self._embedded is None or self._embedded.grad is None:
            raise RuntimeError("attacking needs a forward and a backward pass before it")
        gradient = self._embedded.grad
        norm = gradient.flatten(start_dim=1).norm(dim=1).clamp_min(torch.finfo(gradient.dtype).tiny)
        self._perturbation = gradient * (self._radius / norm)[:, None, None]
        self._embedded = None
        try:
            yield
        finally:
            self._perturbation = None
