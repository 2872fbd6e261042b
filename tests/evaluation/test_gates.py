import dataclasses
import math

import numpy as np
import pytest

from seqline.evaluation.comparison import Evidence, alpha_of_look
from seqline.evaluation.gates import RULES, Verdict, judge, verdict_table
from seqline.evaluation.metrics import measures_of
from seqline.recipe import GateSection

ROWS = 1000
CLASSES = measures_of(("accuracy", "macro_f1"))
TARGETS = np.arange(ROWS) % 2


def answers(wrong: range | list[int], targets: np.ndarray = TARGETS) -> np.ndarray:
    """Probabilities that are wrong on exactly these rows."""
    positive = np.where(targets == 1, 0.9, 0.1)
    positive[list(wrong)] = 1 - positive[list(wrong)]
    return np.stack([1 - positive, positive], axis=1)


def slice_of(rows: range) -> np.ndarray:
    mask = np.zeros(ROWS, dtype=bool)
    mask[list(rows)] = True
    return mask


def gate(**settings: object) -> GateSection:
    return GateSection.model_validate({"metric": "accuracy", "baseline": "none", **settings})


def evidence(wrong: range | list[int] = range(50), **changes: object) -> Evidence:
    found = Evidence(
        measures=CLASSES,
        metrics={"accuracy": 0.95, "macro_f1": 0.95, "ece": 0.05, "baseline.tfidf_bigram.accuracy": 0.9},
        targets=TARGETS,
        values=answers(wrong),
        latency_ms=np.full(50, 10.0),
        size_bytes=1_000_000,
    )
    return dataclasses.replace(found, **changes)


CHAMPION = {"champion_values": answers(range(100))}
SMALL_SLICE = {"slices": {"few": slice_of(range(40))}}
# Better on the whole, worse by 30 rows of the last 200.
FALLEN = {"slices": {"late": slice_of(range(800, 1000))}, **CHAMPION}
FALLEN_ROWS = list(range(800, 830))
ONE_NAN = answers(range(50))
ONE_NAN[7, 1] = math.nan

# rule -> (settings, evidence that passes, evidence that refuses)
CASES = {
    "finite (metric)": (gate(), evidence(), evidence(metrics={"accuracy": math.nan})),
    "finite (infinite)": (gate(), evidence(), evidence(metrics={"log_loss": math.inf})),
    "finite (challenger)": (gate(), evidence(), evidence(values=ONE_NAN)),
    "finite (champion)": (gate(), evidence(**CHAMPION), evidence(champion_values=ONE_NAN)),
    "finite (latency)": (gate(), evidence(), evidence(latency_ms=np.array([math.nan]))),
    "test_rows": (
        gate(min_test_rows=ROWS),
        evidence(),
        evidence([3], targets=TARGETS[:999], values=answers([3])[:999]),
    ),
    "floor accuracy": (
        gate(floors={"accuracy": 0.95}),
        evidence(),
        evidence(metrics={"accuracy": 0.9499}),
    ),
    "floor missing": (gate(floors={"auroc": 0.5}), evidence(metrics={"auroc": 0.5}), evidence()),
    "ceiling ece": (gate(ceilings={"ece": 0.05}), evidence(), evidence(metrics={"ece": 0.0501})),
    "ceiling missing": (gate(ceilings={"log_loss": 1.0}), evidence(metrics={"log_loss": 1.0}), evidence()),
    "baseline by score": (
        gate(baseline="tfidf_bigram"),
        evidence(),
        evidence(metrics={"accuracy": 0.9, "baseline.tfidf_bigram.accuracy": 0.9}),
    ),
    "baseline not measured": (
        gate(baseline="tfidf_bigram"),
        evidence(),
        evidence(metrics={"accuracy": 0.95}),
    ),
    "baseline by rows": (
        gate(baseline="tfidf_bigram"),
        evidence(baseline_right=~slice_of(range(100))),
        evidence(baseline_right=~slice_of(range(51))),
    ),
    "champion better": (gate(), evidence(range(50), **CHAMPION), evidence(range(97), **CHAMPION)),
    "champion equal": (gate(), evidence(range(50), **CHAMPION), evidence(range(100), **CHAMPION)),
    "champion of another shape": (
        gate(),
        evidence(**CHAMPION),
        evidence(champion_values=answers([])[:900]),
    ),
    "champion better in macro_f1": (
        gate(metric="macro_f1"),
        evidence(range(50), **CHAMPION),
        evidence(range(97), **CHAMPION),
    ),
    "champion not_worse": (
        gate(champion="not_worse", margin=0.02),
        evidence(range(105), **CHAMPION),
        evidence(range(119), **CHAMPION),
    ),
    "slice": (
        gate(max_slice_drop=0.05),
        evidence(range(50), **FALLEN),
        evidence(FALLEN_ROWS, **FALLEN),
    ),
    "latency": (
        gate(max_latency_ms=20),
        evidence(latency_ms=np.array([10.0] * 49 + [900.0])),
        evidence(latency_ms=np.array([10.0] * 45 + [21.0] * 5)),
    ),
    "latency not measured": (gate(), evidence(), evidence(latency_ms=np.empty(0))),
    "size": (gate(max_size_mb=1.0), evidence(), evidence(size_bytes=1_000_001)),
}


