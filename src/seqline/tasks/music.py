"""Music, one-to-many: piano rolls, continued step by step.

Legend: B batch, N rows, T steps, D keys.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch

from seqline.batch import SequenceBatch
from seqline.data.arrays import SequenceArrays, from_sequences
from seqline.data.midi import midi_bytes, notes_of_roll, roll_of_notes
from seqline.data.rows import SplitRows
from seqline.nn.language_model import RecurrentPianoModel
from seqline.nn.sampling import Sampling, write_piano
from seqline.recipe import ModelSection, NextKeysTarget, PianoInput, TrainingSection
from seqline.tasks.base import Floats, Loss, Task
from seqline.tasks.generation import mean_cost
from seqline.tasks.model import FittedModel

_SHOWN_STEPS = 4
_MOST_PROBE_STEPS = 500


@dataclass(frozen=True)
class Music:
    """What follows an opening.

    Attributes:
        notes: For each step the MIDI notes that sound.
        opening: The same of what it follows.
        section: The recipe's input: how long a step is.
    """

    notes: list[list[int]]
    opening: list[list[int]]
    section: PianoInput

    def record(self) -> dict[str, Any]:
        """As JSON values."""
        return {"notes": self.notes}

    def line(self) -> str:
        """How many steps, and the first of them."""
        first = " | ".join(" ".join(map(str, step)) or "-" for step in self.notes[:_SHOWN_STEPS])
        return f"{len(self.notes)} steps: {first} ..."

    def attachment(self) -> tuple[str, bytes]:
        """Opening and continuation as a MIDI file."""
        roll = roll_of_notes(self.opening + self.notes)
        return ".mid", midi_bytes(
            roll,
            steps_per_beat=self.section.steps_per_beat,
            beats_per_minute=self.section.beats_per_minute,
        )


class MusicGeneration(Task):
    """The verbs of music; it keeps no state."""

    columns = ("nll", "steps", "key_hits", "key_union")
    metrics = ("nll_per_step", "key_accuracy")

    def build(self, model: ModelSection, sizes: Mapping[str, int]) -> torch.nn.Module:
        """A recurrent network over piano rolls.

        Args:
            model: The recipe's `model` section.
            sizes: `features`, the keys.
        """
        settings: dict[str, Any] = model.model_dump(
            exclude={"bidirectional", "embedding_std", "word_dropout"}
        )
        return RecurrentPianoModel(num_keys=sizes["features"], **settings)

    def loss(self, training: TrainingSection, train: SequenceArrays, sizes: Mapping[str, int]) -> Loss:
        """Negative log-likelihood in nats of a step's keys, mean over the steps of a batch."""
        return mean_cost

    def tally(self, outputs: torch.Tensor, batch: SequenceBatch, sizes: Mapping[str, Any]) -> torch.Tensor:
        """The row statistics `columns`, float64 (B, 4)."""
        return outputs.double().sum(dim=1).cpu()

    def score(self, tallies: torch.Tensor) -> dict[str, float]:
        """Loss (nats per step) and key accuracy of a whole split."""
        nll, steps, hits, union = tallies.sum(dim=0).tolist()
        return {"loss": nll / max(steps, 1.0), "key_accuracy": hits / max(union, 1.0)}

    def measure(self, model: FittedModel, rows: SplitRows, answers: Sequence[Any] | None = None) -> Floats:
        """The row statistics `columns`, float64 (N, 4); the first step of a row is given, not predicted."""
        encoded = self.encode(model.encoder, model.input, rows.inputs)
        found = model.each(encoded, lambda batch: self.tally(model.network(batch), batch, {}))
        return found.numpy().reshape(-1, len(self.columns))

    def unit(self, metric: str, model: FittedModel) -> str:
        """How much of each piece is read."""
        return f"steps of pieces cut to {model.input.max_length}"

    def answers(self, model: FittedModel, inputs: Sequence[Any]) -> list[Music]:
        """What follows each opening, drawn as the recipe's target says."""
        return [self.continued(model, value, sampling_of(model.target)) for value in inputs]

    def continued(self, model: FittedModel, value: Any, sampling: Sampling) -> Music:
        """What follows one opening, a list of steps of MIDI notes."""
        (roll,) = model.encoder.encode_whole([value])
        network = cast("RecurrentPianoModel", model.network)
        opening = torch.from_numpy(roll[-model.input.max_length :])
        steps = [keys.numpy() for keys in write_piano(network, opening, sampling)]
        section = cast("PianoInput", model.input)
        return Music(notes_of_roll(np.stack(steps)), notes_of_roll(roll), section)

    def probes(self, model: FittedModel) -> list[Any]:
        """A chord, a scale, a silence, and more steps than the model reads."""
        scale = [[note] for note in range(48, 72)]
        steps = min(model.input.max_length, _MOST_PROBE_STEPS) + 1
        return [
            [[48, 64, 67, 72]],
            scale,
            [[60], [], []],
            [scale[place % len(scale)] for place in range(steps)],
        ]

    def toy(self, *, examples: int, seed: int) -> tuple[SequenceArrays, dict[str, int]]:
        """Four keys take turns, which is certain, and a fifth sounds by chance: ln 2 nats a step, and no less."""
        rng = np.random.default_rng(seed)
        rolls = []
        for _ in range(examples):
            roll = np.zeros((20, 6), dtype=np.float32)
            roll[np.arange(20), (rng.integers(4) + np.arange(20)) % 4] = 1.0
            roll[:, 4] = rng.random(20) < 0.5
            rolls.append(roll)
        return from_sequences(rolls, np.zeros(examples, dtype=np.int64)), {"features": 6}


def sampling_of(target: Any) -> Sampling:
    """How the recipe wants music drawn."""
    section = cast("NextKeysTarget", target)
    return Sampling(
        temperature=section.temperature, top_k=section.voices, length=section.length, seed=section.seed
    )
