"""What a run of the chain came to: the table a user reads at the end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seqline.errors import GateRefused, SeqlineError
from seqline.files import read_json
from seqline.workspace import Workspace

if TYPE_CHECKING:
    from seqline.tracking.ledger import Entry

_REASON_CHARACTERS = 300
_NARROWEST_LABEL = 16
_NARROWEST_FIGURE = 10
_LARGE = 1_000


@dataclass(frozen=True)
class Outcome:
    """The state after a run.

    Attributes:
        summary: JSON values: name, versions, score, baseline, verdict, where to look.
    """

    summary: dict[str, Any]

    @property
    def exit_code(self) -> int:
        """0, also while a person's approval is awaited; 4 when the version at hand was refused or taken down."""
        return GateRefused.exit_code if self.summary["verdict"] in {"refused", "rolled_back"} else 0

    def rows(self) -> list[tuple[str, str]]:
        """Label and value, in reading order."""
        facts = self.summary
        champion = "none" if facts["champion"] is None else f"version {facts['champion']}"
        if facts["champion"] is not None and facts["champion"] != facts["version"]:
            champion += f" (this run made version {facts['version']})"
        low, high = facts["interval"]
        verdict = f"{facts['verdict']} on {facts['decided']}: {facts['reason'][:_REASON_CHARACTERS]}"
        if facts["verdict"] == "held":
            verdict += "; it waits for a person's approval"
        found = [
            ("model", facts["name"]),
            ("champion", champion),
            (
                f"test {facts['metric']}",
                f"{facts['score']:.4f}  (95 % interval {low:.4f} to {high:.4f}, {facts['test_rows']:,} rows)",
            ),
        ]
        if facts["baseline"] != "none":
            found.append(("baseline", f"{facts['baseline_score']:.4f}  {facts['baseline']}"))
        found += [
            ("gate", verdict),
            ("report", facts["report"]),
            ("history", f"seqline history {facts['name']}"),
        ]
        if facts["verdict"] == "held":
            found.append(("approve", f"seqline promote {facts['name']} --approve"))
        if facts["champion"] is not None:
            found.append(("ask it", f"seqline predict {facts['name']} {facts['question']}"))
        return found

    def table(self) -> str:
        """Aligned lines."""
        rows = self.rows()
        width = max(len(label) for label, _ in rows)
        return "\n".join(f"{label:<{width}}  {value}" for label, value in rows)


def metrics_table(
    metrics: Mapping[str, float | None], names: Iterable[str], *, cell: str, baselines: Sequence[str]
) -> str:
    """The model's metrics above those of its baselines; a metric that is undefined (None) is a blank."""
    shown = [name for name in names if name in metrics]
    first = max([_NARROWEST_LABEL, *(len(name) for name in baselines)])
    widths = [max(_NARROWEST_FIGURE, len(name)) for name in shown]

    def row(label: str, prefix: str) -> str:
        figures = [_figure(metrics.get(prefix + name)) for name in shown]
        return _aligned(label, first, figures, widths)

    head = _aligned("", first, shown, widths)
    return "\n".join([head, row(cell, ""), *(row(name, f"baseline.{name}.") for name in baselines)])


def _figure(value: float | None) -> str:
    """Four decimals, of large numbers fewer."""
    if value is None:
        return ""
    return f"{value:.4f}" if abs(value) < _LARGE else f"{value:,.1f}"


def _aligned(label: str, first: int, figures: Sequence[str], widths: Sequence[int]) -> str:
    cells = (f" {figure:>{width}}" for figure, width in zip(figures, widths, strict=True))
    return f"{label:<{first}}{''.join(cells)}"


def describe(workspace: Workspace, name: str) -> Outcome:
    """Read the outcome off the artifacts, the registry and the ledger."""
    from seqline.tracking.chronicle import history
    from seqline.tracking.journey import registered_already
    from seqline.tracking.registry import champion
    from seqline.tracking.runs import connect

    recipe = workspace.recipe(name)
    tracking = connect(workspace.root)
    version = registered_already(tracking, name, recipe)
    if version is None:
        raise SeqlineError(name, "the trained model is not registered", hint=f"run `seqline run {name}`")
    current = champion(tracking, name)
    decisions = [
        entry
        for entry in history(workspace.root, name)
        # A rollback is about the version it took the alias from as well.
        if version.version in (entry.version, entry.previous if entry.outcome == "rolled_back" else None)
    ]
    folder = workspace.artifact_folder(name, "evaluate")
    metrics = read_json(folder / "metrics.json")
    gate = recipe.gate
    last = decisions[-1] if decisions else None
    return Outcome(
        {
            "name": name,
            "version": version.version,
            "champion": current.version if current else None,
            "metric": gate.metric,
            "score": metrics[gate.metric],
            "interval": [metrics[f"{gate.metric}.low"], metrics[f"{gate.metric}.high"]],
            "test_rows": metrics["rows"],
            "baseline": gate.baseline,
            "baseline_score": metrics.get(f"baseline.{gate.baseline}.{gate.metric}"),
            "verdict": _verdict(last, version.version),
            "decided": last.time if last else "",
            "reason": last.reason if last else "",
            "run_id": version.run_id,
            "question": '"some text"' if recipe.input.kind == "text" else "--file rows.jsonl",
            "report": str((folder / "report.html").relative_to(workspace.root)),
        }
    )


def _verdict(last: Entry | None, version: int) -> str:
    if last is None:
        return "undecided"
    # Rolled back *to* this version, it is champion again.
    return "promoted" if last.outcome == "rolled_back" and last.version == version else last.outcome


def settled(workspace: Workspace, name: str) -> bool:
    """Whether what the stages would make is made, registered and decided about already."""
    from seqline.graph import up_to_date
    from seqline.tracking.journey import settled_already
    from seqline.tracking.runs import connect

    if not up_to_date(workspace.root, f"evaluate@{name}"):
        return False
    return settled_already(connect(workspace.root), name, recipe=workspace.recipe(name))
