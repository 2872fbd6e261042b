"""All registered models at a glance."""

from __future__ import annotations

from dataclasses import dataclass

from seqline.errors import SeqlineError
from seqline.files import NAME_PATTERN
from seqline.tracking.chronicle import history
from seqline.tracking.registry import CHALLENGER, CHAMPION, aliases_of, versions
from seqline.tracking.store import Tracking


@dataclass(frozen=True)
class ModelSummary:
    """One line of `seqline models`.

    Attributes:
        name: The model.
        versions: How many there are.
        champion: Version that bears the alias; None before the first promotion.
        challenger: Version that bears the alias.
        accuracy: The champion's on its test rows, where it was measured.
        decided: The last decision: what, about which version, when. Empty before the first.
        fault: What is wrong with its ledger; empty where nothing is.
    """

    name: str
    versions: int
    champion: int | None
    challenger: int | None
    accuracy: float | None
    decided: str
    fault: str = ""


def models(tracking: Tracking) -> list[ModelSummary]:
    """Summarise every registered model; a damaged ledger is that model's own trouble."""
    summaries = []
    for name in _registered_names(tracking):
        aliases = aliases_of(tracking, name)
        known = {version.version: version for version in versions(tracking, name)}
        best = known.get(aliases.get(CHAMPION, -1))
        score = best.tags.get("metric.accuracy") if best else None
        decided, fault = _last_decision(tracking, name)
        summaries.append(
            ModelSummary(
                name=name,
                versions=len(known),
                champion=aliases.get(CHAMPION),
                challenger=aliases.get(CHALLENGER),
                accuracy=float(score) if score else None,
                decided=decided,
                fault=fault,
            )
        )
    return summaries


def _registered_names(tracking: Tracking) -> list[str]:
    names: list[str] = []
    token = None
    while True:
        page = tracking.client.search_registered_models(page_token=token)
        names += [model.name for model in page]
        token = page.token
        if not token:
            # A shared server may hold other people's models under names that are none of ours.
            return sorted(name for name in names if NAME_PATTERN.fullmatch(name))


def _last_decision(tracking: Tracking, name: str) -> tuple[str, str]:
    try:
        entries = history(tracking.root, name)
    except SeqlineError as error:
        return "", f"{error.where}: {error.found}"
    if not entries:
        return "", ""
    last = entries[-1]
    return f"{last.outcome.replace('_', ' ')} version {last.version}, {last.time}", ""
