"""The contract of a task: the verbs that stages, gate, server and command line call without asking which task it is.

Legend: B batch, N rows, K row statistics, T steps.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from seqline.batch import UNKNOWN_ID
from seqline.data.arrays import Array, Examples, SequenceArrays, from_sequences, read_arrays, write_arrays
from seqline.data.dealing import Dealt, Row, deal_by_key
from seqline.data.inputs import InputEncoder, fit_input
from seqline.data.inputs.probes import probe_inputs
from seqline.data.rows import SplitRows, write_split
from seqline.data.targets import TargetEncoder, fit_target
from seqline.data.tokenization import cut
from seqline.evaluation.sections import Section
from seqline.recipe import InputSection, ModelSection, Recipe, TrainingSection

if TYPE_CHECKING:
    import torch

    from seqline.batch import SequenceBatch
    from seqline.tasks.model import FittedModel

Floats = npt.NDArray[np.float64]
Loss = Callable[["torch.Tensor", "SequenceBatch"], "torch.Tensor"]


class Answer(Protocol):
    """What a model says about one input, in the user's words and units."""

    def record(self) -> dict[str, Any]:
        """As JSON values."""
        ...

    def line(self) -> str:
        """As a line for a terminal, without the input."""
        ...


@dataclass(frozen=True)
class Encoded:
    """Inputs as a network reads them.

    Attributes:
        sequences: Steps of each input after the cut.
        whole_lengths: Steps of each before it.
        unknown: Tokens that the vocabulary lacks, over all inputs uncut; 0 where there are no tokens.
        step_extras: Further features of steps, by name an array (T, ...) for each input.
        row_extras: Further features of inputs, by name an array (N, ...).
    """

    sequences: list[Array]
    whole_lengths: list[int]
    unknown: int = 0
    step_extras: Mapping[str, list[Array]] = field(default_factory=dict)
    row_extras: Mapping[str, Array] = field(default_factory=dict)


@dataclass(frozen=True)
class Kept:
    """What was written of a split.

    Attributes:
        examples: What a network learns from.
        whole_lengths: Steps of each of the N inputs before any cut.
        kept_lengths: Steps of each after it.
        unknown: Tokens that the vocabulary lacks, over all inputs uncut.
    """

    examples: Examples
    whole_lengths: Sequence[int]
    kept_lengths: Sequence[int]
    unknown: int = 0


