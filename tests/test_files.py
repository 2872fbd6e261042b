"""Writing whole or not at all, and finding what was altered."""

from __future__ import annotations

import os
import random
import stat
from pathlib import Path

import pytest

from seqline import files
from seqline.errors import InputError, SeqlineError
from seqline.files import atomic_write, complete_folder, to_json, verify_manifest, write_json, write_manifest


def test_a_written_file_is_readable_by_all_and_leaves_no_litter(tmp_path: Path) -> None:
    atomic_write(tmp_path / "deep" / "a.txt", "text")
    assert (tmp_path / "deep" / "a.txt").read_text() == "text"
    assert stat.S_IMODE((tmp_path / "deep" / "a.txt").stat().st_mode) == 0o644
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["a.txt"]


@pytest.mark.parametrize("step", ["fsync", "rename", "write"])
def test_a_failure_at_any_step_leaves_the_old_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    target = tmp_path / "a.txt"
    atomic_write(target, "old")

    def broken(*_: object) -> None:
        raise OSError("no space left on device")

    if step == "fsync":
        monkeypatch.setattr(os, "fsync", broken)
    if step == "rename":
        monkeypatch.setattr(Path, "replace", broken)
    with pytest.raises(OSError, match="no space"):
        atomic_write(target, broken if step == "write" else "new")
    monkeypatch.undo()
    assert target.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_json_has_one_spelling_and_no_nan() -> None:
    assert to_json({"b": 1, "a": "é"}) == '{\n  "a": "é",\n  "b": 1\n}\n'
    with pytest.raises(ValueError, match="Out of range"):
        to_json({"a": float("nan")})


def test_every_flipped_bit_missing_and_added_file_is_found(tmp_path: Path) -> None:
    rng = random.Random(1)
    folder = tmp_path / "out"
    folder.mkdir()
    for number in range(20):
        (folder / f"{number}.bin").write_bytes(rng.randbytes(500))
    write_manifest(folder, note="fact")
    assert verify_manifest(folder)["note"] == "fact"
    for number in range(20):
        path = folder / f"{number}.bin"
        content = bytearray(path.read_bytes())
        content[rng.randrange(500)] ^= 1 << rng.randrange(8)
        original = path.read_bytes()
        path.write_bytes(bytes(content))
        with pytest.raises(SeqlineError, match=rf"{number}\.bin was altered"):
            verify_manifest(folder)
        path.write_bytes(original)
    (folder / "0.bin").unlink()
    (folder / "extra").write_text("x")
    with pytest.raises(SeqlineError, match=r"0\.bin is missing; extra is not in the manifest"):
        verify_manifest(folder)


def test_a_folder_without_manifest_is_not_complete(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no manifest\.json"):
        verify_manifest(tmp_path)


def test_a_failed_block_leaves_the_old_folder(tmp_path: Path) -> None:
    target = tmp_path / "stage"
    with complete_folder(target) as folder:
        write_json(folder / "a.json", 1)
    with pytest.raises(RuntimeError), complete_folder(target) as folder:
        write_json(folder / "b.json", 2)
        raise RuntimeError("stop")
    assert sorted(p.name for p in target.iterdir()) == ["a.json"]
    assert [p.name for p in tmp_path.iterdir()] == ["stage"]


def test_a_complete_folder_replaces_the_old_as_a_whole(tmp_path: Path) -> None:
    target = tmp_path / "stage"
    for name in ("a.json", "b.json"):
        with complete_folder(target) as folder:
            write_json(folder / name, 1)
    assert sorted(p.name for p in target.iterdir()) == ["b.json"]
    assert files.files_below(tmp_path) == [target / "b.json"]
