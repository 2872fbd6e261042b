"""What the registry's commands print and end with, on the tiny project."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

import pytest
from tiny_project import CLASSES, WORDS, Project, make_recipe

from seqline.cli import main
from seqline.config import write_yaml
from seqline.tracking.registry import aliases_of

Told = tuple[int, str, str]


@pytest.fixture
def seqline(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Told]:
    recipe = make_recipe(approval="manual").model_dump(mode="json", exclude_defaults=False)
    write_yaml(project.root / "recipes" / "toy.yaml", recipe)
    write_yaml(project.root / "params.yaml", {"recipes": ["toy"]})
    (project.root / "dvc.yaml").write_text("stages: {}\n")
    monkeypatch.chdir(project.root)

    def call(*words: str) -> Told:
        monkeypatch.setattr(sys, "argv", ["seqline", *words])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsys.readouterr()
        return int(ended.value.code or 0), told.out, told.err

    return call


def test_a_challenger_is_held_looked_at_approved_and_an_old_version_deleted(
    project: Project, seqline: Callable[..., Told]
) -> None:
    code, _, error = seqline("promote", "toy", "--approve")
    assert (code, "nothing waits for approval" in error) == (2, True)
    assert "nobody was ever promoted" in seqline("history", "toy", "--on", "2026-01-01")[1]
    project.add(wrong=range(40))
    project.train(wrong=range(10))
    project.register()

    for _ in range(2):
        code, out, _ = seqline("promote", "toy")
        assert code == 0
        assert "version 2 of toy is held" in out
        assert "version 1 stays champion" in out
        assert "seqline promote toy --approve" in out
    assert "held" in seqline("history", "toy")[1]

    rows = [f"{word},{CLASSES[i % 2]}" for i, word in enumerate(WORDS)]
    (project.root / "batch.csv").write_text("\n".join(["text,label", *rows]) + "\n")
    code, out, _ = seqline("shadow", "toy", "--batch", "batch.csv")
    assert code == 0
    assert "same answer   92.50%" in out
    assert "challenger 0.9750, champion 0.9000 on 400 labelled rows; alone right on 30 against 0" in out
    code, out, _ = seqline("shadow", "toy", "--batch", "batch.csv", "--json")
    assert json.loads(out)["quality"]["challenger_accuracy"] == 0.975
    code, _, error = seqline("shadow", "toy", "--batch", "nothing.csv")
    assert (code, "no such file" in error) == (2, True)
    assert aliases_of(project.tracking, "toy") == {"champion": 1, "challenger": 2}

    code, out, _ = seqline("promote", "toy", "--approve", "--reason", "read 30 rows")
    assert code == 0
    assert "champion of toy: version 2 (promoted: approved: read 30 rows" in out
    code, _, error = seqline("delete", "toy", "2")
    assert (code, "bears the alias challenger and champion" in error) == (2, True)
    assert seqline("delete", "toy", "1")[0] == 0
    assert len(seqline("history", "toy")[1].splitlines()) == 3
    code, _, error = seqline("rollback", "toy")
    assert (code, "no earlier champion" in error) == (2, True)

    code, out, _ = seqline("history", "toy", "--on", "2126-01-01")
    assert "version 2 of toy" in out
    assert "rules passed on 400 test rows" in out
    assert "commit    abc" in out
    answer = json.loads(seqline("history", "toy", "--on", "2126-01-01", "--json")[1])
    assert (answer["version"], answer["until"], answer["lineage"]) == (2, None, {"git_commit": "abc"})
    assert json.loads(seqline("history", "toy", "--on", "2020-01-01", "--json")[1])["version"] is None
    assert seqline("history", "toy", "--on", "soon")[0] == 2
    assert "promoted version 2" in seqline("models")[1]


def test_options_that_do_not_go_together_are_refused(seqline: Callable[..., Told]) -> None:
    assert seqline("promote", "toy", "--reason", "because")[0] == 2
    assert seqline("promote", "toy", "--again", "--approve")[0] == 2
