"""Those whom a programme shuts out against such people who got nothing: who they are, how many, and where there is no answer."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t
from small_study import Reframed

import outcomes as oc
from outcomes.errors import DesignError, EstimationError, NotSupportedError
from outcomes.figures import FIGURES, figure_of


@pytest.fixture(scope="module")
def found(tables: oc.Tables, study: oc.Study) -> oc.ShutOut:
    return oc.shut_out(tables, study)


@pytest.fixture(scope="module")
def data(tables: oc.Tables, study: oc.Study) -> oc.SurvivalData:
    own = dataclasses.replace(study.eligibility, population="own")
    return oc.build_cohort(
        tables, dataclasses.replace(study.with_untreated("6m"), eligibility=own, headline=None)
    ).outcome("any")


def row(found: oc.ShutOut, reason: str, adjustment: str = "adjusted") -> pd.Series:
    frame = found.frame
    return frame[(frame["reason"] == reason) & (frame["adjustment"] == adjustment)].iloc[0]


def shut(data: oc.SurvivalData, arm: str) -> pd.DataFrame:
    """Return the people of an arm whom the manual excludes and the bespoke programme would take."""
    people = data.baseline[np.array(data.arms)[data.arm] == arm]
    return people[(people["eligible_manualised"] == "no") & (people["eligible_bespoke"] == "yes")]


def test_both_sides_are_people_the_one_programme_excludes_and_the_other_admits(
    found: oc.ShutOut, data: oc.SurvivalData
) -> None:
    assert set(found.frame["programme"]) == {"bespoke"}
    assert set(found.frame["closed"]) == {"manualised"}
    for reason in ("all", "full_denial", "learning_disability"):
        for arm, name in (("bespoke", "n_programme"), ("untreated", "n_nothing")):
            mine = shut(data, arm)
            assert row(found, reason, "raw")[name] == (
                len(mine) if reason == "all" else (mine["excluded_by_manualised"] == reason).sum()
            )


def test_the_answer_is_that_of_these_people_as_any_other_data(found: oc.ShutOut, data: oc.SurvivalData) -> None:
    people = pd.concat([shut(data, "bespoke"), shut(data, "untreated")]).reset_index(names="person")
    rows = pd.DataFrame({"person": data.person, "exit": data.exit, "event": data.event})
    frame = people.drop(columns="arm").merge(rows, on="person")
    frame["arm"] = np.array(data.arms)[data.arm[frame["person"]]]
    frame["area"] = frame["area"].astype(str)
    alone = oc.survival_data(
        frame.drop(columns="person"), duration="exit", event="event", causes={1: "any", 2: "death", 3: "deportation"},
        arm="arm", reference="untreated", cluster="area",
    )  # fmt: skip
    formula = "age_at_time_zero + C(risk_band) + prior_sanctions + C(setting) + C(period)"
    for adjustment, weights in (("raw", None), ("adjusted", oc.weight(alone, formula, estimand="att"))):
        curves = oc.cumulative_incidence(alone, weights=weights)
        expected = oc.compare(curves, measure="risk_difference", at="2y").frame.iloc[0]
        for name in ("estimate", "std_error", "conf_low", "conf_high", "n", "n_events", "df"):
            assert row(found, "all", adjustment)[name] == pytest.approx(expected[name], rel=1e-8)


def test_where_the_score_fails_there_is_no_answer_and_why_is_said(found: oc.ShutOut) -> None:
    none = row(found, "learning_disability")
    assert not none["identified"]
    assert np.isnan(none["estimate"])
    assert "tell the arm" in none["why"]
    assert row(found, "learning_disability", "raw")["identified"]
    assert "score_failed" in {note.code for note in found.notes}
    assert "(learning disability), in bespoke against untreated: no answer;" in found.describe()
    assert found.summary().query("reason == 'learning_disability' and adjustment == 'adjusted'")[
        "verdict"
    ].tolist() == ["no answer"]


def test_a_shorter_formula_answers_there(tables: oc.Tables, study: oc.Study) -> None:
    shorter = study.replace(adjust=dataclasses.replace(study.adjust, formula="age_at_time_zero + prior_sanctions"))
    found = oc.shut_out(tables, shorter)
    assert row(found, "learning_disability")["identified"]
    assert "score_failed" not in {note.code for note in found.notes}


def test_how_small_the_groups_are_and_what_they_could_have_shown_is_said(found: oc.ShutOut) -> None:
    first = found.sentences[0]
    answer = row(found, "all")
    assert first.startswith("People shut out by manualised, in bespoke against untreated: By 2 years, an estimated ")
    assert f"These are {answer['n_programme']} people in bespoke and {answer['n_nothing']} in untreated, " in first
    assert f"This design could have found a difference of {100 * answer['detectable']:.1f} per 100 or more" in first
    unlike = answer["n_programme"] + answer["n_nothing"] - answer["n"]
    assert unlike > 0
    assert f"{unlike} of them without weight" in first
    reach = t.ppf([0.975, 0.8], answer["df"]).sum()
    assert answer["detectable"] == pytest.approx(reach * answer["std_error"])


def test_the_notes_say_that_nothing_was_added_and_that_convictions_under_count(found: oc.ShutOut) -> None:
    said = {note.code: note.text for note in found.notes}
    assert said["landmark"].startswith("The study has no arm of people who started nothing; it was added (untreated).")
    assert (
        "detection_sensitivity(found.group('all'), weights=found.weights('all'), less_detected={'learning_disability': True}"
        in said["under_counted"]
    )
    assert "wait_days is the same for everybody" in said["terms_left_out"]


def test_a_study_with_an_arm_of_nothing_keeps_it(tables: oc.Tables, study: oc.Study, found: oc.ShutOut) -> None:
    mine = oc.shut_out(tables, study.with_untreated("6m", name="nobody"))
    np.testing.assert_allclose(mine.frame["estimate"], found.frame["estimate"])
    assert mine.nothing == "nobody"
    assert not any("was added" in note.text for note in mine.notes)


def test_p_values_pay_for_the_adjusted_answers_only(found: oc.ShutOut) -> None:
    frame = found.to_frame()
    paid = frame["p_holm"].notna()
    assert (paid == ((frame["adjustment"] == "adjusted") & frame["identified"])).all()
    assert (frame.loc[paid, "p_holm"] >= frame.loc[paid, "p_value"]).all()


def test_a_group_of_fewer_than_ten_in_an_arm_has_no_answer_and_its_size_is_said(
    tables: oc.Tables, study: oc.Study, data: oc.SurvivalData
) -> None:
    disabled = shut(data, "bespoke").query("excluded_by_manualised == 'learning_disability'")["person_id"]
    taking_part = tables.frame("participation")
    fewer = taking_part[~taking_part["person_id"].isin(disabled.iloc[7:])]
    found = oc.shut_out(Reframed(tables, participation=fewer), study)
    rows = found.frame[found.frame["reason"] == "learning_disability"]
    assert rows["why"].tolist() == ["fewer than 10 people in bespoke"]
    assert rows["adjustment"].tolist() == ["adjusted"]
    assert rows["estimate"].isna().all()
    assert "no answer; fewer than 10 people in bespoke (7 people in bespoke and " in found.describe()


def test_ten_people_in_an_arm_are_enough_to_look(tables: oc.Tables, study: oc.Study, data: oc.SurvivalData) -> None:
    disabled = shut(data, "bespoke").query("excluded_by_manualised == 'learning_disability'")["person_id"]
    taking_part = tables.frame("participation")
    fewer = taking_part[~taking_part["person_id"].isin(disabled.iloc[10:])]
    raw = row(
        oc.shut_out(Reframed(tables, participation=fewer), study.replace(adjust=None)), "learning_disability", "raw"
    )
    assert raw["n_programme"] == 10
    assert raw["identified"]
    assert np.isfinite(raw["estimate"])


def test_without_an_adjustment_it_is_said_as_it_was(tables: oc.Tables, study: oc.Study, found: oc.ShutOut) -> None:
    plain = oc.shut_out(tables, study.replace(adjust=None))
    assert set(plain.frame["adjustment"]) == {"raw"}
    assert row(plain, "all", "raw")["estimate"] == pytest.approx(row(found, "all", "raw")["estimate"])
    assert "unadjusted" in plain.sentences[0]
    assert oc.release(plain, "none").facts["second"] == ""


def test_where_no_rule_shuts_anybody_out_that_is_said(tables: oc.Tables, study: oc.Study) -> None:
    rules = tables.frame("eligibility")
    mild = rules[rules["reason"] == "not_sexual"]
    with pytest.raises(DesignError, match="no entry rule of a programme shuts out anybody whom another programme took"):
        oc.shut_out(Reframed(tables, eligibility=mild), study)


def test_what_cannot_be_asked_is_refused(tables: oc.Tables, study: oc.Study) -> None:
    with pytest.raises(DesignError, match="people who started"):
        oc.shut_out(tables, study.by_provision(), outcome="any")
    with pytest.raises(DesignError, match="no outcome 'sexul'"):
        oc.shut_out(tables, study, outcome="sexul")
    with pytest.raises(DesignError, match="for 5 years, not longer"):
        oc.shut_out(tables, study, horizon="9y")
    with pytest.raises(EstimationError, match="no headline; say which"):
        oc.shut_out(tables, study.replace(headline=None))
    nearest = study.replace(adjust=dataclasses.replace(study.adjust, method="nearest"))
    with pytest.raises(NotSupportedError, match=r"shut_out: arms are made alike by weighting.*method = 'nearest'"):
        oc.shut_out(tables, nearest)


def test_the_picture_has_a_line_a_group_with_how_many_there_are(found: oc.ShutOut) -> None:
    released = oc.release(found, "none")
    frame = FIGURES["intervals"].data(released)
    assert frame["group"].tolist() == ["bespoke, shut out by manualised"] * 3
    answer = row(found, "all")
    assert frame["label"].iloc[0] == f"all of them ({answer['n_programme']} and {answer['n_nothing']})"
    assert frame["beside"].tolist() == ["", "", "no answer"]
    np.testing.assert_allclose(frame["estimate"].iloc[0], 100 * answer["estimate"], rtol=1e-5)
    np.testing.assert_allclose(frame["expected"].iloc[0], 100 * row(found, "all", "raw")["estimate"], rtol=1e-5)
    written = [text.get_text() for text in figure_of("intervals", released).axes[0].texts]
    assert "no answer" in written


def test_the_people_of_a_row_can_be_asked_other_questions(found: oc.ShutOut) -> None:
    people = found.group("learning_disability")
    assert people.arms == ("untreated", "bespoke")
    assert people.baseline["learning_disability"].all()
    curves = oc.cumulative_incidence(people)
    alone = oc.compare(curves, measure="risk_difference", at="2y", cause="any").frame.iloc[0]
    assert alone["estimate"] == pytest.approx(row(found, "learning_disability", "raw")["estimate"])
    asked = oc.detection_sensitivity(found.group(), less_detected={"learning_disability": True}, at="2y", shares=[0.6])
    assert asked.frame["estimate"].iloc[0] == pytest.approx(row(found, "all", "raw")["estimate"])
    with pytest.raises(EstimationError, match=r"reason 'full_denail'. Did you mean 'full_denial'"):
        found.group("full_denail")


def test_detection_can_be_asked_of_the_contrast_that_is_printed(found: oc.ShutOut) -> None:
    answer = row(found, "all")
    again = oc.detection_sensitivity(
        found.group("all"),
        weights=found.weights("all"),
        less_detected={"learning_disability": True},
        at="2y",
        cause="any",
    )
    assert again.frame["estimate"].iloc[0] == pytest.approx(answer["estimate"], abs=1e-12)
