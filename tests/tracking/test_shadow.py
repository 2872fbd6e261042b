import json

import pytest
from tiny_project import CLASSES, WORDS, Project

from seqline.errors import GateRefused, InputError
from seqline.tracking.registry import aliases_of
from seqline.tracking.shadow import shadow, write_report
from seqline.tracking.tally import MAX_EXAMPLES, ShadowRow

LABELLED = [ShadowRow(f"r{i}", word, CLASSES[i % 2]) for i, word in enumerate(WORDS)]


@pytest.fixture
def pair(project: Project) -> Project:
    """Champion wrong on rows 0 to 39, challenger on rows 20 to 79."""
    project.add(wrong=range(40))
    with pytest.raises(GateRefused):
        project.add(wrong=range(20, 80))
    return project


def test_agreement_disagreements_and_both_accuracies_are_counted_exactly(pair: Project) -> None:
    report = shadow(pair.tracking, pair.name, LABELLED)
    assert (report.champion, report.challenger, report.rows) == (1, 2, 400)
    # rows 0-19 and 40-79 are answered differently: 60, half of them negative words
    assert report.agreement == pytest.approx(340 / 400)
    assert report.agreement_interval[0] < 0.85 < report.agreement_interval[1]
    assert sorted(report.pairs) == [("negative", "positive", 30), ("positive", "negative", 30)]
    assert sum(report.shift.values()) == pytest.approx(0.0, abs=1e-6)
    assert len(report.examples) == MAX_EXAMPLES
    quality = report.quality
    assert (quality.metric, quality.champion, quality.challenger) == ("accuracy", 0.9, 0.85)
    assert (quality.mcnemar.only_a, quality.mcnemar.only_b) == (20, 40)


def test_an_example_shows_both_answers_and_only_an_excerpt(pair: Project) -> None:
    long = ShadowRow("long", " ".join([WORDS[0]] * 200))
    report = shadow(pair.tracking, pair.name, [long, ShadowRow("same", WORDS[100])])
    [shown] = report.examples
    assert (shown.id, shown.label, len(shown.excerpt)) == ("long", None, 120)
    # word 0 is negative; the champion is wrong on it, the challenger right
    assert (shown.champion, shown.challenger) == ("positive", "negative")
    assert report.shift["negative"] > 0.4
    assert report.distance == pytest.approx(report.shift["negative"], abs=1e-6)
    assert report.quality is None


def test_shadowing_changes_no_alias_and_no_ledger_and_writes_one_file(pair: Project) -> None:
    before = aliases_of(pair.tracking, pair.name), (pair.root / ".seqline/ledger/toy.jsonl").read_bytes()
    folder = pair.root / ".seqline" / "shadow"
    paths = {write_report(folder, shadow(pair.tracking, pair.name, LABELLED)) for _ in range(2)}
    assert (
        aliases_of(pair.tracking, pair.name),
        (pair.root / ".seqline/ledger/toy.jsonl").read_bytes(),
    ) == before
    [path] = paths
    assert [p for p in folder.rglob("*") if p.is_file()] == [path]
    assert json.loads(path.read_text())["quality"]["rows"] == 400


def test_what_cannot_be_compared_is_refused(project: Project) -> None:
    with pytest.raises(InputError, match="no champion yet"):
        shadow(project.tracking, project.name, LABELLED)
    project.add(wrong=range(40))
    with pytest.raises(InputError, match="no challenger beside"):
        shadow(project.tracking, project.name, LABELLED)
    project.train(wrong=range(80))
    project.register()
    with pytest.raises(InputError, match="no rows"):
        shadow(project.tracking, project.name, [])
    with pytest.raises(InputError, match="row x: label 'neutral'"):
        shadow(project.tracking, project.name, [ShadowRow("x", "waa", "neutral")])
