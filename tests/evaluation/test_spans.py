from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqline.data.tag_schemes import PREFIXES, allowed, first_breach, split_tag
from seqline.evaluation.spans import COLUMNS, KindScores, Span, by_kind, spans_of, tag_statistics

KINDS = ("NP", "VP", "loc.city_name", "a-b")


def tags_of(scheme: str) -> list[str]:
    return ["O", *(f"{prefix}-{kind}" for prefix in PREFIXES[scheme] for kind in KINDS)]


def random_rows(scheme: str, count: int, seed: int) -> list[list[str]]:
    stream = random.Random(seed)
    # Few kinds at a time, or no two neighbours would ever be of one kind.
    return [
        [
            tag if tag == "O" or tag[2:] in KINDS[:2] or stream.random() < 0.3 else "O"
            for tag in stream.choices(tags_of(scheme), k=stream.randint(1, 15))
        ]
        for _ in range(count)
    ]


@pytest.mark.parametrize(("scheme", "rows"), [("iob1", 300), ("iob2", 400), ("iobes", 300)])
def test_f1_equals_seqeval_on_random_tags_most_of_which_break_the_scheme(scheme: str, rows: int) -> None:
    seqeval = pytest.importorskip("seqeval.metrics")
    truths, guesses = random_rows(scheme, rows, 1), random_rows(scheme, rows, 2)
    guesses = [(guess * len(truth))[: len(truth)] for guess, truth in zip(guesses, truths, strict=True)]
    stream = random.Random(3)
    guesses = [
        [a if stream.random() < 0.6 else b for a, b in zip(truth, guess, strict=True)]
        for truth, guess in zip(truths, guesses, strict=True)
    ]
    correct, tokens, hits, predicted, true, _ = tag_statistics(truths, guesses, scheme).sum(axis=0)
    assert hits > rows / 4
    assert correct / tokens == pytest.approx(seqeval.accuracy_score(truths, guesses))
    assert 2 * hits / (predicted + true) == pytest.approx(seqeval.f1_score(truths, guesses))
    assert hits / predicted == pytest.approx(seqeval.precision_score(truths, guesses))
    assert hits / true == pytest.approx(seqeval.recall_score(truths, guesses))
    if scheme == "iob2":
        assert sum(first_breach(row, scheme) is not None for row in truths) > rows / 2


def test_spans_of_single_rows_equal_seqevals() -> None:
    entities = pytest.importorskip("seqeval.metrics.sequence_labeling").get_entities
    for scheme in ("iob1", "iob2", "iobes"):
        for row in random_rows(scheme, 200, 4):
            expected = [Span(start, last + 1, kind) for kind, start, last in entities(row)]
            assert spans_of(row, scheme) == expected, row


@pytest.mark.parametrize(
    ("scheme", "tags", "expected"),
    [
        ("iob2", "B-A B-A", [Span(0, 1, "A"), Span(1, 2, "A")]),
        ("iob2", "I-A I-B", [Span(0, 1, "A"), Span(1, 2, "B")]),
        ("iob1", "I-A I-A B-A O", [Span(0, 2, "A"), Span(2, 3, "A")]),
        ("iobes", "B-A I-A E-A S-B", [Span(0, 3, "A"), Span(3, 4, "B")]),
        ("iobes", "B-A O", [Span(0, 1, "A")]),
        ("plain", "NOUN NOUN O", [Span(0, 1, "NOUN"), Span(1, 2, "NOUN")]),
    ],
)
def test_spans_by_scheme(scheme: str, tags: str, expected: list[Span]) -> None:
    assert spans_of(tags.split(), scheme) == expected


def test_span_f1_of_plain_tags_is_their_accuracy() -> None:
    truths, guesses = [["NOUN", "VERB", "ADP"]], [["NOUN", "NOUN", "ADP"]]
    row = dict(zip(COLUMNS, tag_statistics(truths, guesses, "plain")[0], strict=True))
    assert row["correct"] == row["true_positives"] == 2
    assert row["tokens"] == row["predicted_spans"] == row["true_spans"] == 3
    assert row["exact"] == 0


def test_scores_of_each_kind() -> None:
    truths = [["B-A", "I-A", "O", "B-B"], ["B-A"]]
    guesses = [["B-A", "O", "O", "B-B"], ["B-A"]]
    a, b = by_kind(truths, guesses, "iob2")
    assert a == KindScores("A", true_positives=1, predicted=2, support=2)
    assert (b.precision, b.recall, b.f1) == (1.0, 1.0, 1.0)
    assert a.f1 == 0.5
    assert KindScores("C", 0, 0, 0).f1 == 0.0


def test_a_tag_that_the_scheme_does_not_know_is_refused() -> None:
    for tag, scheme in (("E-A", "iob2"), ("NP", "iob2"), ("B-", "iob2"), ("", "iobes"), ("BB-A", "iob1")):
        with pytest.raises(ValueError, match=f"not of scheme {scheme}"):
            split_tag(tag, scheme)


def test_rows_of_unequal_lengths_are_refused() -> None:
    with pytest.raises(ValueError):
        tag_statistics([["O", "O"]], [["O"]], "iob2")


@given(st.sampled_from(["iob2", "iobes"]), st.lists(st.integers(0, 100), min_size=1, max_size=12))
def test_a_walk_over_allowed_moves_gives_back_its_spans(scheme: str, choices: list[int]) -> None:
    tags = tags_of(scheme)
    rules = allowed(tags, scheme)
    places = np.flatnonzero(rules.start)
    walk = []
    for choice in choices:
        walk.append(int(places[choice % len(places)]))
        places = np.flatnonzero(rules.transitions[walk[-1]])
    while not rules.end[walk[-1]]:
        walk.append(int(np.flatnonzero(rules.transitions[walk[-1]])[-1]))
    row = [tags[place] for place in walk]
    assert first_breach(row, scheme) is None
    assert written(spans_of(row, scheme), len(row), scheme) == row


def written(spans: list[Span], steps: int, scheme: str) -> list[str]:
    tags = ["O"] * steps
    for span in spans:
        tags[span.start : span.stop] = [f"I-{span.kind}"] * (span.stop - span.start)
        tags[span.start] = f"B-{span.kind}"
        if scheme == "iobes":
            alone = span.stop - span.start == 1
            tags[span.stop - 1] = f"{'S' if alone else 'E'}-{span.kind}"
    return tags


@pytest.mark.parametrize(
    ("scheme", "tags", "step"),
    [
        ("iob2", "O I-A", 1),
        ("iob2", "I-A", 0),
        ("iob2", "B-A I-B", 1),
        ("iob2", "B-A I-A B-A", None),
        ("iobes", "B-A", 0),
        ("iobes", "B-A B-A E-A", 1),
        ("iobes", "S-A E-A", 1),
        ("iobes", "S-A B-B I-B E-B O", None),
        ("iob1", "B-A I-B", None),
        ("plain", "X Y", None),
    ],
)
def test_the_first_breach_of_a_scheme(scheme: str, tags: str, step: int | None) -> None:
    assert first_breach(tags.split(), scheme) == step
