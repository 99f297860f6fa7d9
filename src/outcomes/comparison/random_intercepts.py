"""A linear model whose intercept varies by unit: restricted likelihood of the variance, effects, and the units' shrunken intercepts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from outcomes.results import Array, IntArray

__all__ = ["RandomIntercepts", "at_ratio", "random_intercepts"]

_NONE, _MOST = 1e-9, 1e3  # ratios of the variances between and within units, looked at from none to all


@dataclass(frozen=True)
class RandomIntercepts:
    """The fit; N people in U units, p columns.

    Attributes
    ----------
    beta : ndarray, shape (p,)
    covariance : ndarray, shape (p, p)
        Of `beta`, the variances taken as known.
    between, within : float
        Variance of the units' intercepts, and of people about them.
    loglik : float
        Restricted log likelihood, without the terms that only hang on N and p.
    icc, icc_low, icc_high : float
        ``between / (between + within)``, and where its profile likelihood has fallen by half the quantile of chi-squared.
    p_value : float
        Of no variance between units: half that of chi-squared on 1 (the variance lies at the border of what it may be).
    units : ndarray of int, shape (U,)
    size, observed, effect, error, shrinkage : ndarray, shape (U,)
        People; mean residual; best linear predictor; its standard error given the coefficients; the share of `observed` that is kept.
    """

    beta: Array
    covariance: Array
    between: float
    within: float
    loglik: float
    icc: float
    icc_low: float
    icc_high: float
    p_value: float
    units: IntArray
    size: IntArray
    observed: Array
    effect: Array
    error: Array
    shrinkage: Array


def random_intercepts(y: Array, x: Array, unit: IntArray, conf_level: float) -> RandomIntercepts:
    """Fit by restricted maximum likelihood.

    Parameters
    ----------
    y : ndarray, shape (N,)
    x : ndarray, shape (N, p)
        With the intercept; of full rank.
    unit : ndarray of int, shape (N,)
        Two units or more.
    conf_level : float
        Of the limits of the ICC.

    Notes
    -----
    Everything but the ratio of the two variances has a closed form, so that the ratio is looked for alone, between 0 and 1000; a search
    of all parameters, as statsmodels has it, can stop at a variance of 0 that is no maximum and gives no limits there.

    References
    ----------
    Patterson & Thompson (1971), Biometrika 58:545; Henderson (1975), Biometrics 31:423; Self & Liang (1987), Journal of the American
    Statistical Association 82:605.
    """
    from scipy.optimize import brentq, minimize_scalar
    from scipy.stats import chi2

    def likelihood(log_ratio: float) -> float:
        return at_ratio(y, x, unit, float(np.exp(log_ratio))).loglik

    grid = np.linspace(np.log(_NONE), np.log(_MOST), 25)
    best = int(np.argmax([likelihood(at) for at in grid]))
    low, high = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
    at = float(minimize_scalar(lambda log_ratio: -likelihood(log_ratio), bounds=(low, high), method="bounded").x)
    none = likelihood(grid[0])
    if likelihood(at) - none < 1e-6:
        at = float(grid[0])
    top = likelihood(at)
    fall = float(chi2.ppf(conf_level, 1)) / 2

    def left(log_ratio: float) -> float:
        return likelihood(log_ratio) - top + fall

    below = 0.0 if left(grid[0]) >= 0 else np.exp(brentq(left, grid[0], at))
    above = np.inf if left(grid[-1]) >= 0 else np.exp(brentq(left, at, grid[-1]))
    ratio = 0.0 if at == grid[0] else float(np.exp(at))
    return at_ratio(
        y, x, unit, ratio,
        limits=(below / (1 + below), 1.0 if np.isinf(above) else above / (1 + above)),
        p_value=1.0 if ratio == 0 else 0.5 * float(chi2.sf(2 * (top - none), 1)),
    )  # fmt: skip


def at_ratio(
    y: Array,
    x: Array,
    unit: IntArray,
    ratio: float,
    *,
    limits: tuple[float, float] = (np.nan, np.nan),
    p_value: float = np.nan,
) -> RandomIntercepts:
    """Return the fit where the variance between units is `ratio` times that within; 0: people are independent."""
    units, code = np.unique(unit, return_inverse=True)
    size = np.bincount(code)
    kept = ratio * size / (1 + ratio * size)

    def weighed(values: Array) -> Array:
        """Return the inverse covariance of the people of a unit, times `values` (N, k)."""
        mean = np.stack([np.bincount(code, weights=column) for column in values.T], axis=1) / size[:, None]
        found: Array = values - (kept[:, None] * mean)[code]
        return found

    information = x.T @ weighed(x)
    beta = np.linalg.solve(information, weighed(x).T @ y)
    residual = y - x @ beta
    within = float(residual @ weighed(residual[:, None])[:, 0] / (len(y) - x.shape[1]))
    observed = np.bincount(code, weights=residual) / size
    free = len(y) - x.shape[1]
    loglik = -0.5 * (free * np.log(within) + np.log1p(ratio * size).sum() + np.linalg.slogdet(information)[1])
    between = ratio * within
    return RandomIntercepts(
        beta=np.asarray(beta, dtype=np.float64),
        covariance=np.asarray(within * np.linalg.inv(information), dtype=np.float64),
        between=between,
        within=within,
        loglik=float(loglik),
        icc=ratio / (1 + ratio),
        icc_low=limits[0],
        icc_high=limits[1],
        p_value=p_value,
        units=units,
        size=size,
        observed=observed,
        effect=kept * observed,
        error=np.sqrt(between * (1 - kept)),
        shrinkage=kept,
    )
