"""`seqline predict --log` keeps what a champion answered, `seqline label` tells how right it was."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tiny_project import WORDS, Project, make_recipe

from seqline.cli import cli
from seqline.config import write_yaml


def call(*words: str) -> Result:
    told = CliRunner().invoke(cli, list(words), catch_exceptions=False)
    assert told.exit_code == 0, told.output
    return told


@pytest.fixture
def champion(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A champion that is wrong on the first twenty words."""
    root = project.root
    (root / "recipes").mkdir()
    write_yaml(root / "recipes" / f"{project.name}.yaml", make_recipe().model_dump(mode="json"))
    write_yaml(root / "params.yaml", {"recipes": [project.name]})
    (root / "dvc.yaml").write_text("stages: {}\n")
    project.add(wrong=range(20))
    monkeypatch.chdir(root)
    return project


def write(path: Path, columns: list[str], rows: list[list[str]]) -> str:
    with path.open("w", newline="") as handle:
        csv.writer(handle).writerows([columns, *rows])
    return str(path)


def logged(project: Project) -> list[dict[str, object]]:
    folder = project.root / ".seqline" / "predictions" / project.name
    return [json.loads(line) for path in sorted(folder.glob("2*")) for line in path.read_text().splitlines()]


def test_answers_are_logged_with_their_ids_and_labels_measure_the_version(champion: Project) -> None:
    rows = write(champion.root / "rows.csv", ["id", "text"], [[f"r{i}", WORDS[i]] for i in range(100)])
    told = call("predict", champion.name, "--file", rows, "--json", "--log")
    found = logged(champion)
    assert [record["id"] for record in found] == [f"r{i}" for i in range(100)]
    answers = [json.loads(line) for line in told.stdout.splitlines()]
    assert [(a["id"], a["label"], a["probability"]) for a in answers] == [
        (r["id"], r["label"], r["probability"]) for r in found
    ]
    assert {record["version"] for record in found} == {1}
    assert found[3]["text"] == WORDS[3]
    truth = [[f"r{i}", "positive" if i % 2 else "negative"] for i in range(80)]
    labels = write(champion.root / "labels.csv", ["id", "label"], [*truth, ["r99x", "positive"]])
    report = json.loads(call("label", champion.name, "--from", labels, "--json").stdout)
    assert (report["joined"], report["set_aside"]) == (80, 1)
    (measured,) = report["versions"]
    assert (measured["version"], measured["rows"], measured["accuracy"]) == (1, 80, 0.75)
    assert measured["low"] < 0.75 < measured["high"]
    assert measured["test"] == pytest.approx(0.95)
    shown = call("label", champion.name, "--from", labels).stdout
    assert "joined   0 labels to logged answers; 80 were known" in shown
    assert "accuracy 0.7500 of version 1" in shown
    assert "80 answers), on test 0.9500" in shown
    made = json.loads(call("predict", champion.name, "--json", "--log", WORDS[30]).stdout)
    assert len(made["id"]) == 32
    assert logged(champion)[-1]["id"] == made["id"]
    plain = call("predict", champion.name, "--log", WORDS[31]).stdout
    assert str(logged(champion)[-1]["id"]) in plain
    call("predict", champion.name, WORDS[32])
    assert len(logged(champion)) == 102
