"""Generation, one-to-many: text or symbols, continued token by token.

A row is one sequence. The network reads a begin mark and the tokens and predicts the tokens and an end mark; the two
marks are the ids after the vocabulary of the input. Long sequences are learnt in pieces with carried state.

Legend: B batch, N rows, T steps, V vocabulary with both marks.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch

from seqline.batch import PADDING_ID, UNKNOWN_ID, SequenceBatch
from seqline.data.arrays import Array, SequenceArrays, from_sequences
from seqline.data.collate import batch_of, bucketed
from seqline.data.inputs import InputEncoder
from seqline.data.rows import SplitRows
from seqline.data.spelling import SPELLING_COLUMNS, Speller
from seqline.data.targets import TargetEncoder
from seqline.data.tokenization import TextTokenizer
from seqline.nn.language_model import CONTINUES, RecurrentLanguageModel
from seqline.nn.sampling import Sampling, complete, most_probable, write
from seqline.recipe import InputSection, ModelSection, NextTokenTarget, TrainingSection
from seqline.tasks.base import Encoded, Floats, Loss, Task
from seqline.tasks.model import FittedModel
from seqline.tasks.token_units import unit_of_tokens

_MARKS = 2
_TOKEN_COLUMNS = ("nll", "tokens", "correct", "hits_at_5")
_CLOSING = frozenset(".,;:!?)]}'\"%")
_HITS = 5
_BEAMS = 10
_PROMPTS_AT_ONCE = 64
_ROWS_AT_ONCE = 64
_STEPS_AT_ONCE = 1024
# exp of more is no float64.
_LARGEST_EXPONENT = 700.0


@dataclass(frozen=True)
class Continuation:
    """What follows a prompt.

    Attributes:
        continuation: Text after text, symbols after symbols.
        ended: Whether the end mark was drawn, or the length ran out.
    """

    continuation: str | list[str]
    ended: bool

    def record(self) -> dict[str, Any]:
        """As JSON values."""
        return {"continuation": self.continuation, "ended": self.ended}

    def line(self) -> str:
        """The continuation on one line."""
        return repr(self.continuation) if isinstance(self.continuation, str) else " ".join(self.continuation)


@dataclass(frozen=True)
class Suggestions:
    """Endings or next tokens of a prompt, the most probable first.

    Attributes:
        kind: `completions` or `next`.
        texts: What follows the prompt; a completion of a word that was begun holds the whole word.
        probabilities: Of each.
    """

    kind: str
    texts: list[str]
    probabilities: list[float]

    def record(self) -> dict[str, Any]:
        """As JSON values."""
        pairs = zip(self.texts, self.probabilities, strict=True)
        return {self.kind: [{"text": text, "probability": round(share, 6)} for text, share in pairs]}

    def line(self) -> str:
        """All of them on one line."""
        pairs = zip(self.texts, self.probabilities, strict=True)
        return " | ".join(f"{text} ({share:.3f})" for text, share in pairs)


class Generation(Task):
    """The verbs of generation; it keeps no state."""

    columns = (*_TOKEN_COLUMNS, *SPELLING_COLUMNS)
    metrics = ("nats_per_character", "nats_per_token", "perplexity", "hit_at_5", "token_accuracy")
    dealing = "lanes"

    def arrays(
        self, encoded: Encoded, encoder: InputEncoder, targets: TargetEncoder, values: Sequence[Any]
    ) -> SequenceArrays:
        """Pieces of at most `context_length` steps, those of a row one after the other.

        Targets are the tokens that follow, int64 (T,) a piece; the row feature `continues` says which pieces go on where
        the one before ended.
        """
        section: NextTokenTarget = targets.section  # type: ignore[attr-defined]
        pieces: list[Array] = []
        following: list[Array] = []
        continues: list[bool] = []
        for ids in marked(encoded.sequences, vocab_size=encoder.sizes["vocab_size"]):
            for start in range(0, len(ids) - 1, section.context_length):
                end = min(start + section.context_length, len(ids) - 1)
                pieces.append(ids[start:end])
                following.append(ids[start + 1 : end + 1])
                continues.append(start > 0)
        return from_sequences(
            pieces,
            following,
            vocab_size=encoder.sizes["vocab_size"] + _MARKS,
            row_extras={"continues": np.asarray(continues, dtype=bool)},
        )

    def build(self, model: ModelSection, sizes: Mapping[str, int]) -> torch.nn.Module:
        """A recurrent language model.

        Args:
            model: The recipe's `model` section.
            sizes: `vocab_size` of the input; the marks are added here.
        """
        settings: dict[str, Any] = model.model_dump(exclude={"bidirectional"})
        return RecurrentLanguageModel(vocab_size=sizes["vocab_size"] + _MARKS, **settings)

    def loss(self, training: TrainingSection, train: SequenceArrays, sizes: Mapping[str, int]) -> Loss:
        """Negative log-likelihood in nats, mean over the tokens of a batch."""
        return mean_cost

    def tally(self, outputs: torch.Tensor, batch: SequenceBatch, sizes: Mapping[str, Any]) -> torch.Tensor:
        """Nats, tokens, and those that were the most probable one or among the five: float64 (B, 4)."""
        nll, counted, rank = outputs.double().unbind(dim=2)
        parts = (nll, counted, counted * (rank < 1), counted * (rank < _HITS))
        return torch.stack([part.sum(dim=1) for part in parts], dim=1).cpu()

    def score(self, tallies: torch.Tensor) -> dict[str, float]:
        """Loss (nats per token), perplexity, hits at 5 and accuracy of a whole split."""
        nll, tokens, correct, hits = tallies.sum(dim=0).tolist()
        mean = nll / max(tokens, 1.0)
        return {
            "loss": mean,
            "perplexity": math.exp(min(mean, _LARGEST_EXPONENT)),
            "hit_at_5": hits / max(tokens, 1.0),
            "token_accuracy": correct / max(tokens, 1.0),
        }

    def measure(self, model: FittedModel, rows: SplitRows, answers: Sequence[Any] | None = None) -> Floats:
        """The row statistics `columns`, float64 (N, 6); each row is read whole, whatever the cut that was learnt from."""
        whole = list(model.encoder.encode_whole(rows.inputs))
        found = self._read(model, marked(whole, vocab_size=model.encoder.sizes["vocab_size"]))
        return np.hstack([found, cast("Speller", model.encoder).spelling(rows.inputs)])

    def unit(self, metric: str, model: FittedModel) -> str:
        """How the text is read; for figures of tokens the vocabulary too."""
        return unit_of_tokens(metric, cast("Speller", model.encoder), model.input)

    def answers(self, model: FittedModel, inputs: Sequence[Any]) -> list[Any]:
        """What the recipe's target says: a continuation, completions, or the next tokens."""
        section = cast("NextTokenTarget", model.target)
        if section.answer != "continuation":
            return [self._suggest(model, value) for value in inputs]
        sampling = sampling_of(section)
        found: list[Any] = []
        for start in range(0, len(inputs), _PROMPTS_AT_ONCE):
            found += self._continued(model, inputs[start : start + _PROMPTS_AT_ONCE], sampling)
        return found

    def stream(self, model: FittedModel, value: Any) -> Iterator[str]:
        """Continue one prompt as `answers` does; pieces of text as they are drawn."""
        network = cast("RecurrentLanguageModel", model.network)
        sampling = sampling_of(cast("NextTokenTarget", model.target))
        unseen = _unseen(model)
        ids: list[int] = []
        text, shown = "", 0
        for (token,) in write(network, [_prompt(model, value)], sampling, **unseen):
            ids.append(cast("int", token))
            text = _text_of(model, value, ids)
            # Half a character of a byte vocabulary waits for its other half.
            if not text.endswith("\ufffd"):
                yield text[shown:]
                shown = len(text)
        if text[shown:]:
            yield text[shown:]

    def toy(self, *, examples: int, seed: int) -> tuple[SequenceArrays, dict[str, int]]:
        """A Markov source of known entropy: from each of four letters on to two others, with 3/4 and 1/4.

        The first letter, any of four, costs ln 4 nats; each later one 0.5623 nats, whatever came before.
        """
        rng = np.random.default_rng(seed)
        sequences = []
        for _ in range(examples):
            steps = np.where(rng.random(39) < 0.25, 2, 1)
            sequences.append(2 + (np.cumsum([rng.integers(4), *steps]) % 4))
        sizes = {"vocab_size": 6}
        begin = sizes["vocab_size"]
        pieces = [np.concatenate([[begin], ids[:-1]]) for ids in sequences]
        continues = np.zeros(examples, dtype=bool)
        extras = {"continues": continues}
        return from_sequences(pieces, sequences, vocab_size=begin + _MARKS, row_extras=extras), sizes

    def _read(self, model: FittedModel, sequences: Sequence[Array]) -> Floats:
        """Tallies of whole rows, float64 (N, 4), piece by piece with carried state: a long row costs no more memory."""
        network = cast("RecurrentLanguageModel", model.network)
        found = torch.zeros(len(sequences), len(_TOKEN_COLUMNS), dtype=torch.float64)
        lengths = np.asarray([len(ids) - 1 for ids in sequences], dtype=np.int64)
        with torch.inference_mode():
            for bucket in bucketed(lengths, batch_size=_ROWS_AT_ONCE, rng=None):
                # The longest first: those that go on are then the first ones of the batch before.
                rows = bucket[::-1]
                for start in range(0, int(lengths[rows[0]]), _STEPS_AT_ONCE):
                    going = rows[lengths[rows] > start]
                    ends = np.minimum(start + _STEPS_AT_ONCE, lengths[going])
                    pieces = [(sequences[row], end) for row, end in zip(going, ends, strict=True)]
                    batch = batch_of(
                        [ids[start:end] for ids, end in pieces],
                        targets=[ids[start + 1 : end + 1] for ids, end in pieces],
                        extras={CONTINUES: [np.asarray(start > 0)] * len(pieces)},
                    )
                    found[torch.from_numpy(going.copy())] += self.tally(network(batch), batch, {})
        network.restore_carried({})
        return found.numpy()

    def _continued(self, model: FittedModel, inputs: Sequence[Any], sampling: Sampling) -> list[Continuation]:
        network = cast("RecurrentLanguageModel", model.network)
        prompts = [_prompt(model, value) for value in inputs]
        written: list[list[int]] = [[] for _ in inputs]
        # One seed for all: what follows a prompt does not depend on its place among others.
        seeds = [sampling.seed] * len(prompts)
        for tokens in write(network, prompts, sampling, seeds=seeds, **_unseen(model)):
            for ids, token in zip(written, tokens, strict=True):
                if token is not None:
                    ids.append(token)
        found = []
        for value, ids in zip(inputs, written, strict=True):
            text: Any = _text_of(model, value, ids) if isinstance(value, str) else _tokens(model, ids)
            found.append(Continuation(text, len(ids) < sampling.length))
        return found

    def _suggest(self, model: FittedModel, value: Any) -> Suggestions:
        section = cast("NextTokenTarget", model.target)
        network = cast("RecurrentLanguageModel", model.network)
        unseen = _unseen(model)
        prompt = _prompt(model, value)
        if section.answer == "next":
            forbidden = [*unseen["forbidden"], unseen["end_id"]]
            best = most_probable(network, prompt, count=section.count, forbidden=forbidden)
            return Suggestions(
                "next", [_tokens(model, [token])[0] for token, _ in best], [share for _, share in best]
            )
        first = _begun_word(model, value, prompt)
        endings = complete(
            network,
            prompt[:-1] if first is not None else prompt,
            count=section.count,
            beam_size=max(_BEAMS, section.count),
            length=section.length,
            first=first,
            **unseen,
        )
        texts = [_text_of(model, "" if first is not None else value, list(ending.ids)) for ending in endings]
        return Suggestions(
            "completions", [text.strip() for text in texts], [math.exp(ending.log_prob) for ending in endings]
        )


