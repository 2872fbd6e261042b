import json
import random
from types import SimpleNamespace

import numpy as np
import pytest
from tiny_project import WORDS, Project, make_evaluate, make_model, make_prepare, make_recipe

from seqline.errors import GateRefused, InputError, SeqlineError
from seqline.files import read_json, write_manifest
from seqline.serving.predictor import Predictor
from seqline.tracking.chronicle import history
from seqline.tracking.ledger import Entry, champions
from seqline.tracking.overview import models
from seqline.tracking.packaging import model_folder_of
from seqline.tracking.promotion import is_decided
from seqline.tracking.registry import CHAMPION, aliases_of, champion, champion_folder, get_version, ledger_of
from seqline.tracking.rollback import roll_back
from seqline.tracking.storage import package_folder


def champion_version(project: Project) -> int | None:
    return aliases_of(project.tracking, project.name).get(CHAMPION)


def outcomes(project: Project) -> list[tuple[str, int]]:
    return [(entry.outcome, entry.version) for entry in history(project.root, project.name)]


def test_first_model_is_promoted_when_it_passes_the_gate(project: Project) -> None:
    decision = project.add(wrong=range(40))
    assert (decision.outcome, decision.version, decision.previous) == ("promoted", 1, None)
    assert champion_version(project) == 1
    [entry] = history(project.root, project.name)
    assert entry.version == 1
    assert {v["rule"] for v in entry.verdicts} >= {
        "finite",
        "test_rows",
        "baseline majority",
        "latency",
        "size",
    }
    assert all(v["passed"] for v in entry.verdicts)
    assert entry.evidence["rows"] == 400


def test_better_challenger_replaces_the_champion_with_its_evidence(project: Project) -> None:
    project.add(wrong=range(40))
    decision = project.add(wrong=range(10))
    assert (decision.version, decision.previous) == (2, 1)
    evidence = history(project.root, project.name)[-1].evidence["comparison"]
    assert evidence["challenger"] == pytest.approx(0.975)
    assert evidence["champion"] == pytest.approx(0.9)
    assert evidence["bootstrap"]["difference"] == pytest.approx(0.075)
    assert (evidence["mcnemar"]["only_a"], evidence["mcnemar"]["only_b"]) == (30, 0)
    assert "REFUSE" not in decision.table()


def test_worse_challenger_is_refused_and_the_alias_stays(project: Project) -> None:
    project.add(wrong=range(10))
    with pytest.raises(GateRefused) as refusal:
        project.add(wrong=range(40))
    assert refusal.value.exit_code == 4
    assert "champion better (mcnemar)" in str(refusal.value)
    assert "slice" in str(refusal.value)
    assert champion_version(project) == 1
    assert outcomes(project) == [("promoted", 1), ("refused", 2)]
    version = get_version(project.tracking, project.name, 2)
    assert version.tags["decision"] == "refused"
    assert "champion better" in version.tags["decision_reason"]


def test_the_same_refusal_is_given_again_without_a_second_line(project: Project) -> None:
    project.add(wrong=range(10))
    for _ in range(3):
        with pytest.raises(GateRefused, match="not better"):
            project.add(wrong=range(40))
    assert outcomes(project) == [("promoted", 1), ("refused", 2)]


def test_a_champion_that_cannot_be_measured_is_a_refusal_and_no_crash(project: Project, monkeypatch) -> None:
    project.add(wrong=range(40))
    measure, calls = Predictor.measure, []

    def challenger_alone(self, rows):
        calls.append(len(rows))
        if len(calls) > 1:  # the challenger's few rows come first
            raise ValueError("a champion of another horizon")
        return measure(self, rows)

    monkeypatch.setattr(Predictor, "measure", challenger_alone)
    with pytest.raises(GateRefused, match=r"answers another question, .* another horizon"):
        project.add(wrong=range(10))
    assert champion_version(project) == 1
    assert outcomes(project) == [("promoted", 1), ("refused", 2)]
    monkeypatch.undo()
    assert project.promote().version == 2  # no refusal for good


def test_a_changed_gate_is_a_new_question(project: Project) -> None:
    project.add(wrong=range(10))
    lenient = make_recipe(champion="not_worse", margin=0.2, max_slice_drop=0.5)
    with pytest.raises(GateRefused):
        project.add(wrong=range(40))
    assert project.promote(lenient).version == 2


def test_promoting_the_champion_says_so_and_adds_no_line(project: Project) -> None:
    project.add(wrong=range(40))
    decision = project.promote()
    assert (decision.outcome, decision.version) == ("already champion", 1)
    assert len(history(project.root, project.name)) == 1


def test_without_a_challenger_there_is_nothing_to_promote(project: Project) -> None:
    with pytest.raises(InputError, match="no challenger"):
        project.promote()


