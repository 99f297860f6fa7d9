"""Every programme against nothing: a comparison group each, and no test where there are few people or events."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from small_study import Reframed

import outcomes as oc
from outcomes.design.study import Arms, ArmSpec
from outcomes.errors import DesignError


@pytest.fixture(scope="module")
def found(tables: oc.Tables, study: oc.Study) -> oc.Programmes:
    return oc.programmes_against_nothing(tables, study)


def test_every_family_of_the_catalogue_stands_there_once_raw_and_once_adjusted(
    found: oc.Programmes, tables: oc.Tables
) -> None:
    families = set(tables.frame("programmes")["family_id"])
    counted = found.to_frame().groupby("programme")["adjustment"].apply(list)
    assert set(counted.index) == families
    assert all(kinds == ["raw", "adjusted"] for kinds in counted)


def test_one_of_them_is_the_study_of_that_programme_at_a_landmark_among_those_it_admits(
    found: oc.Programmes, tables: oc.Tables, study: oc.Study
) -> None:
    arms = Arms("none_at_all", {"none_at_all": ArmSpec(none=True), "circle": ArmSpec(family=("circles",))})
    landmark = dataclasses.replace(study.time_zero, event="auto", strategy="landmark", grace=182.0)
    alone = study.replace(arms=arms, time_zero=landmark, headline=None)
    data = oc.build_cohort(tables, alone).outcome("any")
    formula = study.adjust.formula.replace(" + wait_days", "")  # the same for everybody at a landmark
    bands = data.baseline["risk_band"].nunique()
    assert bands > 1
    curves = oc.cumulative_incidence(data, weights=oc.weight(data, formula, estimand="att"))
    expected = oc.compare(curves, measure="risk_difference", at="2y").frame.iloc[0]
    frame = found.frame
    row = frame[(frame["programme"] == "circles") & (frame["adjustment"] == "adjusted")].iloc[0]
    for name in ("estimate", "conf_low", "conf_high", "n", "n_events"):
        assert row[name] == pytest.approx(expected[name], rel=1e-9)
    assert [row["n_nothing"], row["n_programme"]] == data.people_by_arm().tolist()
    assert row["n_nothing"] > row["n_programme"]


def test_small_programmes_have_an_interval_no_test_and_what_they_could_have_shown(found: oc.Programmes) -> None:
    frame = found.to_frame()
    small = frame[~frame["tested"]]
    assert set(small["programme"]) >= {"residential", "counselling"}
    assert small["p_value"].isna().all()
    assert set(small["verdict"]) == {"not determined"}
    assert (small["detectable"] > 0.1).all()
    assert np.isfinite(small["conf_low"]).all()
    said = found.describe()
    best = small[small["adjustment"] == "adjusted"].set_index("programme").loc["residential"]
    assert (
        f"Too few people ({best['n_programme']} in the programme; weighted, {best['n_programme']} of them and " in said
    )
    assert f"This design could have found a difference of {100 * best['detectable']:.1f} per 100 or more" in said
    note = next(note.text for note in found.notes if note.code == "too_small")
    assert "no lack of one" in note


def test_p_values_pay_for_the_programmes_that_are_tested(found: oc.Programmes) -> None:
    frame = found.to_frame()
    tested = frame[frame["tested"] & (frame["adjustment"] == "adjusted")]
    smallest = tested["p_value"].idxmin()
    assert tested.loc[smallest, "p_holm"] == pytest.approx(min(1, len(tested) * tested.loc[smallest, "p_value"]))
    assert frame.loc[frame["adjustment"] == "raw", "p_holm"].isna().all()


def test_a_programme_nobody_started_has_no_answer_and_the_others_have(tables: oc.Tables, study: oc.Study) -> None:
    taken = tables.frame("participation")
    circles = set(tables.frame("programmes").query("family_id == 'circles'")["programme_id"])
    without = Reframed(tables, participation=taken[~taken["programme_id"].isin(circles)])
    frame = oc.programmes_against_nothing(without, study).to_frame().set_index("programme")
    assert "is empty" in frame.loc["circles", "why"]
    assert np.isnan(frame.loc["circles", "estimate"])
    assert (frame.drop(index="circles")["why"] == "").all()


def test_where_nobody_started_anything_there_is_nothing_to_compare(tables: oc.Tables, study: oc.Study) -> None:
    nobody = Reframed(tables, participation=tables.frame("participation").iloc[:0])
    with pytest.raises(DesignError, match="no programme of the catalogue can be compared"):
        oc.programmes_against_nothing(nobody, study)


def test_without_adjustment_the_contrasts_are_as_they_were(tables: oc.Tables, study: oc.Study) -> None:
    frame = oc.programmes_against_nothing(tables, study.replace(adjust=None)).to_frame()
    assert set(frame["adjustment"]) == {"raw"}
    assert pd.notna(frame["p_holm"]).sum() == frame["tested"].sum()


def test_a_comparison_group_that_counts_as_a_handful_gets_no_test(tables: oc.Tables, study: oc.Study) -> None:
    found = oc.programmes_against_nothing(tables, study, horizon="5y")
    youth = found.frame[(found.frame["programme"] == "youth") & (found.frame["adjustment"] == "adjusted")].iloc[0]
    assert youth["n_programme"] > 30 > youth["effective_reference"]
    assert not youth["tested"]
    assert youth["verdict"] == "not determined"


def test_what_weights_and_comparison_say_of_each_is_passed_on(found: oc.Programmes) -> None:
    said = [note.text for note in found.notes]
    assert any(
        text.startswith("Youth: ") and "columns of the score" in text and "Fewer than 10 clusters" in text
        for text in said
    )
    assert any(text.startswith("wait_days is the same for everybody in south project") for text in said)


def test_where_nobody_in_a_programme_had_the_event_what_could_have_been_found_is_no_smaller_than_the_interval(
    tables: oc.Tables, study: oc.Study
) -> None:
    found = oc.programmes_against_nothing(tables, study, horizon="30d")
    none = found.frame[(found.frame["programme"] == "residential") & (found.frame["adjustment"] == "adjusted")].iloc[0]
    assert none["value_arm"] == 0
    assert none["detectable"] > none["conf_high"] - none["estimate"] > 0


def test_a_family_nobody_had_started_in_time_says_so_and_counts_stay_whole(tables: oc.Tables, study: oc.Study) -> None:
    said = oc.programmes_against_nothing(tables, study, grace="1d").describe()
    assert "circles: no answer; arm 'circles' is empty. Nobody had started one of its programmes by 1 day." in said
    assert ".0 people" not in said


def test_fewer_than_ten_events_in_the_programme_give_no_test_however_many_there_are_without_it(
    tables: oc.Tables, study: oc.Study
) -> None:
    arms = Arms("none_at_all", {"none_at_all": ArmSpec(none=True), "circle": ArmSpec(family=("circles",))})
    landmark = dataclasses.replace(study.time_zero, event="auto", strategy="landmark", grace=182.0)
    data = oc.build_cohort(tables, study.replace(arms=arms, time_zero=landmark, headline=None)).outcome("any")
    assert (data.people_by_arm() > 30).all()
    of_circles = data.arm[data.person] == data.arms.index("circle")
    tenth = np.sort(data.exit[of_circles & (data.event == 1)])[9]
    assert ((data.exit <= tenth) & (data.event == 1) & ~of_circles).sum() > 20
    for days, tested in ((tenth - 1, False), (tenth, True)):
        frame = oc.programmes_against_nothing(tables, study.replace(adjust=None), horizon=f"{days:g}d").to_frame()
        row = frame.set_index("programme").loc["circles"]
        assert row["tested"] == tested
        assert np.isfinite(row["p_value"]) == tested


def test_the_picture_has_a_line_a_programme_with_its_numbers_and_says_which_are_small(found: oc.Programmes) -> None:
    ax, best = found.plot(), found.frame[found.frame["adjustment"] == "adjusted"]
    small = {"residential": " (only 12 people)", "counselling": " (only 22 people)", "youth": " (only 34 people)"}
    labels = [tick.get_text().replace("\n", " ") for tick in ax.get_yticklabels()]
    assert labels == [name.replace("_", " ") + small.get(name, "") for name in best["programme"]]
    numbers = (100 * best[["estimate", "conf_low", "conf_high"]]).to_numpy()
    beside = [text.get_text() for text in ax.texts if text.get_gid() == "beside"]
    assert beside == ["{:.1f} ({:.1f} to {:.1f})".format(*row).replace("-", "−") for row in numbers]
    filled, hollow = ([line.get_xdata()[0] for line in ax.lines if line.get_marker() == "o" and
                       (line.get_markerfacecolor() == "white") == here] for here in (False, True))  # fmt: skip
    raw = found.frame[found.frame["adjustment"] == "raw"]
    assert filled == pytest.approx(100 * best["estimate"].to_numpy(), rel=1e-4)
    assert hollow == pytest.approx(100 * raw["estimate"].to_numpy(), rel=1e-4)
