"""The comparison in each population: answered where somebody can be compared, refused where nobody can, and who is outside."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd
import pytest
from small_study import Reframed

import outcomes as oc
from outcomes.errors import DesignError, EstimationError, NotSupportedError


@pytest.fixture(scope="module")
def found(tables: oc.Tables, study: oc.Study) -> oc.Populations:
    return oc.populations(tables, study)


@pytest.fixture(scope="module")
def with_none(tables: oc.Tables, study: oc.Study) -> oc.Populations:
    return oc.populations(tables, study.with_untreated("6m"))


def row(found: oc.Populations, whom: str, adjustment: str = "adjusted", reference: str = "manualised") -> pd.Series:
    frame = found.frame
    here = (frame["whom"] == whom) & (frame["adjustment"] == adjustment) & (frame["reference"] == reference)
    return frame[here].iloc[0]


def test_own_clients_whom_the_other_programme_shuts_out_leave_no_answer_and_the_rules_are_named(
    found: oc.Populations,
) -> None:
    own = row(found, "own clients of bespoke")
    assert not own["identified"]
    assert np.isnan(own["estimate"])
    assert "full_denial" in own["why"]
    assert "learning_disability" in own["why"]
    assert "Own clients of bespoke, bespoke against manualised: no answer" in found.describe()


def test_those_eligible_for_both_have_the_answer_of_the_study(
    found: oc.Populations, tables: oc.Tables, study: oc.Study
) -> None:
    data = oc.build_cohort(tables, study).outcome("any")
    weights = oc.weight(data, study.adjust.formula, estimand="ato")
    alone = oc.compare(oc.cumulative_incidence(data, weights=weights), measure="risk_difference", at="2y").frame.iloc[0]
    both = row(found, "eligible for both")
    for name in ("estimate", "std_error", "conf_low", "conf_high", "n", "n_events", "df"):
        assert both[name] == pytest.approx(alone[name], rel=1e-9)


def test_own_clients_of_a_programme_that_all_its_clients_could_have_left_for_the_other_are_answered_by_weights_of_theirs(
    found: oc.Populations, tables: oc.Tables, study: oc.Study
) -> None:
    eligibility = dataclasses.replace(study.eligibility, population="own")
    data = oc.build_cohort(tables, study.replace(eligibility=eligibility)).outcome("any")
    weights = oc.weight(data, study.adjust.formula, estimand="atc")
    alone = oc.compare(oc.cumulative_incidence(data, weights=weights), measure="risk_difference", at="2y").frame.iloc[0]
    assert row(found, "own clients of manualised")["estimate"] == pytest.approx(alone["estimate"], rel=1e-9)


def test_the_caseload_counts_everybody_by_what_was_on_offer_and_reckons_with_areas(found: oc.Populations) -> None:
    caseload = row(found, "the caseload")
    assert caseload["population"] == "caseload"
    assert np.isfinite(caseload["df"])
    assert [note.code for note in found.notes].count("one_regime_only") == 1
    assert any(note.code == "terms_left_out" and "wait_days" in note.text for note in found.notes)


def test_only_the_row_named_in_advance_is_not_exploratory(
    found: oc.Populations, tables: oc.Tables, study: oc.Study
) -> None:
    named = found.frame[found.frame["named"]]
    assert named[["whom", "adjustment"]].to_numpy().tolist() == [["eligible for both", "adjusted"]]
    other = oc.populations(tables, study, outcome="sexual", horizon="5y")
    assert not other.frame["named"].any()
    assert other.margin is None


def test_p_values_pay_for_the_adjusted_contrasts_only(found: oc.Populations) -> None:
    frame = found.to_frame()
    answered = frame[(frame["adjustment"] == "adjusted") & frame["identified"]]
    assert len(answered) == 3
    assert answered["p_holm"].max() <= 1
    assert (answered["p_holm"] >= answered["p_value"]).all()
    assert frame.loc[frame["adjustment"] == "raw", "p_holm"].isna().all()


def test_without_an_arm_of_nothing_a_note_says_what_better_does_not_mean(found: oc.Populations) -> None:
    assert [note.code for note in found.notes].count("no_untreated") == 1


def test_with_people_who_started_nothing_every_programme_is_compared_with_it_from_one_time_zero(
    with_none: oc.Populations,
) -> None:
    frame = with_none.frame
    pairs = set(zip(frame["arm"], frame["reference"], strict=True))
    assert pairs == {("bespoke", "manualised"), ("bespoke", "untreated"), ("manualised", "untreated")}
    assert row(with_none, "own clients of bespoke", reference="untreated")["identified"]
    codes = [note.code for note in with_none.notes]
    assert "clocks_differ" in codes
    assert "no_untreated" not in codes
    assert not ((frame["whom"] == "own clients of untreated").any())


def test_who_is_outside_is_counted_by_reason_and_described(found: oc.Populations, tables: oc.Tables) -> None:
    counts = found.counts().set_index("arm")
    outside = found.outside.summary().set_index(["arm", "reason"])["n"]
    assert outside.sum() == (counts["own"] - counts["eligible"]).sum()
    assert set(outside.index.get_level_values("arm")) == {"bespoke"}
    frame = found.outside.to_frame()
    denial = frame[(frame["arm"] == "bespoke") & (frame["characteristic"] == "denial") & (frame["level"] == "full")]
    assert denial["n_inside"].iloc[0] == 0
    assert denial["n_outside"].iloc[0] == outside[("bespoke", "shut out by manualised: full denial")]
    sizes = frame.groupby(["arm", "characteristic"])[["n_inside", "n_outside"]].sum()
    for arm, n in sizes.groupby("arm"):
        assert (n["n_inside"] == counts.loc[arm, "eligible"]).all()


def test_without_entry_rules_everybody_is_eligible_and_every_population_is_answered(
    tables: oc.Tables, study: oc.Study
) -> None:
    nobody_shut_out = Reframed(tables, eligibility=tables.frame("eligibility").iloc[:0])
    open_to_all = oc.populations(nobody_shut_out, study)
    assert open_to_all.frame["identified"].all()
    assert open_to_all.outside.summary().empty
    assert "0 are not eligible" in open_to_all.outside.describe()


def test_without_adjustment_contrasts_are_as_they_were_and_the_caseload_is_adjusted_for_the_year_alone(
    tables: oc.Tables, study: oc.Study
) -> None:
    plain = oc.populations(tables, study.replace(adjust=None)).frame
    assert set(plain.loc[plain["whom"] != "the caseload", "adjustment"]) == {"raw"}


def test_where_one_regime_followed_the_other_everywhere_at_once_programme_and_era_cannot_be_told_apart(
    tables: oc.Tables, study: oc.Study
) -> None:
    provision = tables.frame("provision")
    cut = int(pd.Timestamp("2008-01-01").timestamp() // 86400)
    catalogue = tables.frame("programmes").set_index("programme_id")["family_id"]
    family = provision["programme_id"].map(catalogue)
    provision.loc[family == "south_project", ["open_from", "open_to"]] = [0, cut - 1]
    provision.loc[family == "core_manual", "open_from"] = cut
    at_once = oc.populations(Reframed(tables, provision=provision), study)
    assert not (at_once.frame["whom"] == "the caseload").any()
    said = [note.text for note in at_once.notes if note.code == "no_caseload"]
    assert len(said) == 1
    assert "cannot be told apart" in said[0]


def test_what_cannot_be_asked_is_refused(tables: oc.Tables, study: oc.Study) -> None:
    with pytest.raises(DesignError, match="people who started"):
        oc.populations(tables, study.by_provision(), outcome="any")
    with pytest.raises(DesignError, match="no outcome 'sexul'"):
        oc.populations(tables, study, outcome="sexul")
    with pytest.raises(DesignError, match="for 5 years, not longer"):
        oc.populations(tables, study, horizon="9y")
    with pytest.raises(EstimationError, match="no headline; say which"):
        oc.populations(tables, study.replace(headline=None))
    nearest = study.replace(adjust=dataclasses.replace(study.adjust, method="nearest"))
    with pytest.raises(NotSupportedError, match="method = 'nearest'"):
        oc.populations(tables, nearest)


def test_a_study_gains_an_arm_of_nothing_once(study: oc.Study) -> None:
    wider = study.with_untreated("3m", name="nothing")
    assert wider.arms.untreated == "nothing"
    assert wider.time_zero.landmark == 91
    with pytest.raises(DesignError, match="'nothing' is the study's arm"):
        wider.with_untreated()
    with pytest.raises(DesignError, match="has an arm 'bespoke'"):
        study.with_untreated(name="bespoke")
    landmark = study.replace(time_zero=dataclasses.replace(study.time_zero, strategy="landmark", grace=90.0))
    with pytest.raises(DesignError, match="strategy = 'landmark'"):
        landmark.with_untreated()


def test_a_model_standardised_over_people_without_counterparts_is_refused_too(
    tables: oc.Tables, study: oc.Study
) -> None:
    own = oc.build_cohort(tables, study).with_population("own").outcome("any")
    curves = oc.cox(own, "arm + age_at_time_zero + C(risk_band)", cause="any").standardised()
    with pytest.raises(EstimationError, match="full_denial"):
        oc.compare(curves, measure="risk_difference", at="2y")
    both = oc.build_cohort(tables, study).outcome("any")
    among_both = oc.cox(both, "arm + age_at_time_zero + C(risk_band)", cause="any").standardised()
    assert np.isfinite(oc.compare(among_both, measure="risk_difference", at="2y").frame["estimate"].iloc[0])


def test_without_adjustment_every_population_is_answered_as_it_was(tables: oc.Tables, study: oc.Study) -> None:
    found = oc.populations(tables, study.replace(adjust=None))
    said = found.describe()
    for whom in ("Own clients of bespoke", "Own clients of manualised", "Eligible for both", "The caseload"):
        assert f"{whom}, bespoke against manualised: By 2 years" in said
    assert found.frame["named"].sum() == 1
    assert np.isfinite(found.frame.loc[found.frame["whom"] == "eligible for both", "p_holm"]).all()


def test_people_of_the_caseload_are_said_to_be_where_a_programme_was_on_offer(found: oc.Populations) -> None:
    caseload = next(part for part in found.sentences if part.startswith("The caseload"))
    assert "people where bespoke was on offer and" in caseload
    assert "in bespoke" not in caseload


def test_two_people_let_in_against_the_rule_do_not_make_an_answer(tables: oc.Tables, study: oc.Study) -> None:
    own = oc.build_cohort(tables, study).with_population("own").baseline
    bent = own.loc[own["arm"] == "manualised", "person_id"].iloc[:2].tolist()
    assessed = tables.frame("assessments")
    assessed.loc[assessed["person_id"].isin(bent), "denial"] = "full"
    answer = row(oc.populations(Reframed(tables, assessments=assessed), study), "own clients of bespoke")
    assert not answer["identified"]
    assert "fewer than 10 people there against the rule" in answer["why"]
    assert answer["bound_low"] < answer["bound_high"]


def test_what_a_design_could_have_found_stands_beside_what_is_not_determined(found: oc.Populations) -> None:
    answer = row(found, "own clients of manualised")
    assert answer["verdict"] == "not determined"
    part = next(text for text in found.sentences if text.startswith("Own clients of manualised"))
    assert f"This design could have found a difference of {100 * answer['detectable']:.1f} per 100 or more" in part


@pytest.mark.parametrize("asked", [2, 24])
def test_a_bare_small_number_is_no_horizon(tables: oc.Tables, study: oc.Study, asked: int) -> None:
    with pytest.raises(EstimationError, match=f"horizon={asked} is .*Write '{asked}y' or '{asked}d'"):
        oc.populations(tables, study, horizon=asked)


@pytest.mark.parametrize("ask", [oc.populations, oc.shut_out, oc.caseload, oc.programmes_against_nothing])
def test_a_level_above_one_is_refused_at_once(ask: Any, tables: oc.Tables, study: oc.Study) -> None:
    with pytest.raises(EstimationError, match="conf_level"):
        ask(tables, study, conf_level=95)


def test_limits_are_said_with_their_direction(found: oc.Populations) -> None:
    own = row(found, "own clients of bespoke")
    low, high = (100 * own[f"bound_{end}"] for end in ("low", "high"))
    assert low < high < 0
    assert f"the difference lies between {-low:.1f} fewer and {-high:.1f} fewer per 100" in found.describe()


def test_in_what_those_outside_differ_most_is_said_of_them_and_of_those_inside(
    found: oc.Populations, tables: oc.Tables, study: oc.Study
) -> None:
    own = oc.build_cohort(tables, study).with_population("own").baseline
    mine = own[own["arm"] == "bespoke"]
    out = mine["eligible_manualised"] == "no"
    shares = [100 * (mine.loc[which, "denial"] == "full").mean() for which in (out, ~out)]
    assert shares[0] > 50 > shares[1]
    assert (
        f"They differ most in denial: {shares[0]:.0f} of 100 of them are 'full', of those inside {shares[1]:.0f}."
        in found.describe()
    )


def test_the_picture_has_a_line_for_each_contrast_and_limits_where_there_is_no_answer(found: oc.Populations) -> None:
    texts = {text.get_text() for text in found.plot().texts}
    own, both = row(found, "own clients of bespoke"), row(found, "eligible for both")
    ends = [100 * own[f"bound_{end}"] for end in ("low", "high", "conf_low", "conf_high")]
    assert "from {:.1f} to {:.1f} ({:.1f} to {:.1f})".format(*ends).replace("-", "−") in texts
    numbers = [100 * both[name] for name in ("estimate", "conf_low", "conf_high")]
    assert "{:.1f} ({:.1f} to {:.1f})".format(*numbers).replace("-", "−") in texts


def test_the_picture_has_points_adjusted_and_as_they_were_and_dotted_limits_where_there_is_no_answer(
    found: oc.Populations,
) -> None:
    ax, frame = found.plot(), found.frame
    both = frame[~frame["whom"].isin(frame.loc[~frame["identified"], "whom"])]
    for hollow, adjustment in ((True, "raw"), (False, "adjusted")):
        points = [
            line.get_xdata()[0]
            for line in ax.lines
            if line.get_marker() == "o" and (line.get_markerfacecolor() == "white") == hollow
        ]
        expected = 100 * both.loc[both["adjustment"] == adjustment, "estimate"].to_numpy()
        assert [point for point in points if np.isfinite(point)] == pytest.approx(expected, rel=1e-4)
    (dotted,) = [line for line in ax.lines if line.get_linestyle() == ":"]
    own = row(found, "own clients of bespoke")
    assert dotted.get_xdata() == pytest.approx([100 * own["bound_conf_low"], 100 * own["bound_conf_high"]], rel=1e-4)
