"""The embedded series, hires and sales: their bytes, their shape, and that the simple forecast leaves much to learn."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from seqline.config import load_recipe
from seqline.data.history import read_stretch
from seqline.data.kinds import kind_of
from seqline.data.rows import read_split
from seqline.data.samples import forecast, sales
from seqline.data.window_rows import deal_windows
from seqline.evaluation.forecasting import seasonal_naive
from seqline.stages import prepare, validate

ROOT_RECIPES = Path(__file__).parents[2] / "recipes"
WRITERS = {"forecast": forecast.write_forecast, "sales": sales.write_sales}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    root = tmp_path_factory.mktemp("samples")
    for name, write in WRITERS.items():
        write(root / name)
    return root


def rows_of(folder):
    return [json.loads(line) for path in sorted(folder.iterdir()) for line in path.read_text().splitlines()]


@pytest.mark.parametrize(
    ("name", "digest"),
    [
        ("forecast", "6c8adb1e13747ca098ed38c92c7234740096fee83b4cad1e8ac9d5e8f3042ab1"),
        ("sales", "93680f4f471c0e3db10d3336d423e39850c89e0207c4588de1d86df7050039ba"),
    ],
)
def test_the_same_seed_gives_the_same_bytes_and_another_others(written, tmp_path, name, digest) -> None:
    files = sorted(path for path in (written / name).rglob("*.jsonl"))
    found = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
    assert found == digest
    WRITERS[name](tmp_path, seed=1)
    assert files[0].read_bytes() != (tmp_path / files[0].relative_to(written / name)).read_bytes()
    assert sum(path.stat().st_size for path in files) < 1_000_000


def cut(row, first, last, *, known):
    """The steps first to last of a row of a sample, and `known` more of what is known ahead."""
    start = np.datetime64(row["start"]) + first * (1 if row["frequency"] == "D" else 7)
    steps = {name: row[name][first:last] for name in ("value", "temperature") if name in row}
    ahead = {name: row[name][first : last + known] for name in ("promotion", "holiday") if name in row}
    return {**row, "id": f"{row['id']}/{first}", "start": str(start), **steps, **ahead}


@pytest.mark.parametrize(("name", "horizon", "steps"), [("forecast", 28, 28), ("sales", 1, 4)])
def test_a_later_month_goes_on_as_a_batch_of_train_and_all_of_it_is_tested(
    written, tmp_path, name, horizon, steps
) -> None:
    recipe = load_recipe(ROOT_RECIPES / f"{name}.yaml")
    rows = rows_of(written / name / "train")
    known = len(rows[0]["holiday"]) - len(rows[0]["value"])
    end = len(rows[0]["value"])
    newest = {}
    batches = (
        ("first", [cut(row, 0, end - steps, known=known) for row in rows]),
        ("later", [cut(row, end - steps, end, known=known) for row in rows]),
    )
    for batch, members in batches:
        path = tmp_path / "data" / "train" / f"{batch}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(row) + "\n" for row in members))
        validate.run(recipe, data_folder=tmp_path / "data", output_folder=tmp_path / "validate")
        prepare.run(recipe, data_folder=tmp_path / "data", output_folder=tmp_path / "prepare")
        newest[batch] = max(one.split("@")[1] for one in read_split(tmp_path / "prepare", "test").ids)
    unit = 1 if name == "forecast" else 7
    last = np.datetime64(rows[0]["start"]) + (end - horizon) * unit
    stride = recipe.input.evaluation_stride or horizon
    for batch, behind in (("later", 0), ("first", steps)):
        days = (last - behind * unit - np.datetime64(newest[batch])).astype(int)
        assert 0 <= days < stride * unit
    # Four weeks of every series are reason enough to train again.
    later = cut(rows[0], end - steps, end, known=known)
    assert recipe.retrain.min_new_rows == len(rows) * kind_of(recipe).observations(later)


@pytest.mark.parametrize("name", WRITERS)
def test_covariates_are_known_ahead(written, name) -> None:
    section = load_recipe(ROOT_RECIPES / f"{name}.yaml").input
    rows = rows_of(written / name / "train")
    assert len({row[section.series] for row in rows}) == len(rows) > 20
    for row in rows:
        found = read_stretch(row, section)
        assert len(found.future) > len(found.values)


def test_hires_miss_some_days_and_sales_none(written) -> None:
    missing = [value is None for row in rows_of(written / "forecast" / "train") for value in row["value"]]
    assert 0.002 < np.mean(missing) < 0.008
    assert all(value > 0 for row in rows_of(written / "sales" / "train") for value in row["value"])


def test_holidays_are_what_the_season_before_does_not_know(written) -> None:
    """The seasonal naive forecast errs most where a holiday is: there is something to learn from the covariate."""
    recipe = load_recipe(ROOT_RECIPES / "forecast.yaml")
    windows = deal_windows(
        rows_of(written / "forecast" / "train"),
        [],
        recipe.input,
        horizon=28,
        valid=recipe.split.valid,
        test=recipe.split.test,
    )
    errors = {0: [], 1: []}
    for window in windows["valid"]:
        history = window["value"]["history"]
        context = np.asarray(history["value"], dtype=np.float64)[:, None]
        found = np.abs(
            np.asarray(window["value"]["future"], dtype=np.float64)
            - seasonal_naive(context, horizon=28, season_length=7)[:, 0]
        )
        for step, error in enumerate(found):
            if np.isfinite(error):
                errors[int(history["holiday"][84 + step])].append(error)
    assert np.mean(errors[1]) > 2 * np.mean(errors[0])
