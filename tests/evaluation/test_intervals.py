import numpy as np
import pytest
from scipy.stats import binomtest

from seqline.evaluation.intervals import bootstrap_intervals, mcnemar, paired_bootstrap, wilson
from seqline.evaluation.metrics import METRICS
from seqline.evaluation.resampling import draws, resampled

OF_CLASSES = [name for name, metric in METRICS.items() if "classification" in metric.tasks]


def _answers(rng, num_rows, skill, num_classes=2):
    targets = rng.integers(0, num_classes, num_rows)
    logits = rng.normal(size=(num_rows, num_classes)) + skill * np.eye(num_classes)[targets]
    return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True), targets


@pytest.mark.parametrize("name", OF_CLASSES)
@pytest.mark.parametrize("num_classes", [2, 4])
def test_the_fast_form_equals_the_metric_on_the_drawn_rows(name, num_classes):
    rng = np.random.default_rng(1)
    probs, targets = _answers(rng, 60, 1.0, num_classes)
    probs = np.round(probs, 2)
    probs /= probs.sum(axis=1, keepdims=True)
    counts = np.concatenate(list(draws(60, rounds=30, seed=5)))
    fast = resampled(name, probs, targets)(counts)
    rows = [np.repeat(np.arange(60), row.astype(int)) for row in counts]
    slow = [METRICS[name].function(probs[r], targets[r]) for r in rows]
    np.testing.assert_allclose(fast, slow, atol=1e-12)


def test_a_round_draws_as_many_rows_as_there_are():
    counts = np.concatenate(list(draws(37, rounds=11, seed=0)))
    assert counts.shape == (11, 37)
    assert (counts.sum(axis=1) == 37).all()


def test_bootstrap_intervals_cover_the_truth_about_as_often_as_they_say():
    rng = np.random.default_rng(0)
    covered = 0
    for trial in range(200):
        right = rng.random(150) < 0.8
        probs = np.where(right[:, None], [0.9, 0.1], [0.1, 0.9])
        interval = bootstrap_intervals(["accuracy"], probs, np.zeros(150, dtype=int), rounds=200, seed=trial)[
            "accuracy"
        ]
        covered += interval.low <= 0.8 <= interval.high
    assert 0.88 <= covered / 200 <= 0.99


def test_bootstrap_is_seeded_and_all_metrics_share_the_draws():
    probs, targets = _answers(np.random.default_rng(3), 80, 1.0)
    alone = bootstrap_intervals(["auroc"], probs, targets, rounds=100, seed=4)
    together = bootstrap_intervals(["accuracy", "auroc"], probs, targets, rounds=100, seed=4)
    assert alone["auroc"] == together["auroc"]
    assert alone != bootstrap_intervals(["auroc"], probs, targets, rounds=100, seed=5)


def test_own_functions_take_the_place_of_a_name():
    probs, targets = _answers(np.random.default_rng(3), 50, 1.0)
    named = bootstrap_intervals(["accuracy"], probs, targets, rounds=100, seed=0)["accuracy"]
    own = bootstrap_intervals({"mine": METRICS["accuracy"].function}, probs, targets, rounds=100, seed=0)
    assert own["mine"].low == pytest.approx(named.low)


def test_an_undefined_metric_has_an_undefined_interval():
    interval = bootstrap_intervals(["auroc"], np.tile([0.4, 0.6], (5, 1)), np.ones(5, dtype=int))["auroc"]
    assert np.isnan([interval.value, interval.low, interval.high]).all()


def test_wilson_agrees_with_scipy():
    for hits, total in [(0, 5), (8, 10), (10, 10), (173, 200)]:
        expected = binomtest(hits, total).proportion_ci(0.95, method="wilson")
        assert wilson(hits, total) == pytest.approx((expected.low, expected.high))
    assert wilson(0, 0) == (0.0, 1.0)


def test_mcnemar_agrees_with_scipys_binomial_test():
    rng = np.random.default_rng(0)
    for _ in range(50):
        a, b = rng.random(40) < rng.uniform(0.5, 1), rng.random(40) < 0.7
        result = mcnemar(a, b)
        assert (result.only_a, result.only_b) == (int((a & ~b).sum()), int((b & ~a).sum()))
        total = result.only_a + result.only_b
        if total:
            assert result.p_value == pytest.approx(
                binomtest(result.only_a, total, alternative="greater").pvalue
            )
            assert result.p_two_sided == pytest.approx(binomtest(result.only_a, total).pvalue)


def test_mcnemar_without_disagreement_shows_nothing():
    same = np.array([True, False, True])
    assert mcnemar(same, same).p_value == 1.0
    assert mcnemar(same[:0], same[:0]).p_two_sided == 1.0
    with pytest.raises(ValueError, match="same shape"):
        mcnemar(same, same[:2])


@pytest.mark.parametrize("name", OF_CLASSES)
def test_equal_models_are_never_better(name):
    probs, targets = _answers(np.random.default_rng(7), 100, 1.0)
    result = paired_bootstrap(name, probs, probs, targets, rounds=100, seed=0)
    assert (result.difference, result.low, result.high, result.p_value) == (0.0, 0.0, 0.0, 1.0)


@pytest.mark.parametrize("name", ["accuracy", "macro_f1", "auroc", "log_loss"])
def test_a_clearly_better_model_is_found_in_either_direction(name):
    rng = np.random.default_rng(2)
    good, targets = _answers(rng, 600, 3.0)
    bad = good * 0.3 + 0.7 * rng.dirichlet([1, 1], 600)
    ahead = paired_bootstrap(name, good, bad, targets, rounds=200, seed=0)
    behind = paired_bootstrap(name, bad, good, targets, rounds=200, seed=0)
    assert ahead.p_value == pytest.approx(1 / 201)
    assert behind.p_value == 1.0
    assert METRICS[name].better(ahead.difference) > 0
    assert ahead.low <= ahead.difference <= ahead.high
    assert ahead.difference == -behind.difference


def test_a_margin_forgives_a_small_loss():
    targets = np.zeros(1000, dtype=int)
    better = np.tile([0.9, 0.1], (1000, 1))
    worse = better.copy()
    worse[:5] = [0.1, 0.9]
    assert paired_bootstrap("accuracy", worse, better, targets, rounds=200).p_value == 1.0
    assert paired_bootstrap("accuracy", worse, better, targets, rounds=200, margin=0.02).p_value < 0.01


def test_equal_models_rarely_look_better_by_luck():
    rng = np.random.default_rng(11)
    lucky = 0
    for trial in range(200):
        targets = np.zeros(200, dtype=int)
        first, second = (np.where(rng.random((200, 1)) < 0.8, [0.9, 0.1], [0.1, 0.9]) for _ in range(2))
        result = paired_bootstrap("accuracy", first, second, targets, rounds=200, seed=trial)
        lucky += result.p_value <= 0.05
    assert lucky / 200 <= 0.09


def test_an_unknown_metric_is_named():
    with pytest.raises(ValueError, match="no metric 'acuracy'; there are accuracy"):
        bootstrap_intervals(["acuracy"], np.array([[0.5, 0.5]]), np.array([0]))
