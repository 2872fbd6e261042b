"""Which scheme `seqline new` proposes for tags."""

from __future__ import annotations

import pytest

from seqline.data.look import Guess
from seqline.data.proposal import _scheme_of, propose
from seqline.data.readers import Row
from seqline.data.survey import shape_of, survey_of


@pytest.mark.parametrize(
    ("tags", "scheme"),
    [
        ({"O", "B-NP", "I-NP", "B-VP"}, "iob2"),
        ({"O", "B-NP", "I-NP", "E-NP", "S-VP"}, "iobes"),
        ({"DET", "NOUN", "VERB"}, "plain"),
        ({"O", "DET", "-LRB-"}, "plain"),
        ({"X-1", "Y-2"}, "plain"),
    ],
)
def test_tags_say_their_scheme(tags: set[str], scheme: str) -> None:
    assert _scheme_of(tags) == scheme


def test_tags_out_of_order_get_the_scheme_that_takes_any() -> None:
    use = Guess(task="tagging", kind="symbols", inputs=("tokens",), target="tags")
    rows = [
        Row(i, {"tokens": ["a", "b"], "tags": tags}, "t.jsonl")
        for i, tags in enumerate((["O", "B-X"], ["O", "I-X"]))
    ]
    found = survey_of(use, shape_of(use), rows)
    for row in rows:
        found.add(row)
    values, reasons = propose(found, use, head=rows, has_test=True)
    assert values["target"]["scheme"] == "iob1"
    assert any("in 1 of 2 rows an I- follows no B-" in reason for reason in reasons)
