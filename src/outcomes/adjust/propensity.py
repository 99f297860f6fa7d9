"""The propensity score: unpenalised logistic regression of the arm on covariates at time zero."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from outcomes.errors import EstimationError
from outcomes.results import Array

__all__ = ["Propensity", "fit_propensity"]


@dataclass(frozen=True)
class Propensity:
    """A fitted score; P people, K parameters (the intercept first).

    Attributes
    ----------
    score : ndarray, shape (P,)
        Probability of the arm that is not the reference.
    coefficients : ndarray, shape (K,)
    design : ndarray, shape (P, K)
        With the intercept, as fitted (columns centred and scaled).
    influence : ndarray, shape (P, K)
        Influence of each person on the coefficients: the fit errs by their sum.
    c_statistic : float
        Chance that a person of the arm scores above one of the reference.
    """

    score: Array
    coefficients: Array
    design: Array
    influence: Array
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
        The score separates the arms (a covariate or a combination tells the arm exactly), or the fit does not converge.
    """
    import statsmodels.api as sm
    from scipy.stats import rankdata

    centre, scale = columns.mean(axis=0), columns.std(axis=0)
    design = np.column_stack([np.ones(len(columns)), (columns - centre) / scale])
    failed = ""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            fit = sm.Logit(treated, design).fit(method="newton", maxiter=100, tol=1e-14, disp=0)
            beta = np.asarray(fit.params, dtype=np.float64)
        except Exception as problem:  # statsmodels raises its own and numpy's errors for separation
            failed = type(problem).__name__
            beta = np.zeros(design.shape[1])
    eta = design @ beta
    extreme = not np.isfinite(beta).all() or np.abs(beta[1:]).max(initial=0.0) > 15
    if failed or extreme or np.abs(eta).max() > 30:
        suspects = [name for name, column in zip(names, columns.T, strict=True) if _separates(column, treated)]
        hint = f" Look at {', '.join(suspects)}." if suspects else ""
        raise EstimationError(
            "weight: the covariates tell the arms apart exactly for some people (separation), so no comparison person exists for them."
            f"{hint} Restrict to people eligible for both arms, or leave out what only one arm has."
        )
    # two Newton steps of our own take the optimiser's last digits
    for _ in range(2):
        score = 1 / (1 + np.exp(-(design @ beta)))
        information = design.T @ ((score * (1 - score))[:, None] * design)
        beta = beta + np.linalg.solve(information, design.T @ (treated - score))
    score = 1 / (1 + np.exp(-(design @ beta)))
    information = design.T @ ((score * (1 - score))[:, None] * design)
    influence = ((treated - score)[:, None] * design) @ np.linalg.inv(information)
    ranks, n1 = rankdata(score), float(treated.sum())
    c = (ranks[treated == 1].sum() - n1 * (n1 + 1) / 2) / (n1 * (len(treated) - n1))
    return Propensity(score, beta, design, np.asarray(influence), float(c))


def _separates(column: Array, treated: Array) -> bool:
    """Return whether some value of a 0/1 column, or the column's range, belongs to one arm only."""
    if set(np.unique(column)) <= {0.0, 1.0}:
        return any(len(np.unique(treated[column == value])) == 1 for value in (0.0, 1.0))
    a, b = column[treated == 1], column[treated == 0]
    return bool(a.min() > b.max() or b.min() > a.max())
