"""Adjusted curves in one large draw with confounding and a competing cause: what is right finds the truth, what is wrong does not."""

from __future__ import annotations

import numpy as np
import pytest
from scenarios_adjusted import AT, RIGHT, WRONG, confounded, true_risks
from scenarios_competing import CAUSES
from scenarios_curves import as_data

import outcomes as oc

FAR = 4.0  # standard errors
pytestmark = pytest.mark.slow


def drawn(**more: float) -> oc.SurvivalData:
    """People in whole days, as records have them."""
    frame = confounded(np.random.default_rng(5), 5_000, **more)
    return as_data(frame.assign(time=np.ceil(frame["time"])), causes=CAUSES)


@pytest.fixture(scope="module")
def data() -> oc.SurvivalData:
    return drawn()


def off(curves: oc.AdjustedCurves | oc.CumulativeIncidence, estimand: str) -> float:
    """Return how many standard errors the difference in incidence lies from the truth."""
    a, b = true_risks(estimand)
    row = oc.compare(curves, measure="risk_difference", at=AT).to_frame().iloc[0]
    return float((row["estimate"] - (b - a)) / row["std_error"])


@pytest.mark.parametrize("estimand", ["ate", "att"])
def test_the_arms_as_they_are_are_far_from_the_truth(data: oc.SurvivalData, estimand: str) -> None:
    assert abs(off(oc.cumulative_incidence(data), estimand)) > FAR


@pytest.mark.parametrize("estimand", ["ate", "att"])
@pytest.mark.parametrize("method", ["aipw", "iptw", "g-formula"])
def test_right_models_find_it(data: oc.SurvivalData, method: str, estimand: str) -> None:
    assert abs(off(oc.adjusted_curves(data, estimand=estimand, method=method, **RIGHT), estimand)) < 3


@pytest.mark.parametrize("estimand", ["ate", "att"])
def test_one_wrong_model_misleads_all_but_the_doubly_robust(data: oc.SurvivalData, estimand: str) -> None:
    no_outcome = RIGHT | {"outcome": WRONG["outcome"]}
    no_score = WRONG | {"outcome": RIGHT["outcome"]}
    assert abs(off(oc.adjusted_curves(data, estimand=estimand, method="g-formula", **no_outcome), estimand)) > FAR
    assert abs(off(oc.adjusted_curves(data, estimand=estimand, method="iptw", **no_score), estimand)) > FAR
    for models in (no_outcome, no_score):
        assert abs(off(oc.adjusted_curves(data, estimand=estimand, **models), estimand)) < 3
    assert abs(off(oc.adjusted_curves(data, estimand=estimand, **WRONG), estimand)) > FAR


def test_censoring_that_goes_with_what_decides_the_outcome_misleads_where_it_is_not_modelled() -> None:
    data, truth, away = drawn(lost_by_x=-1.0), np.array(true_risks("ate")), {}
    for censoring in ("arm", "arm + x"):
        curves = oc.adjusted_curves(
            data, treatment=RIGHT["treatment"], censoring=censoring, estimand="ate", method="iptw"
        ).at(AT)
        away[censoring] = np.abs((curves["estimate"] - truth) / curves["std_error"]).max()
    assert away["arm"] > FAR
    assert away["arm + x"] < 3


def test_weights_over_time_undo_such_censoring_for_any_curve() -> None:
    data, (a, b) = drawn(lost_by_x=-1.0), true_risks("ate")
    cut = oc.split_follow_up(data, [*range(30, int(AT) + 1, 30)])
    score = oc.weight(cut, RIGHT["treatment"], estimand="ate")
    away = {}
    for said, weights in (("score", score), ("both", oc.censoring_weights(cut, RIGHT["censoring"], weights=score))):
        curves = oc.cumulative_incidence(cut, weights=weights).at(AT).query("cause == 'first'")
        away[said] = np.abs((curves["estimate"] - [a, b]) / curves["std_error"]).max()
    assert away["score"] > FAR
    assert away["both"] < 3
