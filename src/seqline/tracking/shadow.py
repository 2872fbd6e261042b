"""Shadow mode: the challenger answers a live batch beside the champion, before anyone depends on it.

Only figures and excerpts are kept. Nobody's alias moves, and nothing goes into the ledger: the gate judges on the test
rows, this shows a person what would change.

Legend: N rows of the batch.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqline.errors import InputError
from seqline.evaluation.intervals import wilson
from seqline.files import check_name, write_json
from seqline.tracking.packaging import model_folder_of
from seqline.tracking.registry import CHALLENGER, CHAMPION, RegisteredVersion, with_alias
from seqline.tracking.storage import package_folder
from seqline.tracking.store import Tracking
from seqline.tracking.tally import Disagreement, LabelTally, Pair, Quality, ShadowRow, Tally

if TYPE_CHECKING:
    from seqline.serving.predictor import Predictor

_CHUNK_ROWS = 512


@dataclass(frozen=True)
class ShadowReport:
    """Challenger beside champion on one batch.

    Attributes:
        name: The model.
        champion: Its version.
        challenger: Its version.
        rows: N.
        rows_sha256: Digest of ids and texts.
        agreement: Share of rows with the same label, or the same answer to the letter.
        agreement_interval: 95 % interval of that share.
        pairs: (champion's label, challenger's label, rows) of the rows they answer differently, most first; labels only.
        shift: Class -> mean of the challenger's probability minus the champion's; labels only.
        distance: Mean total variation distance of the two answers, 0 (the same) to 1; of answers that are no labels, the
            share that differ.
        examples: The disagreements furthest apart, at most 20; of answers that are no labels, the first ones.
        quality: Where the batch has truths.
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
        return {**asdict(self), "quality": None if self.quality is None else self.quality.record()}


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
    pair = Pair(*(_loaded(tracking, version) for version in versions))
    tally: Tally = LabelTally(pair) if pair.classes else Tally(pair)
    iterator = iter(rows)
    while chunk := list(islice(iterator, _CHUNK_ROWS)):
        tally.add(chunk)
    if not tally.rows:
        raise InputError("the batch", "no rows", "at least one row to answer")
    agreed = tally.rows - tally.differing
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
        shift=tally.shifts(),
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
