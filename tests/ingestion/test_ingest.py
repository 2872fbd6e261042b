"""New rows come in once, bad ones are set aside with line and reason, and DVC has what came in."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from planted_faults import (
    CSV_REASONS,
    JSON_REASONS,
    distinct_reviews,
    plant_csv,
    plant_json,
    write_csv,
    write_json,
)

from seqline.data.readers import read_rows, rows_in
from seqline.errors import InputError, SeqlineError
from seqline.graph import call_dvc
from seqline.ingestion import IngestReport, ingest
from seqline.onboarding import prove_data
from seqline.workspace import Workspace

NAME = "tiny"


def fresh(count: int, *, seed: int = 7) -> list[dict[str, str]]:
    return distinct_reviews(count, seed=seed, month="2026-06")


def train_rows(workspace: Workspace) -> list[dict[str, object]]:
    return [row.values for row in rows_in(workspace.data_folder(NAME) / "train")]


def batch_of(workspace: Workspace, report: IngestReport) -> list[dict[str, object]]:
    assert report.batch is not None
    return [row.values for row in read_rows(workspace.root / report.batch)]


def set_aside(workspace: Workspace, report: IngestReport) -> list[dict[str, object]]:
    return [
        json.loads(line)
        for path in report.quarantine
        for line in (workspace.root / path).read_text(encoding="utf-8").splitlines()
    ]


def set_remote(workspace: Workspace, place: Path) -> None:
    config = workspace.root / ".dvc" / "config"
    core = config.read_text().replace("[core]", "[core]\n    remote = store")
    config.write_text(f"{core}\n['remote \"store\"']\n    url = {place}\n")


def snapshot(workspace: Workspace) -> dict[str, bytes]:
    kept = [workspace.root / "data", workspace.state]
    files = [path for folder in kept for path in folder.rglob("*") if path.is_file()]
    return {
        str(path): path.read_bytes()
        for path in [*files, workspace.root / "data.dvc"]
        if path.suffix != ".lock"
    }


@pytest.mark.parametrize(
    ("plant", "reasons", "ending"), [(plant_csv, CSV_REASONS, "csv"), (plant_json, JSON_REASONS, "jsonl")]
)
def test_a_hundred_faults_of_ten_kinds_among_5000_rows(
    listed: Workspace, plant: Callable[..., dict[int, str]], reasons: dict[str, str], ending: str
) -> None:
    source = listed.incoming_folder(NAME) / f"june.{ending}"
    source.parent.mkdir(parents=True)
    rows = fresh(5000)
    planted = plant(source, rows, seed=3)
    report = ingest(listed, NAME)
    assert (report.rows_in, report.already_seen, report.quarantined) == (4900, 0, 100)
    first = 2 if ending == "csv" else 1
    assert batch_of(listed, report) == [row for i, row in enumerate(rows, first) if i not in planted]
    aside = set_aside(listed, report)
    assert sorted(record["line"] for record in aside) == sorted(planted)
    lines = source.read_bytes().split(b"\n")
    for record in aside:
        assert record["file"] == f"incoming/{NAME}/june.{ending}"
        assert reasons[planted[record["line"]]] in record["reasons"][0], record
        if "bytes_base64" in record:
            assert base64.b64decode(record["bytes_base64"]) == lines[record["line"] - 1]
    prove_data(listed)
    before = snapshot(listed)
    again = ingest(listed, NAME)
    assert (again.batch, again.rows_in, again.quarantined, again.taken_before) == (None, 0, 0, 1)
    assert snapshot(listed) == before
    assert len(train_rows(listed)) == 4920


def test_a_row_that_is_there_comes_in_no_second_time(listed: Workspace) -> None:
    known = train_rows(listed)
    tested = [row.values for row in rows_in(listed.data_folder(NAME) / "test")]
    rows = fresh(6)
    one = [
        *rows[:3],
        known[4],
        tested[0],
        {**known[5], "id": "another"},
        rows[0],
        {**rows[1], "label": rows[1]["label"]},
    ]
    write_json(listed.incoming_folder(NAME) / "a.jsonl", one)
    write_csv(listed.incoming_folder(NAME) / "b.csv", [*rows[2:], known[6]])
    report = ingest(listed, NAME)
    assert [(file.rows_in, file.already_seen, file.quarantined) for file in report.files] == [
        (3, 5, 0),
        (3, 2, 0),
    ]
    assert batch_of(listed, report) == rows


def test_rows_without_ids_get_them_and_columns_come_in_the_order_of_those_there(listed: Workspace) -> None:
    rows = [{key: row[key] for key in ("written_at", "label", "text", "domain")} for row in fresh(3)]
    write_csv(listed.incoming_folder(NAME) / "a.csv", rows)
    report = ingest(listed, NAME, now=datetime(2026, 7, 1, 8, 30, 5, tzinfo=UTC))
    assert report.batch is not None
    stem = Path(report.batch).stem
    assert stem.startswith("2026-07-01T083005-")
    found = batch_of(listed, report)
    assert [row["id"] for row in found] == [f"{stem}-000000{n}" for n in (1, 2, 3)]
    assert list(found[0]) == ["id", "text", "label", "domain", "written_at"]
    assert [row["text"] for row in found] == [row["text"] for row in rows]


def test_refused_files_leave_no_trace_and_hold_up_no_other(listed: Workspace) -> None:
    incoming = listed.incoming_folder(NAME)
    rows = fresh(12)
    write_csv(
        incoming / "0-typo.csv", [{("lable" if k == "label" else k): v for k, v in r.items()} for r in rows]
    )
    write_csv(incoming / "1-extra.csv", [{**row, "stars": "5"} for row in rows])
    write_csv(incoming / "2-other.csv", [{**row, "label": f"{n} stars"} for n, row in enumerate(rows)])
    write_csv(incoming / "3-good.csv", rows[:5])
    (incoming / "4-quote.csv").write_text(
        'id,text,label,domain,written_at\n"1,a,positive,film,x\n2,b,positive,film,x\n'
    )
    (incoming / "5.txt").write_text("a text\n")
    (incoming / ".6.csv").write_text("still being written")
    (incoming / "train").mkdir()
    report = ingest(listed, NAME)
    assert [file.file for file in report.files] == [f"incoming/{NAME}/3-good.csv"]
    assert batch_of(listed, report) == rows[:5]
    told = {Path(file.file).name: file.reason for file in report.refused}
    assert list(told) == ["5.txt", "0-typo.csv", "1-extra.csv", "2-other.csv", "4-quote.csv"]
    assert "no column 'label'; unknown column 'lable'" in told["0-typo.csv"]
    assert "did you mean 'label'" in told["0-typo.csv"]
    assert "unknown column 'stars'" in told["1-extra.csv"]
    assert "12 of 12 rows are at fault" in told["2-other.csv"]
    assert "12 rows: label: '0 stars' is none of negative, positive (line 2)" in told["2-other.csv"]
    assert "never closed" in told["4-quote.csv"]
    assert not listed.quarantine_folder(NAME).exists()
    again = ingest(listed, NAME)
    assert (len(again.refused), again.taken_before, again.batch) == (5, 1, None)


def test_a_name_that_is_no_text_is_refused_and_holds_up_no_other(listed: Workspace) -> None:
    folder = listed.incoming_folder(NAME)
    folder.mkdir(parents=True)
    good = write_json(folder / "june.jsonl", fresh(20))
    (folder / os.fsdecode(b"caf\xe9.jsonl")).write_bytes(good.read_bytes() + b"{}\n")
    report = ingest(listed, NAME)
    assert report.rows_in == 20
    [refused] = report.refused
    assert refused.file == "caf\\udce9.jsonl"
    assert "rename" in refused.reason


def test_a_file_of_bad_rows_goes_to_quarantine_when_the_user_says_so(listed: Workspace) -> None:
    rows = [{**row, "label": "meh"} for row in fresh(3)]
    source = write_json(listed.root / "elsewhere.jsonl", rows)
    before = (listed.root / "data.dvc").read_bytes()
    assert len(ingest(listed, NAME, source).refused) == 1
    report = ingest(listed, NAME, source, accept_bad=True)
    assert (report.batch, report.rows_in, report.quarantined, report.refused) == (None, 0, 3, ())
    assert [json.loads(str(record["raw"])) for record in set_aside(listed, report)] == rows
    assert (listed.root / "data.dvc").read_bytes() == before


def test_nothing_to_take_is_no_mistake_but_a_wrong_path_is(listed: Workspace) -> None:
    report = ingest(listed, NAME)
    assert report.lines() == [f"nothing new in incoming/{NAME}"]
    with pytest.raises(InputError, match="no such file or folder"):
        ingest(listed, NAME, listed.root / "absent.csv")


def test_rows_changed_behind_dvcs_back_are_not_recorded_silently(workspace: Workspace) -> None:
    write_json(workspace.incoming_folder(NAME) / "a.jsonl", fresh(3))
    before = (workspace.root / "data.dvc").read_bytes()
    path = workspace.data_folder(NAME) / "train" / "2026-01.jsonl"
    path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(InputError, match="does not have the hash"):
        ingest(workspace, NAME)
    assert (workspace.root / "data.dvc").read_bytes() == before
    assert len(list(path.parent.iterdir())) == 1


def test_a_push_that_fails_loses_nothing_and_tells_what_to_do(workspace: Workspace) -> None:
    remote = workspace.root.parent / "remote"
    remote.write_text("a file where the remote's folder should be")
    set_remote(workspace, remote)
    write_json(workspace.incoming_folder(NAME) / "a.jsonl", fresh(3))
    report = ingest(workspace, NAME)
    assert (report.pushed, report.rows_in) == (False, 3)
    assert report.push_problem
    assert "dvc push data.dvc" in report.lines()[-1]
    remote.unlink()
    assert call_dvc(workspace.root, "push", "data.dvc").returncode == 0
    assert any(path.is_file() for path in remote.rglob("*"))


def test_a_batch_that_dvc_cannot_record_is_taken_out_again(workspace: Workspace) -> None:
    write_json(workspace.incoming_folder(NAME) / "a.jsonl", fresh(3))
    cache = workspace.root / ".dvc" / "cache"
    before = snapshot(workspace)
    moved = cache.rename(cache.with_name("elsewhere"))
    cache.write_text("a file where DVC wants a folder")
    with pytest.raises(SeqlineError):
        ingest(workspace, NAME)
    cache.unlink()
    moved.rename(cache)
    assert snapshot(workspace) == before
    assert ingest(workspace, NAME).rows_in == 3


def test_the_command_ends_with_2_when_a_file_was_refused_and_takes_and_pushes_the_others(
    workspace: Workspace,
) -> None:
    write_json(workspace.incoming_folder(NAME) / "a.jsonl", fresh(3))
    write_csv(workspace.incoming_folder(NAME) / "b.csv", [{"id": "1", "text": "only"}])
    remote = workspace.root.parent / "remote"
    set_remote(workspace, remote)
    words = [str(Path(sys.executable).with_name("seqline")), "ingest", NAME, "--json"]
    told = subprocess.run(words, cwd=workspace.root, capture_output=True, text=True, check=False)
    assert told.returncode == 2, told.stderr
    report = json.loads(told.stdout)
    assert (report["rows_in"], len(report["refused"]), report["pushed"]) == (3, 1, True)
    assert any(path.is_file() for path in remote.rglob("*"))
    prove_data(workspace)
    assert len(train_rows(workspace)) == 23
