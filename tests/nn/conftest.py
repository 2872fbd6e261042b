from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def steady(one_thread_and_a_seed: None) -> None:
    """Every test of a network begins alike."""
