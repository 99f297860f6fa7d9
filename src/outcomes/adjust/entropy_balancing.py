"""Entropy balancing: of all weights that make the arms' means alike, those that differ least from equal ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from outcomes.errors import EstimationError
from outcomes.results import Array, IntArray
from outcomes.survival.design_matrix import in_few_words

__all__ = ["Balanced", "balance_entropy"]

_BALANCED = 1e-9  # standard deviations by which weighted means may miss their target
_ENOUGH = 200  # steps; a few are needed where there is an answer
_FAR = 30.0  # log weights that differ by more than this mean that somebody is to weigh nothing


@dataclass(frozen=True)
class Balanced:
    """Weights of P people with M parameters: the target's means, and one multiplier a column and arm that is weighted.

    Attributes
    ----------
    values : ndarray, shape (P,)
    influence, gradient : ndarray, shape (P, M)
        Influence of each person on the parameters; derivative of each weight by them.
    """

    values: Array
    influence: Array
    gradient: Array


def balance_entropy(columns: Array, arm: IntArray, names: tuple[str, ...], estimand: str) -> Balanced:
    """Return weights that give each arm the means of the target: everyone (ate), the arm (att) or the reference (atc).

    Parameters
    ----------
    columns : ndarray, shape (P, K)
    arm : ndarray of int, shape (P,)
        0 in the reference, 1 in the arm.
    names : tuple of str
        For messages.

    Raises
    ------
    EstimationError
        No weights above 0 give an arm those means.

    Notes
    -----
    A weight is exp(multipliers · (x - target)), scaled to a mean of 1 in its arm. The scale is taken as known: no estimate depends on
    it. Means and multipliers solve estimating equations together, from which the influence functions come in closed form.

    References
    ----------
    Hainmueller (2012), Political Analysis 20:25; Zhao & Percival (2017), Journal of Causal Inference 5:20160010.
    """
    scale = columns.std(axis=0)
    x = (columns - columns.mean(axis=0)) / scale
    people, size = x.shape
    target = {"ate": np.ones(people, dtype=bool), "att": arm == 1, "atc": arm == 0}[estimand]
    apart = x - x[target].mean(axis=0)
    of_target = np.where(target[:, None], apart, 0.0) / target.sum()
    values = np.where(target, 1.0, 0.0)
    influences, gradients = [of_target], [np.zeros((people, size))]
    for side in (0, 1):
        mine = arm == side
        if estimand != "ate" and target[mine].all():
            continue
        multiplier = _multipliers(apart[mine], names)
        weight = np.exp(apart[mine] @ multiplier)
        factor = mine.sum() / weight.sum()
        values[mine] = factor * weight
        drawn = np.where(mine[:, None], np.where(mine, values, 0.0)[:, None] * apart, 0.0)
        spread = drawn.T @ np.where(mine[:, None], apart, 0.0)
        influences.append(-np.linalg.solve(spread, (drawn - mine.sum() * of_target).T).T)
        gradients.append(drawn)
        gradients[0] = gradients[0] - np.where(mine, values, 0.0)[:, None] * multiplier
    return Balanced(values, np.hstack(influences), np.hstack(gradients))


def _multipliers(apart: Array, names: tuple[str, ...]) -> Array:
    """Return the multipliers under which the weighted mean of `apart` (n, K) is 0: a convex problem, solved by damped Newton steps."""
    multiplier = np.zeros(apart.shape[1])
    level, value, mean = _sums(apart, multiplier)
    for _ in range(_ENOUGH):
        if np.abs(mean).max(initial=0.0) < _BALANCED * 1e-3:
            break
        spread = (apart * level[:, None]).T @ apart - np.outer(mean, mean)
        try:
            step = np.linalg.solve(spread, mean)
        except np.linalg.LinAlgError:
            break
        length = 1.0
        while length > 1e-8:
            tried = multiplier - length * step
            found = _sums(apart, tried)
            nearer = np.abs(found[2]).max() < np.abs(mean).max() / 2  # near the answer sums no longer tell
            if nearer or found[1] <= value - 1e-4 * length * (mean @ step):
                break
            length /= 2
        else:
            break  # nothing more is gained: at the answer to rounding, or there is none
        multiplier, (level, value, mean) = tried, found
    missed = np.flatnonzero(~(np.abs(mean) < _BALANCED))
    logs = apart @ multiplier
    if len(missed) or np.ptp(logs) > _FAR:
        where = in_few_words(names[j] for j in (missed if len(missed) else range(len(names))))
        raise EstimationError(
            f"weight: no weights make the means of the arms alike in {where}: some people have nobody like them in the other arm. Ask "
            "about those who might have gone to either (method='logistic', estimand='ato'), or leave out or join what only one arm has."
        )
    return multiplier


def _sums(apart: Array, multiplier: Array) -> tuple[Array, float, Array]:
    """Return the normalised weights, the logarithm of their sum before that, and the weighted mean."""
    with np.errstate(
        over="ignore", invalid="ignore", divide="ignore"
    ):  # a step too far: its sums are no numbers, and it is taken back
        logs = apart @ multiplier
        top = logs.max(initial=0.0)
        weight = np.exp(logs - top)
        total = weight.sum()
        return weight / total, float(np.log(total) + top), (weight / total) @ apart
