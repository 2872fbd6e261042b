"""True labels find the answers they are about, once, and what cannot be joined is told with its line."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from seqline.config import write_yaml
from seqline.errors import InputError
from seqline.labels import (
    LabelledQuality,
    LoggedAnswer,
    join_labels,
    labelled_quality,
    labelled_versions,
    log_answers,
)
from seqline.workspace import Workspace

NAME = "tiny"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "recipes").mkdir()
    write_yaml(
        tmp_path / "recipes" / f"{NAME}.yaml",
        {
            "task": "classification",
            "input": {"column": "text"},
            "target": {"column": "label", "classes": ["negative", "positive"]},
            **{section: {} for section in ("validation", "split", "model", "training", "evaluation", "gate")},
        },
    )
    return Workspace(tmp_path)


def answered(identifier: str, label: str, *, version: int = 1, day: str = "2026-06-30") -> LoggedAnswer:
    return LoggedAnswer(
        id=identifier,
        time=f"{day}T12:00:00+00:00",
        version=version,
        content_key=f"content {version}",
        label=label,
        probability=0.9,
        text="a\ntext",
    )


def labels(workspace: Workspace, *lines: str) -> Path:
    path = workspace.root / "labels.csv"
    path.write_text("id,label\n" + "".join(line + "\n" for line in lines), encoding="utf-8")
    return path


def test_labels_join_the_answers_and_tell_how_right_each_version_was(workspace: Workspace) -> None:
    log_answers(workspace, NAME, [answered(f"a{i}", "positive") for i in range(4)])
    log_answers(
        workspace, NAME, [answered(f"b{i}", "negative", version=2, day="2026-07-01") for i in range(2)]
    )
    folder = workspace.predictions_folder(NAME)
    assert sorted(path.name for path in folder.glob("2*")) == ["2026-06.jsonl", "2026-07.jsonl"]
    source = labels(workspace, "a0,positive", "a1,positive", "a2,negative", "b0,negative")
    report = join_labels(workspace, NAME, source)
    assert (report.joined, report.known, report.set_aside, report.quarantine) == (4, 0, 0, None)
    assert labelled_quality(workspace, NAME, 1) == LabelledQuality(version=1, rows=3, correct=2)
    assert labelled_quality(workspace, NAME, 2) == LabelledQuality(version=2, rows=1, correct=1)
    assert labelled_quality(workspace, NAME) == LabelledQuality(version=None, rows=4, correct=3)
    assert labelled_quality(workspace, NAME, 3) is None
    assert labelled_quality(workspace, NAME, 1, content_key="content 1") is not None
    # Version 1 of a new registry is another model.
    assert labelled_quality(workspace, NAME, 1, content_key="content 9") is None
    assert [quality.version for quality in labelled_versions(workspace, NAME)] == [1, 2]
    before = (folder / "labels.jsonl").read_bytes()
    again = join_labels(workspace, NAME, source)
    assert (again.joined, again.known) == (0, 4)
    assert (folder / "labels.jsonl").read_bytes() == before


def test_of_several_answers_to_an_id_the_last_is_labelled_and_a_newer_one_again(workspace: Workspace) -> None:
    log_answers(workspace, NAME, [answered("a", "negative"), answered("a", "positive", day="2026-07-02")])
    source = labels(workspace, "a,positive")
    assert join_labels(workspace, NAME, source).joined == 1
    assert labelled_quality(workspace, NAME, 1) == LabelledQuality(version=1, rows=1, correct=1)
    log_answers(workspace, NAME, [answered("a", "negative", version=2, day="2026-08-01")])
    assert join_labels(workspace, NAME, source).joined == 1
    assert labelled_quality(workspace, NAME, 1) == LabelledQuality(version=1, rows=1, correct=1)
    assert labelled_quality(workspace, NAME, 2) == LabelledQuality(version=2, rows=1, correct=0)
    assert labelled_quality(workspace, NAME) == LabelledQuality(version=None, rows=1, correct=0)


def test_what_cannot_be_joined_is_set_aside_with_line_and_reason(workspace: Workspace) -> None:
    log_answers(workspace, NAME, [answered(f"a{i}", "positive") for i in range(6)])
    assert join_labels(workspace, NAME, labels(workspace, "a0,positive")).joined == 1
    source = labels(
        workspace,
        "a0,negative",  # contradicts the label of before
        "a1,positive",
        "a1,positive",  # twice, and agrees
        "a2,positive",
        "a2,negative",  # twice, and does not
        "a3,great",
        "zz,positive",
        " ,positive",
        "a4",
        "a5,negative",
    )
    report = join_labels(workspace, NAME, source, now=datetime(2026, 7, 1, tzinfo=UTC))
    assert (report.joined, report.known, report.set_aside) == (2, 1, 7)
    assert report.quarantine is not None
    lines = (workspace.root / report.quarantine).read_text(encoding="utf-8").splitlines()
    aside = {record["line"]: record["reasons"][0] for record in map(json.loads, lines)}
    assert sorted(aside) == [2, 5, 6, 7, 8, 9, 10]
    for line, part in {
        2: "contradicts 'positive'",
        5: "labelled negative and positive in this file",
        6: "labelled negative and positive in this file",
        7: "'great' is none of negative, positive",
        8: "no logged answer has the id 'zz'",
        9: "id: no value",
        10: "1 field",
    }.items():
        assert part in aside[line]
    assert labelled_quality(workspace, NAME, 1) == LabelledQuality(version=1, rows=3, correct=2)
    corrected = labels(workspace, "a0,negative")
    assert join_labels(workspace, NAME, corrected, correct=True).joined == 1
    assert join_labels(workspace, NAME, corrected).known == 1
    assert labelled_quality(workspace, NAME, 1) == LabelledQuality(version=1, rows=3, correct=1)


def test_a_file_without_the_columns_is_refused_and_other_names_can_be_given(workspace: Workspace) -> None:
    log_answers(workspace, NAME, [answered("7", "positive")])
    path = workspace.root / "truth.jsonl"
    path.write_text('{"ticket": 7, "truth": "positive"}\n')
    with pytest.raises(InputError, match=r"no column 'id'"):
        join_labels(workspace, NAME, path)
    assert not workspace.quarantine_folder(NAME).exists() or not list(
        workspace.quarantine_folder(NAME).iterdir()
    )
    assert join_labels(workspace, NAME, path, id_column="ticket", target_column="truth").joined == 1
    with pytest.raises(InputError, match="cannot be read"):
        join_labels(workspace, NAME, workspace.root / "absent.csv")


def test_a_model_whose_answers_are_no_labels_takes_none(workspace: Workspace) -> None:
    sections = ("validation", "split", "model", "training", "evaluation", "gate")
    write_yaml(
        workspace.root / "recipes" / "tagger.yaml",
        {
            "task": "tagging",
            "input": {"kind": "symbols", "column": "tokens"},
            "target": {"column": "tags"},
            **{section: {} for section in sections},
        },
    )
    with pytest.raises(InputError, match="task tagging, whose answers are no labels"):
        join_labels(workspace, "tagger", labels(workspace, "a,positive"))
    assert not workspace.predictions_folder("tagger").exists()


def test_a_torn_last_line_of_the_log_never_counted_and_goes_with_the_next_answer(
    workspace: Workspace,
) -> None:
    log_answers(workspace, NAME, [answered("a", "positive"), answered("b", "positive")])
    path = workspace.predictions_folder(NAME) / "2026-06.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    source = labels(workspace, "a,positive", "b,positive")
    assert (join_labels(workspace, NAME, source).joined, join_labels(workspace, NAME, source).set_aside) == (
        1,
        1,
    )
    log_answers(workspace, NAME, [answered("c" * 70_000, "positive"), answered("b", "negative")])
    assert [json.loads(line)["id"][:1] for line in path.read_text().splitlines()] == ["a", "c", "b"]
    path.write_bytes(path.read_bytes() + b'{"torn": "' + b"x" * 200_000)
    log_answers(workspace, NAME, [answered("d", "positive")])
    assert [json.loads(line)["id"][:1] for line in path.read_text().splitlines()] == ["a", "c", "b", "d"]
    report = join_labels(workspace, NAME, source)
    assert (report.joined, report.known, report.set_aside) == (1, 1, 0)
