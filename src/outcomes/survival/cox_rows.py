"""Rows of a Cox model in the order its sums are taken in, and their groups of tied events.

A row is at risk at the event times of its stratum in (entry, exit]: a range of groups. Rows are sorted once by the end of that
range, so that the sum over a risk set is a sum over a tail of rows, less those who enter later or belong to a later stratum. Of the
rows whose range ends with a group those with its events come first, so that one pass gives the sums over both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from outcomes.errors import EstimationError, did_you_mean
from outcomes.results import Array, IntArray
from outcomes.survival.risk_table import distinct, summed, whole_numbers

if TYPE_CHECKING:
    from outcomes.design.data import SurvivalData

__all__ = ["CoxRows", "centre_and_scale", "sort_rows", "strata_codes"]

_CELLS = 200_000  # cells of x worth multiplying at once
_CHUNK = 8_192  # rows gathered and scaled while in cache
_MANY = 200  # rows a sum from which a product of matrices a sum is faster


@dataclass(frozen=True)
class _Pieces:
    """Rows whose range ends with a group, cut after the events where there are several events and others as well.

    Attributes
    ----------
    begin : ndarray of int
        First row of each piece.
    first : ndarray of int, shape (G,)
        First piece of each group.
    split : ndarray of int
        Groups that are cut: those with several events, and others beside them.
    """

    begin: IntArray
    first: IntArray
    split: IntArray


@dataclass(frozen=True)
class CoxRows:
    """R rows at risk at one event time or more, G groups of tied events by stratum, E event rows, D events, p terms.

    Attributes
    ----------
    order : ndarray of int, shape (R,)
        Row of the data each row is.
    x : ndarray, shape (p, R)
        Centred and scaled covariates.
    weight : ndarray, shape (R,)
        Sampling weight times frequency.
    low, high : ndarray of int, shape (R,)
        At risk at groups low..high-1; `high` does not decrease.
    late : ndarray of int
        Rows that enter after the first group of their stratum.
    begin : ndarray of int, shape (G,)
        First row whose range ends with the group.
    end : ndarray of int, shape (G,)
        One past the last group of the group's stratum.
    event, own : ndarray of int, shape (E,)
        Rows with an event, in order of their group; the group.
    begin_event : ndarray of int, shape (G,)
        First event row of the group.
    time : ndarray, shape (G,)
    deaths : ndarray of int, shape (G,)
        Number of events, frequencies counted.
    mean_weight : ndarray, shape (G,)
        Mean sampling weight of the group's events (Therneau & Grambsch 2000, section 3.3).
    group, fraction : ndarray, shape (D,), or None
        Efron's expansion of each group into its events, with the share of the tied that has gone; None where nothing is
        corrected for (Breslow, or no ties).
    stratum : ndarray of int, shape (G,)
        Code of the group's stratum; 0 where there are none.
    offset : ndarray, shape (R,), or None
        Log relative hazard that is known.
    """

    order: IntArray
    x: Array
    weight: Array
    low: IntArray
    high: IntArray
    late: IntArray
    begin: IntArray
    end: IntArray
    event: IntArray
    own: IntArray
    begin_event: IntArray
    time: Array
    deaths: IntArray
    mean_weight: Array
    group: IntArray | None
    fraction: Array | None
    stratum: IntArray
    offset: Array | None

    @cached_property
    def x_event(self) -> Array:
        """Covariates of the event rows, shape (p, E)."""
        return np.take(self.x, self.event, axis=1)

    @cached_property
    def _pieces(self) -> _Pieces:
        rest = self.begin + np.diff(np.append(self.begin_event, len(self.event)))
        cut = (self.deaths > 1) & (rest < np.append(self.begin[1:], len(self.order)))
        first, split = np.arange(len(cut)) + np.cumsum(cut) - cut, np.flatnonzero(cut)
        begin = np.empty(len(cut) + len(split), dtype=np.int64)
        begin[first], begin[first[split] + 1] = self.begin, rest[split]
        return _Pieces(begin, first, split)

    @cached_property
    def event_sum(self) -> Array:
        """Weighted sum of the covariates of the events, shape (p,)."""
        weight = np.zeros(len(self.weight))
        weight[self.event] = self.weight[self.event]
        return np.asarray(np.einsum("ji,i->j", self.x, weight))

    def over_risk_sets(self, values: Array) -> Array:
        """Return the sum of `values` (..., R) over each group's risk set, shape (..., G)."""
        late = values[..., self.late] if len(self.late) else None
        return self._through(np.add.reduceat(values, self.begin, axis=-1), late)

    def x_over_risk_sets(self, load: Array) -> Array:
        """Return the sum of `load` (R,) times x over each group's risk set, shape (p, G)."""
        return self._x_through(_weighted_sums(self.x, load, self.begin), load)

    def x_sums(self, load: Array) -> tuple[Array, Array]:
        """Return the sums of `load` (R,) times x over each group's risk set, and over the events of those with several: (p, G) each."""
        pieces = self._pieces
        both = _weighted_sums(self.x, load, pieces.begin)
        own, tied, several = both[:, pieces.first], np.zeros((len(both), len(self.time))), self.deaths > 1
        tied[:, several] = own[:, several]
        own[:, pieces.split] += both[:, pieces.first[pieces.split] + 1]
        return self._x_through(own, load), tied

    def _x_through(self, own: Array, load: Array) -> Array:
        """Return the sums of `load` times x over risk sets from those over the rows whose range ends with each group, shape (p, G)."""
        return self._through(own, self.x[:, self.late] * load[self.late] if len(self.late) else None)

    def _through(self, own: Array, late: Array | None) -> Array:
        """Return sums over risk sets from those over the rows whose range ends with each group, shape (..., G)."""
        # from the far end, so that small late risk sets are not differences of large sums
        tail = _from_the_end(own)
        total = tail[..., :-1] if self._one_stratum else tail[..., :-1] - tail[..., self.end]
        if late is None:
            return np.asarray(total)
        size = len(self.time) + 1
        joined = [summed(self.low[self.late], part, size)[1:] for part in np.atleast_2d(late)]
        entering = _from_the_end(np.stack(joined).reshape(own.shape))
        return np.asarray(total - (entering[..., :-1] - entering[..., self.end - 1]))

    @cached_property
    def _one_stratum(self) -> bool:
        return bool(self.end[0] == len(self.end))

    def over_events(self, values: Array) -> Array:
        """Return the sum of `values` (..., E) over each group's events, shape (..., G)."""
        return np.asarray(np.add.reduceat(values, self.begin_event, axis=-1))

    def x_over_events(self, load: Array) -> Array:
        """Return the sum of `load` (E,) times x over each group's events, shape (p, G)."""
        return _weighted_sums(self.x_event, load, self.begin_event)

    @cached_property
    def kind(self) -> IntArray:
        """2g + 1 for rows that end with an event of group g, 2g + 2 for others whose range ends with it, 0 before all, shape (R,)."""
        kind = 2 * self.high
        kind[self.event] -= 1
        return kind

    def by_kind(self, events: Array, rest: Array) -> Array:
        """Return columns of groups (p, G), for rows with an event and for others, in the order of `kind`, shape (p, 2 G + 1)."""
        table = np.zeros((len(events), 2 * len(self.time) + 1))
        table[:, 1::2], table[:, 2::2] = events, rest
        return table

    def over_range(self, values: Array) -> Array:
        """Return the sum of `values` (..., G) over the groups each row is at risk at, shape (..., R)."""
        prefix = self.prefix(values)
        through: Array = np.take(prefix, self.high, axis=-1)
        if self.some_enter_late:
            through -= np.take(prefix, self.low, axis=-1)
        return through

    def prefix(self, values: Array) -> Array:
        """Return the sums of the first 0, 1, … of `values` (..., G), shape (..., G + 1)."""
        total = np.zeros((*values.shape[:-1], values.shape[-1] + 1))
        np.cumsum(values, axis=-1, out=total[..., 1:])
        return total

    @cached_property
    def some_enter_late(self) -> bool:
        """Whether a row is at risk from a later group on than the first of all."""
        return bool(self.low.any())

    def by_group(self, values: Array) -> Array:
        """Return the sum of `values` (D,) over each group's events, shape (G,)."""
        return values if self.group is None else np.asarray(np.add.reduceat(values, self._first_term))

    @cached_property
    def _first_term(self) -> IntArray:
        return np.cumsum(self.deaths) - self.deaths


