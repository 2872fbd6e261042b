"""The gate: rules that a challenger must pass before it may be champion, each a pure function of numbers.

A rule gives verdicts in plain words, for the person who reads the refusal. A number that is missing, NaN or
infinite never passes. All rules are always judged, so that one refusal names everything that is wrong.

Of the gate's metric more or less may be better. Scores in a verdict are as they were measured; a gain or loss is signed
so that positive is better. `margin` and `max_slice_drop` are in the metric's own unit where it runs from 0 to 1, else
shares of the champion's value: 0.05 is five points of accuracy, and 5 % of a perplexity.

Legend: N test rows, K values of a row.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from seqline.evaluation.comparison import (
    Comparison,
    Evidence,
    alpha_of_look,
    comparable,
    compare,
    finite_or_none,
    lower_bound,
    worn_out,
)
from seqline.evaluation.intervals import mcnemar, paired_bootstrap
from seqline.recipe import GateSection

_BYTES_PER_MB = 1_000_000
# Differences of shares of rows are compared up to rounding: 0.05 of 100 rows is 5 rows, not 4.999.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Verdict:
    """One rule's answer.

    Attributes:
        rule: Name of the rule, with what it was applied to.
        passed: Whether the challenger passed.
        value: The number judged; None when there is none.
        bound: What it was judged against.
        reason: The verdict in plain words.
    """

    rule: str
    passed: bool
    value: float | None
    bound: float | None
    reason: str

    def record(self) -> dict[str, Any]:
        """As JSON values; NaN and infinity, which JSON does not have, become null (the reason names them)."""
        finite = {key: finite_or_none(getattr(self, key)) for key in ("value", "bound")}
        return {**asdict(self), **finite}


@dataclass(frozen=True)
class Judgement:
    """The gate's answer: a verdict for each rule, and the numbers of the comparison where there was one."""

    verdicts: list[Verdict]
    comparison: Comparison | None

    @property
    def passed(self) -> bool:
        """Whether every rule passed."""
        return all(verdict.passed for verdict in self.verdicts)


def judge(gate: GateSection, evidence: Evidence) -> Judgement:
    """Apply every rule of `RULES`.

    Args:
        gate: The recipe's `gate` section.
        evidence: The numbers.
    """
    comparison = compare(gate, evidence)
    verdicts = [verdict for rule in RULES.values() for verdict in rule(gate, evidence, comparison)]
    return Judgement(verdicts, comparison)


def verdict_table(verdicts: Sequence[Verdict]) -> str:
    """Aligned lines for a terminal: verdict, rule, value, bound, reason."""
    header = ("", "rule", "value", "bound", "reason")
    rows = [
        ("pass" if v.passed else "REFUSE", v.rule, _shown(v.value), _shown(v.bound), v.reason)
        for v in verdicts
    ]
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(4)]
    lines = []
    for row in [header, *rows]:
        left = [row[0].ljust(widths[0]), row[1].ljust(widths[1])]
        right = [row[2].rjust(widths[2]), row[3].rjust(widths[3])]
        lines.append("  ".join([*left, *right, row[4]]).rstrip())
    return "\n".join(lines)


def _finite(gate: GateSection, evidence: Evidence, _: Comparison | None) -> list[Verdict]:
    bad = [name for name, value in evidence.metrics.items() if not math.isfinite(value)]
    arrays = {
        "the challenger's answers": evidence.values,
        "the champion's answers": evidence.champion_values,
        "the latencies": evidence.latency_ms,
    }
    bad += [name for name, array in arrays.items() if array is not None and not np.isfinite(array).all()]
    reason = f"NaN or infinity in {', '.join(bad)}" if bad else "every number is finite"
    return [Verdict("finite", not bad, float(len(bad)), 0.0, reason)]


def _test_rows(gate: GateSection, evidence: Evidence, _: Comparison | None) -> list[Verdict]:
    rows = len(evidence.targets)
    passed = rows >= gate.min_test_rows and len(evidence.values) == rows
    reason = f"{rows} test rows" if passed else f"{rows} test rows are too few to judge by"
    return [Verdict("test_rows", passed, float(rows), float(gate.min_test_rows), reason)]


