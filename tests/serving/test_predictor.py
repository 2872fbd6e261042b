"""The one path from raw text to an answer: independent of company, order and pad width; refuses what it must."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from seqline.config import parse_recipe, sections_of
from seqline.data.targets import fit_target
from seqline.data.tokenization import TOKENIZER_FILE, TextTokenizer
from seqline.errors import InputError, SeqlineError
from seqline.files import write_json, write_manifest
from seqline.serving.model_folder import MODEL_FILE, WEIGHTS_FILE
from seqline.serving.predictor import Predictor
from seqline.tasks import task_named
from seqline.tasks.base import sizes_of

TEXTS = [
    " ".join(
        ["good", "bad", "food", "room", "not", "never", "unseen"][(i * k) % 7] for k in range(1 + i % 23)
    )
    for i in range(150)
]


def model_folder(folder: Path, **input_changes: Any) -> Path:
    """A complete model folder with seeded random weights."""
    recipe = parse_recipe(
        {
            "task": "classification",
            "input": {"column": "text", "min_count": 1, "max_length": 16, **input_changes},
            "target": {"column": "label", "classes": ["neg", "pos"]},
            "model": {"hidden_size": 8, "embedding_dim": 8},
            **{name: {} for name in ("validation", "split", "training", "evaluation", "gate")},
        },
        "test",
    )
    folder.mkdir(parents=True)
    tokenizer = TextTokenizer.fit(["good bad food room not never"], recipe.input)
    tokenizer.save(folder / TOKENIZER_FILE)
    torch.manual_seed(0)
    sizes = sizes_of(tokenizer, fit_target([], recipe.target))
    network = task_named(recipe.task).build(recipe.model, sizes)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_(0, 0.5)
    save_file(network.state_dict(), folder / WEIGHTS_FILE)
    write_json(
        folder / MODEL_FILE, {**sections_of(recipe, "task", "input", "target", "model"), "sizes": sizes}
    )
    write_manifest(folder)
    return folder


def test_an_answer_does_not_depend_on_the_other_texts(tmp_path: Path) -> None:
    predictor = Predictor.load(model_folder(tmp_path / "m"))
    together = predictor.probabilities(TEXTS)
    alone = np.concatenate([predictor.probabilities([text]) for text in TEXTS])
    assert np.abs(together - alone).max() <= 1e-6
    assert np.abs(together[::-1] - predictor.probabilities(TEXTS[::-1])).max() <= 1e-6
    assert together.std() > 0.01


def test_padding_before_after_and_by_bucket_give_the_same_answers(tmp_path: Path) -> None:
    answers = [
        Predictor.load(model_folder(tmp_path / padding, padding=padding)).probabilities(TEXTS)
        for padding in ("bucket", "before", "after")
    ]
    assert np.abs(answers[0] - answers[1]).max() <= 1e-6
    assert np.abs(answers[0] - answers[2]).max() <= 1e-6


def test_predictions_name_the_most_probable_class(tmp_path: Path) -> None:
    predictor = Predictor.load(model_folder(tmp_path / "m"))
    for text, answer, row in zip(
        TEXTS, predictor.answers(TEXTS), predictor.probabilities(TEXTS), strict=True
    ):
        assert answer.label == ["neg", "pos"][row.argmax()], text
        assert answer.probability == pytest.approx(row.max())
        assert sum(answer.probabilities.values()) == pytest.approx(1.0, abs=1e-6)


def test_empty_and_no_texts_have_answers(tmp_path: Path) -> None:
    predictor = Predictor.load(model_folder(tmp_path / "m"))
    assert predictor.probabilities(["", "   "]).shape == (2, 2)
    assert predictor.answers([]) == []


@pytest.mark.parametrize("texts", ["a single string", ["a", 3], [None]])
def test_what_is_no_list_of_texts_is_refused(tmp_path: Path, texts: Any) -> None:
    with pytest.raises(InputError, match="text"):
        Predictor.load(model_folder(tmp_path / "m")).probabilities(texts)


def test_an_altered_model_is_not_loaded(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "m")
    described = json.loads((folder / MODEL_FILE).read_text())
    described["target"]["classes"].reverse()
    write_json(folder / MODEL_FILE, described)
    with pytest.raises(SeqlineError, match=r"model\.json was altered"):
        Predictor.load(folder)
