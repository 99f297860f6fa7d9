"""Whose effect is asked, and the weight that asks it: one formula an estimand, with its slope."""

from __future__ import annotations

import numpy as np

from outcomes.results import Array

__all__ = ["ESTIMANDS", "weights_from_odds"]

ESTIMANDS = {
    "ate": "everyone compared, as they are",
    "att": "people like those in the arm that is not the reference",
    "atc": "people like those in the reference arm",
    "ato": "people who might have gone to either arm (overlap weights)",
    "atm": "people for whom a match exists in the other arm (matching weights)",
}


def weights_from_odds(linear: Array, treated: Array, estimand: str) -> tuple[Array, Array]:
    """Return the weights and their derivative by the log odds, shape (P,) each.

    Parameters
    ----------
    linear : ndarray, shape (P,)
        Log odds of the arm that is not the reference. Weights are made from odds, not from probabilities, so that a score
        of almost 1 costs no digits. Infinite where the arm is certain: such people weigh 0 where that is the limit.
    treated : ndarray, shape (P,)
        1 in the arm, 0 in the reference.
    estimand : str
        A key of `ESTIMANDS`. Matching weights have a kink at even odds; there the slope of the flat side is taken.
    """
    arm = treated == 1
    against = np.exp(np.minimum(np.where(arm, -linear, linear), 700.0))  # odds against the arm a person is in
    sign = np.where(arm, -1.0, 1.0)  # of d log(against) / d linear
    if estimand == "ate":
        return 1 + against, sign * against
    if estimand in ("att", "atc"):
        target = arm if estimand == "att" else ~arm
        return np.where(target, 1.0, against), np.where(target, 0.0, sign * against)
    if estimand == "ato":
        other = against / (1 + against)  # the chance of the other arm
        return other, sign * other * (1 - other)
    rarer = against < 1
    return np.where(rarer, against, 1.0), np.where(rarer, sign * against, 0.0)
