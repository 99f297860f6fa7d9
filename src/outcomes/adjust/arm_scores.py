"""The score of several arms: unpenalised multinomial logistic regression, each person among the arms that could be theirs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from outcomes.adjust.separation import rows_told
from outcomes.errors import EstimationError
from outcomes.results import Array, IntArray
from outcomes.survival.design_matrix import in_few_words

__all__ = ["ArmScores", "fit_arm_scores"]

_SUSPICIOUS = 12.0  # log odds beyond which separation is looked for; a chance of 1 in 160,000
_STEPS = 100
_SETTLED = 1e-10  # of the information of one person
_FLAT = 1e-12  # of the largest eigenvalue: directions that no person's chances tell


@dataclass(frozen=True)
class ArmScores:
    """Fitted chances of A arms; P people, K parameters an arm (the intercept first), all in the covariates' own units.

    Attributes
    ----------
    linear : ndarray, shape (P, A)
        Log odds of each arm against the first; minus infinity where an arm could not be someone's.
    chances : ndarray, shape (P, A)
        Chance of each arm; 0 where it could not be someone's.
    possible : ndarray of bool, shape (P, A)
        False where the covariates tell exactly that an arm could not be a person's.
    telling : tuple of str
        The columns that tell it.
    coefficients, std_errors : ndarray, shape (A - 1, K)
        Log odds of each arm against the first, arm by arm; missing where nothing is left to tell them. The errors are those of the
        likelihood; with sampling weights the sandwich's.
    design : ndarray, shape (P, K)
        With the intercept.
    influence : ndarray, shape (P, (A - 1) K)
        Influence of each person on the coefficients, arm after arm: the estimate errs by their sum.
    loglik : float
    """

    linear: Array
    chances: Array
    possible: npt.NDArray[np.bool_]
    telling: tuple[str, ...]
    coefficients: Array
    std_errors: Array
    design: Array
    influence: Array
    loglik: float


def fit_arm_scores(
    columns: Array, arm: IntArray, names: tuple[str, ...], arms: tuple[str, ...], *, sampling: Array | None = None
) -> ArmScores:
    """Fit the chances of all arms by maximum likelihood, without penalty.

    Parameters
    ----------
    columns : ndarray, shape (P, number of columns)
        Covariates, without intercept, none constant or collinear.
    arm : ndarray of int, shape (P,)
        0 to A - 1; each occurs.
    names, arms : tuple of str
        Names of the columns and of the arms, for messages.
    sampling : ndarray, shape (P,), optional
        Sampling weights of the likelihood; ones where None.

    Raises
    ------
    EstimationError
        The covariates tell everybody's arm exactly, or the fit does not converge.

    Notes
    -----
    Where a combination of columns never errs about some people and an arm, the likelihood has its maximum at infinity: their chance of
    that arm goes to 0, and the fit goes to one in which these people chose among the other arms only. That limit is what is returned;
    statsmodels' MNLogit, which gives the same where every arm could be everyone's, knows neither such a fit nor sampling weights.
    Covariates are centred and scaled inside, so that units do not decide whether the fit converges.
    """
    weight = np.ones(len(arm)) if sampling is None else sampling
    possible = np.ones((len(arm), len(arms)), dtype=bool)
    centre, scale = columns.mean(axis=0), columns.std(axis=0)
    inside = np.column_stack([np.ones(len(columns)), (columns - centre) / scale])
    telling: list[int] = []
    while True:
        beta, converged = _maximise(inside, arm, possible, weight)
        linear = _log_odds(inside, beta, possible)
        if not converged or _reach(linear, possible) > _SUSPICIOUS:
            told, combination = _told(inside, arm, possible)
            if told.any():
                possible &= ~told
                telling += [j for j in _who_tells(columns, arm, combination, len(arms)) if j not in telling]
                if not (possible.sum(axis=1) > 1).any():
                    raise EstimationError(_nobody_left(len(arm), telling, names))
                continue
        if not converged:
            raise EstimationError(
                f"weight: the score ({len(names)} columns, {len(arm):,} people, {len(arms)} arms) did not converge. "
                "Leave out columns that say almost the same, or that vary for very few people."
            )
        break
    back = np.diag(np.r_[1.0, 1 / scale])
    back[0, 1:] = -centre / scale
    return _in_own_units(
        columns, arm, possible, tuple(names[j] for j in sorted(telling)), inside, beta, np.asarray(back), weight
    )


def _nobody_left(people: int, telling: list[int], names: tuple[str, ...]) -> str:
    named = in_few_words(names[j] for j in sorted(telling))
    return (
        f"weight: the covariates tell the arms apart exactly (separation), and nobody of {people:,} people is left to compare. "
        f"Look at {named}."
    )


def _log_odds(inside: Array, beta: Array, possible: npt.NDArray[np.bool_]) -> Array:
    """Return the log odds of each arm against the first, shape (P, A)."""
    linear = np.column_stack([np.zeros(len(inside)), inside @ beta.T])
    return np.where(possible, linear, -np.inf)


def _reach(linear: Array, possible: npt.NDArray[np.bool_]) -> float:
    """Return the largest log odds between two arms that could be a person's."""
    low = np.where(possible, linear, np.inf).min(axis=1)
    return float((linear.max(axis=1) - low).max())


