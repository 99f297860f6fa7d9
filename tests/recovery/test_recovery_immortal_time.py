"""A programme that does nothing: who is classed by what they started later seems far safer, exposure that changes with time does not.

Twenty-five cohorts of 320 people each in one extract. Rates of reoffending fall after the sentence; people start on days that have
nothing to do with it, if they have not offended before.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from drawn_waits import HORIZON, drawn_waits
from small_study import cohort, small_study

import outcomes as oc
from outcomes.design.study import Adjust

COHORTS, PEOPLE = 25, 320


@pytest.fixture(scope="module")
def log_ratios() -> pd.DataFrame:
    """Return the log hazard ratio of each cohort: with exposure as it was then, and as it turned out in the end."""
    data = cohort(
        drawn_waits(COHORTS * PEOPLE, np.random.default_rng(2010)), strategy="time_varying", horizon=HORIZON
    ).outcome("any")
    rows = data.frame[["person_id", "exposure"]].assign(entry=data.entry, exit=data.exit, event=data.event == 1)
    rows["exposed"] = (rows["exposure"] == "manualised").astype(float)
    rows["ever"] = rows.groupby("person_id")["exposed"].transform("max")
    found = []
    for _, mine in rows.groupby((rows["person_id"] - 1) // PEOPLE):
        one = oc.survival_data(mine, entry="entry", exit="exit", event="event", id="person_id")
        found.append({term: oc.cox(one, term).coefficients[0] for term in ("exposed", "ever")})
    return pd.DataFrame(found)


@pytest.mark.slow
def test_exposure_that_changes_with_time_finds_nothing_where_there_is_nothing(log_ratios: pd.DataFrame) -> None:
    found = log_ratios["exposed"]
    assert abs(found.mean()) <= 0.1 * found.std() + 4 * found.std() / np.sqrt(COHORTS)


@pytest.mark.slow
def test_classed_by_what_they_started_later_people_seem_safe(log_ratios: pd.DataFrame) -> None:
    assert np.exp(log_ratios["ever"].mean()) < 0.5
    assert (log_ratios["ever"] < log_ratios["exposed"]).all()


@pytest.fixture(scope="module")
def side_by_side() -> pd.DataFrame:
    """Return every way of counting where sanctions decide who starts and who offends, and the programme does nothing."""
    extract = drawn_waits(COHORTS * PEOPLE, np.random.default_rng(2010), by_sanctions=0.25)
    study = small_study(horizon=HORIZON).replace(adjust=Adjust("prior_sanctions", "ate"))
    return oc.immortal_time(extract, study, arm="manualised", horizon=365).to_frame()


@pytest.mark.slow
def test_the_wrong_count_would_say_that_nothing_protects(side_by_side: pd.DataFrame) -> None:
    wrong = side_by_side[side_by_side["wrong"]]
    assert set(wrong["would_say"]) == {"lower"}
    assert wrong["conf_high"].tolist() < [0.6, -0.1]


@pytest.mark.slow
def test_the_counts_that_give_nobody_time_they_did_not_have_find_nothing(side_by_side: pd.DataFrame) -> None:
    right = side_by_side[~side_by_side["wrong"]]
    none = np.where(right["measure"] == "hazard_ratio", np.log(right["estimate"].abs()), right["estimate"])
    assert len(right) == 5
    assert (np.abs(none) <= 4 * right["std_error"]).all()
    assert (right["std_error"] < 0.1).all()


@pytest.mark.slow
def test_hazard_ratios_without_covariates_are_those_of_statsmodels_and_lifelines() -> None:
    import statsmodels.api as sm
    from lifelines import CoxTimeVaryingFitter

    extract = drawn_waits(COHORTS * PEOPLE, np.random.default_rng(7))
    found = oc.immortal_time(extract, small_study(horizon=HORIZON), arm="manualised", horizon=365).to_frame()
    ours = np.log(found[found["measure"] == "hazard_ratio"].set_index("method")["estimate"])
    data = cohort(extract, strategy="time_varying", horizon=HORIZON).outcome("any")
    rows = pd.DataFrame({"id": data.person, "start": data.entry, "stop": data.exit, "event": data.event == 1})
    rows["exposed"] = (data.frame["exposure"] == "manualised").to_numpy(dtype=float)
    people = rows.groupby("id").agg(stop=("stop", "max"), event=("event", "max"), ever=("exposed", "max"))
    wrong = sm.PHReg(people["stop"], people[["ever"]], status=people["event"], ties="efron").fit(disp=0)
    assert ours["ever_started"] == pytest.approx(wrong.params[0], abs=1e-6)
    right = CoxTimeVaryingFitter().fit(rows, id_col="id", event_col="event", start_col="start", stop_col="stop")
    assert ours["time_varying"] == pytest.approx(right.params_["exposed"], abs=1e-4)
