"""How a curve moves with each row's weight, at every time, without a matrix of rows by times.

For every curve here the derivative by the weight of row i is 0 before the row enters, ``scale(t) (a0 + a1 f(t) + h(t))`` while it
is at risk and ``scale(t) (b0 + b1 f(t))`` after it has left, where a and b belong to the row and f, h and scale to the curve. Sums
over rows, sums of squares and areas over time are then sums over the risk table: O(N + T) for N rows and T times.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from outcomes.results import Array, IntArray
from outcomes.survival.risk_table import RiskTable, summed

__all__ = ["InfluencePath", "path_of_count", "path_of_hazard", "path_of_incidence", "path_of_survival"]

_CELLS = 8_000_000  # group x time cells held at once
_SMALL = 500_000  # row x time cells worth summing one by one


@dataclass(frozen=True)
class InfluencePath:
    """Derivative of a curve by each row's weight; N rows, T times, index u = number of times passed (0..T).

    Attributes
    ----------
    first, last : ndarray of int, shape (N,)
        At risk for u in first+1..last, left for u > last.
    a0, a1, b0, b1 : ndarray, shape (N,)
    f, h, scale : ndarray, shape (T + 1,)
    """

    first: IntArray
    last: IntArray
    a0: Array
    a1: Array
    b0: Array
    b1: Array
    f: Array
    h: Array
    scale: Array

    def at(self, passed: IntArray) -> Array:
        """Return the derivative where `passed` times have passed, shape (N, len(passed))."""
        u = passed[None, :]
        f, h = self.f[passed][None, :], self.h[passed][None, :]
        inside = self.a0[:, None] + self.a1[:, None] * f + h
        after = self.b0[:, None] + self.b1[:, None] * f
        value = np.where(u > self.last[:, None], after, np.where(u > self.first[:, None], inside, 0.0))
        result: Array = value * self.scale[passed][None, :]
        return result

    def area(self, width: Array) -> Array:
        """Return the sum over u of ``width[u]`` times the derivative, shape (N,); `width` has shape (T + 1,)."""
        plain, with_f, with_h = (_prefix(width * self.scale * part) for part in (np.ones(len(self.f)), self.f, self.h))
        start, stop, end = self.first + 1, self.last + 1, len(self.f)
        start = np.minimum(start, stop)

        def over(prefix: Array, low: IntArray | int, high: IntArray | int) -> Array:
            return np.asarray(prefix[high] - prefix[low])

        inside = self.a0 * over(plain, start, stop) + self.a1 * over(with_f, start, stop) + over(with_h, start, stop)
        return inside + self.b0 * over(plain, stop, end) + self.b1 * over(with_f, stop, end)

    def totals(self, columns: Array) -> Array:
        """Return the sum over rows of ``columns[:, m]`` times the derivative, shape (M, T + 1)."""
        found = [self._total(column, np.zeros(len(column), dtype=np.int64), 1)[0] for column in columns.T]
        return np.stack(found) if found else np.zeros((0, len(self.f)))

    def squared_totals(self, values: Array, group: IntArray, shift: Array | None = None) -> Array:
        """Return the sum over groups of (sum over the group's rows of ``values`` times the derivative)², shape (T + 1,).

        `shift` (G, T + 1) is added to the groups' sums before they are squared. Few groups are held at once.
        """
        order = np.argsort(group, kind="stable")
        present, begin = np.unique(group[order], return_index=True)
        chunk = max(1, _CELLS // (len(self.f) + 1))
        result = np.zeros(len(self.f))
        bounds = np.append(begin, len(order))
        for low in range(0, len(present), chunk):
            high = min(low + chunk, len(present))
            rows = order[bounds[low] : bounds[high]]
            each = self._total(values, np.searchsorted(present[low:high], group[rows]), high - low, rows)
            if shift is not None:
                each = each + shift[present[low:high]]
            result += (each**2).sum(axis=0)
        if shift is not None:
            absent = np.setdiff1d(np.arange(len(shift)), present)
            result += (shift[absent] ** 2).sum(axis=0)
        return result

    def sum_of_squares(self, values: Array) -> Array:
        """Return the sum over rows of (``values`` times the derivative)², shape (T + 1,)."""
        late = bool(self.first.any())
        if late and len(values) * len(self.f) <= _SMALL:  # row by row: no digits lost where late entrants cancel
            return np.asarray(((values[:, None] * self.at(np.arange(len(self.f)))) ** 2).sum(axis=0))
        squared = values**2
        parts = [self.h**2 * self._while_at_risk(squared), self._after_leaving(squared * self.b0**2)]
        if late:
            parts += [
                2 * self.h * self._while_at_risk(squared * self.a0),
                2 * self.h * self.f * self._while_at_risk(squared * self.a1),
                self._while_at_risk(squared * self.a0**2),
                2 * self.f * self._while_at_risk(squared * self.a0 * self.a1),
                self.f**2 * self._while_at_risk(squared * self.a1**2),
            ]
        if self.b1.any():
            parts += [
                2 * self.f * self._after_leaving(squared * self.b0 * self.b1),
                self.f**2 * self._after_leaving(squared * self.b1**2),
            ]
        return self.scale**2 * _above_rounding(np.stack(parts))

    def squares_by_person(self, values: Array, person: IntArray) -> Array:
        """Return the sum over people of (sum over the person's rows of ``values`` times the derivative)², shape (T + 1,).

        A person's rows do not overlap, so that at any time the sum is ``c0 + c1 f + e h`` with constants that change only where a row
        begins or ends: each row makes one piece while at risk and one from its end to the next row.
        """
        if len(values) * len(self.f) <= _SMALL:  # no running sums: no digits lost
            return self.squared_totals(values, person)
        order = np.lexsort((self.first, person))
        value, first, after = values[order], self.first[order], self.last[order] + 1
        same = np.append(person[order][1:] == person[order][:-1], False)
        done0, before0 = _within_groups(value * self.b0[order], same)
        done1, before1 = _within_groups(value * self.b1[order], same)
        until = np.where(same, np.append(first[1:], 0) + 1, len(self.f))
        none = np.zeros(len(value))
        start, end = np.concatenate((first + 1, after)), np.concatenate((after, until))
        c0 = np.concatenate((before0 + value * self.a0[order], done0))
        c1 = np.concatenate((before1 + value * self.a1[order], done1))
        e = np.concatenate((value, none))

        def over(product: Array) -> Array:
            size = len(self.f) + 1
            return np.asarray(np.cumsum(summed(start, product, size) - summed(end, product, size))[:-1])

        f, h = self.f, self.h
        parts = [over(c0**2), f**2 * over(c1**2), h**2 * over(e**2)]
        parts += [2 * f * over(c0 * c1), 2 * h * over(c0 * e), 2 * f * h * over(c1 * e)]
        return self.scale**2 * _above_rounding(np.stack(parts))

    @cached_property
    def _someone(self) -> npt.NDArray[np.bool_]:
        """Whether anybody is at risk between passing u times and the next, shape (T + 1,)."""
        size = len(self.f)
        change = np.bincount(self.first + 1, minlength=size + 1) - np.bincount(self.last + 1, minlength=size + 1)
        return np.asarray(np.cumsum(change)[:-1] > 0)

    def _while_at_risk(self, values: Array) -> Array:
        size = len(self.f)
        change = summed(self.last, values, size) - summed(self.first, values, size)
        # from the far end, and 0 where nobody is left: no rounding of large early sums in small late ones
        return np.where(self._someone, np.cumsum(change[::-1])[::-1], 0.0)

    def _after_leaving(self, values: Array) -> Array:
        return np.asarray(np.cumsum(summed(self.last + 1, values, len(self.f) + 1))[:-1])

    def _total(self, values: Array, group: IntArray, groups: int, rows: IntArray | None = None) -> Array:
        """Return the sums over rows of each group of `values` times the derivative, shape (groups, T + 1)."""
        pick = slice(None) if rows is None else rows
        value, first, last = values[pick], self.first[pick], self.last[pick]
        size = len(self.f) + 1

        def running(part: Array, start: IntArray) -> Array:
            cells = summed(group * size + start, part, groups * size).reshape(groups, size)
            return np.asarray(np.cumsum(cells, axis=1)[:, :-1])

        def at_risk(part: Array) -> Array:
            return running(part, first + 1) - running(part, last + 1)

        total = self.h * at_risk(value) + running(value * self.b0[pick], last + 1)
        if self.first.any():
            total = total + at_risk(value * self.a0[pick]) + self.f * at_risk(value * self.a1[pick])
        if self.b1.any():
            total = total + self.f * running(value * self.b1[pick], last + 1)
        return np.asarray(total * self.scale)


def _prefix(values: Array) -> Array:
    """Return prefix sums with a leading zero, so that ``p[b] - p[a]`` is the sum over indices a..b-1."""
    return np.concatenate(([0.0], np.cumsum(values)))


def _within_groups(values: Array, same: npt.NDArray[np.bool_]) -> tuple[Array, Array]:
    """Return running sums within groups, with and without each row's own value; `same`: the next row is of the same group."""
    running = np.cumsum(values)
    begins = np.flatnonzero(np.append(True, ~same[:-1]))
    base = np.repeat((running - values)[begins], np.diff(np.append(begins, len(values))))
    return running - base, running - base - values


def _above_rounding(terms: Array) -> Array:
    """Return the sum of terms (M, T + 1), with 0 where it is smaller than the rounding of their running sums."""
    total = terms.sum(axis=0)
    lost = total <= 4096 * np.finfo(float).eps * np.maximum.accumulate(np.abs(terms).sum(axis=0))
    return np.where(lost, 0.0, total)


def path_of_survival(table: RiskTable, event: IntArray, survival: Array) -> InfluencePath:
    """Return how the product limit `survival` (T,) moves with each row's weight: -S times a martingale."""
    left = table.per_survivor()
    spent = _prefix(table.per_at_risk(table.ended) * left)
    at_entry = spent[table.first]
    zero = np.zeros(len(event))
    return InfluencePath(
        first=table.first, last=table.last, a0=at_entry, a1=zero,
        b0=(event > 0) * left[table.last] - (spent[table.last + 1] - at_entry), b1=zero,
        f=np.zeros(len(spent)), h=-spent, scale=-np.concatenate(([1.0], survival)),
    )  # fmt: skip


def path_of_hazard(table: RiskTable, event: IntArray) -> InfluencePath:
    """Return how the Nelson–Aalen cumulative hazard of any cause moves with each row's weight."""
    spent = _prefix(table.per_at_risk(table.per_at_risk(table.ended)))
    at_entry = spent[table.first]
    zero = np.zeros(len(event))
    jump = (event > 0) * table.per_at_risk(np.ones(len(table.times)))[table.last]
    return InfluencePath(
        first=table.first, last=table.last, a0=at_entry, a1=zero,
        b0=jump - (spent[table.last + 1] - at_entry), b1=zero,
        f=np.zeros(len(spent)), h=-spent, scale=np.ones(len(spent)),
    )  # fmt: skip


def path_of_incidence(table: RiskTable, event: IntArray, survival: Array, cause: int) -> InfluencePath:
    """Return how the Aalen–Johansen incidence of `cause` (1..K) moves with each row's weight."""
    return _path_until_ended(table, survival, table.events[cause - 1], event == cause, event > 0)


def path_of_count(table: RiskTable, event: IntArray, survival: Array) -> InfluencePath:
    """Return how the Ghosh–Lin mean count of cause 1 moves with each row's weight; `survival` (T,) is that of the other causes."""
    ending = replace(table, events=table.events[1:], n_events=table.n_events[1:])
    return _path_until_ended(ending, survival, table.events[0], event == 1, event > 1)


def _path_until_ended(
    ending: RiskTable, survival: Array, happened: Array, hit: npt.NDArray[np.bool_], ended: npt.NDArray[np.bool_]
) -> InfluencePath:
    """Return the path of the integral of S(t-) dN/Y, with N the events `happened` (T,) and S the share not `ended` (N,).

    S(t-) dN/Y moves in its own term, S(t-) (dN_i - Y_i dN/Y) / Y, and through S(t-), by -S(t-) times the martingale of
    `path_of_survival`; `ending` is the risk table of what ends the time at risk.
    """
    left = ending.per_survivor()
    before = np.concatenate(([1.0], survival[:-1]))
    steps = before * ending.per_at_risk(happened)
    spent = _prefix(ending.per_at_risk(ending.ended) * left)
    own, total = _prefix(ending.per_at_risk(steps)), _prefix(steps)
    h = _prefix(steps * spent[:-1]) - own
    first, last, end = ending.first, ending.last, ending.last + 1
    a0, a1 = -h[first] + spent[first] * total[first], -spent[first]
    martingale = ended * left[last] - (spent[end] - spent[first])
    jump = hit * ending.per_at_risk(before)[last]
    at_exit = jump + a0 + a1 * total[end] + h[end]
    return InfluencePath(
        first=first, last=last, a0=a0, a1=a1, b0=at_exit + martingale * total[end], b1=-martingale,
        f=total, h=h, scale=np.ones(len(total)),
    )  # fmt: skip
