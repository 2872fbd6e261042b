"""Synthesis, one-to-many: some labels (a word, a voice) get a recording of frames, which becomes sound.

Legend: B batch, N rows, U frames, M mel bands.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch

from seqline.batch import IGNORED, SequenceBatch
from seqline.data.arrays import SequenceArrays, from_sequences
from seqline.data.audio import to_base64, to_wav
from seqline.data.dealing import Dealt, Row, key_of, require_rows
from seqline.data.inputs.symbols import SymbolEncoder, symbols_of
from seqline.data.rows import SplitRows
from seqline.data.splits import SPLITS, Split, assign, leaks
from seqline.data.targets.recording import RecordingEncoder
from seqline.errors import InputError
from seqline.evaluation.alignment import speech_statistics
from seqline.nn.speaker import FrameSpeaker, frame_errors
from seqline.recipe import ModelSection, Recipe, TrainingSection
from seqline.tasks.base import Floats, Loss, Task
from seqline.tasks.model import FittedModel

# Learnt by far more slowly than the frames' shape, and as soon as they are: no reason to weigh it otherwise.
_END_WEIGHT = 1.0
_SPECIAL_TOKENS = 2
_PROBES = 6
_NAMED_LABELS = 20


@dataclass(frozen=True)
class Speech:
    """What a model says.

    Attributes:
        samples: float32 (S,) in [-1, 1].
        sample_rate: Samples a second.
    """

    samples: npt.NDArray[np.float32]
    sample_rate: int

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.samples) / self.sample_rate

    def record(self) -> dict[str, Any]:
        """As JSON values; the recording is a WAV file in base64."""
        return {"seconds": round(self.seconds, 3), "audio": to_base64(self.attachment()[1])}

    def line(self) -> str:
        """How long, and how loud at most."""
        loudest = float(np.abs(self.samples).max()) if len(self.samples) else 0.0
        return f"{self.seconds:.2f} s of sound, loudest {loudest:.3f} (--save FOLDER writes it)"

    def attachment(self) -> tuple[str, bytes]:
        """The suffix and the bytes of a WAV file."""
        return ".wav", to_wav(self.samples, sample_rate=self.sample_rate)


class Synthesis(Task):
    """The verbs of synthesis; it keeps no state."""

    columns = ("mel_distance", "seconds_off")
    metrics = ("mel_error", "seconds_error")

    def deal(self, recipe: Recipe, train_rows: Sequence[Row], test_rows: Sequence[Row]) -> tuple[Dealt, int]:
        """Rows by split: what must not straddle them is a recording, since test asks for labels that train knows."""
        share, column = recipe.split, recipe.split.by or recipe.target.column
        rows = [*train_rows, *test_rows]
        keys = [key_of(row[column]) for row in rows]
        splits: list[Split] = [
            assign(key, valid=share.valid, test=share.test, seed=share.seed)
            for key in keys[: len(train_rows)]
        ]
        splits += ["test"] * len(test_rows)
        same_group = leaks(splits, keys)
        same_sound = leaks(splits, [key_of(row[recipe.target.column]) for row in rows])
        left_out = [a or b for a, b in zip(same_group, same_sound, strict=True)]
        dealt: dict[Split, list[Row]] = {name: [] for name in SPLITS}
        for row, split, leak in zip(rows, splits, left_out, strict=True):
            if not leak:
                dealt[split].append(row)
        return require_rows(dealt), sum(left_out)

    def build(self, model: ModelSection, sizes: Mapping[str, Any]) -> torch.nn.Module:
        """A recurrent network that writes frames.

        Args:
            model: The recipe's `model` section.
            sizes: `vocab_size` of the labels, and `bands`.
        """
        idle = {"bidirectional", "embedding_std", "embedding_dropout", "word_dropout"}
        settings: dict[str, Any] = {**sizes, **model.model_dump(exclude=idle)}
        return FrameSpeaker(**settings)

    def loss(self, training: TrainingSection, train: SequenceArrays, sizes: Mapping[str, Any]) -> Loss:
        """Error of the frames (absolute and squared) and nats of the end, mean over the frames of a batch."""

        def cost(written: torch.Tensor, batch: SequenceBatch) -> torch.Tensor:
            frames, lengths = _truth(batch)
            error, surprise = frame_errors(written, frames, lengths)
            return (error + _END_WEIGHT * surprise).sum() / lengths.sum()

        return cost

    def tally(self, outputs: torch.Tensor, batch: SequenceBatch, sizes: Mapping[str, Any]) -> torch.Tensor:
        """Error of the frames, nats of the end, and frames of each row, float64 (B, 3)."""
        frames, lengths = _truth(batch)
        error, surprise = frame_errors(outputs, frames, lengths)
        return torch.stack([error.double(), surprise.double(), lengths.double()], dim=1).cpu()

    def score(self, tallies: torch.Tensor) -> dict[str, float]:
        """Loss, and its two parts, with the true frames before each: a mean over frames."""
        error, surprise, frames = tallies.sum(dim=0).tolist()
        return {
            "loss": (error + _END_WEIGHT * surprise) / frames,
            "frame_error": error / frames,
            "end_nats": surprise / frames,
        }

    def measure(self, model: FittedModel, rows: SplitRows, answers: Sequence[Any] | None = None) -> Floats:
        """The row statistics `columns`, float64 (N, 2): spoken freely, aligned with the true recording."""
        targets = cast("RecordingEncoder", model.targets)
        # Rows ask for the same few labels again and again.
        asked = {json.dumps(value): value for value in rows.inputs}
        spoken = dict(zip(asked, self._spoken(model, list(asked.values())), strict=True))
        return speech_statistics(
            [spoken[json.dumps(value)] for value in rows.inputs],
            [targets.frames(truth) for truth in rows.truths],
            hop_ms=targets.section.hop_ms,
        )

    def answers(self, model: FittedModel, inputs: Sequence[Any]) -> list[Speech]:
        """A recording of each list of labels.

        Raises:
            InputError: A label that train did not have, or none at all.
        """
        encoder = cast("SymbolEncoder", model.encoder)
        for value in inputs:
            _refuse_unknown(value, encoder)
        targets = cast("RecordingEncoder", model.targets)
        return [
            Speech(targets.sound(frames), targets.section.sample_rate)
            for frames in self._spoken(model, inputs)
        ]

    def probes(self, model: FittedModel) -> list[Any]:
        """Lists of labels that train had."""
        labels = list(cast("SymbolEncoder", model.encoder).vocabulary[_SPECIAL_TOKENS:])
        return [[labels[i % len(labels)], labels[-1 - i % len(labels)]] for i in range(_PROBES)]

    def toy(self, *, examples: int, seed: int) -> tuple[SequenceArrays, dict[str, Any]]:
        """Each of three labels is a pattern of its own length: 4, 6 and 8 frames, always the same."""
        rng = np.random.default_rng(seed)
        labels = rng.integers(3, size=examples)
        frames = [
            np.sin((1 + label) * 0.7 * np.arange(4 + 2 * label)[:, None] + np.arange(4)).astype(np.float32)
            for label in labels.tolist()
        ]
        sequences = [np.asarray([2 + label], dtype=np.int64) for label in labels.tolist()]
        sizes = {"vocab_size": 5, "bands": 4}
        return from_sequences(sequences, frames, vocab_size=5), sizes

    def _spoken(self, model: FittedModel, inputs: Sequence[Any]) -> list[npt.NDArray[np.float64]]:
        """Frames of each input in their own unit, float64 (U, M)."""
        targets = cast("RecordingEncoder", model.targets)
        network = cast("FrameSpeaker", model.network)

        def speak(batch: SequenceBatch) -> torch.Tensor:
            frames, lengths = network.generate(batch, max_frames=targets.section.max_frames)
            counts = lengths.to(frames.dtype).reshape(-1, 1, 1).expand(-1, frames.shape[1], 1)
            return torch.cat([frames, counts], dim=2)

        found = model.each(self.encode(model.encoder, model.input, inputs), speak)
        return [targets.scaler.undo(row[: int(row[0, -1]), :-1].numpy().astype(np.float64)) for row in found]


def _truth(batch: SequenceBatch) -> tuple[torch.Tensor, torch.Tensor]:
    """True frames (B, U, M), zero in the padding, and how many each row has, int64 (B,)."""
    if batch.targets is None:
        raise ValueError("a loss needs targets")
    padding = batch.targets[..., 0] == IGNORED
    return batch.targets.masked_fill(padding.unsqueeze(-1), 0.0), (~padding).sum(dim=1)


def _refuse_unknown(value: Any, encoder: SymbolEncoder) -> None:
    labels = symbols_of(value, encoder.section)
    known = encoder.vocabulary[_SPECIAL_TOKENS:]
    unknown = [label for label in labels if label not in known]
    if unknown or not labels:
        more = " ..." if len(known) > _NAMED_LABELS else ""
        raise InputError(
            f"column {encoder.section.column!r}",
            f"label {unknown[0]!r}" if unknown else "no labels",
            f"some of {', '.join(known[:_NAMED_LABELS])}{more}",
            "a voice can only say what it was taught; write the labels as a list",
        )
