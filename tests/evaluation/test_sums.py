"""Metrics made of sums over rows: a made-up task whose rows have errors and tokens, and fewer errors are better."""

import dataclasses
import math

import numpy as np
import pytest

from seqline.data.kinds.series import SeriesKind
from seqline.data.kinds.text import TextKind
from seqline.evaluation.comparison import Evidence
from seqline.evaluation.gates import judge
from seqline.evaluation.intervals import bootstrap_intervals, paired_bootstrap
from seqline.evaluation.measures import Measures, summed
from seqline.evaluation.metrics import METRICS, measures_of
from seqline.evaluation.resampling import draws
from seqline.evaluation.slices import cut_by_values, make_slices, measure_slices
from seqline.evaluation.sums import ROWS, columns_of, exp_ratio, f1, of_values, ratio
from seqline.recipe import GateSection

ERROR_RATE = summed(ratio, ("errors", "tokens"), "lower", "share of tokens", (0.0, 1.0), ("made-up",))
COST = summed(ratio, ("cost", "tokens"), "lower", "coins", (0.0, math.inf), ("made-up",))
SOLVED = summed(ratio, ("solved", ROWS), "higher", "share of rows", (0.0, 1.0), ("made-up",), right=True)
COLUMNS = ("tokens", "errors", "cost", "solved")
MADE_UP = Measures(
    {name: m.over(COLUMNS) for name, m in {"error_rate": ERROR_RATE, "cost": COST, "solved": SOLVED}.items()},
    COLUMNS,
)
ROW_COUNT = 400


def model(error_rate: float, *, seed: int = 0, rows: int = ROW_COUNT) -> np.ndarray:
    """Row statistics of a model; two models of one seed share the rows' lengths and most of their luck."""
    rng = np.random.default_rng(seed)
    tokens = rng.integers(1, 30, rows)
    luck = rng.random((rows, 30))
    errors = np.array([(luck[row, :n] < error_rate).sum() for row, n in enumerate(tokens)])
    return np.stack([tokens, errors, 100.0 * errors, errors == 0], axis=1).astype(np.float64)


def by_hand(values: np.ndarray, picked: np.ndarray) -> float:
    return values[picked, 1].sum() / values[picked, 0].sum()


def test_a_metric_finds_its_columns_by_name_and_counts_rows_itself():
    values = model(0.2)
    nothing = np.zeros(len(values), dtype=np.int64)
    assert MADE_UP.metrics["error_rate"].function(values, nothing) == pytest.approx(
        by_hand(values, np.arange(ROW_COUNT))
    )
    assert MADE_UP.metrics["solved"].function(values, nothing) == pytest.approx((values[:, 1] == 0).mean())
    assert ERROR_RATE.function(values[:, [1, 0]], nothing) == MADE_UP.metrics["error_rate"].function(
        values, nothing
    )
    assert math.isnan(MADE_UP.metrics["error_rate"].function(values[:0], nothing))
    assert MADE_UP.right(values, nothing).tolist() == (values[:, 1] == 0).tolist()
    assert Measures({"cost": COST.over(COLUMNS)}, COLUMNS).right(values, nothing) is None


def test_what_a_metric_cannot_read_is_refused():
    with pytest.raises(ValueError, match="no column errors among the row statistics tokens, cost"):
        ERROR_RATE.over(("tokens", "cost"))
    with pytest.raises(ValueError, match=r"shape \(2, 2\), expected \(N, 4\): tokens, errors"):
        MADE_UP.metrics["error_rate"].function(np.ones((2, 2)), np.zeros(2, dtype=np.int64))
    broken = model(0.2)
    broken[3, 2] = np.inf
    with pytest.raises(ValueError, match="first in row 3"):
        columns_of(broken, ("errors",), COLUMNS)


@pytest.mark.parametrize("name", MADE_UP.metrics)
def test_an_interval_equals_the_naive_loop(name):
    values, metric = model(0.15, rows=80), MADE_UP.metrics[name]
    nothing = np.zeros(80, dtype=np.int64)
    interval = bootstrap_intervals({name: metric}, values, nothing, rounds=200, seed=3)[name]
    naive = []
    for counts in np.concatenate(list(draws(80, rounds=200, seed=3))):
        picked = np.repeat(np.arange(80), counts.astype(int))
        naive.append(metric.function(values[picked], nothing))
    assert [interval.low, interval.high] == pytest.approx(np.quantile(naive, [0.025, 0.975]).tolist())
    assert interval.low < interval.value < interval.high


def test_a_function_that_looks_at_sums_only_is_a_metric_too():
    values = model(0.15, rows=60)
    mine = summed(
        of_values(lambda rows: rows[:, 1].sum() / rows[:, 0].sum()),
        ("tokens", "errors"),
        "lower",
        "",
        (0.0, 1.0),
        ("made-up",),
    ).over(COLUMNS)
    nothing = np.zeros(60, dtype=np.int64)
    pair = {"mine": mine, "theirs": MADE_UP.metrics["error_rate"]}
    found = bootstrap_intervals(pair, values, nothing, rounds=100, seed=0)
    assert dataclasses.astuple(found["mine"]) == pytest.approx(dataclasses.astuple(found["theirs"]))


