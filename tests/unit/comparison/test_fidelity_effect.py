"""What goes with the fidelity of people's groups: which scores count, what is estimated from them, and where it cannot be."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from delivered_groups import START, delivered, study_of_groups
from lifelines import CoxPHFitter
from small_study import Reframed, day, held, outcome

import outcomes as oc
from outcomes.design.study import Headline
from outcomes.figures import FIGURES, figure_of
from outcomes.results import p_in_words

ALONE = {"outcomes": {"any": outcome(competing=())}}


@pytest.fixture(scope="module")
def tables() -> Reframed:
    return held(delivered(sites=12, groups=3, people=15, slope=-0.8, site_sd=0.2))


@pytest.fixture(scope="module")
def found(tables: Reframed) -> oc.FidelityEffect:
    return oc.fidelity_effect(tables, study_of_groups())


def row(result: oc.FidelityEffect, analysis: str, measure: str, arm: str | None = None) -> pd.Series:
    frame = result.to_frame()
    mine = frame[(frame["analysis"] == analysis) & (frame["measure"] == measure)]
    return (mine if arm is None else mine[mine["arm"] == arm]).iloc[0]


def said(result: oc.FidelityEffect) -> dict[str, str]:
    return {note.code: note.text for note in result.notes}


def of_people(tables: Reframed) -> pd.DataFrame:
    """Return people of m1 with their group's mean score, from the raw tables."""
    cohort = oc.build_cohort(tables, study_of_groups(**ALONE))
    data = cohort.outcome("any")
    frame = data.baseline[["person_id", "age_at_time_zero", "site_id"]].assign(
        time=data.exit, event=data.event, arm=data.arm
    )
    spells = tables.frame("participation")[["person_id", "group_id"]]
    score = tables.frame("fidelity").groupby("group_id")["score"].mean().rename("score").reset_index()
    return frame[frame["arm"] == 0].merge(spells, on="person_id").merge(score, on="group_id")


def test_the_score_is_the_mean_of_a_groups_monitoring_and_one_sd_is_of_groups(
    tables: Reframed, found: oc.FidelityEffect
) -> None:
    score = tables.frame("fidelity").groupby("group_id")["score"].mean()
    assert found.scores == pytest.approx(np.sort(score.to_numpy()))
    assert (found.mean, found.spread) == pytest.approx((score.mean(), score.std()))
    assert found.arm == "manualised"


def test_the_hazard_ratio_is_that_of_a_cox_model_of_lifelines(tables: Reframed) -> None:
    mine = oc.fidelity_effect(tables, study_of_groups(**ALONE))
    people = of_people(tables)
    people["score"] = (people["score"] - mine.mean) / mine.spread
    theirs = CoxPHFitter().fit(
        people[["time", "event", "age_at_time_zero", "score", "site_id"]],
        "time",
        "event",
        cluster_col="site_id",
        robust=True,
    )
    one = row(mine, "per_sd", "hazard_ratio")
    assert np.log(one["estimate"]) == pytest.approx(theirs.params_["score"], rel=1e-4)
    corrected = theirs.standard_errors_["score"] * np.sqrt(12 / 11)
    assert one["std_error"] == pytest.approx(corrected, rel=1e-3)
    assert one["df"] == 11


def test_the_risks_are_those_of_everybody_half_a_deviation_up_and_down(tables: Reframed) -> None:
    mine = oc.fidelity_effect(tables, study_of_groups(**ALONE))
    people = of_people(tables)
    people["score"] = (people["score"] - mine.mean) / mine.spread
    model = CoxPHFitter().fit(people[["time", "event", "age_at_time_zero", "score"]], "time", "event")
    risks = [
        1 - model.predict_survival_function(people.assign(score=at), times=[730.0]).to_numpy().mean()
        for at in (-0.5, 0.5)
    ]
    one = row(mine, "per_sd", "risk_difference")
    assert (one["value_reference"], one["value_arm"]) == pytest.approx(tuple(risks), abs=2e-3)
    assert one["estimate"] == pytest.approx(risks[1] - risks[0], rel=0.01)


