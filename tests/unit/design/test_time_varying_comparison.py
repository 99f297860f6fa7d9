"""What is done with exposure that changes with time: who is in the flow, what may be asked, and what is refused by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from small_courses import Course, taken
from small_study import UNTREATED, Reframed, cohort, held, left, notes, outcome, small_study
from small_tables import rows

import outcomes as oc
from outcomes.design.study import ArmSpec
from outcomes.errors import DataError, DesignError, EstimationError, NotSupportedError
from outcomes.report.analysis import analyse
from outcomes.report.display import display

VARYING: dict[str, Any] = {"strategy": "time_varying", "horizon": 600}
SEVEN = [
    Course(attends="m1 30..100 completed", offends="250 violent"),
    Course(attends="b1 60..300 dropped_out", offends="120 violent"),
    Course(offends="90 violent"),
    Course(attends="b1 200.. ongoing"),
    Course(attends="m1 10..60 completed; b2 100.. ongoing", offends="400 violent"),
    Course(offends="300 violent"),
    Course(),
]


@pytest.fixture(scope="module")
def tables() -> Reframed:
    found = held(taken(*SEVEN))
    ages = found.frame("sentences").assign(age_at_sentence=[20.0, 35.0, 28.0, 44.0, 31.0, 52.0, 39.0])
    denial = found.frame("assessments").assign(denial=["none"] * 6 + ["full"])
    return Reframed(found, sentences=ages, assessments=denial)


@pytest.fixture(scope="module")
def data(tables: Reframed) -> oc.SurvivalData:
    return cohort(tables, **VARYING).outcome("any")


def test_the_flow_has_one_column_and_adds_up(tables: Reframed) -> None:
    found = cohort(tables, population="both", **VARYING)
    frame = found.flow.to_frame()
    assert set(frame["arm"]) == {"all"}
    assert left(found) == {"not eligible for manualised by its entry rules": 1}  # who denies
    assert (frame["n_remaining"].diff().iloc[1:] == -frame["n_leaving"].iloc[1:]).all()
    assert found.flow.describe() == "Of 7 people in the extract 6 are compared."
    assert found.summary()[["arm", "n", "median_wait_days"]].to_numpy().tolist() == [["all", 6, 0.0]]
    assert found.describe().startswith(found.flow.describe())


def test_the_flow_is_drawn_and_tabled_without_arms(tables: Reframed) -> None:
    flow = cohort(tables, population="both", **VARYING).flow
    released = oc.release(flow, oc.DisclosurePolicy.preset("none"))
    assert list(display("flow", released).columns) == ["Step", "Left", "Remaining"]
    drawn = [text.get_text() for text in flow.plot().texts]
    assert not [text for text in drawn if "all" in text.split()]


def test_who_starts_what_later_changes_nobodys_place(tables: Reframed) -> None:
    nothing = Reframed(tables, participation=tables.frame("participation").head(0))
    one, other = (cohort(each, population="both", **VARYING) for each in (tables, nothing))
    pd.testing.assert_frame_equal(one.baseline, other.baseline)
    pd.testing.assert_frame_equal(one.flow.to_frame(), other.flow.to_frame())


def test_nobody_can_be_chosen_by_what_came_later(tables: Reframed) -> None:
    with pytest.raises(DesignError, match="status"):
        cohort(tables, include=["status == 'completed'"], **VARYING)


def test_a_cox_model_takes_exposure_and_whatever_else_is_by_row(data: oc.SurvivalData) -> None:
    model = oc.cox(data, "exposure + age_at_time_zero", cause="any")
    assert model.terms == ("exposure[manualised]", "exposure[bespoke]", "age_at_time_zero")
    assert model.asked.variance == "robust"
    assert "time_varying_confounding" in notes(model)


def test_the_model_is_that_of_start_stop_rows_by_hand(data: oc.SurvivalData) -> None:
    lines = [
        "1 0 30 0 none 20", "1 30 250 1 manualised 20", "2 0 60 0 none 35", "2 60 120 1 bespoke 35", "3 0 90 1 none 28",
        "4 0 200 0 none 44", "4 200 600 0 bespoke 44", "5 0 10 0 none 31", "5 10 100 0 manualised 31", "5 100 400 1 bespoke 31",
        "6 0 300 1 none 52", "7 0 600 0 none 39",
    ]  # fmt: skip
    frame = rows("who start stop event exposure age", *lines)
    frame = frame.astype(dict.fromkeys(("start", "stop", "event", "age"), float))
    frame["exposure"] = pd.Categorical(frame["exposure"], ["none", "manualised", "bespoke"])
    hand = oc.cox(oc.survival_data(frame, entry="start", exit="stop", event="event", id="who"), "exposure + age")
    model = oc.cox(data, "exposure + age_at_time_zero", cause="any")
    np.testing.assert_allclose(model.coefficients, hand.coefficients, rtol=1e-9)
    np.testing.assert_allclose(model.covariance, hand.covariance, rtol=1e-9)


def test_one_arm_against_the_other_is_asked_with_another_base(data: oc.SurvivalData) -> None:
    plain = dict(zip((model := oc.cox(data, "exposure", cause="any")).terms, model.coefficients, strict=True))
    turned = oc.cox(data, "C(exposure, contr.treatment('manualised'))", cause="any")
    found = dict(zip((term.split("[")[1] for term in turned.terms), turned.coefficients, strict=True))
    assert found["bespoke]"] == pytest.approx(plain["exposure[bespoke]"] - plain["exposure[manualised]"])


def test_the_share_of_everyone_does_not_change_by_cutting(tables: Reframed, data: oc.SurvivalData) -> None:
    whole = cohort(Reframed(tables, participation=tables.frame("participation").head(0)), **VARYING).outcome("any")
    cut, plain = (oc.cumulative_incidence(each).at([100, 300, 600]) for each in (data, whole))
    pd.testing.assert_frame_equal(cut, plain)


@pytest.mark.parametrize(
    "asked",
    [
        lambda data: oc.compare(oc.cumulative_incidence(data), measure="risk_difference", at=300),
        lambda data: oc.compare(oc.cox(data, "exposure", cause="any"), measure="hazard_ratio"),
        lambda data: oc.logrank_test(data, cause="any"),
        lambda data: oc.weight(data, "age_at_time_zero", estimand="ato"),
        lambda data: oc.characteristics(data, ["age_at_time_zero"]),
        lambda data: oc.subgroup_effects(data, "risk_band", at=300),
    ],
    ids=["risk", "hazard ratio of arms", "log-rank", "weights", "table 1", "subgroups"],
)
def test_what_compares_arms_says_what_to_take_instead(data: oc.SurvivalData, asked: Callable[[Any], Any]) -> None:
    with pytest.raises(EstimationError, match=r"one arm|two arms") as caught:
        asked(data)
    assert "Exposure changes with time here" in str(caught.value)
    assert "cox(data, 'exposure + …', cause=…)" in str(caught.value)


def test_a_formula_that_names_the_arm_is_told_of_exposure(data: oc.SurvivalData) -> None:
    with pytest.raises(EstimationError, match=r"only one arm.* is the column exposure"):
        oc.cox(data, "arm + age_at_time_zero", cause="any")


def test_exposure_is_no_arm_for_the_side_door_either(data: oc.SurvivalData) -> None:
    frame = data.frame.assign(start=data.entry, stop=data.exit, event=np.minimum(data.event, 1))
    with pytest.raises(DataError, match=r"changes within a person .* into the formula of cox"):
        oc.survival_data(
            frame, entry="start", exit="stop", event="event", arm="exposure", reference="none", id="person_id"
        )


REFUSED: dict[str, tuple[dict[str, Any], type[oc.OutcomesError], str]] = {
    "a clock that stops": ({"scale": "community"}, NotSupportedError, "keeps no calendar. Take scale = 'at_risk'"),
    "a grace": ({"grace": 90}, DesignError, "has no grace"),
    "a window": ({"window": 90}, DesignError, r"\[arms\] window looks at starts that are still to come"),
    "both arms": ({"if_both": "exclude"}, DesignError, r"\[arms\] if_both looks at starts that are still to come"),
    "dropping out": ({"outcomes": {"left": outcome(kind="drop_out")}}, DesignError, "only who has started can drop out"),
    "an arm called none": (
        {"arms": {"none": ArmSpec(family=("core_manual",)), "bespoke": ArmSpec(family=("south_project",))}, "reference": "none"},
        DesignError,
        "give arm 'none' another name",
    ),
    "an arm called other": (
        {"arms": {"other": ArmSpec(family=("core_manual",)), "bespoke": ArmSpec(family=("south_project",))}, "reference": "other"},
        DesignError,
        "give arm 'other' another name",
    ),
    "time zero at the start": ({"event": "start"}, DesignError, "nothing to do"),
    "arms by referral": ({"assigned_by": "referral"}, DesignError, "classes nobody by a start"),
}  # fmt: skip


@pytest.mark.parametrize("why", REFUSED)
def test_what_would_look_ahead_is_refused_when_the_study_is_made(why: str) -> None:
    asked, kind, message = REFUSED[why]
    with pytest.raises(kind, match=message):
        small_study(**VARYING | asked)


def test_who_starts_nothing_may_be_called_none() -> None:
    arms = {"none": ArmSpec(none=True), **{name: arm for name, arm in UNTREATED.items() if not arm.none}}
    assert small_study(arms=arms, reference="none", **VARYING).arms_compared == ("all",)


@pytest.mark.parametrize("name", ["exposure", "state", "strand", "voluntary"])
def test_a_column_of_the_extract_called_like_one_made_here_is_refused(name: str) -> None:
    frames = taken(Course(), Course())
    frames["sentences"][name] = ["a", "b"]
    loaded = oc.load_tables(frames)
    with pytest.raises(DesignError, match=f"table sentences has columns of its own called {name}"):
        cohort(loaded, **VARYING)


def test_a_report_is_refused_before_anything_is_built(tables: Reframed) -> None:
    with pytest.raises(NotSupportedError, match=r"report: .* strategy = 'time_varying' has none"):
        analyse(small_study(**VARYING), tables, lambda _: None)  # type: ignore[arg-type]


def test_each_sentence_has_a_course_of_its_own_and_a_start_under_another_is_said(tables: Reframed) -> None:
    first = tables.frame("sentences").head(1)
    earlier = first.assign(sentence_id=99, sentence_date=first["sentence_date"] - 50)
    twice = Reframed(tables, sentences=pd.concat([tables.frame("sentences"), earlier]))
    data = cohort(twice, index="all", **VARYING).outcome("any")
    mine = data.frame[data.frame["person_id"] == 1].astype({"exposure": str})
    assert mine.groupby("sentence_id")["exposure"].unique().map(list).to_dict() == {
        1: ["none", "manualised"],
        99: ["none"],
    }
    assert data.cluster == "person_id"
    assert notes(data)["started_elsewhere"].startswith(
        "any: 1 people started a programme under another of their sentences"
    )