@pytest.mark.parametrize("name", CASES)
def test_every_rule_passes_what_is_good_and_refuses_what_is_not(name: str) -> None:
    settings, good, bad = CASES[name]
    assert [v for v in judge(settings, good).verdicts if not v.passed] == []
    refused = [v for v in judge(settings, bad).verdicts if not v.passed]
    assert refused
    assert refused[0].rule.startswith(name.split(maxsplit=1)[0])
    assert all(verdict.reason for verdict in refused)


def test_every_rule_has_cases() -> None:
    covered = {name.split()[0] for name in CASES}
    assert {rule.removesuffix("s") for rule in RULES} == {name.removesuffix("s") for name in covered}


def test_one_refusal_names_everything_that_is_wrong() -> None:
    judged = judge(gate(floors={"accuracy": 0.99}, max_size_mb=0.1), evidence(range(100), **CHAMPION))
    assert not judged.passed
    assert {v.rule for v in judged.verdicts if not v.passed} == {
        "floor accuracy",
        "champion better (bootstrap)",
        "champion better (mcnemar)",
        "size",
    }


def test_small_slices_do_not_refuse_and_a_drop_of_exactly_the_bound_passes() -> None:
    assert judge(gate(), evidence(range(20), **SMALL_SLICE, **CHAMPION)).passed
    late = {"slices": {"late": slice_of(range(800, 1000))}}
    ten_of_200 = evidence(range(800, 810), **late, **CHAMPION)
    assert judge(gate(max_slice_drop=0.05), ten_of_200).passed
    assert not judge(gate(max_slice_drop=0.0499), ten_of_200).passed


def test_the_comparison_is_recorded_with_its_counts() -> None:
    comparison = judge(gate(), evidence([*range(90), 500], **CHAMPION)).comparison
    assert (comparison.mcnemar.only_a, comparison.mcnemar.only_b) == (10, 1)
    assert comparison.bootstrap.difference == pytest.approx(0.009)
    assert comparison.record()["rows"] == ROWS


def test_more_looks_need_more_evidence_and_all_looks_together_spend_alpha() -> None:
    assert sum(alpha_of_look(0.05, look) for look in range(10_000)) == pytest.approx(0.05, rel=1e-3)
    ten_rows = evidence([*range(91), 500], **CHAMPION)  # 9 rows won, 1 lost: p = 0.0107
    assert judge(gate(), ten_rows).passed
    assert not judge(gate(), dataclasses.replace(ten_rows, looks=1)).passed


def test_nan_is_recorded_as_null() -> None:
    record = Verdict("floor x", False, math.nan, 0.5, "x is nan").record()
    assert record["value"] is None
    assert record["bound"] == 0.5


def test_the_table_is_aligned() -> None:
    lines = verdict_table(judge(gate(floors={"accuracy": 0.99}), evidence()).verdicts).splitlines()
    column = lines[0].index("reason")
    assert all(line[column - 1] == " " and line[column] != " " for line in lines)
    assert [line.split()[0] for line in lines[1:]] == ["pass", "pass", "REFUSE", "pass", "pass"]


def correlated(seed: int, accuracies: tuple[float, float], rows: int = 2_000) -> Evidence:
    """Champion and challenger that share four fifths of what makes a row hard."""
    from scipy.stats import norm

    generator = np.random.default_rng(seed)
    targets = generator.integers(0, 2, rows)
    shared = generator.normal(size=rows)
    probabilities = []
    for accuracy in accuracies:
        hardness = 0.85 * shared + math.sqrt(1 - 0.85**2) * generator.normal(size=rows)
        probabilities.append(answers(np.flatnonzero(hardness > norm.ppf(accuracy)).tolist(), targets))
    quarters = {f"quarter {part}": np.arange(rows) % 4 == part for part in range(4)}
    return Evidence(
        measures=CLASSES,
        metrics={},
        targets=targets,
        values=probabilities[1],
        champion_values=probabilities[0],
        slices=quarters,
        latency_ms=np.ones(50),
        size_bytes=1,
    )


def test_equal_models_are_promoted_by_luck_at_most_one_time_in_twenty() -> None:
    passed = sum(judge(gate(), correlated(seed, (0.93, 0.93))).passed for seed in range(40))
    assert passed <= 3


def test_two_points_at_two_thousand_rows_are_seen_four_times_in_five() -> None:
    passed = sum(judge(gate(), correlated(seed, (0.93, 0.95))).passed for seed in range(40))
    assert passed >= 32


@pytest.mark.parametrize("looks", [0, 9, 40])
def test_a_much_better_challenger_passes_however_many_were_refused_before(looks: int) -> None:
    assert judge(gate(), evidence(range(5), looks=looks, **CHAMPION)).passed


def test_rows_that_were_looked_at_too_often_say_so() -> None:
    verdicts = judge(gate(), evidence(range(5), looks=80, **CHAMPION)).verdicts
    [refusal] = [verdict for verdict in verdicts if not verdict.passed]
    assert "bring new ones" in refusal.reason
