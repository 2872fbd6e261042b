"""Shadow mode: the challenger answers a live batch beside the champion, before anyone depends on it.

Only figures and excerpts are kept. Nobody's alias moves, and nothing goes into the ledger: the gate judges on the test
rows, this shows a person what would change.

Legend: N rows of the batch, C classes of both models together.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from seqline.errors import InputError
from seqline.evaluation.intervals import McNemarResult, mcnemar, wilson
from seqline.files import check_name, write_json
from seqline.tracking.packaging import model_folder_of
from seqline.tracking.registry import CHALLENGER, CHAMPION, RegisteredVersion, with_alias
from seqline.tracking.storage import package_folder
from seqline.tracking.store import Tracking

if TYPE_CHECKING:
    from seqline.serving.predictor import Predictor

MAX_EXAMPLES = 20
_CHUNK_ROWS = 512
_EXCERPT_CHARACTERS = 120


@dataclass(frozen=True)
class ShadowRow:
    """One row of a live batch; `label` is None where nobody knows it yet."""

    id: str
    text: str
    label: str | None = None


@dataclass(frozen=True)
class Disagreement:
    """A row the two models answer differently, with an excerpt of its text."""

    id: str
    excerpt: str
    label: str | None
    champion: str
    champion_probability: float
    challenger: str
    challenger_probability: float


@dataclass(frozen=True)
class Quality:
    """Both models against the labels of the rows that have one; McNemar's `a` is the challenger."""

    rows: int
    champion_accuracy: float
    challenger_accuracy: float
    mcnemar: McNemarResult


