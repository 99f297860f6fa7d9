"""Clones: each person in every arm they could still join, censored when they do something else.

Arrays in, arrays out. Days are counted from time zero. A strategy is "start a programme of this arm within the grace period" (of the
arm of people who started nothing: "start nothing within it"); what people do after they have done as the strategy says is not looked
at. The first start of an arm's programme decides, as it does where arms are made of people who started.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from outcomes.design.clock import Intervals
from outcomes.durations import DAYS_PER_MONTH
from outcomes.results import Array, IntArray, read_only

__all__ = [
    "CloneRows",
    "Cloned",
    "Clones",
    "Starts",
    "clone_rows",
    "cloned",
    "cut_at",
    "day_of",
    "grace_months",
    "rows_of",
]


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
    """C clones in the order of person and arm, and what they would do if they were followed for ever.

    Attributes
    ----------
    person, arm : ndarray of int, shape (C,)
    complied : ndarray, shape (C,)
        Day from which the clone has done as its strategy says; infinite where that never comes.
    departs : ndarray, shape (C,)
        Day on which it does something else; infinite where that never comes.
    """

    person: IntArray
    arm: IntArray
    complied: Array
    departs: Array


@dataclass(frozen=True)
class CloneRows:
    """Rows of P clones with time at risk, cut at the months of the grace period.

    Attributes
    ----------
    rows : Intervals
        `row` is the clone, 0 to P - 1.
    arm : ndarray of int, shape (P,)
    clones : Clones
    """

    rows: Intervals
    arm: IntArray
    clones: Clones


@dataclass(frozen=True)
class Clones:
    """What undoing the artificial censoring needs to know of P clones: the rows of a baseline.

    Attributes
    ----------
    person : ndarray of int, shape (P,)
        Number of the person each is a clone of; the same in every arm.
    begun : ndarray of int, shape (P,)
        Arm whose programme the person had started on or before time zero; -1: none of an arm; -2: one of no arm only.
    complied : ndarray, shape (P,)
        As in `Cloned`.
    departed : ndarray, shape (P,)
        Day on which the clone did something else, and was censored for it; infinite where follow-up had ended by then.
    last : ndarray, shape (P,)
        Day the person's own follow-up ended, whatever the clone did.
    edges : ndarray, shape (K + 1,)
        Days from 0 to the end of the grace period at which rows are cut: K months.
    untreated : int or None
        The arm of people who started nothing.
    """

    person: IntArray
    begun: IntArray
    complied: Array
    departed: Array
    last: Array
    edges: Array
    untreated: int | None


def grace_months(grace: float) -> Array:
    """Return the days that part a grace period into months or so: 0, …, grace.

    Examples
    --------
    >>> grace_months(91.0).tolist()
    [0.0, 30.0, 60.0, 91.0]
    """
    months = max(1, round(grace / DAYS_PER_MONTH))
    return np.asarray(np.floor(np.linspace(0.0, grace, months + 1)))


def cloned(starts: Starts, *, arms: int, untreated: int | None, grace: float) -> Cloned:
    """Return the clones of P people.

    Parameters
    ----------
    starts : Starts
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
            complied = np.where(first > grace, grace, np.inf)
        else:
            mine = (starts.arm == arm) & (starts.day <= grace)
            there = mine | (starts.day > 0)
            departs = np.where(mine, np.inf, np.minimum(starts.day, grace))
            complied = np.where(mine, np.maximum(starts.day, 0.0), np.inf)
        who = np.flatnonzero(there)
        found.append((who, np.full(len(who), arm), complied[who], departs[who]))
    person, arm_of, complied, departs = (np.concatenate(parts) for parts in zip(*found, strict=True))
    order = np.lexsort((arm_of, person))
    return Cloned(person[order], arm_of[order], complied[order], departs[order])


def clone_rows(
    starts: Starts,
    person: IntArray,
    entry: Array,
    exit_: Array,
    event: IntArray,
    *,
    arms: int,
    untreated: int | None,
    grace: float,
) -> CloneRows:
    """Return people's time at risk as that of their clones.

    Parameters
    ----------
    starts : Starts
    person : ndarray of int, shape (N,)
        Whose each row is; in order.
    entry, exit_, event : ndarray, shape (N,)
        As in `Intervals`.
    arms, untreated, grace
        As in `cloned`.
    """
    clones, edges = cloned(starts, arms=arms, untreated=untreated, grace=grace), grace_months(grace)
    rows = cut_at(rows_of(clones, person, entry, exit_, event), edges[1:])
    last = np.zeros(len(starts.day))
    np.maximum.at(last, person, day_of(exit_))
    seen, mine = np.unique(rows.row, return_inverse=True)
    of, departs = clones.person[seen], clones.departs[seen]
    return CloneRows(
        rows=replace(rows, row=mine),
        arm=clones.arm[seen],
        clones=Clones(
            person=read_only(of, np.int64),
            begun=read_only(_begun(starts)[of], np.int64),
            complied=read_only(clones.complied[seen]),
            departed=read_only(np.where(departs < last[of], departs, np.inf)),
            last=read_only(last[of]),
            edges=read_only(edges),
            untreated=untreated,
        ),
    )


def _begun(starts: Starts) -> IntArray:
    """Return what each person had started on or before time zero, as in `Clones`."""
    return np.where(starts.day <= 0, starts.arm, np.where(starts.other <= 0, -2, -1))


def rows_of(clones: Cloned, person: IntArray, entry: Array, exit_: Array, event: IntArray) -> Intervals:
    """Return the rows of the clones: those of their people, up to the day a clone departs.

    Parameters
    ----------
    person : ndarray of int, shape (N,)
        Whose each row is; in order.
    entry, exit_, event : ndarray, shape (N,)
        As in `Intervals`. A row that lasts half a day has its event on the day it begins.

    Notes
    -----
    An event on the day of departing came before it.
    """
    count = np.bincount(person, minlength=1 + int(clones.person.max(initial=0)))
    first = np.cumsum(count) - count
    mine = count[clones.person]
    row = np.repeat(np.arange(len(mine)), mine)
    at = first[clones.person][row] + np.arange(len(row)) - np.repeat(np.cumsum(mine) - mine, mine)
    departs = clones.departs[row]
    day, begin = day_of(exit_)[at], entry[at]
    kept = (begin < departs) | (day <= departs)
    whole = day <= departs
    end = np.where(whole, exit_[at], departs)
    return Intervals(row[kept], begin[kept], end[kept], np.where(whole, event[at], 0)[kept])


def day_of(exit_: Array) -> Array:
    """Return the day on which each row ended: half a day is on the day it began."""
    return np.asarray(np.floor(exit_))


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