def test_its_error_is_near_that_of_leaving_out_clusters_one_by_one(tables: Reframed) -> None:
    mine = oc.fidelity_effect(tables, study_of_groups(**ALONE))
    people = of_people(tables)
    people["score"] = (people["score"] - mine.mean) / mine.spread
    differences = []
    for site in people["site_id"].unique():
        rest = people[people["site_id"] != site]
        model = CoxPHFitter().fit(rest[["time", "event", "age_at_time_zero", "score"]], "time", "event")
        up, down = (
            model.predict_survival_function(rest.assign(score=at), times=[730.0]).to_numpy().mean()
            for at in (0.5, -0.5)
        )
        differences.append(down - up)
    jackknife = np.sqrt(11 / 12 * ((np.array(differences) - np.mean(differences)) ** 2).sum())
    assert row(mine, "per_sd", "risk_difference")["std_error"] == pytest.approx(jackknife, rel=0.2)


def test_scores_before_time_zero_alone_give_the_same_where_later_ones_say_the_same(
    tables: Reframed, found: oc.FidelityEffect
) -> None:
    before = oc.fidelity_effect(tables, study_of_groups(), monitoring="before")
    assert before.mean == pytest.approx(found.mean - 0.1)
    assert row(before, "per_sd", "hazard_ratio")["estimate"] == pytest.approx(
        row(found, "per_sd", "hazard_ratio")["estimate"]
    )
    assert "scores_after_time_zero" not in said(before)
    assert "540 of 540 people were scored after their time zero" in said(found)["scores_after_time_zero"]


def test_who_had_the_outcome_before_the_last_score_is_counted(tables: Reframed, found: oc.FidelityEffect) -> None:
    people = of_people(tables)
    early = ((people["event"] == 1) & (people["time"] < day("2008-06-01") - day(START))).sum()
    assert early > 0
    assert f"those of {early:,} after their own outcome" in said(found)["scores_after_time_zero"]


def test_scores_after_the_last_session_do_not_count(tables: Reframed, found: oc.FidelityEffect) -> None:
    scores = tables.frame("fidelity")
    late = scores.iloc[:5].assign(date=day("2008-10-02"), score=0.0)
    more = oc.fidelity_effect(
        Reframed(tables, fidelity=pd.concat([scores, late], ignore_index=True)), study_of_groups()
    )
    assert more.scores == pytest.approx(found.scores)
    assert said(more)["late_scores"].startswith("5 scores are dated after")


def test_several_scales_are_refused_and_one_can_be_named() -> None:
    two = held(delivered(sites=12, groups=2, people=8, scales=("compliance", "responsiveness")))
    with pytest.raises(oc.DesignError, match=r"2 scales \(compliance \(24 rows\), responsiveness \(24 rows\)\)"):
        oc.fidelity_effect(two, study_of_groups())
    assert oc.fidelity_effect(two, study_of_groups(), scale="responsiveness").scale == "responsiveness"
    with pytest.raises(oc.DesignError, match="no group of these people was scored on the scale 'warmth'"):
        oc.fidelity_effect(two, study_of_groups(), scale="warmth")


def test_the_arm_is_the_recorded_one_unless_named(tables: Reframed) -> None:
    with pytest.raises(oc.DesignError, match="has no row of the 36 groups"):
        oc.fidelity_effect(tables, study_of_groups(), arm="bespoke")
    with pytest.raises(oc.DesignError, match=r"no arm 'manual' with programmes\. Did you mean 'manualised'"):
        oc.fidelity_effect(tables, study_of_groups(), arm="manual")
    catalogue = tables.frame("programmes").assign(recorded=False)
    with pytest.raises(oc.DesignError, match="here that is none"):
        oc.fidelity_effect(Reframed(tables, programmes=catalogue), study_of_groups())


