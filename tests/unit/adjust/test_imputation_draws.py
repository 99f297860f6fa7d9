"""The draws of imputing: nearest donors, lines and levels on a draw of their coefficients, each against something not ours."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from outcomes.adjust.drawn_levels import chances, drawn_levels, fit_levels, with_added_rows
from outcomes.adjust.mean_matching import draw_line, matched_values, nearest_donors


def by_distance(observed: np.ndarray, wanted: float, donors: int) -> set[int]:
    """Return who may be drawn: all who are as near as the donor-th nearest."""
    distance = np.abs(observed - wanted)
    return set(np.flatnonzero(distance <= np.sort(distance)[donors - 1]).tolist())


@pytest.mark.parametrize("donors", [1, 5, 40])
def test_donors_are_among_the_nearest(donors: int) -> None:
    rng = np.random.default_rng(1)
    observed, wanted = rng.normal(size=30), np.concatenate([rng.normal(size=200), [-9.0, 9.0]])
    found = nearest_donors(observed, wanted, rng, donors)
    assert all(one in by_distance(observed, value, min(donors, 30)) for one, value in zip(found, wanted, strict=True))


def test_each_of_the_nearest_is_as_likely() -> None:
    observed = np.array([0.0, 1.0, 2.0, 3.0, 10.0, 11.0])
    found = nearest_donors(observed, np.full(8_000, 1.4), np.random.default_rng(2), 4)
    counts = np.bincount(found, minlength=6)
    assert counts[4:].tolist() == [0, 0]
    assert np.abs(counts[:4] - 2_000).max() < 5 * np.sqrt(2_000 * 0.75)


def test_people_who_are_equally_near_are_equally_likely_however_many() -> None:
    observed = np.concatenate([np.zeros(50), np.ones(50)])
    found = nearest_donors(observed, np.full(20_000, 0.1), np.random.default_rng(3), 5)
    counts = np.bincount(found, minlength=100)
    assert counts[50:].sum() == 0
    assert np.abs(counts[:50] - 400).max() < 5 * np.sqrt(400)


def test_a_drawn_line_has_the_posterior_of_least_squares() -> None:
    rng = np.random.default_rng(4)
    x = np.column_stack([np.ones(60), rng.normal(size=(60, 2))])
    y = x @ [1.0, 0.5, -0.3] + rng.normal(size=60)
    fit = sm.OLS(y, x).fit()
    pairs = [draw_line(x, y, rng) for _ in range(4_000)]
    draws = np.stack([drawn for _, drawn in pairs])
    np.testing.assert_allclose(pairs[0][0], fit.params, rtol=1e-4)
    spread = fit.cov_params() * fit.df_resid / (fit.df_resid - 2)  # a t, not a normal
    errors = np.sqrt(np.diag(spread) / 4_000)
    assert np.abs(draws.mean(axis=0) - fit.params).max() < 4 * errors.max()
    np.testing.assert_allclose(np.cov(draws.T), spread, atol=0.12 * np.diag(spread).max())


def test_a_column_that_says_nothing_of_the_observed_does_not_decide_what_is_imputed() -> None:
    rng = np.random.default_rng(5)
    x, y = np.column_stack([np.ones(40), np.zeros(40), np.full(40, 3.0)]), rng.normal(size=40)
    estimate, drawn = draw_line(x, y, rng)
    assert estimate[1:].tolist() == drawn[1:].tolist() == [0.0, 0.0]
    assert estimate[0] == pytest.approx(y.mean(), rel=1e-4)


def test_imputed_numbers_are_values_somebody_has() -> None:
    rng = np.random.default_rng(6)
    x, y = np.column_stack([np.ones(50), rng.normal(size=50)]), rng.integers(0, 9, 50).astype(float)
    wanted = np.column_stack([np.ones(30), rng.normal(size=30)])
    assert set(matched_values(x, y, wanted, rng, 5)) <= set(y)


@pytest.mark.parametrize(("unit", "origin"), [(1.0, 2.0**30), (2.0**-20, 0.0), (2.0**20, -(2.0**40))])
def test_unit_and_origin_of_a_number_do_not_decide_who_gives_it(unit: float, origin: float) -> None:
    rng = np.random.default_rng(6)
    x = np.column_stack([np.ones(50), rng.normal(size=50)])
    y, wanted = np.round(8 * x[:, 1] + rng.normal(size=50)), np.column_stack([np.ones(30), rng.normal(size=30)])
    plain = matched_values(x, y, wanted, np.random.default_rng(7), 5)
    moved = matched_values(x, origin + unit * y, wanted, np.random.default_rng(7), 5)
    assert ((moved - origin) / unit).tolist() == plain.tolist()


def levels_of(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = np.column_stack([np.ones(n), rng.normal(size=(n, 2))])
    linear = np.column_stack([np.zeros(n), 0.3 + 0.8 * x[:, 1], -0.4 + x[:, 2]])
    share = np.exp(linear) / np.exp(linear).sum(axis=1, keepdims=True)
    return x, (rng.random(n)[:, None] > share.cumsum(axis=1)[:, :2]).sum(axis=1)


def test_levels_are_fitted_as_statsmodels_fits_them() -> None:
    x, level = levels_of(300, 7)
    fit = fit_levels(x, level, 3, np.ones(300))
    theirs = sm.MNLogit(level, x).fit(disp=0, tol=1e-12)
    np.testing.assert_allclose(fit.coefficients, theirs.params.T, rtol=1e-6, atol=1e-8)
    covariance = np.linalg.inv(fit.root @ fit.root.T)
    np.testing.assert_allclose(covariance, theirs.cov_params(), rtol=1e-5, atol=1e-8)


def test_weighted_levels_are_those_of_a_weighted_logistic_regression() -> None:
    x, level = levels_of(300, 8)
    two, weight = (level > 0).astype(int), np.random.default_rng(8).uniform(0.2, 3, 300)
    theirs = sm.GLM(two, x, family=sm.families.Binomial(), freq_weights=weight).fit(tol=1e-12)
    np.testing.assert_allclose(fit_levels(x, two, 2, weight).coefficients[0], theirs.params, rtol=1e-6)


def test_a_column_that_tells_the_level_exactly_gives_finite_coefficients_and_the_right_level() -> None:
    x = np.column_stack([np.ones(80), np.repeat([0.0, 1.0], 40)])
    level = np.repeat([0, 1], 40)
    rows = with_added_rows(x, level, 2, x)
    assert rows[2][80:].sum() == pytest.approx(2.0)  # as many people as there are columns, the intercept included
    fit = fit_levels(rows[0], rows[1], 2, rows[2])
    assert np.abs(fit.coefficients).max() < 10
    share = chances(x, fit.coefficients)[:, 1]
    assert share[:40].max() < 0.1
    assert share[40:].min() > 0.9


def test_levels_are_drawn_as_often_as_likely() -> None:
    x, level = levels_of(4_000, 9)
    fit = fit_levels(x, level, 3, np.ones(4_000))
    wanted, rng = np.tile([1.0, 0.5, -0.5], (20_000, 1)), np.random.default_rng(10)
    shares = np.stack([np.bincount(drawn_levels(fit, wanted, rng), minlength=3) / 20_000 for _ in range(60)])
    # the delta method on the log odds gives how far coefficients that are drawn move the shares
    expected = chances(wanted[:1], fit.coefficients)[0]
    assert np.abs(shares.mean(axis=0) - expected).max() < 0.01
    assert 0.5 < shares[:, 1].std() / np.sqrt(_spread_of_share(fit, wanted[0], expected)) < 1.6


def _spread_of_share(fit: object, row: np.ndarray, share: np.ndarray) -> float:
    """Return the variance of the second level's share by the covariance of the coefficients."""
    covariance = np.linalg.inv(fit.root @ fit.root.T)  # type: ignore[attr-defined]
    slope = np.concatenate([share[1] * (1 - share[1]) * row, -share[1] * share[2] * row])
    return float(slope @ covariance @ slope)
