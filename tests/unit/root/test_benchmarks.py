"""What is measured with: the extract of invented people keeps the rules, and is the same every time."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

import outcomes as oc
from cohort import with_growth
from extract import write_extract
from study import benchmark_study

PEOPLE = 300


@pytest.fixture(scope="module")
def extract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("extract")
    write_extract(folder, PEOPLE)
    return folder


def test_the_extract_breaks_no_rule_of_severity_error_or_warning(extract: Path) -> None:
    checks = oc.load_tables(extract).checks
    assert checks.passed
    assert set(checks.summary()["severity"]) <= {"note"}


@pytest.mark.parametrize("population", ["own", "both"])
def test_both_arms_have_people_with_and_without_the_outcome(extract: Path, population: str) -> None:
    cohort = oc.build_cohort(oc.load_tables(extract), benchmark_study(population))
    by_arm = cohort.outcome("any").summary().set_index("arm")
    assert set(by_arm.index) == {"bespoke", "manualised"}
    assert (by_arm["n_any"] > 0).all()
    assert (by_arm["n_censored"] > 0).all()


def test_the_same_seed_writes_the_same_bytes_and_another_seed_does_not(extract: Path, tmp_path: Path) -> None:
    write_extract(tmp_path / "same", PEOPLE)
    write_extract(tmp_path / "other", PEOPLE, seed=1)
    files = sorted(file.name for file in extract.iterdir())
    assert [(tmp_path / "same" / name).read_bytes() for name in files] == [
        (extract / name).read_bytes() for name in files
    ]
    assert (tmp_path / "other" / "people.parquet").read_bytes() != (extract / "people.parquet").read_bytes()


def test_growth_is_said_in_times_of_n_log_n() -> None:
    ten, hundred = math.log(10), math.log(100)
    rows = [
        {"engine": "duckdb", "people": 10, "frame_s": 10 * ten, "beside_s": 0.0},
        {"engine": "spark", "people": 10, "frame_s": 1.0, "beside_s": 0.0},
        {"engine": "duckdb", "people": 100, "frame_s": 100 * hundred, "beside_s": 50 * hundred},
    ]
    with_growth(rows)
    assert [row["growth"] for row in rows] == ["", "", 1.5]