class Task(ABC):
    """One kind of prediction; it keeps no state.

    The verbs that have a body here do what suits one example a row; a task overrides what is otherwise with it.
    """

    # Names of the row statistics that `measure` gives; empty where it gives probabilities of classes.
    columns: ClassVar[tuple[str, ...]] = ()
    # Keys of `evaluation.metrics.METRICS`; the first is the main one.
    metrics: ClassVar[tuple[str, ...]]
    # How training examples are dealt into batches, a key of `training.batches.DEALINGS`.
    dealing: ClassVar[str] = "examples"

    def deal(self, recipe: Recipe, train_rows: Sequence[Row], test_rows: Sequence[Row]) -> tuple[Dealt, int]:
        """Rows by split, and how many were left out because they would leak."""
        return deal_by_key(recipe, train_rows, test_rows)

    def input_of(self, row: Row, section: InputSection) -> Any:
        """What of a row the model is asked: a JSON value, the same that `predict` is given."""
        value = row[section.column]
        return str(value) if section.kind == "text" else value

    def inputs_of(self, rows: Sequence[Row], section: InputSection) -> Sequence[Any]:
        """The inputs of the rows of a split, as `deal` gave them."""
        return [self.input_of(row, section) for row in rows]

    def fit_encoder(self, recipe: Recipe, inputs: Sequence[Any]) -> InputEncoder:
        """The encoder of inputs, fitted on those of train."""
        return fit_input(inputs, recipe.input)

    def fit_targets(self, recipe: Recipe, rows: Sequence[Row]) -> TargetEncoder:
        """The encoder of targets, fitted on the rows of train."""
        return fit_target([row[recipe.target.column] for row in rows], recipe.target)

    def encode(self, encoder: InputEncoder, section: InputSection, inputs: Sequence[Any]) -> Encoded:
        """Inputs as a network reads them, the same in training and in serving."""
        sequences, lengths, unknown = [], [], 0
        for steps in encoder.encode_whole(inputs):
            lengths.append(len(steps))
            if steps.ndim == 1:
                unknown += int((steps == UNKNOWN_ID).sum())
            sequences.append(cut(steps, max_length=section.max_length, keep=section.keep))
        return Encoded(sequences, lengths, unknown)

    def units(self, encoded: Encoded) -> list[Any] | None:
        """What errors of each row are counted in, JSON values; prepare keeps them, so that all models are measured alike."""
        return None

    def arrays(
        self, encoded: Encoded, encoder: InputEncoder, targets: TargetEncoder, values: Sequence[Any]
    ) -> SequenceArrays:
        """The examples of a split.

        Args:
            encoded: Its inputs.
            encoder: What encoded them.
            targets: Encodes targets.
            values: Values of the target column, one a row.
        """
        return from_sequences(
            encoded.sequences,
            targets.encode(values, [len(steps) for steps in encoded.sequences]),
            vocab_size=encoder.sizes.get("vocab_size"),
            step_extras=encoded.step_extras,
            row_extras=encoded.row_extras,
        )

    def keep(
        self,
        folder: Path,
        split: str,
        recipe: Recipe,
        encoder: InputEncoder,
        targets: TargetEncoder,
        rows: Sequence[Row],
    ) -> Kept:
        """Write a split as training and evaluation read it.

        Args:
            folder: Of the stage.
            split: train, valid or test.
            recipe: Names the columns.
            encoder: Of inputs, fitted.
            targets: Of targets, fitted.
            rows: As `deal` gave them.

        Raises:
            InputError: A row cannot be encoded.
        """
        section, target = recipe.input, recipe.target.column
        inputs = self.inputs_of(rows, section)
        encoded = self.encode(encoder, section, inputs)
        examples = self.arrays(encoded, encoder, targets, [row[target] for row in rows])
        write_arrays(folder, split, examples)
        others = [name for name in rows[0] if name not in (section.column, target, "id")]
        kept = SplitRows(
            ids=[str(row["id"]) for row in rows],
            inputs=inputs,
            truths=[targets.truth(row[target]) for row in rows],
            columns={name: [row[name] for row in rows] for name in others},
            units=self.units(encoded),
        )
        write_split(folder, split, kept)
        return Kept(
            examples, encoded.whole_lengths, [len(steps) for steps in encoded.sequences], encoded.unknown
        )

    def examples(self, folder: Path, split: str, encoder: InputEncoder) -> Examples:
        """What a network learns from of a split that `keep` wrote."""
        return read_arrays(folder, split)

    @abstractmethod
    def build(self, model: ModelSection, sizes: Mapping[str, Any]) -> torch.nn.Module:
        """The network; forward takes a `SequenceBatch` and gives float32 outputs.

        Args:
            model: The recipe's section of this task.
            sizes: What input and target encoder say.
        """

    @abstractmethod
    def loss(self, training: TrainingSection, train: Any, sizes: Mapping[str, Any]) -> Loss:
        """What training makes small: `(outputs, batch) -> mean over the batch`, from fp32 outputs.

        Args:
            training: The recipe's section.
            train: The examples, as `examples` gives them.
            sizes: What input and target encoder say.
        """

    @abstractmethod
    def tally(self, outputs: torch.Tensor, batch: SequenceBatch, sizes: Mapping[str, Any]) -> torch.Tensor:
        """What each row of a batch adds to the figures on valid, (B, anything) on the CPU."""

    @abstractmethod
    def score(self, tallies: torch.Tensor) -> dict[str, float]:
        """The figures on valid, by name, from the tallies of all its examples; `loss` is among them."""

    def calibrate(self, model: FittedModel, rows: SplitRows) -> dict[str, Any]:
        """What is fitted on valid after training and kept with the model, JSON values; by default nothing."""
        return {}

    @abstractmethod
    def measure(self, model: FittedModel, rows: SplitRows, answers: Sequence[Any] | None = None) -> Floats:
        """What evaluation and gate compare by, float64 (N, K): probabilities, or the row statistics `columns`.

        Args:
            model: The model.
            rows: N rows with their truths.
            answers: What `answers` says to the inputs of these rows, where the caller knows it: searched for only once.
        """

    def unit(self, metric: str, model: FittedModel) -> str:
        """What a figure of this model is counted in, for a reader; two models are compared where it is the same.

        Args:
            metric: One of `metrics`.
            model: A figure may depend on it: on its vocabulary, on the intervals it gives.
        """
        return ""

    @abstractmethod
    def answers(self, model: FittedModel, inputs: Sequence[Any]) -> list[Any]:
        """An `Answer` for each input, in order; none depends on the others."""

    def probes(self, model: FittedModel) -> list[Any]:
        """Inputs of many lengths to try the model with, valid and the same on every machine."""
        return probe_inputs(model.input, model.encoder)

    def sections(
        self, recipe: Recipe, rows: SplitRows, answers: Sequence[Any], values: Floats
    ) -> list[Section]:
        """What the report shows of this task besides metrics, baselines and slices."""
        return []

    @abstractmethod
    def toy(self, *, examples: int, seed: int) -> tuple[SequenceArrays, dict[str, Any]]:
        """A small problem with a known answer: examples, and sizes for `build`."""


def sizes_of(encoder: InputEncoder, targets: TargetEncoder) -> dict[str, Any]:
    """Sizes that the data decides."""
    return {**encoder.sizes, **targets.sizes}
