"""What is counted while a batch passes two models: where they differ, how far, and which is right.

Legend: N rows, C classes of both models together, K row statistics.
"""

from __future__ import annotations

import heapq
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from seqline.data.rows import SplitRows
from seqline.errors import InputError
from seqline.evaluation.intervals import McNemarResult, mcnemar
from seqline.evaluation.metrics import measures_of
from seqline.evaluation.wording import shown_input

if TYPE_CHECKING:
    from seqline.serving.predictor import Predictor

Floats = npt.NDArray[np.float64]

MAX_EXAMPLES = 20
_EXCERPT_CHARACTERS = 120


@dataclass(frozen=True)
class ShadowRow:
    """One row of a live batch.

    Attributes:
        id: Its `id`.
        input: What the models are asked.
        truth: What is right, a label as its word; None where nobody knows it yet.
    """

    id: str
    input: Any
    truth: Any = None


@dataclass(frozen=True)
class Disagreement:
    """A row the two models answer differently, with an excerpt of its input and how far apart they are."""

    id: str
    excerpt: str
    label: str | None
    champion: str
    challenger: str
    champion_probability: float | None = None
    challenger_probability: float | None = None


@dataclass(frozen=True)
class Quality:
    """Both models on the rows whose truth is known; McNemar's `a` is the challenger.

    Attributes:
        rows: How many.
        metric: The task's main one.
        champion: Its value.
        challenger: Its value.
        mcnemar: None where rows are not just right or wrong.
    """

    rows: int
    metric: str
    champion: float
    challenger: float
    mcnemar: McNemarResult | None

    def record(self) -> dict[str, Any]:
        """As JSON values, the figures under the metric's name."""
        return {
            "rows": self.rows,
            f"champion_{self.metric}": self.champion,
            f"challenger_{self.metric}": self.challenger,
            "mcnemar": None if self.mcnemar is None else asdict(self.mcnemar),
        }


class Pair:
    """Two models of one task; the answers of classifications are laid out over the classes of both."""

    def __init__(self, champion: Predictor, challenger: Predictor) -> None:
        self.predictors = (champion, challenger)
        self.classes = list(dict.fromkeys([*champion.classes, *challenger.classes]))
        self.measures = measures_of(challenger.task.metrics, challenger.task.columns)
        self.kind = challenger.input_section.kind

    def probabilities(self, inputs: Sequence[Any]) -> Iterator[Floats]:
        """The champion's, then the challenger's, float64 (N, C); a class a model does not know has 0."""
        for predictor in self.predictors:
            laid_out = np.zeros((len(inputs), len(self.classes)))
            columns = [self.classes.index(label) for label in predictor.classes]
            laid_out[:, columns] = predictor.probabilities(inputs)
            yield laid_out

    def lines(self, inputs: Sequence[Any]) -> list[list[str]]:
        """What each says to a reader."""
        return [[answer.line() for answer in predictor.answers(inputs)] for predictor in self.predictors]

    def values(self, rows: Sequence[ShadowRow]) -> list[Floats]:
        """Row statistics of each, float64 (N, K), of rows whose truth is known."""
        inputs, challenger = [row.input for row in rows], self.predictors[1]
        # Both are counted in the challenger's units, as the gate counts.
        encoded = challenger.task.encode(challenger.model.encoder, challenger.input_section, inputs)
        split = SplitRows(
            ids=[row.id for row in rows],
            inputs=inputs,
            truths=[row.truth for row in rows],
            columns={},
            units=challenger.task.units(encoded),
        )
        return [predictor.measure(split) for predictor in self.predictors]


