"""train: from arrays to the weights of the best epoch, resumable at any step."""

from __future__ import annotations

import functools
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

import seqline
from seqline.config import sections_of
from seqline.data.inputs import ENCODER_FILES, load_input
from seqline.data.rows import read_split
from seqline.data.targets import TARGET_FILE, load_target
from seqline.files import (
    MANIFEST_NAME,
    atomic_write,
    complete_folder,
    files_below,
    read_json,
    sha256_file,
    sha256_json,
    verify_manifest,
    write_json,
    write_manifest,
)
from seqline.monitoring.profile import make_profile
from seqline.recipe import Recipe
from seqline.serving.model_folder import CALIBRATION_FILE, HISTORY_FILE, MODEL_FILE, WEIGHTS_FILE
from seqline.serving.predictor import Predictor
from seqline.tasks import task_named
from seqline.tasks.base import sizes_of
from seqline.tasks.model import FittedModel
from seqline.training.batches import deal
from seqline.training.events import Event
from seqline.training.loop import FitResult, fit
from seqline.training.precision import resolve
from seqline.training.seeding import set_determinism

SECTIONS = ("task", "input", "target", "model", "training")


def _code_digest() -> str:
    """A checkpoint may only be continued by the code that began it."""
    package = Path(seqline.__file__).parent
    parts = [path for folder in ("data", "nn", "tasks", "training") for path in files_below(package / folder)]
    return sha256_json({str(p.relative_to(package)): sha256_file(p) for p in parts if p.suffix == ".py"})


def run(
    recipe: Recipe,
    *,
    prepare_folder: Path,
    output_folder: Path,
    checkpoint_folder: Path,
    report: Callable[[Event], None],
) -> FitResult:
    """Train, or go on with the training that was interrupted.

    Args:
        recipe: Its sections task, input, target, model and training decide.
        prepare_folder: What prepare wrote.
        output_folder: Replaced as a whole at the end: weights, model description, encoders, history, profile.
        checkpoint_folder: Where the state is kept meanwhile; removed when the output is complete.
        report: Told of each epoch and of progress within it.
    """
    verify_manifest(prepare_folder)
    settings = recipe.training
    set_determinism(seed=settings.seed, threads=settings.threads)
    task = task_named(recipe.task)
    encoder = load_input(prepare_folder, recipe.input)
    targets = load_target(prepare_folder, recipe.target)
    sizes = sizes_of(encoder, targets)
    network = task.build(recipe.model, sizes)
    train, valid = (task.examples(prepare_folder, split, encoder) for split in ("train", "valid"))
    sections = sections_of(recipe, *SECTIONS)
    result = fit(
        network=network,
        train=deal(task.dealing, train, settings, recipe.input, target_fill=targets.fill),
        valid=deal(task.dealing, valid, settings, recipe.input, target_fill=targets.fill),
        loss=task.loss(settings, train, sizes),
        tally=functools.partial(task.tally, sizes=sizes),
        score=task.score,
        settings=settings,
        falls=recipe.CHOICES.falls(settings.monitor),
        checkpoint_folder=checkpoint_folder,
        digest=sha256_json(
            {"data": sha256_file(prepare_folder / MANIFEST_NAME), "recipe": sections, "code": _code_digest()}
        ),
        report=report,
    )
    described: dict[str, Any] = {
        **{name: sections[name] for name in ("task", "input", "target", "model")},
        "sizes": sizes,
        "parameters": sum(p.numel() for p in network.parameters()),
        "trained_in": resolve(settings.precision),
    }
    network.load_state_dict(result.best_state)
    model = FittedModel(network.cpu().eval(), encoder, targets, recipe.input, recipe.target, recipe.model)
    held_out = read_split(prepare_folder, "valid")
    calibration = task.calibrate(model, held_out)
    predictor = Predictor(task, replace(model, calibration=calibration))
    profile = make_profile(
        predictor,
        held_out,
        train_ids=train.steps,
        batches=read_json(prepare_folder / "statistics.json")["batches"],
        seed=settings.seed,
    )
    with complete_folder(output_folder) as folder:
        state = {name: tensor.contiguous() for name, tensor in result.best_state.items()}
        atomic_write(folder / WEIGHTS_FILE, lambda path: save_file(state, path))
        write_json(folder / MODEL_FILE, described)
        if calibration:
            write_json(folder / CALIBRATION_FILE, calibration)
        epochs = [record.figures() for record in result.history]
        write_json(folder / HISTORY_FILE, {"epochs": epochs, "best_epoch": result.best_epoch})
        for name in (ENCODER_FILES[recipe.input.kind], TARGET_FILE):
            if (prepare_folder / name).is_file():
                shutil.copyfile(prepare_folder / name, folder / name)
        profile.save(folder)
        write_manifest(folder, recipe=sections, torch=torch.__version__)
    shutil.rmtree(checkpoint_folder, ignore_errors=True)
    return result
