"""Levels of a factor drawn from a logistic regression, multinomial where there are more than two, on a draw of its coefficients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from outcomes.results import Array, IntArray

__all__ = ["LevelFit", "chances", "drawn_levels", "fit_levels", "with_added_rows"]

_STEPS = 50
_SETTLED = 1e-8


@dataclass(frozen=True)
class LevelFit:
    """A fitted multinomial logistic regression of K levels on q columns.

    Attributes
    ----------
    coefficients : ndarray, shape (K - 1, q)
        Log odds of each level against the first.
    root : ndarray, shape ((K - 1) q, (K - 1) q)
        Cholesky factor of the information.
    """

    coefficients: Array
    root: Array


def fit_levels(x: Array, level: IntArray, levels: int, weight: Array, start: Array | None = None) -> LevelFit:
    """Fit the levels by weighted maximum likelihood (Newton's steps, halved where they overshoot).

    Parameters
    ----------
    x : ndarray, shape (n, q)
        With the intercept.
    level : ndarray of int, shape (n,)
        0 to ``levels - 1``; each occurs.
    levels : int
        K.
    weight : ndarray, shape (n,)
    start : ndarray, shape (K - 1, q), optional
        Where to start from.

    Notes
    -----
    statsmodels' MNLogit takes no weights, which the rows of `with_added_rows` need.
    """
    beta = np.zeros((levels - 1, x.shape[1])) if start is None else start.copy()
    is_it = (level[:, None] == np.arange(1, levels)).astype(np.float64)
    value, share = _loglik(x, level, weight, beta)
    for _ in range(_STEPS):
        information = _information(x, weight, share)
        gradient = ((weight[:, None] * (is_it - share)).T @ x).ravel()
        step = np.linalg.solve(information, gradient)
        size, before = 1.0, value
        while size > 1e-4:
            value, share = _loglik(x, level, weight, beta + size * step.reshape(beta.shape))
            if value >= before - _SETTLED:
                break
            size /= 2
        beta = beta + size * step.reshape(beta.shape)
        if gradient @ step < _SETTLED:
            break
    return LevelFit(beta, np.asarray(np.linalg.cholesky(_information(x, weight, share)), dtype=np.float64))


def drawn_levels(fit: LevelFit, x: Array, rng: np.random.Generator) -> IntArray:
    """Return a level for each row of `x` (k, q), from the chances at a draw of the coefficients, shape (k,)."""
    noise = np.linalg.solve(fit.root.T, rng.standard_normal(fit.coefficients.size))
    share = chances(x, fit.coefficients + noise.reshape(fit.coefficients.shape))
    passed = rng.random(len(x))[:, None] > np.cumsum(share, axis=1)[:, :-1]
    return np.asarray(passed.sum(axis=1), dtype=np.int64)


def chances(x: Array, coefficients: Array) -> Array:
    """Return the chance of each level, the first included, shape (n, K)."""
    linear = np.column_stack([np.zeros(len(x)), x @ coefficients.T])
    raised = np.exp(linear - linear.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def with_added_rows(x: Array, level: IntArray, levels: int, everybody: Array) -> tuple[Array, IntArray, Array]:
    """Return the rows, levels and weights with a few light rows added, so that no coefficient runs away where columns tell a level.

    Every column gets, for every level, a row one standard deviation below its mean and one above, all others at theirs; together
    the added rows weigh as many people as there are columns.

    Parameters
    ----------
    x, level : ndarray, shape (n, q), (n,)
    levels : int
    everybody : ndarray, shape (P, q)
        The columns of observed and missing alike, for means, spreads and ranges.

    References
    ----------
    White, Daniel & Royston (2010), Computational Statistics & Data Analysis 54:2267.
    """
    mean, spread = everybody.mean(axis=0), everybody.std(axis=0)
    moving = np.flatnonzero(spread > 0)
    if len(moving) == 0:
        return x, level, np.ones(len(x))
    added = np.tile(mean, (len(moving), 2, 1))
    for side, sign in enumerate((-1.0, 1.0)):
        shifted = mean[moving] + sign * spread[moving]
        added[np.arange(len(moving)), side, moving] = np.clip(
            shifted, everybody[:, moving].min(axis=0), everybody[:, moving].max(axis=0)
        )
    once = added.reshape(-1, x.shape[1])
    weight = np.full(len(once) * levels, (len(moving) + 1) / (len(once) * levels))
    return (
        np.concatenate([x, np.tile(once, (levels, 1))]),
        np.concatenate([level, np.repeat(np.arange(levels), len(once))]),
        np.concatenate([np.ones(len(x)), weight]),
    )


def _loglik(x: Array, level: IntArray, weight: Array, beta: Array) -> tuple[float, Array]:
    """Return the log likelihood, and the chances of all levels but the first, shape (n, K - 1)."""
    share = chances(x, beta)
    own = share[np.arange(len(level)), level]
    return float(weight @ np.log(np.maximum(own, 1e-300))), share[:, 1:]


def _information(x: Array, weight: Array, share: Array) -> Array:
    """Return the information of all coefficients, level after level."""
    others, q = share.shape[1], x.shape[1]
    found = np.empty((others * q, others * q))
    for a in range(others):
        for b in range(a, others):
            load = weight * share[:, a] * ((a == b) - share[:, b])
            block = x.T @ (load[:, None] * x)
            found[a * q : (a + 1) * q, b * q : (b + 1) * q] = block
            found[b * q : (b + 1) * q, a * q : (a + 1) * q] = block.T
    found[np.diag_indices_from(found)] *= 1 + 1e-9
    return found
