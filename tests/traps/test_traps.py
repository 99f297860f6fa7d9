"""Traps in software for time to an event, one test a trap: our number, R's, and what the package named gives for the same data.

The numbers stand in `docs/traps.csv`, which the page `docs/traps.md` shows. A test runs the package where the version named there is
installed, and fails where our number is not R's or is the trap's. R is survival 3.5-3.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from lifelines import AalenJohansenFitter, CoxPHFitter, ExponentialFitter, KaplanMeierFitter
from lifelines.datasets import load_rossi
from lifelines.statistics import logrank_test, proportional_hazard_test
from lifelines.utils import datetimes_to_durations, restricted_mean_survival_time
from r_numbers import data_set
from statsmodels.duration.hazard_regression import PHReg
from trap_numbers import DOCS, TRAPS, row_of, shown, table

import outcomes as oc

ROSSI = load_rossi()
TERMS = "fin + age + race + wexp + mar + paro + prio"
SCORE = "age + race + mar + paro + prio"


@pytest.fixture(autouse=True)
def _others_may_warn() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.fixture(scope="module")
def aid() -> oc.SurvivalData:
    """Rossi, Berk & Lenihan (1980): financial aid at random, 432 men, 52 weeks."""
    return oc.survival_data(ROSSI, duration="week", event="arrest", arm="fin", reference=0, unit="weeks")


@pytest.fixture(scope="module")
def work() -> oc.SurvivalData:
    """The same men by work experience, which was not at random."""
    return oc.survival_data(ROSSI, duration="week", event="arrest", arm="wexp", reference=0, unit="weeks")


@pytest.fixture(scope="module")
def weights(work: oc.SurvivalData) -> np.ndarray:
    return np.array(oc.weight(work, SCORE, estimand="ate").values)


def test_naive_variance_with_propensity_weights(work: oc.SurvivalData, weights: np.ndarray) -> None:
    without = ROSSI["wexp"] == 0
    for key, factor in (("weighted_limits", 1), ("tenfold_limits", 10)):
        ours = oc.kaplan_meier(work, weights=factor * weights).at(52).iloc[0]
        theirs = KaplanMeierFitter().fit(
            ROSSI["week"][without], ROSSI["arrest"][without], weights=factor * weights[without]
        )
        shown(key, list(ours[["conf_low", "conf_high"]]), list(theirs.confidence_interval_.iloc[-1]))


def test_naive_variance_of_a_weighted_test(work: oc.SurvivalData, weights: np.ndarray) -> None:
    a, b = (ROSSI["wexp"] == arm for arm in (0, 1))
    theirs = logrank_test(
        ROSSI["week"][a], ROSSI["week"][b], ROSSI["arrest"][a], ROSSI["arrest"][b], weights_A=10 * weights[a],
        weights_B=10 * weights[b],
    )  # fmt: skip
    shown("tenfold_logrank", oc.logrank_test(work, weights=10 * weights).statistic, theirs.test_statistic)


def test_a_variance_that_is_not_one(aid: oc.SurvivalData) -> None:
    none = ROSSI[ROSSI["fin"] == 0]
    curve = KaplanMeierFitter().fit(none["week"], none["arrest"])
    theirs = restricted_mean_survival_time(curve, t=52, return_variance=True)[1]
    shown("rmst_variance", oc.rmst(aid, horizon=52).to_frame()["std_error"].iloc[0] ** 2, theirs)


def test_mixed_covariance_objects(aid: oc.SurvivalData) -> None:
    ours = oc.cox(aid, TERMS, robust=True)
    np.testing.assert_allclose(np.sqrt(np.diag(ours.covariance)), ours.to_frame()["std_error"])
    theirs = CoxPHFitter().fit(ROSSI, "week", "arrest", robust=True)
    shown("mixed_covariance", math.sqrt(ours.covariance[0, 0]), math.sqrt(theirs.variance_matrix_.loc["fin", "fin"]))


def test_sandwich_of_breslow_scores_on_an_efron_fit(aid: oc.SurvivalData) -> None:
    ours = oc.cox(aid, TERMS, robust=True).to_frame()["std_error"].iloc[0]
    shown("efron_lifelines", ours, CoxPHFitter().fit(ROSSI, "week", "arrest", robust=True).standard_errors_["fin"])
    model = PHReg.from_formula(f"week ~ {TERMS}", ROSSI, status=ROSSI["arrest"], ties="efron")
    shown("efron_statsmodels", ours, model.fit(groups=np.arange(len(ROSSI))).bse[0])


def test_sandwich_of_breslow_scores_on_nine_people() -> None:
    """Therneau & Grambsch (2000), appendix E.3."""
    frame = pd.DataFrame(
        {"t": [1, 1, 2, 2, 2, 2, 3, 4, 5], "e": [1, 0, 1, 1, 1, 0, 0, 1, 0], "x": [2, 0, 1, 1, 0, 1, 0, 1, 0],
         "w": [1.0, 2, 3, 4, 3, 2, 1, 2, 1]}
    )  # fmt: skip
    ours = oc.cox(oc.survival_data(frame, duration="t", event="e"), "x", weights="w").covariance[0, 0]
    theirs = CoxPHFitter().fit(frame, "t", "e", weights_col="w", robust=True).standard_errors_.iloc[0]
    shown("efron_tiny", ours, theirs**2)


def test_left_truncation_closed_on_the_left() -> None:
    split = pd.DataFrame(
        {"id": [1, 2, 2, 3, 3, 4], "a": [0, 0, 2, 0, 4, 0], "t": [2, 2, 4, 4, 6, 8], "e": [1, 0, 1, 0, 0, 1],
         "x": [0, 1, 1, 1, 1, 0]}
    )  # fmt: skip
    ours = oc.cox(oc.survival_data(split, entry="a", exit="t", event="e", id="id"), "x").coefficients[0]
    theirs = PHReg(split["t"], split[["x"]], status=split["e"], entry=split["a"]).fit().params[0]
    shown("closed_left", ours, theirs)


def test_left_truncation_left_out_of_the_sandwich() -> None:
    entered = ROSSI.assign(entry=np.minimum(np.arange(len(ROSSI)) * 7 % 20, ROSSI["week"] - 1))
    data = oc.survival_data(entered, entry="entry", exit="week", event="arrest")
    ours = oc.cox(data, "fin + age + prio", robust=True).to_frame()["std_error"].iloc[0]
    columns = ["week", "arrest", "entry", "fin", "age", "prio"]
    theirs = CoxPHFitter().fit(entered[columns], "week", "arrest", entry_col="entry", robust=True)
    shown("late_sandwich", ours, theirs.standard_errors_["fin"])


def test_left_truncation_counted_at_the_time_of_entry() -> None:
    frame = pd.DataFrame({"a": [0, 0, 0, 0, 2], "t": [2, 4, 5, 6, 7], "e": [1, 1, 1, 0, 1]})
    ours = oc.kaplan_meier(oc.survival_data(frame, entry="a", exit="t", event="e")).at(2)["n_at_risk"].item()
    theirs = KaplanMeierFitter().fit(frame["t"], frame["e"], entry=frame["a"])
    shown("late_at_risk", ours, theirs.event_table.loc[2, "at_risk"])


@pytest.mark.usefixtures("reference")
def test_one_minus_km_with_competing_events() -> None:
    """1,384 people with monoclonal gammopathy (Kyle et al. 2002): progression, and death before it."""
    women = data_set("mgus2_cr.csv").query("sex == 'F'")
    causes = {1: "progression", 2: "death"}
    data = oc.survival_data(women, duration="etime", event="event", causes=causes)
    found = oc.cumulative_incidence(data).at(240)
    theirs = KaplanMeierFitter().fit(women["etime"], women["event"] == 1).predict(240)
    shown("one_minus_km", found.query("cause == 'progression'")["estimate"].item(), 1 - theirs)


def test_event_codes_nobody_declared() -> None:
    died = ROSSI[["week", "arrest", "fin"]].copy()
    died.loc[died.index[died["arrest"] == 0][:13], "arrest"] = 2
    with pytest.raises(oc.DataError, match="2 codes besides censored"):
        oc.survival_data(died, duration="week", event="arrest")
    declared = oc.survival_data(died, duration="week", event="arrest", censored=0, causes={1: "arrest", 2: "death"})
    assert oc.cox(declared, "fin", cause="arrest").n_events == 114
    theirs = CoxPHFitter().fit(died, "week", "arrest")
    assert row_of("silent_codes")["theirs"] == str(int((theirs.event_observed > 0).sum())) == "127"


def _ties() -> pd.DataFrame:
    return pd.DataFrame(
        {"t": [1, 2, 3, 4, 4, 4, 5, 5, 6, 8, 8, 9, 10, 12], "e": [1, 2, 0, 1, 0, 0, 2, 1, 0, 0, 2, 0, 1, 0]}
    )


def _incidence(frame: pd.DataFrame, time: float, cause: str) -> float:
    data = oc.survival_data(frame, duration="t", event="e", censored=0, causes={1: "first", 2: "second"})
    return float(oc.cumulative_incidence(data).at(time).query("cause == @cause")["estimate"].item())


def test_random_tie_breaking() -> None:
    frame = _ties()
    ours = [_incidence(mixed, 11, "first") for mixed in (frame, frame.iloc[::-1], frame.sample(frac=1, random_state=3))]
    theirs = [
        float(AalenJohansenFitter(seed=s, calculate_variance=False).fit(frame["t"], frame["e"], 1).predict(11))
        for s in range(40)
    ]
    shown("random_ties", [min(ours), max(ours)], [min(theirs), max(theirs)])


def test_increments_lost_on_a_coarse_grid() -> None:
    frame = pd.DataFrame({"t": [1, 2, 3, 4, 5, 6], "e": [0, 1, 1, 2, 2, 0]})
    coarse = AalenJohansenFitter(calculate_variance=False).fit(frame["t"], frame["e"], 2, timeline=[0, 3, 6])
    shown("coarse_grid", _incidence(frame, 6, "second"), float(coarse.predict(6)))


def test_curves_at_mean_covariates(work: oc.SurvivalData) -> None:
    ours = 1 - oc.cox(work, f"wexp + {SCORE}").standardised().at(52)["estimate"].to_numpy()
    frame = ROSSI.drop(columns="fin")
    model = CoxPHFitter().fit(frame, "week", "arrest")
    mean = frame.drop(columns=["week", "arrest"]).mean().to_frame().T
    theirs = [1 - model.predict_survival_function(mean.assign(wexp=arm), times=[52]).iloc[0, 0] for arm in (0, 1)]
    shown("mean_curves", ours, theirs)


def test_a_superseded_test_of_proportional_hazards(aid: oc.SurvivalData) -> None:
    ours = oc.cox(aid, TERMS).proportional_hazards().to_frame().set_index("term")["statistic"]
    theirs = proportional_hazard_test(CoxPHFitter().fit(ROSSI, "week", "arrest"), ROSSI, "km").summary
    for key, term in (("old_zph_age", "age"), ("old_zph_wexp", "wexp")):
        shown(key, ours[term], theirs.loc[term, "test_statistic"])
    assert "GLOBAL" not in theirs.index
    shown("zph_global", ours["GLOBAL"])


def test_immortal_time() -> None:
    """A programme that does nothing: people who live long enough to start it seem to be protected by it."""
    number = np.arange(1, 1501)
    event = np.ceil(-600 * np.log(number * 0.6180339887498949 % 1))
    start = np.ceil(-300 * np.log(number * 0.7548776662466927 % 1))
    people = pd.DataFrame({"id": number, "end": np.minimum(event, 730), "arrest": (event <= 730).astype(int)})
    people["treated"] = ((start <= 730) & (start < people["end"])).astype(int)
    began = people["treated"] == 1
    before = people.assign(
        begin=0.0, end=np.where(began, start, people["end"]), arrest=people["arrest"].where(~began, 0), treated=0
    )
    after = people[began].assign(begin=start[began])
    data = oc.survival_data(pd.concat([before, after]), entry="begin", exit="end", event="arrest", id="id")
    naive = CoxPHFitter().fit(people[["end", "arrest", "treated"]], "end", "arrest")
    shown("immortal", np.exp(oc.cox(data, "treated").coefficients[0]), naive.hazard_ratios_.iloc[0])


def test_bad_dates_become_data() -> None:
    duration, event = datetimes_to_durations(["2010-01-01"], ["no date"])
    assert (duration[0] < -9.2e18, bool(event[0])) == (True, True)
    frame = pd.DataFrame({"end": ["3", "no date"], "e": [1, 0]})
    with pytest.raises(oc.DataError, match="must hold numbers"):
        oc.survival_data(frame, duration="end", event="e")
    with pytest.raises(oc.DataError, match="missing or infinite in 1 of 2 rows"):
        oc.survival_data(frame.assign(end=[3.0, np.nan]), duration="end", event="e")


def test_an_end_before_its_start() -> None:
    frame = pd.DataFrame({"t": [-2, 3, 4], "e": [1, 1, 0]})
    theirs = KaplanMeierFitter().fit(frame["t"], frame["e"]).predict(-2)
    assert f"{theirs:.3f}" == row_of("negative_time")["theirs"]
    with pytest.raises(oc.DataError, match="1 of 3 rows end at or before they start"):
        oc.survival_data(frame, duration="t", event="e")


def _without_aid() -> KaplanMeierFitter:
    none = ROSSI[ROSSI["fin"] == 0]
    return KaplanMeierFitter().fit(none["week"], none["arrest"])


def test_extrapolated_survival(aid: oc.SurvivalData) -> None:
    assert oc.kaplan_meier(aid).at(1000)["estimate"].isna().all()
    assert f"{_without_aid().predict(1000):.3f}" == row_of("far_survival")["theirs"]


def test_extrapolated_mean(aid: oc.SurvivalData) -> None:
    with pytest.raises(oc.EstimationError, match="beyond the follow-up of arm"):
        oc.rmst(aid, horizon=104)
    assert f"{restricted_mean_survival_time(_without_aid(), t=104):.1f}" == row_of("far_mean")["theirs"]


def test_custody_in_the_denominator() -> None:
    """Two people with an event each after 600 days at liberty, 729 days of the calendar."""
    rows = pd.DataFrame({"id": [1, 1, 2, 2], "from": [0, 429] * 2, "to": [300, 729] * 2, "e": [0, 1] * 2})
    data = oc.survival_data(rows, entry="from", exit="to", event="e", id="id")
    theirs = 1 / ExponentialFitter().fit([729.0, 729.0], [1, 1]).lambda_
    shown("custody", oc.event_rate(data).to_frame()["estimate"].item(), theirs)


def test_breslow_ties_by_default() -> None:
    halves = ROSSI.assign(week=np.ceil(ROSSI["week"] / 26))
    ours = oc.cox(oc.survival_data(halves, duration="week", event="arrest"), "wexp + prio").coefficients[0]
    theirs = PHReg(halves["week"], halves[["wexp", "prio"]], status=halves["arrest"]).fit().params[0]
    shown("default_ties", ours, theirs)


def test_an_interval_by_default(aid: oc.SurvivalData) -> None:
    shown("no_interval", oc.kaplan_meier(aid).at(52)["conf_low"].iloc[0])


def test_recall_censored() -> None:
    """Sexual offences at 1.2 % and recall at 15 % a year, evenly spread; what is asked is what happened."""
    number = np.arange(1, 4001)
    offence = -np.log(number * 0.6180339887498949 % 1) / 0.012
    recall = -np.log(number * 0.7548776662466927 % 1) / 0.15
    year = np.minimum(np.minimum(offence, recall), 8.0)
    event = np.where(year == 8, 0, np.where(offence < recall, 1, 2))
    data = oc.survival_data(
        pd.DataFrame({"year": year, "e": event}), duration="year", event="e", unit="years", censored=0,
        causes={1: "sexual", 2: "recall"},
    )  # fmt: skip
    ours = oc.cumulative_incidence(data).at(8).query("cause == 'sexual'")["estimate"].item()
    shown("recall", ours, 1 - KaplanMeierFitter().fit(year, event == 1).predict(8))
    asked: dict[str, Any] = {"data": data}
    with pytest.raises(oc.EstimationError, match="compete"):
        oc.kaplan_meier(**asked)
    world_without_recall = oc.kaplan_meier(data, cause="sexual")
    assert "competing_censored" in {note.code for note in world_without_recall.notes}


def test_no_events_in_an_arm() -> None:
    frame = pd.DataFrame({"t": [2, 3, 4, 5, 6, 7, 8, 9] * 3, "e": [1, 0] * 8 + [0] * 8, "arm": ["a"] * 16 + ["b"] * 8})
    data = oc.survival_data(frame, duration="t", event="e", arm="arm", reference="a")
    assert "separation" in {note.code for note in oc.cox(data, "arm").notes}
    numbers = frame.assign(arm=(frame["arm"] == "b").astype(float))
    shown(
        "zero_arm",
        oc.cox(data, "arm", penalty="firth").coefficients[0],
        CoxPHFitter().fit(numbers, "t", "e").params_.iloc[0],
    )
    curves = oc.kaplan_meier(data)
    ratio = oc.compare(curves, measure="risk_ratio", at=8)
    assert ratio.to_frame()["estimate"].isna().all()
    assert "no_events_in_arm" in {note.code for note in ratio.notes}
    difference = oc.compare(curves, measure="risk_difference", at=8).to_frame().iloc[0]
    shown("zero_ratio", list(difference[["conf_low", "conf_high"]]))


def test_reference_by_the_alphabet() -> None:
    arms = ROSSI.assign(arm=np.where(ROSSI["fin"] == 1, "aid", "none"))
    with pytest.raises(oc.DataError, match="name the arm every contrast is against"):
        oc.survival_data(arms, duration="week", event="arrest", arm="arm")
    model = PHReg.from_formula("week ~ C(arm)", arms, status=arms["arrest"])
    assert model.exog_names == ["C(arm)[T.none]"]


@pytest.mark.parametrize("key", TRAPS)
def test_every_row_of_the_table_names_a_test_of_this_file(key: str) -> None:
    assert row_of(key)["test"] in globals()


def test_the_page_shows_the_table() -> None:
    page = (DOCS / "traps.md").read_text(encoding="utf-8").splitlines()
    assert [line for line in page if line.startswith("|")] == table()
