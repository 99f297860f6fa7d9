"""The propensity score: unpenalised logistic regression of the arm on covariates at time zero."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from outcomes.adjust.separation import independent, separated
from outcomes.errors import EstimationError
from outcomes.results import Array
from outcomes.survival.design_matrix import in_few_words

__all__ = ["Propensity", "c_statistic", "fit_propensity"]

_SUSPICIOUS = 12.0  # log odds beyond which separation is looked for; a chance of 1 in 160,000
_ROUNDING = 1e-6


@dataclass(frozen=True)
class Propensity:
    """A fitted score; P people, K parameters (the intercept first), all in the covariates' own units.

    Attributes
    ----------
    linear, score : ndarray, shape (P,)
        Log odds and probability of the arm that is not the reference; infinite, and 0 or 1, for people in `certain`.
    certain : ndarray of bool, shape (P,)
        People whose arm the covariates tell exactly. The rest of the fit is as if they were not there.
    certain_columns : tuple of str
        The columns that tell it.
    coefficients, std_errors : ndarray, shape (1 + number of columns,)
        Missing for columns that say nothing once the certain people are left out. The errors are those of the likelihood; with
        sampling weights the sandwich's.
    design : ndarray, shape (P, K)
        With the intercept: the derivative of `linear` by the K coefficients that exist.
    influence : ndarray, shape (P, K)
        Influence of each person on them: the estimate errs by their sum.
    loglik : float
    c_statistic : float
        Chance that a person of the arm scores above one of the reference.
    """

    linear: Array
    score: Array
    certain: npt.NDArray[np.bool_]
    certain_columns: tuple[str, ...]
    coefficients: Array
    std_errors: Array
    design: Array
    influence: Array
    loglik: float
    c_statistic: float


def fit_propensity(
    columns: Array,
    treated: Array,
    names: tuple[str, ...],
    *,
    what: str = "weight",
    sides: str = "the arms",
    sampling: Array | None = None,
) -> Propensity:
    """Fit the score by maximum likelihood (statsmodels), without penalty.

    Parameters
    ----------
    columns : ndarray, shape (P, number of columns)
        Covariates, without intercept, none constant or collinear.
    treated : ndarray, shape (P,)
        1 in the arm, 0 in the reference.
    names : tuple of str
        Names of the columns, for messages.
    what, sides : str
        Who asks, and what the score tells apart, for messages.
    sampling : ndarray, shape (P,), optional
        Sampling weights of the likelihood; ones where None.

    Raises
    ------
    EstimationError
        The covariates tell everybody's arm exactly, or the fit does not converge.

    Notes
    -----
    Where a combination of columns never errs about the arm of some people, the likelihood has its maximum at infinity: their
    scores go to 0 or 1, and the fit of the others goes to the fit without them. That limit is what is returned.
    Covariates are centred and scaled inside, so that units do not decide whether the fit converges.
    """
    certain = np.zeros(len(treated), dtype=bool)
    count = np.ones(len(treated)) if sampling is None else sampling
    telling: list[int] = []
    while True:
        mine = np.flatnonzero(~certain)
        used = independent(columns[mine])
        x, y = columns[mine][:, used], treated[mine]
        centre, scale = x.mean(axis=0), x.std(axis=0)
        inside = np.column_stack([np.ones(len(x)), (x - centre) / scale])
        beta, converged = _maximise(inside, y, count[mine])
        if not converged or np.abs(inside @ beta).max() > _SUSPICIOUS:
            found = separated(x, y)
            if found.people.any():
                telling += [used[j] for j in found.columns if used[j] not in telling]
                certain[mine[found.people]] = True
                if min((treated[~certain] == arm).sum() for arm in (0, 1)) < 2:
                    raise EstimationError(f"{what}: {_nobody_left(sides, len(certain), telling, names)}")
                continue
        if not converged:
            raise EstimationError(
                f"{what}: the score ({len(used)} columns, {len(mine):,} people) did not converge. "
                "Leave out columns that say almost the same, or that vary for very few people."
            )
        break
    return _in_own_units(
        columns, treated, certain, tuple(names[j] for j in sorted(telling)), used, (centre, scale), inside, beta, count
    )


def _nobody_left(sides: str, people: int, telling: list[int], names: tuple[str, ...]) -> str:
    named = in_few_words(names[j] for j in sorted(telling))
    return (
        f"the covariates tell {sides} apart exactly (separation), and nobody of {people:,} people is left to compare. "
        f"Look at {named}."
    )


def _in_own_units(
    columns: Array,
    treated: Array,
    certain: npt.NDArray[np.bool_],
    telling: tuple[str, ...],
    used: list[int],
    centring: tuple[Array, Array],
    inside: Array,
    beta: Array,
    count: Array,
) -> Propensity:
    """Return the fit on centred and scaled columns `inside` (of the people who are not certain) in the covariates' own units."""
    centre, scale = centring
    back = np.zeros((len(beta), len(beta)))
    back[0, 0] = 1.0
    back[0, 1:] = -centre / scale
    back[1:, 1:] = np.diag(1 / scale)
    mine = ~certain
    linear = np.where(treated == 1, np.inf, -np.inf)
    linear[mine] = inside @ beta
    score = 1 / (1 + np.exp(-linear))
    covariance = np.linalg.inv(_information(inside, linear[mine], count[mine]))
    influence = np.zeros((len(treated), len(beta)))
    influence[mine] = ((count * (treated - score))[mine][:, None] * inside) @ covariance @ back.T
    coefficients, errors = (np.full(1 + columns.shape[1], np.nan) for _ in range(2))
    place = [0, *(1 + j for j in used)]
    by_likelihood = np.ptp(count) == 0
    spread = np.diag(back @ covariance @ back.T) if by_likelihood else (influence**2).sum(axis=0)
    coefficients[place], errors[place] = back @ beta, np.sqrt(spread)
    return Propensity(
        linear=linear,
        score=score,
        certain=certain,
        certain_columns=telling,
        coefficients=coefficients,
        std_errors=errors,
        design=np.column_stack([np.ones(len(columns)), columns[:, used]]),
        influence=influence,
        loglik=-float(count @ np.logaddexp(0.0, np.where(treated == 1, -linear, linear))),
        c_statistic=c_statistic(score, treated),
    )


