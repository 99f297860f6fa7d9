"""The example cohort and its study, loaded once for all that is asked of them."""

from __future__ import annotations

from pathlib import Path

import pytest

import outcomes as oc

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def tables() -> oc.Tables:
    """The invented extract that comes with the library."""
    return oc.load_tables(ROOT / "data/synthetic")


@pytest.fixture(scope="session")
def study() -> oc.Study:
    """The study of the notebooks."""
    return oc.read_study(ROOT / "notebooks/study.toml")
