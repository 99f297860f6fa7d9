"""Every estimator finds a known truth as often as it says: the bounded form of docs/recovery, and the whole form as committed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from gates import BOUNDED, FULL, summary_row
from replicating import generator, recovered
from run_recovery import PAGE, read_table, written_page
from scenario import Band, Interval, PValue, Truth
from scenarios import SCENARIOS

DAILY = [name for name, scenario in SCENARIOS.items() if scenario.daily]


@pytest.mark.slow
@pytest.mark.parametrize("name", DAILY)
def test_two_hundred_replicates_hold_the_bounded_gates(name: str) -> None:
    rows = recovered([name], 200, BOUNDED)
    failed = rows[rows["gate"] == "FAIL"]
    assert failed.empty, failed[["estimator", "quantity", "bias", "empirical_sd", "share"]].to_string()


def test_the_committed_table_has_every_setting_and_a_row_that_fails_says_why() -> None:
    rows = read_table()
    assert set(SCENARIOS) < set(rows["setting"])
    failed = rows.loc[rows["gate"] == "FAIL", ["setting", "estimator"]].to_numpy().tolist()
    assert [(name, estimator) for name, estimator in failed if estimator not in SCENARIOS[name].explained] == []


def test_the_committed_page_is_that_of_the_committed_table() -> None:
    assert PAGE.read_text(encoding="utf-8") == written_page(read_table())


def test_the_rows_do_not_depend_on_what_else_runs_or_on_how_many_processes() -> None:
    alone = recovered(["same three arms"], 30, FULL)
    beside = recovered(["same incidences in strata", "same three arms"], 30, FULL, workers=2)
    pd.testing.assert_frame_equal(alone, beside[beside["setting"] == "same three arms"].reset_index(drop=True))
    assert generator("one", 3).random() != generator("other", 3).random()


def drawn(shift: float = 0.0, width: float = 1.0, size: int = 2000) -> list[Interval]:
    values = np.random.default_rng(1).standard_normal(size) + shift
    return [Interval(value, width, value - 1.96 * width, value + 1.96 * width) for value in values]


@pytest.mark.parametrize(
    ("found", "passes"),
    [(drawn(), True), (drawn(shift=0.3), False), (drawn(width=0.8), False), (drawn(width=1.3), False)],
    ids=["right", "off by 0.3 standard deviations", "too narrow", "too wide"],
)
@pytest.mark.parametrize("gates", [FULL, BOUNDED], ids=["full", "bounded"])
def test_the_gates_tell_right_from_wrong(found: list[Interval], passes: bool, gates: object) -> None:
    assert summary_row(found, Truth(0.0), gates, conservative=False)["passed"] is passes


def test_an_interval_that_is_conservative_may_be_too_wide_and_not_too_narrow() -> None:
    assert summary_row(drawn(width=1.3), Truth(0.0), FULL, conservative=True)["passed"]
    assert not summary_row(drawn(width=0.8), Truth(0.0), FULL, conservative=True)["passed"]


def test_tests_and_bands_are_judged_by_their_share() -> None:
    tenth = [PValue(0.01)] * 100 + [PValue(0.5)] * 900
    assert not summary_row(tenth, None, FULL, conservative=True)["passed"]
    assert not summary_row([Band(True)] * 90 + [Band(False)] * 10, None, FULL, conservative=False)["passed"]
    assert summary_row([Band(True)] * 95 + [Band(False)] * 5, None, FULL, conservative=False)["passed"]
