"""What becomes of people under a regime that some of them start: an illness-death model in discrete pieces of time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from outcomes.results import Array

__all__ = ["Reached", "reach_and_effect", "under_regime"]


@dataclass(frozen=True)
class Reached:
    """What a regime does to P people by the end.

    Attributes
    ----------
    risk : ndarray, shape (P,)
        Chance of the first cause.
    reached : ndarray, shape (P,)
        Chance of having started, before anything ended it.
    """

    risk: Array
    reached: Array


def under_regime(begun: Array, starting: Array, before: Array, after: Array) -> Reached:
    """Return chances of the first cause, and of having started, when people start at these rates.

    Parameters
    ----------
    begun : ndarray, shape (P,)
        Chance of having started on time zero.
    starting : ndarray, shape (P, K)
        Cumulative hazard of starting in each of K pieces of time, of those who have not.
    before, after : ndarray, shape (C, P, K)
        Cumulative hazards of C causes in each piece, before and after a start; the first is the outcome.

    Notes
    -----
    Hazards are constant within a piece. Who starts in a piece spends half of it after the start: the error is of the third order in
    the hazards of a piece.
    """
    waiting, started = 1.0 - begun, begun.copy()
    risk, reached = np.zeros(len(begun)), begun.copy()
    leaving_before, leaving_after = before.sum(axis=0), after.sum(axis=0)
    for k in range(starting.shape[1]):
        out = leaving_before[:, k] + starting[:, k]
        gone = waiting * -np.expm1(-out)
        part = np.divide(gone, out, out=np.zeros_like(gone), where=out > 0)
        new = part * starting[:, k]
        stays, half = np.exp(-leaving_after[:, k]), np.exp(-0.5 * leaving_after[:, k])
        ended = started * (1.0 - stays) + new * (1.0 - half)
        share = np.divide(after[0, :, k], leaving_after[:, k], out=np.zeros_like(ended), where=leaving_after[:, k] > 0)
        risk += part * before[0, :, k] + ended * share
        reached += new
        waiting = waiting - gone
        started = started * stays + new * half
    return Reached(risk, reached)


def reach_and_effect(reach: tuple[float, float], effect: tuple[float, float]) -> tuple[float, float]:
    """Return the parts of a difference between two regimes that come from reaching others, and from doing something else for them.

    Parameters
    ----------
    reach, effect : tuple of float
        Share reached under the reference's regime and the arm's, and the effect among those reached; the difference is
        ``reach[1] * effect[1] - reach[0] * effect[0]``, and the parts (Shapley values) add up to it.

    Examples
    --------
    >>> tuple(round(part, 4) for part in reach_and_effect((0.6, 0.8), (-0.02, -0.05)))
    (-0.007, -0.021)
    """
    more, better = reach[1] - reach[0], effect[1] - effect[0]
    return more * (effect[0] + effect[1]) / 2, better * (reach[0] + reach[1]) / 2
