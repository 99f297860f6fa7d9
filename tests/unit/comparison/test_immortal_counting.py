"""Time before a start: counted by hand where it is given to the programme, marked as wrong, and beside it what counts it rightly."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from small_study import Reframed, after, extract, offences, small_study

import outcomes as oc
from outcomes.design.study import Arms, ArmSpec
from outcomes.errors import DesignError, EstimationError, NotSupportedError

FEW = [
    f"p1 b1 community {after(0)} - {after(10)}",  # 10 days before the start
    f"p2 b1 community {after(0)} - {after(0)}",  # none
    f"p3 b1 community {after(0)} - {after(300)}",  # offends on day 100: started nothing while followed
    f"p4 - community {after(0)}",
    f"p5 m1 community {after(0)} - {after(20)}",  # another programme only
    f"p6 m1 community {after(0)} - {after(30)}",  # first another programme, then this one on day 50
]
OFFENCES = offences(
    f"p1 {after(40)} {after(50)} violent", f"p3 {after(100)} {after(110)} violent", f"p4 {after(200)} {after(210)} violent",
    f"p6 {after(250)} {after(260)} violent",
)  # fmt: skip


@pytest.fixture(scope="module")
def found(tables: oc.Tables, study: oc.Study) -> oc.ImmortalTime:
    return oc.immortal_time(tables, study)


@pytest.fixture(scope="module")
def few() -> oc.ImmortalTime:
    made = oc.load_tables(extract(*FEW, also=[f"s6 b1 {after(50)}"], reoffences=OFFENCES))
    return oc.immortal_time(made, small_study(horizon=365), arm="bespoke", horizon="3m", grace="1m")


def row(found: oc.ImmortalTime, method: str, measure: str = "hazard_ratio") -> pd.Series:
    frame = found.frame
    return frame[(frame["method"] == method) & (frame["measure"] == measure)].iloc[0]


def test_days_before_starts_are_those_at_risk_before_them_and_no_others(few: oc.ImmortalTime) -> None:
    before = few.before
    assert (before.people, before.late) == (3, 2)  # p1, p2, p6; not p3, whose start came after the offence
    assert before.days == 10 + 50
    assert before.of == 40 + 365 + 250
    given = few.to_frame().set_index("method")["days_before"]
    assert given["ever_started"].tolist() == [60, 60]
    assert given.drop("ever_started").isna().all()
    assert "the 60 person-days before their starts, 9 of 100 of their days" in few.describe()


def test_the_wrong_count_has_who_started_and_who_started_nothing_and_leaves_out_who_started_something_else(
    few: oc.ImmortalTime,
) -> None:
    assert row(few, "ever_started")["n"] == 5
    assert row(few, "ever_started")["n_events"] == 4


def test_the_wrong_one_is_marked_in_table_sentence_and_picture(found: oc.ImmortalTime) -> None:
    frame = found.to_frame()
    wrong = frame[frame["wrong"]]
    assert set(wrong["method"]) == {"ever_started"}
    assert set(wrong["verdict"]) == {"not determined"}
    assert set(wrong["would_say"]) == {"lower"}
    assert wrong["p_value"].isna().all()
    said = found.sentences[1]
    assert said.startswith("Wrong: ever started")
    assert "Verdict" not in said
    assert "It would say: lower." in said
    assert "determines nothing about the programme" in said
    lines = oc.release(found, "none").frame
    assert lines.loc[lines["group"] == "counts time wrongly", "label"].tolist() == [
        "ever started, counted from release or sentence"
    ]
    assert (lines["group"] == "count time rightly").sum() == 3
    ax = found.plot()
    ratios = frame[frame["measure"] == "hazard_ratio"]
    drawn = [line.get_xdata()[0] for line in ax.lines if line.get_marker() == "o"]
    assert drawn == pytest.approx(ratios["estimate"].to_numpy(), rel=1e-4)
    numbers = ratios[["estimate", "conf_low", "conf_high"]].to_numpy()
    beside = [text.get_text() for text in ax.texts if text.get_gid() == "beside"]
    assert beside == ["{:.2f} ({:.2f} to {:.2f})".format(*row) for row in numbers]


def test_the_landmark_is_the_study_of_that_arm_against_nothing_from_then_on(
    found: oc.ImmortalTime, tables: oc.Tables, study: oc.Study
) -> None:
    arms = Arms("no", {"no": ArmSpec(none=True), "bespoke": study.arms.definitions["bespoke"]})
    landmark = dataclasses.replace(study.time_zero, event="auto", strategy="landmark", grace=182.0)
    data = oc.build_cohort(tables, study.replace(arms=arms, time_zero=landmark, headline=None)).outcome("any")
    weights = oc.weight(data, study.adjust.formula.replace(" + wait_days", ""), estimand="ato")
    hazard = oc.compare(oc.cox(data, "arm", cause="any", weights=weights), measure="hazard_ratio").frame.iloc[0]
    risk = oc.compare(oc.cumulative_incidence(data, weights=weights), measure="risk_difference", at="2y").frame.iloc[0]
    for measure, expected in (("hazard_ratio", hazard), ("risk_difference", risk)):
        for name in ("estimate", "std_error", "conf_low", "conf_high", "n", "n_events"):
            assert row(found, "landmark", measure)[name] == pytest.approx(expected[name], rel=1e-9)


def test_hazard_ratios_that_count_rightly_stand_beside_their_test_of_proportional_hazards(
    found: oc.ImmortalTime, tables: oc.Tables, study: oc.Study
) -> None:
    frame = found.to_frame().set_index(["measure", "method"])["p_proportional"]
    assert frame["risk_difference"].isna().all()
    assert np.isnan(frame["hazard_ratio", "ever_started"])
    arms = Arms("no", {"no": ArmSpec(none=True), "bespoke": study.arms.definitions["bespoke"]})
    landmark = dataclasses.replace(study.time_zero, event="auto", strategy="landmark", grace=182.0)
    data = oc.build_cohort(tables, study.replace(arms=arms, time_zero=landmark, headline=None)).outcome("any")
    weights = oc.weight(data, study.adjust.formula.replace(" + wait_days", ""), estimand="ato")
    theirs = oc.cox(data, "arm", cause="any", weights=weights).proportional_hazards().to_frame()
    assert frame["hazard_ratio", "landmark"] == pytest.approx(theirs["p_value"].iloc[-1], rel=1e-9)
    for method, sentence in zip(("ever_started", "landmark", "time_varying"), found.sentences[1:], strict=False):
        assert ("est of proportional hazards" in sentence) == (method != "ever_started")


def test_exposure_that_changes_gives_a_hazard_ratio_and_no_risk(found: oc.ImmortalTime) -> None:
    assert set(found.frame.loc[found.frame["method"] == "time_varying", "measure"]) == {"hazard_ratio"}
    for method in ("ever_started", "landmark", "clone_censor_weight"):
        assert set(found.frame.loc[found.frame["method"] == method, "measure"]) == {"hazard_ratio", "risk_difference"}


def test_every_method_says_whose_effect_it_is_about(found: oc.ImmortalTime) -> None:
    whose = found.frame.drop_duplicates("method").set_index("method")["whose"]
    assert whose["ever_started"].startswith("nobody's effect")
    assert "still followed 6 months after" in whose["landmark"]
    assert "against days before any start" in whose["time_varying"]
    assert "start nothing within 6 months" in whose["clone_censor_weight"]
    assert all(text in found.describe() for text in whose)
    assert "clones" in found.sentences[-2]


def test_only_those_whom_the_programme_admits_are_looked_at(
    found: oc.ImmortalTime, tables: oc.Tables, study: oc.Study
) -> None:
    other = oc.immortal_time(tables, study, arm="manualised")
    assert row(other, "time_varying")["n"] < row(found, "time_varying")["n"]
    open_to_all = Reframed(tables, eligibility=tables.frame("eligibility").iloc[:0])
    everyone = row(oc.immortal_time(open_to_all, study, arm="manualised"), "time_varying")["n"]
    shut_out = oc.build_cohort(tables, study).tables.counts["people"]
    assert row(other, "time_varying")["n"] < everyone <= shut_out
    assert set(other.frame["population"]) == {"eligible for manualised"}


def test_without_covariates_clones_cannot_be_weighed_and_the_others_stand_unadjusted(
    tables: oc.Tables, study: oc.Study
) -> None:
    plain = oc.immortal_time(tables, study.replace(adjust=None))
    assert "no covariate to weigh clones by" in row(plain, "clone_censor_weight")["why"]
    assert row(plain, "landmark")["estimand"] == "none"
    assert np.isfinite(row(plain, "landmark")["estimate"])
    assert "No answer: no covariate to weigh clones by" in plain.describe()
    assert "unweighted" in plain.describe()
    beside = oc.release(plain, "none").frame.set_index("label")["beside"]
    assert beside["Clones, censored and weighted"] == "no answer"


def test_what_cannot_be_asked_is_refused(tables: oc.Tables, study: oc.Study) -> None:
    with pytest.raises(DesignError, match="no arm 'bespok' with programmes"):
        oc.immortal_time(tables, study, arm="bespok")
    with pytest.raises(EstimationError, match="no headline; say which"):
        oc.immortal_time(tables, study.replace(headline=None))
    nearest = study.replace(adjust=dataclasses.replace(study.adjust, method="nearest"))
    with pytest.raises(NotSupportedError, match="method = 'nearest'"):
        oc.immortal_time(tables, nearest)
    with pytest.raises(EstimationError, match="conf_level must lie between 0 and 1"):
        oc.immortal_time(tables, study, conf_level=95)
    called = study.replace(
        arms=Arms("nothing", {"nothing": ArmSpec(family=("core_manual",)), "b": ArmSpec(family=("south_project",))})
    )
    with pytest.raises(DesignError, match="give it another name"):
        oc.immortal_time(tables, called, arm="nothing")


def test_where_nobody_started_there_is_no_answer(tables: oc.Tables, study: oc.Study) -> None:
    nobody = Reframed(tables, participation=tables.frame("participation").iloc[:0])
    result = oc.immortal_time(nobody, study)
    assert result.frame["estimate"].isna().all()
    assert (result.frame["why"] != "").all()
    assert "Nobody started while followed." in result.describe()
    ax = result.plot()
    assert [text.get_text() for text in ax.texts if text.get_gid() == "beside"] == ["no answer"] * 4
    assert all(np.isnan(line.get_xdata()).all() for line in ax.lines if line.get_marker() == "o")
