"""The propensity score: unpenalised logistic regression of the arm on covariates at time zero."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from outcomes.errors import EstimationError
from outcomes.results import Array

__all__ = ["Propensity", "fit_propensity"]

_SUSPICIOUS = 12.0  # log odds beyond which separation is looked for; a chance of 1 in 160,000
_ROUNDING = 1e-6


@dataclass(frozen=True)
class Propensity:
    """A fitted score; P people, K parameters (the intercept first), all in the covariates' own units.

    Attributes
    ----------
    linear, score : ndarray, shape (P,)
        Log odds and probability of the arm that is not the reference.
    coefficients, std_errors : ndarray, shape (K,)
    design : ndarray, shape (P, K)
        With the intercept: the derivative of `linear` by the coefficients.
    influence : ndarray, shape (P, K)
        Influence of each person on the coefficients: the estimate errs by their sum.
    loglik : float
    c_statistic : float
        Chance that a person of the arm scores above one of the reference.
    """

    linear: Array
    score: Array
    coefficients: Array
    std_errors: Array
    design: Array
    influence: Array
    loglik: float
    c_statistic: float


def fit_propensity(columns: Array, treated: Array, names: tuple[str, ...]) -> Propensity:
    """Fit the score by maximum likelihood (statsmodels), without penalty.

    Parameters
    ----------
    columns : ndarray, shape (P, K - 1)
        Covariates, without intercept, none constant or collinear.
    treated : ndarray, shape (P,)
        1 in the arm, 0 in the reference.
    names : tuple of str
        Names of the columns, for messages.

    Raises
    ------
    EstimationError
        The covariates tell the arms apart exactly for some people (separation), or the fit does not converge.

    Notes
    -----
    The covariates are centred and scaled inside, so that units do not decide whether the fit converges.
    """
    centre, scale = columns.mean(axis=0), columns.std(axis=0)
    inside = np.column_stack([np.ones(len(columns)), (columns - centre) / scale])
    beta, converged = _maximise(inside, treated)
    if not converged or np.abs(inside @ beta).max() > _SUSPICIOUS:
        _refuse_separation(inside, treated, columns, names)
    if not converged:
        raise EstimationError(
            f"weight: the score ({len(names)} columns, {len(treated):,} people) did not converge. "
            "Leave out columns that say almost the same, or that vary for very few people."
        )
    # from centred and scaled back to the covariates' own units
    back = np.zeros((inside.shape[1], inside.shape[1]))
    back[0, 0] = 1.0
    back[0, 1:] = -centre / scale
    back[1:, 1:] = np.diag(1 / scale)
    linear = inside @ beta
    score = 1 / (1 + np.exp(-linear))
    covariance = np.linalg.inv(_information(inside, linear))
    return Propensity(
        linear=linear,
        score=score,
        coefficients=back @ beta,
        std_errors=np.sqrt(np.diag(back @ covariance @ back.T)),
        design=np.column_stack([np.ones(len(columns)), columns]),
        influence=((treated - score)[:, None] * inside) @ covariance @ back.T,
        loglik=-float(np.logaddexp(0.0, np.where(treated == 1, -linear, linear)).sum()),
        c_statistic=_c_statistic(score, treated),
    )


def _information(inside: Array, linear: Array) -> Array:
    """Return the information matrix (K, K) at these log odds."""
    spread = 1 / (2 + np.exp(linear) + np.exp(-linear))
    information: Array = inside.T @ (spread[:, None] * inside)
    return information


def _maximise(inside: Array, treated: Array) -> tuple[Array, bool]:
    """Return the maximum of the likelihood and whether it is one: the score equations hold to rounding."""
    import statsmodels.api as sm

    beta = np.zeros(inside.shape[1])
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # separation and convergence are judged below, and named
        try:
            fit = sm.Logit(treated, inside).fit(method="newton", maxiter=100, tol=1e-12, disp=0)
            beta = np.asarray(fit.params, dtype=np.float64)
        except Exception:  # statsmodels lets its own and numpy's errors through where the maximum is at infinity
            return beta, False
        if not np.isfinite(beta).all() or np.abs(inside @ beta).max() > 300:
            return np.zeros(inside.shape[1]), False
        gap = np.full(len(beta), np.inf)
        try:
            for _ in range(3):  # the optimiser's last digits
                linear = inside @ beta
                gap = inside.T @ (treated - 1 / (1 + np.exp(-linear)))
                beta = beta + np.linalg.solve(_information(inside, linear), gap)
        except np.linalg.LinAlgError:
            return beta, False
    return beta, bool(np.isfinite(beta).all() and np.abs(gap).max() < _ROUNDING)


def _refuse_separation(inside: Array, treated: Array, columns: Array, names: tuple[str, ...]) -> None:
    """Raise where some combination of the columns never errs about the arm, naming the columns and counting the people.

    References
    ----------
    Albert & Anderson (1984), Biometrika 71:1; by linear programming: Konis (2007), DPhil thesis, University of Oxford.
    """
    from scipy.optimize import linprog

    signed = np.where(treated == 1, 1.0, -1.0)[:, None] * inside
    found = linprog(-signed.sum(axis=0), A_ub=-signed, b_ub=np.zeros(len(signed)), bounds=(-1, 1), method="highs")
    if found.status != 0 or -found.fun <= _ROUNDING:
        return
    people = int((signed @ found.x > _ROUNDING).sum())
    alone = [name for name, column in zip(names, columns.T, strict=True) if _separates(column, treated)]
    together = [name for name, b in zip(names, found.x[1:], strict=True) if abs(b) > _ROUNDING]
    named = ", ".join(alone or together)
    raise EstimationError(
        f"weight: the covariates tell the arm of {people:,} of {len(treated):,} people exactly (separation), so no comparison person "
        f"exists for them. Look at {named}. Restrict to people eligible for both arms, or leave out or join what only one arm has."
    )


def _separates(column: Array, treated: Array) -> bool:
    """Return whether a value of a 0/1 column, or an end of the column's range that is all of it, belongs to one arm."""
    if set(np.unique(column)) <= {0.0, 1.0}:
        return any(len(np.unique(treated[column == value])) == 1 for value in (0.0, 1.0))
    a, b = column[treated == 1], column[treated == 0]
    return bool(a.min() >= b.max() or b.min() >= a.max())


def _c_statistic(score: Array, treated: Array) -> float:
    from scipy.stats import rankdata

    ranks, n1 = rankdata(score), float(treated.sum())
    return float((ranks[treated == 1].sum() - n1 * (n1 + 1) / 2) / (n1 * (len(treated) - n1)))
