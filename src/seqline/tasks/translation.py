"""Writing tasks: from a text, or from numbers, to a text. Translation, question answering, dialogue and captioning.

They differ in what they are measured by, and in nothing else.

Legend: B batch, N rows, T source steps, U target steps, V target vocabulary.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, cast

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional as F

from seqline.batch import BEGIN_ID, END_ID, PADDING_ID, UNKNOWN_ID, SequenceBatch
from seqline.data.arrays import SequenceArrays, from_sequences
from seqline.data.rows import SplitRows
from seqline.data.targets.sequence import SequenceEncoder
from seqline.data.tokenization import TextTokenizer, cut
from seqline.evaluation.sections import Section
from seqline.evaluation.translation import WRITTEN_COLUMNS, written_statistics
from seqline.nn.beam import Hypothesis, Marks, beam_search, copy_unknown
from seqline.nn.encoder_decoder import EncoderDecoder
from seqline.recipe import ModelSection, Recipe, SequenceTarget, TrainingSection, WriterModel
from seqline.tasks.base import Floats, Loss, Task
from seqline.tasks.model import FittedModel
from seqline.tasks.token_units import unit_of_tokens
from seqline.tasks.written_report import sections_of_answers

MARKS = Marks(begin=BEGIN_ID, end=END_ID, forbidden=(PADDING_ID, BEGIN_ID))
_DIGITS = 6


@dataclass(frozen=True)
class Written:
    """One answer.

    Attributes:
        text: The best one.
        log_probability: Natural logarithm of its probability, its end included.
        alternatives: Every text asked for with its log-probability, best first; the first is `text`.
        words: The best one's tokens.
        source: Words of the input; empty where it is made of numbers.
        attention: float32 (U, T): how much each token looked at each word of the input.
        copied: Tokens that were taken from the input, for want of a word.
    """

    text: str
    log_probability: float
    alternatives: list[tuple[str, float]]
    words: list[str]
    source: list[str]
    attention: npt.NDArray[np.float32]
    copied: int

    def record(self) -> dict[str, Any]:
        """As JSON values; alternatives only where more than one was asked for."""
        told: dict[str, Any] = {
            "answer": self.text,
            "log_probability": round(self.log_probability, _DIGITS),
        }
        if len(self.alternatives) > 1:
            told["alternatives"] = [
                {"answer": text, "log_probability": round(value, _DIGITS)}
                for text, value in self.alternatives
            ]
        return told

    def line(self) -> str:
        """The text, and behind it the others that were asked for."""
        return " | ".join(" ".join(text.split()) for text, _ in self.alternatives)


class Translation(Task):
    """The verbs of a writing task; it keeps no state."""

    columns: ClassVar[tuple[str, ...]] = WRITTEN_COLUMNS
    metrics: ClassVar[tuple[str, ...]] = (
        "bleu",
        "chrf",
        "exact_match",
        "perplexity",
        "nats_per_token",
        "nats_per_character",
    )

    def build(self, model: ModelSection, sizes: Mapping[str, Any]) -> torch.nn.Module:
        """An encoder and an attention decoder.

        Args:
            model: The recipe's `model` section.
            sizes: `target_vocab_size`, and `vocab_size` or `features`.
        """
        settings: dict[str, Any] = model.model_dump(exclude={"decoding"})
        return EncoderDecoder(
            source_vocab_size=sizes.get("vocab_size", 0),
            input_size=sizes.get("features", 0),
            target_vocab_size=sizes["target_vocab_size"],
            **settings,
        )

    def loss(self, training: TrainingSection, train: SequenceArrays, sizes: Mapping[str, Any]) -> Loss:
        """Cross-entropy in nats, mean over the target tokens of the batch."""

        def cross_entropy(logits: torch.Tensor, batch: SequenceBatch) -> torch.Tensor:
            return F.cross_entropy(
                logits.flatten(0, 1),
                _targets(batch).flatten(),
                ignore_index=PADDING_ID,
                label_smoothing=training.label_smoothing,
            )

        return cross_entropy

    def tally(self, outputs: torch.Tensor, batch: SequenceBatch, sizes: Mapping[str, Any]) -> torch.Tensor:
        """Nats, tokens, and tokens predicted right: float64 (B, 3)."""
        targets = _targets(batch)
        is_right = (outputs.argmax(dim=-1) == targets) & (targets != PADDING_ID)
        return torch.cat(
            [surprise_of(outputs, batch), is_right.sum(dim=1, keepdim=True).double()], dim=1
        ).cpu()

    def score(self, tallies: torch.Tensor) -> dict[str, float]:
        """Loss (nats a token), perplexity and share of tokens predicted right, the words before known."""
        nats, tokens, right = tallies.sum(dim=0).tolist()
        return {
            "loss": nats / tokens,
            "perplexity": float(np.exp(nats / tokens)),
            "token_accuracy": right / tokens,
        }

    def measure(self, model: FittedModel, rows: SplitRows, answers: Sequence[Any] | None = None) -> Floats:
        """What each row adds to the figures, float64 (N, K), see `WRITTEN_COLUMNS`."""
        encoded = self.encode(model.encoder, model.input, rows.inputs)
        surprise = model.each(encoded, lambda batch: surprise_of(model.network(batch), batch), rows.truths)
        found = self.answers(model, rows.inputs) if answers is None else answers
        written = [answer.text for answer in found]
        spelling = cast(SequenceEncoder, model.targets).spelling(rows.truths)
        return written_statistics(
            written, rows.truths, np.hstack([surprise.numpy().reshape(-1, 2), spelling])
        )

    def unit(self, metric: str, model: FittedModel) -> str:
        """Of a figure of surprise, how the answers are read and cut; for figures of tokens the vocabulary too."""
        return unit_of_tokens(metric, cast(SequenceEncoder, model.targets), model.target)

    def answers(self, model: FittedModel, inputs: Sequence[Any]) -> list[Written]:
        """The best text for each input, and further ones where the recipe asks for them."""
        network = cast(EncoderDecoder, model.network)
        decoding = cast(WriterModel, model.model).decoding
        encoded = self.encode(model.encoder, model.input, inputs)
        sources = source_words(model, inputs)
        answers: dict[int, Written] = {}
        with torch.inference_mode():
            for indices, batch in model.batches(encoded):
                found = beam_search(
                    network,
                    network.begin(batch),
                    rows=len(indices),
                    marks=MARKS,
                    max_length=cast(SequenceTarget, model.target).max_length,
                    beam_size=decoding.beam_size,
                    alpha=decoding.length_penalty,
                    n_best=decoding.alternatives,
                )
                for index, hypotheses in zip(indices.tolist(), found, strict=True):
                    answers[index] = _written(model, hypotheses, sources[index])
        return [answers[index] for index in range(len(inputs))]

    def sections(
        self, recipe: Recipe, rows: SplitRows, answers: Sequence[Any], values: Floats
    ) -> list[Section]:
        """Answers beside the truth, how varied they are, what was copied, and where the network looked."""
        return sections_of_answers(rows.inputs, rows.truths, answers)

    def toy(self, *, examples: int, seed: int) -> tuple[SequenceArrays, dict[str, Any]]:
        """Sequences to be reversed: ids 4 to 11, 1 to 5 of them."""
        rng = np.random.default_rng(seed)
        sources = [rng.integers(4, 12, size=int(rng.integers(1, 6))) for _ in range(examples)]
        targets = [np.append(ids[::-1], END_ID) for ids in sources]
        sizes = {"vocab_size": 12, "target_vocab_size": 12}
        return from_sequences(sources, targets, vocab_size=sizes["vocab_size"]), sizes


class Captioning(Translation):
    """From numbers to a text that describes what they are of."""


class Answering(Translation):
    """From a text with a question to its answer, which is right or wrong."""

    metrics = ("exact_match", "chrf", "perplexity", "nats_per_token", "nats_per_character")


class Dialogue(Translation):
    """From a turn to the next one, of which there are many right ones: the true one should be likely."""

    metrics = ("nats_per_character", "perplexity", "nats_per_token", "bleu", "chrf")


def surprise_of(logits: torch.Tensor, batch: SequenceBatch) -> torch.Tensor:
    """Nats and tokens of each row's target, END included: logits (B, U, V) to float64 (B, 2)."""
    targets = _targets(batch)
    nats = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=PADDING_ID, reduction="none")
    tokens = (targets != PADDING_ID).sum(dim=1)
    return torch.stack([nats.view_as(targets).double().sum(dim=1), tokens.double()], dim=1)