def _weighted_sums(x: Array, load: Array, begin: IntArray) -> Array:
    """Return the sums of `load` (R,) times x (p, R) from each of `begin` (G,) to the next, shape (p, G)."""
    total = np.empty((len(x), len(begin)))
    if x.size <= _CELLS:
        np.add.reduceat(x * load, begin, axis=-1, out=total)
    elif len(load) > _MANY * len(begin):
        ends = [*begin.tolist(), len(load)]
        for g in range(len(begin)):
            part = slice(ends[g], ends[g + 1])
            total[:, g] = x[:, part] @ load[part]
    else:
        product = np.empty(len(load))
        for row, column in zip(total, x, strict=True):
            np.add.reduceat(np.multiply(load, column, out=product), begin, out=row)
    return total


def _from_the_end(values: Array) -> Array:
    """Return sums from each index of the last axis to the end, with a trailing 0."""
    total = np.zeros((*values.shape[:-1], values.shape[-1] + 1))
    np.cumsum(values[..., ::-1], axis=-1, out=total[..., -2::-1])
    return total


def sort_rows(
    entry: Array,
    exit: Array,
    died: npt.NDArray[np.bool_],
    stratum: IntArray | None,
    weight: Array,
    count: Array,
    values: Array,
    centre: Array,
    scale: Array,
    *,
    efron: bool,
    offset: Array | None = None,
) -> CoxRows:
    """Return the rows in order.

    Parameters
    ----------
    entry, exit : ndarray, shape (N,)
        At risk on (entry, exit].
    died : ndarray of bool, shape (N,)
        Whether the row ends with the event; somebody's does.
    stratum : ndarray of int, shape (N,), or None
    weight, count : ndarray, shape (N,)
        Sampling weight, and number of people the row stands for. Rows with weight 0 are left out.
    values : ndarray, shape (N, p)
        Covariates; `centre` (p,) is subtracted and `scale` (p,) divided by.
    offset : ndarray, shape (N,), optional
        Added to beta x as it is.
    """
    died = died & (weight > 0)
    low, high, time, end, of = _ranges(entry, exit, died, stratum)
    used = (high > low) & (weight > 0)
    kept = None if used.all() else np.flatnonzero(used)
    key = 2 * high - died if kept is None else (2 * high - died)[kept]  # events first
    small = 2 * len(time) < np.iinfo(np.uint16).max  # sorted by radix then
    order = np.argsort(key.astype(np.uint16) if small else key, kind="stable")
    order = order if kept is None else kept[order]
    groups = np.arange(len(time))
    events, rest = np.bincount(key, minlength=2 * len(time) + 1)[1:].reshape(-1, 2).T
    size, low = events + rest, low[order] if low.any() else np.zeros(len(order), dtype=np.int64)
    begin, begin_event = np.cumsum(size) - size, np.cumsum(events) - events
    own = np.repeat(groups, events)
    event = np.arange(len(own)) + np.repeat(begin - begin_event, events)
    sampling, number = weight[order[event]], count[order[event]]
    deaths = summed(own, number, len(time))
    group = fraction = None
    if efron and (deaths > 1).any():
        whole = deaths.astype(np.int64)
        group = np.repeat(groups, whole)
        fraction = (np.arange(len(group)) - np.repeat(np.cumsum(whole) - whole, whole)) / deaths[group]
    start_of_stratum = np.searchsorted(
        end, groups, side="right"
    )  # first group whose stratum ends after this one begins
    return CoxRows(
        order=order, x=_gathered(values, order, centre, scale), weight=(weight * count)[order], low=low,
        high=np.repeat(groups + 1, size),
        late=np.flatnonzero(low > start_of_stratum[low]) if stratum is not None or low.any() else np.zeros(0, dtype=np.int64),
        begin=begin, end=end, event=event, own=own,
        begin_event=begin_event, time=time, deaths=deaths.astype(np.int64),
        mean_weight=summed(own, sampling * number, len(time)) / deaths, group=group, fraction=fraction,
        stratum=of, offset=None if offset is None else offset[order],
    )  # fmt: skip