def mean_cost(outputs: torch.Tensor, batch: SequenceBatch) -> torch.Tensor:
    """Mean of the first column over the steps that the second column counts: float32 (B, T, K) to a number."""
    return outputs[..., 0].sum() / outputs[..., 1].sum().clamp(min=1)


def marked(sequences: Sequence[Array], *, vocab_size: int) -> list[Array]:
    """Ids between a begin mark (`vocab_size`) and an end mark (`vocab_size + 1`), int64 (T + 2,) each."""
    return [
        np.concatenate([[vocab_size], np.asarray(ids, dtype=np.int64), [vocab_size + 1]]) for ids in sequences
    ]


def sampling_of(section: NextTokenTarget) -> Sampling:
    """How the recipe wants continuations drawn."""
    return Sampling(
        temperature=section.temperature,
        top_k=section.top_k,
        top_p=section.top_p,
        length=section.length,
        seed=section.seed,
    )


def _unseen(model: FittedModel) -> dict[str, Any]:
    """End mark, and the ids that are never written."""
    vocab_size = model.encoder.sizes["vocab_size"]
    return {"end_id": vocab_size + 1, "forbidden": [PADDING_ID, UNKNOWN_ID, vocab_size]}


def _prompt(model: FittedModel, value: Any) -> list[int]:
    """Begin mark and ids of a prompt; an empty one is the begin mark alone."""
    begin = [model.encoder.sizes["vocab_size"]]
    if not value:
        return begin
    (ids,) = model.encoder.encode_whole([value])
    return begin + ids[-model.input.max_length :].tolist()


