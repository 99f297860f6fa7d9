"""Risks of one cause by a time, person by person and day by day: nobody's formula but the definition."""

from __future__ import annotations

import numpy as np

from outcomes.results import Array, IntArray


def risk_by(time: Array, event: IntArray, at: float, weight: Array | None = None) -> float:
    """Return the Aalen–Johansen risk of event 1 by `at`; 0 is censored, any other number competes."""
    each = np.ones(len(time)) if weight is None else weight
    free, risk = 1.0, 0.0
    for day in np.unique(time[(event > 0) & (time <= at)]):
        at_risk = each[time >= day].sum()
        now = time == day
        risk += free * each[now & (event == 1)].sum() / at_risk
        free *= 1 - each[now & (event > 0)].sum() / at_risk
    return risk


def overlap_weights(matrix: Array, arm: IntArray) -> Array:
    """Return weights of a logistic score fitted by statsmodels: the chance of the other arm."""
    import statsmodels.api as sm

    chance = sm.Logit(arm, sm.add_constant(matrix)).fit(disp=0, tol=1e-12).predict()
    return np.where(arm == 1, 1 - chance, chance)
