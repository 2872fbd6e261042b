from datetime import UTC, datetime

import pytest
from tiny_project import Project

from seqline.errors import GateRefused, InputError
from seqline.tracking.chronicle import history, lineage_of, parse_moment, serving_at
from seqline.tracking.ledger import Entry, Ledger
from seqline.tracking.overview import models

STORY = [
    ("refused", 1, None, "2026-01-05T08:00:00"),
    ("promoted", 2, None, "2026-01-10T08:00:00"),
    ("held", 3, 2, "2026-02-01T08:00:00"),
    ("promoted", 3, 2, "2026-02-03T12:00:00"),
    ("rolled_back", 2, 3, "2026-02-03T18:30:00"),
    ("refused", 4, 2, "2026-03-01T08:00:00"),
]
ENTRIES = [
    Entry(outcome, version, previous, "because", content_key=f"c{version}", time=f"{time}+00:00")
    for outcome, version, previous, time in STORY
]


@pytest.mark.parametrize(
    ("asked", "version"),
    [
        ("2026-01-09", None),
        ("2026-01-10", 2),
        ("2026-01-10T07:59:59", None),
        ("2026-01-10T08:00", 2),
        ("2026-01-10T08:00+02:00", None),
        ("2026-02-02", 2),
        ("2026-02-03T12:00:00Z", 3),
        ("2026-02-03", 2),
        ("2027-01-01", 2),
    ],
)
def test_replaying_the_ledger_up_to_a_moment_tells_who_served(asked: str, version: int | None) -> None:
    service = serving_at(ENTRIES, "toy", parse_moment(asked))
    assert (service.decision.version if service else None) == version


def test_after_a_rollback_the_evidence_is_that_of_the_first_promotion() -> None:
    service = serving_at(ENTRIES, "toy", parse_moment("2026-02-04"))
    assert service.decision.outcome == "rolled_back"
    assert service.judged == ENTRIES[1]
    assert service.until is None
    before = serving_at(ENTRIES, "toy", parse_moment("2026-02-03T13:00"))
    assert (before.judged, before.until) == (ENTRIES[3], ENTRIES[4])


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "", "2026-01-10T25:00"])
def test_what_is_neither_date_nor_time_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="neither a date nor a time"):
        parse_moment(text)


def test_the_ledger_keeps_where_a_champion_came_from(project: Project) -> None:
    project.add(wrong=range(40))
    [entry] = history(project.root, project.name)
    assert entry.evidence["lineage"] == {"git_commit": "abc"}
    service = serving_at([entry], project.name, datetime.now(UTC))
    assert lineage_of(project.root, service) == {"git_commit": "abc"}


def test_for_older_entries_the_store_is_asked_if_its_version_is_the_same(project: Project) -> None:
    project.add(wrong=range(40))
    [entry] = history(project.root, project.name)
    fields = {**entry.__dict__, "evidence": {}}
    now = datetime.now(UTC)
    assert lineage_of(project.root, serving_at([Entry(**fields)], "toy", now)) == {"git_commit": "abc"}
    other = Entry(**{**fields, "content_key": "of a store before this one"})
    assert lineage_of(project.root, serving_at([other], "toy", now)) == {}


def test_a_question_makes_no_store(tmp_path) -> None:
    service = serving_at(ENTRIES, "toy", parse_moment("2026-02-04"))
    assert lineage_of(tmp_path, service) == {}
    assert list(tmp_path.iterdir()) == []


def test_models_shows_the_last_decision_be_it_a_refusal(project: Project) -> None:
    project.add(wrong=range(40))
    with pytest.raises(GateRefused, match="version 1 stays champion"):
        project.add(wrong=range(80))
    [summary] = models(project.tracking)
    assert summary.decided == f"refused version 2, {history(project.root, 'toy')[-1].time}"


def test_without_a_champion_a_refusal_does_not_say_that_one_stays(project: Project) -> None:
    with pytest.raises(GateRefused, match="there is no champion yet"):
        project.add(wrong=range(300))


def test_a_damaged_ledger_is_one_models_own_trouble(project: Project) -> None:
    project.add(wrong=range(40))
    project.name = "another"
    project.add(wrong=range(40))
    path = Ledger(project.root / ".seqline" / "ledger", "another").path
    path.write_bytes(b"{\n" + path.read_bytes())
    damaged, whole = models(project.tracking)
    assert (damaged.name, damaged.champion, damaged.decided) == ("another", 1, "")
    assert "line 1" in damaged.fault
    assert (whole.name, whole.fault) == ("toy", "")
    assert whole.decided.startswith("promoted version 1")