@dataclass(frozen=True)
class ShadowReport:
    """Challenger beside champion on one batch.

    Attributes:
        name: The model.
        champion: Its version.
        challenger: Its version.
        rows: N.
        rows_sha256: Digest of ids and texts.
        agreement: Share of rows with the same label.
        agreement_interval: 95 % interval of that share.
        pairs: (champion's label, challenger's label, rows) of the rows they answer differently, most first.
        shift: Class -> mean of the challenger's probability minus the champion's.
        distance: Mean total variation distance of the two answers, 0 (the same) to 1.
        examples: The disagreements furthest apart, at most 20.
        quality: Where the batch has labels.
    """

    name: str
    champion: int
    challenger: int
    rows: int
    rows_sha256: str
    agreement: float
    agreement_interval: tuple[float, float]
    pairs: list[tuple[str, str, int]]
    shift: dict[str, float]
    distance: float
    examples: list[Disagreement]
    quality: Quality | None

    def record(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def shadow(tracking: Tracking, name: str, rows: Iterable[ShadowRow]) -> ShadowReport:
    """Let champion and challenger answer the same rows; memory does not grow with their number.

    Args:
        tracking: Where.
        name: The model.
        rows: The batch.

    Raises:
        InputError: There are not two models to compare, no rows, or a label neither model knows.
        SeqlineError: A package is damaged.
    """
    versions = _both(tracking, name)
    pair = _Pair(*(_loaded(tracking, version) for version in versions))
    tally = _Tally(pair.classes)
    iterator = iter(rows)
    while chunk := list(islice(iterator, _CHUNK_ROWS)):
        tally.add(chunk, *pair.probabilities([row.text for row in chunk]))
    if not tally.rows:
        raise InputError("the batch", "no rows", "at least one row to answer")
    agreed = tally.rows - sum(tally.pairs.values())
    return ShadowReport(
        name=name,
        champion=versions[0].version,
        challenger=versions[1].version,
        rows=tally.rows,
        rows_sha256=tally.digest.hexdigest(),
        agreement=agreed / tally.rows,
        agreement_interval=wilson(agreed, tally.rows),
        pairs=[
            (*labels, count) for labels, count in sorted(tally.pairs.items(), key=lambda p: (-p[1], p[0]))
        ],
        shift=dict(zip(pair.classes, (tally.shift / tally.rows).tolist(), strict=True)),
        distance=tally.distance / tally.rows,
        examples=tally.examples(),
        quality=tally.quality(),
    )


def write_report(folder: Path, report: ShadowReport) -> Path:
    """Write a report as JSON; the same models on the same rows overwrite it.

    Args:
        folder: `.seqline/shadow`; the model's own folder in it is made.
        report: What to write.
    """
    versions = f"version-{report.challenger}-beside-{report.champion}"
    path = folder / check_name(report.name) / f"{versions}-{report.rows_sha256[:12]}.json"
    write_json(path, report.record())
    return path


def _both(tracking: Tracking, name: str) -> tuple[RegisteredVersion, RegisteredVersion]:
    found = {alias: with_alias(tracking, name, alias) for alias in (CHAMPION, CHALLENGER)}
    champion, challenger = found[CHAMPION], found[CHALLENGER]
    if champion is None:
        raise InputError(
            name, "no champion yet, so nothing to compare with", hint=f"see `seqline history {name}`"
        )
    if challenger is None or challenger.version == champion.version:
        raise InputError(
            name,
            "no challenger beside the champion",
            hint=f"`seqline run {name}` makes one when data or recipe changed",
        )
    return champion, challenger


def _loaded(tracking: Tracking, version: RegisteredVersion) -> Predictor:
    from seqline.serving.predictor import Predictor

    return Predictor.load(model_folder_of(package_folder(tracking, version)))


class _Pair:
    """Two models whose answers are laid out over the classes of both."""

    def __init__(self, champion: Predictor, challenger: Predictor) -> None:
        self.predictors = (champion, challenger)
        self.classes = list(dict.fromkeys([*champion.classes, *challenger.classes]))

    def probabilities(self, texts: Sequence[str]) -> Iterator[npt.NDArray[np.float64]]:
        """The champion's, then the challenger's, float64 (N, C); a class a model does not know has 0."""
        for predictor in self.predictors:
            laid_out = np.zeros((len(texts), len(self.classes)))
            columns = [self.classes.index(label) for label in predictor.classes]
            laid_out[:, columns] = predictor.probabilities(texts)
            yield laid_out


class _Tally:
    """What is counted while the rows pass."""

    def __init__(self, classes: Sequence[str]) -> None:
        self.classes = list(classes)
        self.rows = 0
        self.pairs: Counter[tuple[str, str]] = Counter()
        self.shift = np.zeros(len(classes))
        self.distance = 0.0
        self.digest = sha256()
        self._correct: tuple[list[bool], list[bool]] = ([], [])
        self._examples: list[tuple[float, int, Disagreement]] = []

    def add(
        self,
        rows: Sequence[ShadowRow],
        champion: npt.NDArray[np.float64],
        challenger: npt.NDArray[np.float64],
    ) -> None:
        """Count a chunk; probabilities float64 (N, C)."""
        distances = np.abs(challenger - champion).sum(axis=1) / 2
        self.shift += (challenger - champion).sum(axis=0)
        self.distance += float(distances.sum())
        best = champion.argmax(axis=1), challenger.argmax(axis=1)
        for index, row in enumerate(rows):
            self.digest.update(f"{row.id}\0{row.text}\0".encode("utf-8", "surrogatepass"))
            first, second = (self.classes[int(choice[index])] for choice in best)
            self._score(row, first, second)
            if first != second:
                self.pairs[first, second] += 1
                shown = Disagreement(
                    id=row.id,
                    excerpt=" ".join(row.text.split())[:_EXCERPT_CHARACTERS],
                    label=row.label,
                    champion=first,
                    champion_probability=round(float(champion[index].max()), 4),
                    challenger=second,
                    challenger_probability=round(float(challenger[index].max()), 4),
                )
                # Of two equally far apart, the earlier row stays.
                entry = (float(distances[index]), -self.rows - index, shown)
                if len(self._examples) < MAX_EXAMPLES:
                    heapq.heappush(self._examples, entry)
                else:
                    heapq.heappushpop(self._examples, entry)
        self.rows += len(rows)

    def _score(self, row: ShadowRow, first: str, second: str) -> None:
        if row.label is None:
            return
        if row.label not in self.classes:
            raise InputError(
                f"row {row.id}", f"label {row.label!r}", f"one of {', '.join(self.classes)}, or none"
            )
        for correct, answer in zip(self._correct, (first, second), strict=True):
            correct.append(answer == row.label)

    def examples(self) -> list[Disagreement]:
        """The disagreements furthest apart, the furthest first."""
        return [shown for _, _, shown in sorted(self._examples, key=lambda entry: entry[:2], reverse=True)]

    def quality(self) -> Quality | None:
        """Both against the labels; None without any."""
        champion, challenger = (np.asarray(correct, dtype=bool) for correct in self._correct)
        if not len(champion):
            return None
        return Quality(
            len(champion), float(champion.mean()), float(challenger.mean()), mcnemar(challenger, champion)
        )
