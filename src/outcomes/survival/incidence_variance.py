"""The variance of a cumulative incidence as a sum over events (Aalen 1978), for independent people without weights."""

from __future__ import annotations

import numpy as np

from outcomes.results import Array
from outcomes.survival.risk_table import RiskTable

__all__ = ["aalen_variance"]


def aalen_variance(table: RiskTable, survival: Array, incidence: Array, cause: int) -> Array:
    """Return the variance of the incidence of one cause at each time, shape (T,).

    An event of any cause at s moves the incidence at t by -(F(t) - F(s)) / S(s), one of the cause itself by 1 more; the square
    is weighted by S(s-)^2 (Y - d) d / (Y^2 (Y - 1)), d the events of that kind.

    Parameters
    ----------
    table : RiskTable
    survival, incidence : ndarray, shape (T,)
        S and F after each time.
    cause : int
        Index of the cause.
    """
    before = np.concatenate(([1.0], survival[:-1]))
    own = table.events[cause]
    others = table.ended - own
    per_left = np.divide(1.0, survival, out=np.zeros(len(survival)), where=survival > 0)
    mine, theirs = (_spread(events, table, before) for events in (own, others))
    theirs = np.where(survival > 0, theirs, 0.0)
    reach = incidence * per_left
    square = np.cumsum((1.0 + reach) ** 2 * mine + reach**2 * theirs)
    cross = np.cumsum(per_left * ((1.0 + reach) * mine + reach * theirs))
    ahead = np.cumsum(per_left**2 * (mine + theirs))
    return np.maximum(square - 2 * incidence * cross + incidence**2 * ahead, 0.0)


def _spread(events: Array, table: RiskTable, before: Array) -> Array:
    """Return S(t-)^2 times the variance of events over the number at risk, tied events drawn without replacement."""
    at_risk = table.at_risk
    several = (events > 1) & (at_risk > 1)
    tied = 1.0 - np.divide(events - 1, at_risk - 1, out=np.zeros(len(events)), where=several)
    return before**2 * tied * table.per_at_risk(table.per_at_risk(events))
