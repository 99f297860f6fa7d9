"""Least squares, or a log-linear fit, of restricted times weighted for censoring; arrays in, a small frozen result out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from outcomes.errors import EstimationError
from outcomes.results import Array, IntArray
from outcomes.survival.risk_table import RiskTable, risk_table, summed

__all__ = ["MeanTimeFit", "fit_mean_time"]

_STEPS = 100


@dataclass(frozen=True)
class MeanTimeFit:
    """Coefficients (p,) and how they move with each person's weight (P, p)."""

    coefficients: Array
    influence: Array


def fit_mean_time(
    x: Array, exit: Array, event: IntArray, arm: IntArray, weight: Array, horizon: float, *, log: bool, lost: bool
) -> MeanTimeFit:
    """Fit the regression (Tian, Zhao & Wei 2014).

    Parameters
    ----------
    x : ndarray, shape (P, p)
        The intercept among the columns.
    exit, event, arm, weight : ndarray, shape (P,)
        Censoring is estimated within each arm.
    log : bool
        Whether the mean is the exponential of the linear predictor.
    lost : bool
        Whether the response is the time lost up to the horizon in place of the time free.
    """
    time = np.minimum(exit, horizon)
    known = (event > 0) | (time == horizon)
    censoring = [_censoring(np.flatnonzero((arm == k) & (weight > 0)), time, known, weight) for k in np.unique(arm)]
    each = np.zeros(len(x))
    for one in censoring:
        each[one.rows] = one.share
    response = horizon - time if lost else time
    coefficients = _solve(x, response, weight * each, log=log)
    mean = np.exp(x @ coefficients) if log else x @ coefficients
    score = x * (each * (response - mean))[:, None]
    moved = np.zeros(x.shape)
    for one in censoring:
        moved[one.rows] = score[one.rows] + one.of_estimating(score[one.rows])
    slope = (x * (weight * (mean if log else 1.0))[:, None]).T @ x
    return MeanTimeFit(coefficients, np.asarray(np.linalg.solve(slope, moved.T).T, dtype=np.float64))


def _solve(x: Array, response: Array, weight: Array, *, log: bool) -> Array:
    """Return the coefficients with sum of ``weight * x * (response - mean)`` 0."""
    if not log:
        return np.asarray(np.linalg.solve((x * weight[:, None]).T @ x, x.T @ (weight * response)))
    level = float(weight @ response / weight.sum())
    if level <= 0:
        raise EstimationError("rmst_regression: nobody lost any time within the horizon; there is no ratio.")
    coefficients = np.linalg.lstsq(x, np.full(len(x), np.log(level)), rcond=None)[0]
    for _ in range(_STEPS):
        mean = np.exp(x @ coefficients)
        step = np.linalg.solve((x * (weight * mean)[:, None]).T @ x, x.T @ (weight * (response - mean)))
        coefficients = coefficients + step
        if np.abs(x @ step).max() < 1e-13:
            return np.asarray(coefficients)
    raise EstimationError("rmst_regression: the log-linear fit did not settle; a level may have lost no time at all.")


@dataclass(frozen=True)
class _Censoring:
    """The censoring of one arm of n people: what each known time stands for, and what it costs to have estimated that.

    Attributes
    ----------
    rows : ndarray of int, shape (n,)
    table : RiskTable
        Its events are the censorings.
    lost, weight : ndarray, shape (n,)
        Whether censored; weight.
    share : ndarray, shape (n,)
        One over the share not yet censored for known times, 0 for others.
    """

    rows: IntArray
    table: RiskTable
    lost: IntArray
    weight: Array
    share: Array

    def of_estimating(self, score: Array) -> Array:
        """Return how the weighted sum of `score` (n, p) moves with each person's weight through the share not censored."""
        table = self.table
        total = np.stack([summed(table.last, self.weight * column, len(table.times)) for column in score.T], axis=1)
        mean = np.cumsum(total[::-1], axis=0)[::-1] / table.at_risk[:, None]
        spent = np.cumsum(mean * table.per_at_risk(table.ended)[:, None], axis=0)
        return np.asarray(self.lost[:, None] * mean[table.last] - spent[table.last])


def _censoring(rows: IntArray, time: Array, known: npt.NDArray[np.bool_], weight: Array) -> _Censoring:
    """Return the censoring of the people `rows`."""
    lost, mine = (~known[rows]).astype(np.int64), weight[rows]
    table = risk_table(np.zeros(len(rows)), time[rows], lost, mine, np.ones(len(rows)), 1)
    left = np.cumprod(1.0 - table.per_at_risk(table.ended))[table.last]
    share = np.divide(1.0, left, out=np.zeros(len(rows)), where=known[rows] & (left > 0))
    return _Censoring(rows, table, lost, mine, share)
