"""A small real model of the embedded reviews and its folders."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from seqline.config import parse_recipe
from seqline.monitoring.profile import Profile
from seqline.recipe import Recipe
from seqline.serving.predictor import Predictor
from seqline.stages import train


@dataclass(frozen=True)
class Trained:
    """Folders of a project with one trained model."""

    root: Path
    recipe: Recipe

    @property
    def prepare_folder(self) -> Path:
        return self.root / "artifacts" / "tiny" / "prepare"

    @property
    def model_folder(self) -> Path:
        return self.root / "artifacts" / "tiny" / "train"

    @property
    def profile(self) -> Profile:
        return Profile.load(self.model_folder)

    @property
    def predictor(self) -> Predictor:
        return Predictor.load(self.model_folder)

    def train(self, target: Path) -> None:
        train.run(
            self.recipe,
            prepare_folder=self.prepare_folder,
            output_folder=target,
            checkpoint_folder=self.root / "checkpoint",
            report=lambda event: None,
        )


def make_recipe() -> Recipe:
    sections = {name: {} for name in ("validation", "evaluation")}
    return parse_recipe(
        {
            "task": "classification",
            "input": {"column": "text", "max_length": 160},
            "target": {"column": "label", "classes": ["negative", "positive"]},
            "split": {"valid": 0.3},
            "model": {"embedding_dim": 12, "hidden_size": 12, "pooling": "max", "dropout": 0.0},
            "training": {"epochs": 2, "learning_rate": 0.02, "precision": "fp32", "threads": 1},
            "gate": {"baseline": "none", "min_test_rows": 1},
            **sections,
        },
        "tests",
    )


def write_rows(path: Path, rows: list[dict[str, str]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path
