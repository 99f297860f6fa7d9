"""Gray's scores and their covariance, from risk tables of all arms on one clock.

Gray (1988), Annals of Statistics 16:1141. In arm k, R_k = Y_k (1 - F_k(t-)) / S_k(t-) people would still be at risk of the cause
if those whom a competing event took had stayed. The score compares the events of the cause with what a subdistribution hazard
that all arms share would give. Each event moves the score in its own term and, through F and S, in all later ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from outcomes.results import Array

__all__ = ["GrayScores", "gray_scores"]


@dataclass(frozen=True)
class GrayScores:
    """Sum over time of weighted observed less expected events of one cause by arm (A,), and its covariance (A, A)."""

    score: Array
    covariance: Array


def gray_scores(at_risk: Array, events: Array, others: Array, rho: float) -> GrayScores:
    """Return the scores of one stratum.

    Parameters
    ----------
    at_risk, events, others : ndarray, shape (A, T)
        People at risk, events of the cause, and competing events, at each distinct time.
    rho : float
        Times are weighted by (1 - F(t-))^rho, F the pooled incidence.
    """
    there = at_risk > 0
    free = np.asarray(np.cumprod(1.0 - _over(events + others, at_risk), axis=1), dtype=np.float64)
    free_before = _before(free, 1.0)
    # where everybody at risk had an event, who enters an arm later says nothing of its incidence any more
    there = there & (free_before > 0)
    events, others = np.where(there, events, 0.0), np.where(there, others, 0.0)
    someone = there.any(axis=0)
    incidence_before = _before(np.asarray(np.cumsum(free_before * _over(events, at_risk), axis=1)), 0.0)
    reach = np.where(there, _over(at_risk, free_before), 0.0)  # Y / S(t-)
    exposed = reach * (1.0 - incidence_before)
    everyone, hit = reach.sum(axis=0), events.sum(axis=0)
    pooled = np.cumsum(_over(hit, everyone))
    pooled_before = _before(pooled, 0.0)
    weight = np.where(someone, (1.0 - pooled_before) ** rho, 0.0)
    score = (weight * (events - hit * _over(exposed, exposed.sum(axis=0)))).sum(axis=1)
    share = _over(reach, everyone)
    direct = weight * reach[None] * (np.eye(len(at_risk))[:, :, None] - share[:, None])  # (A, A, T)
    step = _over(hit, everyone * (1.0 - pooled_before))
    passed = np.cumsum(direct * step, axis=2)
    later = passed[:, :, -1:] - passed
    left = _over(1.0 - pooled, free)  # (1 - F) / S
    own = direct + np.where(free > 0, 1.0 - left, 1.0) * later
    spread = _tied(hit, everyone * free_before) * free_before * _over(hit, everyone) * np.where(there, 1.0, 0.0)
    spread = _over(spread, at_risk)
    other = left * later
    other_spread = np.where(free > 0, _tied(others, at_risk) * free_before**2 * _over(others, at_risk), 0.0)
    other_spread = _over(other_spread, at_risk)
    covariance = np.einsum("ikt,jkt,kt->ij", own, own, spread, optimize=True)
    covariance = covariance + np.einsum("ikt,jkt,kt->ij", other, other, other_spread, optimize=True)
    return GrayScores(score, covariance)


def _tied(events: Array, at_risk: Array) -> Array:
    """Return the correction of the variance for tied events: (Y - d) / (Y - 1)."""
    several = (events > 1) & (at_risk > 1)
    return 1.0 - np.divide(events - 1, at_risk - 1, out=np.zeros(np.shape(at_risk)), where=several)


def _over(values: Array, by: Array) -> Array:
    """Return ``values / by``, 0 where `by` is not positive."""
    shape = np.broadcast_shapes(np.shape(values), np.shape(by))
    return np.asarray(
        np.divide(values, by, out=np.zeros(shape), where=np.broadcast_to(by > 0, shape)), dtype=np.float64
    )


def _before(values: Array, first: float) -> Array:
    """Return values just before each time, along the last axis."""
    start = np.full((*values.shape[:-1], 1), first)
    return np.concatenate((start, values[..., :-1]), axis=-1)
