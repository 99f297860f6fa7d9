"""What must hold of Rubin's rules and of imputing for any data."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from incomplete_people import incomplete_people, time_at_risk

import outcomes as oc
from outcomes.adjust.rubin import pooled_covariance, rubin

numbers = arrays(np.float64, (4, 3), elements=st.floats(-1e3, 1e3).map(lambda x: round(x, 3)))
variances = arrays(np.float64, (4, 3), elements=st.floats(1e-3, 1e3))


@given(numbers, variances, st.floats(3, 1e4))
def test_pooling_never_makes_more_certain_than_complete_data(q: np.ndarray, u: np.ndarray, complete: float) -> None:
    found = rubin(q, u, complete)
    assert (found.total >= found.within * (1 - 1e-12)).all()
    assert (found.df <= complete).all()
    assert ((found.fmi >= 0) & (found.fmi <= 1)).all()
    assert (found.fmi >= found.share_between).all()


@given(numbers, variances, st.permutations(range(4)), st.floats(0.1, 10), st.floats(-5, 5))
def test_order_of_sets_unit_and_origin_do_not_matter(
    q: np.ndarray, u: np.ndarray, order: list[int], unit: float, origin: float
) -> None:
    one, other = rubin(q, u), rubin(unit * q[order] + origin, unit**2 * u[order])
    np.testing.assert_allclose(other.estimate, unit * one.estimate + origin, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(other.total, unit**2 * one.total, rtol=1e-6)
    same = (q == q[0]).all(axis=0)  # to the last digit, which units may change
    np.testing.assert_allclose(other.fmi[~same], one.fmi[~same], rtol=1e-4, atol=1e-9)


@given(numbers, st.integers(0, 2**31 - 1))
def test_a_sum_of_coefficients_has_the_variance_the_pooled_covariance_says(q: np.ndarray, seed: int) -> None:
    roots = np.random.default_rng(seed).normal(size=(4, 3, 3))
    covariances = roots @ roots.transpose(0, 2, 1) + np.eye(3)
    side = np.array([1.0, -2.0, 0.5])
    one = rubin((q @ side)[:, None], np.einsum("i,mij,j->m", side, covariances, side)[:, None])
    np.testing.assert_allclose(side @ pooled_covariance(q, covariances) @ side, one.total[0], rtol=1e-6)


@given(st.integers(0, 2**31 - 1), st.integers(2, 4))
def test_what_is_imputed_was_seen_and_what_was_seen_stays(seed: int, m: int) -> None:
    data = time_at_risk(incomplete_people(60, seed % 1000))
    found = oc.impute(data, m=m, seed=seed, iterations=2)
    for one in found:
        for name in ("risk", "band", "denial"):
            known = data.baseline[name].notna()
            assert set(one.baseline[name]) <= set(data.baseline.loc[known, name])
            assert (one.baseline.loc[known, name] == data.baseline.loc[known, name]).all()
