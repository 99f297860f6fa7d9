"""Clones: each person in every arm they could still join, censored when they do something else.

Arrays in, arrays out. Days are counted from time zero. A strategy is "start a programme of this arm within the grace period" (of the
arm of people who started nothing: "start nothing within it"); what people do after they have done as the strategy says is not looked
at. The first start of an arm's programme decides, as it does where arms are made of people who started.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from outcomes.design.clock import Away, Intervals
from outcomes.durations import DAYS_PER_MONTH
from outcomes.results import Array, IntArray, read_only

__all__ = ["Cloned", "Clones", "Starts", "away_of", "cloned", "cut_at", "grace_months", "kept_clones"]


@dataclass(frozen=True)
class Starts:
    """The first start of each of P people.

    Attributes
    ----------
    day : ndarray, shape (P,)
        Of the first programme of any arm; infinite where there is none. At most 0: on or before time zero.
    arm : ndarray of int, shape (P,)
        Whose programme that was; -1 where there is none.
    other : ndarray, shape (P,)
        Day of the first start of a programme that belongs to no arm; infinite where there is none.
    """

    day: Array
    arm: IntArray
    other: Array


@dataclass(frozen=True)
class Cloned:
    """C clones in the order of person and arm, and how their follow-up ended.

    Attributes
    ----------
    person, arm : ndarray of int, shape (C,)
    time : ndarray, shape (C,)
        Day follow-up ended: the person's own end, or the day of departing from the strategy where that came first.
    cause : ndarray of int, shape (C,)
        0 = censored; k = cause k.
    complied : ndarray, shape (C,)
        Day from which the clone has done as its strategy says; infinite where that never came.
    departed : ndarray, shape (C,)
        Day on which it did something else; infinite where that never came. An event on that day came before it.
    """

    person: IntArray
    arm: IntArray
    time: Array
    cause: IntArray
    complied: Array
    departed: Array


@dataclass(frozen=True)
class Clones:
    """What undoing the artificial censoring needs to know of P clones: the rows of a baseline.

    Attributes
    ----------
    person : ndarray of int, shape (P,)
        Number of the person each is a clone of; the same in every arm.
    complied, departed : ndarray, shape (P,)
        As in `Cloned`.
    last : ndarray, shape (P,)
        Day the person's own follow-up ended, whatever the clone did.
    edges : ndarray, shape (K + 1,)
        Days from 0 to the end of the grace period between which rows are cut: K intervals.
    untreated : int or None
        The arm of people who started nothing.
    """

    person: IntArray
    complied: Array
    departed: Array
    last: Array
    edges: Array
    untreated: int | None


def grace_months(grace: float) -> Array:
    """Return the days that part a grace period into intervals of about a month: 0, …, grace.

    Examples
    --------
    >>> grace_months(91.0).tolist()
    [0.0, 30.0, 61.0, 91.0]
    """
    months = max(1, round(grace / DAYS_PER_MONTH))
    return np.asarray(np.floor(np.linspace(0.0, grace, months + 1)))


def cloned(starts: Starts, time: Array, cause: IntArray, *, arms: int, untreated: int | None, grace: float) -> Cloned:
    """Return the clones of P people.

    Parameters
    ----------
    starts : Starts
    time : ndarray, shape (P,)
        Day a person's own follow-up ended.
    cause : ndarray of int, shape (P,)
        What ended it; 0 = censored.
    arms : int
    untreated : int or None
        The arm of people who started nothing.
    grace : float
        Last day on which a start counts.

    Notes
    -----
    Who started on or before time zero did so as a fact: they have one clone, in their own arm. Everybody else has one in every arm.
    A clone of an arm with programmes departs when a programme of another arm is started first, or at the end of the grace period
    where nothing was started; one of the untreated when anything is. From the day of its own start (the untreated: from the end of
    the grace period) a clone can no longer depart.
    """
    found = []
    for arm in range(arms):
        if arm == untreated:
            first = np.minimum(starts.day, starts.other)
            there = first > 0
            departs = np.where(first <= grace, first, np.inf)
            complied = np.where(departs > grace, grace, np.inf)
        else:
            mine = (starts.arm == arm) & (starts.day <= grace)
            there = mine | (starts.day > 0)
            departs = np.where(mine, np.inf, np.minimum(starts.day, grace))
            complied = np.where(mine, np.maximum(starts.day, 0.0), np.inf)
        who = np.flatnonzero(there)
        departed = departs[who] < time[who]
        found.append(
            Cloned(
                person=who,
                arm=np.full(len(who), arm),
                time=np.minimum(time, departs)[who],
                cause=np.where(departed, 0, cause[who]),
                complied=complied[who],
                departed=np.where(departed, departs[who], np.inf),
            )
        )
    order = np.lexsort((np.concatenate([part.arm for part in found]), np.concatenate([part.person for part in found])))
    joined = {
        name: np.concatenate([getattr(part, name) for part in found])[order] for name in Cloned.__dataclass_fields__
    }
    return Cloned(**joined)


def away_of(clones: Cloned, away: Away, people: int) -> Away:
    """Return the clones' time away: each has its person's."""
    count = np.bincount(away.row, minlength=people)
    first = np.cumsum(count) - count
    mine = count[clones.person]
    row = np.repeat(np.arange(len(mine)), mine)
    nth = np.arange(len(row)) - np.repeat(np.cumsum(mine) - mine, mine)
    at = first[clones.person][row] + nth
    return Away(row, away.start[at], away.end[at])


def cut_at(rows: Intervals, days: Array) -> Intervals:
    """Return the intervals cut at the same days for everyone; the last part of each has its event.

    Examples
    --------
    >>> import numpy as np
    >>> rows = Intervals(np.array([0, 1]), np.array([0.0, 0.0]), np.array([45.0, 30.0]), np.array([1, 0]))
    >>> cut = cut_at(rows, np.array([30.0, 60.0]))
    >>> cut.row.tolist(), cut.entry.tolist(), cut.exit.tolist(), cut.event.tolist()
    ([0, 0, 1], [0.0, 30.0, 0.0], [30.0, 45.0, 30.0], [0, 1, 0])
    """
    low, high = np.searchsorted(days, rows.entry, side="right"), np.searchsorted(days, rows.exit, side="left")
    cuts = high - low
    of = np.repeat(np.arange(len(cuts)), cuts + 1)
    nth = np.arange(len(of)) - np.repeat(np.cumsum(cuts + 1) - (cuts + 1), cuts + 1)
    edge = np.append(days, np.inf)
    begin = np.where(nth == 0, rows.entry[of], edge[np.maximum(low[of] + nth - 1, 0)])
    last = nth == cuts[of]
    end = np.where(last, rows.exit[of], edge[low[of] + nth])
    return Intervals(rows.row[of], begin, end, np.where(last, rows.event[of], 0), rows.ended_away)


def kept_clones(clones: Cloned, seen: IntArray, last: Array, *, edges: Array, untreated: int | None) -> Clones:
    """Return what is kept of the clones that have time at risk (`seen`); `last` (P,) is when people's own follow-up ended."""
    return Clones(
        person=read_only(clones.person[seen], np.int64),
        complied=read_only(clones.complied[seen]),
        departed=read_only(clones.departed[seen]),
        last=read_only(last[clones.person[seen]]),
        edges=read_only(edges),
        untreated=untreated,
    )
