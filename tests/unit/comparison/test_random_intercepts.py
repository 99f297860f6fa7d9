"""Random intercepts: closed forms where there are some, and the border at which nothing varies."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from outcomes.comparison.random_intercepts import at_ratio, random_intercepts


def balanced(seed: int, sd: float, units: int = 15, people: int = 10) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    unit = np.repeat(np.arange(units), people)
    y = 0.3 + rng.normal(0, sd, units)[unit] + rng.normal(0, 0.5, len(unit))
    return y, np.ones((len(unit), 1)), unit


def mean_squares(y: np.ndarray, unit: np.ndarray, people: int) -> tuple[float, float]:
    means = np.array([y[unit == u].mean() for u in np.unique(unit)])
    within = sum(((y[unit == u] - y[unit == u].mean()) ** 2).sum() for u in np.unique(unit))
    return people * means.var(ddof=1), within / (len(y) - len(means))


def test_with_units_of_one_size_the_variances_are_those_of_mean_squares() -> None:
    y, x, unit = balanced(2, 0.3)
    between, within = mean_squares(y, unit, 10)
    fit = random_intercepts(y, x, unit, 0.95)
    assert fit.within == pytest.approx(within, rel=1e-4)
    assert fit.between == pytest.approx((between - within) / 10, rel=1e-4)
    assert fit.icc_low < fit.icc < fit.icc_high


def test_effects_are_what_was_observed_shrunk_by_size() -> None:
    rng = np.random.default_rng(5)
    unit = np.repeat(np.arange(12), rng.integers(2, 40, 12))
    y = rng.normal(0, 0.4, 12)[unit] + rng.normal(0, 0.5, len(unit))
    fit = random_intercepts(y, np.ones((len(unit), 1)), unit, 0.95)
    observed = np.array([(y[unit == u] - fit.beta[0]).mean() for u in range(12)])
    kept = fit.between / (fit.between + fit.within / fit.size)
    assert fit.effect == pytest.approx(kept * observed)
    assert fit.error == pytest.approx(np.sqrt(fit.between * (1 - kept)))


def test_units_more_alike_than_chance_have_them_vary_by_nothing() -> None:
    unit = np.repeat(np.arange(6), 4)
    y = np.tile([0.0, 1.0, 0.0, 1.0], 6) + np.repeat([0.01, -0.01], 12)
    fit = random_intercepts(y, np.ones((24, 1)), unit, 0.95)
    assert (fit.between, fit.icc, fit.icc_low, fit.p_value) == (0.0, 0.0, 0.0, 1.0)
    assert fit.icc_high > 0
    assert not fit.effect.any()


def test_without_variance_between_units_it_is_least_squares() -> None:
    rng = np.random.default_rng(1)
    x = np.column_stack([np.ones(60), rng.normal(size=(60, 2))])
    y, unit = rng.normal(size=60), np.arange(60) % 7
    fit, theirs = at_ratio(y, x, unit, 0.0), sm.OLS(y, x).fit()
    assert fit.beta == pytest.approx(theirs.params)
    assert np.sqrt(np.diag(fit.covariance)) == pytest.approx(theirs.bse)


def test_the_order_and_names_of_units_do_not_matter() -> None:
    y, x, unit = balanced(2, 0.3)
    order = np.random.default_rng(0).permutation(len(y))
    one, other = random_intercepts(y, x, unit, 0.9), random_intercepts(y[order], x[order], 99 - unit[order], 0.9)
    assert (one.icc, one.icc_low, one.icc_high) == pytest.approx((other.icc, other.icc_low, other.icc_high), rel=1e-6)
    assert one.effect == pytest.approx(other.effect[::-1], rel=1e-5)
