"""The covariate balancing propensity score: the logistic score under whose weights the means of both arms agree exactly."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from outcomes.adjust.propensity import Propensity, c_statistic
from outcomes.errors import EstimationError
from outcomes.results import Array
from outcomes.survival.design_matrix import in_few_words

__all__ = ["fit_balancing_score"]

_ENOUGH = 100  # steps; a few are needed where there is an answer
_BALANCED = 1e-10  # mean differences, in standard deviations, a weight of 1
_FAR = 30.0  # log odds of people whose weight runs away


def fit_balancing_score(
    start: Propensity,
    columns: Array,
    treated: Array,
    names: tuple[str, ...],
    estimand: str,
    *,
    sampling: Array | None = None,
) -> Propensity:
    """Return the score whose weights for `estimand` give both arms the same means of the columns, and the same sum.

    Parameters
    ----------
    start : Propensity
        Score by maximum likelihood, on the same columns.
    columns : ndarray, shape (P, number of columns)
        Covariates, without intercept, none constant or collinear.
    treated : ndarray, shape (P,)
        1 in the arm, 0 in the reference.
    names : tuple of str
        For messages.
    estimand : {"ate", "att", "atc"}
    sampling : ndarray, shape (P,), optional
        Sampling weights, which multiply those of the score.

    Raises
    ------
    EstimationError
        No score gives weights that balance the columns.

    Notes
    -----
    As many conditions as coefficients (exactly identified): with w the weight of the estimand, the sums of w x of both arms are equal,
    x with the intercept. These are the first-order conditions of a convex problem, solved by damped Newton steps; influence functions
    follow from them, not from the likelihood, and the standard errors of the coefficients are the sandwich's. The ATE's weights make the
    arms alike to each other; their common means need not be those of everyone. The ATT's are entropy balancing's, up to a factor.

    References
    ----------
    Imai & Ratkovic (2014), Journal of the Royal Statistical Society B 76:243.
    """
    if start.certain.any():
        _refuse(start.certain_columns)
    weight = np.ones(len(treated)) if sampling is None else sampling
    centre, scale = columns.mean(axis=0), columns.std(axis=0)
    inside = np.column_stack([np.ones(len(columns)), (columns - centre) / scale])
    arm = treated == 1
    sign = np.where(arm, 1.0, -1.0)
    turning = {"ate": np.ones(len(arm), dtype=bool), "att": ~arm, "atc": arm}[estimand]
    plain = np.ones(len(arm)) if estimand == "ate" else np.where(turning, 0.0, 1.0)
    forth = np.diag(np.r_[1.0, scale])
    forth[0, 1:] = centre
    beta = _solve(inside, sign, turning, plain, weight, forth @ start.coefficients, names)
    against = np.where(turning, weight * np.exp(-sign * (inside @ beta)), 0.0)
    spread = inside.T @ (against[:, None] * inside)
    each = (sign * (against + weight * plain))[:, None] * inside
    back = np.diag(np.r_[1.0, 1 / scale])
    back[0, 1:] = -centre / scale
    influence = np.linalg.solve(spread, each.T).T @ back.T
    linear = inside @ beta
    score = 1 / (1 + np.exp(-linear))
    return replace(
        start,
        linear=linear,
        score=score,
        coefficients=back @ beta,
        std_errors=np.sqrt((influence**2).sum(axis=0)),
        influence=influence,
        loglik=-float(weight @ np.logaddexp(0.0, -sign * linear)),
        c_statistic=c_statistic(score, treated),
    )


def _solve(
    inside: Array, sign: Array, turning: Array, plain: Array, weight: Array, beta: Array, names: tuple[str, ...]
) -> Array:
    """Return the coefficients at which the weighted sums of both arms agree."""

    def at(b: Array) -> tuple[float, Array, Array]:
        with np.errstate(over="ignore", invalid="ignore"):
            linear = sign * (inside @ b)
            against = np.where(turning, weight * np.exp(-linear), 0.0)
            gap = inside.T @ (sign * (against + weight * plain))
            return float((against - weight * plain * linear).sum()), against, gap

    value, against, gap = at(beta)
    for _ in range(_ENOUGH):
        if np.abs(gap).max() < _BALANCED * 1e-2 * weight.sum():
            break
        spread = inside.T @ (against[:, None] * inside)
        try:
            step = np.linalg.solve(spread, gap)
        except np.linalg.LinAlgError:
            break
        length = 1.0
        while length > 1e-8:
            tried = beta + length * step
            found = at(tried)
            nearer = np.abs(found[2]).max() < np.abs(gap).max() / 2  # near the answer sums no longer tell
            if nearer or found[0] <= value - 1e-4 * length * float(gap @ step):
                break
            length /= 2
        else:
            break
        beta, (value, against, gap) = tried, found
    missed = np.flatnonzero(~(np.abs(gap) < _BALANCED * weight.sum()))
    if len(missed) or np.abs(inside @ beta).max() > _FAR:
        _refuse(tuple(names[j - 1] for j in missed if j > 0) or names)
    return beta


def _refuse(names: tuple[str, ...]) -> None:
    raise EstimationError(
        f"weight: no score balances the arms in {in_few_words(names)} (method='cbps'): some people have nobody like them in the other arm. "
        "Ask about those who might have gone to either (method='logistic', estimand='ato'), or leave out or join what only one arm has."
    )
