"""Clustered variances of some coefficients of a linear model that few and unequal clusters do not make too small."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from outcomes.results import Array, IntArray
from outcomes.survival.hotelling import JointTest, joint_test

__all__ = ["BiasReduced", "bias_reduced"]

_TINY = 1e-8


@dataclass(frozen=True)
class BiasReduced:
    """The first L coefficients of a linear model.

    Attributes
    ----------
    estimate, std_error, df : ndarray, shape (L,)
        Degrees of freedom of t: Satterthwaite's, by how unequally clusters tell of each coefficient.
    test : JointTest
        That all of those asked about are 0.
    """

    estimate: Array
    std_error: Array
    df: Array
    test: JointTest


def bias_reduced(
    y: Array, x: Array, cluster: IntArray, wide: int, tested: npt.NDArray[np.bool_] | None = None
) -> BiasReduced:
    """Return the first `wide` coefficients of least squares, and the test that those `tested` (default: all) are 0.

    Parameters
    ----------
    y : ndarray, shape (N,)
    x : ndarray, shape (N, p)
        Columns after the first `wide` may depend on each other.
    cluster : ndarray of int, shape (N,)
    wide : int
    tested : ndarray of bool, shape (wide,), optional

    Notes
    -----
    Residuals of a cluster are multiplied by the inverse square root of what the model has left of their variance, were people independent
    (CR2). Degrees of freedom are those of the Wishart distribution with the same total variance as the covariance so estimated has, were
    people independent. With one coefficient that is Satterthwaite's approximation. Everything is of sums by cluster: no matrix is of the
    size of a cluster squared. statsmodels has neither.

    References
    ----------
    Bell & McCaffrey (2002), Survey Methodology 28:169; Pustejovsky & Tipton (2018), Journal of Business & Economic Statistics 36:672.
    """
    inverse = np.asarray(np.linalg.pinv(x.T @ x), dtype=np.float64)
    slope = inverse @ (x.T @ y)
    residual = y - x @ slope
    scores, own, told = [], [], []
    for one in np.unique(cluster):
        mine = cluster == one
        weight = _adjusted(x[mine], inverse, wide)
        scores.append(weight @ residual[mine])
        own.append(weight @ weight.T)
        told.append(weight @ x[mine])
    of_clusters = np.array(scores)
    covariance: Array = of_clusters.T @ of_clusters
    expected: Array = inverse[:wide, :wide]
    products = _products(np.array(own), np.array(told), inverse)
    each = [np.arange(wide) == k for k in range(wide)]
    df = np.array([_freedom(products, expected, one) for one in each])
    asked = np.ones(wide, dtype=bool) if tested is None else tested
    test = _test(slope[:wide], covariance, _freedom(products, expected, asked), asked)
    return BiasReduced(slope[:wide], np.sqrt(np.diag(covariance)), df, test)


def _adjusted(x: Array, inverse: Array, wide: int) -> Array:
    """Return the weights by which a cluster's residuals enter the coefficients, adjusted, shape (wide, n)."""
    basis, values, _ = np.linalg.svd(x, full_matrices=False)
    basis = basis[:, values > _TINY * values.max()]
    part = basis.T @ x
    taken, turn = np.linalg.eigh(part @ inverse @ part.T)
    left = 1 - taken
    more = np.where(left > _TINY, 1 / np.sqrt(np.maximum(left, _TINY)), 0.0) - 1
    plain = inverse[:wide] @ x.T
    turned = basis @ turn
    found: Array = plain + ((plain @ turned) * more) @ turned.T
    return found


def _products(own: Array, told: Array, inverse: Array) -> Array:
    """Return the covariances of the clusters' scores with each other, were people independent, shape (G, G, L, L)."""
    found: Array = -np.einsum("gip,pq,hjq->ghij", told, inverse, told)
    place = np.arange(len(own))
    found[place, place] += own
    return found


def _freedom(products: Array, expected: Array, asked: npt.NDArray[np.bool_]) -> float:
    """Return the degrees of freedom of the covariance of some coefficients; missing where it is not of full rank."""
    some = np.flatnonzero(asked)
    size = len(some)
    values, turn = np.linalg.eigh(expected[np.ix_(some, some)]) if size else (np.zeros(1), np.zeros((1, 1)))
    if not values.min() > _TINY * max(values.max(), 1e-300):
        return float("nan")
    whiten: Any = (turn / np.sqrt(values)) @ turn.T
    white = whiten @ products[:, :, some[:, None], some] @ whiten
    spread = np.trace(white, axis1=2, axis2=3) ** 2 + np.einsum("ghij,ghji->gh", white, white)
    return float(size * (size + 1) / spread.sum())


def _test(estimate: Array, covariance: Array, df: float, asked: npt.NDArray[np.bool_]) -> JointTest:
    none = float("nan")
    some = np.flatnonzero(asked)
    part = covariance[np.ix_(some, some)]
    if not len(some) or np.isnan(df) or np.linalg.matrix_rank(part, hermitian=True) < len(some):
        return JointTest(none, len(some), none, none)
    return joint_test(float(estimate[some] @ np.linalg.solve(part, estimate[some])), len(some), df)