def centre_and_scale(values: Array, total: Array) -> tuple[Array, Array]:
    """Return the weighted mean and standard deviation of each column of `values` (N, p), shapes (p,); a few rows are held at once."""
    x, share = values.T, total / total.sum()
    centre = np.einsum("ji,i->j", x, share)
    square = np.zeros(len(x))
    for start in range(0, len(share), _CHUNK):
        off = x[:, start : start + _CHUNK] - centre[:, None]
        off *= off
        square += np.einsum("ji,i->j", off, share[start : start + _CHUNK])
    return centre, np.sqrt(square)


def _gathered(values: Array, order: IntArray, centre: Array, scale: Array) -> Array:
    """Return the rows `order` (R,) of `values` (N, p), centred and scaled, shape (p, R)."""
    x = np.empty((values.shape[1], len(order)))
    for j in range(len(x)):
        column = values[:, j]
        for start in range(0, len(order), _CHUNK):
            part = x[j, start : start + _CHUNK]
            np.take(
                column, order[start : start + _CHUNK], out=part, mode="clip"
            )  # every index is there: nothing to check
            part -= centre[j]
            part /= scale[j]
    return x


def _ranges(
    entry: Array, exit: Array, died: npt.NDArray[np.bool_], stratum: IntArray | None
) -> tuple[IntArray, IntArray, Array, IntArray, IntArray]:
    """Return low, high (N,), the groups' times, ends of strata and strata (G,)."""
    if stratum is None:
        time, low, high = _positions(exit, entry if entry.any() else None, died)
        end, of = np.full(len(time), len(time), dtype=np.int64), np.zeros(len(time), dtype=np.int64)
    else:
        # one ordered key for (stratum, time): rank of the time, plus an offset a stratum
        moments, rank = distinct(np.concatenate((entry, exit)))
        span = len(moments) + 1
        start, stop = stratum * span + rank[: len(entry)], stratum * span + rank[len(entry) :]
        keys, low, high = _positions(stop, start, died)
        whole = keys.astype(np.int64)
        of = np.asarray(whole // span, dtype=np.int64)
        time, end = moments[whole % span], np.searchsorted(of, of, side="right")
    return low, high, time, end, of


def _positions(
    stop: Array | IntArray, start: Array | IntArray | None, died: npt.NDArray[np.bool_]
) -> tuple[Array, IntArray, IntArray]:
    """Return the distinct ends of those who died, and how many of them come by each row's start (0 where None) and end.

    Counted rather than sorted where they are whole and small.
    """
    low = np.zeros(len(stop), dtype=np.int64)
    ends = whole_numbers(stop)
    starts = ends if start is None else whole_numbers(start)
    if ends is None or starts is None:
        found = np.unique(stop[died]).astype(np.float64)
        low = low if start is None else np.searchsorted(found, start, side="right")
        return found, low, np.searchsorted(found, stop, side="right")
    present = np.zeros(max(int(ends.max()), int(starts.max())) + 1, dtype=np.bool_)
    present[ends[died]] = True
    passed = np.cumsum(present, dtype=np.int64)
    return np.flatnonzero(present).astype(np.float64), low if start is None else passed[starts], passed[ends]


def strata_codes(data: SurvivalData, strata: str | Sequence[str] | None, *, what: str) -> IntArray | None:
    """Return a number for each row's combination of the columns `strata` of ``data.frame``, shape (N,)."""
    if strata is None:
        return None
    names = [strata] if isinstance(strata, str) else list(strata)
    for name in names:
        if name not in data.frame.columns:
            hint = did_you_mean(name, map(str, data.frame.columns))
            raise EstimationError(f"{what}: no column {name!r} (strata). {hint}")
        missing = int(data.frame[name].isna().sum())
        if missing:
            raise EstimationError(f"{what}: column {name!r} (strata) is missing in {missing:,} rows.")
    return np.asarray(data.frame.groupby(names, sort=True, observed=True).ngroup().to_numpy(), dtype=np.int64)
