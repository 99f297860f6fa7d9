"""How a Fine–Gray fit moves with each person's weight, through the chances of being in view as well (Fine & Gray 1999, section 4).

A person acts on the score as a member of its risk sets, and by moving the censoring distribution that weighs those who had a
competing event. The second part is an integral of q(u), the pull of all who are weighed across u, against the person's own
censoring martingale; with running sums from both ends of time it costs no more than the first.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from outcomes.results import Array
from outcomes.survival.competing_rows import CompetingRows, remaining, running
from outcomes.survival.cox_kernel import RiskSums, score_residuals
from outcomes.survival.observation_chances import Draws, Observation

__all__ = ["hazard_influence", "score_influence"]


def score_influence(rows: CompetingRows, sums: RiskSums, observation: Observation | None, size: int) -> Array:
    """Return what a unit of weight of each row of the data adds to the score, shape (N, p).

    `observation` None takes the chances of being in view as known.
    """
    total = np.zeros((size, len(rows.x)))
    total[rows.order] = score_residuals(rows, sums).T
    if observation is None:
        return total
    load = (rows.weight * sums.relative)[rows.rival]
    near = np.concatenate((load * rows.x[:, rows.rival], load[None, :]))
    far = np.concatenate((sums.hazard[None, :], sums.s1 * sums.square - sums.d1 * sums.square_f))
    for draws, sign in _kinds(observation):
        pull = np.zeros((len(rows.x), len(draws.time)))
        for part, left, right in _pulls(rows, draws, observation, near, far):
            pull[:, part] += left[:-1] * right[0] - left[-1] * right[1:]
        total += sign * draws.moved(pull)
    return total


def hazard_influence(
    rows: CompetingRows, sums: RiskSums, observation: Observation | None, size: int, reached: Array
) -> Array:
    """Return what a unit of weight of each row adds to baseline cumulative hazards, coefficients held, shape (N, T).

    Parameters
    ----------
    reached : ndarray, shape (T, G)
        1 for the groups each cumulative hazard is over, else 0.
    """
    square, square_f = reached * sums.square, reached * sums.square_f
    each = -rows.over_range(square)
    each[:, rows.event] += square_f[:, rows.own]
    each *= sums.relative
    each[:, rows.event] += (reached * sums.hazard / (rows.mean_weight * rows.deaths))[:, rows.own]
    total = np.zeros((size, len(reached)))
    total[rows.order] = each.T
    if observation is None:
        return total
    near = (rows.weight * sums.relative)[rows.rival][None, :]
    for draws, sign in _kinds(observation):
        pull = np.zeros((len(reached), len(draws.time)))
        for part, left, right in _pulls(rows, draws, observation, near, square):
            pull[:, part] += left * right
        total += sign * draws.moved(pull)
    return total


def _kinds(observation: Observation) -> list[tuple[Draws, float]]:
    entered = [] if observation.entered is None else [(observation.entered, -1.0)]
    return [(observation.censored, 1.0), *entered]


def _pulls(
    rows: CompetingRows, draws: Draws, observation: Observation, near: Array, far: Array
) -> list[tuple[slice, Array, Array]]:
    """Return, cell by cell, its draws, and at each of them two sums: of `near` / V over events before, of `far` V over groups after.

    Where events come before censorings at a tie, a draw at u weighs those with T <= u at t > u; by the other rule, T < u at t >= u.
    """
    side: Literal["left", "right"] = "right" if observation.exact else "left"
    found = []
    for cell in rows.cells:
        part = slice(int(draws.start[cell.code]), int(draws.start[cell.code + 1]))
        moments = draws.time[part]
        left = running(near[:, cell.rivals] / cell.chance)
        right = remaining(far[:, cell.groups] * cell.chance_then)
        passed = np.searchsorted(cell.time, moments, side=side)
        to_come = np.searchsorted(rows.time[cell.groups], moments, side=side)
        found.append((part, np.take(left, passed, axis=1), np.take(right, to_come, axis=1)))
    return found
