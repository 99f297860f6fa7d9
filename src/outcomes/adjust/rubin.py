"""Rubin's rules: one estimate from those of several imputed sets, with the doubt of not having seen what was imputed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from outcomes.results import Array

__all__ = ["JointTest", "RubinRows", "pooled_covariance", "pooled_test", "rubin"]


@dataclass(frozen=True)
class RubinRows:
    """k numbers, each pooled by itself over m sets.

    Attributes
    ----------
    estimate : ndarray, shape (k,)
        Mean of the sets' estimates.
    within, between, total : ndarray, shape (k,)
        Mean of the sets' variances; variance of their estimates; ``within + (1 + 1/m) between``.
    relative_increase : ndarray, shape (k,)
        Of the variance, by not having seen what was imputed: (1 + 1/m) between / within.
    share_between : ndarray, shape (k,)
        (1 + 1/m) between / total.
    df : ndarray, shape (k,)
        Degrees of freedom of t; infinite for the normal distribution.
    fmi : ndarray, shape (k,)
        Fraction of missing information, with the small-sample correction by `df`.
    m : int
    """

    estimate: Array
    within: Array
    between: Array
    total: Array
    relative_increase: Array
    share_between: Array
    df: Array
    fmi: Array
    m: int


@dataclass(frozen=True)
class JointTest:
    """Test that k numbers are all 0: F statistic on (df_numerator, df_residual)."""

    statistic: float
    df_numerator: int
    df_residual: float
    p_value: float


def rubin(estimates: Array, variances: Array, df_complete: Array | float = np.inf) -> RubinRows:
    """Return k numbers pooled over m sets.

    Parameters
    ----------
    estimates, variances : ndarray, shape (m, k)
    df_complete : float or ndarray, shape (k,)
        Degrees of freedom had nothing been missing; infinite for the normal distribution.

    Notes
    -----
    Where the sets do not differ nothing was missing that mattered, and the degrees of freedom are those of complete data.

    References
    ----------
    Rubin (1987), Multiple Imputation for Nonresponse in Surveys, section 3.3; degrees of freedom: Barnard & Rubin (1999), Biometrika
    86:948.
    """
    m = len(estimates)
    q, within = np.asarray(estimates.mean(axis=0)), np.asarray(variances.mean(axis=0))
    between = np.asarray(estimates.var(axis=0, ddof=1))
    between = np.where(_same(estimates), 0.0, between)
    more = (1 + 1 / m) * between
    total = within + more
    with np.errstate(divide="ignore", invalid="ignore"):
        increase = np.where(more > 0, more / within, 0.0)
        share = np.where(more > 0, more / total, 0.0)
        df = degrees_of_freedom(share, m, np.broadcast_to(np.asarray(df_complete, dtype=np.float64), share.shape))
        # as share + 2 (1 - share) / (df + 3): the usual form, which stays a number where the sets' own variances are 0
        fmi = np.where(more > 0, share + (1 - share) * 2 / (df + 3), 0.0)
    known = np.isfinite(total)
    return RubinRows(
        estimate=q,
        within=within,
        between=between,
        total=total,
        relative_increase=np.where(known, increase, np.nan),
        share_between=np.where(known, share, np.nan),
        df=np.where(known, df, np.nan),
        fmi=np.where(known, fmi, np.nan),
        m=m,
    )


def degrees_of_freedom(share: Array, m: int, complete: Array) -> Array:
    """Return Barnard and Rubin's degrees of freedom; `share` is that of the variance between sets in the total."""
    with np.errstate(divide="ignore", invalid="ignore"):
        many = np.where(share > 0, (m - 1) / share**2, np.inf)
        few = np.where(np.isfinite(complete), (complete + 1) / (complete + 3) * complete * (1 - share), np.inf)
        both = 1 / (1 / many + 1 / few)
    return np.where(share > 0, both, complete)


def pooled_covariance(estimates: Array, covariances: Array) -> Array:
    """Return the total covariance of k numbers, shape (k, k).

    Parameters
    ----------
    estimates : ndarray, shape (m, k)
    covariances : ndarray, shape (m, k, k)
    """
    m = len(estimates)
    apart = np.where(_same(estimates), 0.0, estimates - estimates.mean(axis=0))
    return np.asarray(covariances.mean(axis=0) + (1 + 1 / m) * (apart.T @ apart) / (m - 1))


def pooled_test(estimates: Array, covariances: Array) -> JointTest:
    """Return the test that all k numbers are 0, the increase of the variance taken as the same for all of them.

    Parameters
    ----------
    estimates : ndarray, shape (m, k)
    covariances : ndarray, shape (m, k, k)

    References
    ----------
    Li, Raghunathan & Rubin (1991), JASA 86:1065, equations 1.17 to 1.19.
    """
    from scipy.stats import f

    m, k = estimates.shape
    mean, within = estimates.mean(axis=0), covariances.mean(axis=0)
    apart = np.where(_same(estimates), 0.0, estimates - mean)
    increase = (1 + 1 / m) * float(np.trace(np.linalg.solve(within, apart.T @ apart / (m - 1)))) / k
    statistic = float(mean @ np.linalg.solve(within, mean)) / (k * (1 + increase))
    t = k * (m - 1)
    if increase == 0:
        df = float("inf")
    elif t > 4:
        df = 4 + (t - 4) * (1 + (1 - 2 / t) / increase) ** 2
    else:
        df = t * (1 + 1 / k) * (1 + 1 / increase) ** 2 / 2
    return JointTest(statistic, k, df, float(f.sf(statistic, k, df if np.isfinite(df) else 1e12)))


def _same(estimates: Array) -> Array:
    """Return which numbers are the same in every set, shape (k,)."""
    return np.asarray((estimates == estimates[0]).all(axis=0))
