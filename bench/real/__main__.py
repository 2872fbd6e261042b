"""`python -m bench.real NAME`: a public data set through validate, prepare, train and evaluate; one line for docs/results.md.

The data are those of the shared folder, not of this repository. Test rows are read by evaluate alone: with `--valid` the run
ends after training, with the figures on valid, which is how a setting is chosen.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from bench.real.datasets import DATASETS
from bench.real.rows import write

from seqline.config import load_recipe
from seqline.errors import InputError, SeqlineError
from seqline.recipe import Recipe
from seqline.training.events import EpochEnd, Event
from seqline.workspace import Workspace

REPOSITORY = Path(__file__).resolve().parents[2]
RECIPES = Path(__file__).parent / "recipes"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.real", description=__doc__)
    parser.add_argument("name", metavar="NAME", choices=sorted(DATASETS), help=", ".join(sorted(DATASETS)))
    parser.add_argument("--data", type=Path, default=REPOSITORY.parent / "shared" / "data")
    parser.add_argument(
        "--into",
        type=Path,
        default=REPOSITORY / ".seqline" / "real",
        help="scratch project that the run is made in",
    )
    parser.add_argument("--recipe", type=Path, help="another recipe than bench/real/recipes/NAME.yaml")
    parser.add_argument("--valid", action="store_true", help="end after training: test is not read")
    given = parser.parse_args(arguments)
    try:
        _run(given)
    except SeqlineError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def _run(given: argparse.Namespace) -> None:
    from seqline.stages import evaluate, prepare, train, validate

    if not given.data.is_dir():
        raise InputError(
            str(given.data), "the shared public data are not here", hint="name their folder with --data"
        )
    name, workspace = given.name, Workspace(given.into.resolve())
    commit = _commit()
    recipe_path = workspace.recipe_path(name)
    recipe_path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(given.recipe or RECIPES / f"{name}.yaml", recipe_path)
    recipe = load_recipe(recipe_path)
    data = workspace.data_folder(name)
    shutil.rmtree(data, ignore_errors=True)
    write(DATASETS[name](given.data), data)

    folders = {
        stage: workspace.artifact_folder(name, stage)
        for stage in ("validate", "prepare", "train", "evaluate")
    }
    wall = time.perf_counter()
    validate.run(recipe, data_folder=data, output_folder=folders["validate"])
    statistics = prepare.run(recipe, data_folder=data, output_folder=folders["prepare"])
    before = time.process_time()
    train.run(
        recipe,
        prepare_folder=folders["prepare"],
        output_folder=folders["train"],
        checkpoint_folder=workspace.checkpoint_folder(name),
        report=_report,
    )
    cpu = time.process_time() - before
    if given.valid:
        print(f"{name}: {cpu:.0f} CPU s of training; test was not read")
        return
    metrics = evaluate.run(
        recipe,
        prepare_folder=folders["prepare"],
        train_folder=folders["train"],
        output_folder=folders["evaluate"],
    )
    minutes = (time.perf_counter() - wall) / 60
    rows = " + ".join(f"{statistics['splits'][split]['rows']:,}" for split in ("train", "valid", "test"))
    told = f"{_figures(recipe, metrics)} | {cpu:.0f} s | {minutes:.1f} min | {commit} |"
    print(f"| {name} | {rows} | {told}")
    if name in _FURTHER:
        print(_FURTHER[name](workspace))


def _figures(recipe: Recipe, metrics: dict[str, Any]) -> str:
    """Our metrics with their intervals, those of every baseline beside them; the gate's metric first."""
    names = dict.fromkeys(
        (recipe.gate.metric, *recipe.CHOICES.compared, *recipe.CHOICES.higher, *recipe.CHOICES.lower)
    )
    ours, theirs = [], []
    for metric in names:
        ours.append(
            f"{metric} {_shown(metrics[metric])} [{_shown(metrics[f'{metric}.low'])}, {_shown(metrics[f'{metric}.high'])}]"
        )
    for baseline in recipe.evaluation.baselines:
        values = (f"{metric} {_shown(metrics.get(f'baseline.{baseline}.{metric}'))}" for metric in names)
        theirs.append(f"{baseline}: {', '.join(values)}")
    return f"{'; '.join(ours)} | {'; '.join(theirs)}"


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}" if abs(value) >= 1 else f"{value:.4f}"


def _recognised(workspace: Workspace) -> str:
    """How many pairs of digit and speaker, spoken to a recording, the recogniser of the run `fsdd` hears as their digit."""
    from seqline.data.rows import read_split
    from seqline.serving.predictor import Predictor

    judge_folder = workspace.artifact_folder("fsdd", "train")
    if not judge_folder.is_dir():
        return "recognised: run fsdd into the same folder first"
    speaker, judge = Predictor.load(workspace.artifact_folder("speak", "train")), Predictor.load(judge_folder)
    test = read_split(workspace.artifact_folder("speak", "prepare"), "test")
    pairs = sorted({tuple(said) for said in test.inputs})
    spoken = speaker.answers([list(pair) for pair in pairs])
    heard = [
        answer.record()["label"] for answer in judge.answers([answer.record()["audio"] for answer in spoken])
    ]
    right = sum(label == digit for label, (digit, *_) in zip(heard, pairs, strict=True))
    return f"recognised by the model of fsdd: {right} of {len(pairs)} pairs of digit and speaker"


def _f1_of_spam(workspace: Workspace) -> str:
    """F1 of the class spam, the figure that is published for these messages: ours with its interval, then the baselines'."""
    from scipy.stats import bootstrap
    from sklearn.metrics import f1_score

    recipe = load_recipe(workspace.recipe_path("spam"))
    path = workspace.artifact_folder("spam", "evaluate") / "predictions.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    spam, truths = recipe.classes.index("spam"), np.asarray([row["target"] for row in rows])

    def f1(answers: np.ndarray, truths: np.ndarray) -> float:
        return float(f1_score(truths == spam, answers == spam))

    ours = np.asarray([row["prediction"] for row in rows])
    drawn = bootstrap(
        (ours, truths),
        f1,
        paired=True,
        vectorized=False,
        n_resamples=recipe.evaluation.bootstrap_rounds,
        method="percentile",
        rng=np.random.default_rng(recipe.evaluation.seed),
    ).confidence_interval
    told = [f"F1 of spam: ours {f1(ours, truths):.4f} [{drawn.low:.4f}, {drawn.high:.4f}]"]
    for baseline in recipe.evaluation.baselines:
        told.append(f"{baseline} {f1(np.asarray([row['baselines'][baseline] for row in rows]), truths):.4f}")
    return ", ".join(told)


def _report(event: Event) -> None:
    if isinstance(event, EpochEnd):
        record = event.record
        valid = ", ".join(f"{name} {value:.4f}" for name, value in record.valid.items())
        print(f"epoch {record.epoch}: train loss {record.train_loss:.4f}; valid {valid}", flush=True)


def _commit() -> str:
    """The commit that the code is from; a mark where src/ was changed after it."""

    def git(*words: str) -> str:
        return subprocess.run(
            ["git", "-C", str(REPOSITORY), *words], capture_output=True, text=True, check=True
        ).stdout.strip()

    return git("rev-parse", "--short", "HEAD") + (
        " and changes" if git("status", "--porcelain", "src") else ""
    )


# What the published figure of a data set is, where no metric of its task is that.
_FURTHER: dict[str, Callable[[Workspace], str]] = {"spam": _f1_of_spam, "speak": _recognised}


if __name__ == "__main__":
    sys.exit(main())