def _floors(gate: GateSection, evidence: Evidence, _: Comparison | None) -> list[Verdict]:
    return [_bounded("floor", name, bound, evidence) for name, bound in sorted(gate.floors.items())]


def _ceilings(gate: GateSection, evidence: Evidence, _: Comparison | None) -> list[Verdict]:
    return [_bounded("ceiling", name, bound, evidence) for name, bound in sorted(gate.ceilings.items())]


def _bounded(kind: str, name: str, bound: float, evidence: Evidence) -> Verdict:
    value = evidence.metrics.get(name)
    rule = f"{kind} {name}"
    if value is None or not math.isfinite(value):
        return Verdict(
            rule, False, value, bound, f"{name} was not measured" if value is None else f"{name} is {value}"
        )
    passed = value >= bound if kind == "floor" else value <= bound
    relation = {("floor", True): "at least", ("floor", False): "below", ("ceiling", True): "at most"}
    return Verdict(
        rule,
        passed,
        value,
        bound,
        f"{name} {value:.4f} is {relation.get((kind, passed), 'above')} {bound:.4f}",
    )


def _baseline(gate: GateSection, evidence: Evidence, _: Comparison | None) -> list[Verdict]:
    if gate.baseline == "none":
        return []
    rule = f"baseline {gate.baseline}"
    metric = evidence.measures.metrics[gate.metric]
    own = evidence.metrics.get(gate.metric, math.nan)
    theirs = evidence.metrics.get(f"baseline.{gate.baseline}.{gate.metric}", math.nan)
    if not (math.isfinite(own) and math.isfinite(theirs)):
        return [Verdict(rule, False, own, theirs, f"{gate.metric} of both was not measured on the test rows")]
    scores = f"{gate.metric} {own:.4f} against {theirs:.4f} of {gate.baseline}"
    if metric.better(own - theirs) <= 0:
        return [Verdict(rule, False, own, theirs, f"{scores}: not better, so it has not earned its place")]
    chance = _luck(gate, evidence)
    if chance is None:
        return [Verdict(rule, True, own, theirs, scores)]
    p_value, counts = chance
    if p_value > gate.alpha:
        return [Verdict(rule, False, own, theirs, f"{scores}: may be luck ({counts}, alpha {gate.alpha:g})")]
    return [Verdict(rule, True, own, theirs, f"{scores} ({counts})")]


def _luck(gate: GateSection, evidence: Evidence) -> tuple[float, str] | None:
    """How likely so clear an advantage over the baseline is by luck, and how that was found; None if it cannot be told."""
    metric = evidence.measures.metrics[gate.metric]
    if not comparable(evidence):
        return None
    if metric.right is not None and evidence.baseline_right is not None:
        test = mcnemar(metric.right(evidence.values, evidence.targets), evidence.baseline_right)
        counts = f"alone right on {test.only_a} rows against {test.only_b}, p = {test.p_value:.2g}"
        return test.p_value, counts
    other = evidence.baseline_values
    if other is None or other.shape != evidence.values.shape or not np.isfinite(other).all():
        return None
    p_value = paired_bootstrap(metric, evidence.values, other, evidence.targets).p_value
    return p_value, f"p = {p_value:.2g}"


def _champion(gate: GateSection, evidence: Evidence, comparison: Comparison | None) -> list[Verdict]:
    if evidence.champion_values is None:
        return []
    rule = f"champion {gate.champion}"
    if comparison is None:
        return [Verdict(rule, False, None, None, "challenger and champion cannot be compared on these rows")]
    if gate.champion == "not_worse":
        return [_not_worse(rule, gate, evidence, comparison)]
    return _better(rule, gate, evidence, comparison)


def _not_worse(rule: str, gate: GateSection, evidence: Evidence, comparison: Comparison) -> Verdict:
    metric = evidence.measures.metrics[gate.metric]
    worst = lower_bound(metric, comparison.bootstrap)
    margin = metric.allowance(gate.margin, comparison.champion)
    passed = worst >= -margin
    word = "surely lost at most" if passed else "may have lost more than"
    change = worst if metric.direction == "higher" else -worst
    sure = f"{1 - gate.alpha:.0%} sure: {change:+.4f} or better"
    reason = f"{_scores(comparison)}: {word} the margin of {margin:g} ({sure})"
    return Verdict(rule, passed, worst, -margin, reason)


