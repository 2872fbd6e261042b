"""Baselines of numbers: the mean of train, and ridge regression on counts of words or on the numbers themselves.

Legend: M training rows (train and valid), N test rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seqline.evaluation.label_baselines import figures
from seqline.evaluation.sums import error_rows

if TYPE_CHECKING:
    from seqline.evaluation.baselines import Problem

_ORDER = 2
_PENALTY = 1.0


def mean_number(problem: Problem) -> NDArray[np.float64]:
    """The mean of the M rows as the answer to every one of the N."""
    known = _numbers(problem)
    return error_rows([float(known.mean())] * len(problem.test), problem.test.truths)


def ridge(problem: Problem) -> NDArray[np.float64]:
    """Linear regression with an L2 penalty: on TF-IDF of words and pairs, or on scaled numbers."""
    from sklearn.feature_extraction.text import TfidfTransformer
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if problem.vocab_size is None:
        seen, asked = figures(problem)
        model = make_pipeline(StandardScaler(), Ridge(alpha=_PENALTY))
    else:
        seen, asked = problem.counts(_ORDER, problem.split)
        model = make_pipeline(TfidfTransformer(sublinear_tf=True), Ridge(alpha=_PENALTY))
    if not seen.shape[1]:
        return mean_number(problem)
    model.fit(seen, _numbers(problem))
    return error_rows(model.predict(asked).tolist(), problem.test.truths)


def _numbers(problem: Problem) -> NDArray[np.float64]:
    return np.asarray([*problem.train.truths, *problem.valid.truths], dtype=np.float64)
