"""What is measured with: the extract of invented people keeps the rules, peers answer what we answer, aims are judged."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import our_calls
import outcomes as oc
import peer_calls
from cohort import with_growth
from extract import write_extract
from invented_people import people
from study import benchmark_study
from survival_page import judged
from survival_works import AIMS

Call = Callable[[pd.DataFrame], Any]

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


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return people(400)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (our_calls.cox, peer_calls.LIFELINES["cox_model"]),
        (our_calls.cox, peer_calls.STATSMODELS["cox_model"]),
        (our_calls.kaplan_meier, peer_calls.STATSMODELS["kaplan_meier"]),
    ],
)
def test_what_is_timed_beside_ours_answers_the_same_question(frame: pd.DataFrame, ours: Call, theirs: Call) -> None:
    estimates, errors = theirs(frame)
    expected = our_calls.numbers(ours(frame))
    assert estimates == pytest.approx(expected[0], abs=1e-4)
    assert errors == pytest.approx(expected[1], rel=1e-4)


def test_the_page_says_of_every_aim_whether_it_is_met_and_leaves_out_who_answered_something_else() -> None:
    timed = {"part": "peers", "people": 1_000, "runs": 5, "cpu_s": 1.0}
    rows = [
        {**timed, "work": "cox_model_1m", "library": "outcomes", "wall_s": 1.0, "limit_s": 0.2},
        {**timed, "work": "cox_model_1m", "library": "lifelines", "wall_s": 2.0, "times_ours": 2.0},
        {**timed, "work": "cox_model_1m", "library": "R", "wall_s": 1.5, "times_ours": 1.5, "counted": False},
    ]
    aim = next(aim for aim in AIMS if aim.work == "cox_model_1m")
    assert judged(aim, rows) == ("1.8 times faster than the best", "2 times (lifelines)", "yes")
    assert judged(aim, rows[:1])[2] == "–"
