"""Linear models of a baseline: logistic regressions over sparse counts or dense features, the same bits on any machine load.

Legend: M training rows, N test rows, C classes, F features.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    from seqline.evaluation.measures import Ints

# What turns counts into features: `(train counts (M, F), test counts (N, F), rows of the class bool (M,)) -> both weighted`.
Weighting = Callable[["csr_matrix", "csr_matrix", NDArray[np.bool_]], "tuple[csr_matrix, csr_matrix]"]

_NB_SMOOTHING = 1.0
_MAX_ITERATIONS = 500


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


def one_against_rest(
    seen: csr_matrix,
    targets: Ints,
    asked: csr_matrix,
    *,
    weighting: Weighting,
    per_class: bool,
    inverse_penalty: float,
    num_classes: int,
    seed: int,
) -> NDArray[np.float64]:
    """Fit one logistic regression a class by liblinear.

    Args:
        seen: int64 (M, F) counts.
        targets: int64 (M,), at least two classes among them.
        asked: int64 (N, F) counts.
        weighting: What turns counts into features.
        per_class: Whether features depend on the class.
        inverse_penalty: `C` of the logistic regression.
        num_classes: C.
        seed: Handed to liblinear; its solver for these problems draws nothing.

    Returns:
        float64 (N, C), rows sum to 1; 0 for a class without training rows.
    """
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    present = np.flatnonzero(np.bincount(targets, minlength=num_classes))
    scores = np.zeros((asked.shape[0], num_classes))
    fitted = present[1:] if len(present) == 2 else present
    weighted = None
    for index in fitted:
        in_class = targets == index
        if weighted is None or per_class:
            weighted = weighting(seen, asked, in_class)
        model = LogisticRegression(C=inverse_penalty, solver="liblinear", random_state=seed)
        # liblinear calls BLAS, whose sums differ in the last bits between one thread and two.
        with threadpool_limits(limits=1, user_api="blas"):
            scores[:, index] = model.fit(weighted[0], in_class).predict_proba(weighted[1])[:, 1]
    if len(present) == 2:
        scores[:, present[0]] = 1 - scores[:, present[1]]
    return scores / scores.sum(axis=1, keepdims=True)


def softmax_regression(
    seen: NDArray[np.float64],
    targets: Ints,
    asked: NDArray[np.float64],
    *,
    inverse_penalty: float,
    num_classes: int,
) -> NDArray[np.float64]:
    """Fit one multinomial logistic regression on dense features, each brought to mean 0 and deviation 1 of train.

    Args:
        seen: float64 (M, F).
        targets: int64 (M,), at least two classes among them.
        asked: float64 (N, F).
        inverse_penalty: `C` of the logistic regression.
        num_classes: C.

    Returns:
        float64 (N, C), rows sum to 1; 0 for a class without training rows.
    """
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    mean, deviation = seen.mean(axis=0), seen.std(axis=0)
    scale = np.where(deviation > 0, deviation, 1.0)
    model = LogisticRegression(C=inverse_penalty, max_iter=_MAX_ITERATIONS)
    scores = np.zeros((len(asked), num_classes))
    with threadpool_limits(limits=1, user_api="blas"), warnings.catch_warnings():
        # A baseline that stops after so many rounds is a baseline still.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit((seen - mean) / scale, targets)
        scores[:, model.classes_] = model.predict_proba((asked - mean) / scale)
    return scores
