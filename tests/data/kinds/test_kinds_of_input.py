"""Bad values of every kind get one clear sentence; good ones a length, a key and facts."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqline.data.audio import to_base64, to_wav
from seqline.data.column_facts import ColumnFacts
from seqline.data.kinds.audio import AudioKind
from seqline.data.kinds.base import Kind
from seqline.data.kinds.history import HistoryKind
from seqline.data.kinds.series import SeriesKind
from seqline.data.kinds.symbols import SymbolsKind
from seqline.data.kinds.text import TextKind
from seqline.data.kinds.vector import VectorKind
from seqline.data.splits import normalise
from seqline.recipe import HistoryInput

RATE = 8_000


def wav(seconds: float = 0.5, *, rate: int = RATE, loudness: float = 0.5, frequency: float = 440.0) -> str:
    times = np.arange(int(seconds * rate)) / rate
    return to_base64(to_wav(loudness * np.sin(2 * np.pi * frequency * times), sample_rate=rate))


KINDS: dict[str, Kind] = {
    "text": TextKind(),
    "symbols": SymbolsKind(alphabet="ACGT"),
    "items": SymbolsKind(),
    "series": SeriesKind(features=2),
    "line": SeriesKind(),
    "vector": VectorKind(features=3),
    "audio": AudioKind(sample_rate=RATE),
}
GOOD: dict[str, Any] = {
    "text": "Good food.",
    "symbols": "ACGTA",
    "items": ["the", "cat"],
    "series": [[0, 1.5], [2, 3], [4, 0.5]],
    "line": [1, 2.5, 2, 3],
    "vector": [0, 0.5, -1],
    "audio": wav(),
}

# Kind, value, sentence.
BAD = [
    ("text", None, "no value"),
    ("text", 7, "not text but int 7"),
    ("text", ["a"], "not text but list ['a']"),
    ("text", " \n\t", "blank, 3 characters, none visible"),
    ("text", "a\0b", "NUL or surrogate U+0000"),
    ("symbols", None, "no value"),
    ("symbols", 3.5, "not symbols: number 3.5"),
    ("symbols", "", "blank, 0 symbols, none visible"),
    ("symbols", "ACXGTNN", "foreign symbol 'X' at position 3 and 2 more; the alphabet is ACGT"),
    ("symbols", "acgt", "foreign symbol 'a' at position 1 and 3 more; the alphabet is ACGT"),
    ("items", ["a", 3], "not symbols: item 2 is number 3"),
    ("items", ["a", ""], "not symbols: item 2 is empty"),
    ("items", ["a", None], "not symbols: item 2 is null"),
    ("items", [" ", "\u200b"], "blank, 2 symbols, none visible"),
    ("items", ["a", "b\ud800"], "NUL or surrogate U+D800"),
    ("items", [], "blank, 0 symbols, none visible"),
    ("series", None, "no value"),
    ("series", "1,2,3", "not a series: text '1,2,3' instead of a list"),
    ("series", [], "not a series: no steps"),
    ("series", [[], []], "not a series: steps without numbers"),
    ("series", [[1, 2], [3]], "not a series: step 2 has 1 number, step 1 has 2"),
    ("series", [[1, 2], 3], "not a series: step 2 is number 3 among lists of numbers"),
    ("series", [[1, 2], [3, "x"]], "not a series: step 2 feature 2 is text 'x', not a number"),
    ("series", [[1, 2], [math.nan, 4]], "not a series: step 2 feature 1 is nan, not a finite number"),
    ("series", [[1, 2], [3, True]], "not a series: step 2 feature 2 is truth value True, not a number"),
    ("series", [[1, 2], [3, [4]]], "not a series: step 2 feature 2 is list [4], not a number"),
    ("series", [[1, 2], [None, 4]], "missing numbers: 1 of 4 numbers, the first at step 2"),
    ("series", [[1, 2, 3], [3, 4, 4]], "3 features, not 2"),
    ("line", [1, math.inf, 2], "not a series: step 2 is inf, not a finite number"),
    ("line", [1, "2"], "not a series: step 2 is text '2', not a number"),
    ("line", [1, 10**400], "not a series: an integer beyond a 64-bit float among the steps"),
    ("vector", None, "no value"),
    ("vector", 3, "not a vector: number 3 instead of a list"),
    ("vector", [], "not a vector: no numbers"),
    ("vector", [[1, 2, 3]], "not a vector: feature 1 is list [1, 2, 3], not a number"),
    ("vector", [1, 2], "2 features, not 3"),
    ("vector", [1, -math.inf, 2], "not a vector: feature 2 is -inf, not a finite number"),
    ("vector", [1, None, 2], "missing numbers: 1 of 3 numbers, the first is feature 2"),
    ("audio", None, "no value"),
    ("audio", 3, "not a recording: int instead of a WAV file in base64"),
    ("audio", wav(rate=16_000), "16000 samples a second, not 8000"),
    ("audio", wav(0.01), "0.01 s long, not 0.05 to 60 s"),
]


@pytest.mark.parametrize(("kind", "value", "sentence"), BAD, ids=[f"{k}: {s[:40]}" for k, _, s in BAD])
def test_a_bad_value_gets_one_clear_sentence(kind: str, value: Any, sentence: str) -> None:
    assert KINDS[kind].faults(value) == [sentence]


@pytest.mark.parametrize("value", ["", "not base64!", "aGVsbG8=", wav()[:400], to_base64(b"RIFF")])
def test_what_is_no_wav_file_is_refused(value: str) -> None:
    (sentence,) = KINDS["audio"].faults(value)
    assert sentence.startswith("not a recording: ")
    assert KINDS["audio"].length(value) is KINDS["audio"].key(value) is None


@pytest.mark.parametrize("kind", KINDS)
def test_a_good_value_has_no_faults_and_says_what_it_is(kind: str) -> None:
    assert KINDS[kind].faults(GOOD[kind]) == []
    assert KINDS[kind].findings(GOOD[kind]) == []
    assert KINDS[kind].facts(GOOD[kind])
    assert KINDS[kind].excerpt(GOOD[kind])
    assert KINDS[kind].excerpt(None) == ""


def test_lengths_are_steps() -> None:
    found = {kind: KINDS[kind].length(value) for kind, value in GOOD.items()}
    assert found == {"text": 2, "symbols": 5, "items": 2, "series": 3, "line": 4, "vector": 1, "audio": 50}
    assert KINDS["series"].length("x") is KINDS["text"].length(3) is KINDS["vector"].length([]) is None


def test_facts_are_numbers_about_the_value() -> None:
    assert KINDS["text"].facts("Good food.") == {"characters": 10, "words": 2}
    assert KINDS["symbols"].facts("AXA") == {"symbols": 3, "distinct": 2, "foreign": 1}
    assert SeriesKind().facts([[1, None], [2, 5], [3, 5], [4, 5]]) == {
        "steps": 4,
        "features": 2,
        "missing": 1,
        "flat": 1,
    }
    assert KINDS["vector"].facts([1, None]) == {"features": 2, "missing": 1}
    assert KINDS["audio"].facts(wav(0.25)) == {"sample rate": RATE, "seconds": 0.25, "clipping": 0.0}
    assert KINDS["audio"].facts("x") == {}


def test_what_is_only_a_warning_is_found_and_refuses_nothing() -> None:
    flat = SeriesKind().findings([5, 5, 5, 5, 5])
    assert [(f.fact, f.sentence) for f in flat] == [("flat", "a flat line, 5 steps of 5")]
    assert SeriesKind().findings([[1, 1], [1, 2], [1, 3], [1, 4]]) == [], "one of two features moves"
    assert SeriesKind().findings([5, 5, 5]) == [], "three steps can be equal by chance"
    loud = AudioKind().findings(wav(loudness=3.0))
    assert [f.fact for f in loud] == ["clipping"]
    assert "of the samples at full scale" in loud[0].sentence
    silent = AudioKind().findings(wav(loudness=0.0))
    assert [f.sentence for f in silent] == ["silent: every sample is 0"]
    for kind, value in (
        (SeriesKind(), [5] * 9),
        (AudioKind(), wav(loudness=3.0)),
        (AudioKind(), wav(loudness=0)),
    ):
        assert kind.faults(value) == []


def test_as_many_numbers_may_be_missing_as_the_recipe_says() -> None:
    half = SeriesKind(max_missing_share=0.5)
    assert half.faults([1, None, 3, None]) == []
    assert half.faults([1, None, None]) == ["missing numbers: 2 of 3 numbers, the first at step 2"]
    assert SeriesKind(max_missing_share=1.0).faults([None, None]), "a series without any number is none"


def test_the_first_value_settles_the_number_of_features() -> None:
    for open_kind, sound, other in (
        (SeriesKind(), [[1, 2]], [[1, 2, 3]]),
        (VectorKind(), [1, 2], [1, 2, 3]),
    ):
        assert open_kind.settled("unusable") == open_kind
        settled = open_kind.settled(sound)
        assert settled.settled(other) == settled
        assert settled.faults(other) == ["3 features, not 2"]
    assert KINDS["text"].settled("x") is KINDS["text"]


def test_keys_are_equal_where_values_count_as_the_same() -> None:
    assert KINDS["text"].key(" Good  FOOD ") == normalise("good food")
    assert SeriesKind().key([1, 2]) == SeriesKind().key([1.0, 2.0]) == SeriesKind().key([[1], [2]])
    assert SeriesKind().key([[1, 2]]) != SeriesKind().key([[1], [2]])
    assert SeriesKind().key([0.0]) == SeriesKind().key([-0.0])
    assert SymbolsKind(lowercase=True).key("AcG") == "acg"
    assert SymbolsKind().key(["ab", "c"]) != SymbolsKind().key(["a", "bc"])
    padded = wav()
    assert AudioKind().key(padded) == AudioKind().key(f"{padded[:40]}\n{padded[40:]}")
    assert AudioKind().key(wav()) != AudioKind().key(wav(frequency=441))
    for kind in KINDS.values():
        assert kind.key(None) is None
    assert KINDS["text"].key(" ") is None, "blank texts are no duplicates of each other"


def test_lower_case_letters_are_known_where_the_recipe_says_so() -> None:
    assert SymbolsKind(alphabet="acgt", lowercase=True).faults("acGT") == []


def test_white_space_between_letters_is_no_symbol() -> None:
    assert KINDS["symbols"].faults("ACG TAC\n") == []
    assert KINDS["symbols"].length("ACG TAC\n") == 6
    assert KINDS["symbols"].key("ACG T") == KINDS["symbols"].key("AC GT")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4),
    max_leaves=12,
)


@given(value=_JSON)
def test_no_value_breaks_a_kind(value: Any) -> None:
    for kind in KINDS.values():
        findings = kind.findings(value)
        assert {finding.fact for finding in findings} <= {demand.fact for demand in kind.demands}
        assert value is None or kind.length(value) is not None or kind.faults(value)
        assert kind.key(value) is None or isinstance(kind.key(value), str)
        json.dumps({**kind.facts(value)}, allow_nan=False)
        kind.excerpt(value).encode("utf-8")
        assert all(finding.sentence for finding in findings)


@pytest.mark.parametrize(
    "bad",
    [
        {"start": "0001-01-01T00:00:00+01:00"},
        {"start": "9999-12-31"},
        {"start": 10**30, "frequency": "step"},
        {"rain": [10**400, 1, 2]},
        {"rain": [["1"], ["2"], ["3"]]},
    ],
)
def test_one_row_with_impossible_times_or_numbers_is_a_finding_and_stops_nothing(bad) -> None:
    kind = HistoryKind(section=HistoryInput(column="value", past=["rain"], context_length=2))
    good = {"id": "a", "start": "2026-01-01", "frequency": "D", "value": [1, 2, 3], "rain": [1, 2, 3]}
    assert not kind.beside(good)
    assert [finding.fact for finding in kind.beside({**good, **bad})] == ["times or covariates"]


def test_steps_that_a_recipe_fills_are_missing_numbers() -> None:
    filled = HistoryInput(column="value", context_length=2, gaps="fill", missing="linear")
    row = {"id": "a", "timestamps": ["2026-01-02", "2026-01-03", "2026-01-09"], "value": [1, None, 3]}
    (found,) = HistoryKind(section=filled, max_missing_share=0.7).beside(row)
    assert found.fact == "missing numbers"
    assert found.found == "6 of 8 numbers, 5 steps of frequency D that no row gives"
    assert not HistoryKind(section=filled, max_missing_share=0.75).beside(row)
    # Two channels are missing twice as many numbers.
    wide = {**row, "value": [[1, 1], [None, 2], [3, 3]]}
    (found,) = HistoryKind(section=filled, max_missing_share=0.6).beside(wide)
    assert found.found.startswith("11 of 16 numbers")


def test_numbers_beyond_what_a_network_holds_are_none() -> None:
    assert KINDS["line"].faults([1.0, 1e300, 2.0]) == [
        "not a series: step 2 is 1e+300, too large a number for a network"
    ]
    assert "feature 1 is 1e+39" in KINDS["vector"].faults([1e39, 0, 0])[0]


def test_a_column_with_a_time_that_no_calendar_holds_is_no_error() -> None:
    assert not ColumnFacts("when", ["0001-01-01T00:00:00+01:00"] * 3).is_time
