"""What all tests share: reproducible generation, the folder of R's numbers, and a word on what was skipped."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from spark_fixture import spark_session

settings.register_profile(
    "default", derandomize=True, deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("long", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


def _reference_folder() -> Path | None:
    named = os.environ.get("OUTCOMES_REFERENCE")
    return Path(named) if named and Path(named).is_dir() else None


@pytest.fixture(scope="session")
def reference() -> Path:
    """The folder with `data/*.csv` and `expected/*.json` computed with R."""
    folder = _reference_folder()
    if folder is None:
        pytest.skip("OUTCOMES_REFERENCE names no folder: R's numbers are not here")
    return folder


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The one Spark session of all tests."""
    session = spark_session(tmp_path_factory.mktemp("spark"))
    yield session
    session.stop()


@pytest.fixture(autouse=True)
def figures_are_let_go() -> Iterator[None]:
    """Close what a test drew, so that how many figures are open does not hang on which tests ran before."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = [r for r in terminalreporter.stats.get("skipped", []) if "OUTCOMES_REFERENCE" in str(r.longrepr)]
    if skipped:
        terminalreporter.write_line(
            f"{len(skipped)} reference tests skipped: set OUTCOMES_REFERENCE to the folder of R's numbers"
        )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files of Spark first: they take longest, and with two processes nobody should wait for them at the end."""
    of_spark = {item.path for item in items if "spark" in getattr(item, "fixturenames", ())}
    items.sort(key=lambda item: item.path not in of_spark)