def test_who_was_in_no_monitored_group_is_counted_and_left_out(tables: Reframed, found: oc.FidelityEffect) -> None:
    scores = tables.frame("fidelity")
    groups = sorted(scores["group_id"].unique())
    fewer = oc.fidelity_effect(Reframed(tables, fidelity=scores[scores["group_id"] != groups[0]]), study_of_groups())
    assert "Of 540 people of manualised, the groups of 15 were not monitored" in said(fewer)["not_monitored"]
    assert row(fewer, "per_sd", "hazard_ratio")["n"] == 525


def test_with_few_clusters_there_is_no_interval_and_a_wild_score_test(tables: Reframed) -> None:
    few = held(delivered(sites=6, groups=3, people=20, slope=-0.8))
    result = oc.fidelity_effect(few, study_of_groups())
    numbers = result.to_frame()
    assert numbers[["conf_low", "conf_high", "std_error"]].isna().all().all()
    assert set(numbers.loc[numbers["measure"] != "risk", "verdict"]) == {"not determined"}
    assert 0 < row(result, "per_sd", "hazard_ratio")["p_value"] <= 1
    assert "6 clusters" in said(result)["few_clusters"]
    assert "no interval" in result.describe()
    assert not result.line.smooth
    assert oc.fidelity_effect(few, study_of_groups(), cluster="group").to_frame()["conf_low"].notna().any()


def test_beside_t_stands_the_wild_score_test_of_the_same_model(tables: Reframed) -> None:
    mine = oc.fidelity_effect(tables, study_of_groups(**ALONE))
    people = of_people(tables)
    people["score"] = (people["score"] - mine.mean) / mine.spread
    data = oc.survival_data(people, duration="time", event="event", cluster="site_id")
    test = oc.wild_score_test(oc.cox(data, "score + age_at_time_zero"), term="score").to_frame()
    assert row(mine, "per_sd", "hazard_ratio")["p_wild"] == pytest.approx(test["p_value"].item())
    assert "12 clusters" in said(mine)["few_clusters"]


def test_two_groups_or_one_score_are_refused(tables: Reframed) -> None:
    scores = tables.frame("fidelity")
    two = scores[scores["group_id"].isin(sorted(scores["group_id"].unique())[:2])]
    with pytest.raises(oc.EstimationError, match="2 groups of manualised were monitored; a slope needs 3"):
        oc.fidelity_effect(Reframed(tables, fidelity=two), study_of_groups())
    with pytest.raises(oc.EstimationError, match="all 36 monitored groups have one score"):
        oc.fidelity_effect(Reframed(tables, fidelity=scores.assign(score=3.0)), study_of_groups())


def test_thirds_hold_as_many_groups_each(found: oc.FidelityEffect) -> None:
    thirds = found.thirds()
    assert list(thirds["n_groups"]) == [12, 12, 12]
    assert (thirds["score_high"].iloc[:-1].to_numpy() < thirds["score_low"].iloc[1:].to_numpy()).all()
    high = row(found, "tertile", "risk_difference", "highest third")
    assert high["estimate"] == pytest.approx(thirds["estimate"].iloc[2] - thirds["estimate"].iloc[0])


def test_thirds_are_not_compared_where_one_has_no_event_or_scores_are_alike(tables: Reframed) -> None:
    scores = tables.frame("fidelity")
    mean = scores.groupby("group_id")["score"].transform("mean")
    two_values = scores.assign(score=np.where(mean > mean.median(), 3.0, 2.0))
    coarse = oc.fidelity_effect(Reframed(tables, fidelity=two_values), study_of_groups())
    assert "too much alike" in said(coarse)["no_thirds"]
    best = set(scores.loc[mean > mean.quantile(0.66), "group_id"])
    spells = tables.frame("participation")
    safe = spells.loc[spells["group_id"].isin(best), "person_id"]
    reoffences = tables.frame("reoffences")
    none = oc.fidelity_effect(
        Reframed(tables, fidelity=scores, reoffences=reoffences[~reoffences["person_id"].isin(safe)]), study_of_groups()
    )
    assert "Nobody in the highest third of groups had any" in said(none)["no_thirds"]
    assert len(figure_of("fidelity", oc.release(none, "none")).axes) == 1
    assert "Thirds of groups" not in none.describe()


