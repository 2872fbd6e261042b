"""What is stored with each version: small, readable, the same bytes again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny_model import Trained

from seqline.data.rows import read_split
from seqline.errors import InputError
from seqline.files import read_json, sha256_file, write_json
from seqline.monitoring.profile import PROFILE_FILE, Profile, make_profile
from seqline.monitoring.signals import LENGTH_EDGES, Layout, measure
from seqline.serving.predictor import Predictor


def test_a_trained_model_carries_a_profile_of_a_few_kilobytes(trained: Trained, profile: Profile) -> None:
    path = trained.model_folder / PROFILE_FILE
    assert path.stat().st_size < 20_000
    assert PROFILE_FILE in read_json(trained.model_folder / "manifest.json")["files"]
    valid = read_split(trained.prepare_folder, "valid")
    told = read_json(path)
    assert told["rows"] == len(valid) > 500
    assert told["few_rows"] is False
    assert told["labels"] == np.bincount(valid.targets).tolist()
    assert sum(told["tokens"].values()) + told["other_tokens"] == sum(
        len(ids) for ids in trained.predictor.tokenizer.encode_whole(valid.inputs)
    )
    assert told["tokens"]["the"] > 100


def test_the_profile_names_the_batches_it_was_fitted_on(trained: Trained, profile: Profile) -> None:
    folder = trained.root / "data" / "tiny" / "train"
    assert profile.batches == {path.name: sha256_file(path) for path in folder.iterdir()}


def test_training_again_gives_the_same_bytes(trained: Trained, tmp_path: Path) -> None:
    trained.train(tmp_path / "again")
    again = (tmp_path / "again" / PROFILE_FILE).read_bytes()
    assert again == (trained.model_folder / PROFILE_FILE).read_bytes()


def test_a_profile_is_read_as_it_was_written(profile: Profile, tmp_path: Path) -> None:
    profile.save(tmp_path)
    read = Profile.load(tmp_path)
    assert np.array_equal(read.counts, profile.counts)
    assert replace(read, counts=profile.counts) == profile


def test_a_folder_without_a_profile_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="registered before profiles existed"):
        Profile.load(tmp_path)
    write_json(tmp_path / PROFILE_FILE, {"format": 99})
    with pytest.raises(InputError, match="another format"):
        Profile.load(tmp_path)


def test_few_reference_rows_are_told(trained: Trained, predictor: Predictor) -> None:
    valid = read_split(trained.prepare_folder, "valid")
    few = valid.take(range(40))
    profile = make_profile(predictor, few, train_ids=np.asarray([2, 3, 3, 1, 0]), batches={}, seed=0)
    assert profile.few_rows
    assert set(profile.layout.words) == set(predictor.tokenizer.tokens([2, 3])), "neither padding nor unknown"


def test_rows_are_counted_as_the_model_reads_them(predictor: Predictor) -> None:
    layout = Layout(words=("food", "the"), classes=("negative", "positive"))
    texts = ["The food, THE food!", "zqxv the", ""]
    measured = measure(texts, ["negative", None, "joy"], predictor=predictor, layout=layout)
    parts = layout.parts()
    # "," and "!" are known tokens without a cell; an empty text is one unknown token.
    assert measured.cells[:, parts["tokens"]].tolist() == [[2, 2, 2], [0, 1, 1], [0, 0, 1]]
    assert measured.cells[:, parts["unknown"]].tolist() == [[0, 6], [1, 1], [1, 0]]
    assert measured.lengths.tolist() == [6, 2, 1]
    assert measured.cells[:, parts["labels"]].tolist() == [[1, 0, 0], [0, 0, 0], [0, 0, 1]]
    for name in ("length", "score", "predicted"):
        assert measured.cells[:, parts[name]].sum(axis=1).tolist() == [1, 1, 1]
    assert np.flatnonzero(measured.cells[0, parts["length"]]).tolist() == [LENGTH_EDGES.index(6) + 1]
    assert measured.scores == pytest.approx(predictor.probabilities(texts).max(axis=1))


def test_a_profile_of_another_model_is_refused(predictor: Predictor) -> None:
    with pytest.raises(InputError, match="'zqxv' that the tokenizer lacks"):
        measure(["good"], None, predictor=predictor, layout=Layout(("zqxv",), ("negative", "positive")))
