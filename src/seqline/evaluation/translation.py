"""How good written sequences are: BLEU, chrF, exact match, distinct n-grams.

Legend: N rows, R rounds of the bootstrap.

BLEU and chrF are no means over sentences: both are made of counts summed over the corpus. So each row gives its
counts, and a figure is a function of their sums: of all rows, of a slice, or of the rows that a round of the
bootstrap drew. The counts and the formulas are those of sacrebleu, to the digit (tests compare with its library and its
command line), so a figure may be quoted with `signature`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Literal, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from seqline.data.spelling import SPELLING_COLUMNS

if TYPE_CHECKING:
    from sacrebleu.metrics.bleu import BLEU

Floats = NDArray[np.float64]

BLEU_ORDERS = 4
CHRF_ORDERS = 6
CHRF_BETA = 2
BLEU_COLUMNS = (
    "bleu_length", "bleu_reference_length",
    *(f"bleu_matches_{n}" for n in range(1, BLEU_ORDERS + 1)),
    *(f"bleu_ngrams_{n}" for n in range(1, BLEU_ORDERS + 1)),
)  # fmt: skip
CHRF_COLUMNS = tuple(
    f"chrf_{part}_{n}"
    for n in range(1, CHRF_ORDERS + 1)
    for part in ("ngrams", "reference_ngrams", "matches")
)
# How surprising the truth is: nats and tokens, and what its unknown words cost to spell.
SURPRISE_COLUMNS = ("nll", "tokens", *SPELLING_COLUMNS)
# What a written text adds to all figures of its task: surprise at the truth, whether it is right, and the counts.
WRITTEN_COLUMNS = (*SURPRISE_COLUMNS, "exact", *BLEU_COLUMNS, *CHRF_COLUMNS)


class _BleuCounts(Protocol):
    """What sacrebleu's score of BLEU holds beside the figure."""

    counts: list[int]
    totals: list[int]
    sys_len: int
    ref_len: int


@cache
def _bleu(tokenize: str, lowercase: bool) -> BLEU:
    from sacrebleu.metrics.bleu import BLEU

    return BLEU(lowercase=lowercase, tokenize=tokenize)


def bleu_statistics(
    hypotheses: Sequence[str], references: Sequence[str], *, tokenize: str = "13a", lowercase: bool = False
) -> Floats:
    """What each row adds to corpus BLEU.

    Args:
        hypotheses: N written sequences, as plain text.
        references: N right ones.
        tokenize: sacrebleu's name of a tokenizer: `13a`, `intl`, `char`, ...
        lowercase: Whether case does not count.

    Returns:
        float64 (N, 10), the columns `BLEU_COLUMNS`.

    Source: Papineni et al., "BLEU: a method for automatic evaluation of machine translation", 2002; Post, "A call
        for clarity in reporting BLEU scores", 2018 (sacrebleu).
    """
    metric = _bleu(tokenize, lowercase)
    rows = np.zeros((len(references), len(BLEU_COLUMNS)))
    for row, (hypothesis, reference) in enumerate(zip(hypotheses, references, strict=True)):
        score = cast(_BleuCounts, metric.corpus_score([hypothesis], [[reference]]))
        rows[row] = [score.sys_len, score.ref_len, *score.counts, *score.totals]
    return rows


def bleu_of_sums(sums: Floats) -> Floats:
    """Corpus BLEU of summed statistics.

    `100 * BP * (p_1 p_2 p_3 p_4)^(1/4)`, p_n the share of n-grams that are in the reference, each as often at most as
    there, `BP = exp(1 - reference length / length)` for what is shorter than its reference. An order without a match
    counts as 1 / 2, 1 / 4, ... of one ("exp" smoothing). In [0, 100], best 100. No match or no n-gram of some order: 0.
    No reference: NaN.

    Args:
        sums: float64 (R, 10), the columns `BLEU_COLUMNS`.

    Returns:
        float64 (R,).

    Example:
        >>> bleu_of_sums(bleu_statistics(["a b c d"], ["a b c d"]).sum(axis=0)[None]).round(6)
        array([100.])
    """
    length, reference_length = sums[:, 0], sums[:, 1]
    matches, ngrams = sums[:, 2 : 2 + BLEU_ORDERS], sums[:, 2 + BLEU_ORDERS :]
    defined = (ngrams > 0).all(axis=1) & (matches > 0).any(axis=1)
    smoothed = 0.5 ** np.cumsum(matches == 0, axis=1)
    counted = np.where(matches > 0, matches, smoothed)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.exp(np.mean(np.log(counted / ngrams), axis=1))
        brevity = np.where(length < reference_length, np.exp(1 - reference_length / length), 1.0)
        figures = np.where(defined, 100 * brevity * mean, 0.0)
    return np.where(reference_length > 0, figures, np.nan)


def _character_ngrams(text: str) -> list[Counter[str]]:
    joined = "".join(text.split())
    return [Counter(joined[i : i + n] for i in range(len(joined) - n + 1)) for n in range(1, CHRF_ORDERS + 1)]


