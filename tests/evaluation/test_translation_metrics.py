from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from seqline.evaluation.translation import (
    BLEU_COLUMNS,
    CHRF_COLUMNS,
    bleu_of_sums,
    bleu_statistics,
    chrf_of_sums,
    chrf_statistics,
    distinct,
    exact,
    signature,
)

WORDS = ["der", "Hund", "läuft", "über", "die", "Straße", ",", "3.5", "don't", "(ja)", "U.S.", "-", "हिन्दी"]
TEXTS = st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join)


def some_corpus(rows: int, *, seed: int) -> tuple[list[str], list[str]]:
    """References, and answers that are the references with some words changed, dropped or moved."""
    draw = random.Random(seed)
    references = [" ".join(draw.choices(WORDS, k=draw.randint(1, 14))) + "." for _ in range(rows)]
    answers = []
    for reference in references:
        words = [draw.choice(WORDS) if draw.random() < 0.25 else word for word in reference.split()]
        if draw.random() < 0.3:
            words = words[: draw.randint(0, len(words))]
        answers.append(" ".join(words))
    return answers, references


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=6), st.booleans())
def test_the_sums_of_row_statistics_give_sacrebleus_figures(
    pairs: list[tuple[str, str]], lowercase: bool
) -> None:
    answers, references = [a for a, _ in pairs], [b for _, b in pairs]
    bleu = bleu_statistics(answers, references, lowercase=lowercase)
    chrf = chrf_statistics(answers, references, lowercase=lowercase)
    assert bleu.shape == (len(pairs), len(BLEU_COLUMNS))
    assert chrf.shape == (len(pairs), len(CHRF_COLUMNS))
    if not any(references):
        assert np.isnan(
            [bleu_of_sums(bleu.sum(axis=0)[None])[0], chrf_of_sums(chrf.sum(axis=0)[None])[0]]
        ).all()
        return
    theirs = BLEU(lowercase=lowercase).corpus_score(answers, [references]).score
    assert bleu_of_sums(bleu.sum(axis=0)[None])[0] == pytest.approx(theirs, abs=1e-9)
    theirs = CHRF(lowercase=lowercase).corpus_score(answers, [references]).score
    assert chrf_of_sums(chrf.sum(axis=0)[None])[0] == pytest.approx(theirs, abs=1e-9)


def test_figures_equal_sacrebleus_command_line(tmp_path: Path) -> None:
    answers, references = some_corpus(200, seed=1)
    (tmp_path / "answers.txt").write_text("".join(f"{line}\n" for line in answers), encoding="utf-8")
    (tmp_path / "references.txt").write_text("".join(f"{line}\n" for line in references), encoding="utf-8")
    command = [sys.executable, "-m", "sacrebleu", "references.txt", "-i", "answers.txt", "-m", "bleu", "chrf"]
    done = subprocess.run(
        [*command, "-w", "10"], cwd=tmp_path, check=True, capture_output=True, text=True, encoding="utf-8"
    )
    bleu, chrf = json.loads(done.stdout)
    ours = bleu_of_sums(bleu_statistics(answers, references).sum(axis=0)[None])[0]
    assert 20 < ours < 90
    assert ours == pytest.approx(bleu["score"], abs=1e-9)
    assert bleu["signature"] == signature("bleu")
    ours = chrf_of_sums(chrf_statistics(answers, references).sum(axis=0)[None])[0]
    assert ours == pytest.approx(chrf["score"], abs=1e-9)
    assert chrf["signature"] == signature("chrf")


def test_many_rounds_of_resampled_rows_are_scored_at_once() -> None:
    answers, references = some_corpus(40, seed=2)
    bleu, chrf = bleu_statistics(answers, references), chrf_statistics(answers, references)
    counts = np.random.default_rng(0).multinomial(40, np.full(40, 1 / 40), size=5).astype(np.float64)
    for drawn, our_bleu, our_chrf in zip(
        counts, bleu_of_sums(counts @ bleu), chrf_of_sums(counts @ chrf), strict=True
    ):
        rows = np.repeat(np.arange(40), drawn.astype(int))
        sample, truth = [answers[i] for i in rows], [references[i] for i in rows]
        assert our_bleu == pytest.approx(BLEU().corpus_score(sample, [truth]).score, abs=1e-9)
        assert our_chrf == pytest.approx(CHRF().corpus_score(sample, [truth]).score, abs=1e-9)


def test_right_answers_score_100_and_wrong_or_empty_ones_0() -> None:
    right = ["ein Hund läuft über die Straße ."]
    for answers, figure in ((right, 100.0), (["xyz"], 0.0), ([""], 0.0)):
        assert bleu_of_sums(bleu_statistics(answers, right)) == pytest.approx([figure])
        assert chrf_of_sums(chrf_statistics(answers, right)) == pytest.approx([figure])


def test_other_tokenizers_and_case_are_said_in_the_signature() -> None:
    assert "case:mixed" in signature("bleu")
    assert "tok:13a" in signature("bleu")
    assert "case:lc" in signature("bleu", lowercase=True)
    assert "tok:char" in signature("bleu", tokenize="char")
    words, letters = (bleu_statistics(["abc"], ["abd"], tokenize=name)[0, 0] for name in ("13a", "char"))
    assert (words, letters) == (1, 3)


def test_exact_match_ignores_case_and_spaces_only() -> None:
    assert exact(["Garden", " the  garden ", "garden."], ["garden", "the garden", "garden"]).tolist() == [
        1,
        1,
        0,
    ]
    assert exact([], []).shape == (0,)


def test_distinct_counts_ngrams_over_all_answers() -> None:
    assert distinct(["i see", "i see"], order=1) == 0.5
    assert distinct(["a b c", "b c d"], order=2) == 0.75
    assert np.isnan(distinct(["one"], order=2))