def test_the_paired_bootstrap_knows_that_less_is_better():
    good, bad, nothing = model(0.10), model(0.20), np.zeros(ROW_COUNT, dtype=np.int64)
    metric = MADE_UP.metrics["error_rate"]
    ahead = paired_bootstrap(metric, good, bad, nothing, rounds=400)
    assert ahead.difference < 0
    assert ahead.low <= ahead.difference <= ahead.high < 0
    assert ahead.p_value == pytest.approx(1 / 401)
    assert paired_bootstrap(metric, bad, good, nothing, rounds=400).p_value == 1.0
    same = paired_bootstrap(metric, good, good, nothing, rounds=400)
    assert (same.difference, same.low, same.high, same.p_value) == (0.0, 0.0, 0.0, 1.0)
    slightly = model(0.105)
    assert paired_bootstrap(metric, slightly, good, nothing, rounds=400).p_value > 0.5
    assert paired_bootstrap(metric, slightly, good, nothing, rounds=400, margin=0.02).p_value < 0.01


def test_slices_of_sums_carry_bootstrap_intervals_and_shares_of_right_rows_wilsons():
    values, nothing = model(0.1), np.zeros(ROW_COUNT, dtype=np.int64)
    values[:200, 1] += 1
    parts = cut_by_values("half", ["first"] * 200 + ["second"] * 200)
    first, second = measure_slices(parts, values, nothing, MADE_UP, rounds=200)
    assert first.metrics["error_rate"] == pytest.approx(by_hand(values, np.arange(200)))
    assert set(first.metrics) == {"error_rate", "cost"}
    assert first.interval.low > second.interval.high
    solved = Measures({"solved": SOLVED.over(COLUMNS)}, COLUMNS)
    share = measure_slices(parts[:1], values, nothing, solved)[0].interval
    assert share.value == pytest.approx(values[:200, 3].mean())


@pytest.mark.parametrize(
    ("kind", "inputs", "names"),
    [
        (TextKind(), ["a b c", "d"], {"1 words", "3 words"}),
        (SeriesKind(max_missing_share=0.0), [[1.0, 2.0], [3.0]], {"1 steps", "2 steps"}),
        (
            SeriesKind(max_missing_share=0.0),
            [{"x": [1.0, 2.0], "id": "a"}, {"x": [3.0]}],
            {"1 steps", "2 steps"},
        ),
    ],
)
def test_lengths_are_counted_as_the_kind_counts_them(kind, inputs, names):
    slices = make_slices(["length"], inputs=inputs, kind=kind, column="x", columns={})
    assert {part.name for part in slices} == names


def gate(**settings: object) -> GateSection:
    return GateSection.model_validate({"metric": "error_rate", "baseline": "none", **settings})


def evidence(values: np.ndarray, **changes: object) -> Evidence:
    nothing = np.zeros(len(values), dtype=np.int64)
    figures = {name: metric.function(values, nothing) for name, metric in MADE_UP.metrics.items()}
    found = Evidence(MADE_UP, figures, nothing, values, latency_ms=np.ones(5), size_bytes=1)
    return dataclasses.replace(found, **changes)


GOOD, LIKE, BAD = model(0.10), model(0.11), model(0.16)


@pytest.mark.parametrize("metric", ["error_rate", "cost"])
def test_a_challenger_with_fewer_errors_becomes_champion_and_one_with_more_does_not(metric):
    settings = gate(metric=metric)
    assert judge(settings, evidence(GOOD, champion_values=BAD)).passed
    refused = [v for v in judge(settings, evidence(BAD, champion_values=GOOD)).verdicts if not v.passed]
    assert [v.rule for v in refused] == ["champion better (bootstrap)"]
    assert "not better" in refused[0].reason
    luck = [v for v in judge(settings, evidence(GOOD, champion_values=GOOD)).verdicts if not v.passed]
    assert [v.rule for v in luck] == ["champion better (bootstrap)"]


def test_not_worse_forgives_the_margin_on_the_bad_side_only():
    kind = {"champion": "not_worse"}
    assert judge(gate(margin=0.03, **kind), evidence(LIKE, champion_values=GOOD)).passed
    assert not judge(gate(margin=0.03, **kind), evidence(BAD, champion_values=GOOD)).passed
    [verdict] = [
        v
        for v in judge(gate(margin=0.03, **kind), evidence(GOOD, champion_values=BAD)).verdicts
        if "champion" in v.rule
    ]
    assert verdict.passed
    assert verdict.value > 0


