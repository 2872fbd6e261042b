"""Which scheme `seqline new` proposes for tags."""

from __future__ import annotations

import pytest

from seqline.data.proposal import _scheme_of


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
