"""Whose effect is asked, and the weight that asks it: one formula an estimand for any number of arms, with its slopes."""

from __future__ import annotations

import numpy as np

from outcomes.results import Array, IntArray

__all__ = ["ESTIMANDS", "population_of", "weights_from_log_odds", "weights_from_odds"]

ESTIMANDS = {
    "ate": "everyone compared, as they are",
    "att": "people like those in the arm that is not the reference",
    "atc": "people like those in the reference arm",
    "ato": "people who might have gone to either arm (overlap weights)",
    "atm": "people for whom a match exists in the other arm (matching weights)",
}
_OF_SEVERAL = {
    "att": "people like those in {focal}",
    "ato": "people who might have gone to any of the arms (overlap weights)",
    "atm": "people for whom a match exists in every other arm (matching weights)",
}
_LARGEST = 700.0  # beyond this exp() is no number


def population_of(estimand: str, focal: str | None, arms: int) -> str:
    """Return whose effect is asked, in words; `focal` is the arm the ATT is about.

    Examples
    --------
    >>> population_of("att", "bespoke", 3)
    'people like those in bespoke'
    """
    if arms == 2 or estimand not in _OF_SEVERAL:
        return ESTIMANDS[estimand]
    return _OF_SEVERAL[estimand].format(focal=focal)


def weights_from_log_odds(linear: Array, arm: IntArray, estimand: str, target: int) -> tuple[Array, Array]:
    """Return the weights, shape (P,), and their derivatives by the log odds of each arm, shape (P, A).

    Parameters
    ----------
    linear : ndarray, shape (P, A)
        Log odds of each arm against the reference, up to a constant a person; minus infinity where an arm could not be
        someone's. Weights are made from odds, not from chances, so that a chance of almost 1 costs no digits.
    arm : ndarray of int, shape (P,)
        Each person's own, whose log odds are finite.
    estimand : str
        A key of `ESTIMANDS`. Matching weights have a kink where two arms are equally rare; there the slope of one side is
        taken, the flat one where the own arm is among them.
    target : int
        The arm whose people are asked about (ATT, ATC).

    Notes
    -----
    A weight is h / e, with e the chance of a person's own arm and h what the estimand makes of all chances: 1 (ATE), that of the
    target (ATT, ATC), the harmonic mean (overlap) or the smallest (matching). Where an arm could not be someone's, overlap and matching
    weights are 0, and so is that of everybody who could not have been in the target.

    References
    ----------
    Li & Li (2019), Annals of Applied Statistics 13:2389; Yoshida et al. (2017), Epidemiology 28:387 (matching weights).
    """
    people, arms = linear.shape
    own = np.arange(people), arm
    with np.errstate(invalid="ignore"):
        against = np.exp(np.minimum(linear - linear[own][:, None], _LARGEST))  # odds of each arm against one's own
    mine = np.zeros((people, arms))
    mine[own] = 1.0
    if estimand == "ate":
        values = against.sum(axis=1)
        return values, against - values[:, None] * mine
    if estimand in ("att", "atc"):
        values, turned = against[:, target], np.zeros((people, arms))
        turned[:, target] = 1.0
        return values, values[:, None] * (turned - mine)
    everywhere = np.asarray(np.isfinite(linear).all(axis=1), dtype=bool)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        if estimand == "ato":
            rarity = np.exp(linear.min(axis=1, keepdims=True) - linear)  # of each arm, against the rarest
            share = rarity / rarity.sum(axis=1, keepdims=True)
            values = share[own]
            slopes = values[:, None] * (share - mine)
        else:
            rarest = np.where(against.min(axis=1) >= 1, arm, against.argmin(axis=1))
            values, turned = against[np.arange(people), rarest], np.zeros((people, arms))
            turned[np.arange(people), rarest] = 1.0
            slopes = values[:, None] * (turned - mine)
    return np.where(everywhere, values, 0.0), np.where(everywhere[:, None], slopes, 0.0)


def weights_from_odds(linear: Array, treated: Array, estimand: str) -> tuple[Array, Array]:
    """Return the weights of people in two arms and their derivative by the log odds, shape (P,) each.

    Parameters
    ----------
    linear : ndarray, shape (P,)
        Log odds of the arm that is not the reference; infinite where the arm is certain.
    treated : ndarray, shape (P,)
        1 in the arm, 0 in the reference.
    estimand : str
        A key of `ESTIMANDS`.
    """
    both = np.column_stack([np.where(linear == np.inf, -np.inf, 0.0), np.where(linear == np.inf, 0.0, linear)])
    arm = treated.astype(np.int64)
    values, slopes = weights_from_log_odds(both, arm, estimand, 0 if estimand == "atc" else 1)
    return values, slopes[:, 1]