def test_a_margin_of_a_metric_without_upper_bound_is_a_share_of_the_champions_value():
    champion = MADE_UP.metrics["cost"].function(GOOD, np.zeros(ROW_COUNT, dtype=np.int64))
    judged = judge(
        gate(metric="cost", champion="not_worse", margin=0.3), evidence(LIKE, champion_values=GOOD)
    )
    [verdict] = [v for v in judged.verdicts if "champion" in v.rule]
    assert verdict.bound == pytest.approx(-0.3 * champion)
    assert verdict.passed
    tight = gate(metric="cost", champion="not_worse", margin=0.01)
    assert not judge(tight, evidence(LIKE, champion_values=GOOD)).passed


def test_a_slice_falls_when_its_errors_rise():
    worse = GOOD.copy()
    worse[:150, 1] += 3
    halves = {"early": np.arange(ROW_COUNT) < 150, "late": np.arange(ROW_COUNT) >= 250}
    lenient = gate(champion="not_worse", margin=1.0)
    fallen = [
        v
        for v in judge(lenient, evidence(worse, champion_values=GOOD, slices=halves)).verdicts
        if not v.passed
    ]
    assert [v.rule for v in fallen] == ["slice early"]
    assert fallen[0].value < fallen[0].bound < 0
    risen = judge(lenient, evidence(GOOD, champion_values=worse, slices=halves)).verdicts
    assert all(v.passed for v in risen)


def test_a_slice_without_anything_to_measure_refuses_nobody():
    values = GOOD.copy()
    values[:150] = 0
    empty = {"empty": np.arange(ROW_COUNT) < 150}
    judged = judge(gate(champion="not_worse"), evidence(values, champion_values=values, slices=empty))
    assert judged.passed
    assert not [v for v in judged.verdicts if "slice" in v.rule]


def test_a_baseline_must_be_beaten_downwards_and_not_by_luck():
    settings = gate(baseline="simple")
    named = {"baseline.simple.error_rate": 0.16}
    figures = evidence(GOOD).metrics

    def rule(values: np.ndarray, others: np.ndarray | None) -> str:
        found = evidence(
            values, metrics={**figures, **evidence(values).metrics, **named}, baseline_values=others
        )
        [refused] = [v for v in judge(settings, found).verdicts if v.rule == "baseline simple"]
        return "passed" if refused.passed else refused.reason

    assert rule(GOOD, BAD) == "passed"
    assert rule(GOOD, None) == "passed"
    assert "not better" in rule(model(0.3), BAD)
    assert "may be luck" in rule(GOOD, GOOD)


def test_mcnemar_only_where_rows_are_right_or_wrong():
    solved = gate(metric="solved")
    verdicts = judge(solved, evidence(GOOD, champion_values=BAD)).verdicts
    assert {"champion better (bootstrap)", "champion better (mcnemar)"} <= {v.rule for v in verdicts}
    judged = judge(gate(), evidence(GOOD, champion_values=BAD))
    assert "champion better (mcnemar)" not in {v.rule for v in judged.verdicts}
    assert judged.comparison.record()["mcnemar"]["only_a"] > 0
    alone = Measures({"error_rate": ERROR_RATE.over(COLUMNS)}, COLUMNS)
    without = judge(gate(), evidence(GOOD, champion_values=BAD, measures=alone)).comparison
    assert without.record()["mcnemar"] is None


def test_floors_and_ceilings_name_any_metric_of_the_task():
    settings = gate(ceilings={"error_rate": 0.12}, floors={"solved": 0.05})
    assert judge(settings, evidence(GOOD)).passed
    assert [v.rule for v in judge(settings, evidence(BAD)).verdicts if not v.passed] == ["ceiling error_rate"]


def test_metrics_of_the_tasks_by_hand():
    nothing = np.zeros(2, dtype=np.int64)
    spans = METRICS["span_f1"].function(np.array([[2.0, 3.0, 4.0], [1.0, 1.0, 2.0]]), nothing)
    assert spans == pytest.approx(2 * 3 / (4 + 6))
    perplexity = METRICS["perplexity"].function(
        np.array([[math.log(4), 1.0], [3 * math.log(4), 3.0]]), nothing
    )
    assert perplexity == pytest.approx(4.0)
    coverage = METRICS["coverage_gap"].function(np.array([[7.0, 10.0, 8.0], [8.0, 10.0, 8.0]]), nothing)
    assert coverage == pytest.approx(0.05)
    assert math.isnan(f1(np.zeros((1, 3)))[0])
    assert exp_ratio(np.array([[0.0, 5.0]]))[0] == 1.0


def test_a_task_gets_its_metrics_over_its_columns():
    measures = measures_of(("perplexity", "hit_at_5"), ("hits_at_5", "nll", "tokens", "other"))
    assert (measures.main, measures.compared, measures.of_classes) == (
        "perplexity",
        ("perplexity", "hit_at_5"),
        False,
    )
    values = np.array([[3.0, 4 * math.log(2), 4.0, 9.0]])
    nothing = np.zeros(1, dtype=np.int64)
    assert measures.metrics["perplexity"].function(values, nothing) == pytest.approx(2.0)
    assert measures.metrics["hit_at_5"].function(values, nothing) == 0.75
    with pytest.raises(KeyError):
        measures_of(("perplexed",), ())
    assert measures_of(("accuracy",)).of_classes
