"""Tagging: every token of a sequence gets one of C tags.

Legend: B batch, N rows, T steps, W steps of the longest sequence, K bytes of a token, C tags.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch

from seqline.batch import UNKNOWN_ID, SequenceBatch
from seqline.data.arrays import Array, SequenceArrays, from_sequences
from seqline.data.dealing import Row
from seqline.data.inputs import InputEncoder
from seqline.data.rows import SplitRows
from seqline.data.tag_schemes import OUTSIDE, PLAIN, allowed
from seqline.data.targets.tags import TagEncoder, tokens_of
from seqline.errors import InputError
from seqline.evaluation.sections import Section
from seqline.evaluation.spans import COLUMNS, Span, by_kind, spans_of, tag_statistics
from seqline.nn.crf import Chain, log_likelihood, marginals, viterbi
from seqline.nn.tagger import CHARACTERS, NUM_CHARACTERS, SequenceTagger
from seqline.recipe import InputSection, ModelSection, Recipe, TagsTarget, TokensInput, TrainingSection
from seqline.tasks.base import Encoded, Floats, Loss, Task
from seqline.tasks.model import FittedModel

# Before the first byte of a token and after the last one.
_BEGIN, _END = NUM_CHARACTERS - 2, NUM_CHARACTERS - 1
_MARKS = 2
_DIGITS = 6
_CONFUSIONS = 10
_LONGEST_PROBE = 300


@dataclass(frozen=True)
class Tagged:
    """One answer.

    Attributes:
        tokens: T tokens.
        tags: Their tags, the best sequence.
        probabilities: How sure each tag is, whatever the others' are.
        spans: What the tags mark; none where the scheme is plain.
    """

    tokens: list[str]
    tags: list[str]
    probabilities: list[float]
    spans: list[Span]

    def record(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "tokens": self.tokens,
            "tags": self.tags,
            "probabilities": [round(value, _DIGITS) for value in self.probabilities],
            "spans": [
                {"kind": span.kind, "start": span.start, "stop": span.stop, "text": self._text(span)}
                for span in self.spans
            ],
        }

    def line(self) -> str:
        """Each token with its tag, those outside of spans without one."""
        return " ".join(
            token if tag == "O" else f"{token}/{tag}"
            for token, tag in zip(self.tokens, self.tags, strict=True)
        )

    def _text(self, span: Span) -> str:
        return " ".join(self.tokens[span.start : span.stop])


class Tagging(Task):
    """The verbs of tagging; it keeps no state."""

    columns: ClassVar[tuple[str, ...]] = COLUMNS
    metrics: ClassVar[tuple[str, ...]] = ("span_f1", "token_accuracy", "exact_match")

    def input_of(self, row: Row, section: InputSection) -> list[str]:
        """The tokens of a row."""
        return tokens_of(
            row[section.column], where=f"row {row.get('id', 'without id')}, column {section.column!r}"
        )

    def encode(self, encoder: InputEncoder, section: InputSection, inputs: Sequence[Any]) -> Encoded:
        """Ids of tokens and their bytes; a long input is refused, for each of its tokens needs a tag."""
        every = [tokens_of(value) for value in inputs]
        for tokens in every:
            if len(tokens) > section.max_length:
                raise InputError(
                    f"input {' '.join(tokens)!r:.60}",
                    f"{len(tokens):,} tokens",
                    f"at most {section.max_length:,}",
                    "split it, or raise input.max_length and train again",
                )
        sequences = list(encoder.encode_whole(every))
        count = section.characters if isinstance(section, TokensInput) else 0
        letters = {CHARACTERS: [bytes_of(tokens, count) for tokens in every]} if count else {}
        unknown = sum(int((steps == UNKNOWN_ID).sum()) for steps in sequences)
        return Encoded(sequences, [len(steps) for steps in sequences], unknown, letters)

    def build(self, model: ModelSection, sizes: Mapping[str, Any]) -> torch.nn.Module:
        """A recurrent tagger.

        Args:
            model: The recipe's `model` section.
            sizes: `vocab_size` and `tags`.
        """
        settings: dict[str, Any] = model.model_dump()
        letters = settings.pop("characters")
        return SequenceTagger(
            **settings,
            vocab_size=sizes["vocab_size"],
            num_tags=len(sizes["tags"]),
            characters=letters["kind"],
            character_dim=letters["embedding_dim"],
            character_features=letters["features"],
        )

    def loss(self, training: TrainingSection, train: SequenceArrays, sizes: Mapping[str, Any]) -> Loss:
        """Nats of the true tags, mean over the tokens: of the whole sequence with a CRF, else of each tag."""

        def nats_a_token(outputs: torch.Tensor, batch: SequenceBatch) -> torch.Tensor:
            return nats_of_rows(outputs, batch).sum() / batch.lengths.sum()

        return nats_a_token

    def tally(self, outputs: torch.Tensor, batch: SequenceBatch, sizes: Mapping[str, Any]) -> torch.Tensor:
        """Nats, and the row statistics of `columns`: float64 (B, 7)."""
        names, scheme = sizes["tags"], sizes["scheme"]
        chain = constrained(chain_of(outputs, batch), names, scheme)
        best = named(viterbi(chain, batch.lengths), batch.lengths, names)
        # A tag that train never had is O here; evaluation compares the words themselves.
        truths = named(true_tags(batch), batch.lengths, names)
        statistics = torch.from_numpy(tag_statistics(truths, best, scheme))
        return torch.cat([nats_of_rows(outputs, batch).double().cpu().unsqueeze(1), statistics], dim=1)

    def score(self, tallies: torch.Tensor) -> dict[str, float]:
        """Loss (nats a token) and the metrics, from float64 (N, 7); 0 where there is no span."""
        nats, *sums = tallies.sum(0).tolist()
        of = dict(zip(COLUMNS, sums, strict=True))
        spans = of["predicted_spans"] + of["true_spans"]
        return {
            "loss": nats / of["tokens"],
            "span_f1": 2 * of["true_positives"] / spans if spans else 0.0,
            "token_accuracy": of["correct"] / of["tokens"],
            "exact_match": of["exact"] / len(tallies),
        }

    def measure(self, model: FittedModel, rows: SplitRows, answers: Sequence[Any] | None = None) -> Floats:
        """What each row adds to the figures, float64 (N, 6), see `evaluation.spans.COLUMNS`."""
        found = self.answers(model, rows.inputs) if answers is None else answers
        predicted = [answer.tags for answer in found]
        return tag_statistics(rows.truths, predicted, scheme_of(model))

    def answers(self, model: FittedModel, inputs: Sequence[Any]) -> list[Tagged]:
        """The best tag sequence of each input among those that the scheme allows."""
        if not len(inputs):
            return []
        targets, scheme = model.targets, scheme_of(model)
        if not isinstance(targets, TagEncoder):
            raise TypeError("a tagger answers with tags")
        encoded = self.encode(model.encoder, model.input, inputs)
        answers: dict[int, Tagged] = {}
        with torch.inference_mode():
            for indices, batch in model.batches(encoded):
                chain = constrained(chain_of(model.network(batch).float(), batch), targets.tags, scheme)
                paths = viterbi(chain, batch.lengths)
                sure = marginals(chain, batch.lengths).gather(2, paths.unsqueeze(2)).squeeze(2)
                found = zip(indices.tolist(), paths.tolist(), sure.tolist(), strict=True)
                for index, path, shares in found:
                    tokens = tokens_of(inputs[index])
                    tags = [targets.tags[place] for place in path[: len(tokens)]]
                    spans = [] if scheme == PLAIN else spans_of(tags, scheme)
                    answers[index] = Tagged(tokens, tags, shares[: len(tokens)], spans)
        return [answers[index] for index in range(len(inputs))]

    def probes(self, model: FittedModel) -> list[Any]:
        """Token lists of many lengths, a text, and words that train never had."""
        known = [str(tag).rpartition("-")[2] for tag in model.targets.sizes["tags"]]
        longest = min(model.input.max_length, _LONGEST_PROBE)
        lists = [
            [known[place * place % len(known)] for place in range(n)] for n in (1, min(7, longest), longest)
        ]
        return [*lists, "boxes", ["zqxv"], ["café"], ["食べ物"]]

    def sections(
        self, recipe: Recipe, rows: SplitRows, answers: Sequence[Any], values: Floats
    ) -> list[Section]:
        """Scores of each kind of span (of each tag in a plain scheme), and the tags taken for another most often."""
        scheme = recipe.target.scheme if isinstance(recipe.target, TagsTarget) else PLAIN
        predicted = [answer.tags for answer in answers]
        pairs: Counter[tuple[str, str]] = Counter()
        for truth, guess in zip(rows.truths, predicted, strict=True):
            pairs.update((a, b) for a, b in zip(truth, guess, strict=True) if a != b)
        common = sorted(pairs.items(), key=lambda item: (-item[1], item[0]))[:_CONFUSIONS]
        what = "tag" if scheme == PLAIN else "span"
        scores = tuple(
            (kind.kind, *(round(value, 4) for value in (kind.f1, kind.precision, kind.recall)), kind.support, kind.predicted)
            for kind in by_kind(rows.truths, predicted, scheme)
        )  # fmt: skip
        found = "A span is found where its first step, its last step and its kind are right."
        return [
            Section(
                title=f"Each {what}",
                paragraphs=(found,) if what == "span" else (),
                columns=(what, "F1", "precision", "recall", "there", "predicted"),
                rows=scores,
            ),
            Section(
                title="Tags taken for another",
                columns=("true", "predicted", "tokens"),
                rows=tuple((truth, guess, count) for (truth, guess), count in common),
            ),
        ]

    def toy(self, *, examples: int, seed: int) -> tuple[SequenceArrays, dict[str, Any]]:
        """Depth of brackets: ids 2 (open), 3 (close) and 4 (neither), the tag is the depth after the step, 0 to 3.

        No token knows its tag, and no window of a fixed width does.

        Returns:
            Balanced at every step, so that depth is never below 0; and sizes for `build`.
        """
        rng = np.random.default_rng(seed)
        sequences, targets = [], []
        for _ in range(examples):
            depth, ids, depths = 0, [], []
            for _ in range(int(rng.integers(3, 16))):
                choices = [4, *([2] if depth < 3 else []), *([3] if depth > 0 else [])]
                ids.append(int(rng.choice(choices)))
                depth += {2: 1, 3: -1, 4: 0}[ids[-1]]
                depths.append(depth)
            sequences.append(np.asarray(ids, dtype=np.int64))
            targets.append(np.asarray(depths, dtype=np.int64))
        letters = [bytes_of([str(i) for i in ids], 4) for ids in sequences]
        sizes = {"vocab_size": 5, "tags": ["0", "1", "2", "3"], "scheme": PLAIN}
        return from_sequences(sequences, targets, vocab_size=5, step_extras={CHARACTERS: letters}), sizes


def bytes_of(tokens: Sequence[str], count: int) -> Array:
    """UTF-8 bytes of each token between two marks, uint16 (T, count), 0 after them; of a long one both ends.

    Example:
        >>> bytes_of(["no", "never"], 6).tolist()
        [[257, 111, 112, 258, 0, 0], [257, 111, 102, 102, 115, 258]]
    """
    found = np.zeros((len(tokens), count), dtype=np.uint16)
    room = count - _MARKS
    for row, token in enumerate(tokens):
        whole = token.encode("utf-8")
        kept = whole if len(whole) <= room else whole[: room // 2] + whole[len(whole) - (room - room // 2) :]
        found[row, : len(kept) + _MARKS] = [_BEGIN, *(byte + 1 for byte in kept), _END]
    return found


def scheme_of(model: FittedModel) -> str:
    """The scheme of a model's tags."""
    if not isinstance(model.target, TagsTarget):
        raise TypeError("a tagger has a target of tags")
    return model.target.scheme


