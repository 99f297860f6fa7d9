"""The max-combo test: several weightings of time at once, judged as the largest of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from lifelines.datasets import load_rossi

import outcomes as oc
from outcomes.survival.largest_of_several import chance_of_larger, value_exceeded

ROSSI = load_rossi()


def take(frame: pd.DataFrame = ROSSI, **more: Any) -> oc.SurvivalData:
    return oc.survival_data(frame, **{"duration": "week", "event": "arrest", "arm": "fin", "reference": 0, **more})


def test_rossi_as_published() -> None:
    found = oc.max_combo_test(take())
    assert found.z == pytest.approx([-1.958972, -1.936362, -1.776916, -1.802380], abs=1e-6)
    assert found.p_value == pytest.approx(0.0789, abs=2e-4)
    assert found.statistic == pytest.approx(1.958972, abs=1e-6)


def test_one_weighting_is_that_test_alone() -> None:
    for rho, gamma in ((0, 0), (1, 0.5)):
        found = oc.max_combo_test(take(), family=[(rho, gamma)])
        assert found.p_value == pytest.approx(oc.logrank_test(take(), rho=rho, gamma=gamma).p_value)


@pytest.mark.parametrize("weights", [None, "age"])
def test_early_and_late_add_up_to_the_logrank_test(weights: str | None) -> None:
    """S + (1 - S) = 1: the sums add up and so do their covariances, hypergeometric or robust."""
    early, late = (oc.logrank_test(take(), rho=r, gamma=g, weights=weights) for r, g in ((1, 0), (0, 1)))
    whole = oc.logrank_test(take(), weights=weights)
    assert early.observed + late.observed == pytest.approx(whole.observed)
    together = oc.max_combo_test(take(), family=[(1, 0), (0, 1)], weights=weights).correlation[0, 1]
    v = [found.covariance[1, 1] for found in (early, late, whole)]
    assert v[0] + v[1] + 2 * together * np.sqrt(v[0] * v[1]) == pytest.approx(v[2])


def test_weights_clusters_and_strata_are_those_of_the_logrank_test() -> None:
    asked = {"weights": "age", "cluster": np.arange(432) // 4, "strata": "wexp"}
    found = oc.max_combo_test(take(), **asked)
    assert found.variance == "robust"
    alone = [oc.logrank_test(take(), rho=r, gamma=g, **asked).statistic for r, g in found.family]
    assert found.z**2 == pytest.approx(alone)
    assert found.by_weighting().shape == (4, 4)
    assert found.to_frame()["df"].tolist() == [4]


def test_a_weighting_that_leaves_nothing_is_missing_and_not_counted() -> None:
    first = ROSSI.assign(arrest=(ROSSI["week"] == 1).astype(int))
    found = oc.max_combo_test(take(first))
    assert np.isnan(found.z).tolist() == [False, False, True, True]
    assert found.p_value == pytest.approx(oc.logrank_test(take(first)).p_value, rel=1e-9)


def test_more_arms_and_an_empty_family_are_refused() -> None:
    with pytest.raises(oc.NotSupportedError, match="5 arms; the test is of two"):
        oc.max_combo_test(take(ROSSI.assign(before=ROSSI["prio"].clip(upper=4)), arm="before"))
    with pytest.raises(oc.EstimationError, match="at least one"):
        oc.max_combo_test(take(), family=[])


@pytest.mark.parametrize("size", [1, 2, 4, 6])
@pytest.mark.parametrize("value", [1.0, 2.0, 3.5])
def test_of_independent_numbers_the_largest_has_a_closed_form(size: int, value: float) -> None:
    from scipy.special import ndtr

    exact = 1 - (2 * ndtr(value) - 1) ** size
    assert chance_of_larger(value, np.eye(size)) == pytest.approx(exact, rel=2e-3)


def test_numbers_that_are_the_same_are_one() -> None:
    assert chance_of_larger(1.96, np.ones((3, 3))) == pytest.approx(0.05, abs=1e-4)


@pytest.mark.parametrize("size", [1, 2, 4, 6])
def test_the_critical_value_of_independent_numbers_has_a_closed_form(size: int) -> None:
    from scipy.special import ndtri

    exact = ndtri((1 + 0.95 ** (1 / size)) / 2)
    assert value_exceeded(0.05, np.eye(size)) == pytest.approx(exact, rel=1e-3)


def test_the_critical_value_of_a_test_is_exceeded_in_five_of_a_hundred() -> None:
    from scipy.stats import multivariate_normal

    found = oc.max_combo_test(take())
    for level in (0.05, 0.01):
        bound = found.critical_value(level)
        inside = multivariate_normal(cov=found.correlation, allow_singular=True, seed=1, abseps=1e-4).cdf(
            np.full(4, bound), lower_limit=np.full(4, -bound)
        )
        assert 1 - inside == pytest.approx(level, rel=0.01)


def test_a_critical_value_needs_a_chance_and_something_to_test() -> None:
    with pytest.raises(oc.EstimationError, match="between 0 and 1"):
        oc.max_combo_test(take()).critical_value(5)
    apart = ROSSI.assign(week=ROSSI["week"].where(ROSSI["fin"] == 0, 1), arrest=ROSSI["arrest"] * (ROSSI["fin"] == 0))
    nothing = oc.max_combo_test(take(apart[(apart["fin"] == 1) | (apart["week"] > 1)]))
    assert np.isnan(nothing.statistic)
    assert np.isnan(nothing.critical_value())
