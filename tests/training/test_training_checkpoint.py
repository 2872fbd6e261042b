from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from seqline.errors import SeqlineError
from seqline.training.checkpoint import CheckpointStore, Position
from seqline.training.events import EpochRecord


def record(epoch: int, *, is_best: bool) -> EpochRecord:
    return EpochRecord(epoch, 10 * epoch, 0.1 + 0.2, {"loss": 1 / 3, "accuracy": 0.5}, 1e-3, is_best)


def tensors(value: float) -> dict[str, torch.Tensor]:
    return {"network/weight": torch.full((3, 2), value), "random/cpu": torch.arange(5, dtype=torch.uint8)}


BEST = {"weight": torch.tensor([1.0, -2.0])}
FIRST = Position(
    epoch=2, batch=3, step=13, loss_sum=0.1 + 0.7, examples=24, history=(record(1, is_best=True),)
)
SECOND = Position(epoch=2, batch=6, step=16, loss_sum=1 / 7, examples=48, history=(record(1, is_best=True),))


def store(folder: Path, identity: str = "this run") -> CheckpointStore:
    return CheckpointStore(folder=folder, identity=identity)


@pytest.fixture
def two_saved(tmp_path: Path) -> Path:
    writer = store(tmp_path)
    writer.save(FIRST, tensors(1.0), BEST)
    writer.save(SECOND, tensors(2.0), BEST)
    return tmp_path


def newest_files(folder: Path) -> list[Path]:
    path = sorted(folder.glob("checkpoint-*.json"))[-1]
    content = json.loads(path.read_text())["checkpoint"]
    return [path, folder / content["state"]["file"], folder / content["best"]["file"]]


def test_an_empty_or_missing_folder_has_no_checkpoint(tmp_path):
    assert store(tmp_path).load() == (None, [])
    assert store(tmp_path / "missing").load() == (None, [])


def test_what_was_saved_last_comes_back_exactly(two_saved):
    checkpoint, rejected = store(two_saved).load()
    assert rejected == []
    assert checkpoint is not None
    assert checkpoint.position == SECOND
    assert torch.equal(checkpoint.state["network/weight"], torch.full((3, 2), 2.0))
    assert checkpoint.state["random/cpu"].dtype == torch.uint8
    assert torch.equal(checkpoint.best["weight"], BEST["weight"])


def test_disk_use_is_bounded_and_files_of_others_stay(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / ".state-000001.safetensors.abc.tmp").write_text("left by a killed write")
    writer = store(tmp_path)
    for epoch in range(2, 12):
        history = tuple(record(e, is_best=True) for e in range(1, epoch))
        writer.save(Position(epoch=epoch, step=epoch, history=history), tensors(epoch), BEST)
    names = sorted(p.name for p in tmp_path.iterdir())
    assert len([n for n in names if n.startswith("checkpoint-")]) == 2
    assert len([n for n in names if n.startswith("state-")]) == 2
    assert len([n for n in names if n.startswith("best-")]) == 2
    assert len(names) == 7
    assert "notes.txt" in names
    writer.clear()
    assert [p.name for p in tmp_path.iterdir()] == ["notes.txt"]


def test_tensors_of_the_same_step_are_written_once(tmp_path):
    writer = store(tmp_path)
    writer.save(FIRST, tensors(1.0), BEST)
    before = {p.name for p in tmp_path.glob("*.safetensors")}
    writer.save(Position(epoch=3, step=FIRST.step, history=FIRST.history), tensors(1.0), BEST)
    assert {p.name for p in tmp_path.glob("*.safetensors")} == before


def test_every_flipped_bit_is_found_and_the_checkpoint_before_is_used(two_saved):
    rng = np.random.default_rng(0)
    pristine = {path: path.read_bytes() for path in two_saved.iterdir()}
    flips = 0
    for path in newest_files(two_saved)[:2]:
        for position in rng.integers(0, path.stat().st_size, size=15):
            for name, content in pristine.items():
                name.write_bytes(content)
            flipped = bytearray(pristine[path])
            flipped[position] ^= 1 << int(rng.integers(8))
            path.write_bytes(flipped)
            checkpoint, rejected = store(two_saved).load()
            assert checkpoint is not None
            assert checkpoint.position == FIRST, (path, position)
            assert len(rejected) == 1
            assert str(two_saved) in rejected[0]
            flips += 1
    assert flips == 30


@pytest.mark.parametrize("damage", ["cut", "emptied", "gone"])
@pytest.mark.parametrize("which", [0, 1])
def test_a_torn_or_missing_file_leads_to_the_checkpoint_before(two_saved, which, damage):
    path = newest_files(two_saved)[which]
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[: 20 if damage == "cut" else 0])
    checkpoint, rejected = store(two_saved).load()
    assert checkpoint is not None
    assert checkpoint.position == FIRST
    assert len(rejected) == (0 if (which, damage) == (0, "gone") else 1)


def test_damage_to_what_both_checkpoints_share_starts_anew(two_saved):
    best = newest_files(two_saved)[2]
    best.write_bytes(best.read_bytes()[:-1])
    checkpoint, rejected = store(two_saved).load()
    assert checkpoint is None
    assert len(rejected) == 2
    assert "damaged" in rejected[0]
    assert list(two_saved.iterdir()) == []


def test_a_checkpoint_of_another_run_is_not_used_and_says_why(two_saved):
    checkpoint, rejected = store(two_saved, "another run").load()
    assert checkpoint is None
    assert all("of other data, another recipe" in reason for reason in rejected)
    assert list(two_saved.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_an_error_that_names_it(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SeqlineError, match="a checkpoint could not be written") as caught:
        store(tmp_path / "file").save(FIRST, tensors(1.0), BEST)
    assert caught.value.exit_code == 1
    assert str(tmp_path / "file") in str(caught.value)


def test_best_epoch_is_the_last_record_that_was_best():
    history = tuple(record(epoch, is_best=epoch in {1, 3}) for epoch in range(1, 6))
    assert Position(history=history).best_epoch == 3
    assert Position().best_epoch == 0
