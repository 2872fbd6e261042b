import dataclasses
import shutil

import pytest
from tiny_project import Project, make_recipe

from seqline.errors import GateRefused, InputError, SeqlineError
from seqline.tracking.approval import approve, waiting
from seqline.tracking.changeover import note
from seqline.tracking.chronicle import history
from seqline.tracking.ledger import champions
from seqline.tracking.promotion import Decision, is_decided, promote
from seqline.tracking.registry import CHAMPION, aliases_of, get_version, ledger_of
from seqline.tracking.rollback import roll_back
from seqline.tracking.storage import package_folder

MANUAL = make_recipe(approval="manual")


def champion_version(project: Project) -> int | None:
    return aliases_of(project.tracking, project.name).get(CHAMPION)


def outcomes(project: Project) -> list[tuple[str, int]]:
    return [(entry.outcome, entry.version) for entry in history(project.root, project.name)]


def approved(project: Project, **more: str) -> Decision:
    recipe = more.pop("recipe", MANUAL)
    folders = {"prepare_folder": project.prepare_folder, "evaluate_folder": project.evaluate_folder}
    return approve(project.tracking, project.name, recipe=recipe, **folders, **more)


def decided(project: Project, version: int, recipe=MANUAL) -> bool:
    folders = {"prepare_folder": project.prepare_folder, "evaluate_folder": project.evaluate_folder}
    return is_decided(project.tracking, project.name, version, recipe=recipe, **folders)


@pytest.fixture
def held(project: Project) -> Project:
    """Version 1 is champion, version 2 passed the gate and waits."""
    project.add(wrong=range(40))
    decision = project.add(wrong=range(10), recipe=MANUAL)
    assert (decision.outcome, decision.version, decision.previous) == ("held", 2, 1)
    return project


def test_a_passing_challenger_is_held_with_its_evidence_and_the_alias_stays(held: Project) -> None:
    assert champion_version(held) == 1
    assert outcomes(held) == [("promoted", 1), ("held", 2)]
    entry = history(held.root, held.name)[-1]
    assert all(verdict["passed"] for verdict in entry.verdicts)
    assert entry.evidence["comparison"]["challenger"] == pytest.approx(0.975)
    assert waiting(held.root, held.name) == entry
    assert champions(history(held.root, held.name)) == [1]
    assert get_version(held.tracking, held.name, 2).tags["decision"] == "held"


def test_asking_again_while_it_is_held_adds_no_line_and_counts_as_decided(held: Project) -> None:
    assert decided(held, 2)
    assert held.promote(MANUAL).outcome == "held"
    assert len(outcomes(held)) == 2


def test_without_manual_approval_the_held_version_is_promoted_by_the_gate(held: Project) -> None:
    assert not decided(held, 2, make_recipe())
    assert held.promote(make_recipe()).outcome == "promoted"
    assert waiting(held.root, held.name) is None


def test_an_approval_promotes_exactly_the_held_version_and_says_who_and_why(held: Project) -> None:
    # The artifacts may be gone by then: registry and ledger are enough.
    shutil.rmtree(held.evaluate_folder)
    decision = approved(held, reason="looked at 50 rows", who="Ärger")
    assert (decision.outcome, decision.version, decision.previous) == ("promoted", 2, 1)
    assert champion_version(held) == 2
    entry = history(held.root, held.name)[-1]
    assert entry.who == "Ärger"
    assert "looked at 50 rows" in entry.reason
    assert entry.evidence["approval"]["reason"] == "looked at 50 rows"
    assert entry.verdicts == history(held.root, held.name)[-2].verdicts
    assert champions(history(held.root, held.name)) == [1, 2]
    with pytest.raises(InputError, match="nothing waits"):
        approved(held)


def test_with_nothing_held_there_is_nothing_to_approve(project: Project) -> None:
    project.add(wrong=range(40))
    with pytest.raises(InputError, match="nothing waits for approval"):
        approved(project)


def test_a_refused_challenger_cannot_be_approved(held: Project) -> None:
    with pytest.raises(GateRefused):
        held.add(wrong=range(60), recipe=MANUAL)
    with pytest.raises(InputError, match="the challenger is now version 3"):
        approved(held)
    assert champion_version(held) == 1


def test_a_ledger_line_that_calls_a_failing_version_held_does_not_promote_it(held: Project) -> None:
    entry = history(held.root, held.name)[-1]
    failing = [{**entry.verdicts[0], "passed": False}, *entry.verdicts[1:]]
    ledger = ledger_of(held.root, held.name)
    note(held.tracking, ledger, held.name, dataclasses.replace(entry, verdicts=failing))
    assert approved(held).outcome == "held"
    assert champion_version(held) == 1


def test_after_the_champion_changed_it_is_judged_again_and_wants_a_new_approval(project: Project) -> None:
    for errors in (60, 40):
        project.add(wrong=range(errors))
    project.add(wrong=range(10), recipe=MANUAL)
    roll_back(project.tracking, project.name)
    assert waiting(project.root, project.name).version == 3
    again = approved(project)
    assert (again.outcome, again.version, again.previous) == ("held", 3, 1)
    assert "judged again" in again.reason
    assert champion_version(project) == 1
    assert approved(project).outcome == "promoted"
    assert champion_version(project) == 3


def test_after_the_gate_became_stricter_an_approval_is_refused(held: Project) -> None:
    strict = make_recipe(approval="manual", floors={"accuracy": 0.99})
    with pytest.raises(GateRefused, match="floor accuracy"):
        approved(held, recipe=strict)
    assert outcomes(held)[-1] == ("refused", 2)
    assert champion_version(held) == 1


def test_a_damaged_package_is_not_approved(held: Project) -> None:
    version = get_version(held.tracking, held.name, 2)
    next(package_folder(held.tracking, version).rglob("weights.safetensors")).unlink()
    with pytest.raises(SeqlineError, match="altered"):
        approved(held)
    assert champion_version(held) == 1


def test_what_was_held_after_a_rollback_waits_through_scheduled_runs(held: Project) -> None:
    approved(held)
    roll_back(held.tracking, held.name)
    assert held.promote(MANUAL, again=True).outcome == "held"
    assert decided(held, 2)
    assert held.promote(MANUAL).outcome == "held"
    assert approved(held).outcome == "promoted"


def test_a_promoter_decides_about_the_version_it_names_not_about_the_alias(project: Project) -> None:
    project.add(wrong=range(40))
    project.train(wrong=range(60))
    worse = project.register()
    project.train(wrong=range(10))
    better = project.register()
    folders = {"prepare_folder": project.prepare_folder, "evaluate_folder": project.evaluate_folder}
    with pytest.raises(InputError, match="another model"):
        promote(project.tracking, "toy", recipe=make_recipe(), version=worse.version, **folders)
    project.train(wrong=range(60))
    with pytest.raises(GateRefused, match="toy version 2"):
        promote(project.tracking, "toy", recipe=make_recipe(), version=worse.version, **folders)
    project.train(wrong=range(10))
    promoted = promote(project.tracking, "toy", recipe=make_recipe(), version=better.version, **folders)
    assert promoted.version == champion_version(project) == 3
