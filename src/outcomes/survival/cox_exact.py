"""The exact partial likelihood of tied events (Cox's discrete model), by recursion over the rows at risk.

The denominator of a group with d events is the sum over all sets of d rows at risk of the product of their exp(beta x): an elementary
symmetric function, built up row by row with its first and second derivatives (Gail, Lubin & Rubinstein 1981, Biometrika 68:703).
Risk sets that grow as time runs backwards share one build-up; late entry makes one a group.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from outcomes.results import Array, IntArray
from outcomes.survival.cox_kernel import CoxFit
from outcomes.survival.cox_rows import CoxRows

__all__ = ["exact_fit"]


@dataclass(frozen=True)
class _Chain:
    """Rows in the order they join, with the groups that are read off and after how many rows each is; L rows, K groups.

    Attributes
    ----------
    rows : ndarray of int, shape (L,)
    group, after : ndarray of int, shape (K,)
    """

    rows: IntArray
    group: IntArray
    after: IntArray


@dataclass(frozen=True)
class _At:
    loglik: float
    score: Array
    information: Array


def exact_fit(rows: CoxRows, count: Array, *, steps: int = 50, tolerance: float = 1e-12) -> CoxFit:
    """Maximise the exact partial likelihood by Newton–Raphson, halving steps that do not climb.

    Parameters
    ----------
    rows : CoxRows
        R rows; their weights are taken for 1.
    count : ndarray, shape (R,)
        Number of people each row stands for.
    """
    chains = _chains(rows, count)
    beta = np.zeros(len(rows.x))
    here = _evaluate(rows, count, chains, beta)
    null, at_zero, statistic, step = here.loglik, here.information, 0.0, 0
    while True:
        move = np.linalg.lstsq(here.information, here.score, rcond=None)[0]
        decrement = float(here.score @ move)
        statistic = decrement if step == 0 else statistic
        converged = decrement <= tolerance * float(rows.deaths.sum())
        if converged or step == steps:
            last = beta + move if converged else beta
            gain = 0.5 * decrement if converged else 0.0
            return CoxFit(last, here.information, at_zero, here.loglik + gain, null, statistic, step, converged)
        share = 1.0
        while True:
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                there = _evaluate(rows, count, chains, beta + share * move)
            if there.loglik >= here.loglik - 1e-10 * abs(here.loglik) or share < 1e-6:
                break
            share /= 2
        if not (np.isfinite(there.loglik) and np.isfinite(there.information).all()):  # the coefficients have run away
            return CoxFit(beta, here.information, at_zero, here.loglik, null, statistic, step, False)
        beta, here, step = beta + share * move, there, step + 1


def _chains(rows: CoxRows, count: Array) -> list[_Chain]:
    """Return the build-ups: one a stratum, or one a group where somebody enters late."""
    groups = np.arange(len(rows.time))
    chains = []
    if len(rows.late):
        for g in groups:
            mine = np.flatnonzero((rows.low <= g) & (rows.high > g))
            many = np.repeat(mine, count[mine].astype(np.int64))
            chains.append(_Chain(many, np.array([g]), np.array([len(many)])))
        return chains
    for end in np.unique(rows.end):
        own = groups[rows.end == end][::-1]
        mine = np.flatnonzero((rows.high > own[-1]) & (rows.high <= end))[::-1]
        many = np.repeat(mine, count[mine].astype(np.int64))
        joined = np.searchsorted(-rows.high[many], -own, side="left")  # rows whose range ends after the group
        chains.append(_Chain(many, own, joined))
    return chains


def _evaluate(rows: CoxRows, count: Array, chains: list[_Chain], beta: Array) -> _At:
    eta = beta @ rows.x + (0.0 if rows.offset is None else rows.offset)
    died = count[rows.event]
    loglik, score = float(died @ eta[rows.event]), rows.x_event @ died
    information = np.zeros((len(beta), len(beta)))
    for chain in chains:
        ratio = np.exp(eta[chain.rows] - eta[chain.rows].mean())
        # scaled so that no product of as many rows as there are events is out of reach
        size = int(rows.deaths[chain.group].max())
        shift = np.log(size / ratio.sum()) - eta[chain.rows].mean()
        for g, (value, mean, spread) in _read_off(chain, np.exp(eta[chain.rows] + shift), rows, size):
            loglik -= value - float(rows.deaths[g]) * shift
            score = score - mean
            information += spread
    return _At(loglik, score, information)


def _read_off(chain: _Chain, ratio: Array, rows: CoxRows, size: int) -> list[tuple[int, tuple[float, Array, Array]]]:
    """Return for each group the log of its denominator, the mean and the covariance of the sum of x over its possible events."""
    terms = len(rows.x)
    e = np.zeros(size + 1)
    e[0] = 1.0
    first, second = np.zeros((size + 1, terms)), np.zeros((size + 1, terms, terms))
    found, at = [], 0
    for group, after in zip(chain.group.tolist(), chain.after.tolist(), strict=True):
        for i in range(at, after):
            r, x = ratio[i], rows.x[:, chain.rows[i]]
            outer = first[:-1, :, None] * x
            second[1:] += r * (second[:-1] + outer + outer.transpose(0, 2, 1) + e[:-1, None, None] * np.outer(x, x))
            first[1:] += r * (first[:-1] + e[:-1, None] * x)
            e[1:] += r * e[:-1]
        at, d = after, int(rows.deaths[group])
        mean = first[d] / e[d]
        found.append((group, (float(np.log(e[d])), mean, second[d] / e[d] - np.outer(mean, mean))))
    return found
