"""A trained network with everything it needs to read inputs: what tasks answer and measure with.

Legend: N inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from seqline.data.collate import Indices, batch_of, bucketed
from seqline.data.inputs import InputEncoder
from seqline.data.targets import TargetEncoder
from seqline.recipe import InputSection, ModelSection, TargetSection

if TYPE_CHECKING:
    from seqline.batch import SequenceBatch
    from seqline.tasks.base import Encoded

_BATCH_SIZE = 64


@dataclass(frozen=True)
class FittedModel:
    """A trained network with its encoders.

    Attributes:
        network: In eval mode, on the CPU.
        encoder: Of inputs.
        targets: Of targets.
        input: The recipe's sections as the model was trained with them.
        target: The same.
        model: The same.
        calibration: What was fitted on valid after training, as the task left it.
    """

    network: torch.nn.Module
    encoder: InputEncoder
    targets: TargetEncoder
    input: InputSection
    target: TargetSection
    model: ModelSection
    calibration: Mapping[str, Any] = field(default_factory=dict)

    def batches(
        self, encoded: Encoded, truths: Sequence[Any] | None = None
    ) -> Iterator[tuple[Indices, SequenceBatch]]:
        """Batches of similar length, each with the places of its inputs among all.

        Args:
            encoded: N inputs.
            truths: Values of the target column, to have targets in the batches.
        """
        lengths = np.asarray([len(steps) for steps in encoded.sequences], dtype=np.int64)
        targets = None if truths is None else self.targets.encode(truths, lengths.tolist())
        for indices in bucketed(lengths, batch_size=_BATCH_SIZE, rng=None):
            extras = {name: [values[i] for i in indices] for name, values in encoded.step_extras.items()}
            extras |= {name: [values[i] for i in indices] for name, values in encoded.row_extras.items()}
            chosen: Any = targets
            if targets is not None:
                chosen = (
                    targets[indices] if isinstance(targets, np.ndarray) else [targets[i] for i in indices]
                )
            yield (
                indices,
                batch_of(
                    [encoded.sequences[i] for i in indices],
                    targets=chosen,
                    target_fill=self.targets.fill,
                    padding=self.input.padding,
                    max_length=self.input.max_length,
                    extras=extras,
                ),
            )

    def each(
        self,
        encoded: Encoded,
        answer: Callable[[SequenceBatch], torch.Tensor],
        truths: Sequence[Any] | None = None,
    ) -> torch.Tensor:
        """What a function of a batch says of each input, in the order of the inputs: (N, ...)."""
        gathered: torch.Tensor | None = None
        with torch.inference_mode():
            for indices, batch in self.batches(encoded, truths):
                found = answer(batch)
                if gathered is None:
                    gathered = found.new_zeros((len(encoded.sequences), *found.shape[1:]))
                gathered[torch.from_numpy(indices)] = found
        return torch.zeros(0) if gathered is None else gathered
