from pathlib import Path

import pytest

from seqline.errors import SeqlineError
from seqline.tracking.ledger import Entry, Ledger, champions, rolled_back_contents


def entry(outcome: str, version: int, previous: int | None = None, **more: object) -> Entry:
    return Entry(outcome, version, previous, "because", content_key=f"c{version}", **more)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger", "toy")


def test_what_is_appended_is_read_back(ledger: Ledger) -> None:
    written = [entry("promoted", 1), entry("refused", 2, 1, evidence={"rows": 7}, who="Ärger")]
    for one in written:
        ledger.append(one)
    assert ledger.entries() == written
    assert written[0].time.endswith("+00:00")


@pytest.mark.parametrize("kept", [1, 20, -1])
def test_a_torn_last_line_is_no_decision_and_the_next_append_mends_it(ledger: Ledger, kept: int) -> None:
    ledger.append(entry("promoted", 1))
    whole = ledger.path.read_bytes()
    ledger.append(entry("promoted", 2, 1))
    torn = ledger.path.read_bytes()[len(whole) :][:kept]
    ledger.path.write_bytes(whole + torn)
    assert [one.version for one in ledger.entries()] == [1]
    ledger.append(entry("promoted", 3, 1))
    assert [one.version for one in ledger.entries()] == [1, 3]
    assert ledger.path.read_bytes().startswith(whole)


def test_a_damaged_line_in_the_middle_is_named(ledger: Ledger) -> None:
    for version in (1, 2, 3):
        ledger.append(entry("promoted", version))
    lines = ledger.path.read_text().splitlines()
    lines[1] = lines[1][:30]
    ledger.path.write_text("\n".join(lines) + "\n")
    with pytest.raises(SeqlineError, match="line 2"):
        ledger.entries()


def test_an_announced_decision_counts_when_the_alias_moved(ledger: Ledger) -> None:
    ledger.append(entry("promoted", 1))
    announced = entry("promoted", 2, 1)
    ledger.announce(announced)
    assert ledger.recover(champion=2) == announced
    assert ledger.recover(champion=2) is None
    assert [one.version for one in ledger.entries()] == [1, 2]


def test_an_announced_decision_is_dropped_when_the_alias_did_not_move(ledger: Ledger) -> None:
    ledger.append(entry("promoted", 1))
    ledger.announce(entry("promoted", 2, 1))
    assert ledger.recover(champion=1) is None
    assert [one.version for one in ledger.entries()] == [1]


def test_a_kill_after_the_append_does_not_write_the_line_twice(ledger: Ledger) -> None:
    announced = entry("promoted", 1)
    ledger.announce(announced)
    ledger.append(announced)
    assert ledger.recover(champion=1) is None
    assert len(ledger.entries()) == 1


@pytest.mark.parametrize(
    ("story", "line"),
    [
        ([], []),
        ([("promoted", 1, None), ("refused", 2, 1)], [1]),
        ([("promoted", 1, None), ("promoted", 2, 1), ("rolled_back", 1, 2)], [1]),
        ([("promoted", 1, None), ("promoted", 2, 1), ("rolled_back", 1, 2), ("promoted", 3, 1)], [1, 3]),
        ([("promoted", 1, None), ("promoted", 5, 4)], [1, 4, 5]),
        ([("promoted", 1, None), ("promoted", 2, 1), ("promoted", 3, 2), ("rolled_back", 1, 3)], [1]),
    ],
)
def test_replay_gives_the_line_of_champions(story: list[tuple], line: list[int]) -> None:
    assert champions([entry(*step) for step in story]) == line


def test_content_is_barred_after_a_rollback_until_it_is_promoted_again() -> None:
    story = [entry("promoted", 1), entry("promoted", 2, 1), entry("rolled_back", 1, 2)]
    assert rolled_back_contents(story) == {"c2"}
    assert rolled_back_contents([*story, entry("refused", 2, 1)]) == {"c2"}
    assert rolled_back_contents([*story, entry("promoted", 2, 1)]) == set()
