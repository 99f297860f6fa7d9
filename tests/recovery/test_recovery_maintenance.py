"""What maintenance is known to do is found from completion on, in both ways; classing by who ever went on finds what is not there.

Bounds are four standard errors of one large draw; the naive way must lie outside them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from drawn_maintenance import MEAN_DAYS, drawn_attendance, drawn_maintenance
from small_study import cohort, small_study

import outcomes as oc

PEOPLE, YEAR = 3_000, 365


def answers(ratio: float, *, confounded: bool = False) -> tuple[dict[tuple[str, str, str], dict[str, Any]], Any]:
    tables = drawn_maintenance(PEOPLE, np.random.default_rng(2010), ratio=ratio, confounded=confounded)
    found = oc.maintenance_effect(
        tables, small_study(horizon=1_500), landmark=180, at=YEAR, formula="prior_sanctions" if confounded else ""
    )
    rows = [row for row in found.to_frame().to_dict("records") if row["arm"] != "after maintenance"]
    return {(row["analysis"], row["measure"], row["adjustment"]): row for row in rows}, tables


def ever_went_on(tables: Any) -> tuple[float, float]:
    """Return log hazard ratio and standard error of who ever goes on, as if that were known at completion."""
    data = cohort(tables, strategy="time_varying", horizon=1_500).outcome("any")
    rows = data.frame[["person_id"]].assign(entry=data.entry, exit=data.exit, event=data.event == 1)
    rows["ever"] = (data.frame["strand"] == "maintenance").astype(float).groupby(rows["person_id"]).transform("max")
    model = oc.cox(oc.survival_data(rows, entry="entry", exit="exit", event="event", id="person_id"), "ever")
    row = model.to_frame().iloc[0]
    return float(row["estimate"]), float(row["std_error"])


def near(row: Any, truth: float) -> bool:
    value = np.log(row["estimate"]) if row["measure"] == "hazard_ratio" else row["estimate"]
    return bool(abs(value - truth) <= 4 * row["std_error"])


@pytest.mark.parametrize("ratio", [0.5, 1.0])
def test_both_ways_find_what_maintenance_does_and_the_naive_one_does_not(ratio: float) -> None:
    found, tables = answers(ratio)
    by_time = found["time_varying", "hazard_ratio", "raw"]
    ratio_later = found["landmark", "hazard_ratio", "raw"]
    difference = found["landmark", "risk_difference", "raw"]
    free = np.exp(-YEAR / MEAN_DAYS)
    assert near(by_time, np.log(ratio))
    assert near(ratio_later, np.log(ratio))
    assert near(difference, free - free**ratio)
    assert difference["std_error"] < 0.025
    naive, error = ever_went_on(tables)
    assert naive < np.log(ratio) - 4 * error
    if ratio < 1:
        assert {row["verdict"] for row in (by_time, ratio_later, difference)} == {"lower"}
    else:
        assert "lower" not in {row["verdict"] for row in (by_time, ratio_later, difference)}


def test_a_cause_of_both_that_was_recorded_is_adjusted_for() -> None:
    found, _ = answers(1.0, confounded=True)
    for analysis, measure in (
        ("time_varying", "hazard_ratio"),
        ("landmark", "hazard_ratio"),
        ("landmark", "risk_difference"),
    ):
        rows = {how: found[analysis, measure, how] for how in ("raw", "adjusted")}
        assert near(rows["adjusted"], 0.0)
        assert not near(rows["raw"], 0.0)


def test_sessions_that_do_nothing_look_good_from_the_start_and_not_by_the_scheduled_end_or_so_far() -> None:
    tables = drawn_attendance(PEOPLE, np.random.default_rng(2011))
    found = oc.attendance_effect(tables, small_study(horizon=1_500), scheduled=300, at=YEAR, formula="").to_frame()
    assert len(found) == 4
    for row in found.to_dict("records"):
        assert near(row, 0.0)
        assert row["std_error"] < 0.1
    data = cohort(tables, strategy="time_varying", horizon=1_500).outcome("any")
    rows = pd.DataFrame(
        {"id": data.frame["person_id"], "start": data.entry, "stop": data.exit, "event": data.event == 1}
    )
    part = tables.frame("participation").set_index("person_id")
    rows["tenths"] = rows["id"].map((part["sessions_attended"] / part["sessions_planned"] * 10).astype(float))
    naive = (
        oc.cox(oc.survival_data(rows, entry="start", exit="stop", event="event", id="id"), "tenths").to_frame().iloc[0]
    )
    assert naive["estimate"] < -10 * naive["std_error"]
