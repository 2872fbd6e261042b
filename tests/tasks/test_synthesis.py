from __future__ import annotations

import base64
import io
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from seqline.config import parse_recipe
from seqline.data.audio import to_base64, to_wav
from seqline.data.collate import collate
from seqline.data.rows import SplitRows
from seqline.errors import InputError
from seqline.evaluation.baselines import BASELINES, Problem
from seqline.evaluation.metrics import measures_of
from seqline.recipe import Recipe
from seqline.tasks.model import FittedModel
from seqline.tasks.synthesis import Synthesis

ROOT = Path(__file__).parents[2]
SMALL = {"embedding_dim": 8, "hidden_size": 24, "prenet_size": 16}


pytestmark = pytest.mark.usefixtures("one_thread_and_a_seed")


def recipe(**sections: Any) -> Recipe:
    values: dict[str, Any] = {
        "task": "synthesis",
        "input": {"kind": "symbols", "column": "said"},
        "target": {"column": "audio", "mels": 10, "max_frames": 20, "rounds": 5},
        "validation": {"max_overlap_share": 1.0},
        "split": {"valid": 0.3, "by": "id"},
        "model": SMALL,
        "training": {},
        "evaluation": {},
        "gate": {},
    }
    return parse_recipe({**values, **sections}, "recipe.yaml")


def row(number: int, *, word: str, voice: str, seconds: float = 0.1) -> dict[str, Any]:
    hz = {"low": 400.0, "high": 1200.0}[word] * (1 + 0.0005 * number)
    samples = 0.3 * np.sin(2 * np.pi * hz * np.arange(int(8000 * seconds)) / 8000)
    audio = to_base64(to_wav(samples, sample_rate=8000))
    return {"id": f"row-{number}", "said": [word, voice], "audio": audio}


def rows(count: int = 12) -> list[dict[str, Any]]:
    words = ("low", "high")
    return [
        row(n, word=words[n % 2], voice="ab"[n // 2 % 2], seconds=0.1 + 0.02 * (n % 2)) for n in range(count)
    ]


def split_rows(members: list[Any]) -> SplitRows:
    return SplitRows(
        ids=[m["id"] for m in members],
        inputs=[m["said"] for m in members],
        truths=[m["audio"] for m in members],
        columns={},
    )


@pytest.fixture
def model() -> FittedModel:
    chosen, task = recipe(), Synthesis()
    encoder = task.fit_encoder(chosen, [r["said"] for r in rows()])
    targets = task.fit_targets(chosen, rows())
    network = task.build(chosen.model, {**encoder.sizes, **targets.sizes}).eval()
    return FittedModel(network, encoder, targets, chosen.input, chosen.target, chosen.model)


def test_the_toy_is_learnt_word_for_word_and_ends_in_time() -> None:
    task, chosen = Synthesis(), recipe()
    arrays, sizes = task.toy(examples=48, seed=0)
    section = chosen.model.model_copy(
        update={"hidden_size": 32, "frame_noise": 0.05, "prenet_dropout": 0.0, "dropout": 0.0}
    )
    network = task.build(section, sizes)
    loss = task.loss(chosen.training, arrays, sizes)
    batch = collate(arrays, np.arange(48), padding="bucket", max_length=8, target_fill=-100)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-2)
    before = loss(network(batch), batch).item()
    for _ in range(150):
        optimizer.zero_grad()
        value = loss(network(batch), batch)
        value.backward()
        optimizer.step()
    network.eval()
    figures = task.score(task.tally(network(batch), batch, sizes))
    assert figures["loss"] == pytest.approx(loss(network(batch), batch).item(), rel=1e-4)
    assert figures["loss"] < before / 5
    frames, lengths = network.generate(batch, max_frames=12)  # type: ignore[operator]
    true = (batch.targets[..., 0] != -100).sum(dim=1)
    assert lengths.tolist() == true.tolist()
    for number, length in enumerate(true.tolist()):
        assert (frames[number, :length] - batch.targets[number, :length]).abs().mean() < 0.2


def test_rows_are_dealt_by_recording_though_their_labels_repeat() -> None:
    train, test = rows(40), [row(n, word="low", voice="a") for n in range(100, 104)]
    train.append({**test[0], "id": "the test's own recording"})
    dealt, left_out = Synthesis().deal(recipe(), train, test)
    assert left_out == 1
    assert len(dealt["test"]) == 4
    assert len(dealt["train"]) + len(dealt["valid"]) == 40
    assert not {r["audio"] for r in dealt["train"]} & {r["audio"] for r in dealt["valid"] + dealt["test"]}


def test_statistics_of_a_row_do_not_depend_on_the_others(model: FittedModel) -> None:
    task = Synthesis()
    together = task.measure(model, split_rows(rows()))
    assert together.shape == (12, 2)
    assert np.isfinite(together).all()
    np.testing.assert_allclose(task.measure(model, split_rows(rows()[3:4])), together[3:4], rtol=1e-4)
    metrics = measures_of(task.metrics, task.columns).metrics
    nobody = np.zeros(12, dtype=np.int64)
    assert metrics["mel_error"].function(together, nobody) == pytest.approx(together[:, 0].mean())


def test_an_answer_is_a_wav_file_a_player_reads(model: FittedModel) -> None:
    task = Synthesis()
    first, again = task.answers(model, [["low", "a"], ["low", "a"]])
    assert first.attachment() == again.attachment()
    content = base64.b64decode(first.record()["audio"])
    with wave.open(io.BytesIO(content)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 8000)
        assert file.getnframes() / 8000 == pytest.approx(first.seconds)
    assert "of sound" in first.line()


@pytest.mark.parametrize(
    ("value", "found"),
    [(["low", "nobody"], "label 'nobody'"), ([], "no labels"), (["low", 3], "no sequence")],
)
def test_labels_that_were_not_taught_are_refused(model: FittedModel, value: list[Any], found: str) -> None:
    with pytest.raises(InputError, match=found):
        Synthesis().answers(model, [["low", "a"], value])


def test_probes_can_be_answered(model: FittedModel) -> None:
    task = Synthesis()
    assert len(task.answers(model, task.probes(model))) == 6


def test_a_playback_of_the_same_labels_beats_a_hum() -> None:
    train, test = rows(12), [row(50, word="low", voice="a"), row(51, word="high", voice="b", seconds=0.12)]
    problem = Problem(
        recipe=recipe(), train=split_rows(train[:8]), valid=split_rows(train[8:]), test=split_rows(test)
    )
    hum = BASELINES["mean_frame"].answer(problem)
    playback = BASELINES["same_labels"].answer(problem)
    assert hum.shape == playback.shape == (2, 2)
    assert (playback[:, 0] < hum[:, 0] / 2).all()


@pytest.mark.parametrize(
    ("section", "values", "message"),
    [
        ("model", {"word_dropout": 0.1}, "word_dropout"),
        ("model", {"bidirectional": True}, "bidirectional"),
        ("training", {"label_smoothing": 0.1}, "label_smoothing"),
        ("target", {"column": "audio", "hop_ms": 40.0, "window_ms": 25.0}, "hop_ms"),
        ("input", {"kind": "text", "column": "said"}, "input.kind text"),
    ],
)
def test_settings_that_would_do_nothing_are_refused(section: str, values: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        recipe(**{section: values})


def test_the_embedded_recipe_is_valid() -> None:
    from seqline.config import load_recipe

    assert load_recipe(ROOT / "recipes" / "speak.yaml").gate.baseline == "mean_frame"
