import numpy as np
import pytest

from seqline.data.kinds.text import TextKind
from seqline.evaluation.behaviours import BEHAVIOURS, negation_probes, run_behaviour
from seqline.evaluation.calibration import calibration_curve, roc_curve
from seqline.evaluation.metrics import auroc, ece, measures_of
from seqline.evaluation.slices import cut_by_numbers, cut_by_values, make_slices, measure_slices


def _by_words(score):
    def predict(texts):
        second = np.array([score(text) for text in texts], dtype=np.float32)
        return np.stack([1 - second, second], axis=1)

    return predict


@pytest.mark.parametrize("seed", range(5))
def test_slices_of_a_column_hold_every_row_once(seed):
    rng = np.random.default_rng(seed)
    n = 200
    columns = {
        "city": [str(v) if v else None for v in rng.integers(0, 40, n)],
        "age": [float(v) if v > 0.1 else float("nan") for v in rng.random(n)],
        "stars": rng.integers(1, 6, n).tolist(),
        "constant": [7.5] * n,
        "flag": (rng.random(n) < 0.5).tolist(),
    }
    texts = [" ".join(["w"] * int(k)) for k in rng.integers(0, 30, n)]
    slices = make_slices(["length", *columns], kind=TextKind(), column="text", inputs=texts, columns=columns)
    for name in ["length", *columns]:
        covered = np.sum([part.rows for part in slices if part.column == name], axis=0)
        assert (covered == 1).all(), name


def test_quarters_show_their_edges():
    names = [part.name for part in cut_by_numbers("length", [1, 2, 3, 4, 5, 6, 7, 8], "words")]
    assert names == ["1 to 2 words", "3 to 4 words", "5 to 6 words", "7 to 8 words"]


def test_rare_values_are_pooled_and_missing_ones_kept_apart():
    parts = cut_by_values("city", ["a"] * 5 + ["b"] * 4 + ["c", "d", None], min_rows=3)
    assert [(p.name, int(p.rows.sum())) for p in parts] == [
        ("a", 5),
        ("b", 4),
        ("(other)", 2),
        ("(missing)", 1),
    ]


def test_an_unknown_column_is_an_error():
    with pytest.raises(KeyError):
        make_slices(["colour"], kind=TextKind(), column="text", inputs=["a"], columns={})


def test_slices_find_the_part_on_which_a_model_fails():
    probs = np.tile([0.9, 0.1], (60, 1))
    targets = np.array([0] * 30 + [1] * 30)
    results = measure_slices(
        cut_by_values("half", ["x"] * 30 + ["y"] * 30), probs, targets, measures_of(["accuracy"])
    )
    assert [(r.name, r.n, r.interval.value) for r in results] == [("x", 30, 1.0), ("y", 30, 0.0)]
    assert results[1].interval.high < 0.2 < 0.8 < results[0].interval.low


def test_a_case_sensitive_model_is_caught():
    predict = _by_words(lambda text: 0.9 if "good" in text else 0.2)
    result = run_behaviour("case", predict, ["it is good", "it is bad", "So good"], seed=0)
    assert result.by_kind == {"lower case": (1, 1), "upper case": (3, 1)}
    assert (result.tried, result.passed, result.flipped) == (4, 2, 2)
    assert result.share == 0.5
    assert {failure.probe.after for failure in result.failures} == {"IT IS GOOD", "SO GOOD"}
    failure = result.failures[0]
    assert (failure.label_before, failure.label_after) == (1, 0)
    assert (failure.probability_before, failure.probability_after) == pytest.approx(
        (0.9, 0.1 + 0.0), abs=0.11
    )


def test_a_model_that_reads_spaces_is_caught():
    predict = _by_words(lambda text: 0.9 if "  " in text else 0.2)
    result = run_behaviour("space", predict, ["it is bad"], seed=0)
    assert result.by_kind == {"doubled spaces": (1, 0), "space around": (1, 1), "line breaks": (1, 1)}


def test_negation_separates_a_model_that_reads_not_from_one_that_does_not():
    def naive(text):
        return 0.8 if any(word in text for word in ("good", "great", "excellent", "enjoyable")) else 0.2

    deaf = run_behaviour("negation", _by_words(naive), ["This was good."], seed=0)
    hearing = run_behaviour(
        "negation",
        _by_words(lambda text: 1 - naive(text) if " not " in text else naive(text)),
        ["This was good."],
        seed=0,
    )
    assert (deaf.tried, deaf.share) == (49, 0.0)
    assert (hearing.share, hearing.flipped) == (1.0, 49)


def test_negation_leaves_texts_of_open_meaning_alone():
    texts = [
        "It was good, but late.",
        "It wasn't good.",
        "Is it good?",
        "It was good and is fine.",
        "x " * 13 + "was",
    ]
    assert [p for p in negation_probes(texts) if p.kind == "test text"] == []
    added = [p.after for p in negation_probes(["The soup was hot."]) if p.kind == "test text"]
    assert added == ["The soup was not hot."]


@pytest.mark.parametrize("name", BEHAVIOURS)
def test_a_model_that_ignores_the_text_keeps_its_label(name):
    result = run_behaviour(name, _by_words(lambda text: 0.5), ["It was good"] * 600, seed=0)
    assert result.flipped == 0
    assert result.tried <= 1_500


def test_no_probes_give_no_share():
    assert np.isnan(run_behaviour("case", _by_words(lambda text: 0.5), ["123"], seed=0).share)


def test_calibration_bins_add_up_to_the_calibration_error():
    rng = np.random.default_rng(0)
    probs, targets = rng.dirichlet([1, 1, 1], 300), rng.integers(0, 3, 300)
    bins = calibration_curve(probs, targets, 15)
    assert sum(part.n for part in bins) == 300
    total = sum(part.n * abs(part.accuracy - part.confidence) for part in bins) / 300
    assert total == pytest.approx(ece(probs, targets))


def test_the_area_under_the_roc_curve_is_the_metric():
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 2, 120)
    score = np.round(np.clip(rng.random(120) * 0.7 + 0.3 * targets, 0, 1), 2)
    points = roc_curve(score, targets == 1, max_points=1_000)
    area = np.trapezoid([p.true_positive_rate for p in points], [p.false_positive_rate for p in points])
    assert area == pytest.approx(auroc(np.stack([1 - score, score], axis=1), targets))
    thin = roc_curve(score, targets == 1, max_points=10)
    assert len(thin) <= 10
    assert (thin[0].true_positive_rate, thin[-1].false_positive_rate) == (0.0, 1.0)
    assert roc_curve(score, targets >= 0) == []