def _better(rule: str, gate: GateSection, evidence: Evidence, comparison: Comparison) -> list[Verdict]:
    metric = evidence.measures.metrics[gate.metric]
    alpha = alpha_of_look(gate.alpha, evidence.looks)
    tests = {"bootstrap": comparison.bootstrap.p_value}
    test = comparison.mcnemar if metric.right is not None else None
    counts = ""
    if test is not None:
        tests["mcnemar"] = test.p_value
        counts = f", alone right on {test.only_a} rows against {test.only_b}"
    look = f"look {evidence.looks + 1} at these rows"
    gained = metric.better(comparison.bootstrap.difference) > 0
    verdicts = []
    for name, p_value in tests.items():
        passed = gained and p_value <= alpha
        shown = f"p = {p_value:.2g}, needed {alpha:.2g} on {look}"
        what = "better" if passed else "may be luck" if gained else "not better"
        if worn_out(gate.alpha, evidence.looks):
            what = "these test rows were looked at too often to tell; bring new ones"
        reason = f"{_scores(comparison)}: {what} ({shown}{counts if name == 'mcnemar' else ''})"
        verdicts.append(Verdict(f"{rule} ({name})", passed, p_value, alpha, reason))
    return verdicts


def _scores(comparison: Comparison) -> str:
    return f"{comparison.metric} {comparison.challenger:.4f} against the champion's {comparison.champion:.4f}"


def _slices(gate: GateSection, evidence: Evidence, _: Comparison | None) -> list[Verdict]:
    champion = evidence.champion_values
    if champion is None:
        return []
    if not comparable(evidence):
        return [
            Verdict("slices", False, None, gate.max_slice_drop, "slices cannot be compared on these rows")
        ]
    metric = evidence.measures.metrics[gate.metric]
    found: list[tuple[float, Verdict]] = []
    for name, rows in sorted(evidence.slices.items()):
        size = int(rows.sum())
        if size < gate.min_slice_rows:
            continue
        targets = evidence.targets[rows]
        own, theirs = (
            metric.function(evidence.values[rows], targets),
            metric.function(champion[rows], targets),
        )
        if math.isnan(theirs):
            # Nothing there for the champion to be measured by (no spans, no tokens), so nothing to fall from.
            continue
        drop, bound = metric.better(theirs - own), metric.allowance(gate.max_slice_drop, theirs)
        reason = f"{gate.metric} {own:.4f} against the champion's {theirs:.4f} on {size} rows"
        verdict = Verdict(f"slice {name}", drop <= bound + _ROUNDING, -drop, -bound, reason)
        found.append((bound - drop, verdict))
    # A line for each slice that fell; when all hold, the one that came closest.
    refused = [verdict for _, verdict in found if not verdict.passed]
    return refused or [verdict for _, verdict in sorted(found, key=lambda entry: entry[0])[:1]]


def _latency(gate: GateSection, evidence: Evidence, _: Comparison | None) -> list[Verdict]:
    if not len(evidence.latency_ms):
        return [Verdict("latency", False, None, gate.max_latency_ms, "latency was not measured")]
    p95 = float(np.quantile(evidence.latency_ms, 0.95))
    passed = p95 <= gate.max_latency_ms
    reason = f"95 % of {len(evidence.latency_ms)} single answers within {p95:.1f} ms"
    return [Verdict("latency", passed, p95, gate.max_latency_ms, reason)]


def _size(gate: GateSection, evidence: Evidence, _: Comparison | None) -> list[Verdict]:
    megabytes = evidence.size_bytes / _BYTES_PER_MB
    passed = megabytes <= gate.max_size_mb
    return [Verdict("size", passed, megabytes, gate.max_size_mb, f"the model takes {megabytes:.2f} MB")]


def _shown(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.0f}" if float(value).is_integer() and abs(value) >= 1 else f"{value:.4g}"


Rule = Callable[[GateSection, Evidence, Comparison | None], list[Verdict]]
RULES: dict[str, Rule] = {
    "finite": _finite,
    "test_rows": _test_rows,
    "floors": _floors,
    "ceilings": _ceilings,
    "baseline": _baseline,
    "champion": _champion,
    "slices": _slices,
    "latency": _latency,
    "size": _size,
}
