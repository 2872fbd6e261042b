"""What a recurrent network has to beat: the majority class and three linear models over word n-grams.

Legend: N test texts, M training texts, C classes, F features.

Baselines tune nothing, so they are fitted on the train and the valid rows together; their settings were chosen
once on a tenth of IMDb's training reviews and hold for every data set. Each is a set of one-against-rest
logistic regressions, fitted by liblinear with its linear algebra held to one thread: the same input gives the
same bits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from seqline.evaluation.ngrams import fit_ngrams

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    from seqline.evaluation.metrics import Ints

# Inverse strengths of the L2 penalty, chosen on a tenth of IMDb's training reviews: docs/evaluation.md.
_TFIDF_C = 10.0
_NB_C = 1.0
_NB_SMOOTHING = 1.0
_MIN_TEXTS = 2

Features = Callable[["csr_matrix", "csr_matrix", NDArray[np.bool_]], "tuple[csr_matrix, csr_matrix]"]


@dataclass(frozen=True)
class Baseline:
    """A simple model and what to say about it.

    Attributes:
        title: A short name for tables.
        what: What it is, in a few words.
        max_order: Longest n-gram it reads; 0 when it does not read the texts.
        per_class: Whether its features depend on the class they are to tell from the rest.
        features: `(train counts (M, F), test counts (N, F), rows of the class bool (M,)) -> both weighted`.
        inverse_penalty: `C` of the logistic regression.
    """

    title: str
    what: str
    max_order: int
    per_class: bool = False
    features: Features | None = None
    inverse_penalty: float = 1.0


def fit_predict(
    name: str,
    *,
    train_texts: Sequence[str],
    train_targets: Ints,
    test_texts: Sequence[str],
    num_classes: int,
    seed: int,
) -> NDArray[np.float64]:
    """Fit one baseline and answer the test texts; see `fit_predict_all`."""
    return fit_predict_all(
        [name],
        train_texts=train_texts,
        train_targets=train_targets,
        test_texts=test_texts,
        num_classes=num_classes,
        seed=seed,
    )[name]


def fit_predict_all(
    names: Sequence[str],
    *,
    train_texts: Sequence[str],
    train_targets: Ints,
    test_texts: Sequence[str],
    num_classes: int,
    seed: int,
) -> dict[str, NDArray[np.float64]]:
    """Fit several baselines on one count of the n-grams and answer the test texts.

    Args:
        names: Keys of `BASELINES`.
        train_texts: M texts (train and valid rows).
        train_targets: int64 (M,) class indices.
        test_texts: N texts.
        num_classes: C.
        seed: Handed to liblinear; its solver for these problems draws nothing.

    Returns:
        Name -> float64 (N, C) probabilities, rows sum to 1. A class without training rows gets 0. Where the
        texts hold no n-gram at all, or only one class is there to learn, a baseline answers with the class
        shares.

    Raises:
        ValueError: There is no training row.
    """
    targets = np.asarray(train_targets)
    if not len(targets):
        raise ValueError("baselines need at least one training row")
    shares = np.bincount(targets, minlength=num_classes) / len(targets)
    answers = {name: np.tile(shares, (len(test_texts), 1)) for name in names}
    readers = [name for name in names if BASELINES[name].max_order]
    if not readers or np.count_nonzero(shares) < 2:
        return answers
    train, test = _count(train_texts, test_texts, max(BASELINES[name].max_order for name in readers))
    for name in readers:
        order = BASELINES[name].max_order
        seen, asked = _join(train[:order]), _join(test[:order])
        if seen.shape[1]:
            answers[name] = _one_against_rest(
                BASELINES[name], seen, targets, asked, num_classes=num_classes, seed=seed
            )
    return answers


def tfidf(train: csr_matrix, test: csr_matrix, in_class: NDArray[np.bool_]) -> tuple[csr_matrix, csr_matrix]:
    """Weigh counts as `(1 + ln count) * (1 + ln((1 + M) / (1 + texts with it)))`, each row of length 1.

    Source: Salton and Buckley, 1988; smoothing and norm as scikit-learn's
    `TfidfVectorizer(sublinear_tf=True)`.
    """
    from sklearn.preprocessing import normalize

    texts_with = np.bincount(train.indices, minlength=train.shape[1])
    rarity = 1 + np.log((1 + train.shape[0]) / (1 + texts_with))
    weighted = []
    for counts in (train, test):
        matrix = counts.astype(np.float64)
        matrix.data = (1 + np.log(matrix.data)) * rarity[matrix.indices]
        weighted.append(normalize(matrix, copy=False))
    return weighted[0], weighted[1]


def nb_ratio(
    train: csr_matrix, test: csr_matrix, in_class: NDArray[np.bool_]
) -> tuple[csr_matrix, csr_matrix]:
    """Put in place of an n-gram that occurs its naive Bayes log-count ratio between the class and the rest.

    `r = ln((p / |p|) / (q / |q|))`, p and q the numbers of texts of the class and of the rest with the
    n-gram, plus 1.

    Source: Wang and Manning, 2012.
    """
    present = [counts.astype(np.float64) for counts in (train, test)]
    for matrix in present:
        matrix.data = np.ones_like(matrix.data)
    inside = _NB_SMOOTHING + in_class.astype(np.float64) @ present[0]
    outside = _NB_SMOOTHING + (~in_class).astype(np.float64) @ present[0]
    ratio = np.log(inside / inside.sum()) - np.log(outside / outside.sum())
    for matrix in present:
        matrix.data = ratio[matrix.indices]
    return present[0], present[1]


def _count(
    train_texts: Sequence[str], test_texts: Sequence[str], max_order: int
) -> tuple[list[Any], list[Any]]:
    vocabulary, train = fit_ngrams(train_texts, max_order=max_order, min_texts=_MIN_TEXTS)
    if not vocabulary.words:
        vocabulary, train = fit_ngrams(train_texts, max_order=max_order, min_texts=1)
    return train, vocabulary.transform(test_texts)


def _join(matrices: list[csr_matrix]) -> csr_matrix:
    from scipy.sparse import hstack

    return hstack(matrices, format="csr")


def _one_against_rest(
    baseline: Baseline, seen: csr_matrix, targets: Ints, asked: csr_matrix, *, num_classes: int, seed: int
) -> NDArray[np.float64]:
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    if baseline.features is None:
        raise ValueError(f"{baseline.title} has no features")
    present = np.flatnonzero(np.bincount(targets, minlength=num_classes))
    scores = np.zeros((asked.shape[0], num_classes))
    fitted = present[1:] if len(present) == 2 else present
    weighted = None
    for index in fitted:
        in_class = targets == index
        if weighted is None or baseline.per_class:
            weighted = baseline.features(seen, asked, in_class)
        model = LogisticRegression(C=baseline.inverse_penalty, solver="liblinear", random_state=seed)
        # liblinear calls BLAS, whose sums differ in the last bits between one thread and two.
        with threadpool_limits(limits=1, user_api="blas"):
            scores[:, index] = model.fit(weighted[0], in_class).predict_proba(weighted[1])[:, 1]
    if len(present) == 2:
        scores[:, present[0]] = 1 - scores[:, present[1]]
    return scores / scores.sum(axis=1, keepdims=True)


BASELINES: dict[str, Baseline] = {
    "majority": Baseline("Majority class", "", 0),
    "tfidf_unigram": Baseline(
        "TF-IDF words", "logistic regression on single words", 1, False, tfidf, _TFIDF_C
    ),
    "tfidf_bigram": Baseline(
        "TF-IDF bigrams", "logistic regression on words and pairs", 2, False, tfidf, _TFIDF_C
    ),
    "nb_lr": Baseline(
        "NB-LR", "logistic regression on naive Bayes ratios of 1 to 3 words", 3, True, nb_ratio, _NB_C
    ),
}