def _tokens(model: FittedModel, ids: Sequence[int]) -> list[str]:
    tokens: Callable[[Sequence[int]], list[str]] = model.encoder.tokens  # type: ignore[attr-defined]
    return tokens(ids)


def _text_of(model: FittedModel, prompt: Any, ids: Sequence[int]) -> str:
    """Tokens as the text that follows a prompt."""
    section: InputSection = model.input
    style = getattr(section, "tokenizer", "char" if isinstance(prompt, str) else "word")
    if style == "bpe":
        decoded: str = model.encoder.tokenizer.decode(list(ids), skip_special_tokens=False)  # type: ignore[attr-defined]
        return decoded
    text = _joined(_tokens(model, ids), style=style)
    follows = style == "word" and bool(prompt) and bool(text) and not str(prompt)[-1:].isspace()
    return f" {text}" if follows and text[0].isalnum() else text


def _joined(tokens: Sequence[str], *, style: str) -> str:
    """Letters as they are; words with spaces between them, but not before marks that close.

    >>> _joined(["yes", ",", "it", "is", "."], style="word")
    'yes, it is.'
    """
    if style == "char":
        return "".join(tokens)
    return "".join(
        token if not place or token in _CLOSING else f" {token}" for place, token in enumerate(tokens)
    )


def _begun_word(model: FittedModel, value: Any, prompt: Sequence[int]) -> torch.Tensor | None:
    """Which tokens may stand where the last word of a prompt was begun, bool (V,); None: it ends with a space."""
    is_open = isinstance(value, str) and value[-1:].isalnum()
    if getattr(model.input, "tokenizer", "") != "word" or not is_open:
        return None
    tokenizer = cast(TextTokenizer, model.encoder).tokenizer
    # As the tokenizer cuts it: what stands before a bracket or a hyphen is no part of the word.
    beginning, _ = tokenizer.pre_tokenizer.pre_tokenize_str(tokenizer.normalizer.normalize_str(value))[-1]
    size = model.encoder.sizes["vocab_size"]
    mask = [token.startswith(beginning) for token in _tokens(model, range(size))]
    return torch.tensor([*mask, *[False] * _MARKS])
