"""Cox regression: formulas, ties, weights, clusters, what it refuses and what it says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from lifelines.datasets import load_rossi

import outcomes as oc
from outcomes.errors import NotSupportedError

ROSSI = load_rossi().assign(band=lambda d: 2 + d["age"] % 5)


def take(frame: pd.DataFrame = ROSSI, **more: Any) -> oc.SurvivalData:
    return oc.survival_data(frame, **({"duration": "week", "event": "arrest", "unit": "weeks"} | more))


def small(**columns: Any) -> oc.SurvivalData:
    frame = pd.DataFrame({"week": [5, 8, 9, 12, 6, 7, 3, 10], "arrest": [1, 0, 1, 0, 1, 1, 0, 0]} | columns)
    return take(frame)


def test_the_table_has_one_row_a_term_on_the_log_scale_and_ratios_on_demand() -> None:
    fit = oc.cox(take(), "fin + prio")
    frame, ratio = fit.to_frame(), fit.to_frame(exponentiate=True)
    assert frame["term"].tolist() == ["fin", "prio"]
    assert frame["measure"].unique().tolist() == ["log_hazard_ratio"]
    assert ratio["measure"].unique().tolist() == ["hazard_ratio"]
    np.testing.assert_allclose(
        np.exp(frame[["estimate", "conf_low", "conf_high"]]), ratio[["estimate", "conf_low", "conf_high"]]
    )
    assert frame[["n", "n_events"]].to_numpy().tolist() == [[432, 114]] * 2


def test_the_arm_is_named_by_its_levels_with_the_reference_first() -> None:
    frame = ROSSI.assign(aid=np.where(ROSSI["fin"] == 1, "paid", "unpaid"))
    data = take(frame, arm="aid", reference="unpaid")
    by_arm, by_column = oc.cox(data, "arm + prio"), oc.cox(data, "aid + prio")
    assert by_arm.terms == ("arm[paid]", "prio")
    assert by_column.terms == ("aid[paid]", "prio")
    assert by_arm.coefficients[0] == pytest.approx(oc.cox(take(), "fin + prio").coefficients[0])
    assert by_arm.coefficients == pytest.approx(by_column.coefficients)
    turned = oc.cox(take(frame, arm="aid", reference="paid"), "arm + prio")
    assert turned.coefficients[0] == pytest.approx(-by_arm.coefficients[0])


def test_a_numeric_arm_keeps_its_name_as_a_number() -> None:
    data = take(arm="fin", reference=1)
    assert oc.cox(data, "fin").terms == ("fin",)
    assert oc.cox(data, "arm").terms == ("arm[0]",)
    assert oc.cox(data, "fin").coefficients[0] == pytest.approx(-oc.cox(data, "arm").coefficients[0])


def test_factors_and_interactions_are_named_by_level() -> None:
    fit = oc.cox(take(), "C(band) + fin * wexp")
    assert fit.terms[:2] == ("C(band)[3]", "C(band)[4]")
    assert "fin:wexp" in fit.terms
    tests = fit.proportional_hazards().to_frame()
    assert tests["df"].tolist() == [4, 1, 1, 1, 7]
    by_column = fit.proportional_hazards(by_term=False).to_frame()
    assert len(by_column) == len(fit.terms) + 1


def test_the_scale_of_a_covariate_does_not_matter() -> None:
    frame = ROSSI.assign(age=ROSSI["age"] * 1e6 + 1e9)
    fit, plain = oc.cox(take(frame), "fin + age"), oc.cox(take(), "fin + age")
    assert fit.coefficients * [1, 1e6] == pytest.approx(plain.coefficients, rel=1e-7)
    assert fit.loglik == pytest.approx(plain.loglik, rel=1e-10)


def test_competing_causes_need_a_name_and_are_censored() -> None:
    frame = ROSSI.assign(
        end=np.where(ROSSI["arrest"] == 1, 1, np.where(ROSSI["week"] < 52, 2, 0) + 2 * (ROSSI["age"] > 40))
    )
    data = take(frame, event="end", censored=0, causes={1: "arrest", 2: "death"})
    with pytest.raises(oc.EstimationError, match=r"2 causes compete here \(arrest, death\)"):
        oc.cox(data, "fin")
    assert oc.cox(data, "fin", cause="arrest").coefficients == pytest.approx(oc.cox(take(), "fin").coefficients)
    with pytest.raises(oc.EstimationError, match="Did you mean 'arrest'"):
        oc.cox(data, "fin", cause="arest")


def test_it_is_robust_by_itself_where_it_must_be() -> None:
    assert oc.cox(take(), "fin").asked.variance == "model"
    assert oc.cox(take(), "fin", cluster="band").asked.variance == "robust"
    assert oc.cox(take(), "fin", robust=True).asked.variance == "robust"
    assert oc.cox(take(), "fin", weights=np.ones(432)).asked.variance == "robust"
    with pytest.raises(oc.EstimationError, match="frequency="):
        oc.cox(take(), "fin", weights=np.ones(432), robust=False)


def test_clusters_sum_the_influences_of_their_people() -> None:
    fit = oc.cox(take(), "fin + prio", cluster="band")
    summed = pd.DataFrame(fit.influence()).groupby(ROSSI["band"]).sum().to_numpy()
    np.testing.assert_allclose(fit.covariance, summed.T @ summed, rtol=1e-10)


def test_some_terms_of_the_influence_may_be_asked_for() -> None:
    fit = oc.cox(take(), "fin + prio", robust=True)
    np.testing.assert_array_equal(fit.influence("prio")[:, 0], fit.influence()[:, 1])
    with pytest.raises(oc.EstimationError, match="Did you mean 'prio'"):
        fit.influence(["pri"])


def test_influences_of_people_without_weight_are_nothing() -> None:
    weights = np.where(ROSSI["age"] > 30, 0.0, 1.0)
    fit = oc.cox(take(), "fin + prio", weights=weights)
    young = oc.cox(take(ROSSI[ROSSI["age"] <= 30]), "fin + prio", robust=True)
    assert (fit.influence()[weights == 0] == 0).all()
    assert fit.coefficients == pytest.approx(young.coefficients)
    np.testing.assert_allclose(fit.covariance, young.covariance, rtol=1e-8)
    assert fit.n == young.n


def test_tests_of_all_terms_are_those_of_independent_rows_or_wald_alone() -> None:
    plain = oc.cox(take(), "fin + prio").tests()
    assert plain["test"].tolist() == ["wald", "likelihood ratio", "score"]
    assert plain["df"].tolist() == [2, 2, 2]
    assert oc.cox(take(), "fin + prio", robust=True).tests()["test"].tolist() == ["wald"]
    few = oc.cox(take(ROSSI.assign(half=ROSSI["prio"] % 2)), "fin + prio", cluster="half").tests()
    assert np.isnan(few["statistic"].item())  # two clusters cannot test two terms


def test_missing_covariates_are_counted_by_column() -> None:
    frame = ROSSI.assign(age=ROSSI["age"].where(ROSSI["age"] > 20), prio=ROSSI["prio"].where(ROSSI["prio"] > 0))
    missing = [int(frame[name].isna().sum()) for name in ("age", "prio")]
    with pytest.raises(oc.EstimationError, match=rf"age \({missing[0]}\), prio \({missing[1]}\) of 432 rows"):
        oc.cox(take(frame), "fin + age + prio")


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("fin + agee", "no column 'agee'. Did you mean 'age'"),
        ("fin +* 2", "cannot be read"),
        ("1", "names no column"),
        ("fin + one", "one is the same for everyone"),
        ("age + months", "collinear.*months"),
        ("fin + endless", "infinite values in endless"),
        ("arm", "only one arm"),
    ],
)
def test_columns_that_cannot_be_used_are_named(formula: str, message: str) -> None:
    frame = ROSSI.assign(one=1, months=12 * ROSSI["age"] + 1, endless=np.where(ROSSI["age"] > 43, np.inf, 0.0))
    with pytest.raises(oc.EstimationError, match=message):
        oc.cox(take(frame), formula)


def test_columns_that_say_nothing_within_strata_are_named() -> None:
    with pytest.raises(oc.EstimationError, match="wexp says nothing"):
        oc.cox(take(), "fin + wexp", strata="wexp")
    with pytest.raises(oc.EstimationError, match="no column 'wxp'"):
        oc.cox(take(), "fin", strata="wxp")
    with pytest.raises(oc.EstimationError, match=r"strata. is missing in 3 rows"):
        oc.cox(take(ROSSI.assign(wexp=ROSSI["wexp"].where(ROSSI.index > 2))), "fin", strata="wexp")


def test_columns_that_are_collinear_among_those_with_a_weight_are_named() -> None:
    frame = ROSSI.assign(copy=np.where(ROSSI["age"] > 30, 0, ROSSI["fin"]))
    with pytest.raises(oc.EstimationError, match=r"collinear.*copy"):
        oc.cox(take(frame), "fin + copy", weights=np.where(ROSSI["age"] > 30, 0.0, 1.0))


def test_no_event_no_fit() -> None:
    with pytest.raises(oc.EstimationError, match="nobody had the event"):
        oc.cox(take(ROSSI.assign(arrest=0)), "fin")


def test_everybody_may_have_the_event() -> None:
    fit = oc.cox(take(ROSSI.assign(arrest=1)), "prio")
    assert fit.n_events == 432
    assert np.isfinite(fit.to_frame()["std_error"]).all()


def test_a_term_that_separates_is_said_in_a_note() -> None:
    fit = oc.cox(small(x=[1.0, 0, 1, 0, 1, 1, 0, 0]), "x")
    assert "separation" in {note.code for note in fit.notes}
    assert "no finite maximum" in repr(fit)
    assert fit.to_frame(exponentiate=True)["conf_high"].item() == np.inf


def test_one_event_fits_with_a_note() -> None:
    fit = oc.cox(take(ROSSI.assign(arrest=(ROSSI.index == 200).astype(int))), "age")
    assert "few_events" in {note.code for note in fit.notes}


def test_a_large_but_finite_effect_is_not_called_separation() -> None:
    rng = np.random.default_rng(3)
    x = rng.integers(0, 2, 600)
    frame = pd.DataFrame({"week": rng.exponential(1 / np.exp(3.0 * x)), "arrest": 1, "x": x})
    fit = oc.cox(take(frame), "x")
    assert fit.coefficients[0] == pytest.approx(3.0, abs=0.4)
    assert not fit.notes


def test_the_robust_proportionality_test_does_not_see_the_scale_of_the_weights() -> None:
    weights = np.random.default_rng(2).uniform(0.3, 3, 432)
    once, tenfold = (
        oc.cox(take(), "fin + age", weights=k * weights).proportional_hazards().to_frame() for k in (1, 10)
    )
    pd.testing.assert_frame_equal(once, tenfold, rtol=1e-8)
    with pytest.raises(oc.EstimationError, match="must be one of"):
        oc.cox(take(), "fin").proportional_hazards(transform="cubic")


def test_the_robust_proportionality_test_is_that_of_a_term_times_time_with_a_robust_variance() -> None:
    """The score test of term x g(t) is near the Wald test of the same term, fitted on follow-up cut at every event."""
    tested = (
        oc.cox(take(), "age", robust=True).proportional_hazards(transform="identity").to_frame()["statistic"].iloc[0]
    )
    fitted = oc.cox(oc.split_follow_up(take(), "events"), "age + age:event_time").to_frame()["statistic"].iloc[1]
    assert tested == pytest.approx(fitted**2, rel=0.2)


def test_as_many_clusters_as_terms_have_no_test_of_proportional_hazards() -> None:
    test = (
        oc.cox(take(ROSSI.assign(half=ROSSI["prio"] % 2)), "fin + prio", cluster="half")
        .proportional_hazards()
        .to_frame()
    )
    assert test["statistic"].isna().tolist() == [False, False, True]


def test_only_ties_that_are_offered() -> None:
    with pytest.raises(oc.EstimationError, match="'efron', 'breslow', 'exact'"):
        oc.cox(take(), "fin", ties="eforn")


def test_without_ties_the_two_ways_are_one() -> None:
    data = take(ROSSI.assign(week=ROSSI["week"] + np.arange(432) / 1000))
    efron, breslow = oc.cox(data, "fin + prio"), oc.cox(data, "fin + prio", ties="breslow")
    assert efron.coefficients == pytest.approx(breslow.coefficients, rel=1e-12)
    assert efron.loglik == pytest.approx(breslow.loglik, rel=1e-12)


def test_a_weight_of_two_is_two_rows_under_breslow_only() -> None:
    doubled = take(pd.concat([ROSSI, ROSSI[ROSSI["age"] < 25]], ignore_index=True))
    weights = np.where(ROSSI["age"] < 25, 2.0, 1.0)
    for ties, same in (("breslow", True), ("efron", False)):
        ours = oc.cox(take(), "fin + prio", weights=weights, ties=ties).coefficients
        theirs = oc.cox(doubled, "fin + prio", ties=ties).coefficients
        assert np.allclose(ours, theirs, rtol=1e-7) == same


def test_a_change_over_time_is_rows_of_one_person() -> None:
    """Fox & Weisberg: employment of the week, 19,809 rows; here three people are enough to see whose rows they are."""
    frame = pd.DataFrame(
        {
            "id": [1, 1, 2, 3, 3],
            "a": [0, 4, 0, 0, 2],
            "week": [4, 9, 6, 2, 7],
            "arrest": [0, 1, 1, 0, 1],
            "emp": [0, 1, 0, 1, 0],
        }
    )
    fit = oc.cox(take(frame, duration=None, entry="a", exit="week", id="id"), "emp")
    assert fit.n == 3
    assert fit.asked.variance == "robust"
    assert fit.influence().shape == (3, 1)


def test_the_sentence_says_what_a_ratio_needs_beside_it() -> None:
    said = oc.cox(take(), "fin + prio").describe()
    assert "432 people, 114 events" in said
    assert "fin: 0.67 (" in said
    assert "proportional hazards" in said


def test_few_clusters_widen_the_limits_on_t() -> None:
    fit = oc.cox(take(), "fin + prio", cluster="band")
    row = fit.to_frame().iloc[0]
    error = row["std_error"] * np.sqrt(5 / 4)
    assert row["df"] == 4
    assert row["statistic"] == pytest.approx(row["estimate"] / error)
    assert row["conf_high"] == pytest.approx(row["estimate"] + 2.7764451 * error, rel=1e-7)
    assert "few_clusters" in {note.code for note in fit.notes}


def test_arms_given_to_areas_have_two_degrees_of_freedom_fewer_and_one_area_no_interval() -> None:
    areas = ROSSI.assign(area=ROSSI["band"] + 10 * ROSSI["fin"])
    nested = oc.cox(take(areas, arm="fin", reference=0), "arm + prio", cluster="area").to_frame()
    assert nested["df"].tolist() == [8, 9]
    alone = ROSSI.assign(area=np.where(ROSSI["fin"] == 1, 0, ROSSI["band"]))
    fit = oc.cox(take(alone, arm="fin", reference=0), "arm + prio", cluster="area")
    assert fit.to_frame()[["p_value", "conf_low", "conf_high"]].isna().to_numpy().tolist() == [[True] * 3, [False] * 3]
    assert "one_cluster" in {note.code for note in fit.notes}


def test_an_offset_is_a_coefficient_that_is_known() -> None:
    full = oc.cox(take(), "fin + prio")
    held = take(ROSSI.assign(known=ROSSI["prio"] * full.coefficients[1]))
    fit = oc.cox(held, "fin", offset="known")
    assert fit.coefficients == pytest.approx(full.coefficients[:1], rel=1e-9)
    assert fit.loglik == pytest.approx(full.loglik, rel=1e-12)
    assert fit.concordance().estimate == pytest.approx(full.concordance().estimate)
    with pytest.raises(oc.EstimationError, match="Did you mean 'known'"):
        oc.cox(held, "fin", offset="knwn")
    with pytest.raises(oc.EstimationError, match=r"\(offset\) is missing or infinite in 1 rows"):
        oc.cox(take(ROSSI.assign(known=np.where(ROSSI.index == 3, np.nan, 0.0))), "fin", offset="known")


@pytest.mark.parametrize(
    ("formula", "message"),
    [("fin + frailty(band)", "cluster="), ("fin + tt(age)", "split_follow_up"), ("fin + strata(band)", "strata=")],
)
def test_what_is_asked_otherwise_or_not_at_all_is_named(formula: str, message: str) -> None:
    with pytest.raises(NotSupportedError, match=message):
        oc.cox(take(), formula)


def test_tied_events_of_the_last_who_are_left_count_as_those_many_rows() -> None:
    few = pd.DataFrame(
        {"day": [3, 2, 2, 2, 1], "event": [1, 1, 0, 1, 0], "x": [-0.3, 1.3, 1.0, -2.7, -1.9], "people": [3, 2, 2, 1, 1]}
    )
    many = few.loc[few.index.repeat(few["people"])]
    counted = oc.cox(oc.survival_data(few, duration="day", event="event", frequency="people"), "x", robust=True)
    listed = oc.cox(oc.survival_data(many, duration="day", event="event"), "x", robust=True)
    assert counted.coefficients == pytest.approx(listed.coefficients)
    assert counted.covariance == pytest.approx(listed.covariance)
    assert counted.loglik == pytest.approx(listed.loglik)