def _information(inside: Array, linear: Array, count: Array) -> Array:
    """Return the information matrix (K, K) at these log odds."""
    spread = count / (2 + np.exp(linear) + np.exp(-linear))
    information: Array = inside.T @ (spread[:, None] * inside)
    return information


def _maximise(inside: Array, treated: Array, count: Array) -> tuple[Array, bool]:
    """Return the maximum of the likelihood and whether it is one: the score equations hold to rounding."""
    import statsmodels.api as sm

    beta = np.zeros(inside.shape[1])
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # separation and convergence are judged below, and named
        try:
            if np.ptp(count) == 0:
                fit = sm.Logit(treated, inside).fit(method="newton", maxiter=100, tol=1e-12, disp=0)
            else:
                fit = sm.GLM(treated, inside, family=sm.families.Binomial(), freq_weights=count).fit(tol=1e-12)
            beta = np.asarray(fit.params, dtype=np.float64)
        except Exception:  # statsmodels lets its own and numpy's errors through where the maximum is at infinity
            return beta, False
        if not np.isfinite(beta).all() or np.abs(inside @ beta).max() > 300:
            return np.zeros(inside.shape[1]), False
        gap = np.full(len(beta), np.inf)
        try:
            for _ in range(3):  # the optimiser's last digits
                linear = inside @ beta
                gap = inside.T @ (count * (treated - 1 / (1 + np.exp(-linear))))
                beta = beta + np.linalg.solve(_information(inside, linear, count), gap)
        except np.linalg.LinAlgError:
            return beta, False
    return beta, bool(np.isfinite(beta).all() and np.abs(gap).max() < _ROUNDING)


def c_statistic(score: Array, treated: Array) -> float:
    """Return the chance that a person of the arm scores above one of the reference; ties count half."""
    from scipy.stats import rankdata

    ranks, n1 = rankdata(score), float(treated.sum())
    return float((ranks[treated == 1].sum() - n1 * (n1 + 1) / 2) / (n1 * (len(treated) - n1)))
