"""A project with a registry and real tiny models whose accuracy is known by construction.

Every text is one word out of `WORDS`; the class of word i is i % 2. A network with one unit reads the
word's number and answers with its sign, so flipping the numbers of some words makes it wrong on exactly
those rows.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from seqline.config import parse_recipe, sections_of
from seqline.data.rows import SplitRows, write_split
from seqline.data.targets import fit_target
from seqline.data.tokenization import TextTokenizer
from seqline.evaluation.metrics import METRICS
from seqline.files import atomic_write, complete_folder, read_json, sha256_json, write_json, write_manifest
from seqline.recipe import Recipe
from seqline.serving.predictor import Predictor
from seqline.tasks import task_named
from seqline.tasks.base import sizes_of
from seqline.tracking.lineage import Lineage
from seqline.tracking.promotion import promote
from seqline.tracking.registry import RegisteredVersion, register
from seqline.tracking.runs import Tracking, start_run

CLASSES = ["negative", "positive"]
WORDS = [f"w{chr(97 + i // 26)}{chr(97 + i % 26)}" for i in range(400)]
BASELINE_ACCURACY = 0.6


def make_recipe(**gate: object) -> Recipe:
    """A recipe of the tiny model, with settings of the gate."""
    settings = {"baseline": "majority", "min_test_rows": 100, "min_slice_rows": 50, **gate}
    sections = {name: {} for name in ("validation", "split", "training", "evaluation")}
    model = {
        "cell": "rnn",
        "embedding_dim": 1,
        "hidden_size": 1,
        "bidirectional": False,
        "pooling": "mean",
        "dropout": 0.0,
    }
    return parse_recipe(
        {
            "task": "classification",
            "input": {"column": "text", "max_length": 8, "min_count": 1},
            "target": {"column": "label", "classes": CLASSES},
            "model": model,
            "gate": settings,
            **sections,
        },
        "tests",
    )


def make_model(folder: Path, wrong: Collection[int] = (), *, sharpness: float = 3.0) -> Path:
    """A complete model folder that is wrong on exactly these rows."""
    recipe = make_recipe()
    tokenizer = TextTokenizer.fit(WORDS, recipe.input)
    sizes = sizes_of(tokenizer, fit_target([], recipe.target))
    network = task_named("classification").build(recipe.model, sizes)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
        weights = network.state_dict()
        for index, word in enumerate(WORDS):
            number = int(next(tokenizer.encode([word]))[0])
            sign = 1.0 if index % 2 else -1.0
            weights["embedding.weight"][number] = -sign if index in wrong else sign
        names = [name for name in weights if "weight_ih" in name]
        weights[names[0]].fill_(1.0)
        heads = [name for name in weights if name.startswith("head") and name.endswith("weight")]
        weights[heads[0]].copy_(torch.tensor([[-sharpness], [sharpness]]))
    with complete_folder(folder) as target:
        atomic_write(target / "weights.safetensors", lambda path: save_file(weights, path))
        sections = sections_of(recipe, "task", "input", "target", "model")
        write_json(target / "model.json", {**sections, "sizes": sizes})
        write_json(target / "history.json", {"epochs": []})
        tokenizer.save(target / "tokenizer.json")
        write_manifest(target)
    return folder


def make_prepare(folder: Path, words: Collection[str] = WORDS) -> Path:
    """Test rows: every word once."""
    with complete_folder(folder) as target:
        rows = SplitRows(
            ids=[f"r{i}" for i in range(len(words))],
            inputs=list(words),
            truths=[i % 2 for i in range(len(words))],
            columns={"domain": ["even" if i < 200 else "late" for i in range(len(words))]},
        )
        write_split(target, "test", rows)
        write_manifest(target)
    return folder


def make_evaluate(folder: Path, model_folder: Path, **override: float) -> Path:
    """What evaluate writes, as far as registry and gate read it."""
    probabilities = Predictor.load(model_folder).probabilities(WORDS).astype(np.float64)
    targets = np.arange(len(WORDS)) % 2
    metrics = {
        name: metric.function(probabilities, targets)
        for name, metric in METRICS.items()
        if "classification" in metric.tasks
    }
    baselines = {f"baseline.majority.{name}": BASELINE_ACCURACY for name in ("accuracy", "macro_f1")}
    baseline_rows = int(BASELINE_ACCURACY * len(WORDS))
    with complete_folder(folder) as target:
        write_json(target / "metrics.json", {**metrics, **baselines, **override})
        records = [
            {
                "id": f"r{index}",
                "target": index % 2,
                "prediction": int(row.argmax()),
                "probabilities": row.round(6).tolist(),
                "baselines": {"majority": index % 2 if index < baseline_rows else (index + 1) % 2},
            }
            for index, row in enumerate(probabilities)
        ]
        lines = [json.dumps(record) for record in records]
        atomic_write(target / "predictions.jsonl", "\n".join(lines) + "\n")
        write_manifest(target, model=sha256_json(read_json(model_folder / "manifest.json")["files"]))
    return folder


@dataclass
class Project:
    """A project folder with a registry and tiny models."""

    tracking: Tracking
    name: str = "toy"

    @property
    def root(self) -> Path:
        return self.tracking.root

    @property
    def prepare_folder(self) -> Path:
        return self.root / "artifacts" / self.name / "prepare"

    @property
    def model_folder(self) -> Path:
        return self.root / "artifacts" / self.name / "train"

    @property
    def evaluate_folder(self) -> Path:
        return self.root / "artifacts" / self.name / "evaluate"

    def train(self, wrong: Collection[int] = (), *, sharpness: float = 3.0, **override: float) -> None:
        """Put a model and its evaluation in place."""
        make_model(self.model_folder, wrong, sharpness=sharpness)
        make_evaluate(self.evaluate_folder, self.model_folder, **override)
        if not self.prepare_folder.is_dir():
            make_prepare(self.prepare_folder)

    def register(self, recipe: Recipe | None = None) -> RegisteredVersion:
        return register(
            self.tracking,
            self.name,
            model_folder=self.model_folder,
            evaluate_folder=self.evaluate_folder,
            recipe=recipe or make_recipe(),
            lineage=Lineage(git_commit="abc"),
            run_id=start_run(self.tracking, self.name),
        )

    def promote(self, recipe: Recipe | None = None, *, again: bool = False):
        return promote(
            self.tracking,
            self.name,
            recipe=recipe or make_recipe(),
            prepare_folder=self.prepare_folder,
            evaluate_folder=self.evaluate_folder,
            again=again,
        )

    def add(self, wrong: Collection[int] = (), recipe: Recipe | None = None, **settings: float):
        """Train, register and promote."""
        self.train(wrong, **settings)
        self.register(recipe)
        return self.promote(recipe)