def test_nobody_with_the_outcome_is_refused_in_words(tables: Reframed) -> None:
    none = tables.frame("reoffences").iloc[:0]
    with pytest.raises(oc.EstimationError, match="nobody had the event 'any'"):
        oc.fidelity_effect(Reframed(tables, reoffences=none), study_of_groups())


def test_the_curve_is_1_at_the_mean_and_falls_where_a_better_score_helps(found: oc.FidelityEffect) -> None:
    curve = found.curve()
    assert np.interp(found.mean, curve["score"], curve["estimate"]) == pytest.approx(1.0, abs=0.02)
    assert curve["estimate"].iloc[0] > 1 > curve["estimate"].iloc[-1]
    straight = np.exp(
        np.log(row(found, "per_sd", "hazard_ratio")["estimate"]) * (curve["score"] - found.mean) / found.spread
    )
    inside = (curve["conf_low"] <= straight) & (straight <= curve["conf_high"])
    assert inside.mean() > 0.9


def test_the_case_mix_can_be_named_and_clusters_too(tables: Reframed, found: oc.FidelityEffect) -> None:
    bare = oc.fidelity_effect(tables, study_of_groups(), formula="")
    same = oc.fidelity_effect(tables, study_of_groups(formula=None))
    assert row(bare, "per_sd", "hazard_ratio")["estimate"] == row(same, "per_sd", "hazard_ratio")["estimate"]
    assert row(bare, "per_sd", "hazard_ratio")["estimate"] != row(found, "per_sd", "hazard_ratio")["estimate"]
    by = {
        c: row(oc.fidelity_effect(tables, study_of_groups(), cluster=c), "per_sd", "hazard_ratio")
        for c in ("group", "site")
    }
    assert (by["group"]["n_clusters"], by["site"]["n_clusters"]) == (36, 12)
    delivery = tables.frame("delivery")
    some = Reframed(tables, delivery=delivery[delivery["group_id"] != 1001])
    assert row(oc.fidelity_effect(some, study_of_groups()), "per_sd", "hazard_ratio")["n_clusters"] == 13
    nobody = Reframed(tables, delivery=delivery.iloc[:0])
    assert row(oc.fidelity_effect(nobody, study_of_groups()), "per_sd", "hazard_ratio")["n_clusters"] == 36
    with pytest.raises(oc.DesignError, match="Take cluster = 'group'"):
        oc.fidelity_effect(nobody, study_of_groups(), cluster="facilitator")


def test_sentences_say_the_absolute_first_and_a_verdict_of_four(found: oc.FidelityEffect) -> None:
    text = found.describe()
    assert text.index("per 100 a standard deviation") < text.index("Hazard ratio")
    assert "Verdict for better delivered groups: lower." in text
    assert "landmark" in said(found)["not_by_chance"]


def test_the_margin_of_arms_is_not_one_of_a_slope() -> None:
    """Nothing acts, and the headline names 30 points: between arms, not by a standard deviation of the score."""
    tables, study = held(delivered(seed=3)), study_of_groups(formula=None)
    wide = study.replace(headline=Headline("any", 730, margin=30.0))
    unnamed = oc.fidelity_effect(tables, wide)
    assert not unnamed.to_frame()["verdict"].str.contains("larger than").any()
    assert "Verdict for better delivered groups: not determined." in unnamed.describe()
    named = oc.fidelity_effect(tables, wide, margin=30)
    assert row(named, "per_sd", "risk_difference")["verdict"] == "no difference larger than the margin"
    assert row(named, "tertile", "risk_difference")["verdict"] == "not determined"
    assert "no difference larger than 30 per 100" in named.describe()
    with pytest.raises(oc.EstimationError, match="margin must be above 0"):
        oc.fidelity_effect(tables, wide, margin=0)