def _chances(linear: Array) -> Array:
    raised = np.exp(linear - linear.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def _loglik(linear: Array, arm: IntArray, weight: Array) -> float:
    top = linear.max(axis=1)
    own = linear[np.arange(len(arm)), arm]
    return float(weight @ (own - top - np.log(np.exp(linear - top[:, None]).sum(axis=1))))


def _information(inside: Array, chances: Array, weight: Array) -> Array:
    """Return the information of all coefficients, arm after arm, shape ((A - 1) K, (A - 1) K)."""
    others, size = chances.shape[1] - 1, inside.shape[1]
    found = np.empty((others, size, others, size))
    for a in range(others):
        for b in range(a, others):
            spread = weight * chances[:, a + 1] * ((a == b) - chances[:, b + 1])
            found[a, :, b, :] = inside.T @ (spread[:, None] * inside)
            found[b, :, a, :] = found[a, :, b, :].T
    return found.reshape(others * size, others * size)


def _each_gradient(inside: Array, arm: IntArray, chances: Array, weight: Array) -> Array:
    """Return what each person adds to the gradient, shape (P, (A - 1) K)."""
    is_it = arm[:, None] == np.arange(1, chances.shape[1])
    left = weight[:, None] * (is_it - chances[:, 1:])
    return np.asarray((left[:, :, None] * inside[:, None, :]).reshape(len(arm), -1))


def _maximise(inside: Array, arm: IntArray, possible: npt.NDArray[np.bool_], weight: Array) -> tuple[Array, bool]:
    """Return the maximum of the likelihood, by Newton's steps halved where they overshoot, and whether it is one."""
    beta = np.zeros((possible.shape[1] - 1, inside.shape[1]))
    linear = _log_odds(inside, beta, possible)
    value = _loglik(linear, arm, weight)
    for _ in range(_STEPS):
        chances = _chances(linear)
        gradient = _each_gradient(inside, arm, chances, weight).sum(axis=0)
        step = _inverse(_information(inside, chances, weight))[0] @ gradient
        gain = float(gradient @ step)
        if not np.isfinite(gain) or _reach(linear, possible) > 300:
            return beta, False
        length = 1.0
        while length > 1e-6:
            tried = beta + length * step.reshape(beta.shape)
            found = _log_odds(inside, tried, possible)
            raised = _loglik(found, arm, weight)
            if raised >= value - 1e-9 * (1 + abs(value)):
                break
            length /= 2
        beta, linear, value = tried, found, raised
        if gain < _SETTLED**2 * weight.sum():
            return beta, True
    return beta, False


def _inverse(information: Array) -> tuple[Array, npt.NDArray[np.bool_]]:
    """Return the inverse on the directions that are told, and which coefficients are told at all."""
    values, vectors = np.linalg.eigh(information)
    flat = values <= _FLAT * max(float(values[-1]), 1e-300)
    kept = vectors[:, ~flat]
    told = (np.abs(vectors[:, flat]) < 1e-6).all(axis=1)
    return np.asarray((kept / values[~flat]) @ kept.T), np.asarray(told, dtype=bool)


def _told(
    inside: Array, arm: IntArray, possible: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Return which arms could not be whose, shape (P, A), and which columns of which arm tell it, shape (A, K)."""
    arms, size = possible.shape[1], inside.shape[1]
    others = possible.copy()
    others[np.arange(len(arm)), arm] = False
    person, other = np.nonzero(others)
    signed = np.zeros((len(person), arms, size))
    signed[np.arange(len(person)), arm[person]] = inside[person]
    signed[np.arange(len(person)), other] -= inside[person]
    rows = signed[:, 1:].reshape(len(person), -1)
    used = _spanning(rows)
    found = rows_told(rows[:, used])
    told = np.zeros(possible.shape, dtype=bool)
    combination = np.zeros((arms, size), dtype=bool)
    if found is not None:
        told[person[found[0]], other[found[0]]] = True
        where = np.zeros((arms - 1) * size, dtype=bool)
        where[used] = np.abs(found[1]) > 1e-6 * np.abs(found[1]).max()
        combination[1:] = where.reshape(arms - 1, size)
    return told, combination


def _spanning(rows: Array) -> list[int]:
    """Return columns that span what all do: those left over say nothing about the rows."""
    from scipy.linalg import qr

    triangle, order = qr(rows.T @ rows, mode="r", pivoting=True)
    size = np.abs(np.diag(triangle))
    return sorted(int(j) for j in order[size > 1e-10 * max(float(size[0]), 1e-300)])


def _who_tells(columns: Array, arm: IntArray, combination: npt.NDArray[np.bool_], arms: int) -> list[int]:
    """Return the columns of a combination; those that tell something alone, where there are any."""
    together = [j for j in range(columns.shape[1]) if combination[:, j + 1].any()]
    return [j for j in together if _alone(columns[:, j], arm, arms)] or together


def _alone(column: Array, arm: IntArray, arms: int) -> bool:
    """Return whether a value of a 0/1 column lacks an arm, or the values of an arm lie on one side of all others'."""
    values = np.unique(column)
    if set(values) <= {0.0, 1.0}:
        return any(len(np.unique(arm[column == v])) < arms for v in values)
    return any(
        column[arm == a].min() >= column[arm != a].max() or column[arm == a].max() <= column[arm != a].min()
        for a in range(arms)
    )


def _in_own_units(
    columns: Array,
    arm: IntArray,
    possible: npt.NDArray[np.bool_],
    telling: tuple[str, ...],
    inside: Array,
    beta: Array,
    back: Array,
    weight: Array,
) -> ArmScores:
    """Return the fit on centred and scaled columns in the covariates' own units."""
    linear = _log_odds(inside, beta, possible)
    chances = _chances(linear)
    covariance, told = _inverse(_information(inside, chances, weight))
    turn = np.kron(np.eye(len(beta)), back.T)
    influence = _each_gradient(inside, arm, chances, weight) @ covariance @ turn
    told_back = ~((~told).astype(float) @ np.abs(turn) > 1e-12)
    by_likelihood = np.ptp(weight) == 0
    spread = np.diag(turn.T @ covariance @ turn) if by_likelihood else (influence**2).sum(axis=0)
    errors = np.sqrt(np.maximum(spread, 0.0))
    coefficients = (beta @ back.T).ravel()
    return ArmScores(
        linear=linear,
        chances=chances,
        possible=possible,
        telling=telling,
        coefficients=np.where(told_back, coefficients, np.nan).reshape(beta.shape),
        std_errors=np.where(told_back, errors, np.nan).reshape(beta.shape),
        design=np.column_stack([np.ones(len(columns)), columns]),
        influence=influence,
        loglik=_loglik(linear, arm, weight),
    )
