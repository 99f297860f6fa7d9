"""The generalized gamma on the log scale: the known distribution, smooth where its shape is 0, with the slopes it says it has."""

from __future__ import annotations

import numpy as np
import pytest
from autograd import elementwise_grad
from scipy import stats
from scipy.special import log_ndtr

from outcomes.survival.generalized_gamma import log_density, log_survival

W = np.linspace(-4, 3, 15)


@pytest.mark.parametrize("q", [-2.0, -0.3, -0.09, 0.05, 0.5, 1.0, 2.0])
def test_density_and_survival_are_those_of_a_gamma(q: float) -> None:
    law = stats.gengamma(a=q**-2, c=q, scale=np.abs(q) ** (2 / q))
    shape = np.full(15, q)
    np.testing.assert_allclose(log_density(W, shape), law.logpdf(np.exp(W)) + W, rtol=1e-8)
    np.testing.assert_allclose(log_survival(W, shape), law.logsf(np.exp(W)), rtol=1e-7, atol=1e-12)


def test_around_shape_0_it_is_the_lognormal() -> None:
    for q in (-1e-4, -1e-7, 0.0, 1e-7, 1e-4):
        np.testing.assert_allclose(log_density(W, np.full(15, q)), stats.norm.logpdf(W), atol=2e-3)
        np.testing.assert_allclose(log_survival(W, np.full(15, q)), log_ndtr(-W), atol=2e-3)
    either = [log_survival(W, np.full(15, q)) for q in (-1e-3, 0.0, 1e-3)]
    np.testing.assert_allclose((either[0] + either[2]) / 2, either[1], atol=1e-5)


@pytest.mark.parametrize("q", [-1.1, 0.02, 0.8])
@pytest.mark.parametrize("function", [log_density, log_survival])
def test_slopes_and_curvatures_are_true(function: object, q: float) -> None:
    shape, step = np.full(15, q), 1e-4
    for k, (dw, dq) in enumerate(((step, 0.0), (0.0, step))):
        slope = elementwise_grad(function, k)
        numeric = (function(W + dw, shape + dq) - function(W - dw, shape - dq)) / (2 * step)  # type: ignore[operator]
        np.testing.assert_allclose(slope(W, shape), numeric, rtol=1e-5, atol=1e-6)
        for j, (ew, eq) in enumerate(((step, 0.0), (0.0, step))):
            curve = (slope(W + ew, shape + eq) - slope(W - ew, shape - eq)) / (2 * step)
            np.testing.assert_allclose(elementwise_grad(slope, j)(W, shape), curve, rtol=1e-5, atol=1e-5)