def test_a_hazard_ratio_stands_beside_the_test_that_it_stays_the_same(
    tables: Reframed, found: oc.FidelityEffect
) -> None:
    ratios = found.to_frame().set_index("measure").loc["hazard_ratio"]
    assert ratios["p_proportional"].between(0, 1).all()
    p = ratios["p_proportional"].iloc[0]
    assert f"test of proportional hazards, {p_in_words(p)}" in found.describe()
    assert found.to_frame().loc[lambda d: d["measure"] != "hazard_ratio", "p_proportional"].isna().all()


def test_that_test_is_the_one_of_the_model_of_the_same_people(tables: Reframed, found: oc.FidelityEffect) -> None:
    cohort = oc.build_cohort(tables, study_of_groups())
    data = cohort.outcome("any")
    score = tables.frame("fidelity").groupby("group_id")["score"].mean()
    group = tables.frame("participation").set_index("sentence_id")["group_id"]
    own = score.reindex(group.reindex(data.baseline["sentence_id"])).to_numpy()
    frame = data.baseline.assign(score=own, t=data.exit, e=np.where(data.event == 1, 1, 0))
    frame = frame[frame["score"].notna() & (data.arm == data.arms.index("manualised"))]
    site = frame["site_id"].astype(int)
    mine = oc.survival_data(frame.assign(site=site), duration="t", event="e", cluster="site")
    theirs = oc.cox(mine, "score + age_at_time_zero", robust=True).proportional_hazards().to_frame().set_index("term")
    assert row(found, "per_sd", "hazard_ratio")["p_proportional"] == pytest.approx(
        theirs.loc["score", "p_value"], rel=1e-6
    )


def test_events_beside_a_risk_are_those_by_the_horizon(tables: Reframed) -> None:
    soon = oc.fidelity_effect(tables, study_of_groups(), horizon=100)
    data = oc.build_cohort(tables, study_of_groups()).outcome("any")
    mine = (data.arm == data.arms.index("manualised")) & (data.event == 1)
    by_then, ever = int((mine & (data.exit <= 100)).sum()), int(mine.sum())
    assert by_then < ever
    risk, ratio = (row(soon, "per_sd", measure) for measure in ("risk_difference", "hazard_ratio"))
    assert (risk["n_events"], ratio["n_events"]) == (by_then, ever)
    assert f"({by_then:,} events by then)" in soon.describe()
    assert f"over the whole follow-up ({ever:,} events" in soon.describe()


def test_people_by_referral_are_refused(tables: Reframed) -> None:
    with pytest.raises(oc.NotSupportedError, match="assigned_by = 'start'"):
        oc.fidelity_effect(tables, study_of_groups(assigned_by="referral"))


def test_the_picture_draws_the_curve_a_mark_a_group_and_the_thirds(found: oc.FidelityEffect) -> None:
    released = oc.release(found, "none")
    figure = figure_of("fidelity", released)
    upper, lower = figure.axes
    marks = next(line for line in upper.lines if line.get_gid() == "groups")
    assert len(marks.get_xdata()) == 36
    curve = FIGURES["fidelity"].data(released)
    assert any(np.array_equal(line.get_ydata(), curve["estimate"]) for line in upper.lines)
    assert [label.get_text() for label in lower.get_yticklabels()] == ["lowest third", "middle third", "highest third"]
    words = FIGURES["fidelity"].alternative(released)
    assert "lowest third" in words
    assert f"{curve['estimate'].iloc[0]:.2f}" in words
