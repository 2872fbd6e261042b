"""Stable splits: equal texts and equal groups stay together, whatever else comes or goes."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from seqline.data.splits import assign, leaks, normalise, stable_fraction


def test_altered_copies_count_as_the_same() -> None:
    for other in ("GOOD  food", " good\tfood\n", "ｇｏｏｄ food", "good\u00a0food"):
        assert normalise(other) == normalise("good food")
    assert normalise("good food!") != normalise("good food")


@given(st.text(st.characters(codec="utf-8")))
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


def test_the_hash_is_pinned_so_that_splits_outlive_releases() -> None:
    assert stable_fraction("good food", seed=0) == 0.9224493908070931
    assert stable_fraction("good food", seed=1) != stable_fraction("good food", seed=0)


def test_shares_come_out_and_a_row_keeps_its_split() -> None:
    keys = [f"text {i}" for i in range(20_000)]
    splits = [assign(key, valid=0.1, test=0.2, seed=0) for key in keys]
    counts = Counter(splits)
    assert abs(counts["valid"] / 20_000 - 0.1) < 0.01
    assert abs(counts["test"] / 20_000 - 0.2) < 0.01
    assert [assign(key, valid=0.1, test=0.2, seed=0) for key in keys[::-1]] == splits[::-1]


def test_held_out_rows_stay_and_their_copies_leave() -> None:
    assert leaks(["train", "test", "valid", "train"], ["a", "a", "a", "b"]) == [True, False, True, False]
