"""The risk in one arm were only a share of some people's events recorded, and how it moves with each row's weight."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from outcomes.results import Array, IntArray
from outcomes.survival.risk_table import distinct, risk_table

__all__ = ["DetectedRisk", "TwoGroups", "detected_risk", "two_groups"]


@dataclass(frozen=True)
class TwoGroups:
    """Rows of one arm by whether their events are recorded in full; T times up to the horizon, N rows.

    Attributes
    ----------
    less : ndarray of bool, shape (N,)
        Rows of people only some of whose events are recorded.
    hit, ended : ndarray of bool, shape (N,)
        The row ends in the outcome; in another cause. Both False where that is after the horizon.
    first, last : ndarray of int, shape (N,)
        At risk at times ``first..last - 1``; no later than the horizon.
    full, some : (at_risk, events, ends), each ndarray, shape (T,)
        Weighted numbers of each group: at risk, with the outcome, with another cause.
    """

    less: npt.NDArray[np.bool_]
    hit: npt.NDArray[np.bool_]
    ended: npt.NDArray[np.bool_]
    first: IntArray
    last: IntArray
    full: tuple[Array, Array, Array]
    some: tuple[Array, Array, Array]


@dataclass(frozen=True)
class DetectedRisk:
    """Risk of the outcome by the horizon, and its derivative by the weight of each row, shape (N,)."""

    risk: float
    derivative: Array


def two_groups(
    entry: Array,
    exit: Array,
    event: IntArray,
    weight: Array,
    count: Array,
    less: npt.NDArray[np.bool_],
    *,
    cause: int,
    horizon: float,
) -> TwoGroups:
    """Count one arm's two groups on one clock; parameters as in `risk_table`, with `less` (N,) and the number of the cause, from 1."""
    times, last = distinct(exit)
    passed = int(np.searchsorted(times, horizon, side="right"))
    hit, other = event == cause, (event > 0) & (event != cause)
    kind = np.where(hit, 1, np.where(other, 2, 0))
    groups = []
    for mine in (~less, less):
        table = risk_table(entry[mine], exit[mine], kind[mine], weight[mine], count[mine], 2, times=times)
        groups.append((table.at_risk[:passed], table.events[0][:passed], table.events[1][:passed]))
    seen = last < passed
    first = np.searchsorted(times, entry, side="right")
    return TwoGroups(
        less=less, hit=hit & seen, ended=other & seen, first=np.minimum(first, passed), last=np.minimum(last + 1, passed),
        full=groups[0], some=groups[1],
    )  # fmt: skip


def detected_risk(groups: TwoGroups, share: float) -> DetectedRisk:
    """Return the arm's risk were `share` of the outcome's events of the one group recorded, and its derivative.

    Of those of the group who are at risk at a time and have no other end then, a share u is seen to stay free of the outcome; u^(1/share)
    stays free of it. Of those seen to be at risk at t the product of earlier u^(1/share - 1), r(t), still are. Both groups together,
    so counted, are the risk set of one Aalen–Johansen curve. With `share` 1 it is that of the arm.

    Parameters
    ----------
    groups : TwoGroups
    share : float
        Above 0, at most 1.
    """
    k = 1.0 / share - 1.0
    y0, e0, c0 = groups.full
    y1, e1, c1 = groups.some
    w, v = y1 - c1, y1 - c1 - e1
    v = np.where(v > 1e-12 * y1, v, 0.0)
    u = _over(v, w)
    with np.errstate(divide="ignore"):
        log_u = np.where(w > 0, np.log(np.where(w > 0, u, 1.0)), 0.0)
    still = _before(np.exp(k * np.concatenate(([0.0], np.cumsum(log_u)))) if k > 0 else np.ones(len(w) + 1))
    hidden = w * (1 - u ** (k + 1))
    risk, by_event, by_end, by_at_risk = _gradient(y0 + still * y1, e0 + still * hidden, c0 + still * c1)

    through = still * (by_event * hidden + by_end * c1 + by_at_risk * y1)
    later = k * (through.sum() - np.cumsum(through))
    by_free = still * by_event * -(k + 1) * u**k + _over(later, v)
    by_staying = still * by_event * (1 + k * u ** (k + 1)) - np.where(v > 0, _over(later, w), 0.0)
    derivative = np.empty(len(groups.less))
    for mine, parts in (
        (~groups.less, (by_event, by_end, by_at_risk)),
        (groups.less, (-by_free, still * by_end - by_free - by_staying, by_free + by_staying + still * by_at_risk)),
    ):
        derivative[mine] = _of_rows(groups, mine, *parts)
    return DetectedRisk(float(risk), derivative)


def _gradient(at_risk: Array, events: Array, ends: Array) -> tuple[float, Array, Array, Array]:
    """Return the Aalen–Johansen risk at the last time, and its derivative by events, other ends and number at risk at each, (T,)."""
    left = at_risk - events - ends
    left = np.where(left > 1e-12 * at_risk, left, 0.0)
    before = _before(np.concatenate(([1.0], np.cumprod(np.where(at_risk > 0, _over(left, at_risk), 1.0)))))
    steps = before * _over(events, at_risk)
    ahead = _over(steps.sum() - np.cumsum(steps), left)
    by_event = _over(before, at_risk) - ahead
    by_at_risk = -_over(steps, at_risk) + ahead * _over(events + ends, at_risk)
    return float(steps.sum()), by_event, -ahead, by_at_risk


def _of_rows(
    groups: TwoGroups, mine: npt.NDArray[np.bool_], by_event: Array, by_end: Array, by_at_risk: Array
) -> Array:
    """Return the derivative by the weights of the rows of one group: the time at risk, and what ended it."""
    if not len(by_event):
        return np.zeros(int(mine.sum()))
    spent = np.concatenate(([0.0], np.cumsum(by_at_risk)))
    first, last = groups.first[mine], groups.last[mine]
    at = np.maximum(last - 1, 0)
    return np.asarray(spent[last] - spent[first] + groups.hit[mine] * by_event[at] + groups.ended[mine] * by_end[at])


def _before(passed: Array) -> Array:
    return passed[:-1]


def _over(values: Array, by: Array) -> Array:
    """Return values over `by`; 0 where `by` is 0."""
    return np.divide(values, by, out=np.zeros(len(values)), where=by > 0)
