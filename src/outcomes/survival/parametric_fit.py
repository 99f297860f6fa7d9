"""Maximum likelihood of a parametric model: Newton steps on exact derivatives of every row's log likelihood.

The derivatives by the linear predictors give the information and, row by row, the scores that a robust variance is made of.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from autograd import elementwise_grad

from outcomes.results import Array
from outcomes.survival.parametric_families import Family

__all__ = ["FitRows", "ParametricFit", "maximise", "predictors"]

_STEPS = 100
_CLOSE = 1e-14  # squared distance to the top in standard errors; the step after it squares that again


@dataclass(frozen=True)
class FitRows:
    """N rows (entry, exit]; K parameters.

    Attributes
    ----------
    log_exit, log_entry : ndarray, shape (N,)
        Log times; entry is meaningful where `late`.
    late, event : ndarray of bool, shape (N,)
    weight : ndarray, shape (N,)
        Sampling weight times frequency, mean 1.
    designs : tuple of ndarray, shape (N, p_k) each
        Columns of each parameter, the intercept first, the others with mean 0 and standard deviation 1.
    """

    log_exit: Array
    log_entry: Array
    late: npt.NDArray[np.bool_]
    event: npt.NDArray[np.bool_]
    weight: Array
    designs: tuple[Array, ...]


@dataclass(frozen=True)
class ParametricFit:
    """The top of the likelihood; N rows, p coefficients of all parameters in order.

    Attributes
    ----------
    theta : ndarray, shape (p,)
    loglik : float
        Weighted sum over the rows.
    scores : ndarray, shape (N, p)
        Derivative of each row's log likelihood, not weighted.
    information : ndarray, shape (p, p)
    converged : bool
    """

    theta: Array
    loglik: float
    scores: Array
    information: Array
    converged: bool


def predictors(designs: tuple[Array, ...], theta: Array) -> list[Array]:
    """Return one linear predictor a parameter, shape (N,) each."""
    ends = np.cumsum([design.shape[1] for design in designs])
    return [design @ part for design, part in zip(designs, np.split(theta, ends[:-1]), strict=True)]


def _rows_loglik(family: Family, rows: FitRows, *eta: Any) -> Any:
    found = rows.event * family.log_hazard(rows.log_exit, *eta) - family.cumulative_hazard(rows.log_exit, *eta)
    if rows.late.any():
        entry = np.where(rows.late, rows.log_entry, rows.log_exit)
        found = found + rows.late * family.cumulative_hazard(entry, *eta)
    return found


def _loglik(family: Family, rows: FitRows, theta: Array) -> float:
    with np.errstate(all="ignore"):
        total = float(rows.weight @ _rows_loglik(family, rows, *predictors(rows.designs, theta)))
    return total if np.isfinite(total) else -np.inf


def _derivatives(family: Family, rows: FitRows, theta: Array) -> tuple[Array, Array]:
    """Return each row's score (N, p) and the information (p, p)."""
    eta = predictors(rows.designs, theta)

    def loglik(*linear: Any) -> Any:
        return _rows_loglik(family, rows, *linear)

    scores, size = [], len(rows.designs)
    blocks = [[np.empty(0)] * size for _ in range(size)]
    with np.errstate(all="ignore"):
        for k, design in enumerate(rows.designs):
            first = elementwise_grad(loglik, k)
            scores.append(first(*eta)[:, None] * design)
            for j in range(k, size):
                curve = rows.weight * elementwise_grad(first, j)(*eta)
                blocks[k][j] = -(design * curve[:, None]).T @ rows.designs[j]
                blocks[j][k] = blocks[k][j].T
    return np.hstack(scores), np.block(blocks)


def maximise(family: Family, rows: FitRows, theta: Array) -> ParametricFit:
    """Climb from `theta` to the top of the likelihood by Newton steps, halved where they would descend."""
    value = _loglik(family, rows, theta)
    converged = False
    for _ in range(_STEPS):
        scores, information = _derivatives(family, rows, theta)
        step, distance = _step(information, rows.weight @ scores)
        theta_new, value_new = theta + step, _loglik(family, rows, theta + step)
        shrink = 1.0
        while value_new < value - 1e-9 * (1 + abs(value)) and shrink > 1e-6:
            shrink /= 2
            theta_new = theta + shrink * step
            value_new = _loglik(family, rows, theta_new)
        if value_new == -np.inf:
            break
        theta, value = theta_new, value_new
        if distance < _CLOSE:
            converged = True
            break
    scores, information = _derivatives(family, rows, theta)
    return ParametricFit(theta, value, scores, information, converged)


def _step(information: Array, score: Array) -> tuple[Array, float]:
    """Return the Newton step, upwards in every direction, and the squared length of it in standard errors."""
    if not (np.isfinite(information).all() and np.isfinite(score).all()):
        return np.zeros_like(score), np.inf
    values, vectors = np.linalg.eigh(information)
    safe = np.maximum(np.abs(values), 1e-10 * max(float(np.abs(values).max()), 1e-300))
    along = vectors.T @ score
    step = vectors @ (along / safe)
    longest = np.abs(step).max()
    return step * min(1.0, 5.0 / longest if longest > 0 else 1.0), float(along @ (along / safe))
