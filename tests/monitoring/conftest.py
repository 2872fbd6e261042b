"""A small real model of the embedded reviews, trained once a session through the stages."""

from __future__ import annotations

import pytest
from tiny_model import Trained, make_recipe, write_rows

from seqline.data.samples.reviews import reviews
from seqline.monitoring.profile import Profile
from seqline.serving.predictor import Predictor
from seqline.stages import prepare


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    made = Trained(tmp_path_factory.mktemp("monitored"), make_recipe())
    data = made.root / "data" / "tiny"
    for month in ("2026-01", "2026-02"):
        write_rows(data / "train" / f"{month}.jsonl", reviews(rows=1000, seed=7, split="train", month=month))
    write_rows(data / "test" / "test.jsonl", reviews(rows=100, seed=7, split="test", month="2026-05"))
    prepare.run(made.recipe, data_folder=data, output_folder=made.prepare_folder)
    made.train(made.model_folder)
    return made


@pytest.fixture(scope="session")
def profile(trained: Trained) -> Profile:
    return trained.profile


@pytest.fixture(scope="session")
def predictor(trained: Trained) -> Predictor:
    return trained.predictor