def chrf_statistics(
    hypotheses: Sequence[str], references: Sequence[str], *, lowercase: bool = False
) -> Floats:
    """What each row adds to corpus chrF: n-grams of 1 to 6 characters, spaces left out.

    Args:
        hypotheses: N written sequences.
        references: N right ones.
        lowercase: Whether case does not count.

    Returns:
        float64 (N, 18), the columns `CHRF_COLUMNS`.

    Source: Popović, "chrF: character n-gram F-score for automatic MT evaluation", 2015.
    """
    rows = np.zeros((len(references), len(CHRF_COLUMNS)))
    for row, pair in enumerate(zip(hypotheses, references, strict=True)):
        written, right = (_character_ngrams(text.lower() if lowercase else text) for text in pair)
        for order, (ours, theirs) in enumerate(zip(written, right, strict=True)):
            # An order that the reference is too short for says nothing about precision, as in sacrebleu.
            count = ours.total() if theirs else 0
            rows[row, 3 * order : 3 * order + 3] = count, theirs.total(), (ours & theirs).total()
    return rows


def chrf_of_sums(sums: Floats) -> Floats:
    """Corpus chrF2 of summed statistics.

    `100 * 5 P R / (4 P + R)`, P and R the means of precision and recall over the orders that both sides have; recall
    counts twice as much. In [0, 100], best 100. No n-gram in common: 0. No reference: NaN.

    Args:
        sums: float64 (R, 18), the columns `CHRF_COLUMNS`.

    Returns:
        float64 (R,).

    Example:
        >>> chrf_of_sums(chrf_statistics(["abcdef"], ["abcdef"]).sum(axis=0)[None])
        array([100.])
    """
    ngrams, reference_ngrams, matches = (sums[:, part::3] for part in range(3))
    both = (ngrams > 0) & (reference_ngrams > 0)
    orders = np.maximum(both.sum(axis=1), 1)
    share = np.zeros_like(matches)
    precision = np.divide(matches, ngrams, out=share.copy(), where=both).sum(axis=1) / orders
    recall = np.divide(matches, reference_ngrams, out=share, where=both).sum(axis=1) / orders
    factor = CHRF_BETA**2
    below = factor * precision + recall
    none = np.where(reference_ngrams[:, 0] > 0, 0.0, np.nan)
    return np.divide(100 * (1 + factor) * precision * recall, below, out=none, where=below > 0)


def exact(hypotheses: Sequence[str], references: Sequence[str]) -> Floats:
    """Which rows are right, 1 or 0: the same words, whatever their case and spaces; float64 (N,).

    Example:
        >>> exact(["The  garden", "office"], ["the garden", "kitchen"])
        array([1., 0.])
    """
    pairs = zip(hypotheses, references, strict=True)
    return np.array([float(_folded(ours) == _folded(right)) for ours, right in pairs])


def _folded(text: str) -> list[str]:
    return text.casefold().split()


def written_statistics(
    hypotheses: Sequence[str], references: Sequence[str], surprise: Floats | None
) -> Floats:
    """What each written text adds to the figures of its task.

    Args:
        hypotheses: N written texts.
        references: N right ones.
        surprise: float64 (N, 4), the columns `SURPRISE_COLUMNS` of the right ones; None where the writer has no
            probabilities.

    Returns:
        float64 (N, 33), the columns `WRITTEN_COLUMNS`.
    """
    told = np.zeros((len(references), len(SURPRISE_COLUMNS))) if surprise is None else surprise
    right = exact(hypotheses, references)[:, None]
    return np.hstack(
        [told, right, bleu_statistics(hypotheses, references), chrf_statistics(hypotheses, references)]
    )


def distinct(hypotheses: Sequence[str], *, order: int) -> float:
    """Share of distinct n-grams among all n-grams written: how varied answers are.

    In [0, 1], more is more varied; words are what spaces separate. No n-gram: NaN. It falls as more is written, so
    compare equal numbers of answers only. It is no function of sums over rows.

    Args:
        hypotheses: Written sequences.
        order: Words of an n-gram.

    Source: Li et al., "A diversity-promoting objective function for neural conversation models", 2016.

    Example:
        >>> distinct(["yes yes", "no"], order=1)
        0.6666666666666666
    """
    words = [text.split() for text in hypotheses]
    ngrams = [tuple(line[i : i + order]) for line in words for i in range(len(line) - order + 1)]
    return len(set(ngrams)) / len(ngrams) if ngrams else float("nan")


def signature(metric: Literal["bleu", "chrf"], *, tokenize: str = "13a", lowercase: bool = False) -> str:
    """What sacrebleu says of how a figure was made, to be quoted with it."""
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF

    makers: dict[str, Callable[[], BLEU | CHRF]] = {
        "bleu": lambda: BLEU(lowercase=lowercase, tokenize=tokenize),
        "chrf": lambda: CHRF(lowercase=lowercase),
    }
    scorer = makers[metric]()
    scorer.corpus_score(["a"], [["a"]])  # the number of references is known only then
    return str(scorer.get_signature())
