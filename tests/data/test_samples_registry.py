"""Every embedded sample has a function that writes it, and a name that is no sample is refused."""

from __future__ import annotations

import inspect
from importlib import import_module
from pathlib import Path

import pytest

from seqline.data.samples.registry import SAMPLES, write_sample
from seqline.errors import InputError


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_has_a_function_that_needs_a_folder_only(name: str) -> None:
    module, function = SAMPLES[name].split(":")
    parameters = inspect.signature(getattr(import_module(module), function)).parameters
    needed = [p.name for p in parameters.values() if p.default is inspect.Parameter.empty]
    assert needed == ["folder"]


def test_an_unknown_sample_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="one of sentiment"):
        write_sample("nonsense", tmp_path)
