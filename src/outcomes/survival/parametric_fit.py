"""Maximum likelihood of a parametric model: Newton steps on exact derivatives of every row's log likelihood.

The derivatives by the linear predictors give the information and, row by row, the scores that a robust variance is made of.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from outcomes.results import Array

if TYPE_CHECKING:
    from outcomes.survival.parametric_families import Family

__all__ = ["FitRows", "ParametricFit", "maximise", "predictors"]

_STEPS = 50
_CLOSE = 1e-14  # squared distance to the top in standard errors; the step after it squares that again
_GAINED = 1e-6  # twice what the likelihood could still gain in a direction in which it is flat
_LOST = 12.0  # standard deviations of a covariate, or logs


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
    lost : bool
        A coefficient ran so far that the likelihood has no top.
    """

    theta: Array
    loglik: float
    scores: Array
    information: Array
    converged: bool
    lost: bool


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
    from autograd import elementwise_grad

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
    """Climb from `theta` to the top of the likelihood by Newton steps, halved where they would descend.

    Where a coefficient runs away, the likelihood flattens towards a height it never reaches: the climb ends where nothing is left to
    gain, and the information, next to nothing in that direction, tells.
    """
    begin, value = theta, _loglik(family, rows, theta)
    converged = lost = False
    for _ in range(_STEPS):
        scores, information = _derivatives(family, rows, theta)
        step, distance, flat = _step(information, rows.weight @ scores)
        shrink, tried = 1.0, _loglik(family, rows, theta + step)
        while tried < value - 1e-9 * (1 + abs(value)) and shrink > 1e-6:
            shrink /= 2
            tried = _loglik(family, rows, theta + shrink * step)
        lost = bool(np.abs(theta - begin).max() > _LOST)
        if lost or tried == -np.inf:
            break
        theta, value = theta + shrink * step, tried
        if distance < (_GAINED if flat else _CLOSE):
            converged = True
            break
    scores, information = _derivatives(family, rows, theta)
    return ParametricFit(theta, value, scores, information, converged, lost)


def _step(information: Array, score: Array) -> tuple[Array, float, bool]:
    """Return the Newton step, upwards in every direction, its squared length in standard errors, and whether some way is flat."""
    if not (np.isfinite(information).all() and np.isfinite(score).all()):
        return np.zeros_like(score), np.inf, False
    values, vectors = np.linalg.eigh(information)
    largest = float(np.abs(values).max())
    safe = np.maximum(np.abs(values), 1e-12 * largest)
    along = vectors.T @ score
    step = vectors @ (along / safe)
    longest = float(np.abs(step).max())
    distance = float(along @ (along / safe))
    return step * min(1.0, 5.0 / max(longest, 1e-300)), distance, bool(values.min() < 1e-8 * largest)
