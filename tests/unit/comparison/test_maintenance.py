"""Maintenance after the core: who is followed from when, which phase they are in on each day, and what is said where little can be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from drawn_maintenance import drawn_maintenance
from small_courses import Course, taken
from small_study import cohort, outcome, small_study
from statsmodels.duration.hazard_regression import PHReg

import outcomes as oc
from outcomes.design.study import Adjust, Headline

YEAR = 365.25


def found(*courses: Course, given: dict[str, Any] | None = None, **study: Any) -> oc.MaintenanceEffect:
    return oc.maintenance_effect(oc.load_tables(taken(*courses)), small_study(**study), **(given or {}))


def spent(result: oc.MaintenanceEffect) -> dict[str, tuple[int, float, int]]:
    """Return, by phase, people, days and events."""
    rows = result.counts().to_dict("records")
    return {r["exposure"]: (r["n_people"], round(r["person_years"] * YEAR, 6), r["n_events"]) for r in rows}


ON = Course("b1 10..100 completed; b2 150..250 completed", offends="400 violent")
OFF = Course("b1 10..100 completed", offends="700 violent")
TWO = {"not_yet": (2, 50 + 600, 1), "in_maintenance": (1, 100, 0), "after_maintenance": (1, 150, 1)}


def test_follow_up_starts_with_completion_and_is_cut_where_maintenance_starts_and_ends() -> None:
    assert spent(found(ON, OFF)) == TWO


def test_an_event_on_the_day_maintenance_starts_came_before_it() -> None:
    course = Course("b1 10..100 completed; b2 150..250 completed", offends="150 violent")
    assert spent(found(ON, course))["not_yet"] == (2, 50 + 50, 1)


def test_who_did_not_complete_a_core_course_or_was_gone_by_then_is_left_out() -> None:
    left_out = (
        Course("b1 10..100 dropped_out; b2 150..250 completed"),
        Course("c1 10..100 completed"),
        Course("b1 10..100 completed", offends="100 violent"),
        Course("b1 10..100 completed", leaves="60 death"),
        Course("b1 10.. ongoing"),
        Course(),
    )
    assert spent(found(ON, OFF, *left_out)) == TWO


def test_what_was_completed_before_time_zero_counts_from_time_zero() -> None:
    tables = taken(ON, OFF)
    part = tables["participation"]
    part.loc[part["person_id"].eq("p2"), ["start_date", "end_date"]] = ["2009-01-01", "2009-10-01"]
    result = oc.maintenance_effect(oc.load_tables(tables), small_study())
    assert spent(result)["not_yet"] == (2, 50 + 700, 1)


def test_one_arm_alone_can_be_asked_about() -> None:
    other = Course("m1 10..100 completed", offends="500 violent")
    tables, study = oc.load_tables(taken(ON, OFF, other)), small_study()
    assert spent(oc.maintenance_effect(tables, study, arm="bespoke")) == TWO
    assert spent(oc.maintenance_effect(tables, study))["not_yet"] == (3, 50 + 600 + 400, 2)
    with pytest.raises(oc.DesignError, match=r"no arm 'bespok' with programmes\. Did you mean 'bespoke'"):
        oc.maintenance_effect(tables, study, arm="bespok")


def test_nobody_completed_and_nobody_went_on_are_errors_that_count() -> None:
    with pytest.raises(oc.DesignError, match=r"of 2 people followed nobody completed a core course of any arm"):
        found(Course(), Course("m1 10..100 dropped_out"))
    with pytest.raises(
        oc.DesignError, match="none of 1 people who completed the core went on to maintenance while followed"
    ):
        found(OFF)


@pytest.mark.parametrize("attends", ["b2 50..100 completed voluntary", "b2 400..450 completed voluntary"])
def test_maintenance_over_by_the_day_of_completion_or_begun_on_the_last_day_is_none(attends: str) -> None:
    with pytest.raises(oc.DesignError, match="none of 1 people who completed the core went on"):
        found(Course(f"b1 10..100 completed; {attends}", offends="400 violent"))


@pytest.mark.parametrize("attends", ["b2 50..101 completed voluntary", "b2 399..450 completed voluntary"])
def test_maintenance_of_one_day_while_followed_is_some(attends: str) -> None:
    result = found(Course(f"b1 10..100 completed; {attends}", offends="400 violent"), OFF)
    assert spent(result)["in_maintenance"][:2] == (1, 1)
    assert "1 were seen in maintenance (1 attended some of it voluntarily)" in result.describe()


@pytest.mark.parametrize(("leaves", "asked"), [("640 death", 640 - 100 - 100), ("1400 death", 365)])
def test_without_a_day_asked_for_risks_are_those_at_the_headline_or_as_long_as_both_groups_were_followed(
    leaves: str, asked: float
) -> None:
    on = [Course(f"b1 10..100 completed; b2 {day}..250 completed", leaves=leaves) for day in (120, 130)]
    off = [Course("b1 10..100 completed", offends=f"{day} violent") for day in (500, 1500)]
    late = 365 if asked == 365 else 1000
    study = small_study().replace(headline=Headline("any", late))
    result = oc.maintenance_effect(oc.load_tables(taken(*on, *off)), study, landmark=100)
    landmark = result.frame[(result.frame["analysis"] == "landmark") & (result.frame["measure"] == "risk_difference")]
    assert landmark["time"].tolist() == [asked]


def test_too_few_on_the_landmark_is_said_and_not_estimated() -> None:
    result = found(ON, OFF, Course("b1 10..90 completed"), given={"landmark": 60})
    frame = result.to_frame()
    assert frame.loc[frame["analysis"] == "landmark", "verdict"].eq("not determined").all()
    assert "1 people are in maintenance on the landmark, and 2 in the other group" in result.describe()
    released = oc.release(result, "none")
    assert "no answer" in [text.get_text() for text in result.plot().texts]
    assert released.frame.set_index("group").loc["from the landmark on", "beside"] == "no answer"


def test_nobody_reoffended_is_said_and_drawn() -> None:
    quiet = [Course(f"b1 10..{day} completed; b2 150..250 completed") for day in (90, 100)]
    result = found(*quiet, Course("b1 10..90 completed"), Course("b1 10..100 completed"), given={"at": "1y"})
    assert set(result.to_frame()["verdict"]) == {"not determined"}
    assert "nobody had the event" in result.describe()
    assert "0.0 of 100 people in maintenance and 0.0 of 100 in no maintenance" in result.describe()
    ax = result.plot()
    drawn = [text.get_text() for text in ax.texts if text.get_gid() == "beside"]
    assert drawn == ["no answer"] * len(drawn)
    assert len(drawn) == 3, "in maintenance and after it against not yet, and from the landmark on"


@pytest.fixture(scope="module")
def drawn() -> Any:
    return drawn_maintenance(400, np.random.default_rng(3), ratio=0.7, confounded=True)


def test_the_ratio_by_exposure_is_that_of_another_package(drawn: Any) -> None:
    result = oc.maintenance_effect(drawn, small_study(horizon=1500), formula="prior_sanctions")
    rows = result.to_frame().set_index(["analysis", "adjustment", "measure"]).sort_index()
    data = cohort(drawn, strategy="time_varying", horizon=1500).outcome("any")
    frame = pd.DataFrame({"id": data.person, "start": data.entry, "stop": data.exit, "event": data.event == 1})
    frame["on"] = (data.frame["strand"] == "maintenance").astype(float)
    frame["prior"] = data.frame["prior_sanctions"].to_numpy(dtype=float)
    frame = frame[frame["start"] >= 100]
    for adjustment, columns in (("raw", ["on"]), ("adjusted", ["on", "prior"])):
        exact = {
            "entry": frame["start"] + 0.5,
            "status": frame["event"].astype(int),
            "ties": "efron",
        }  # its risk sets are closed
        model = PHReg(frame["stop"], frame[columns], **exact).fit()
        ours = np.log(rows.loc[("time_varying", adjustment, "hazard_ratio"), "estimate"])
        assert ours == pytest.approx(model.params[0], abs=1e-6)


def test_the_risk_from_the_landmark_is_the_share_counted_where_nobody_is_censored(drawn: Any) -> None:
    result = oc.maintenance_effect(drawn, small_study(horizon=1500), formula="", landmark=90, at=365)
    row = result.frame[(result.frame["measure"] == "risk_difference")].iloc[0]
    part, offences = drawn.frame("participation"), drawn.frame("reoffences")
    zero = drawn.frame("sentences")["sentence_date"].iloc[0]
    went = part[part["status"] == "ongoing"].set_index("person_id")["start_date"] - zero - 100
    due = offences.set_index("person_id")["offence_date"] - zero - 100
    people = drawn.frame("people")["person_id"]
    day, start = people.map(due).fillna(9e9).to_numpy(dtype=float), people.map(went).fillna(9e9).to_numpy(dtype=float)
    there, on = day > 90, start <= 90
    assert row["n"] == there.sum()
    for side, group in (("arm", there & on), ("reference", there & ~on)):
        assert row[f"value_{side}"] == pytest.approx(np.mean(day[group] - 90 <= 365), abs=1e-12)


def test_covariates_of_the_study_are_those_it_adjusts_for_and_none_can_be_asked(drawn: Any) -> None:
    study = small_study(horizon=1500, cluster="area")
    adjusted = oc.maintenance_effect(drawn, small_study(horizon=1500), formula="prior_sanctions + wait_days")
    assert adjusted.provenance["formula"] == "prior_sanctions"
    assert "wait_days is the same for everybody" in " ".join(note.text for note in adjusted.notes)
    assert set(oc.maintenance_effect(drawn, small_study(horizon=1500)).frame["adjustment"]) == {"raw"}
    assert set(oc.maintenance_effect(drawn, study, formula="").frame["adjustment"]) == {"raw"}
    with pytest.raises(oc.EstimationError, match="formula must be text such as"):
        oc.maintenance_effect(drawn, study, formula=["prior_sanctions"])  # type: ignore[arg-type]


def test_every_answer_says_that_who_goes_on_is_not_chosen_by_lot(drawn: Any) -> None:
    result = oc.maintenance_effect(drawn, small_study(horizon=1500), formula="")
    assert "time-varying confounding remains" in result.describe()
    assert "time_varying_confounding" in {note.code for note in result.notes}
    verdicts = {"lower", "higher", "not determined", "no difference larger than the margin"}
    assert set(result.frame["verdict"]) <= verdicts
    assert "cause" not in result.describe().replace("because", "")


def test_what_is_drawn_is_what_was_released(drawn: Any) -> None:
    released = oc.release(oc.maintenance_effect(drawn, small_study(horizon=1500), formula="prior_sanctions"), "none")
    assert released.frame["group"].tolist() == ["exposure that changes with time", "from the landmark on"]
    assert "of 100 people in maintenance than in no maintenance (" in released.facts["said"]
    assert np.isfinite(released.frame["expected"]).all()


def test_a_competing_end_keeps_its_own_hazard(drawn: Any) -> None:
    one = small_study(horizon=1500, outcomes={"any": outcome(competing=())})
    assert oc.maintenance_effect(drawn, one, formula="").frame["why"].eq("").all()


def test_what_is_not_weighting_is_refused_and_a_margin_is_for_the_outcome_it_was_named_for(drawn: Any) -> None:
    matched = small_study(horizon=1500).replace(adjust=Adjust("prior_sanctions", "att", method="nearest"))
    with pytest.raises(oc.NotSupportedError, match="made alike by weighting"):
        oc.maintenance_effect(drawn, matched)
    with pytest.raises(oc.NotSupportedError, match="made alike by weighting"):
        oc.attendance_effect(drawn, matched)
    two = {"any": outcome(), "violent": outcome("violent")}
    study = small_study(horizon=1500, outcomes=two, headline="any")
    named = study.replace(headline=Headline("any", 730, margin=40.0))
    assert oc.maintenance_effect(drawn, named, formula="").margin == 40.0
    assert oc.maintenance_effect(drawn, named, formula="", outcome="violent").margin is None