def source_words(model: FittedModel, inputs: Sequence[Any]) -> list[list[str]]:
    """The words of each input as the user spelled them, one for each step that the network reads; none for numbers."""
    encoder = model.encoder
    if not isinstance(encoder, TextTokenizer):
        return [[] for _ in inputs]
    found = []
    for text, encoding in zip(
        inputs, encoder.tokenizer.encode_batch(list(inputs), add_special_tokens=False), strict=True
    ):
        kept = cut(np.arange(len(encoding.offsets)), max_length=model.input.max_length, keep=model.input.keep)
        spans = [encoding.offsets[int(place)] for place in kept]
        # A text without tokens is read as one unknown word.
        found.append([text[start:stop].strip() for start, stop in spans] or [text])
    return found


def _targets(batch: SequenceBatch) -> torch.Tensor:
    if batch.targets is None:
        raise ValueError("a writing task is scored against targets")
    return batch.targets


def _written(model: FittedModel, hypotheses: Sequence[Hypothesis], source: list[str]) -> Written:
    targets = cast(SequenceEncoder, model.targets)
    is_copying = cast(WriterModel, model.model).decoding.copy_unknown and bool(source)
    texts, words = [], []
    for hypothesis in hypotheses:
        ids = hypothesis.tokens.tolist()
        spelled = targets.words(ids)
        if is_copying:
            spelled = copy_unknown(hypothesis, spelled, source, unknown=UNKNOWN_ID)
        words.append(spelled)
        texts.append(targets.decode(ids, spelled))
    best = hypotheses[0]
    return Written(
        text=texts[0],
        log_probability=best.log_prob,
        alternatives=[(text, found.log_prob) for text, found in zip(texts, hypotheses, strict=True)],
        words=words[0],
        source=source,
        attention=best.attention[:, : max(1, len(source))].numpy(),
        copied=int((best.tokens == UNKNOWN_ID).sum()) if is_copying else 0,
    )