def test_each_refused_try_on_the_same_rows_makes_the_next_harder(project: Project) -> None:
    project.add(wrong=range(40))
    for wrong in (range(39), range(1, 40)):
        with pytest.raises(GateRefused):
            project.add(wrong=wrong)
    # 10 rows won and none lost is p = 0.001: enough on the first look (0.025), and on the third (0.0042)
    assert project.add(wrong=range(10, 40)).outcome == "promoted"
    bounds = [
        next(v["bound"] for v in entry.verdicts if "mcnemar" in v["rule"])
        for entry in history(project.root, project.name)[1:]
    ]
    assert bounds == pytest.approx([0.05 / 2, 0.05 / 6, 0.05 / 12])


def test_rollback_restores_the_champion_before_and_then_the_one_before_that(project: Project) -> None:
    for errors in (60, 30, 5):
        project.add(wrong=range(errors))
    assert roll_back(project.tracking, project.name).version == 2
    assert champion_version(project) == 2
    assert roll_back(project.tracking, project.name, reason="wrong on short reviews").version == 1
    assert champion_version(project) == 1
    with pytest.raises(InputError, match="no earlier champion"):
        roll_back(project.tracking, project.name)
    assert history(project.root, project.name)[-1].reason == "wrong on short reviews"


def test_a_version_that_was_rolled_back_is_not_promoted_by_the_next_run(project: Project) -> None:
    project.add(wrong=range(40))
    project.add(wrong=range(10))
    roll_back(project.tracking, project.name)
    with pytest.raises(GateRefused, match="a rollback took the alias"):
        project.add(wrong=range(10))
    assert champion_version(project) == 1
    assert project.promote(again=True).version == 2


def test_rollback_skips_deleted_versions_and_goes_to_a_named_one(project: Project) -> None:
    for errors in (90, 60, 30, 5):
        project.add(wrong=range(errors))
    project.tracking.client.delete_model_version(project.name, "3")
    with pytest.raises(InputError, match="one of 1, 2"):
        roll_back(project.tracking, project.name, to=3)
    assert roll_back(project.tracking, project.name).version == 2
    assert roll_back(project.tracking, project.name, to=1).version == 1


def test_rollback_refuses_a_damaged_champion(project: Project) -> None:
    project.add(wrong=range(40))
    project.add(wrong=range(10))
    weights = model_folder_of(package_folder(project.tracking, get_version(project.tracking, "toy", 1)))
    (weights / "weights.safetensors").write_bytes(b"damaged")
    with pytest.raises(SeqlineError, match="altered"):
        roll_back(project.tracking, project.name)
    assert champion_version(project) == 2


@pytest.mark.parametrize("damage", ["flip", "remove"])
def test_a_champion_that_cannot_be_read_is_never_replaced_silently(project: Project, damage: str) -> None:
    project.add(wrong=range(40))
    weights = champion_folder(project.root, project.name) / "weights.safetensors"
    content = bytearray(weights.read_bytes())
    if damage == "flip":
        content[-1] ^= 1
        weights.write_bytes(content)
    else:
        weights.unlink()
    with pytest.raises(GateRefused, match="champion version 1 cannot be loaded"):
        project.add(wrong=range(10))
    assert champion_version(project) == 1
    assert history(project.root, project.name)[-1].verdicts[0]["rule"] == "champion_intact"
    with pytest.raises(SeqlineError, match="altered"):
        champion_folder(project.root, project.name)


def test_once_the_champion_is_restored_the_question_is_asked_anew(project: Project) -> None:
    project.add(wrong=range(40))
    weights = champion_folder(project.root, project.name) / "weights.safetensors"
    content = weights.read_bytes()
    weights.write_bytes(b"")
    with pytest.raises(GateRefused):
        project.add(wrong=range(10))
    weights.write_bytes(content)
    assert project.promote().version == 2


def test_an_evaluation_of_another_model_is_not_taken_for_the_challengers(project: Project) -> None:
    project.train(wrong=range(10))
    project.register()
    make_model(project.model_folder, wrong=range(5))
    make_evaluate(project.evaluate_folder, project.model_folder)
    with pytest.raises(InputError, match="evaluation of another model"):
        project.promote()
    assert champion_version(project) is None


def test_an_evaluation_that_says_otherwise_than_the_model_is_found_out(project: Project) -> None:
    make_model(project.model_folder, wrong=range(200, 400))
    make_evaluate(project.evaluate_folder, project.model_folder)
    make_prepare(project.prepare_folder)
    path = project.evaluate_folder / "predictions.jsonl"
    records = [json.loads(line) for line in path.read_text().splitlines()]
    flipped = [{**record, "probabilities": record["probabilities"][::-1]} for record in records]
    path.write_text("".join(f"{json.dumps(record)}\n" for record in flipped))
    write_manifest(project.evaluate_folder)
    project.register()
    with pytest.raises(InputError, match="the same answer"):
        project.promote()
    assert champion_version(project) is None


