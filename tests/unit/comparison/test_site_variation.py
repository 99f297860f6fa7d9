"""How much sites and teams vary, what that does to the comparison, and where it cannot be told."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from delivered_groups import delivered, study_of_groups
from small_study import Reframed, held, outcome

import outcomes as oc
from outcomes.design.study import Headline
from outcomes.figures import FIGURES, figure_of


@pytest.fixture(scope="module")
def tables() -> Reframed:
    return held(delivered(sites=12, groups=2, people=15, site_sd=0.7, arm=-0.3))


@pytest.fixture(scope="module")
def found(tables: Reframed) -> oc.SiteVariation:
    return oc.site_variation(tables, study_of_groups())


def codes(result: oc.SiteVariation) -> set[str]:
    return {note.code for note in result.notes}


def row(result: oc.SiteVariation, quantity: str, arm: str, model: str = "sites vary") -> pd.Series:
    frame = result.to_frame()
    return frame[(frame["quantity"] == quantity) & (frame["arm"] == arm) & (frame["model"] == model)].iloc[0]


def reframed(tables: Reframed, **frames: pd.DataFrame) -> Reframed:
    return Reframed(tables, **frames)


def test_one_row_a_quantity_an_arm_and_a_model(found: oc.SiteVariation) -> None:
    frame = found.to_frame()
    assert frame.groupby(["quantity", "arm", "model"]).size().eq(1).all()
    assert set(frame["quantity"]) == {"risk", "sd", "icc", "risk_difference"}
    assert (frame["n_sites"] >= 12).all()


def test_where_sites_vary_the_comparison_is_less_sure_than_people_say(found: oc.SiteVariation) -> None:
    alone, varying = (row(found, "risk_difference", "bespoke", m) for m in ("people independent", "sites vary"))
    assert varying["std_error"] > 1.2 * alone["std_error"]
    assert alone["df"] == np.inf
    assert 11 <= varying["df"] <= 22, "between those of one arm and of both"


def test_sites_are_shrunk_by_how_few_they_have(found: oc.SiteVariation) -> None:
    sites = found.sites()
    assert sites["estimate"].to_numpy() == pytest.approx((sites["shrinkage"] * sites["observed"]).to_numpy())
    assert sites.groupby("arm")["estimate"].is_monotonic_increasing.all()
    assert sites["n"].sum() == 720


def test_the_arm_difference_with_independent_people_is_that_of_least_squares_of_pseudo_values(tables: Reframed) -> None:
    import statsmodels.api as sm

    cohort = oc.build_cohort(tables, study_of_groups())
    data = cohort.outcome("any")
    curves = oc.cumulative_incidence(data)
    had = ((data.event == 1) & (data.exit <= 365)).astype(float)  # nobody is censored by then
    died = (data.event > 1) & (data.exit <= 365)
    assert died.any()
    assert curves.at(365)["n_censored"].max() == 0
    x = sm.add_constant(np.column_stack([data.arm == 1, data.baseline["age_at_time_zero"]]).astype(float))
    theirs = sm.OLS(had, x).fit()
    mine = row(
        oc.site_variation(tables, study_of_groups(), horizon=365), "risk_difference", "bespoke", "people independent"
    )
    assert (mine["estimate"], mine["std_error"]) == pytest.approx((theirs.params[1], theirs.bse[1]))


def test_one_site_cannot_be_told_from_its_programme(tables: Reframed) -> None:
    spells = tables.frame("participation")
    catalogue = tables.frame("programmes")
    bespoke = spells["programme_id"].isin(catalogue.loc[catalogue["design"] == "bespoke", "programme_id"])
    other = spells.assign(site_id=spells["site_id"].where(~bespoke, 101))
    alone = oc.site_variation(reframed(tables, participation=other), study_of_groups())
    assert "one_site" in codes(alone)
    assert np.isnan(row(alone, "icc", "bespoke")["estimate"])
    assert set(alone.sites()["arm"]) == {"manualised"}
    difference = row(alone, "risk_difference", "bespoke")
    assert np.isfinite(difference["estimate"])
    assert np.isnan(difference["conf_low"])
    assert difference["verdict"] == "not determined"
    assert "no interval can be given" in alone.describe()
    assert "1 site)" in alone.describe()


def test_where_nobody_had_the_outcome_by_then_there_is_a_row_without_an_estimate_and_a_sentence_why(
    tables: Reframed,
) -> None:
    had = tables.frame("reoffences")
    none = oc.site_variation(
        reframed(tables, reoffences=had[had["offence_date"] > 14_000]), study_of_groups(), horizon="1d"
    )
    for arm in ("manualised", "bespoke"):
        assert row(none, "risk", arm, "people independent")["estimate"] == 0
        assert np.isnan(row(none, "icc", arm)["estimate"])
    difference = row(none, "risk_difference", "bespoke")
    assert np.isnan(difference["estimate"])
    assert difference["verdict"] == "not determined"
    assert "nothing_varies" in codes(none)
    why = [f"nobody in {arm} had the event 'any' by 1 day" for arm in ("manualised", "bespoke")]
    assert f"no difference can be given: {'; '.join(why)}. Verdict: not determined." in none.describe()
    assert none.sites().empty
    assert none.plot() is not None


def test_sites_of_both_arms_and_sites_of_one_are_said(found: oc.SiteVariation) -> None:
    assert "crossed_sites" in codes(found)
    nested = oc.site_variation(held(delivered(sites=8, nested=True)), study_of_groups())
    assert "nested_sites" in codes(nested)
    assert "few_sites" in codes(nested)


def test_a_margin_is_for_the_outcome_it_was_named_for(tables: Reframed) -> None:
    two = study_of_groups(outcomes={"any": outcome(), "violent": outcome("violent")}, headline="any")
    wide = two.replace(headline=Headline("any", 365, margin=60.0))
    named = row(oc.site_variation(tables, wide), "risk_difference", "bespoke")
    assert -0.6 < named["conf_low"] < named["conf_high"] < 0.6
    assert named["verdict"] in {"no difference larger than the margin", "lower"}
    assert oc.site_variation(tables, wide).margin == 60.0
    assert oc.site_variation(tables, wide, outcome="violent").margin is None


def test_teams_are_groups_that_share_a_facilitator_by_way_of_others(tables: Reframed) -> None:
    study = study_of_groups()
    assert row(oc.site_variation(tables, study, by="facilitator"), "sd", "manualised")["n_sites"] == 12
    delivery = tables.frame("delivery")
    ids = sorted(delivery["facilitator_id"].unique())
    joined = delivery.assign(facilitator_id=delivery["facilitator_id"].replace({ids[4]: ids[0], ids[5]: ids[8]}))
    fewer = oc.site_variation(reframed(tables, delivery=joined), study, by="facilitator")
    assert row(fewer, "sd", "manualised")["n_sites"] == 10


def test_grades_stand_beside_and_are_said_not_to_be_given_by_chance(tables: Reframed) -> None:
    graded = oc.site_variation(tables, study_of_groups(), grade=True)
    assert list(graded.grades()["level"]) == ["psychologist against officer"]
    assert "Grades were not given by chance" in graded.describe()
    ungraded = tables.frame("delivery").assign(grade=None)
    with pytest.raises(oc.DesignError, match="no grade"):
        oc.site_variation(reframed(tables, delivery=ungraded), study_of_groups(), grade=True)


def test_who_has_no_site_is_counted_and_left_out(tables: Reframed) -> None:
    spells = tables.frame("participation")
    known = spells.assign(site_id=spells["site_id"].where(spells["site_id"] > 102))
    some = oc.site_variation(reframed(tables, participation=known), study_of_groups())
    assert "120 of 720 people have no site" in next(note.text for note in some.notes if note.code == "no_site")
    with pytest.raises(oc.EstimationError, match="no site is recorded"):
        oc.site_variation(reframed(tables, participation=spells.assign(site_id=pd.NA)), study_of_groups())


def test_where_nothing_varies_sites_have_no_limits_and_that_is_said() -> None:
    alike = oc.site_variation(held(delivered(seed=5, sites=12, groups=1, people=10)), study_of_groups())
    none = [arm for arm in ("manualised", "bespoke") if row(alike, "icc", arm)["estimate"] == 0]
    assert none, "the seed gives an arm in which nothing varies"
    sites = alike.sites()
    assert sites.loc[sites["arm"].isin(none), "conf_low"].isna().all()
    assert "no_variation_found" in codes(alike)
    assert "no more variation between sites than chance gives" in alike.describe()
    assert "not determined" in alike.describe()


def test_people_by_referral_and_gaps_in_time_at_risk_are_refused(tables: Reframed) -> None:
    with pytest.raises(oc.NotSupportedError, match="assigned_by = 'start'"):
        oc.site_variation(tables, study_of_groups(assigned_by="referral"))
    with pytest.raises(oc.EstimationError, match="must be one of 'site', 'facilitator'"):
        oc.site_variation(tables, study_of_groups(), by="area")


def test_the_picture_has_a_panel_an_arm_and_a_line_a_site(found: oc.SiteVariation) -> None:
    released = oc.release(found, "none")
    figure = figure_of("caterpillar", released)
    assert len(figure.axes) == 2
    for ax in figure.axes:
        assert len(ax.get_yticklabels()) == 12
        assert [text.get_text() for text in ax.texts if "ICC" in text.get_text()]
    words = FIGURES["caterpillar"].alternative(released)
    assert "12 sites from" in words
    assert found.plot() is not None
