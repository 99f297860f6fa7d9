"""How likely people are to be still in view: the censoring distribution, and that of entry, by stratum.

People who had a competing event stay in the risk set of a subdistribution; those among them who would since have been censored are
taken out by the chance G(t) H(t) of being in view at t over that at their event: G that of not being censored yet, H that of having
entered (Geskus 2011). Both are product limits whose steps are the draws below: people censored out of those who could have been,
people entering out of those in view who could have entered then.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from outcomes.results import Array, IntArray
from outcomes.survival.risk_table import distinct, summed

__all__ = ["Draws", "Observation", "observe"]


@dataclass(frozen=True)
class Draws:
    """Distinct times of a stratum at which somebody is censored (or enters); N rows, M draws, K strata.

    Attributes
    ----------
    time : ndarray, shape (M,)
        In order of stratum, then time.
    start : ndarray of int, shape (K + 1,)
        First draw of each stratum, and M.
    rate : ndarray, shape (M,)
        Weight of those drawn over that of those who could have been.
    per : ndarray, shape (M,)
        How much a unit of weight more among the drawn moves the logarithm of the step.
    own : ndarray of int, shape (N,)
        The draw a row is drawn at; -1 where it is not.
    low, high : ndarray of int, shape (N,)
        A row could be drawn at draws low..high-1.
    """

    time: Array
    start: IntArray
    rate: Array
    per: Array
    own: IntArray
    low: IntArray
    high: IntArray

    def moved(self, pull: Array) -> Array:
        """Return what each row's weight does to a sum that the logarithm of step m pulls by `pull` (n, M), shape (N, n)."""
        drawn = (pull * self.per).T
        prefix = np.zeros((len(drawn) + 1, len(pull)))
        np.cumsum(drawn * self.rate[:, None], axis=0, out=prefix[1:])
        total = -prefix[self.high]
        if self.low.any():
            total += prefix[self.low]
        mine = np.flatnonzero(self.own >= 0)
        total[mine] += drawn[self.own[mine]]
        return np.asarray(total)


@dataclass(frozen=True)
class Observation:
    """Chances of being in view, and the draws they are made of.

    Attributes
    ----------
    censored : Draws
    entered : Draws or None
        None where everybody enters at the start.
    last : ndarray, shape (K,)
        Last time anybody of the stratum was in view; nobody can be beyond it.
    exact : bool
        Tie rule: with an event and a censoring at one time, whether the event comes first, so that who has it could not be
        censored then. False is the rule of Fine and Gray's own program: both are at risk.
    """

    censored: Draws
    entered: Draws | None
    last: Array
    exact: bool

    def before(self, code: int, time: Array) -> Array:
        """Return the chance in stratum `code` of being in view just before each time."""
        chance = np.where(time <= self.last[code], _before(self.censored, code, time), 0.0)
        return chance if self.entered is None else chance * _before(self.entered, code, time, backwards=True)


def observe(
    entry: Array,
    exit: Array,
    censored: npt.NDArray[np.bool_],
    code: IntArray,
    weight: Array,
    *,
    exact: bool,
) -> Observation:
    """Estimate the chances of being in view.

    Parameters
    ----------
    entry, exit : ndarray, shape (N,)
        In view on (entry, exit]; one row a person.
    censored : ndarray of bool, shape (N,)
        Whether the row ends without any event.
    code : ndarray of int, shape (N,)
        Stratum 0..K-1 within which censoring (and entry) is the same for everyone.
    weight : ndarray, shape (N,)
        Frequency included; rows of weight 0 count for nothing.
    exact : bool
        As in `Observation`; with late entry always true.
    """
    last = np.zeros(int(code.max()) + 1)
    np.maximum.at(last, code[weight > 0], exit[weight > 0])
    late = bool(entry.any())
    exact = exact or late
    counted = weight > 0
    leaving = _draws(entry, exit, exit, censored & counted, code, weight, ends=(True, censored if exact else None))
    if not late:
        return Observation(leaving, None, last, exact)
    entering = _draws(entry, exit, entry, counted, code, weight, ends=(False, np.zeros(len(exit), dtype=bool)))
    return Observation(leaving, entering, last, exact)


def _draws(
    entry: Array,
    exit: Array,
    at: Array,
    drawn: npt.NDArray[np.bool_],
    code: IntArray,
    weight: Array,
    *,
    ends: tuple[bool, npt.NDArray[np.bool_] | None],
) -> Draws:
    """Return the draws at times `at` of the rows `drawn`.

    `ends` says whether a row could not yet be drawn at its entry, and which rows could still be at their exit (None: all).
    """
    after, until = ends
    strata = int(code.max()) + 1
    own = np.full(len(exit), -1, dtype=np.int64)
    low, high = np.zeros(len(exit), dtype=np.int64), np.zeros(len(exit), dtype=np.int64)
    times, start = [], [0]
    for k in range(strata):
        inside: slice | IntArray = slice(None) if strata == 1 else np.flatnonzero(code == k)
        mine = drawn[inside]
        moments, index = distinct(at[inside][mine]) if mine.any() else (np.empty(0), np.empty(0, dtype=np.int64))
        first = start[-1]
        place = np.full(len(mine), -1, dtype=np.int64)
        place[mine] = first + index
        own[inside] = place
        begin, end = entry[inside], exit[inside]
        if begin.any() or not after:
            low[inside] = first + np.searchsorted(moments, begin, side="right" if after else "left")
        else:
            low[inside] = first
        through = np.searchsorted(moments, end, side="right" if until is None else "left")
        if until is not None:
            still = until[inside]
            through[still] = np.searchsorted(moments, end[still], side="right")
        high[inside] = first + through
        times.append(moments)
        start.append(first + len(moments))
    size = start[-1]
    pool = _pool(low, high, weight, size)
    gone = summed(own[own >= 0], weight[own >= 0], size)
    number = (weight > 0).astype(np.float64)
    everyone = _pool(low, high, number, size) <= summed(own[own >= 0], number[own >= 0], size)
    rate = np.where(everyone, 1.0, np.divide(gone, pool, out=np.ones(size), where=pool > 0))
    left = pool - gone if until is not None else pool
    per = np.divide(1.0, left, out=np.zeros(size), where=(left > 0) & ~(everyone & (until is not None)))
    return Draws(np.concatenate(times), np.asarray(start, dtype=np.int64), rate, per, own, low, high)


def _pool(low: IntArray, high: IntArray, weight: Array, size: int) -> Array:
    """Return the weight of the rows that could be drawn at each draw, shape (M,)."""
    change = summed(high, weight, size + 1)[1:] - summed(low, weight, size + 1)[1:]
    return np.asarray(np.cumsum(change[::-1])[::-1])


def _before(draws: Draws, code: int, time: Array, *, backwards: bool = False) -> Array:
    """Return the product of a stratum's steps before each time; backwards, of those at it and after."""
    part = slice(int(draws.start[code]), int(draws.start[code + 1]))
    steps = 1.0 - draws.rate[part]
    product = np.append(np.cumprod(steps[::-1])[::-1], 1.0) if backwards else np.append(1.0, np.cumprod(steps))
    return np.asarray(product[np.searchsorted(draws.time[part], time, side="left")])
