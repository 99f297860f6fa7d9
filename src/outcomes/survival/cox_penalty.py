"""Maximising a partial likelihood with some coefficients held, as it is or with Firth's penalty.

Firth (1993, Biometrika 80:27) adds half the log determinant of the information; Heinze & Schemper (2001, Biometrics 57:114) took it to
the Cox model. Its slope is half the third central moments over risk sets, contracted with the inverse information: like the information
itself it is summed over rows, with what each row was exposed to, not risk set by risk set.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from outcomes.results import Array
from outcomes.survival.cox_kernel import RiskSums, information, risk_sums
from outcomes.survival.cox_rows import CoxRows

__all__ = ["Point", "climb", "firth_slope", "point_at"]

_LONGEST = 5.0  # standard deviations of a covariate a step may go


@dataclass(frozen=True)
class Point:
    """A (penalised) log likelihood at one value of the coefficients; p terms.

    Attributes
    ----------
    beta, slope : ndarray, shape (p,)
    value : float
    information : ndarray, shape (p, p)
        Without the penalty.
    converged : bool
    """

    beta: Array
    value: float
    slope: Array
    information: Array
    converged: bool = False


def point_at(rows: CoxRows, beta: Array, *, firth: bool) -> Point:
    """Return the log likelihood, its slope and its information at `beta`."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        sums = risk_sums(rows, beta)
        matrix = information(rows, sums)
        slope = rows.x_event @ rows.weight[rows.event] - sums.expected.sum(axis=1)
    if not firth:
        return Point(beta, sums.loglik, slope, matrix)
    sign, half = np.linalg.slogdet(matrix)
    if not (sign > 0 and np.isfinite(half)):
        return Point(beta, -np.inf, slope, matrix)
    return Point(
        beta, sums.loglik + half / 2, slope + firth_slope(rows, sums, np.asarray(np.linalg.inv(matrix))) / 2, matrix
    )


def firth_slope(rows: CoxRows, sums: RiskSums, inverse: Array) -> Array:
    """Return the derivative of the log determinant of the information, shape (p,); `inverse` (p, p) is that of the information.

    With mean m and spread over the l-th term of a group, it is the sum of E[(x - m)' A (x - m) (x - m)] for A the inverse.
    """
    groups = np.arange(len(rows.time)) if rows.group is None else rows.group
    f = np.zeros(len(groups)) if rows.fraction is None else rows.fraction
    times = rows.mean_weight * (rows.deaths if rows.group is None else 1.0)
    per = times[groups] / (sums.s0[groups] - f * sums.d0[groups])
    load = rows.weight * sums.relative
    square = load * np.einsum("jr,jr->r", rows.x, inverse @ rows.x)

    def over_terms(at_risk: Array, tied: Array) -> Array:
        return np.asarray(at_risk[..., groups] - f * tied[..., groups])

    tied = square[rows.event]
    total = over_terms(rows.over_risk_sets(square), rows.over_events(tied))
    by_x = over_terms(rows.x_over_risk_sets(square), rows.x_over_events(tied))
    mean = over_terms(sums.s1, sums.d1) * (per / times[groups])
    lifted = inverse @ mean
    cross = rows.over_range(_by_group(rows, groups, lifted * per))
    cross[:, rows.event] -= _by_group(rows, groups, lifted * (f * per))[:, rows.own]
    second = rows.x @ (load * np.einsum("jr,jr->r", rows.x, cross)) - mean @ (
        times[groups] * np.einsum("jl,jl->l", lifted, mean)
    )
    return np.asarray(by_x @ per - mean @ (total * per) - 2 * second)


def _by_group(rows: CoxRows, groups: npt.NDArray[np.int64], values: Array) -> Array:
    """Return the sums of `values` (p, D) over each group's terms, shape (p, G)."""
    if rows.group is None:
        return values
    return np.stack([np.bincount(groups, weights=row, minlength=len(rows.time)) for row in values])


def climb(
    rows: CoxRows, start: Array, free: npt.NDArray[np.bool_], *, firth: bool, steps: int = 200, tolerance: float = 1e-12
) -> Point:
    """Return the highest point over the coefficients that are `free`, from `start`, with the others held there."""
    here = point_at(rows, start, firth=firth)
    for _ in range(steps):
        if not free.any():
            return Point(here.beta, here.value, here.slope, here.information, True)
        move = np.zeros(len(start))
        move[free] = np.linalg.lstsq(here.information[np.ix_(free, free)], here.slope[free], rcond=None)[0]
        if float(here.slope @ move) <= tolerance:
            return Point(here.beta, here.value, here.slope, here.information, True)
        share = min(1.0, _LONGEST / float(np.abs(move).max()))
        while True:
            there = point_at(rows, here.beta + share * move, firth=firth)
            if there.value >= here.value - 1e-12 * abs(here.value) or share < 1e-8:
                break
            share /= 2
        here = there
    return here