class Tally:
    """What is counted while the rows pass, of answers that are no labels."""

    def __init__(self, pair: Pair) -> None:
        self.pair = pair
        self.rows = 0
        self.differing = 0
        self.pairs: Counter[tuple[str, str]] = Counter()
        self.distance = 0.0
        self.digest = sha256()
        self._values: tuple[list[Floats], list[Floats]] = ([], [])
        self._examples: list[tuple[float, int, Disagreement]] = []

    def add(self, rows: Sequence[ShadowRow]) -> None:
        """Count a chunk."""
        champion, challenger = self.pair.lines([row.input for row in rows])
        for index, (row, first, second) in enumerate(zip(rows, champion, challenger, strict=True)):
            self._seen(row)
            if first != second:
                self.differing += 1
                self.distance += 1.0
                truth = None if row.truth is None else self._excerpt(row.truth)
                shown = Disagreement(row.id, self._excerpt(row.input), truth, first, second)
                self._keep(1.0, index, shown)
        known = [row for row in rows if row.truth is not None]
        if known:
            for kept, values in zip(self._values, self.pair.values(known), strict=True):
                kept.append(values)
        self.rows += len(rows)

    def _seen(self, row: ShadowRow) -> None:
        text = row.input if isinstance(row.input, str) else json.dumps(row.input, ensure_ascii=False)
        self.digest.update(f"{row.id}\0{text}\0".encode("utf-8", "surrogatepass"))

    def _excerpt(self, value: Any) -> str:
        if isinstance(value, str) and self.pair.kind != "audio":
            return " ".join(value.split())[:_EXCERPT_CHARACTERS]
        return shown_input(value, self.pair.kind)[:_EXCERPT_CHARACTERS]

    def _keep(self, distance: float, index: int, shown: Disagreement) -> None:
        # Of two equally far apart, the earlier row stays.
        entry = (distance, -self.rows - index, shown)
        if len(self._examples) < MAX_EXAMPLES:
            heapq.heappush(self._examples, entry)
        else:
            heapq.heappushpop(self._examples, entry)

    def shifts(self) -> dict[str, float]:
        """Class -> mean of the challenger's probability minus the champion's."""
        return {}

    def examples(self) -> list[Disagreement]:
        """The disagreements furthest apart, the furthest first."""
        return [shown for _, _, shown in sorted(self._examples, key=lambda entry: entry[:2], reverse=True)]

    def quality(self) -> Quality | None:
        """Both against the truths; None without any."""
        if not self._values[0]:
            return None
        champion, challenger = (np.concatenate(values) for values in self._values)
        measures, targets = self.pair.measures, np.zeros(len(champion), dtype=np.int64)
        function = measures.metrics[measures.main].function
        own, theirs = measures.right(challenger, targets), measures.right(champion, targets)
        return Quality(
            rows=len(champion),
            metric=measures.main,
            champion=function(champion, targets),
            challenger=function(challenger, targets),
            mcnemar=None if own is None or theirs is None else mcnemar(own, theirs),
        )


class LabelTally(Tally):
    """What is counted of classifications."""

    def __init__(self, pair: Pair) -> None:
        super().__init__(pair)
        self._shift = np.zeros(len(pair.classes))
        self._correct: tuple[list[bool], list[bool]] = ([], [])

    def add(self, rows: Sequence[ShadowRow]) -> None:
        """Count a chunk."""
        classes = self.pair.classes
        champion, challenger = self.pair.probabilities([row.input for row in rows])
        distances = np.abs(challenger - champion).sum(axis=1) / 2
        self._shift += (challenger - champion).sum(axis=0)
        self.distance += float(distances.sum())
        best = champion.argmax(axis=1), challenger.argmax(axis=1)
        for index, row in enumerate(rows):
            self._seen(row)
            first, second = (classes[int(choice[index])] for choice in best)
            self._score(row, first, second)
            if first != second:
                self.differing += 1
                self.pairs[first, second] += 1
                shown = Disagreement(
                    id=row.id,
                    excerpt=self._excerpt(row.input),
                    label=row.truth,
                    champion=first,
                    champion_probability=round(float(champion[index].max()), 4),
                    challenger=second,
                    challenger_probability=round(float(challenger[index].max()), 4),
                )
                self._keep(float(distances[index]), index, shown)
        self.rows += len(rows)

    def shifts(self) -> dict[str, float]:
        """Class -> mean of the challenger's probability minus the champion's."""
        return dict(zip(self.pair.classes, (self._shift / self.rows).tolist(), strict=True))

    def _score(self, row: ShadowRow, first: str, second: str) -> None:
        if row.truth is None:
            return
        if row.truth not in self.pair.classes:
            expected = f"one of {', '.join(self.pair.classes)}, or none"
            raise InputError(f"row {row.id}", f"label {row.truth!r}", expected)
        for correct, answer in zip(self._correct, (first, second), strict=True):
            correct.append(answer == row.truth)

    def quality(self) -> Quality | None:
        """Both against the labels; None without any."""
        champion, challenger = (np.asarray(correct, dtype=bool) for correct in self._correct)
        if not len(champion):
            return None
        shares = float(champion.mean()), float(challenger.mean())
        return Quality(len(champion), "accuracy", *shares, mcnemar(challenger, champion))