def test_other_test_rows_than_the_evaluations_are_refused(project: Project) -> None:
    project.train(wrong=range(10))
    project.register()
    make_prepare(project.prepare_folder, words=WORDS[:399])
    with pytest.raises(InputError, match="answers to 400 rows"):
        project.promote()


@pytest.mark.parametrize("value", [None, float("nan"), float("inf")])
def test_a_figure_that_is_not_a_number_refuses(project: Project, value: float | None) -> None:
    project.train(wrong=range(10))
    path = project.evaluate_folder / "metrics.json"
    path.write_text(json.dumps({**read_json(path), "log_loss": value, "baseline.nb_lr.auroc": None}))
    write_manifest(project.evaluate_folder)
    project.register()
    with pytest.raises(GateRefused, match=r"NaN or infinity in log_loss$|NaN or infinity in log_loss\n"):
        project.promote()
    assert champion_version(project) is None


def test_champion_with_fewer_classes_is_wrong_on_the_new_ones(project: Project) -> None:
    """A class was added: the old champion is compared all the same, its columns put in place."""
    project.add(wrong=range(40))
    from seqline.tracking.evidence import _score, load_test_rows

    tags = champion(project.tracking, project.name).tags
    rows = load_test_rows(
        project.prepare_folder, project.evaluate_folder, make_recipe(), tags["evaluation_sha256"], "toy"
    )
    recipe = SimpleNamespace(
        classes=["neutral", "positive", "negative"], gate=SimpleNamespace(metric="accuracy")
    )
    scored = _score(project.tracking, champion(project.tracking, "toy"), rows, recipe, "")
    assert scored[:, 0].max() == 0
    np.testing.assert_allclose(scored[:, [2, 1]], rows.values, atol=1e-6)


def test_a_kill_between_alias_and_ledger_is_made_good(project: Project) -> None:
    project.add(wrong=range(40))
    project.train(wrong=range(10))
    registered = project.register()
    entry = Entry("promoted", registered.version, 1, "announced", content_key=registered.content_key)
    ledger_of(project.root, project.name).announce(entry)
    project.tracking.client.set_registered_model_alias(project.name, CHAMPION, str(registered.version))
    assert project.promote().outcome == "already champion"
    assert outcomes(project) == [("promoted", 1), ("promoted", 2)]


def test_a_kill_before_the_alias_moved_leaves_no_trace(project: Project) -> None:
    project.add(wrong=range(40))
    project.train(wrong=range(10))
    registered = project.register()
    ledger_of(project.root, project.name).announce(Entry("promoted", registered.version, 1, "announced"))
    assert project.promote().outcome == "promoted"
    assert [entry.reason == "announced" for entry in history(project.root, project.name)] == [False, False]


def test_replaying_the_ledger_gives_the_alias_after_any_operations(project: Project) -> None:
    chance = random.Random(3)
    for step in range(16):
        try:
            if step % 4 == 3:
                roll_back(project.tracking, project.name)
            else:
                project.add(wrong=range(chance.choice([5, 30, 60, 90, 120])))
        except (GateRefused, InputError):
            pass
        line = champions(history(project.root, project.name))
        assert (line[-1] if line else None) == champion_version(project)
    found = [entry.outcome for entry in history(project.root, project.name)]
    assert {"promoted", "refused", "rolled_back"} == set(found)


def test_models_lists_champion_challenger_and_score(project: Project) -> None:
    assert models(project.tracking) == []
    project.add(wrong=range(40))
    with pytest.raises(GateRefused):
        project.add(wrong=range(80))
    [summary] = models(project.tracking)
    assert (summary.name, summary.versions, summary.champion, summary.challenger) == ("toy", 2, 1, 2)
    assert summary.accuracy == pytest.approx(0.9)


def test_the_same_content_in_an_intact_package_mends_a_damaged_champion(project: Project) -> None:
    recipe = make_recipe()

    def decided(version: int) -> bool:
        folders = {"prepare_folder": project.prepare_folder, "evaluate_folder": project.evaluate_folder}
        return is_decided(project.tracking, project.name, version, recipe=recipe, **folders)

    first = project.add(wrong=range(40), recipe=recipe)
    assert decided(first.version)
    (champion_folder(project.root, project.name) / "weights.safetensors").unlink()
    assert not decided(first.version)
    again = project.register(recipe)
    mended = project.promote(recipe)
    assert (mended.outcome, mended.version, mended.previous) == ("promoted", again.version, first.version)
    assert champion_folder(project.root, project.name).is_dir()
