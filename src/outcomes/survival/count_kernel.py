"""Maximum likelihood of counts given time at risk: Poisson, and negative binomial with variance mu + mu² / theta.

Newton–Raphson in the coefficients and log theta together; theta starts where the counts' spread puts it, and is infinite where they
spread no more than Poisson counts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from outcomes.results import Array

__all__ = ["CountFit", "fit_counts", "shape_terms"]


@dataclass(frozen=True)
class CountFit:
    """A fit to counts; P people, p columns.

    Attributes
    ----------
    beta : ndarray, shape (p,)
    theta : float
        Infinite for a Poisson fit.
    mean : ndarray, shape (P,)
    information : ndarray, shape (p, p) or (p + 1, p + 1)
        Observed, of the coefficients and (negative binomial) log theta.
    expected : ndarray, shape (p, p)
        Expected information of the coefficients, theta held.
    scores : ndarray, shape (P, p) or (P, p + 1)
        Each person's score per unit of weight.
    loglik : float
    converged : bool
    """

    beta: Array
    theta: float
    mean: Array
    information: Array
    expected: Array
    scores: Array
    loglik: float
    converged: bool


def fit_counts(x: Array, y: Array, time: Array, weight: Array, *, negative_binomial: bool) -> CountFit:
    """Fit ``log E[y] = log time + x beta``.

    Parameters
    ----------
    x : ndarray, shape (P, p)
        The first column is of ones.
    y, time, weight : ndarray, shape (P,)
        Counts; time at risk; weight of each person. Somebody has an event.
    """
    beta = np.zeros(x.shape[1])
    beta[0] = np.log((weight @ y) / (weight @ time))
    poisson = _newton(x, y, time, weight, beta, None)
    if not negative_binomial:
        return poisson
    mean = poisson.mean
    excess = float(weight @ ((y - mean) ** 2 - y))  # twice the slope of the likelihood in 1 / theta at 0
    if excess <= 0:
        return poisson
    return _newton(x, y, time, weight, poisson.beta, float(np.log((weight @ mean**2) / excess)))


def _newton(x: Array, y: Array, time: Array, weight: Array, beta: Array, log_theta: float | None) -> CountFit:
    """Climb from a start; at most 100 steps, halved where they do not climb."""
    at = beta if log_theta is None else np.append(beta, log_theta)
    fit = _evaluate(x, y, time, weight, at)
    for _ in range(100):
        score = weight @ fit.scores
        move = _solve(_definite(fit), score)
        if score @ move <= 1e-16 * weight.mean():
            return replace(fit, converged=True)
        share = min(1.0, 4.0 / float(np.abs(move).max()))
        trial = _evaluate(x, y, time, weight, at + share * move)
        while trial.loglik < fit.loglik - 1e-12 * abs(fit.loglik) and share > 1e-8:
            share /= 2
            trial = _evaluate(x, y, time, weight, at + share * move)
        at, fit = at + share * move, trial
    return fit


def _evaluate(x: Array, y: Array, time: Array, weight: Array, at: Array) -> CountFit:
    """Return the likelihood, its scores and information at ``at`` = (beta) or (beta, log theta)."""
    from scipy.special import gammaln

    size = x.shape[1]
    eta = x @ at[:size] + np.log(time)
    mean = np.exp(eta)
    base = y * eta - _over_counts(lambda k: gammaln(k + 1), y)
    if len(at) == size:
        information = x.T @ (x * (weight * mean)[:, None])
        loglik = float(weight @ (base - mean))
        scores = x * (y - mean)[:, None]
        return CountFit(at, np.inf, mean, information, information, scores, loglik, False)
    theta = float(np.exp(at[size]))
    shape = shape_terms(y, mean, theta)
    whole = mean + theta
    base += _over_counts(lambda k: gammaln(k + theta) - gammaln(theta), y)
    loglik = float(weight @ (base + theta * at[size] - (y + theta) * np.log(whole)))
    expected = x.T @ (x * (weight * mean * theta / whole)[:, None])
    information = np.empty((size + 1, size + 1))
    information[:size, :size] = x.T @ (x * (weight * mean * theta * (y + theta) / whole**2)[:, None])
    information[:size, size] = information[size, :size] = -theta * (x.T @ (weight * (y - mean) * mean / whole**2))
    information[size, size] = -float(weight @ (theta**2 * shape[1] + theta * shape[0]))
    scores = np.column_stack((x * ((y - mean) * theta / whole)[:, None], theta * shape[0]))
    return CountFit(at[:size], theta, mean, information, expected, scores, loglik, False)


def shape_terms(y: Array, mean: Array, theta: float) -> tuple[Array, Array]:
    """Return each person's first and second derivative of the likelihood by theta."""
    from scipy.special import psi, zeta

    whole = mean + theta
    share = (y + theta) / whole
    first = _over_counts(lambda k: psi(k + theta) - psi(theta), y) + np.log(theta / whole) + 1 - share
    second = _over_counts(lambda k: zeta(2, k + theta) - zeta(2, theta), y) + 1 / theta - (2 - share) / whole
    return first, second


def _over_counts(function: Callable[[Array], Array], y: Array) -> Array:
    """Return a function of each count, taken once for each value that occurs."""
    counts = y.astype(np.int64)
    value = np.flatnonzero(np.bincount(counts))
    table = np.zeros(int(value[-1]) + 1)
    table[value] = function(value.astype(np.float64))
    return table[counts]


def _definite(fit: CountFit) -> Array:
    """Return the observed information; where it is not positive definite, its diagonal blocks made so."""
    size = len(fit.beta)
    if len(fit.information) == size:
        return fit.information
    scale = np.sqrt(np.maximum(np.abs(np.diag(fit.information)), 1e-300))
    if np.linalg.eigvalsh(fit.information / np.outer(scale, scale))[0] > 1e-10:
        return fit.information
    blocks = np.zeros_like(fit.information)
    blocks[:size, :size] = fit.expected
    blocks[size, size] = abs(fit.information[size, size])
    return blocks


def _solve(matrix: Array, score: Array) -> Array:
    """Return the solution on columns scaled to one, so that a term that runs away does not drown the others."""
    scale = np.sqrt(np.maximum(np.diag(matrix), 1e-300))
    found: Array = np.linalg.lstsq(matrix / np.outer(scale, scale), score / scale, rcond=None)[0] / scale
    return found
