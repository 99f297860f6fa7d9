"""What a pooled result refuses because it needs the people of one set, and what cannot be pooled at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from estimates_to_pool import MODELS, Estimate, M, weighted
from incomplete_people import incomplete_people, time_at_risk

import outcomes as oc


@pytest.fixture(scope="module")
def imputed() -> oc.Imputed:
    return oc.impute(time_at_risk(incomplete_people(400, causes=2)), m=M, seed=1)


# what needs the people of one set

NEEDS_PEOPLE: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "cox: predict": ("cox", lambda r: r.predict(pd.DataFrame({"arm": ["old"], "risk": [1.0], "denial": [True], "band": ["low"]}))),
    "cox: proportional hazards": ("cox", lambda r: r.proportional_hazards()),
    "cox: residuals": ("cox", lambda r: r.residuals()),
    "cox: influence": ("cox", lambda r: r.influence()),
    "cox: baseline": ("cox", lambda r: r.baseline_hazard()),
    "cox: standardised": ("cox", lambda r: r.standardised()),
    "cox: concordance": ("cox", lambda r: r.concordance()),
    "cox: profile": ("cox", lambda r: r.profile()),
    "cox: compare": ("cox", lambda r: oc.compare(r, measure="hazard_ratio")),
    "fine_gray: predict": ("fine_gray", lambda r: r.predict(pd.DataFrame({"arm": ["old"], "risk": [1.0]}))),
    "fine_gray: influence": ("fine_gray", lambda r: r.influence()),
    "weibull: at": ("weibull", lambda r: r.at(100)),
    "weibull: predict": ("weibull", lambda r: r.predict(pd.DataFrame({"arm": ["old"], "risk": [1.0]}), 100)),
    "weibull: quantiles": ("weibull", lambda r: r.quantile(pd.DataFrame({"arm": ["old"], "risk": [1.0]}))),
    "weibull: hazard ratios": ("weibull", lambda r: r.hazard_ratios()),
    "weibull: influence": ("weibull", lambda r: r.influence()),
    "weibull: plot": ("weibull", lambda r: r.plot()),
    "curves: influence": ("curves", lambda r: r.influence(100)),
    "curves: arm estimates": ("curves", lambda r: r.arm_estimates([100])),
    "curves: quantile": ("curves", lambda r: r.quantile()),
    "curves: bands": ("curves", lambda r: r.bands()),
    "curves: std_error": ("curves", lambda r: r.std_error(0, 0)),
    "curves: compare": ("curves", lambda r: oc.compare(r, measure="risk_difference", at=100)),
    "rmst: influence": ("rmst", lambda r: r.influence()),
    "rmst: compare": ("rmst", lambda r: oc.compare(r, measure="rmst_difference")),
}  # fmt: skip


@pytest.fixture(scope="module")
def pooled(imputed: oc.Imputed) -> dict[str, Any]:
    found = {name: oc.pool(imputed, MODELS[name]) for name in ("cox", "fine_gray", "weibull", "rmst")}
    return {**found, "curves": oc.pool(imputed, lambda d: oc.cumulative_incidence(d, weights=weighted(d)))}


@pytest.mark.parametrize("name", NEEDS_PEOPLE)
def test_what_needs_the_people_of_one_set_refuses_and_says_how_to_pool_it(name: str, pooled: dict[str, Any]) -> None:
    kind, call = NEEDS_PEOPLE[name]
    with pytest.raises(oc.NotSupportedError, match=r"pool\(imputed, lambda data: ") as caught:
        call(pooled[kind])
    assert "pooled" in str(caught.value)


def test_likelihoods_are_not_pooled(pooled: dict[str, Any]) -> None:
    assert np.isnan([pooled["cox"].loglik, pooled["cox"].loglik_null, pooled["weibull"].aic]).all()
    assert pooled["cox"].tests()["test"].tolist() == ["wald (F)"]


def test_a_pooled_result_can_be_shown_and_released(pooled: dict[str, Any]) -> None:
    for result in pooled.values():
        assert repr(result).startswith(result.title)
        assert result._repr_html_().startswith("<div>")
        frames = oc.release(result, "none").frames.values()
        assert any("fmi" in frame.columns for frame in frames)
        with pytest.raises(oc.DisclosureError):
            result.__reduce__()


# what cannot be pooled


@pytest.mark.parametrize(
    ("estimate", "said"),
    [
        (weighted, "weights are not pooled; make them inside"),
        (
            lambda d: oc.logrank_test(d, cause="any"),
            "a LogRank is not pooled by Rubin's rules. What can be pooled: results of cox",
        ),
        (lambda d: oc.cox(d, "risk", cause="any", penalty="firth"), "Firth"),
        (lambda d: 3.0, "a float is not pooled"),
    ],
)
def test_results_that_have_no_rubins_rules_are_refused(imputed: oc.Imputed, estimate: Estimate, said: str) -> None:
    with pytest.raises(oc.NotSupportedError) as caught:
        oc.pool(imputed, estimate)
    assert said in str(caught.value)


def test_sets_whose_results_differ_in_kind_or_terms_are_refused(imputed: oc.Imputed) -> None:
    turns = iter(range(2 * M))
    with pytest.raises(oc.EstimationError, match="different kinds"):
        oc.pool(imputed, lambda d: oc.cox(d, "risk", cause="any") if next(turns) else oc.kaplan_meier(d, cause="any"))
    formulas = iter(["risk", "risk + age", "risk", "risk", "risk"])
    with pytest.raises(oc.EstimationError, match="the terms, cause or limits of 1 of the 5 sets differ"):
        oc.pool(imputed, lambda d: oc.cox(d, next(formulas), cause="any"))


def test_arguments_that_make_no_sense_are_refused(imputed: oc.Imputed) -> None:
    with pytest.raises(oc.EstimationError, match="imputed must be what impute"):
        oc.pool(imputed.data, MODELS["cox"])
    with pytest.raises(oc.EstimationError, match="two imputed sets or more"):
        oc.pool([imputed[0]], MODELS["cox"])
    with pytest.raises(oc.EstimationError, match="SurvivalData, set by set; got pandas DataFrame"):
        oc.pool([imputed[0].baseline, imputed[1].baseline], MODELS["cox"])
    with pytest.raises(oc.EstimationError, match="estimate must be a function of one completed set"):
        oc.pool(imputed, oc.cox(imputed[0], "risk", cause="any"))
    with pytest.raises(oc.EstimationError, match="df_complete must be above 0"):
        oc.pool(imputed, MODELS["cox"], df_complete=0)
    with pytest.raises(oc.EstimationError, match="conf_level must lie between 0 and 1"):
        oc.pool(imputed, MODELS["cox"], conf_level=95)
