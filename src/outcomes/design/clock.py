"""From when each person's follow-up ends, and when they were away, to intervals at risk on the scale a study names.

Arrays in, arrays out. Days are counted from time zero; an interval is (entry, exit].
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from outcomes.results import Array, IntArray

__all__ = ["Away", "Intervals", "intervals_at_risk", "with_every_event"]

_HALF = 0.5  # an event on the day an interval begins: which came first cannot be known


@dataclass(frozen=True)
class Away:
    """Time out of the community, G spells: disjoint, in the order of row and start.

    Where two touch the person was at large on the day between them, and no longer.

    Attributes
    ----------
    row : ndarray of int, shape (G,)
    start, end : ndarray, shape (G,)
        First day away (below 0 where that was before time zero); day back, above 0.
    """

    row: IntArray
    start: Array
    end: Array


@dataclass(frozen=True)
class Intervals:
    """Intervals at risk, N of them, in the order of row and entry.

    Attributes
    ----------
    row : ndarray of int, shape (N,)
        Whose.
    entry, exit : ndarray, shape (N,)
        ``entry < exit``; equal where single days were asked for.
    event : ndarray of int, shape (N,)
        0 = none, or goes on; k = cause k at `exit`.
    ended_away : int
        People whose follow-up ended by an event while they were away: their last interval ends, without it, as they leave.
    """

    row: IntArray
    entry: Array
    exit: Array
    event: IntArray
    ended_away: int = 0


def intervals_at_risk(
    time: Array, cause: IntArray, entry: Array, away: Away, *, scale: str, horizon: float, days: bool = False
) -> Intervals:
    """Return when P people were at risk, and what ended it.

    Parameters
    ----------
    time : ndarray, shape (P,)
        Day follow-up ended, 0 or later.
    cause : ndarray of int, shape (P,)
        0 = censored, k = cause k.
    entry : ndarray, shape (P,)
        Day from which a person was observed; 0 where from time zero.
    away : Away
        Ignored on the scale ``calendar``.
    scale : str
        ``calendar`` (at risk all along), ``at_risk`` (time away is a gap on calendar time), ``community`` (the clock stops while
        away; one interval a person).
    horizon : float
        End of the clock; on the scale ``community`` it is reached later by those who were away.
    days : bool
        Keep single days at risk, from which nothing follows (``entry == exit``), for `with_every_event`.

    Notes
    -----
    The first day away and the day back are at risk. An event on the day an interval begins (time zero, first day observed, day
    back) counts half a day. Whose follow-up ends before they are observed, or who were never at risk, have no interval.
    """
    none = Away(np.empty(0, dtype=np.int64), np.empty(0), np.empty(0))
    cut = _cut(time, cause, entry, none if scale == "calendar" else away, days)
    return cut if scale != "community" else _stopped_clock(cut, entry, away, horizon)


def _cut(time: Array, cause: IntArray, entry: Array, away: Away, days: bool) -> Intervals:
    people = len(time)
    spells = np.bincount(away.row, minlength=people)
    first = np.r_[0, np.cumsum(spells + 1)[:-1]].astype(np.int64)
    row = np.repeat(np.arange(people), spells + 1)
    nth = np.arange(len(away.row)) - np.repeat(np.cumsum(spells) - spells, spells)
    start, stop = np.zeros(len(row)), np.full(len(row), np.inf)
    start[first[away.row] + nth + 1] = away.end
    stop[first[away.row] + nth] = away.start
    start, end = np.maximum(start, entry[row]), time[row]
    on_first_day = end == start
    ends_here = (cause[row] > 0) & (start <= end) & (end <= stop)
    ended_at_zero = on_first_day & (end == 0) & (stop > 0)  # also where nothing happened: half a day of follow-up
    leave = np.where((ends_here & on_first_day) | ended_at_zero, start + _HALF, np.minimum(stop, end))
    kept = (leave >= start) if days else (leave > start)
    held = np.zeros(people, dtype=bool)
    held[row[ends_here]] = True
    return Intervals(
        row=row[kept],
        entry=start[kept],
        exit=leave[kept],
        event=np.where(ends_here, cause[row], 0)[kept],
        ended_away=int(((cause > 0) & ~held & (time >= entry)).sum()),
    )


def _stopped_clock(cut: Intervals, entry: Array, away: Away, horizon: float) -> Intervals:
    """Return one interval a person: as long as those at risk together, from what the clock said when it was first observed."""
    people = len(entry)
    lost = np.clip(np.minimum(away.end, entry[away.row]) - np.maximum(away.start, 0), 0, None)
    begun = entry - np.bincount(away.row, weights=lost, minlength=people)
    length = np.bincount(cut.row, weights=cut.exit - cut.entry, minlength=people)
    event = np.bincount(cut.row, weights=cut.event, minlength=people).astype(np.int64)
    row = np.flatnonzero((length > 0) & (begun < horizon))
    reached = begun[row] + length[row]
    return Intervals(
        row=row,
        entry=begun[row],
        exit=np.minimum(reached, horizon),
        event=np.where(reached > horizon, 0, event[row]),
        ended_away=cut.ended_away,
    )


def with_every_event(at_risk: Intervals, row: IntArray, day: Array) -> Intervals:
    """Return the intervals cut at events (cause 1) that do not end follow-up.

    Parameters
    ----------
    at_risk : Intervals
        On the scale ``calendar`` or ``at_risk``, single days at risk kept; what ends them is no event of cause 1.
    row, day : ndarray, shape (E,)
        Whose events, and when; two of a person on one day are one. Events outside every interval do not count.

    Notes
    -----
    An event on the day an interval begins counts half a day. One on the day of what ended follow-up comes before it, half a day.
    """
    row, day = np.unique(np.stack([row.astype(float), day]), axis=1)
    row = row.astype(np.int64)
    far = 1 + max(float(at_risk.exit.max(initial=0)), float(day.max(initial=0)))
    keys = at_risk.row * far + at_risk.entry
    inside = np.searchsorted(keys, row * far + day, side="right") - 1
    met = (inside >= 0) & (at_risk.row[inside] == row) & (day <= at_risk.exit[inside]) if len(keys) else inside > 0
    inside, day = inside[met], day[met]
    day = np.where(day == at_risk.entry[inside], day + _HALF, day)
    last = at_risk.exit.copy()
    at_end = day >= last[inside]
    last[inside[at_end]] += np.where(at_risk.event[inside[at_end]] > 0, _HALF, 0)
    interval = np.r_[np.arange(len(keys)), inside]
    begin = np.r_[at_risk.entry, day]
    happened = np.r_[np.zeros(len(keys), dtype=np.int64), np.ones(len(day), dtype=np.int64)]
    order = np.lexsort((begin, interval))
    interval, begin, happened = interval[order], begin[order], happened[order]
    goes_on = np.r_[interval[1:] == interval[:-1], False] if len(interval) else np.empty(0, dtype=bool)
    leave = np.where(goes_on, np.r_[begin[1:], 0.0], last[interval])
    event = np.where(goes_on, np.r_[happened[1:], 0], at_risk.event[interval])
    kept = leave > begin
    return Intervals(at_risk.row[interval][kept], begin[kept], leave[kept], event[kept], at_risk.ended_away)
