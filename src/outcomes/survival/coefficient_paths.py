"""How a coefficient of a Cox model changes over time: scaled Schoenfeld residuals smoothed by a natural spline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from outcomes.errors import EstimationError
from outcomes.results import Array
from outcomes.survival.inputs import normal_quantile
from outcomes.survival.spline_basis import raw_columns

if TYPE_CHECKING:
    import pandas as pd

    from outcomes.survival.cox_result import Cox

__all__ = ["coefficient_paths"]

_STEPS = 40
_FEWEST = 8  # distinct times of events


def coefficient_paths(model: Cox, clock: Array) -> pd.DataFrame:
    """Return each coefficient over time, one row a term and time: term, time, estimate, conf_low, conf_high.

    Parameters
    ----------
    model : Cox
    clock : ndarray, shape (G,)
        The transformed time of each group of tied events, as the test takes it; the smooth is over it.

    Raises
    ------
    EstimationError
        Fewer than 8 distinct times of events.

    Notes
    -----
    A cubic spline with two inner knots at thirds of the events, linear beyond the first and the last (4 degrees of freedom), by least
    squares on the scaled Schoenfeld residuals of the events, which scatter about the coefficient at their time. Where there are weights
    the residuals are scaled by their sum over events, and events count by their own, so that the mean stays the coefficient. Limits
    take the residuals to vary as the information would have it (Grambsch & Therneau 1994, Biometrika 81:515; Therneau & Grambsch 2000,
    6.2).
    """
    import pandas as pd

    rows = model.rows
    if len(np.unique(rows.time)) < _FEWEST:
        raise EstimationError(
            f"paths: fewer than {_FEWEST} different times of events; a smooth of them would say nothing."
        )
    residual = model.residuals("scaled_schoenfeld")
    terms = list(model.terms)
    weight = rows.weight[rows.event]
    counted = 1.0 if model.data.frequency is None else np.asarray(model.data.frequency)[rows.order[rows.event]]
    total = float(weight.sum())
    at = clock[rows.own]
    knots = np.quantile(at, [0, 1 / 3, 2 / 3, 1])
    basis = _basis(at, knots)
    moments = np.unique(np.quantile(rows.time[rows.own], np.linspace(0, 1, _STEPS), method="nearest"))
    order = np.argsort(rows.time, kind="stable")  # strata make a time come several times, always with one clock
    grid = _basis(clock[order][np.searchsorted(rows.time[order], moments)], knots)
    gram = np.linalg.pinv((basis.T * weight) @ basis)
    pulled = grid @ gram @ (basis.T * weight)
    spread = total * np.square(pulled / np.sqrt(counted)).sum(axis=1)
    reach = normal_quantile(model.conf_level)
    frames = []
    for position, term in enumerate(terms):
        coefficient = model.coefficients[position]
        scattered = coefficient + (residual[term].to_numpy() - coefficient) * (total / model.n_events)
        path = pulled @ scattered
        error = np.sqrt(spread * model.model_covariance[position, position])
        frames.append(
            pd.DataFrame(
                {
                    "term": term,
                    "time": moments,
                    "estimate": path,
                    "conf_low": path - reach * error,
                    "conf_high": path + reach * error,
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def _basis(at: Array, knots: Array) -> Array:
    scale = knots[-1] - knots[0]
    return np.column_stack([np.ones(len(at)), raw_columns((at - knots[0]) / scale, (knots - knots[0]) / scale)])
