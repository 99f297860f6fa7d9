"""One risk table an arm: who is at risk, enters, has an event, is censored at each distinct time; sorted once.

Curves, hazards, tests and restricted means of one arm all stand on this table.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from outcomes.results import Array, IntArray

__all__ = ["RiskTable", "distinct", "risk_table", "summed", "whole_numbers"]

_DENSE = 4  # distinct whole times a row, at most, for which counting is cheaper than sorting


@dataclass(frozen=True)
class RiskTable:
    """People at risk on (entry, exit] at T distinct exit times; K causes, N rows.

    Attributes
    ----------
    times : ndarray, shape (T,)
        Distinct exit times, increasing; of these rows, or of those the table shares its clock with.
    at_risk, censored, entered : ndarray, shape (T,)
        Weighted number at risk just before each time; censored at it; entered since the time before it.
    events : ndarray, shape (K, T)
        Weighted events by cause.
    n_at_risk, n_censored, n_entered, n_events : ndarray, shapes as above
        The same as counts of people (frequencies counted, weights not).
    first : ndarray of int, shape (N,)
        Number of distinct times at or before each row's entry.
    last : ndarray of int, shape (N,)
        Index of each row's exit in `times`; a row is at risk at times ``first..last``.
    """

    times: Array
    at_risk: Array
    censored: Array
    entered: Array
    events: Array
    n_at_risk: Array
    n_censored: Array
    n_entered: Array
    n_events: Array
    first: IntArray
    last: IntArray

    @property
    def ended(self) -> Array:
        """Weighted events of any cause, shape (T,)."""
        total: Array = self.events.sum(axis=0)
        return total

    @property
    def n_left(self) -> Array:
        """People still at risk after each time, before anybody enters, shape (T,)."""
        return np.append(self.n_at_risk[1:] - self.n_entered[1:], 0.0)

    def per_at_risk(self, values: Array) -> Array:
        """Return `values` (..., T) over the number at risk; 0 where nobody is."""
        return np.divide(values, self.at_risk, out=np.zeros_like(values), where=self.at_risk > 0)

    def per_survivor(self) -> Array:
        """Return 1 / (at risk - events), shape (T,); 0 where everybody at risk had the event."""
        someone = self.n_at_risk > self.n_events.sum(axis=0)
        left = self.at_risk - self.ended
        return np.divide(1.0, left, out=np.zeros(len(left)), where=someone & (left > 0))


def risk_table(
    entry: Array,
    exit: Array,
    event: IntArray,
    weight: Array,
    count: Array,
    n_causes: int,
    *,
    final: npt.NDArray[np.bool_] | None = None,
    times: Array | None = None,
) -> RiskTable:
    """Return the risk table of one arm.

    Parameters
    ----------
    entry, exit : ndarray, shape (N,)
        At risk on (entry, exit].
    event : ndarray of int, shape (N,)
        0 = no event, k = cause k.
    weight, count : ndarray, shape (N,)
        Weight of the row (frequency included) and number of people it stands for.
    n_causes : int
        K.
    final : ndarray of bool, shape (N,), optional
        Whether the row is its person's last: only then does the end of a row without an event mean censored.
    times : ndarray, shape (T,), optional
        Distinct times, increasing, every exit among them: the clock of several arms. Default: the distinct exits.
    """
    times, last = distinct(exit) if times is None else (times, np.searchsorted(times, exit))
    late = bool(entry.any())
    first = np.searchsorted(times, entry, side="right") if late else np.zeros(len(exit), dtype=np.int64)
    size = len(times)
    going_on = n_causes + 1
    kind = event if final is None else np.where((event == 0) & ~final, going_on, event)
    cell = kind * size + last

    def columns(values: Array | None) -> tuple[Array, Array, Array, Array]:
        leaving = summed(cell, values, (going_on + 1) * size).reshape(-1, size)
        joining = summed(first, values, size + 1) if late else np.append(leaving.sum(), np.zeros(size))
        # from the far end, so that small late risk sets are not differences of large sums
        at_risk = np.cumsum((leaving.sum(axis=0) - joining[1:])[::-1])[::-1]
        return at_risk, leaving[0], joining[:size], leaving[1:going_on]

    ones = bool((count == 1).all())
    n_at_risk, n_censored, n_entered, n_events = columns(None if ones else count)
    same = weight is count
    at_risk, censored, entered, events = (n_at_risk, n_censored, n_entered, n_events) if same else columns(weight)
    return RiskTable(
        times=times, at_risk=np.where(n_at_risk > 0, at_risk, 0.0), censored=censored, entered=entered, events=events,
        n_at_risk=n_at_risk, n_censored=n_censored, n_entered=n_entered, n_events=n_events,
        first=first.astype(np.int64, copy=False), last=last.astype(np.int64, copy=False),
    )  # fmt: skip


def distinct(values: Array) -> tuple[Array, IntArray]:
    """Return the distinct values, increasing, and the index of each; counted rather than sorted where they are whole and small."""
    whole = whole_numbers(values)
    if whole is None:
        found, index = np.unique(values, return_inverse=True)
        return found, index
    present = np.bincount(whole) > 0
    return np.flatnonzero(present).astype(np.float64), (np.cumsum(present) - 1)[whole]


def whole_numbers(values: Array | IntArray) -> IntArray | None:
    """Return the values as integers where they are whole and small enough that counting them is cheaper than sorting, else None."""
    if values.min() < 0 or values.max() >= _DENSE * len(values) + 1000:
        return None
    whole = values.astype(np.int64, copy=False)
    return whole if whole is values or bool((whole == values).all()) else None


def summed(index: IntArray, values: Array | None, size: int) -> Array:
    """Return the sum of `values` at each index 0..size-1; the count where there are no values."""
    return np.asarray(np.bincount(index, weights=values, minlength=size), dtype=np.float64)
