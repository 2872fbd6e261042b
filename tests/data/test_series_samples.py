"""The embedded series, hires and sales: their bytes, their shape, and that the simple forecast leaves much to learn."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from seqline.config import load_recipe
from seqline.data.history import read_stretch
from seqline.data.samples import forecast, sales
from seqline.data.window_rows import deal_windows
from seqline.evaluation.forecasting import seasonal_naive

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
        ("forecast", "0d082d03b58287226758a88b8981da5a8118bced41bda3b3473f11618e3e3898"),
        ("sales", "c45595354967a36c9623b44f94eae15c92a1d5788d3a154facf126dec98cac98"),
    ],
)
def test_the_same_seed_gives_the_same_bytes_and_another_others(written, tmp_path, name, digest) -> None:
    files = sorted(path for path in (written / name).rglob("*.jsonl"))
    found = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
    assert found == digest
    WRITERS[name](tmp_path, seed=1)
    assert files[0].read_bytes() != (tmp_path / files[0].relative_to(written / name)).read_bytes()
    assert sum(path.stat().st_size for path in files) < 1_000_000


@pytest.mark.parametrize("name", WRITERS)
def test_test_goes_on_where_train_ends_and_covariates_are_known_ahead(written, name) -> None:
    section = load_recipe(ROOT_RECIPES / f"{name}.yaml").input
    train = {row[section.series]: row for row in rows_of(written / name / "train")}
    test = {row[section.series]: row for row in rows_of(written / name / "test")}
    assert train.keys() == test.keys() and len(train) > 20
    assert not {row["id"] for row in train.values()} & {row["id"] for row in test.values()}
    for series, row in train.items():
        before, after = read_stretch(row, section), read_stretch(test[series], section)
        assert after.periods[0] == before.periods[-1] + 1
        assert len(before.future) > len(before.values) and len(after.future) > len(after.values)
        known = len(before.future) - len(before.values)
        np.testing.assert_array_equal(before.future[len(before.values) :], after.future[:known])


def test_hires_miss_some_days_and_sales_none(written) -> None:
    missing = [value is None for row in rows_of(written / "forecast" / "train") for value in row["value"]]
    assert 0.002 < np.mean(missing) < 0.008
    assert all(value > 0 for row in rows_of(written / "sales" / "train") for value in row["value"])


def test_holidays_are_what_the_season_before_does_not_know(written) -> None:
    """The seasonal naive forecast errs most where a holiday is: there is something to learn from the covariate."""
    recipe = load_recipe(ROOT_RECIPES / "forecast.yaml")
    windows = deal_windows(
        rows_of(written / "forecast" / "train"),
        rows_of(written / "forecast" / "test"),
        recipe.input,
        horizon=28,
        valid=0.1,
        test=0.0,
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
