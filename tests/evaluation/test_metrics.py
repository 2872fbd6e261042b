import doctest
import math
import warnings

import numpy as np
import pytest
from sklearn import metrics as sk

from seqline.evaluation import intervals, measures, metrics, sums
from seqline.evaluation.metrics import METRICS

OF_CLASSES = [name for name, metric in METRICS.items() if "classification" in metric.tasks]


def _problem(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    num_classes = int(rng.integers(2, 6))
    num_rows = int(rng.integers(2, 80))
    logits = rng.normal(size=(num_rows, num_classes)) * rng.choice([0.3, 2.0])
    probs = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    if seed % 3 == 0:
        # Rounded probabilities make ties.
        probs = np.round(probs, 1) + 1e-9
        probs /= probs.sum(axis=1, keepdims=True)
    # Some problems lack a class among the targets.
    return probs, rng.integers(0, num_classes - (seed % 5 == 0 and num_classes > 2), num_rows)


def _sklearn_auroc(probs: np.ndarray, targets: np.ndarray) -> float:
    if probs.shape[1] == 2:
        return sk.roc_auc_score(targets, probs[:, 1])
    present = np.unique(targets)
    return float(np.mean([sk.roc_auc_score(targets == c, probs[:, c]) for c in present]))


@pytest.mark.parametrize("start", range(0, 200, 50))
def test_metrics_agree_with_scikit_learn_on_random_problems(start):
    for seed in range(start, start + 50):
        probs, targets = _problem(seed)
        labels, predictions = range(probs.shape[1]), probs.argmax(axis=1)
        assert metrics.accuracy(probs, targets) == pytest.approx(sk.accuracy_score(targets, predictions))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            f1 = sk.f1_score(targets, predictions, average="macro")
        assert metrics.macro_f1(probs, targets) == pytest.approx(f1)
        assert metrics.log_loss(probs, targets) == pytest.approx(sk.log_loss(targets, probs, labels=labels))
        if len(np.unique(targets)) > 1:
            assert metrics.auroc(probs, targets) == pytest.approx(_sklearn_auroc(probs, targets))
        else:
            assert math.isnan(metrics.auroc(probs, targets))
        expected = sk.confusion_matrix(targets, predictions, labels=labels)
        np.testing.assert_array_equal(metrics.confusion_matrix(probs, targets), expected)
        rows = sk.precision_recall_fscore_support(targets, predictions, labels=labels, zero_division=0)
        ours = [(s.precision, s.recall, s.f1, s.support) for s in metrics.per_class(probs, targets)]
        np.testing.assert_allclose(ours, np.transpose(rows))


def test_ece_by_hand():
    # Two bins. 0.6 and 0.7 lie in (0.5, 1], one is right: |1.3 - 1|. 0.4 lies in (0, 0.5], right: |0.4 - 1|.
    probs = np.array([[0.6, 0.2, 0.2], [0.7, 0.2, 0.1], [0.3, 0.3, 0.4]])
    assert metrics.ece(probs, np.array([0, 1, 2]), bins=2) == pytest.approx((0.3 + 0.6) / 3)


def test_a_perfectly_calibrated_answer_has_no_calibration_error():
    probs = np.tile([0.75, 0.25], (4, 1))
    assert metrics.ece(probs, np.array([0, 0, 0, 1])) == pytest.approx(0)


def test_log_loss_of_a_sure_mistake_is_finite():
    assert metrics.log_loss(np.array([[1.0, 0.0]]), np.array([1])) == pytest.approx(36.04, abs=0.01)


def test_macro_f1_counts_a_class_that_is_only_predicted_and_skips_one_that_is_nowhere():
    probs = np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1]])
    # Class 0: precision 1, recall 1/2, F1 2/3; class 1 is predicted only: 0; class 2 is nowhere.
    assert metrics.macro_f1(probs, np.array([0, 0])) == pytest.approx((2 / 3 + 0) / 2)


@pytest.mark.parametrize("name", OF_CLASSES)
def test_empty_input_is_undefined_not_zero(name):
    assert math.isnan(METRICS[name].function(np.empty((0, 2)), np.empty(0, dtype=np.int64)))


@pytest.mark.parametrize("name", OF_CLASSES)
@pytest.mark.parametrize(
    ("probs", "targets", "message"),
    [
        ([[0.5, 0.5], [np.nan, 1.0]], [0, 1], "NaN, first in row 1"),
        ([[0.5, 0.6]], [0], "sum to"),
        ([[-0.5, 1.5]], [0], "expected 0 to 1"),
        ([[0.5, 0.5]], [2], "expected 0 to 1"),
        ([[0.5, 0.5]], [0, 1], "shape"),
        ([0.5, 0.5], [0, 1], "shape"),
    ],
)
def test_what_no_metric_can_read_is_refused(name, probs, targets, message):
    with pytest.raises(ValueError, match=message):
        METRICS[name].function(np.array(probs), np.array(targets))


@pytest.mark.parametrize("name", OF_CLASSES)
def test_values_stay_in_their_bounds_and_better_answers_score_better(name):
    metric = METRICS[name]
    targets = np.array([0, 1] * 20)
    sharp = np.where(np.eye(2)[targets] == 1, 0.97, 0.03)
    poor = np.where(np.eye(2)[targets] == 1, 0.4, 0.6)
    poor[0] = [0.9, 0.1]
    good, bad = metric.function(sharp, targets), metric.function(poor, targets)
    assert all(metric.bounds[0] <= value <= metric.bounds[1] for value in (good, bad))
    assert metric.better(good - bad) > 0


@pytest.mark.parametrize("module", [metrics, intervals, measures, sums])
def test_docstring_examples_run(module):
    failures, tried = doctest.testmod(module)
    assert (failures, tried > 0) == (0, True)
