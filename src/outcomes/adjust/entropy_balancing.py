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
    """Weights of P people with M parameters: the target's means, and for each arm that is weighted a multiplier a column and its scale.

    Attributes
    ----------
    values : ndarray, shape (P,)
    influence, gradient : ndarray, shape (P, M)
        Influence of each person on the parameters; derivative of each weight by them.
    """

    values: Array
    influence: Array
    gradient: Array


def balance_entropy(
    columns: Array,
    arm: IntArray,
    names: tuple[str, ...],
    estimand: str,
    *,
    target: int | None = None,
    sampling: Array | None = None,
) -> Balanced:
    """Return weights that give each arm the means of the target: everyone (ate), or the people of one arm (att, atc).

    Parameters
    ----------
    columns : ndarray, shape (P, K)
    arm : ndarray of int, shape (P,)
        0 in the reference, 1 and more in the others.
    names : tuple of str
        For messages.
    estimand : {"ate", "att", "atc"}
    target : int, optional
        The arm asked about; default 1 (att) and 0 (atc).
    sampling : ndarray, shape (P,), optional
        Sampling weights: means of the target are weighted by them, and of all weights those nearest to them are taken.

    Raises
    ------
    EstimationError
        No weights above 0 give an arm those means.

    Notes
    -----
    A weight is exp(multipliers · (x - target)), times the sampling weight, scaled in its arm to the mean of the sampling weights (to 1
    without). Means, multipliers and scales solve estimating equations together, from which the influence functions come in closed form.
    Curves do not depend on the scale; a Cox model of several arms does.

    References
    ----------
    Hainmueller (2012), Political Analysis 20:25; Zhao & Percival (2017), Journal of Causal Inference 5:20160010.
    """
    base = np.ones(len(arm)) if sampling is None else sampling
    scale = columns.std(axis=0)
    x = (columns - columns.mean(axis=0)) / scale
    people, size = x.shape
    asked = np.ones(people, dtype=bool)
    if estimand != "ate":
        asked = arm == ((1 if estimand == "att" else 0) if target is None else target)
    apart = x - np.average(x[asked], axis=0, weights=base[asked])
    of_target = np.where(asked[:, None], base[:, None] * apart, 0.0) / base[asked].sum()
    values = np.where(asked, base, 0.0)
    influences, gradients = [of_target], [np.zeros((people, size))]
    for side in np.unique(arm):
        mine = arm == side
        if estimand != "ate" and asked[mine].all():
            continue
        multiplier = _multipliers(apart[mine], base[mine], names)
        weight, total = base[mine] * np.exp(apart[mine] @ multiplier), base[mine].sum()
        values[mine] = total / weight.sum() * weight
        own = np.where(mine, values, 0.0)
        drawn = own[:, None] * apart
        influences.append(-np.linalg.solve(drawn.T @ apart, (drawn - total * of_target).T).T)
        gradients.append(drawn)
        influences.append((of_target @ multiplier - np.where(mine, values - base, 0.0) / total)[:, None])
        gradients.append(own[:, None])
        gradients[0] = gradients[0] - own[:, None] * multiplier
    return Balanced(values, np.hstack(influences), np.hstack(gradients))


def _multipliers(apart: Array, base: Array, names: tuple[str, ...]) -> Array:
    """Return the multipliers under which the weighted mean of `apart` (n, K) is 0: a convex problem, solved by damped Newton steps."""
    multiplier = np.zeros(apart.shape[1])
    level, value, mean = _sums(apart, base, multiplier)
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
            found = _sums(apart, base, tried)
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
            f"weight: no weights make the means of the arms alike in {where}: some people have nobody like them in another arm. Ask "
            "about those who might have gone to either (method='logistic', estimand='ato'), or leave out or join what only one arm has."
        )
    return multiplier


def _sums(apart: Array, base: Array, multiplier: Array) -> tuple[Array, float, Array]:
    """Return the normalised weights, the logarithm of their sum before that, and the weighted mean."""
    with np.errstate(
        over="ignore", invalid="ignore", divide="ignore"
    ):  # a step too far: its sums are no numbers, and it is taken back
        logs = apart @ multiplier
        top = logs.max(initial=0.0)
        weight = base * np.exp(logs - top)
        total = weight.sum()
        return weight / total, float(np.log(total) + top), (weight / total) @ apart
