"""Rubin's rules: against published numbers, sums written out, and what they come to where nothing is missing."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t

from outcomes.adjust.rubin import pooled_covariance, pooled_test, rubin

Q = np.array([0.5, 0.62, 0.43, 0.55, 0.58])[:, None]
U = np.array([0.04, 0.045, 0.038, 0.041, 0.05])[:, None]


def test_the_worked_example_of_the_reference_folder() -> None:
    found = rubin(Q, U)
    assert [found.estimate[0], found.within[0], found.between[0], found.total[0]] == pytest.approx(
        [0.536, 0.0428, 0.00543, 0.049316]
    )
    assert found.df[0] == pytest.approx(229.1256, rel=1e-6)
    few = rubin(Q, U, 197.0)  # 200 people, 3 coefficients
    assert few.df[0] == pytest.approx(97.34777, rel=1e-6)
    assert few.fmi[0] == pytest.approx(0.1494248, rel=1e-6)


def test_sets_that_agree_are_complete_data() -> None:
    same = np.tile([1.0, -2.0], (4, 1))
    found = rubin(same, np.tile([0.5, 0.25], (4, 1)), np.array([np.inf, 12.0]))
    assert found.total.tolist() == [0.5, 0.25]
    assert found.df.tolist() == [np.inf, 12.0]
    assert found.fmi.tolist() == [0.0, 0.0]


def test_nearly_all_is_missing_where_the_sets_have_hardly_any_variance_of_their_own() -> None:
    found = rubin(Q, 1e-12 * U)
    assert found.share_between[0] == pytest.approx(1.0)
    assert found.df[0] == pytest.approx(4.0)
    assert found.fmi[0] == pytest.approx(1.0)


def test_a_number_that_some_set_lacks_is_lacking() -> None:
    found = rubin(np.array([[1.0], [np.nan]]), np.array([[1.0], [1.0]]))
    assert np.isnan([found.total[0], found.df[0], found.fmi[0], found.relative_increase[0]]).all()


def test_degrees_of_freedom_are_fewer_than_those_of_complete_data_and_of_the_sets() -> None:
    for complete in (5.0, 50.0, 5000.0):
        assert rubin(Q, U, complete).df[0] < min(complete, 229.1257)


def test_covariances_are_those_of_sums_written_out() -> None:
    rng = np.random.default_rng(1)
    estimates, roots = rng.normal(size=(6, 3)), rng.normal(size=(6, 3, 3))
    covariances = roots @ roots.transpose(0, 2, 1)
    mean = sum(estimates) / 6
    between = sum(np.outer(e - mean, e - mean) for e in estimates) / 5
    total = sum(covariances) / 6 + (1 + 1 / 6) * between
    np.testing.assert_allclose(pooled_covariance(estimates, covariances), total, rtol=1e-12)
    variances = np.diagonal(covariances, axis1=1, axis2=2)
    np.testing.assert_allclose(rubin(estimates, variances).total, np.diag(total), rtol=1e-12)


def test_the_joint_test_of_one_number_is_the_square_of_its_t() -> None:
    one = pooled_test(Q, U[:, :, None])
    statistic = 0.536 / np.sqrt(0.049316)
    assert one.statistic == pytest.approx(statistic**2)
    assert one.df_numerator == 1
    # with t = m - 1 = 4 the denominator is Rubin's degrees of freedom
    assert one.df_residual == pytest.approx(229.1256, rel=1e-6)
    assert one.p_value == pytest.approx(2 * t.sf(statistic, one.df_residual))


def test_the_joint_test_of_sets_that_agree_is_walds() -> None:
    from scipy.stats import chi2

    covariance = np.array([[0.2, 0.05], [0.05, 0.1]])
    value = np.array([0.5, -0.4])
    one = pooled_test(np.tile(value, (3, 1)), np.tile(covariance, (3, 1, 1)))
    wald = float(value @ np.linalg.inv(covariance) @ value)
    assert one.statistic == pytest.approx(wald / 2)
    assert one.p_value == pytest.approx(chi2.sf(wald, 2), rel=1e-6)