def chain_of(outputs: torch.Tensor, batch: SequenceBatch) -> Chain:
    """The chain of a network's outputs: with a CRF they hold the moves too, and are that much longer."""
    packed = outputs.shape[1] != int(batch.lengths.max())
    return Chain.unpacked(outputs) if packed else Chain.of_emissions(outputs)


def constrained(chain: Chain, tags: Sequence[str], scheme: str) -> Chain:
    """The chain without the moves that the scheme of its tags forbids."""
    rules = allowed(tags, scheme)
    return chain.constrained(
        start=torch.from_numpy(rules.start),
        end=torch.from_numpy(rules.end),
        transitions=torch.from_numpy(rules.transitions),
    )


def named(places: torch.Tensor, lengths: torch.Tensor, tags: Sequence[str]) -> list[list[str]]:
    """Tags of the real steps of places int64 (B, W); O for a place that is none."""
    rows = zip(places.tolist(), lengths.tolist(), strict=True)
    return [[tags[place] if place >= 0 else OUTSIDE for place in row[:length]] for row, length in rows]


def true_tags(batch: SequenceBatch) -> torch.Tensor:
    """True tags, int64 (B, W)."""
    if batch.targets is None:
        raise ValueError("a loss needs targets")
    return batch.targets


def nats_of_rows(outputs: torch.Tensor, batch: SequenceBatch) -> torch.Tensor:
    """Nats of the true tags of each row, float64 (B,)."""
    return -log_likelihood(chain_of(outputs, batch), true_tags(batch), batch.lengths)
